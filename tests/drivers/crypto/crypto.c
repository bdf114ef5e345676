/* SPDX-License-Identifier: MIT */
/*
 * A driver that hashes and encrypts, by way of ksecdd.sys, with the structures of
 * <bcrypt.h>. DriverEntry fails after saying which line did.
 */
#include <ntddk.h>
#include <bcrypt.h>

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			DbgPrint("crypto: line %d: %s\n", __LINE__, #condition);                   \
			return STATUS_UNSUCCESSFUL;                                                \
		}                                                                                  \
	} while (0)

static NTSTATUS hash(void)
{
	static const UCHAR start[] = {0xBA, 0x78, 0x16, 0xBF, 0x8F, 0x01, 0xCF, 0xEA};
	BCRYPT_ALG_HANDLE algorithm;
	BCRYPT_HASH_HANDLE handle;
	UCHAR digest[32];
	ULONG size, length;
	CHECK(NT_SUCCESS(BCryptOpenAlgorithmProvider(&algorithm, BCRYPT_SHA256_ALGORITHM, NULL,
						     BCRYPT_PROV_DISPATCH)));
	CHECK(NT_SUCCESS(BCryptGetProperty(algorithm, BCRYPT_OBJECT_LENGTH, (PUCHAR)&size,
					   sizeof(size), &length, 0)));
	PUCHAR memory = ExAllocatePoolWithTag(NonPagedPool, size, 'hsaH');
	CHECK(memory);
	KIRQL irql = KeRaiseIrqlToDpcLevel(); /* which the flag allows */
	NTSTATUS status = BCryptCreateHash(algorithm, &handle, memory, size, NULL, 0, 0);
	if (NT_SUCCESS(status))
		status = BCryptHashData(handle, (PUCHAR) "abc", 3, 0);
	if (NT_SUCCESS(status))
		status = BCryptFinishHash(handle, digest, sizeof(digest), 0);
	KeLowerIrql(irql);
	CHECK(NT_SUCCESS(status));
	CHECK(NT_SUCCESS(BCryptDestroyHash(handle)));
	CHECK(RtlCompareMemory(digest, start, sizeof(start)) == sizeof(start));
	ExFreePoolWithTag(memory, 'hsaH');
	CHECK(NT_SUCCESS(BCryptCloseAlgorithmProvider(algorithm, 0)));
	return STATUS_SUCCESS;
}

static NTSTATUS encrypt(void)
{
	BCRYPT_AUTHENTICATED_CIPHER_MODE_INFO info;
	BCRYPT_ALG_HANDLE algorithm;
	BCRYPT_KEY_HANDLE key;
	UCHAR secret[32], nonce[12] = {1}, tag[16], text[] = "plain text", buffer[sizeof(text)];
	ULONG size;
	CHECK(NT_SUCCESS(
		BCryptGenRandom(NULL, secret, sizeof(secret), BCRYPT_USE_SYSTEM_PREFERRED_RNG)));
	CHECK(NT_SUCCESS(BCryptOpenAlgorithmProvider(&algorithm, BCRYPT_AES_ALGORITHM, NULL, 0)));
	CHECK(NT_SUCCESS(BCryptSetProperty(algorithm, BCRYPT_CHAINING_MODE,
					   (PUCHAR)BCRYPT_CHAIN_MODE_GCM,
					   sizeof(BCRYPT_CHAIN_MODE_GCM), 0)));
	CHECK(NT_SUCCESS(
		BCryptGenerateSymmetricKey(algorithm, &key, NULL, 0, secret, sizeof(secret), 0)));
	BCRYPT_INIT_AUTH_MODE_INFO(info);
	info.pbNonce = nonce;
	info.cbNonce = sizeof(nonce);
	info.pbTag = tag;
	info.cbTag = sizeof(tag);
	CHECK(NT_SUCCESS(BCryptEncrypt(key, text, sizeof(text), &info, NULL, 0, buffer,
				       sizeof(buffer), &size, 0)));
	CHECK(size == sizeof(text) && RtlCompareMemory(text, buffer, size) < size);
	CHECK(NT_SUCCESS(BCryptDecrypt(key, buffer, sizeof(buffer), &info, NULL, 0, buffer,
				       sizeof(buffer), &size, 0)));
	CHECK(RtlCompareMemory(text, buffer, size) == size);
	CHECK(NT_SUCCESS(BCryptDestroyKey(key)));
	CHECK(NT_SUCCESS(BCryptCloseAlgorithmProvider(algorithm, 0)));
	return STATUS_SUCCESS;
}

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
	UNREFERENCED_PARAMETER(driver);
}

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	UNREFERENCED_PARAMETER(path);
	driver->DriverUnload = unload;
	NTSTATUS status = hash();
	return NT_SUCCESS(status) ? encrypt() : status;
}
