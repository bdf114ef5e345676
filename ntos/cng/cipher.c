/* SPDX-License-Identifier: MIT */
/*
 * AES, in the chaining modes ECB, CBC and GCM.
 *
 * A key object holds the secret; nettle's key schedule is made on the stack for each call
 * and wiped after it, so a key has no state and any number of threads may use it. Input
 * and output may be the same buffer: the last block of a padded message is put together
 * on the stack.
 *
 * Pages: BCryptGenerateSymmetricKey, BCryptEncrypt, BCryptDecrypt,
 * BCRYPT_AUTHENTICATED_CIPHER_MODE_INFO.
 */
#include "cng/object.h"
#include <nettle/aes.h>
#include <nettle/cbc.h>
#include <nettle/gcm.h>
#include <nettle/memops.h>
#include <string.h>

struct schedule {
	const struct nettle_cipher *how;
	union {
		struct aes128_ctx aes128;
		struct aes192_ctx aes192;
		struct aes256_ctx aes256;
	} context;
};

/* What a call is to do, once its parameters have been looked at. */
struct work {
	const struct cng_key *key;
	const UCHAR *input;
	UCHAR *output;
	ULONG length; /* whole blocks, but for GCM */
	UCHAR *iv;    /* or NULL: all zeros */
	const BCRYPT_AUTHENTICATED_CIPHER_MODE_INFO *gcm;
	bool encrypt;
};

static const struct nettle_cipher *cipher_of(ULONG bytes)
{
	return bytes == 16 ? &nettle_aes128 : bytes == 24 ? &nettle_aes192 : &nettle_aes256;
}

static void set_key(struct schedule *schedule, const struct cng_key *key, bool encrypt)
{
	schedule->how = cipher_of(key->size);
	(encrypt ? schedule->how->set_encrypt_key
		 : schedule->how->set_decrypt_key)(&schedule->context, key->data);
}

NTSTATUS NTAPI BCryptGenerateSymmetricKey(BCRYPT_ALG_HANDLE hAlgorithm, BCRYPT_KEY_HANDLE *phKey,
					  PUCHAR pbKeyObject, ULONG cbKeyObject, PUCHAR pbSecret,
					  ULONG cbSecret, ULONG dwFlags)
{
	const struct cng_provider *provider = cng_provider_of(hAlgorithm);
	void *memory;
	bool allocated;
	if (!provider)
		return STATUS_INVALID_HANDLE;
	if (provider->algorithm->class != CNG_CIPHER)
		return STATUS_NOT_SUPPORTED;
	if (!phKey || !pbSecret || dwFlags || (cbSecret != 16 && cbSecret != 24 && cbSecret != 32))
		return STATUS_INVALID_PARAMETER;
	NTSTATUS status = cng_place(pbKeyObject, cbKeyObject, cng_key_size(32), &memory,
				    &allocated);
	if (!NT_SUCCESS(status))
		return status;
	struct cng_key *key = memory;
	*key = (struct cng_key){
		.what = CNG_KEY,
		.allocated = allocated,
		.mode = provider->mode,
		.algorithm = provider->algorithm,
		.size = cbSecret,
	};
	memcpy(key->data, pbSecret, cbSecret);
	*phKey = key;
	return STATUS_SUCCESS;
}

/* ---- Blocks ---------------------------------------------------------------------------- */

/* Some more whole blocks; the IV goes on. */
static void do_blocks(const struct work *work, struct schedule *schedule, UCHAR *iv, ULONG length,
		      UCHAR *output, const UCHAR *input)
{
	const struct nettle_cipher *how = schedule->how;
	if (!length)
		return;
	if (work->key->mode == CNG_ECB)
		(work->encrypt ? how->encrypt : how->decrypt)(&schedule->context, length, output,
							      input);
	else if (work->encrypt)
		cbc_encrypt(&schedule->context, how->encrypt, CNG_BLOCK, iv, length, output, input);
	else
		cbc_decrypt(&schedule->context, how->decrypt, CNG_BLOCK, iv, length, output, input);
}

/* What is left over becomes a block, with as many bytes as it lacks, each saying how many. */
static ULONG pad(const struct work *work, struct schedule *schedule, UCHAR *iv)
{
	UCHAR last[CNG_BLOCK];
	const ULONG whole = work->length - work->length % CNG_BLOCK, rest = work->length - whole;
	memset(last, (int)(CNG_BLOCK - rest), sizeof(last));
	if (rest)
		memcpy(last, work->input + whole, rest);
	do_blocks(work, schedule, iv, whole, work->output, work->input);
	do_blocks(work, schedule, iv, CNG_BLOCK, work->output + whole, last);
	return whole + CNG_BLOCK;
}

/* Checks and takes off that padding; false when it is none. */
static bool unpad(const UCHAR *last, ULONG *length)
{
	const UCHAR lacks = last[CNG_BLOCK - 1];
	if (lacks == 0 || lacks > CNG_BLOCK)
		return false;
	for (ULONG i = CNG_BLOCK - lacks; i < CNG_BLOCK; i++)
		if (last[i] != lacks)
			return false;
	*length -= lacks;
	return true;
}

/* The last block is looked at before it is written, as the buffer may end before it. */
static NTSTATUS decrypt_padded(const struct work *work, struct schedule *schedule, UCHAR *iv,
			       ULONG room, ULONG *result)
{
	UCHAR last[CNG_BLOCK], kept[CNG_BLOCK];
	const ULONG whole = work->length - CNG_BLOCK;
	memcpy(last, work->input + whole, CNG_BLOCK);
	do_blocks(work, schedule, iv, whole, work->output, work->input);
	do_blocks(work, schedule, iv, CNG_BLOCK, kept, last);
	*result = work->length;
	if (!unpad(kept, result))
		return STATUS_UNSUCCESSFUL;
	if (room < *result)
		return STATUS_BUFFER_TOO_SMALL;
	if (*result > whole)
		memcpy(work->output + whole, kept, *result - whole);
	return STATUS_SUCCESS;
}

static NTSTATUS run_blocks(const struct work *work, bool padded, ULONG room, ULONG *result)
{
	UCHAR zeros[CNG_BLOCK] = {0}, *iv = work->iv ? work->iv : zeros;
	struct schedule schedule;
	NTSTATUS status = STATUS_SUCCESS;
	set_key(&schedule, work->key, work->encrypt);
	if (!padded)
		do_blocks(work, &schedule, iv, *result = work->length, work->output, work->input);
	else if (work->encrypt)
		*result = pad(work, &schedule, iv);
	else
		status = decrypt_padded(work, &schedule, iv, room, result);
	explicit_bzero(&schedule, sizeof(schedule));
	return status;
}

/* ---- GCM ---------------------------------------------------------------------------------- */

static NTSTATUS check_gcm(const BCRYPT_AUTHENTICATED_CIPHER_MODE_INFO *info)
{
	if (!info || info->cbSize != sizeof(*info) || info->dwInfoVersion != 1 || !info->pbNonce ||
	    info->cbNonce != GCM_IV_SIZE || !info->pbTag || info->cbTag < 12 ||
	    info->cbTag > GCM_DIGEST_SIZE || (!info->pbAuthData && info->cbAuthData))
		return STATUS_INVALID_PARAMETER;
	return info->dwFlags ? STATUS_NOT_SUPPORTED : STATUS_SUCCESS; /* calls in a chain */
}

static NTSTATUS run_gcm(const struct work *work)
{
	const BCRYPT_AUTHENTICATED_CIPHER_MODE_INFO *info = work->gcm;
	struct schedule schedule;
	struct gcm_key key;
	struct gcm_ctx gcm;
	UCHAR tag[GCM_DIGEST_SIZE];
	NTSTATUS status = STATUS_SUCCESS;
	set_key(&schedule, work->key, true); /* GCM decrypts with the same */
	nettle_cipher_func *function = schedule.how->encrypt;
	gcm_set_key(&key, &schedule.context, function);
	gcm_set_iv(&gcm, &key, info->cbNonce, info->pbNonce);
	if (info->cbAuthData)
		gcm_update(&gcm, &key, info->cbAuthData, info->pbAuthData);
	if (work->length)
		(work->encrypt ? gcm_encrypt : gcm_decrypt)(&gcm, &key, &schedule.context, function,
							    work->length, work->output,
							    work->input);
	gcm_digest(&gcm, &key, &schedule.context, function, info->cbTag, tag);
	if (work->encrypt) {
		memcpy(info->pbTag, tag, info->cbTag);
	} else if (!memeql_sec(tag, info->pbTag, info->cbTag)) {
		status = STATUS_AUTH_TAG_MISMATCH;
		explicit_bzero(work->output, work->length);
	}
	explicit_bzero(&schedule, sizeof(schedule));
	explicit_bzero(&key, sizeof(key));
	return status;
}

/* ---- Calls ---------------------------------------------------------------------------------- */

/* How large the output gets, at most; what is wrong with the parameters. */
static NTSTATUS plan(const struct work *work, ULONG iv_size, ULONG flags, ULONG *most)
{
	const bool padded = flags & BCRYPT_BLOCK_PADDING;
	*most = work->length;
	if ((flags & ~BCRYPT_BLOCK_PADDING) || (!work->input && work->length))
		return STATUS_INVALID_PARAMETER;
	if (work->key->mode == CNG_GCM)
		return padded ? STATUS_INVALID_PARAMETER : check_gcm(work->gcm);
	if (work->iv && iv_size != CNG_BLOCK)
		return STATUS_INVALID_PARAMETER;
	const bool whole = work->length % CNG_BLOCK == 0;
	if (work->encrypt && padded)
		*most = work->length - work->length % CNG_BLOCK + CNG_BLOCK;
	else if (!whole || (padded && !work->length))
		return STATUS_INVALID_BUFFER_SIZE;
	return STATUS_SUCCESS;
}

static NTSTATUS run(struct work *work, BCRYPT_KEY_HANDLE handle, ULONG iv_size, ULONG room,
		    ULONG *result, ULONG flags)
{
	ULONG most;
	work->key = cng_key_of(handle);
	if (!work->key)
		return STATUS_INVALID_HANDLE;
	if (work->key->algorithm->class != CNG_CIPHER)
		return STATUS_NOT_SUPPORTED;
	if (!result)
		return STATUS_INVALID_PARAMETER;
	NTSTATUS status = plan(work, iv_size, flags, &most);
	if (!NT_SUCCESS(status))
		return status;
	const bool unpads = !work->encrypt && (flags & BCRYPT_BLOCK_PADDING);
	*result = most;
	if (!work->output)
		return STATUS_SUCCESS;
	if (room < (unpads ? most - CNG_BLOCK : most))
		return STATUS_BUFFER_TOO_SMALL;
	if (work->key->mode == CNG_GCM)
		return run_gcm(work);
	return run_blocks(work, flags & BCRYPT_BLOCK_PADDING, room, result);
}

NTSTATUS NTAPI BCryptEncrypt(BCRYPT_KEY_HANDLE hKey, PUCHAR pbInput, ULONG cbInput,
			     VOID *pPaddingInfo, PUCHAR pbIV, ULONG cbIV, PUCHAR pbOutput,
			     ULONG cbOutput, ULONG *pcbResult, ULONG dwFlags)
{
	struct work work = {NULL, pbInput, pbOutput, cbInput, pbIV, pPaddingInfo, true};
	return run(&work, hKey, cbIV, cbOutput, pcbResult, dwFlags);
}

NTSTATUS NTAPI BCryptDecrypt(BCRYPT_KEY_HANDLE hKey, PUCHAR pbInput, ULONG cbInput,
			     VOID *pPaddingInfo, PUCHAR pbIV, ULONG cbIV, PUCHAR pbOutput,
			     ULONG cbOutput, ULONG *pcbResult, ULONG dwFlags)
{
	struct work work = {NULL, pbInput, pbOutput, cbInput, pbIV, pPaddingInfo, false};
	return run(&work, hKey, cbIV, cbOutput, pcbResult, dwFlags);
}
