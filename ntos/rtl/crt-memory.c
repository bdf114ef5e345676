/* SPDX-License-Identifier: MIT */
/*
 * Memory functions: the host's, behind the calling convention of drivers. No state.
 */
#include "rtl/crt.h"
#include <string.h>

void *NTAPI crt_memmove(void *to, const void *from, SIZE_T size)
{
	return memmove(to, from, size);
}

void *NTAPI crt_memcpy(void *to, const void *from, SIZE_T size)
{
	return memmove(to, from, size);
}

void *NTAPI crt_memset(void *to, LONG byte, SIZE_T size)
{
	return memset(to, byte, size);
}

LONG NTAPI crt_memcmp(const void *a, const void *b, SIZE_T size)
{
	return memcmp(a, b, size);
}

void *NTAPI crt_memchr(const void *in, LONG byte, SIZE_T size)
{
	return memchr(in, byte, size);
}

LONG NTAPI crt_memmove_s(void *to, SIZE_T room, const void *from, SIZE_T size)
{
	if (!size)
		return 0;
	if (!to)
		return CRT_EINVAL;
	if (from && room >= size) {
		memmove(to, from, size);
		return 0;
	}
	memset(to, 0, room);
	return from ? CRT_ERANGE : CRT_EINVAL;
}

VOID NTAPI RtlCopyMemory(PVOID Destination, const VOID *Source, SIZE_T Length)
{
	memmove(Destination, Source, Length);
}

VOID NTAPI RtlMoveMemory(PVOID Destination, const VOID *Source, SIZE_T Length)
{
	memmove(Destination, Source, Length);
}

VOID NTAPI RtlFillMemory(PVOID Destination, SIZE_T Length, LONG Fill)
{
	memset(Destination, Fill, Length);
}

VOID NTAPI RtlZeroMemory(PVOID Destination, SIZE_T Length)
{
	memset(Destination, 0, Length);
}

SIZE_T NTAPI RtlCompareMemory(const VOID *Source1, const VOID *Source2, SIZE_T Length)
{
	const unsigned char *a = Source1, *b = Source2;
	SIZE_T same = 0;
	while (same < Length && a[same] == b[same])
		same++;
	return same;
}
