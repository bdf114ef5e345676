/* SPDX-License-Identifier: MIT */
/*
 * Properties of algorithms, hashes and keys: a table of names, each with the function that
 * knows it, which says false for an object that has no such property.
 *
 * Pages: BCryptGetProperty, BCryptSetProperty, "Cryptography Primitive Property
 * Identifiers".
 */
#include "cng/object.h"
#include <string.h>

/* What is asked. Exactly one of the two; the algorithm is its own. */
struct subject {
	const struct cng_algorithm *algorithm;
	const struct cng_key *key;
	enum cng_mode mode;
	bool keyed;
};

struct value {
	const void *data;
	ULONG size;
	BCRYPT_KEY_LENGTHS_STRUCT lengths; /* room for the short ones */
};

static const PCWSTR mode_names[] = {
	[CNG_CBC] = u"ChainingModeCBC",
	[CNG_ECB] = u"ChainingModeECB",
	[CNG_GCM] = u"ChainingModeGCM",
};
#define MODES (sizeof(mode_names) / sizeof(mode_names[0]))

static bool give_number(struct value *value, ULONG number)
{
	value->lengths.dwMinLength = number;
	value->data = &value->lengths.dwMinLength;
	value->size = sizeof(ULONG);
	return true;
}

static bool give_lengths(struct value *value, ULONG least, ULONG most, ULONG step)
{
	value->lengths = (BCRYPT_KEY_LENGTHS_STRUCT){least, most, step};
	value->data = &value->lengths;
	value->size = sizeof(value->lengths);
	return true;
}

static bool give_text(struct value *value, PCWSTR text)
{
	ULONG length = 0;
	while (text[length])
		length++;
	value->data = text;
	value->size = (length + 1) * (ULONG)sizeof(WCHAR);
	return true;
}

static bool algorithm_name(const struct subject *subject, struct value *value)
{
	return give_text(value, subject->algorithm->name);
}

static bool object_length(const struct subject *subject, struct value *value)
{
	switch (subject->algorithm->class) {
	case CNG_HASH:
		return give_number(value, cng_hash_size(subject->algorithm, subject->keyed));
	case CNG_CIPHER:
		return give_number(value, cng_key_size(32));
	default:
		return false;
	}
}

static bool hash_length(const struct subject *subject, struct value *value)
{
	return subject->algorithm->hash &&
	       give_number(value, subject->algorithm->hash->digest_size);
}

static bool hash_block_length(const struct subject *subject, struct value *value)
{
	return subject->algorithm->hash && give_number(value, subject->algorithm->hash->block_size);
}

static bool block_length(const struct subject *subject, struct value *value)
{
	return subject->algorithm->class == CNG_CIPHER && give_number(value, CNG_BLOCK);
}

static bool chaining_mode(const struct subject *subject, struct value *value)
{
	return subject->algorithm->class == CNG_CIPHER &&
	       give_text(value, mode_names[subject->mode]);
}

static bool key_lengths(const struct subject *subject, struct value *value)
{
	const ULONG bits = subject->algorithm->bytes == 66 ? 521 : subject->algorithm->bytes * 8;
	switch (subject->algorithm->class) {
	case CNG_CIPHER:
		return give_lengths(value, 128, 256, 64);
	case CNG_ECDSA:
		return give_lengths(value, bits, bits, 0);
	default:
		return false;
	}
}

static bool key_length(const struct subject *subject, struct value *value)
{
	if (!subject->key)
		return false;
	const void *data = subject->key->data;
	switch (subject->algorithm->class) {
	case CNG_CIPHER:
		return give_number(value, subject->key->size * 8);
	case CNG_ECDSA:
		key_lengths(subject, value);
		return give_number(value, value->lengths.dwMinLength);
	case CNG_RSA:
		return give_number(value, ((const BCRYPT_RSAKEY_BLOB *)data)->BitLength);
	default:
		return false;
	}
}

static bool signature_length(const struct subject *subject, struct value *value)
{
	if (subject->algorithm->class == CNG_ECDSA)
		return give_number(value, subject->algorithm->bytes * 2);
	if (subject->algorithm->class != CNG_RSA || !subject->key)
		return false;
	const void *data = subject->key->data;
	return give_number(value, ((const BCRYPT_RSAKEY_BLOB *)data)->cbModulus);
}

static bool auth_tag_length(const struct subject *subject, struct value *value)
{
	return subject->algorithm->class == CNG_CIPHER && subject->mode == CNG_GCM &&
	       give_lengths(value, 12, 16, 1);
}

static const struct {
	PCWSTR name;
	bool (*get)(const struct subject *subject, struct value *value);
} properties[] = {
	{u"AlgorithmName", algorithm_name},
	{u"ObjectLength", object_length},
	{u"KeyObjectLength", object_length},
	{u"HashDigestLength", hash_length},
	{u"HashBlockLength", hash_block_length},
	{u"BlockLength", block_length},
	{u"ChainingMode", chaining_mode},
	{u"KeyLengths", key_lengths},
	{u"KeyLength", key_length},
	{u"KeyStrength", key_length},
	{u"SignatureLength", signature_length},
	{u"AuthTagLength", auth_tag_length},
};
#define PROPERTIES (sizeof(properties) / sizeof(properties[0]))

static bool subject_of(BCRYPT_HANDLE handle, struct subject *subject)
{
	const struct cng_provider *provider = cng_provider_of(handle);
	const struct cng_hash *hash = provider ? NULL : cng_hash_of(handle);
	const struct cng_key *key = provider || hash ? NULL : cng_key_of(handle);
	if (provider)
		*subject = (struct subject){provider->algorithm, NULL, provider->mode,
					    provider->keyed};
	else if (hash)
		*subject = (struct subject){hash->algorithm, NULL, 0, hash->keyed};
	else if (key)
		*subject = (struct subject){key->algorithm, key, key->mode, false};
	return provider || hash || key;
}

NTSTATUS NTAPI BCryptGetProperty(BCRYPT_HANDLE hObject, PCWSTR pszProperty, PUCHAR pbOutput,
				 ULONG cbOutput, ULONG *pcbResult, ULONG dwFlags)
{
	struct subject subject;
	struct value value;
	size_t i = 0;
	if (!subject_of(hObject, &subject))
		return STATUS_INVALID_HANDLE;
	if (!pszProperty || !pcbResult || dwFlags)
		return STATUS_INVALID_PARAMETER;
	while (i < PROPERTIES && !cng_is_name(pszProperty, properties[i].name))
		i++;
	if (i == PROPERTIES || !properties[i].get(&subject, &value))
		return STATUS_NOT_SUPPORTED;
	*pcbResult = value.size;
	if (!pbOutput)
		return STATUS_SUCCESS;
	if (cbOutput < value.size)
		return STATUS_BUFFER_TOO_SMALL;
	memcpy(pbOutput, value.data, value.size);
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI BCryptSetProperty(BCRYPT_HANDLE hObject, PCWSTR pszProperty, PUCHAR pbInput,
				 ULONG cbInput, ULONG dwFlags)
{
	struct subject subject;
	enum cng_mode mode = 0;
	if (!subject_of(hObject, &subject))
		return STATUS_INVALID_HANDLE;
	if (!pszProperty || !pbInput || dwFlags)
		return STATUS_INVALID_PARAMETER;
	if (subject.algorithm->class != CNG_CIPHER || !cng_is_name(pszProperty, u"ChainingMode"))
		return STATUS_NOT_SUPPORTED;
	if (cbInput < sizeof(WCHAR))
		return STATUS_INVALID_PARAMETER;
	while (mode < MODES && !cng_is_name((PCWSTR)(const void *)pbInput, mode_names[mode]))
		mode++;
	if (mode == MODES)
		return STATUS_NOT_SUPPORTED;
	if ((ULONG_PTR)hObject & 1)
		return STATUS_INVALID_HANDLE; /* a pseudo-handle's mode is its own */
	if (subject.key)
		cng_key_of(hObject)->mode = mode;
	else
		cng_provider_of(hObject)->mode = mode;
	return STATUS_SUCCESS;
}
