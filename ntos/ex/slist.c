/* SPDX-License-Identifier: MIT */
/*
 * Interlocked singly linked lists.
 *
 * The header is 16 bytes: depth, a sequence number and the first entry, changed as
 * one with cmpxchg16b. A pop reads first->Next before the exchange; the entry may have
 * been popped and reused meanwhile, in which case the sequence has moved and the
 * exchange fails (every push and pop moves it). Reading a popped entry is harmless as
 * long as its memory stays mapped, which is NT's own rule for users of these lists.
 */
#include "ex/slist.h"
#include "ke/bugcheck.h"
#include <stddef.h>

/* gcc's and clang's own 16-byte exchange needs -mcx16 or libatomic; this is what they
 * would emit. */
static bool exchange(PSLIST_HEADER head, SLIST_HEADER *expected, SLIST_HEADER desired)
{
	bool done;
	__asm__ volatile("lock cmpxchg16b %1"
			 : "=@ccz"(done), "+m"(head->whole), "+a"(expected->Low),
			   "+d"(expected->High)
			 : "b"(desired.Low), "c"(desired.High)
			 : "memory");
	return done;
}

static SLIST_HEADER load(PSLIST_HEADER head)
{
	SLIST_HEADER value;
	/* Torn reads are caught by the exchange. */
	value.Low = __atomic_load_n(&head->Low, __ATOMIC_ACQUIRE);
	value.High = __atomic_load_n(&head->High, __ATOMIC_ACQUIRE);
	return value;
}

static PSLIST_ENTRY first_of(const SLIST_HEADER *value)
{
	return (PSLIST_ENTRY)(uintptr_t)(value->NextEntry << 4);
}

static void set_first(SLIST_HEADER *value, PSLIST_ENTRY entry, int depth_change)
{
	value->NextEntry = (uintptr_t)entry >> 4;
	value->Depth = (USHORT)(value->Depth + (unsigned)depth_change);
	value->Sequence++;
}

VOID NTAPI InitializeSListHead(PSLIST_HEADER ListHead)
{
	if ((uintptr_t)ListHead & 15)
		KE_BUG_CHECK(KE_KMODE_EXCEPTION_NOT_HANDLED, STATUS_DATATYPE_MISALIGNMENT,
			     (uintptr_t)ListHead, 0, 0,
			     "an SLIST_HEADER at %p is not 16-byte aligned", (void *)ListHead);
	ListHead->Low = ListHead->High = 0;
}

PSLIST_ENTRY NTAPI ExpInterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry)
{
	SLIST_HEADER old = load(ListHead), wanted;
	do {
		wanted = old;
		__atomic_store_n(&ListEntry->Next, first_of(&old), __ATOMIC_RELAXED);
		set_first(&wanted, ListEntry, 1);
	} while (!exchange(ListHead, &old, wanted));
	return first_of(&old);
}

PSLIST_ENTRY NTAPI ExpInterlockedPopEntrySList(PSLIST_HEADER ListHead)
{
	SLIST_HEADER old = load(ListHead), wanted;
	PSLIST_ENTRY first;
	do {
		first = first_of(&old);
		if (!first)
			return NULL;
		wanted = old;
		set_first(&wanted, __atomic_load_n(&first->Next, __ATOMIC_RELAXED), -1);
	} while (!exchange(ListHead, &old, wanted));
	return first;
}

PSLIST_ENTRY NTAPI ExpInterlockedFlushSList(PSLIST_HEADER ListHead)
{
	SLIST_HEADER old = load(ListHead), wanted;
	do {
		if (!first_of(&old))
			return NULL;
		wanted = old;
		set_first(&wanted, NULL, -(int)old.Depth);
	} while (!exchange(ListHead, &old, wanted));
	return first_of(&old);
}

USHORT NTAPI ExQueryDepthSList(PSLIST_HEADER ListHead)
{
	return (USHORT)__atomic_load_n(&ListHead->Low, __ATOMIC_RELAXED);
}
