/* SPDX-License-Identifier: MIT */
/*
 * The locks are those of ex/pushlock.c; what differs is that acquiring one disables normal
 * kernel APCs, which the Ex kind expects of its caller.
 *
 * Page: FltAcquirePushLockExclusive.
 */
#include "flt/lock.h"
#include "ke/bugcheck.h"
#include "ke/thread.h"
#include <stdatomic.h>

VOID NTAPI FltInitializePushLock(PEX_PUSH_LOCK PushLock)
{
	ExInitializePushLock(PushLock);
}

VOID NTAPI FltDeletePushLock(PEX_PUSH_LOCK PushLock)
{
	if (atomic_load_explicit(&PushLock->State, memory_order_relaxed))
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0xEB, (uintptr_t)PushLock, 0, 0,
			     "FltDeletePushLock was called for a push lock that is held");
}

VOID NTAPI FltAcquirePushLockExclusive(PEX_PUSH_LOCK PushLock)
{
	KeEnterCriticalRegion();
	ex_push_lock_exclusive(PushLock);
}

VOID NTAPI FltAcquirePushLockShared(PEX_PUSH_LOCK PushLock)
{
	KeEnterCriticalRegion();
	ex_push_lock_shared(PushLock);
}

VOID NTAPI FltReleasePushLock(PEX_PUSH_LOCK PushLock)
{
	ex_push_unlock(PushLock);
	KeLeaveCriticalRegion();
}

VOID NTAPI FltAcquirePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
	(void)Flags;
	FltAcquirePushLockExclusive(PushLock);
}

VOID NTAPI FltAcquirePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
	(void)Flags;
	FltAcquirePushLockShared(PushLock);
}

VOID NTAPI FltReleasePushLockEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
	(void)Flags;
	FltReleasePushLock(PushLock);
}
