/* SPDX-License-Identifier: MIT */
/*
 * Push locks: one word, shared or exclusive, not recursive. The caller has normal
 * kernel APCs disabled (VF-11).
 */
#ifndef RINGSIDE_EX_PUSHLOCK_H
#define RINGSIDE_EX_PUSHLOCK_H

#include <ringside/nt.h>

typedef struct _EX_PUSH_LOCK {
	_Atomic ULONG State;   /* futex: bit 31 exclusive, below it the sharers */
	_Atomic ULONG Waiters; /* exclusive ones that wait: sharers let them pass */
} EX_PUSH_LOCK, *PEX_PUSH_LOCK;
_Static_assert(sizeof(EX_PUSH_LOCK) == 8, "AB-19");

/* The operations, without the APC rule, for the filter manager's locks too. */
void ex_push_lock_exclusive(PEX_PUSH_LOCK lock);
void ex_push_lock_shared(PEX_PUSH_LOCK lock);
void ex_push_unlock(PEX_PUSH_LOCK lock);

VOID NTAPI ExInitializePushLock(PEX_PUSH_LOCK PushLock);
VOID NTAPI ExAcquirePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
VOID NTAPI ExAcquirePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
VOID NTAPI ExReleasePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
VOID NTAPI ExReleasePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
VOID NTAPI ExReleasePushLockEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
VOID NTAPI ExfAcquirePushLockExclusive(PEX_PUSH_LOCK PushLock);
VOID NTAPI ExfAcquirePushLockShared(PEX_PUSH_LOCK PushLock);
VOID NTAPI ExfReleasePushLockExclusive(PEX_PUSH_LOCK PushLock);
VOID NTAPI ExfReleasePushLockShared(PEX_PUSH_LOCK PushLock);
VOID NTAPI ExfReleasePushLock(PEX_PUSH_LOCK PushLock);

#endif
