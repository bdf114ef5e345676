/* SPDX-License-Identifier: MIT */
/* Interlocked singly linked lists, and the look-aside lists on top of them. */
#ifndef RINGSIDE_EX_SLIST_H
#define RINGSIDE_EX_SLIST_H

#include "ex/pool.h"
#include <ringside/nt.h>

typedef struct _SLIST_ENTRY {
	struct _SLIST_ENTRY *Next;
	PVOID Reserved; /* entries are 16-byte aligned */
} SLIST_ENTRY, *PSLIST_ENTRY;

/* As NT packs it on x64: drivers read Depth inline. */
typedef union _SLIST_HEADER {
	struct {
		ULONG64 Depth : 16;
		ULONG64 Sequence : 48;
		ULONG64 Reserved : 4;
		ULONG64 NextEntry : 60; /* the address's upper 60 bits */
	};
	struct {
		ULONG64 Low, High;
	};
	unsigned __int128 whole;
} SLIST_HEADER, *PSLIST_HEADER;
_Static_assert(sizeof(SLIST_HEADER) == 16, "AB-20");

VOID NTAPI InitializeSListHead(PSLIST_HEADER ListHead);
PSLIST_ENTRY NTAPI ExpInterlockedPopEntrySList(PSLIST_HEADER ListHead);
PSLIST_ENTRY NTAPI ExpInterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry);
PSLIST_ENTRY NTAPI ExpInterlockedFlushSList(PSLIST_HEADER ListHead);
USHORT NTAPI ExQueryDepthSList(PSLIST_HEADER ListHead);

typedef PVOID NTAPI ALLOCATE_FUNCTION(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
typedef VOID NTAPI FREE_FUNCTION(PVOID Buffer);

/* NPAGED_LOOKASIDE_LIST and PAGED_LOOKASIDE_LIST: allocation and free are inlined into
 * drivers and work on these fields. */
typedef struct _GENERAL_LOOKASIDE {
	SLIST_HEADER ListHead;
	USHORT Depth;
	USHORT MaximumDepth;
	ULONG TotalAllocates;
	ULONG AllocateMisses;
	ULONG TotalFrees;
	ULONG FreeMisses;
	ULONG Type;
	ULONG Tag;
	ULONG Size;
	PVOID Allocate; /* 0x30: ALLOCATE_FUNCTION or, for the Ex lists, the Ex form */
	PVOID Free;     /* 0x38 */
	LIST_ENTRY ListEntry;
	ULONG LastTotalAllocates;
	ULONG LastAllocateMisses;
	ULONG Future[2];
} GENERAL_LOOKASIDE, *PGENERAL_LOOKASIDE;
_Static_assert(sizeof(GENERAL_LOOKASIDE) == 0x60, "AB-20: LOOKASIDE_LIST_EX");

typedef struct _NPAGED_LOOKASIDE_LIST {
	GENERAL_LOOKASIDE L;
	UCHAR Padding[32];
} NPAGED_LOOKASIDE_LIST, *PNPAGED_LOOKASIDE_LIST, *PPAGED_LOOKASIDE_LIST;
_Static_assert(sizeof(NPAGED_LOOKASIDE_LIST) == 128, "AB-20");

VOID NTAPI ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside,
					   ALLOCATE_FUNCTION *Allocate, FREE_FUNCTION *Free,
					   ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth);
VOID NTAPI ExInitializePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside,
					  ALLOCATE_FUNCTION *Allocate, FREE_FUNCTION *Free,
					  ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth);
VOID NTAPI ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside);
VOID NTAPI ExDeletePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside);
PVOID NTAPI ExAllocateFromNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside);
VOID NTAPI ExFreeToNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry);

typedef GENERAL_LOOKASIDE LOOKASIDE_LIST_EX, *PLOOKASIDE_LIST_EX;
typedef PVOID NTAPI ALLOCATE_FUNCTION_EX(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag,
					 PLOOKASIDE_LIST_EX Lookaside);
typedef VOID NTAPI FREE_FUNCTION_EX(PVOID Buffer, PLOOKASIDE_LIST_EX Lookaside);

NTSTATUS NTAPI ExInitializeLookasideListEx(PLOOKASIDE_LIST_EX Lookaside,
					   ALLOCATE_FUNCTION_EX *Allocate, FREE_FUNCTION_EX *Free,
					   POOL_TYPE PoolType, ULONG Flags, SIZE_T Size, ULONG Tag,
					   USHORT Depth);
VOID NTAPI ExDeleteLookasideListEx(PLOOKASIDE_LIST_EX Lookaside);
VOID NTAPI ExFlushLookasideListEx(PLOOKASIDE_LIST_EX Lookaside);
PVOID NTAPI ExAllocateFromLookasideListEx(PLOOKASIDE_LIST_EX Lookaside);
VOID NTAPI ExFreeToLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PVOID Entry);

#endif
