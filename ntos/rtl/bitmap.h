/* SPDX-License-Identifier: MIT */
/*
 * Bitmaps: arrays of bits in 32-bit words, the lowest bit of a word first. The driver
 * keeps other threads away. An index beyond the bitmap is the driver's mistake: an
 * assertion of NT's checked build, here a rule that was broken, and nothing is done.
 */
#ifndef RINGSIDE_RTL_BITMAP_H
#define RINGSIDE_RTL_BITMAP_H

#include <ringside/nt.h>
#include <stddef.h>

typedef struct _RTL_BITMAP {
	ULONG SizeOfBitMap; /* in bits */
	PULONG Buffer;
} RTL_BITMAP, *PRTL_BITMAP;
_Static_assert(sizeof(RTL_BITMAP) == 16 && offsetof(RTL_BITMAP, Buffer) == 8, "wdm.h");

VOID NTAPI RtlInitializeBitMap(PRTL_BITMAP BitMapHeader, PULONG BitMapBuffer, ULONG SizeOfBitMap);
VOID NTAPI RtlClearBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber);
VOID NTAPI RtlSetBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber);
BOOLEAN NTAPI RtlTestBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber);
VOID NTAPI RtlClearAllBits(PRTL_BITMAP BitMapHeader);
VOID NTAPI RtlSetAllBits(PRTL_BITMAP BitMapHeader);
VOID NTAPI RtlClearBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToClear);
VOID NTAPI RtlSetBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToSet);
BOOLEAN NTAPI RtlAreBitsClear(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length);
BOOLEAN NTAPI RtlAreBitsSet(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length);
ULONG NTAPI RtlNumberOfClearBits(PRTL_BITMAP BitMapHeader);
ULONG NTAPI RtlNumberOfSetBits(PRTL_BITMAP BitMapHeader);

/* Where the first run of that many begins, searched from the hint to the end and then from
 * the start; 0xFFFFFFFF when there is none. */
ULONG NTAPI RtlFindClearBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex);
ULONG NTAPI RtlFindSetBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex);
ULONG NTAPI RtlFindClearBitsAndSet(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex);
ULONG NTAPI RtlFindSetBitsAndClear(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex);

/* The length of the first run of clear bits from FromIndex on, and where it begins. */
ULONG NTAPI RtlFindNextForwardRunClear(PRTL_BITMAP BitMapHeader, ULONG FromIndex,
				       PULONG StartingRunIndex);

#endif
