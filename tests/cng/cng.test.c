/* SPDX-License-Identifier: MIT */
/* Cryptography: published vectors, signatures of another implementation, and what is
 * refused. */
#include "cng/cng.h"
#include "ke/bugcheck.h"
#include "ke/thread.h"
#include "signatures.h"
#include "support/bugcheck.h"
#include "support/world.h"
#include <stdio.h>
#include <string.h>

static BCRYPT_ALG_HANDLE open_with(PCWSTR name, ULONG flags)
{
	BCRYPT_ALG_HANDLE algorithm = NULL;
	assert_ntsuccess(BCryptOpenAlgorithmProvider(&algorithm, name, NULL, flags));
	return algorithm;
}

static void close_provider(BCRYPT_ALG_HANDLE algorithm)
{
	assert_ntsuccess(BCryptCloseAlgorithmProvider(algorithm, 0));
}

static ULONG number_of(BCRYPT_HANDLE object, PCWSTR property)
{
	ULONG value = 0, size = 0;
	assert_ntsuccess(
		BCryptGetProperty(object, property, (PUCHAR)&value, sizeof(value), &size, 0));
	assert_int_equal(size, sizeof(value));
	return value;
}

static ULONG from_hex(const char *text, UCHAR *bytes)
{
	ULONG count = 0;
	for (; *text; text += 2) {
		unsigned byte;
		assert_int_equal(sscanf(text, "%2x", &byte), 1);
		bytes[count++] = (UCHAR)byte;
	}
	return count;
}

#define assert_hex(bytes, size, text)                                                              \
	do {                                                                                       \
		UCHAR wanted_[256];                                                                \
		assert_int_equal(size, from_hex(text, wanted_));                                   \
		assert_memory_equal(bytes, wanted_, size);                                         \
	} while (0)

/* ---- Algorithms and properties --------------------------------------------------------- */

static void cng_unknown_algorithms_and_providers_are_not_found(void **state)
{
	(void)state;
	BCRYPT_ALG_HANDLE algorithm = (PVOID)7;
	assert_status(BCryptOpenAlgorithmProvider(&algorithm, u"ROT13", NULL, 0), STATUS_NOT_FOUND);
	assert_status(BCryptOpenAlgorithmProvider(&algorithm, u"SHA1", u"Mine", 0),
		      STATUS_NOT_FOUND);
	assert_status(BCryptOpenAlgorithmProvider(&algorithm, u"SHA1", NULL, 0x1000),
		      STATUS_INVALID_PARAMETER);
	assert_status(
		BCryptOpenAlgorithmProvider(&algorithm, u"AES", NULL, BCRYPT_ALG_HANDLE_HMAC_FLAG),
		STATUS_INVALID_PARAMETER);
	assert_status(BCryptOpenAlgorithmProvider(NULL, u"SHA1", NULL, 0),
		      STATUS_INVALID_PARAMETER);
	fail_allocation("cng/algorithm.c", 0);
	assert_status(BCryptOpenAlgorithmProvider(&algorithm, u"SHA1", NULL, 0), STATUS_NO_MEMORY);
	assert_int_equal(stop_failing(), 1);
	assert_ptr_equal(algorithm, (PVOID)7);
	assert_ntsuccess(BCryptOpenAlgorithmProvider(&algorithm, u"sha1",
						     u"Microsoft Primitive Provider", 0));
	close_provider(algorithm);
}

static void cng_handles_that_are_none_are_invalid(void **state)
{
	(void)state;
	BCRYPT_HASH_HANDLE hash;
	ULONG64 other[4] = {0};
	UCHAR byte = 0;
	ULONG size;
	BCRYPT_HANDLE bad[] = {NULL, (PVOID)0x1230, (PVOID)0xFF1, other};
	for (int i = 0; i < 4; i++) {
		assert_status(BCryptCreateHash(bad[i], &hash, NULL, 0, NULL, 0, 0),
			      STATUS_INVALID_HANDLE);
		assert_status(BCryptHashData(bad[i], &byte, 1, 0), STATUS_INVALID_HANDLE);
		assert_status(BCryptDestroyHash(bad[i]), STATUS_INVALID_HANDLE);
		assert_status(BCryptDestroyKey(bad[i]), STATUS_INVALID_HANDLE);
		assert_status(BCryptCloseAlgorithmProvider(bad[i], 0), STATUS_INVALID_HANDLE);
		assert_status(BCryptGetProperty(bad[i], u"AlgorithmName", NULL, 0, &size, 0),
			      STATUS_INVALID_HANDLE);
	}
	assert_status(BCryptCloseAlgorithmProvider((PVOID)0x41, 0), STATUS_INVALID_HANDLE);
}

static void cng_properties(void **state)
{
	(void)state;
	WCHAR text[20];
	ULONG lengths[3], size = 0;
	BCRYPT_ALG_HANDLE sha = open_with(u"SHA384", 0), aes = open_with(u"AES", 0);
	assert_int_equal(number_of(sha, u"HashDigestLength"), 48);
	assert_int_equal(number_of(sha, u"HashBlockLength"), 128);
	assert_true(number_of(sha, u"ObjectLength") < 1024);
	assert_int_equal(number_of(aes, u"BlockLength"), 16);
	assert_int_equal(number_of((PVOID)0x41, u"HashDigestLength"), 32);
	assert_ntsuccess(
		BCryptGetProperty(aes, u"ChainingMode", (PUCHAR)text, sizeof(text), &size, 0));
	assert_int_equal(size, 32);
	assert_memory_equal(text, u"ChainingModeCBC", 32);
	assert_ntsuccess(
		BCryptGetProperty(aes, u"KeyLengths", (PUCHAR)lengths, sizeof(lengths), &size, 0));
	assert_int_equal(lengths[0], 128);
	assert_int_equal(lengths[1], 256);
	assert_int_equal(lengths[2], 64);
	assert_status(BCryptGetProperty(aes, u"KeyLengths", (PUCHAR)lengths, 11, &size, 0),
		      STATUS_BUFFER_TOO_SMALL);
	assert_int_equal(size, 12);
	assert_ntsuccess(BCryptGetProperty(aes, u"KeyLengths", NULL, 0, &size, 0));
	assert_status(BCryptGetProperty(aes, u"HashDigestLength", NULL, 0, &size, 0),
		      STATUS_NOT_SUPPORTED);
	assert_status(BCryptGetProperty(sha, u"Colour", NULL, 0, &size, 0), STATUS_NOT_SUPPORTED);
	assert_status(BCryptSetProperty(sha, u"ChainingMode", (PUCHAR)u"ChainingModeECB", 32, 0),
		      STATUS_NOT_SUPPORTED);
	assert_status(BCryptSetProperty(aes, u"ChainingMode", (PUCHAR)u"ChainingModeXYZ", 32, 0),
		      STATUS_NOT_SUPPORTED);
	close_provider(sha);
	close_provider(aes);
}

/* ---- Hashes -------------------------------------------------------------------------------- */

static void cng_hashes_of_abc(void **state)
{
	(void)state;
	static const struct {
		PCWSTR name;
		const char *digest;
	} cases[] = {
		{u"MD2", "da853b0d3f88d99b30283a69e6ded6bb"},
		{u"MD4", "a448017aaf21d8525fc10ae87aa6729d"},
		{u"MD5", "900150983cd24fb0d6963f7d28e17f72"},
		{u"SHA1", "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{u"SHA256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{u"SHA384",
		 "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc"
		 "2358baeca134c825a7"},
		{u"SHA512",
		 "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1"
		 "a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
		{u"SHA3-256", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
		{u"SHA3-512",
		 "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3"
		 "c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		BCRYPT_ALG_HANDLE algorithm = open_with(cases[i].name, 0);
		BCRYPT_HASH_HANDLE hash, copy;
		UCHAR digest[64], again[64];
		ULONG length = number_of(algorithm, u"HashDigestLength");
		assert_ntsuccess(BCryptCreateHash(algorithm, &hash, NULL, 0, NULL, 0, 0));
		assert_ntsuccess(BCryptHashData(hash, (PUCHAR) "a", 1, 0));
		assert_ntsuccess(BCryptHashData(hash, NULL, 0, 0));
		assert_ntsuccess(BCryptDuplicateHash(hash, &copy, NULL, 0, 0));
		assert_ntsuccess(BCryptHashData(hash, (PUCHAR) "bc", 2, 0));
		assert_ntsuccess(BCryptFinishHash(hash, digest, length, 0));
		assert_hex(digest, length, cases[i].digest);
		assert_ntsuccess(BCryptHashData(copy, (PUCHAR) "bc", 2, 0));
		assert_ntsuccess(BCryptFinishHash(copy, again, length, 0));
		assert_memory_equal(digest, again, length);
		assert_ntsuccess(BCryptDestroyHash(copy));
		assert_ntsuccess(BCryptDestroyHash(hash));
		close_provider(algorithm);
	}
}

static void cng_hash_with_a_key(void **state)
{
	(void)state;
	static const char digest[] =
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
	BCRYPT_ALG_HANDLE keyed = open_with(u"SHA256", BCRYPT_ALG_HANDLE_HMAC_FLAG);
	BCRYPT_ALG_HANDLE plain = open_with(u"SHA256", 0);
	BCRYPT_HASH_HANDLE hash;
	UCHAR out[32];
	assert_ntsuccess(BCryptCreateHash(keyed, &hash, NULL, 0, (PUCHAR) "Jefe", 4,
					  BCRYPT_HASH_REUSABLE_FLAG));
	for (int i = 0; i < 2; i++) { /* a reusable one starts again with the same key */
		assert_ntsuccess(
			BCryptHashData(hash, (PUCHAR) "what do ya want for nothing?", 28, 0));
		assert_ntsuccess(BCryptFinishHash(hash, out, 32, 0));
		assert_hex(out, 32, digest);
	}
	assert_ntsuccess(BCryptDestroyHash(hash));
	assert_ntsuccess(BCryptHash((PVOID)0xB1, (PUCHAR) "Jefe", 4,
				    (PUCHAR) "what do ya want for nothing?", 28, out, 32));
	assert_hex(out, 32, digest);
	assert_status(BCryptCreateHash(plain, &hash, NULL, 0, (PUCHAR) "Jefe", 4, 0),
		      STATUS_INVALID_PARAMETER);
	close_provider(keyed);
	close_provider(plain);
}

static void cng_finished_hash_cannot_be_used_again(void **state)
{
	(void)state;
	BCRYPT_HASH_HANDLE hash;
	UCHAR out[64];
	assert_ntsuccess(BCryptCreateHash((PVOID)0x31, &hash, NULL, 0, NULL, 0, 0));
	assert_status(BCryptFinishHash(hash, out, 19, 0), STATUS_INVALID_PARAMETER);
	assert_status(BCryptFinishHash(hash, out, 21, 0), STATUS_INVALID_PARAMETER);
	assert_ntsuccess(BCryptFinishHash(hash, out, 20, 0));
	assert_hex(out, 20, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	assert_status(BCryptHashData(hash, out, 1, 0), STATUS_INVALID_HANDLE);
	assert_status(BCryptFinishHash(hash, out, 20, 0), STATUS_INVALID_HANDLE);
	assert_status(BCryptDuplicateHash(hash, &hash, NULL, 0, 0), STATUS_INVALID_HANDLE);
	assert_ntsuccess(BCryptDestroyHash(hash));
}

static void cng_hash_lies_in_the_callers_memory(void **state)
{
	(void)state;
	UCHAR memory[1024], out[32];
	ULONG size = number_of((PVOID)0xB1, u"ObjectLength");
	BCRYPT_HASH_HANDLE hash;
	memset(memory, 0xCC, sizeof(memory));
	assert_status(BCryptCreateHash((PVOID)0xB1, &hash, memory + 1, size - 1, NULL, 0, 0),
		      STATUS_BUFFER_TOO_SMALL);
	assert_status(BCryptCreateHash((PVOID)0xB1, &hash, NULL, size, NULL, 0, 0),
		      STATUS_INVALID_PARAMETER);
	fail_allocation(NULL, ALWAYS);
	assert_ntsuccess(
		BCryptCreateHash((PVOID)0xB1, &hash, memory + 1, size, (PUCHAR) "k", 1, 0));
	assert_ntsuccess(BCryptHashData(hash, (PUCHAR) "m", 1, 0));
	assert_ntsuccess(BCryptFinishHash(hash, out, 32, 0));
	assert_ntsuccess(BCryptDestroyHash(hash));
	assert_status(BCryptCreateHash((PVOID)0xB1, &hash, NULL, 0, NULL, 0, 0), STATUS_NO_MEMORY);
	stop_failing();
	assert_int_equal(memory[0], 0xCC);
	assert_int_equal(memory[1 + size], 0xCC);
	assert_status(BCryptDestroyHash(hash), STATUS_INVALID_HANDLE); /* wiped */
}

/* ---- AES ----------------------------------------------------------------------------------------- */

static const char message[] = "Ringside calls the callbacks of drivers.";
#define MESSAGE ((PUCHAR)(uintptr_t)message)

static BCRYPT_KEY_HANDLE make_key(BCRYPT_ALG_HANDLE algorithm, const UCHAR *secret, ULONG size)
{
	BCRYPT_KEY_HANDLE key = NULL;
	assert_ntsuccess(
		BCryptGenerateSymmetricKey(algorithm, &key, NULL, 0, (PUCHAR)secret, size, 0));
	return key;
}

static void cng_aes_in_blocks(void **state)
{
	(void)state;
	static const struct {
		ULONG algorithm, size;
		const char *text;
	} cases[] = {
		{0x1A1, 16,
		 "19ea1fe5b0285acce298600b3bafcd2f4925e98f8c5166f2fb7aabbe2728989f0bcb6a1186455432"
		 "e8eb4e9d3d6c6ab1"},
		{0x1B1, 16,
		 "1e5a80758e8be6aabaae8d0e7c5265dac7a230c0db48259a49568d4ae9f90c98e0e751b98c88a3b9"
		 "721681c1158be5af"},
		{0x1A1, 24,
		 "d3c7d1de145d6e7767eca236cdaf48c284d6ef1f456f8cb6bc190f6544e9d338d96f7ebba49b6dbe"
		 "9667c1dc38a4a643"},
		{0x1B1, 24,
		 "cc4fc4ac66941e30357b761cec114f6aa957f19e520f57abf9e3a04f1d2ee1c363f5acaa84f01d66"
		 "509e2aad258451fc"},
		{0x1A1, 32,
		 "e9a429cca6bae71423f6208156d2173e359a6a467de72d41d35dcc20adb874a4d52e0222108d095d"
		 "84a55fe8555b037c"},
		{0x1B1, 32,
		 "d8b4005095ff4ab9c72407f5ea795c893c121a1fe133f55eeb5c11824bd4a6849d7a32fa952c6285"
		 "9bf8b1048fc9f6da"},
	};
	UCHAR secret[32], start[16], iv[16], buffer[64];
	ULONG size = 0;
	for (int i = 0; i < 32; i++)
		secret[i] = (UCHAR)i;
	from_hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", start);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		BCRYPT_KEY_HANDLE key = make_key((PVOID)(uintptr_t)cases[i].algorithm, secret,
						 cases[i].size);
		PUCHAR vector = cases[i].algorithm == 0x1A1 ? iv : NULL;
		memcpy(iv, start, 16);
		assert_ntsuccess(BCryptEncrypt(key, MESSAGE, 40, NULL, vector, vector ? 16 : 0,
					       NULL, 0, &size, BCRYPT_BLOCK_PADDING));
		assert_int_equal(size, 48);
		assert_status(BCryptEncrypt(key, MESSAGE, 40, NULL, vector, vector ? 16 : 0, buffer,
					    47, &size, BCRYPT_BLOCK_PADDING),
			      STATUS_BUFFER_TOO_SMALL);
		memcpy(buffer, message, 40);
		assert_ntsuccess(BCryptEncrypt(key, buffer, 40, NULL, vector, vector ? 16 : 0,
					       buffer, sizeof(buffer), &size,
					       BCRYPT_BLOCK_PADDING));
		assert_hex(buffer, size, cases[i].text);
		memcpy(iv, start, 16);
		assert_ntsuccess(BCryptDecrypt(key, buffer, 48, NULL, vector, vector ? 16 : 0,
					       buffer, 40, &size, BCRYPT_BLOCK_PADDING));
		assert_int_equal(size, 40);
		assert_memory_equal(buffer, message, 40);
		assert_int_equal(number_of(key, u"KeyLength"), cases[i].size * 8);
		assert_ntsuccess(BCryptDestroyKey(key));
	}
}

static void cng_iv_goes_on_from_call_to_call(void **state)
{
	(void)state;
	UCHAR secret[16] = {1}, iv[16] = {2}, other[16] = {2}, whole[32], pieces[32];
	ULONG size;
	BCRYPT_KEY_HANDLE key = make_key((PVOID)0x1A1, secret, 16);
	assert_ntsuccess(BCryptEncrypt(key, MESSAGE, 32, NULL, iv, 16, whole, 32, &size, 0));
	assert_ntsuccess(BCryptEncrypt(key, MESSAGE, 16, NULL, other, 16, pieces, 16, &size, 0));
	assert_ntsuccess(
		BCryptEncrypt(key, MESSAGE + 16, 16, NULL, other, 16, pieces + 16, 16, &size, 0));
	assert_memory_equal(whole, pieces, 32);
	assert_memory_equal(iv, other, 16);
	assert_ntsuccess(BCryptDestroyKey(key));
}

static void cng_aes_refuses_bad_sizes_and_padding(void **state)
{
	(void)state;
	UCHAR secret[32] = {0}, buffer[64] = {0};
	ULONG size = 0;
	BCRYPT_KEY_HANDLE key = NULL;
	BCRYPT_ALG_HANDLE aes = open_with(u"AES", 0);
	assert_status(BCryptGenerateSymmetricKey(aes, &key, NULL, 0, secret, 20, 0),
		      STATUS_INVALID_PARAMETER);
	assert_status(BCryptGenerateSymmetricKey((PVOID)0x41, &key, NULL, 0, secret, 16, 0),
		      STATUS_NOT_SUPPORTED);
	assert_status(BCryptGenerateSymmetricKey(aes, &key, buffer, 8, secret, 16, 0),
		      STATUS_BUFFER_TOO_SMALL);
	assert_ntsuccess(
		BCryptSetProperty(aes, u"ChainingMode", (PUCHAR)u"ChainingModeECB", 32, 0));
	key = make_key(aes, secret, 16);
	assert_status(BCryptEncrypt(key, buffer, 17, NULL, NULL, 0, buffer, 64, &size, 0),
		      STATUS_INVALID_BUFFER_SIZE);
	assert_status(BCryptDecrypt(key, buffer, 17, NULL, NULL, 0, buffer, 64, &size,
				    BCRYPT_BLOCK_PADDING),
		      STATUS_INVALID_BUFFER_SIZE);
	assert_status(BCryptDecrypt(key, buffer, 16, NULL, NULL, 0, buffer, 64, &size,
				    BCRYPT_BLOCK_PADDING),
		      STATUS_UNSUCCESSFUL);
	assert_ntsuccess(
		BCryptSetProperty(key, u"ChainingMode", (PUCHAR)u"ChainingModeCBC", 32, 0));
	assert_status(BCryptEncrypt(key, buffer, 16, NULL, buffer, 15, buffer, 64, &size, 0),
		      STATUS_INVALID_PARAMETER);
	assert_status(BCryptVerifySignature(key, NULL, buffer, 1, buffer, 1, 0),
		      STATUS_NOT_SUPPORTED);
	assert_ntsuccess(BCryptDestroyKey(key));
	close_provider(aes);
}

static void cng_aes_gcm(void **state)
{
	(void)state;
	UCHAR secret[16], nonce[12], extra[20], plain[60], buffer[60], tag[16];
	BCRYPT_AUTHENTICATED_CIPHER_MODE_INFO info = {
		.cbSize = sizeof(info),
		.dwInfoVersion = 1,
		.pbNonce = nonce,
		.cbNonce = 12,
		.pbAuthData = extra,
		.cbAuthData = 20,
		.pbTag = tag,
		.cbTag = 16,
	};
	ULONG size = 0;
	from_hex("feffe9928665731c6d6a8f9467308308", secret);
	from_hex("cafebabefacedbaddecaf888", nonce);
	from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2", extra);
	from_hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
		 "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
		 plain);
	BCRYPT_KEY_HANDLE key = make_key((PVOID)0x1E1, secret, 16);
	assert_ntsuccess(BCryptEncrypt(key, plain, 60, &info, NULL, 0, buffer, 60, &size, 0));
	assert_hex(buffer, size,
		   "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
		   "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091");
	assert_hex(tag, 16, "5bc94fbc3221a5db94fae95ae7121a47");
	UCHAR back[60];
	assert_ntsuccess(BCryptDecrypt(key, buffer, 60, &info, NULL, 0, back, 60, &size, 0));
	assert_memory_equal(back, plain, 60);
	tag[15] ^= 1;
	assert_status(BCryptDecrypt(key, buffer, 60, &info, NULL, 0, back, 60, &size, 0),
		      STATUS_AUTH_TAG_MISMATCH);
	assert_memory_not_equal(back, plain, 60);
	info.cbNonce = 11;
	assert_status(BCryptEncrypt(key, plain, 60, &info, NULL, 0, buffer, 60, &size, 0),
		      STATUS_INVALID_PARAMETER);
	assert_status(BCryptEncrypt(key, plain, 60, NULL, NULL, 0, buffer, 60, &size, 0),
		      STATUS_INVALID_PARAMETER);
	assert_ntsuccess(BCryptDestroyKey(key));
}

/* ---- Signatures -------------------------------------------------------------------------------------- */

static UCHAR digest[64];

static ULONG hash_of_sample(ULONG algorithm)
{
	PVOID handle = (PVOID)(uintptr_t)algorithm;
	ULONG size = number_of(handle, u"HashDigestLength");
	assert_ntsuccess(BCryptHash(handle, NULL, 0, (PUCHAR) "sample", 6, digest, size));
	return size;
}

static BCRYPT_KEY_HANDLE import(PCWSTR algorithm, PCWSTR type, const UCHAR *blob, ULONG size)
{
	BCRYPT_ALG_HANDLE provider = open_with(algorithm, 0);
	BCRYPT_KEY_HANDLE key = NULL;
	assert_ntsuccess(BCryptImportKeyPair(provider, NULL, type, &key, (PUCHAR)blob, size, 0));
	close_provider(provider); /* a key outlives it */
	return key;
}

static void check_ecdsa(PCWSTR algorithm, ULONG hash, const UCHAR *blob, ULONG blob_size,
			const UCHAR *signature, ULONG size)
{
	UCHAR changed[132];
	BCRYPT_KEY_HANDLE key = import(algorithm, u"ECCPUBLICBLOB", blob, blob_size);
	ULONG hash_size = hash_of_sample(hash);
	memcpy(changed, signature, size);
	assert_int_equal(number_of(key, u"SignatureLength"), size);
	assert_ntsuccess(BCryptVerifySignature(key, NULL, digest, hash_size, changed, size, 0));
	assert_status(BCryptVerifySignature(key, NULL, digest, hash_size, changed, size - 1, 0),
		      STATUS_INVALID_SIGNATURE);
	changed[size - 1] ^= 1;
	assert_status(BCryptVerifySignature(key, NULL, digest, hash_size, changed, size, 0),
		      STATUS_INVALID_SIGNATURE);
	changed[size - 1] ^= 1;
	digest[0] ^= 1;
	assert_status(BCryptVerifySignature(key, NULL, digest, hash_size, changed, size, 0),
		      STATUS_INVALID_SIGNATURE);
	assert_ntsuccess(BCryptDestroyKey(key));
}

static void cng_ecdsa_signatures(void **state)
{
	(void)state;
	check_ecdsa(u"ECDSA_P256", 0x41, p256_blob, sizeof(p256_blob), p256_signature,
		    sizeof(p256_signature));
	check_ecdsa(u"ECDSA_P384", 0x51, p384_blob, sizeof(p384_blob), p384_signature,
		    sizeof(p384_signature));
	check_ecdsa(u"ECDSA_P521", 0x61, p521_blob, sizeof(p521_blob), p521_signature,
		    sizeof(p521_signature));
}

static void cng_rsa_signatures(void **state)
{
	(void)state;
	static const struct {
		PCWSTR name;
		ULONG hash, flags;
		const UCHAR *signature;
	} cases[] = {
		{u"SHA1", 0x31, BCRYPT_PAD_PKCS1, rsa_pkcs1_sha1},
		{u"SHA256", 0x41, BCRYPT_PAD_PKCS1, rsa_pkcs1_sha256},
		{u"SHA384", 0x51, BCRYPT_PAD_PKCS1, rsa_pkcs1_sha384},
		{u"SHA512", 0x61, BCRYPT_PAD_PKCS1, rsa_pkcs1_sha512},
		{u"SHA256", 0x41, BCRYPT_PAD_PSS, rsa_pss_sha256},
		{u"SHA384", 0x51, BCRYPT_PAD_PSS, rsa_pss_sha384},
		{u"SHA512", 0x61, BCRYPT_PAD_PSS, rsa_pss_sha512},
	};
	BCRYPT_KEY_HANDLE key = import(u"RSA", u"RSAPUBLICBLOB", rsa_blob, sizeof(rsa_blob));
	UCHAR signature[256];
	assert_int_equal(number_of(key, u"KeyLength"), 2048);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		BCRYPT_PSS_PADDING_INFO padding = {cases[i].name, 20}; /* or that of PKCS #1 */
		ULONG size = hash_of_sample(cases[i].hash);
		memcpy(signature, cases[i].signature, 256);
		assert_ntsuccess(BCryptVerifySignature(key, &padding, digest, size, signature, 256,
						       cases[i].flags));
		assert_status(BCryptVerifySignature(key, &padding, digest, size - 1, signature, 256,
						    cases[i].flags),
			      STATUS_INVALID_PARAMETER);
		signature[100] ^= 1;
		assert_status(BCryptVerifySignature(key, &padding, digest, size, signature, 256,
						    cases[i].flags),
			      STATUS_INVALID_SIGNATURE);
		memset(signature, 0xFF, 256); /* above the modulus */
		assert_status(BCryptVerifySignature(key, &padding, digest, size, signature, 256,
						    cases[i].flags),
			      STATUS_INVALID_SIGNATURE);
		assert_status(BCryptVerifySignature(key, NULL, digest, size, signature, 255, 0),
			      STATUS_INVALID_PARAMETER);
	}
	assert_ntsuccess(BCryptDestroyKey(key));
}

static void cng_blobs_that_are_no_key_are_refused(void **state)
{
	(void)state;
	BCRYPT_KEY_HANDLE key = (PVOID)7;
	UCHAR blob[sizeof(rsa_blob)];
	PVOID p256 = (PVOID)0x2E1, rsa = (PVOID)0xE1;
	for (ULONG size = 0; size < sizeof(p256_blob); size++) {
		memcpy(blob, p256_blob, size);
		assert_status(
			BCryptImportKeyPair(p256, NULL, u"ECCPUBLICBLOB", &key, blob, size, 0),
			STATUS_INVALID_PARAMETER);
	}
	memcpy(blob, p256_blob, sizeof(p256_blob));
	blob[20] ^= 1; /* not on the curve */
	assert_status(
		BCryptImportKeyPair(p256, NULL, u"ECCPUBLICBLOB", &key, blob, sizeof(p256_blob), 0),
		STATUS_INVALID_PARAMETER);
	for (ULONG size = 0; size < sizeof(rsa_blob); size++) {
		memcpy(blob, rsa_blob, size);
		assert_status(BCryptImportKeyPair(rsa, NULL, u"RSAPUBLICBLOB", &key, blob, size, 0),
			      STATUS_INVALID_PARAMETER);
	}
	memcpy(blob, rsa_blob, sizeof(rsa_blob));
	blob[sizeof(rsa_blob) - 1] &= 0xFE; /* an even modulus */
	assert_status(
		BCryptImportKeyPair(rsa, NULL, u"RSAPUBLICBLOB", &key, blob, sizeof(rsa_blob), 0),
		STATUS_INVALID_PARAMETER);
	assert_status(
		BCryptImportKeyPair(rsa, NULL, u"RSAPRIVATEBLOB", &key, blob, sizeof(rsa_blob), 0),
		STATUS_NOT_SUPPORTED);
	assert_status(BCryptImportKeyPair((PVOID)0x41, NULL, u"PUBLICBLOB", &key, blob, 8, 0),
		      STATUS_NOT_SUPPORTED);
	fail_allocation("cng/algorithm.c", 0);
	assert_status(BCryptImportKeyPair(rsa, NULL, u"PUBLICBLOB", &key, (PUCHAR)rsa_blob,
					  sizeof(rsa_blob), 0),
		      STATUS_NO_MEMORY);
	stop_failing();
	assert_ptr_equal(key, (PVOID)7);
}

/* ---- Random numbers ------------------------------------------------------------------------------------- */

static void cng_random_numbers(void **state)
{
	(void)state;
	UCHAR a[600] = {0}, b[600] = {0};
	BCRYPT_ALG_HANDLE rng = open_with(u"RNG", 0);
	assert_ntsuccess(BCryptGenRandom(rng, a, sizeof(a), 0));
	assert_ntsuccess(BCryptGenRandom(NULL, b, sizeof(b), BCRYPT_USE_SYSTEM_PREFERRED_RNG));
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_not_equal(a + 560, b + 560, 40); /* the last ones too */
	assert_status(BCryptGenRandom(NULL, a, 1, 0), STATUS_INVALID_HANDLE);
	assert_status(BCryptGenRandom((PVOID)0x41, a, 1, 0), STATUS_NOT_SUPPORTED);
	assert_status(BCryptGenRandom(rng, NULL, 1, 0), STATUS_INVALID_PARAMETER);
	close_provider(rng);
}

/* ---- As drivers call it ---------------------------------------------------------------------------------- */

static void open_at_dispatch_level(void *unused)
{
	typedef NTSTATUS NTAPI function(BCRYPT_ALG_HANDLE *, PCWSTR, PCWSTR, ULONG);
	BCRYPT_ALG_HANDLE algorithm;
	(void)unused;
	function *open = (function *)rs_find_export("ksecdd.sys", "BCryptOpenAlgorithmProvider");
	KfRaiseIrql(DISPATCH_LEVEL);
	open(&algorithm, u"SHA1", NULL, BCRYPT_PROV_DISPATCH);
}

static void cng_opening_above_passive_level_is_a_bug_check(void **state)
{
	(void)state;
	expect_bug_check(KE_IRQL_NOT_LESS_OR_EQUAL, open_at_dispatch_level, NULL);
}

static char said[256];

static void collect(void *context, const struct rs_event *event)
{
	(void)context;
	if (event->type == RS_DEBUG_PRINT)
		snprintf(said, sizeof said, "%s", event->print.text);
}

static void a_compiled_driver_hashes_and_encrypts(void **state)
{
	(void)state;
	struct rs_error error;
	rs_listen(collect, NULL);
	struct rs_driver *driver = rs_load(TEST_BUILD "/tests/drivers/crypto.sys", &error);
	if (!driver)
		fail_msg("%s", error.text);
	if (!NT_SUCCESS(rs_start(driver)))
		fail_msg("%s", said);
	assert_ntsuccess(rs_unload(driver));
	rs_unlisten(collect, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(cng_unknown_algorithms_and_providers_are_not_found),
		WORLD_TEST(cng_handles_that_are_none_are_invalid),
		WORLD_TEST(cng_properties),
		WORLD_TEST(cng_hashes_of_abc),
		WORLD_TEST(cng_hash_with_a_key),
		WORLD_TEST(cng_finished_hash_cannot_be_used_again),
		WORLD_TEST(cng_hash_lies_in_the_callers_memory),
		WORLD_TEST(cng_aes_in_blocks),
		WORLD_TEST(cng_iv_goes_on_from_call_to_call),
		WORLD_TEST(cng_aes_refuses_bad_sizes_and_padding),
		WORLD_TEST(cng_aes_gcm),
		WORLD_TEST(cng_ecdsa_signatures),
		WORLD_TEST(cng_rsa_signatures),
		WORLD_TEST(cng_blobs_that_are_no_key_are_refused),
		WORLD_TEST(cng_random_numbers),
		WORLD_TEST(cng_opening_above_passive_level_is_a_bug_check),
		WORLD_TEST(a_compiled_driver_hashes_and_encrypts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
