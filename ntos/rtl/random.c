/* SPDX-License-Identifier: MIT */
/*
 * Random numbers. RtlRandomEx's state is the caller's seed alone: a linear congruential
 * step modulo 2^31 - 1 that is then mixed, so that the low bits are random too.
 *
 * Pages: RtlRandomEx, ExUuidCreate, RtlUlongByteSwap.
 */
#include "rtl/random.h"
#include <string.h>
#include <sys/random.h>

#define MODULUS 0x7FFFFFFFull
#define MULTIPLIER 0x7FFFFFEDull
#define INCREMENT 0x7FFFFFC3ull

ULONG NTAPI RtlRandomEx(PULONG Seed)
{
	ULONG64 next = (MULTIPLIER * *Seed + INCREMENT) % MODULUS;
	ULONG64 mixed = (next + 1) * 0x9E3779B97F4A7C15ull;
	*Seed = (ULONG)next;
	mixed ^= mixed >> 32;
	mixed *= 0xD6E8FEB86659FD93ull;
	return (ULONG)((mixed ^ mixed >> 32) % MODULUS);
}

NTSTATUS NTAPI ExUuidCreate(UCHAR Uuid[16])
{
	UCHAR made[16];
	if (getrandom(made, sizeof made, 0) != sizeof made)
		return STATUS_UNSUCCESSFUL;
	made[7] = (made[7] & 0x0F) | 0x40; /* the version: high bits of Data3, little-endian */
	made[8] = (made[8] & 0x3F) | 0x80;
	memcpy(Uuid, made, sizeof made);
	return STATUS_SUCCESS;
}

USHORT NTAPI RtlUshortByteSwap(USHORT Source)
{
	return __builtin_bswap16(Source);
}

ULONG NTAPI RtlUlongByteSwap(ULONG Source)
{
	return __builtin_bswap32(Source);
}

ULONGLONG NTAPI RtlUlonglongByteSwap(ULONGLONG Source)
{
	return __builtin_bswap64(Source);
}
