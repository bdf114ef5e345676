/* SPDX-License-Identifier: MIT */
/*
 * Bitmaps. Runs are looked at bit by bit: bitmaps of drivers are short, and a run that
 * fails is skipped as a whole, so a search looks at each bit once. No state.
 *
 * Pages: RtlInitializeBitMap and those that it leads to.
 */
#include "rtl/bitmap.h"
#include "ex/event.h"
#include <stdbool.h>
#include <string.h>

#define NOT_FOUND 0xFFFFFFFFu

static bool bit(const RTL_BITMAP *map, ULONG number)
{
	return map->Buffer[number / 32] >> number % 32 & 1;
}

static void put(const RTL_BITMAP *map, ULONG number, bool value)
{
	const ULONG mask = 1u << number % 32;
	if (value)
		map->Buffer[number / 32] |= mask;
	else
		map->Buffer[number / 32] &= ~mask;
}

static bool is_inside(const RTL_BITMAP *map, ULONG start, ULONG count, const void *caller)
{
	if (start <= map->SizeOfBitMap && count <= map->SizeOfBitMap - start)
		return true;
	ex_rule_broken("wdk", caller, "bits %u to %u of a bitmap of %u were meant", start,
		       start + count, map->SizeOfBitMap);
	return false;
}

static void put_all(const RTL_BITMAP *map, ULONG start, ULONG count, bool value, const void *caller)
{
	if (!is_inside(map, start, count, caller))
		return;
	for (ULONG i = 0; i < count; i++)
		put(map, start + i, value);
}

/* How many bits from there on have the value, up to `most`. */
static ULONG run_of(const RTL_BITMAP *map, ULONG start, ULONG most, bool value)
{
	ULONG length = 0;
	while (length < most && start + length < map->SizeOfBitMap &&
	       bit(map, start + length) == value)
		length++;
	return length;
}

/* A run that begins in [from, until). */
static ULONG find_between(const RTL_BITMAP *map, ULONG from, ULONG until, ULONG count, bool value)
{
	for (ULONG at = from; at < until;) {
		ULONG length = run_of(map, at, count, value);
		if (length == count)
			return at;
		at += length + 1;
	}
	return NOT_FOUND;
}

static ULONG find(const RTL_BITMAP *map, ULONG count, ULONG hint, bool value)
{
	if (count > map->SizeOfBitMap)
		return NOT_FOUND;
	if (hint >= map->SizeOfBitMap)
		hint = 0;
	if (count == 0)
		return hint & ~7u; /* as documented: the hint, rounded to a byte */
	ULONG found = find_between(map, hint, map->SizeOfBitMap, count, value);
	return found == NOT_FOUND ? find_between(map, 0, hint, count, value) : found;
}

static ULONG count_set(const RTL_BITMAP *map)
{
	ULONG count = 0;
	for (ULONG i = 0; i < map->SizeOfBitMap; i++)
		count += bit(map, i);
	return count;
}

/* ---- Exports ------------------------------------------------------------------------- */

VOID NTAPI RtlInitializeBitMap(PRTL_BITMAP BitMapHeader, PULONG BitMapBuffer, ULONG SizeOfBitMap)
{
	BitMapHeader->SizeOfBitMap = SizeOfBitMap;
	BitMapHeader->Buffer = BitMapBuffer;
}

VOID NTAPI RtlClearBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
	put_all(BitMapHeader, BitNumber, 1, false, __builtin_return_address(0));
}

VOID NTAPI RtlSetBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
	put_all(BitMapHeader, BitNumber, 1, true, __builtin_return_address(0));
}

BOOLEAN NTAPI RtlTestBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
	return is_inside(BitMapHeader, BitNumber, 1, __builtin_return_address(0)) &&
	       bit(BitMapHeader, BitNumber);
}

VOID NTAPI RtlClearAllBits(PRTL_BITMAP BitMapHeader)
{
	memset(BitMapHeader->Buffer, 0, (BitMapHeader->SizeOfBitMap + 31ull) / 32 * 4);
}

VOID NTAPI RtlSetAllBits(PRTL_BITMAP BitMapHeader)
{
	memset(BitMapHeader->Buffer, 0xFF, (BitMapHeader->SizeOfBitMap + 31ull) / 32 * 4);
}

VOID NTAPI RtlClearBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToClear)
{
	put_all(BitMapHeader, StartingIndex, NumberToClear, false, __builtin_return_address(0));
}

VOID NTAPI RtlSetBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToSet)
{
	put_all(BitMapHeader, StartingIndex, NumberToSet, true, __builtin_return_address(0));
}

BOOLEAN NTAPI RtlAreBitsClear(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
	return Length && run_of(BitMapHeader, StartingIndex, Length, false) == Length;
}

BOOLEAN NTAPI RtlAreBitsSet(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
	return Length && run_of(BitMapHeader, StartingIndex, Length, true) == Length;
}

ULONG NTAPI RtlNumberOfClearBits(PRTL_BITMAP BitMapHeader)
{
	return BitMapHeader->SizeOfBitMap - count_set(BitMapHeader);
}

ULONG NTAPI RtlNumberOfSetBits(PRTL_BITMAP BitMapHeader)
{
	return count_set(BitMapHeader);
}

ULONG NTAPI RtlFindClearBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
	return find(BitMapHeader, NumberToFind, HintIndex, false);
}

ULONG NTAPI RtlFindSetBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
	return find(BitMapHeader, NumberToFind, HintIndex, true);
}

ULONG NTAPI RtlFindClearBitsAndSet(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
	ULONG found = find(BitMapHeader, NumberToFind, HintIndex, false);
	if (found != NOT_FOUND)
		put_all(BitMapHeader, found, NumberToFind, true, NULL);
	return found;
}

ULONG NTAPI RtlFindSetBitsAndClear(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
	ULONG found = find(BitMapHeader, NumberToFind, HintIndex, true);
	if (found != NOT_FOUND)
		put_all(BitMapHeader, found, NumberToFind, false, NULL);
	return found;
}

ULONG NTAPI RtlFindNextForwardRunClear(PRTL_BITMAP BitMapHeader, ULONG FromIndex,
				       PULONG StartingRunIndex)
{
	const ULONG size = BitMapHeader->SizeOfBitMap;
	ULONG start = FromIndex < size ? FromIndex : size;
	start += run_of(BitMapHeader, start, size, true);
	*StartingRunIndex = start;
	return run_of(BitMapHeader, start, size, false);
}
