/* SPDX-License-Identifier: MIT */
/*
 * Hashes, and hashes with a key (HMAC).
 *
 * The object holds nettle's state for one hash; with a key, behind it the states after the
 * outer and the inner pad, from which the next message starts. A finished hash that is
 * not reusable takes no more data and can only be destroyed.
 *
 * Pages: BCryptCreateHash, BCryptHashData, BCryptFinishHash, BCryptDuplicateHash,
 * BCryptDestroyHash, BCryptHash.
 */
#include "cng/object.h"
#include <nettle/hmac.h>
#include <string.h>

enum state { RUNNING, OUTER, INNER };

static void *state_of(struct cng_hash *hash, enum state which)
{
	const size_t size = (hash->algorithm->hash->context_size + CNG_ALIGNMENT - 1) &
			    ~(size_t)(CNG_ALIGNMENT - 1);
	return hash->state + size * which;
}

static void begin(struct cng_hash *hash, const UCHAR *secret, ULONG length)
{
	const struct nettle_hash *how = hash->algorithm->hash;
	if (hash->keyed)
		hmac_set_key(state_of(hash, OUTER), state_of(hash, INNER), state_of(hash, RUNNING),
			     how, length, secret);
	else
		how->init(state_of(hash, RUNNING));
}

/* Both leave the state ready for another message. */
static void finish(struct cng_hash *hash, UCHAR *digest)
{
	const struct nettle_hash *how = hash->algorithm->hash;
	if (hash->keyed)
		hmac_digest(state_of(hash, OUTER), state_of(hash, INNER), state_of(hash, RUNNING),
			    how, how->digest_size, digest);
	else
		how->digest(state_of(hash, RUNNING), how->digest_size, digest);
}

static size_t size_of(const struct cng_hash *hash)
{
	return cng_hash_size(hash->algorithm, hash->keyed) - (CNG_ALIGNMENT - 1);
}

NTSTATUS NTAPI BCryptCreateHash(BCRYPT_ALG_HANDLE hAlgorithm, BCRYPT_HASH_HANDLE *phHash,
				PUCHAR pbHashObject, ULONG cbHashObject, PUCHAR pbSecret,
				ULONG cbSecret, ULONG dwFlags)
{
	const struct cng_provider *provider = cng_provider_of(hAlgorithm);
	void *memory;
	bool allocated;
	if (!provider)
		return STATUS_INVALID_HANDLE;
	if (!phHash || (dwFlags & ~BCRYPT_HASH_REUSABLE_FLAG) || (!pbSecret && cbSecret) ||
	    (cbSecret && !provider->keyed))
		return STATUS_INVALID_PARAMETER;
	if (provider->algorithm->class != CNG_HASH)
		return STATUS_NOT_SUPPORTED;
	const ULONG size = cng_hash_size(provider->algorithm, provider->keyed);
	NTSTATUS status = cng_place(pbHashObject, cbHashObject, size, &memory, &allocated);
	if (!NT_SUCCESS(status))
		return status;
	struct cng_hash *hash = memory;
	*hash = (struct cng_hash){
		.what = CNG_HASH_OBJECT,
		.keyed = provider->keyed,
		.reusable = (dwFlags | provider->flags) & BCRYPT_HASH_REUSABLE_FLAG,
		.allocated = allocated,
		.algorithm = provider->algorithm,
	};
	begin(hash, pbSecret, cbSecret);
	*phHash = hash;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI BCryptHashData(BCRYPT_HASH_HANDLE hHash, PUCHAR pbInput, ULONG cbInput,
			      ULONG dwFlags)
{
	struct cng_hash *hash = cng_hash_of(hHash);
	if (!hash || hash->finished)
		return STATUS_INVALID_HANDLE;
	if (dwFlags || (!pbInput && cbInput))
		return STATUS_INVALID_PARAMETER;
	if (cbInput)
		hash->algorithm->hash->update(state_of(hash, RUNNING), cbInput, pbInput);
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI BCryptFinishHash(BCRYPT_HASH_HANDLE hHash, PUCHAR pbOutput, ULONG cbOutput,
				ULONG dwFlags)
{
	struct cng_hash *hash = cng_hash_of(hHash);
	if (!hash || hash->finished)
		return STATUS_INVALID_HANDLE;
	if (dwFlags || !pbOutput || cbOutput != hash->algorithm->hash->digest_size)
		return STATUS_INVALID_PARAMETER;
	finish(hash, pbOutput);
	hash->finished = !hash->reusable;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI BCryptDuplicateHash(BCRYPT_HASH_HANDLE hHash, BCRYPT_HASH_HANDLE *phNewHash,
				   PUCHAR pbHashObject, ULONG cbHashObject, ULONG dwFlags)
{
	const struct cng_hash *hash = cng_hash_of(hHash);
	void *memory;
	bool allocated;
	if (!hash || hash->finished)
		return STATUS_INVALID_HANDLE;
	if (dwFlags || !phNewHash)
		return STATUS_INVALID_PARAMETER;
	NTSTATUS status = cng_place(pbHashObject, cbHashObject,
				    cng_hash_size(hash->algorithm, hash->keyed), &memory,
				    &allocated);
	if (!NT_SUCCESS(status))
		return status;
	memcpy(memory, hash, size_of(hash));
	((struct cng_hash *)memory)->allocated = allocated;
	*phNewHash = memory;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI BCryptDestroyHash(BCRYPT_HASH_HANDLE hHash)
{
	struct cng_hash *hash = cng_hash_of(hHash);
	if (!hash)
		return STATUS_INVALID_HANDLE;
	cng_remove(hash, size_of(hash), hash->allocated);
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI BCryptHash(BCRYPT_ALG_HANDLE hAlgorithm, PUCHAR pbSecret, ULONG cbSecret,
			  PUCHAR pbInput, ULONG cbInput, PUCHAR pbOutput, ULONG cbOutput)
{
	BCRYPT_HASH_HANDLE hash;
	UCHAR memory[sizeof(struct cng_hash) + 3 * CNG_MAX_STATE + CNG_ALIGNMENT];
	NTSTATUS status = BCryptCreateHash(hAlgorithm, &hash, memory, sizeof(memory), pbSecret,
					   cbSecret, 0);
	if (!NT_SUCCESS(status))
		return status;
	status = BCryptHashData(hash, pbInput, cbInput, 0);
	if (NT_SUCCESS(status))
		status = BCryptFinishHash(hash, pbOutput, cbOutput, 0);
	BCryptDestroyHash(hash);
	return status;
}
