/* SPDX-License-Identifier: MIT */
/* Mutexes that threads wait for (KMUTEX), recursive and owned. */
#ifndef RINGSIDE_KE_MUTEX_H
#define RINGSIDE_KE_MUTEX_H

#include "ke/dispatcher.h"

typedef struct _KMUTANT {
	/* SignalState: 1 free, 0 held, below 0 held more than once. */
	DISPATCHER_HEADER Header;
	LIST_ENTRY MutantListEntry; /* of what OwnerThread holds */
	struct ke_thread *OwnerThread;
	BOOLEAN Abandoned;
	UCHAR ApcDisable; /* critical regions that holding it means */
} KMUTANT, *PKMUTANT, KMUTEX, *PKMUTEX;
_Static_assert(sizeof(KMUTANT) == 56, "AB-17");
_Static_assert(offsetof(KMUTANT, OwnerThread) == 40, "AB-17");

static inline PKMUTANT ke_mutant_of(const DISPATCHER_HEADER *header)
{
	return (PKMUTANT)(uintptr_t)header;
}

/* Gives a mutex to a thread that may have it. Returns the critical regions that the
 * thread has to enter. Under the dispatcher lock. */
LONG ke_take_mutant(PKMUTANT mutant, struct ke_thread *thread);

/* A thread ends: one that holds a mutex then ends in bug check 0x8A. */
void ke_check_no_mutex_held(struct ke_thread *thread);

VOID NTAPI KeInitializeMutex(PKMUTEX Mutex, ULONG Level);
/* The state before; 0 says that it is free now. The thread that does not own it gets the
 * exception STATUS_MUTANT_NOT_OWNED. */
LONG NTAPI KeReleaseMutex(PKMUTEX Mutex, BOOLEAN Wait);
LONG NTAPI KeReadStateMutex(PKMUTEX Mutex);

#endif
