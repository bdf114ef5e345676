/* SPDX-License-Identifier: MIT */
/*
 * Public keys, and signatures that are checked with them: ECDSA on the curves of NIST, RSA
 * with either padding.
 *
 * A key object is the blob that was imported. It is turned into nettle's numbers to see
 * whether it is a key, and again for each signature; these numbers are GMP's, which
 * allocates for itself and only while a call lasts.
 *
 * Pages: BCryptImportKeyPair, BCryptVerifySignature, BCRYPT_ECCKEY_BLOB,
 * BCRYPT_RSAKEY_BLOB.
 */
#include "cng/object.h"
#include <nettle/bignum.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>
#include <nettle/rsa.h>
#include <string.h>

#define RSA_PUBLIC_MAGIC 0x31415352 /* RSA1 */
#define MAX_RSA_BYTES 2048

/* ---- ECDSA ---------------------------------------------------------------------------- */

static const struct ecc_curve *curve_of(const struct cng_algorithm *algorithm)
{
	return algorithm->bytes == 32   ? nettle_get_secp_256r1()
	       : algorithm->bytes == 48 ? nettle_get_secp_384r1()
					: nettle_get_secp_521r1();
}

/* False when the point is not on the curve. It has to be cleared in any case. */
static bool get_point(const struct cng_algorithm *algorithm, const UCHAR *coordinates,
		      struct ecc_point *point)
{
	mpz_t x, y;
	nettle_mpz_init_set_str_256_u(x, algorithm->bytes, coordinates);
	nettle_mpz_init_set_str_256_u(y, algorithm->bytes, coordinates + algorithm->bytes);
	ecc_point_init(point, curve_of(algorithm));
	bool valid = ecc_point_set(point, x, y);
	mpz_clear(x);
	mpz_clear(y);
	return valid;
}

static bool is_ecdsa_blob(const struct cng_algorithm *algorithm, const UCHAR *blob, ULONG size)
{
	BCRYPT_ECCKEY_BLOB head;
	struct ecc_point point;
	if (size < sizeof(head))
		return false;
	memcpy(&head, blob, sizeof(head));
	if (head.dwMagic != algorithm->magic || head.cbKey != algorithm->bytes ||
	    size != sizeof(head) + 2 * algorithm->bytes)
		return false;
	bool valid = get_point(algorithm, blob + sizeof(head), &point);
	ecc_point_clear(&point);
	return valid;
}

static NTSTATUS verify_ecdsa(const struct cng_key *key, const UCHAR *hash, ULONG hash_size,
			     const UCHAR *bytes, ULONG size)
{
	const ULONG half = key->algorithm->bytes;
	struct dsa_signature signature;
	struct ecc_point point;
	if (size != 2 * half)
		return STATUS_INVALID_SIGNATURE;
	get_point(key->algorithm, key->data + sizeof(BCRYPT_ECCKEY_BLOB), &point);
	dsa_signature_init(&signature);
	nettle_mpz_set_str_256_u(signature.r, half, bytes);
	nettle_mpz_set_str_256_u(signature.s, half, bytes + half);
	bool good = ecdsa_verify(&point, hash_size, hash, &signature);
	dsa_signature_clear(&signature);
	ecc_point_clear(&point);
	return good ? STATUS_SUCCESS : STATUS_INVALID_SIGNATURE;
}

/* ---- RSA -------------------------------------------------------------------------------- */

/* False when the numbers are no key. It has to be cleared in any case. */
static bool get_rsa(const UCHAR *blob, struct rsa_public_key *key)
{
	BCRYPT_RSAKEY_BLOB head;
	memcpy(&head, blob, sizeof(head));
	const UCHAR *exponent = blob + sizeof(head);
	rsa_public_key_init(key);
	nettle_mpz_set_str_256_u(key->e, head.cbPublicExp, exponent);
	nettle_mpz_set_str_256_u(key->n, head.cbModulus, exponent + head.cbPublicExp);
	return mpz_odd_p(key->n) && mpz_odd_p(key->e) && rsa_public_key_prepare(key);
}

static bool is_rsa_blob(const UCHAR *blob, ULONG size)
{
	BCRYPT_RSAKEY_BLOB head;
	struct rsa_public_key key;
	if (size < sizeof(head))
		return false;
	memcpy(&head, blob, sizeof(head));
	if (head.Magic != RSA_PUBLIC_MAGIC || !head.cbPublicExp || !head.cbModulus ||
	    head.cbPublicExp > head.cbModulus || head.cbModulus > MAX_RSA_BYTES ||
	    (head.BitLength + 7) / 8 != head.cbModulus ||
	    size != sizeof(head) + head.cbPublicExp + head.cbModulus)
		return false;
	bool valid = get_rsa(blob, &key);
	rsa_public_key_clear(&key);
	return valid;
}

/* The start of a DigestInfo: which hash follows, in DER. */
static const struct {
	PCWSTR name;
	UCHAR size, bytes[19];
} digest_infos[] = {
	{u"MD5",
	 18,
	 {0x30, 0x20, 0x30, 0x0C, 0x06, 0x08, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x02, 0x05, 0x05,
	  0x00, 0x04, 0x10}},
	{u"SHA1",
	 15,
	 {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2B, 0x0E, 0x03, 0x02, 0x1A, 0x05, 0x00, 0x04,
	  0x14}},
	{u"SHA256",
	 19,
	 {0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
	  0x05, 0x00, 0x04, 0x20}},
	{u"SHA384",
	 19,
	 {0x30, 0x41, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02,
	  0x05, 0x00, 0x04, 0x30}},
	{u"SHA512",
	 19,
	 {0x30, 0x51, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03,
	  0x05, 0x00, 0x04, 0x40}},
};
#define DIGEST_INFOS (sizeof(digest_infos) / sizeof(digest_infos[0]))

struct check {
	const struct rsa_public_key *key;
	const UCHAR *hash;
	ULONG hash_size;
	mpz_t signature;
};

/* The hash as it was padded: behind the DigestInfo's head, or bare without a name. */
static NTSTATUS check_pkcs1(const struct check *check, const BCRYPT_PKCS1_PADDING_INFO *padding)
{
	UCHAR info[sizeof(digest_infos[0].bytes) + CNG_MAX_DIGEST];
	size_t head = 0, i = 0;
	if (!padding || check->hash_size > CNG_MAX_DIGEST)
		return STATUS_INVALID_PARAMETER;
	if (padding->pszAlgId) {
		const struct cng_algorithm *algorithm = cng_find_algorithm(padding->pszAlgId);
		while (i < DIGEST_INFOS && !cng_is_name(padding->pszAlgId, digest_infos[i].name))
			i++;
		if (i == DIGEST_INFOS)
			return STATUS_NOT_SUPPORTED;
		if (check->hash_size != algorithm->hash->digest_size)
			return STATUS_INVALID_PARAMETER;
		head = digest_infos[i].size;
		memcpy(info, digest_infos[i].bytes, head);
	}
	memcpy(info + head, check->hash, check->hash_size);
	return rsa_pkcs1_verify(check->key, head + check->hash_size, info, check->signature)
		       ? STATUS_SUCCESS
		       : STATUS_INVALID_SIGNATURE;
}

static NTSTATUS check_pss(const struct check *check, const BCRYPT_PSS_PADDING_INFO *padding)
{
	static const struct {
		PCWSTR name;
		ULONG size;
		int (*verify)(const struct rsa_public_key *, size_t, const uint8_t *, const mpz_t);
	} hashes[] = {
		{u"SHA256", 32, rsa_pss_sha256_verify_digest},
		{u"SHA384", 48, rsa_pss_sha384_verify_digest},
		{u"SHA512", 64, rsa_pss_sha512_verify_digest},
	};
	if (!padding || !padding->pszAlgId)
		return STATUS_INVALID_PARAMETER;
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		if (!cng_is_name(padding->pszAlgId, hashes[i].name))
			continue;
		if (check->hash_size != hashes[i].size)
			return STATUS_INVALID_PARAMETER;
		return hashes[i].verify(check->key, padding->cbSalt, check->hash, check->signature)
			       ? STATUS_SUCCESS
			       : STATUS_INVALID_SIGNATURE;
	}
	return STATUS_NOT_SUPPORTED;
}

static NTSTATUS verify_rsa(const struct cng_key *object, const struct check *how,
			   const UCHAR *signature, ULONG size, const void *padding, ULONG flags)
{
	struct rsa_public_key key;
	struct check check = *how;
	NTSTATUS status = STATUS_INVALID_SIGNATURE;
	get_rsa(object->data, &key);
	check.key = &key;
	nettle_mpz_init_set_str_256_u(check.signature, size, signature);
	if (size == key.size && mpz_cmp(check.signature, key.n) < 0)
		status = flags == BCRYPT_PAD_PKCS1 ? check_pkcs1(&check, padding)
						   : check_pss(&check, padding);
	mpz_clear(check.signature);
	rsa_public_key_clear(&key);
	return status;
}

/* ---- Exports ------------------------------------------------------------------------------ */

static NTSTATUS check_blob(const struct cng_algorithm *algorithm, PCWSTR type, const UCHAR *blob,
			   ULONG size)
{
	const bool ecdsa = algorithm->class == CNG_ECDSA;
	if (!ecdsa && algorithm->class != CNG_RSA)
		return STATUS_NOT_SUPPORTED;
	if (!cng_is_name(type, ecdsa ? u"ECCPUBLICBLOB" : u"RSAPUBLICBLOB") &&
	    !cng_is_name(type, u"PUBLICBLOB"))
		return STATUS_NOT_SUPPORTED;
	bool valid = ecdsa ? is_ecdsa_blob(algorithm, blob, size) : is_rsa_blob(blob, size);
	return valid ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

NTSTATUS NTAPI BCryptImportKeyPair(BCRYPT_ALG_HANDLE hAlgorithm, BCRYPT_KEY_HANDLE hImportKey,
				   PCWSTR pszBlobType, BCRYPT_KEY_HANDLE *phKey, PUCHAR pbInput,
				   ULONG cbInput, ULONG dwFlags)
{
	const struct cng_provider *provider = cng_provider_of(hAlgorithm);
	void *memory;
	bool allocated;
	(void)dwFlags; /* BCRYPT_NO_KEY_VALIDATION asks for less than is done */
	if (!provider)
		return STATUS_INVALID_HANDLE;
	if (hImportKey)
		return STATUS_NOT_SUPPORTED;
	if (!pszBlobType || !phKey || !pbInput)
		return STATUS_INVALID_PARAMETER;
	NTSTATUS status = check_blob(provider->algorithm, pszBlobType, pbInput, cbInput);
	if (NT_SUCCESS(status))
		status = cng_place(NULL, 0, cng_key_size(cbInput), &memory, &allocated);
	if (!NT_SUCCESS(status))
		return status;
	struct cng_key *key = memory;
	*key = (struct cng_key){
		.what = CNG_KEY,
		.allocated = true,
		.algorithm = provider->algorithm,
		.size = cbInput,
	};
	memcpy(key->data, pbInput, cbInput);
	*phKey = key;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI BCryptVerifySignature(BCRYPT_KEY_HANDLE hKey, VOID *pPaddingInfo, PUCHAR pbHash,
				     ULONG cbHash, PUCHAR pbSignature, ULONG cbSignature,
				     ULONG dwFlags)
{
	const struct cng_key *key = cng_key_of(hKey);
	const struct check check = {.hash = pbHash, .hash_size = cbHash};
	if (!key)
		return STATUS_INVALID_HANDLE;
	if (!pbHash || !cbHash || !pbSignature || !cbSignature)
		return STATUS_INVALID_PARAMETER;
	if (key->algorithm->class == CNG_ECDSA) {
		if (pPaddingInfo || dwFlags)
			return STATUS_INVALID_PARAMETER;
		return verify_ecdsa(key, pbHash, cbHash, pbSignature, cbSignature);
	}
	if (key->algorithm->class != CNG_RSA)
		return STATUS_NOT_SUPPORTED;
	if (dwFlags != BCRYPT_PAD_PKCS1 && dwFlags != BCRYPT_PAD_PSS)
		return STATUS_INVALID_PARAMETER;
	return verify_rsa(key, &check, pbSignature, cbSignature, pPaddingInfo, dwFlags);
}

NTSTATUS NTAPI BCryptDestroyKey(BCRYPT_KEY_HANDLE hKey)
{
	struct cng_key *key = cng_key_of(hKey);
	if (!key)
		return STATUS_INVALID_HANDLE;
	cng_remove(key, sizeof(*key) + key->size, key->allocated);
	return STATUS_SUCCESS;
}
