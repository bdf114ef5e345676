/* SPDX-License-Identifier: MIT */
/* What handles of cng stand for. */
#ifndef RINGSIDE_CNG_OBJECT_H
#define RINGSIDE_CNG_OBJECT_H

#include "cng/cng.h"
#include <nettle/nettle-meta.h>
#include <stdbool.h>
#include <stddef.h>

#define CNG_ALIGNMENT 16
#define CNG_BLOCK 16 /* of AES, the one cipher */
#define CNG_MAX_DIGEST 64
#define CNG_MAX_STATE 400 /* of one hash; SHA-3's is the largest */

enum cng_class { CNG_HASH, CNG_CIPHER, CNG_ECDSA, CNG_RSA, CNG_RNG };
enum cng_mode { CNG_CBC, CNG_ECB, CNG_GCM };

struct cng_algorithm {
	PCWSTR name;
	enum cng_class class;
	const struct nettle_hash *hash;
	ULONG magic, bytes; /* ECDSA: of the public blob; of a coordinate */
};

/* Each begins with what it is, which goes when it is destroyed. */
enum { CNG_PROVIDER = 0x70676E63, CNG_HASH_OBJECT = 0x68676E63, CNG_KEY = 0x6B676E63 };

struct cng_provider {
	ULONG what;
	const struct cng_algorithm *algorithm;
	bool keyed; /* BCRYPT_ALG_HANDLE_HMAC_FLAG */
	ULONG flags;
	enum cng_mode mode;
};

/* A hash: with a key, the states of the outer and the inner hash stand behind the one that
 * goes on. */
struct cng_hash {
	ULONG what;
	bool keyed, reusable, finished, allocated;
	const struct cng_algorithm *algorithm;
	__attribute__((aligned(CNG_ALIGNMENT))) char state[];
};

/* A key. The public ones keep the blob that they came in. */
struct cng_key {
	ULONG what;
	bool allocated;
	enum cng_mode mode;
	const struct cng_algorithm *algorithm;
	ULONG size;
	__attribute__((aligned(CNG_ALIGNMENT))) UCHAR data[];
};

/* The algorithm of that name, or NULL; case does not matter. */
const struct cng_algorithm *cng_find_algorithm(PCWSTR name);
bool cng_is_name(PCWSTR name, PCWSTR wanted);

/* What a handle stands for, or NULL for one that is none. A provider may be one of the
 * pseudo-handles. */
struct cng_provider *cng_provider_of(BCRYPT_ALG_HANDLE handle);
struct cng_hash *cng_hash_of(BCRYPT_HASH_HANDLE handle);
struct cng_key *cng_key_of(BCRYPT_KEY_HANDLE handle);

/* What a hash or a key takes: for the caller's memory, which need not be aligned. */
ULONG cng_hash_size(const struct cng_algorithm *algorithm, bool keyed);
ULONG cng_key_size(ULONG data);

/* An object of that size in the caller's memory, or allocated when there is none.
 * BUFFER_TOO_SMALL, INVALID_PARAMETER, NO_MEMORY. */
NTSTATUS cng_place(PUCHAR memory, ULONG length, ULONG size, void **object, bool *allocated);

/* Wipes it, and gives it back when it was allocated. */
void cng_remove(void *object, size_t size, bool allocated);

#endif
