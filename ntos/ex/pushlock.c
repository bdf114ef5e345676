/* SPDX-License-Identifier: MIT */
/*
 * The lock word is a futex: 0 free, EXCLUSIVE, or the number of sharers. A
 * waiting exclusive owner announces itself in Waiters, so that new sharers wait
 * behind it and it is not starved. All-zero is a free lock.
 *
 * VF-11: acquiring or releasing with normal kernel APCs enabled is bug check
 * 0xC4/0xEA or 0xEB, as Driver Verifier has it.
 */
#include "ex/pushlock.h"
#include "futex.h"
#include "ke/bugcheck.h"
#include "ke/thread.h"
#include <stdatomic.h>

#define EXCLUSIVE 0x80000000u

void ex_push_lock_exclusive(PEX_PUSH_LOCK lock)
{
	ULONG value = 0;
	if (atomic_compare_exchange_strong_explicit(&lock->State, &value, EXCLUSIVE,
						    memory_order_acquire, memory_order_relaxed))
		return;
	atomic_fetch_add_explicit(&lock->Waiters, 1, memory_order_relaxed);
	for (;;) {
		value = 0;
		if (atomic_compare_exchange_strong_explicit(&lock->State, &value, EXCLUSIVE,
							    memory_order_acquire,
							    memory_order_relaxed))
			break;
		host_futex_wait(&lock->State, value);
	}
	atomic_fetch_sub_explicit(&lock->Waiters, 1, memory_order_relaxed);
}

void ex_push_lock_shared(PEX_PUSH_LOCK lock)
{
	for (;;) {
		ULONG value = atomic_load_explicit(&lock->State, memory_order_relaxed);
		bool blocked = (value & EXCLUSIVE) ||
			       (value &&
				atomic_load_explicit(&lock->Waiters, memory_order_relaxed));
		if (blocked)
			host_futex_wait(&lock->State, value);
		else if (atomic_compare_exchange_weak_explicit(&lock->State, &value, value + 1,
							       memory_order_acquire,
							       memory_order_relaxed))
			return;
	}
}

void ex_push_unlock(PEX_PUSH_LOCK lock)
{
	ULONG value = atomic_load_explicit(&lock->State, memory_order_relaxed);
	if (value == 0)
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0xEB, (uintptr_t)lock, 0, 0,
			     "a push lock was released that nobody holds");
	ULONG left = value & EXCLUSIVE
			     ? (atomic_store_explicit(&lock->State, 0, memory_order_release), 0)
			     : atomic_fetch_sub_explicit(&lock->State, 1, memory_order_release) - 1;
	/* Sharers that waited for an exclusive waiter look again when any of them leaves. */
	if (left == 0)
		host_futex_wake_all(&lock->State);
}

static void check_apcs(PEX_PUSH_LOCK lock, ULONG subcode, const char *what)
{
	if (!KeAreApcsDisabled())
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, subcode, KeGetCurrentIrql(),
			     (uintptr_t)lock, 0,
			     "a push lock was %s with normal kernel APCs enabled (VF-11)", what);
}

VOID NTAPI ExInitializePushLock(PEX_PUSH_LOCK PushLock)
{
	atomic_store_explicit(&PushLock->State, 0, memory_order_relaxed);
	atomic_store_explicit(&PushLock->Waiters, 0, memory_order_relaxed);
}

VOID NTAPI ExfAcquirePushLockExclusive(PEX_PUSH_LOCK PushLock)
{
	check_apcs(PushLock, 0xEA, "acquired");
	ex_push_lock_exclusive(PushLock);
}

VOID NTAPI ExfAcquirePushLockShared(PEX_PUSH_LOCK PushLock)
{
	check_apcs(PushLock, 0xEA, "acquired");
	ex_push_lock_shared(PushLock);
}

VOID NTAPI ExfReleasePushLock(PEX_PUSH_LOCK PushLock)
{
	check_apcs(PushLock, 0xEB, "released");
	ex_push_unlock(PushLock);
}

VOID NTAPI ExfReleasePushLockExclusive(PEX_PUSH_LOCK PushLock)
{
	ExfReleasePushLock(PushLock);
}

VOID NTAPI ExfReleasePushLockShared(PEX_PUSH_LOCK PushLock)
{
	ExfReleasePushLock(PushLock);
}

/* The WDK's Ex forms enter a critical region themselves and come here; flags choose
 * only how NT waits. */
VOID NTAPI ExAcquirePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
	(void)Flags;
	ExfAcquirePushLockExclusive(PushLock);
}

VOID NTAPI ExAcquirePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
	(void)Flags;
	ExfAcquirePushLockShared(PushLock);
}

VOID NTAPI ExReleasePushLockEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
	(void)Flags;
	ExfReleasePushLock(PushLock);
}

VOID NTAPI ExReleasePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
	ExReleasePushLockEx(PushLock, Flags);
}

VOID NTAPI ExReleasePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
	ExReleasePushLockEx(PushLock, Flags);
}
