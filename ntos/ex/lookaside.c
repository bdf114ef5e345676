/* SPDX-License-Identifier: MIT */
/*
 * Look-aside lists: blocks of one size kept for reuse on an interlocked list.
 *
 * The older kinds are allocated from inline in drivers: pop an entry, count a miss,
 * call Allocate; push or call Free. So their fields are ABI, and what is here is only
 * how they begin and end. The Ex kind comes here for everything. Depth is how many free
 * blocks are kept; NT tunes it between 4 and MaximumDepth, here it stays at the
 * maximum.
 */
#include "ex/slist.h"
#include "ke/bugcheck.h"

#define MAXIMUM_DEPTH 256
#define SMALLEST_BLOCK sizeof(SLIST_ENTRY)

static PVOID NTAPI allocate(POOL_TYPE type, SIZE_T size, ULONG tag)
{
	return ex_allocate_pool(__builtin_return_address(0), type, size, tag);
}

static VOID NTAPI release(PVOID block)
{
	ex_free_pool(__builtin_return_address(0), block);
}

static PVOID NTAPI allocate_ex(POOL_TYPE type, SIZE_T size, ULONG tag, PLOOKASIDE_LIST_EX list)
{
	(void)list;
	return ex_allocate_pool(__builtin_return_address(0), type, size, tag);
}

static VOID NTAPI release_ex(PVOID block, PLOOKASIDE_LIST_EX list)
{
	(void)list;
	ex_free_pool(__builtin_return_address(0), block);
}

static void begin(PGENERAL_LOOKASIDE list, POOL_TYPE type, SIZE_T size, ULONG tag)
{
	*list = (GENERAL_LOOKASIDE){
		.Depth = MAXIMUM_DEPTH,
		.MaximumDepth = MAXIMUM_DEPTH,
		.Type = type,
		.Tag = tag,
		.Size = (ULONG)(size < SMALLEST_BLOCK ? SMALLEST_BLOCK : size),
	};
	InitializeSListHead(&list->ListHead);
	list->ListEntry.Flink = list->ListEntry.Blink = &list->ListEntry;
}

static void begin_old(PNPAGED_LOOKASIDE_LIST list, ALLOCATE_FUNCTION *allocate_with,
		      FREE_FUNCTION *free_with, POOL_TYPE type, SIZE_T size, ULONG tag)
{
	begin(&list->L, type, size, tag);
	list->L.Allocate = allocate_with ? (PVOID)allocate_with : (PVOID)allocate;
	list->L.Free = free_with ? (PVOID)free_with : (PVOID)release;
}

VOID NTAPI ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside,
					   ALLOCATE_FUNCTION *Allocate, FREE_FUNCTION *Free,
					   ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
{
	(void)Depth; /* reserved */
	begin_old(Lookaside, Allocate, Free,
		  NonPagedPool | (Flags & POOL_RAISE_IF_ALLOCATION_FAILURE), Size, Tag);
}

VOID NTAPI ExInitializePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside,
					  ALLOCATE_FUNCTION *Allocate, FREE_FUNCTION *Free,
					  ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
{
	(void)Depth;
	begin_old(Lookaside, Allocate, Free, PagedPool | (Flags & POOL_RAISE_IF_ALLOCATION_FAILURE),
		  Size, Tag);
}

static void flush_old(PGENERAL_LOOKASIDE list)
{
	PSLIST_ENTRY entry;
	while ((entry = ExpInterlockedPopEntrySList(&list->ListHead)))
		((FREE_FUNCTION *)(uintptr_t)list->Free)(entry);
}

VOID NTAPI ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside)
{
	flush_old(&Lookaside->L);
}

VOID NTAPI ExDeletePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside)
{
	flush_old(&Lookaside->L);
}

PVOID NTAPI ExAllocateFromNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside)
{
	PGENERAL_LOOKASIDE list = &Lookaside->L;
	list->TotalAllocates++;
	PVOID entry = ExpInterlockedPopEntrySList(&list->ListHead);
	if (entry)
		return entry;
	list->AllocateMisses++;
	return ((ALLOCATE_FUNCTION *)(uintptr_t)list->Allocate)(list->Type, list->Size, list->Tag);
}

VOID NTAPI ExFreeToNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry)
{
	PGENERAL_LOOKASIDE list = &Lookaside->L;
	list->TotalFrees++;
	if (ExQueryDepthSList(&list->ListHead) < list->Depth) {
		ExpInterlockedPushEntrySList(&list->ListHead, Entry);
		return;
	}
	list->FreeMisses++;
	((FREE_FUNCTION *)(uintptr_t)list->Free)(Entry);
}

/* ---- The Ex kind --------------------------------------------------------------------- */

#define EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL 1u
#define EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE 2u

NTSTATUS NTAPI ExInitializeLookasideListEx(PLOOKASIDE_LIST_EX Lookaside,
					   ALLOCATE_FUNCTION_EX *Allocate, FREE_FUNCTION_EX *Free,
					   POOL_TYPE PoolType, ULONG Flags, SIZE_T Size, ULONG Tag,
					   USHORT Depth)
{
	if (Depth)
		return STATUS_INVALID_PARAMETER_8;
	if (Flags & ~(EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL |
		      EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE) ||
	    Flags == (EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL |
		      EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE))
		return STATUS_INVALID_PARAMETER_5;
	begin(Lookaside, PoolType, Size, Tag);
	if (Flags & EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL)
		Lookaside->Type |= POOL_RAISE_IF_ALLOCATION_FAILURE;
	Lookaside->Allocate = Allocate ? (PVOID)Allocate : (PVOID)allocate_ex;
	Lookaside->Free = Free ? (PVOID)Free : (PVOID)release_ex;
	return STATUS_SUCCESS;
}

PVOID NTAPI ExAllocateFromLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
	__atomic_fetch_add(&Lookaside->TotalAllocates, 1, __ATOMIC_RELAXED);
	PVOID entry = ExpInterlockedPopEntrySList(&Lookaside->ListHead);
	if (entry)
		return entry;
	__atomic_fetch_add(&Lookaside->AllocateMisses, 1, __ATOMIC_RELAXED);
	return ((ALLOCATE_FUNCTION_EX *)(uintptr_t)Lookaside->Allocate)(
		Lookaside->Type, Lookaside->Size, Lookaside->Tag, Lookaside);
}

VOID NTAPI ExFreeToLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PVOID Entry)
{
	__atomic_fetch_add(&Lookaside->TotalFrees, 1, __ATOMIC_RELAXED);
	if (ExQueryDepthSList(&Lookaside->ListHead) < Lookaside->Depth) {
		ExpInterlockedPushEntrySList(&Lookaside->ListHead, Entry);
		return;
	}
	__atomic_fetch_add(&Lookaside->FreeMisses, 1, __ATOMIC_RELAXED);
	((FREE_FUNCTION_EX *)(uintptr_t)Lookaside->Free)(Entry, Lookaside);
}

VOID NTAPI ExFlushLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
	PSLIST_ENTRY entry;
	while ((entry = ExpInterlockedPopEntrySList(&Lookaside->ListHead)))
		((FREE_FUNCTION_EX *)(uintptr_t)Lookaside->Free)(entry, Lookaside);
}

VOID NTAPI ExDeleteLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
	ExFlushLookasideListEx(Lookaside);
}
