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

/* The mutex itself, whatever IRQL and APCs: for guarded mutexes, which have the same
 * form. `kind` is for reports. A bug check when the thread has it already, or not. */
void ex_take_mutex(PFAST_MUTEX mutex, const char *kind);
bool ex_try_mutex(PFAST_MUTEX mutex);
void ex_give_mutex(PFAST_MUTEX mutex, const char *kind);

VOID NTAPI ExAcquireFastMutex(PFAST_MUTEX FastMutex);
VOID NTAPI ExReleaseFastMutex(PFAST_MUTEX FastMutex);
VOID NTAPI ExAcquireFastMutexUnsafe(PFAST_MUTEX FastMutex);
VOID NTAPI ExReleaseFastMutexUnsafe(PFAST_MUTEX FastMutex);
BOOLEAN NTAPI ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex);

#endif
