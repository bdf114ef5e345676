/* SPDX-License-Identifier: MIT */
/*
 * Cryptography: the routines of cng.sys, which ksecdd.sys passes on.
 *
 * Hashes (with or without a key), AES, signatures that are checked, random numbers. The
 * algorithms are nettle's. An object may lie in memory of the caller, who asks for its
 * size first; otherwise it is allocated. Handles that are none are INVALID_HANDLE, what
 * an algorithm does not do NOT_SUPPORTED, sizes that do not fit BUFFER_TOO_SMALL; the rest
 * is with each routine.
 */
#ifndef RINGSIDE_CNG_CNG_H
#define RINGSIDE_CNG_CNG_H

#include <ringside/nt.h>

typedef PVOID BCRYPT_HANDLE, BCRYPT_ALG_HANDLE, BCRYPT_KEY_HANDLE, BCRYPT_HASH_HANDLE;

#define BCRYPT_PROV_DISPATCH 0x1u
#define BCRYPT_ALG_HANDLE_HMAC_FLAG 0x8u
#define BCRYPT_HASH_REUSABLE_FLAG 0x20u
#define BCRYPT_BLOCK_PADDING 0x1u
#define BCRYPT_PAD_PKCS1 0x2u
#define BCRYPT_PAD_PSS 0x8u
#define BCRYPT_RNG_USE_ENTROPY_IN_BUFFER 0x1u
#define BCRYPT_USE_SYSTEM_PREFERRED_RNG 0x2u

typedef struct __BCRYPT_KEY_LENGTHS_STRUCT {
	ULONG dwMinLength, dwMaxLength, dwIncrement;
} BCRYPT_KEY_LENGTHS_STRUCT;

typedef struct _BCRYPT_ECCKEY_BLOB {
	ULONG dwMagic;
	ULONG cbKey; /* of each of X and Y, which follow */
} BCRYPT_ECCKEY_BLOB;

typedef struct _BCRYPT_RSAKEY_BLOB {
	ULONG Magic;
	ULONG BitLength;
	ULONG cbPublicExp; /* follows, then the modulus */
	ULONG cbModulus;
	ULONG cbPrime1;
	ULONG cbPrime2;
} BCRYPT_RSAKEY_BLOB;

typedef struct _BCRYPT_PKCS1_PADDING_INFO {
	PCWSTR pszAlgId;
} BCRYPT_PKCS1_PADDING_INFO;

typedef struct _BCRYPT_PSS_PADDING_INFO {
	PCWSTR pszAlgId;
	ULONG cbSalt;
} BCRYPT_PSS_PADDING_INFO;

typedef struct _BCRYPT_AUTHENTICATED_CIPHER_MODE_INFO {
	ULONG cbSize;
	ULONG dwInfoVersion; /* 1 */
	PUCHAR pbNonce;
	ULONG cbNonce;
	PUCHAR pbAuthData;
	ULONG cbAuthData;
	PUCHAR pbTag;
	ULONG cbTag;
	PUCHAR pbMacContext;
	ULONG cbMacContext;
	ULONG cbAAD;
	ULONGLONG cbData;
	ULONG dwFlags;
} BCRYPT_AUTHENTICATED_CIPHER_MODE_INFO;
_Static_assert(sizeof(BCRYPT_ECCKEY_BLOB) == 8, "bcrypt.h");
_Static_assert(sizeof(BCRYPT_RSAKEY_BLOB) == 24, "bcrypt.h");
_Static_assert(sizeof(BCRYPT_PSS_PADDING_INFO) == 16, "bcrypt.h");
_Static_assert(sizeof(BCRYPT_AUTHENTICATED_CIPHER_MODE_INFO) == 88, "bcrypt.h");

/* ---- Algorithms and properties ---------------------------------------------------- */

/* NOT_FOUND for an algorithm or a provider that is not there, INVALID_PARAMETER,
 * NO_MEMORY. */
NTSTATUS NTAPI BCryptOpenAlgorithmProvider(BCRYPT_ALG_HANDLE *phAlgorithm, PCWSTR pszAlgId,
					   PCWSTR pszImplementation, ULONG dwFlags);
NTSTATUS NTAPI BCryptCloseAlgorithmProvider(BCRYPT_ALG_HANDLE hAlgorithm, ULONG dwFlags);

/* Of an algorithm, a hash or a key. Without a buffer, the size alone. */
NTSTATUS NTAPI BCryptGetProperty(BCRYPT_HANDLE hObject, PCWSTR pszProperty, PUCHAR pbOutput,
				 ULONG cbOutput, ULONG *pcbResult, ULONG dwFlags);

/* ChainingMode of AES or of one key of it. INVALID_PARAMETER. */
NTSTATUS NTAPI BCryptSetProperty(BCRYPT_HANDLE hObject, PCWSTR pszProperty, PUCHAR pbInput,
				 ULONG cbInput, ULONG dwFlags);

/* ---- Hashes ------------------------------------------------------------------------- */

/* INVALID_PARAMETER for a key without BCRYPT_ALG_HANDLE_HMAC_FLAG, NO_MEMORY. */
NTSTATUS NTAPI BCryptCreateHash(BCRYPT_ALG_HANDLE hAlgorithm, BCRYPT_HASH_HANDLE *phHash,
				PUCHAR pbHashObject, ULONG cbHashObject, PUCHAR pbSecret,
				ULONG cbSecret, ULONG dwFlags);

/* INVALID_HANDLE also for one that is finished and not reusable. */
NTSTATUS NTAPI BCryptHashData(BCRYPT_HASH_HANDLE hHash, PUCHAR pbInput, ULONG cbInput,
			      ULONG dwFlags);

/* INVALID_PARAMETER unless cbOutput is the hash's length. */
NTSTATUS NTAPI BCryptFinishHash(BCRYPT_HASH_HANDLE hHash, PUCHAR pbOutput, ULONG cbOutput,
				ULONG dwFlags);
NTSTATUS NTAPI BCryptDuplicateHash(BCRYPT_HASH_HANDLE hHash, BCRYPT_HASH_HANDLE *phNewHash,
				   PUCHAR pbHashObject, ULONG cbHashObject, ULONG dwFlags);
NTSTATUS NTAPI BCryptDestroyHash(BCRYPT_HASH_HANDLE hHash);

/* All of it in one. */
NTSTATUS NTAPI BCryptHash(BCRYPT_ALG_HANDLE hAlgorithm, PUCHAR pbSecret, ULONG cbSecret,
			  PUCHAR pbInput, ULONG cbInput, PUCHAR pbOutput, ULONG cbOutput);

/* ---- Keys ---------------------------------------------------------------------------- */

/* AES with 16, 24 or 32 bytes. INVALID_PARAMETER, NO_MEMORY. */
NTSTATUS NTAPI BCryptGenerateSymmetricKey(BCRYPT_ALG_HANDLE hAlgorithm, BCRYPT_KEY_HANDLE *phKey,
					  PUCHAR pbKeyObject, ULONG cbKeyObject, PUCHAR pbSecret,
					  ULONG cbSecret, ULONG dwFlags);

/*
 * In the key's chaining mode: ECB, CBC (the default) or GCM. Without an output buffer, the
 * size alone. INVALID_BUFFER_SIZE for pieces of blocks without padding,
 * AUTH_TAG_MISMATCH, INVALID_PARAMETER, UNSUCCESSFUL for padding that is none.
 */
NTSTATUS NTAPI BCryptEncrypt(BCRYPT_KEY_HANDLE hKey, PUCHAR pbInput, ULONG cbInput,
			     VOID *pPaddingInfo, PUCHAR pbIV, ULONG cbIV, PUCHAR pbOutput,
			     ULONG cbOutput, ULONG *pcbResult, ULONG dwFlags);
NTSTATUS NTAPI BCryptDecrypt(BCRYPT_KEY_HANDLE hKey, PUCHAR pbInput, ULONG cbInput,
			     VOID *pPaddingInfo, PUCHAR pbIV, ULONG cbIV, PUCHAR pbOutput,
			     ULONG cbOutput, ULONG *pcbResult, ULONG dwFlags);

/* Public keys of ECDSA and RSA. INVALID_PARAMETER for a blob that is none, NO_MEMORY. */
NTSTATUS NTAPI BCryptImportKeyPair(BCRYPT_ALG_HANDLE hAlgorithm, BCRYPT_KEY_HANDLE hImportKey,
				   PCWSTR pszBlobType, BCRYPT_KEY_HANDLE *phKey, PUCHAR pbInput,
				   ULONG cbInput, ULONG dwFlags);

/* RSA with PKCS #1 or PSS padding. INVALID_SIGNATURE, INVALID_PARAMETER. */
NTSTATUS NTAPI BCryptVerifySignature(BCRYPT_KEY_HANDLE hKey, VOID *pPaddingInfo, PUCHAR pbHash,
				     ULONG cbHash, PUCHAR pbSignature, ULONG cbSignature,
				     ULONG dwFlags);
NTSTATUS NTAPI BCryptDestroyKey(BCRYPT_KEY_HANDLE hKey);

/* ---- Random numbers ------------------------------------------------------------------- */

/* Linux's. The handle may be NULL with BCRYPT_USE_SYSTEM_PREFERRED_RNG. */
NTSTATUS NTAPI BCryptGenRandom(BCRYPT_ALG_HANDLE hAlgorithm, PUCHAR pbBuffer, ULONG cbBuffer,
			       ULONG dwFlags);

#endif
