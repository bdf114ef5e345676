/* SPDX-License-Identifier: MIT */
/*
 * Guarded mutexes. The lock is that of ex/fastmutex.c; the holder is in a guarded region
 * and at the IRQL it came with. Clauses: AB-18.
 */
#include "ke/guardedmutex.h"
#include "ke/thread.h"

VOID NTAPI KeInitializeGuardedMutex(PKGUARDED_MUTEX Mutex)
{
	*Mutex = (KGUARDED_MUTEX){.Count = 1};
	KeInitializeEvent(&Mutex->Event, SynchronizationEvent, FALSE);
}

VOID NTAPI KeAcquireGuardedMutex(PKGUARDED_MUTEX Mutex)
{
	KeEnterGuardedRegion();
	ex_take_mutex(Mutex, "guarded");
}

VOID NTAPI KeReleaseGuardedMutex(PKGUARDED_MUTEX Mutex)
{
	ex_give_mutex(Mutex, "guarded");
	KeLeaveGuardedRegion();
}

BOOLEAN NTAPI KeTryToAcquireGuardedMutex(PKGUARDED_MUTEX Mutex)
{
	KeEnterGuardedRegion();
	if (ex_try_mutex(Mutex))
		return TRUE;
	KeLeaveGuardedRegion();
	return FALSE;
}

VOID NTAPI KeAcquireGuardedMutexUnsafe(PKGUARDED_MUTEX Mutex)
{
	ex_take_mutex(Mutex, "guarded");
}

VOID NTAPI KeReleaseGuardedMutexUnsafe(PKGUARDED_MUTEX Mutex)
{
	ex_give_mutex(Mutex, "guarded");
}
