/* SPDX-License-Identifier: MIT */
/*
 * Algorithms: their names, the handles to them, the memory of what is made of them.
 *
 * A provider is an allocation of its own, or one of the constant ones that the
 * pseudo-handles of Windows 10 stand for: numbers of the form 0x..1, which no pointer has.
 * Nothing is shared and nothing is locked, but that a provider's chaining mode may be
 * set, which is the caller's affair.
 *
 * Pages: BCryptOpenAlgorithmProvider, BCryptCloseAlgorithmProvider, "CNG Algorithm
 * Pseudo-handles".
 */
#include "cng/object.h"
#include "ke/bugcheck.h"
#include "memory.h"
#include "mm/copy.h"
#include <nettle/sha3.h>
#include <string.h>

static const struct cng_algorithm algorithms[] = {
	{u"MD2", CNG_HASH, &nettle_md2, 0, 0},
	{u"MD4", CNG_HASH, &nettle_md4, 0, 0},
	{u"MD5", CNG_HASH, &nettle_md5, 0, 0},
	{u"SHA1", CNG_HASH, &nettle_sha1, 0, 0},
	{u"SHA256", CNG_HASH, &nettle_sha256, 0, 0},
	{u"SHA384", CNG_HASH, &nettle_sha384, 0, 0},
	{u"SHA512", CNG_HASH, &nettle_sha512, 0, 0},
	{u"SHA3-256", CNG_HASH, &nettle_sha3_256, 0, 0},
	{u"SHA3-384", CNG_HASH, &nettle_sha3_384, 0, 0},
	{u"SHA3-512", CNG_HASH, &nettle_sha3_512, 0, 0},
	{u"AES", CNG_CIPHER, NULL, 0, 0},
	{u"ECDSA_P256", CNG_ECDSA, NULL, 0x31534345, 32},
	{u"ECDSA_P384", CNG_ECDSA, NULL, 0x33534345, 48},
	{u"ECDSA_P521", CNG_ECDSA, NULL, 0x35534345, 66},
	{u"RSA", CNG_RSA, NULL, 0, 0},
	{u"RSA_SIGN", CNG_RSA, NULL, 0, 0},
	{u"RNG", CNG_RNG, NULL, 0, 0},
};
#define ALGORITHMS (sizeof(algorithms) / sizeof(algorithms[0]))

static const struct {
	ULONG handle;
	PCWSTR name;
	bool keyed;
	enum cng_mode mode;
} pseudo_handles[] = {
	{0x001, u"MD2", false, 0},        {0x011, u"MD4", false, 0},
	{0x021, u"MD5", false, 0},        {0x031, u"SHA1", false, 0},
	{0x041, u"SHA256", false, 0},     {0x051, u"SHA384", false, 0},
	{0x061, u"SHA512", false, 0},     {0x081, u"RNG", false, 0},
	{0x091, u"MD5", true, 0},         {0x0A1, u"SHA1", true, 0},
	{0x0B1, u"SHA256", true, 0},      {0x0C1, u"SHA384", true, 0},
	{0x0D1, u"SHA512", true, 0},      {0x0E1, u"RSA", false, 0},
	{0x121, u"MD2", true, 0},         {0x131, u"MD4", true, 0},
	{0x1A1, u"AES", false, CNG_CBC},  {0x1B1, u"AES", false, CNG_ECB},
	{0x1E1, u"AES", false, CNG_GCM},  {0x2E1, u"ECDSA_P256", false, 0},
	{0x2F1, u"ECDSA_P384", false, 0}, {0x301, u"ECDSA_P521", false, 0},
	{0x311, u"RSA_SIGN", false, 0},   {0x3B1, u"SHA3-256", false, 0},
	{0x3C1, u"SHA3-384", false, 0},   {0x3D1, u"SHA3-512", false, 0},
};
#define PSEUDO_HANDLES (sizeof(pseudo_handles) / sizeof(pseudo_handles[0]))

static WCHAR lower(WCHAR c)
{
	return c >= u'A' && c <= u'Z' ? (WCHAR)(c + 32) : c;
}

bool cng_is_name(PCWSTR name, PCWSTR wanted)
{
	size_t i = 0;
	while (lower(name[i]) == lower(wanted[i]) && name[i])
		i++;
	return name[i] == wanted[i];
}

const struct cng_algorithm *cng_find_algorithm(PCWSTR name)
{
	for (size_t i = 0; i < ALGORITHMS; i++)
		if (cng_is_name(name, algorithms[i].name))
			return &algorithms[i];
	return NULL;
}

/* ---- Handles ------------------------------------------------------------------------ */

/* Filled in where it is needed, since a provider of this kind cannot be changed. */
static struct cng_provider *pseudo_provider(ULONG_PTR handle)
{
	static _Thread_local struct cng_provider provider;
	for (size_t i = 0; i < PSEUDO_HANDLES; i++) {
		if (pseudo_handles[i].handle != handle)
			continue;
		provider = (struct cng_provider){
			.what = CNG_PROVIDER,
			.algorithm = cng_find_algorithm(pseudo_handles[i].name),
			.keyed = pseudo_handles[i].keyed,
			.mode = pseudo_handles[i].mode,
		};
		return &provider;
	}
	return NULL;
}

static void *object_of(PVOID handle, ULONG what)
{
	bool possible = (uintptr_t)handle >= MM_USER_END &&
			(uintptr_t)handle % _Alignof(struct cng_provider) == 0;
	return possible && *(ULONG *)handle == what ? handle : NULL;
}

struct cng_provider *cng_provider_of(BCRYPT_ALG_HANDLE handle)
{
	ULONG_PTR value = (ULONG_PTR)handle;
	return value & 1 ? pseudo_provider(value) : object_of(handle, CNG_PROVIDER);
}

struct cng_hash *cng_hash_of(BCRYPT_HASH_HANDLE handle)
{
	return object_of(handle, CNG_HASH_OBJECT);
}

struct cng_key *cng_key_of(BCRYPT_KEY_HANDLE handle)
{
	return object_of(handle, CNG_KEY);
}

/* ---- Memory ------------------------------------------------------------------------- */

ULONG cng_hash_size(const struct cng_algorithm *algorithm, bool keyed)
{
	const ULONG state = (algorithm->hash->context_size + CNG_ALIGNMENT - 1) &
			    ~(ULONG)(CNG_ALIGNMENT - 1);
	return (ULONG)sizeof(struct cng_hash) + state * (keyed ? 3 : 1) + CNG_ALIGNMENT - 1;
}

ULONG cng_key_size(ULONG data)
{
	return (ULONG)sizeof(struct cng_key) + data + CNG_ALIGNMENT - 1;
}

NTSTATUS cng_place(PUCHAR memory, ULONG length, ULONG size, void **object, bool *allocated)
{
	if (!memory && length)
		return STATUS_INVALID_PARAMETER;
	if (memory && length < size)
		return STATUS_BUFFER_TOO_SMALL;
	*allocated = !memory;
	if (!memory) {
		*object = host_alloc(size);
		return *object ? STATUS_SUCCESS : STATUS_NO_MEMORY;
	}
	*object = memory + (-(uintptr_t)memory & (CNG_ALIGNMENT - 1));
	memset(*object, 0, size - (CNG_ALIGNMENT - 1));
	return STATUS_SUCCESS;
}

void cng_remove(void *object, size_t size, bool allocated)
{
	explicit_bzero(object, size);
	if (allocated)
		host_free_later(object); /* a handle that is used once more is none */
}

/* ---- Providers ------------------------------------------------------------------------- */

NTSTATUS NTAPI BCryptOpenAlgorithmProvider(BCRYPT_ALG_HANDLE *phAlgorithm, PCWSTR pszAlgId,
					   PCWSTR pszImplementation, ULONG dwFlags)
{
	const ULONG known = BCRYPT_PROV_DISPATCH | BCRYPT_ALG_HANDLE_HMAC_FLAG |
			    BCRYPT_HASH_REUSABLE_FLAG;
	if (!phAlgorithm || !pszAlgId || (dwFlags & ~known))
		return STATUS_INVALID_PARAMETER;
	const struct cng_algorithm *algorithm = cng_find_algorithm(pszAlgId);
	if (!algorithm ||
	    (pszImplementation && !cng_is_name(pszImplementation, u"Microsoft Primitive Provider")))
		return STATUS_NOT_FOUND;
	if ((dwFlags & BCRYPT_ALG_HANDLE_HMAC_FLAG) && algorithm->class != CNG_HASH)
		return STATUS_INVALID_PARAMETER;
	struct cng_provider *provider = host_alloc(sizeof(*provider));
	if (!provider)
		return STATUS_NO_MEMORY;
	*provider = (struct cng_provider){
		.what = CNG_PROVIDER,
		.algorithm = algorithm,
		.keyed = dwFlags & BCRYPT_ALG_HANDLE_HMAC_FLAG,
		.flags = dwFlags,
	};
	*phAlgorithm = provider;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI BCryptCloseAlgorithmProvider(BCRYPT_ALG_HANDLE hAlgorithm, ULONG dwFlags)
{
	struct cng_provider *provider = object_of(hAlgorithm, CNG_PROVIDER);
	if (!provider)
		return STATUS_INVALID_HANDLE;
	if (dwFlags)
		return STATUS_INVALID_PARAMETER;
	cng_remove(provider, sizeof(*provider), true);
	return STATUS_SUCCESS;
}
