/* SPDX-License-Identifier: MIT */
/*
 * Fast mutexes. Initialisation is inlined into drivers (AB-18): Count 1, Owner and
 * Contention 0, and KeInitializeEvent on the event.
 */
#ifndef RINGSIDE_EX_FASTMUTEX_H
#define RINGSIDE_EX_FASTMUTEX_H

#include "ke/event.h"
#include <stdatomic.h>
#include <stddef.h>

struct ke_processor;

typedef struct _FAST_MUTEX {
	_Atomic LONG Count;
	PKTHREAD Owner;
	ULONG Contention;
	union {
		KEVENT Event;
		struct {
			UCHAR Header[8];
			struct ke_processor *Holder; /* the host thread that holds it */
		};
	};
	ULONG OldIrql; /* of the holder, to go back to */
} FAST_MUTEX, *PFAST_MUTEX;
_Static_assert(sizeof(FAST_MUTEX) == 56, "AB-18");
_Static_assert(offsetof(FAST_MUTEX, Owner) == 0x08, "AB-18");
_Static_assert(offsetof(FAST_MUTEX, Event) == 0x18, "AB-18");
_Static_assert(offsetof(FAST_MUTEX, OldIrql) == 0x30, "AB-18");

VOID NTAPI ExAcquireFastMutex(PFAST_MUTEX FastMutex);
VOID NTAPI ExReleaseFastMutex(PFAST_MUTEX FastMutex);
BOOLEAN NTAPI ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex);

#endif
