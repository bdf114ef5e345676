/* SPDX-License-Identifier: MIT */
/*
 * Spin locks: exclusion between host threads, at DISPATCH_LEVEL.
 *
 * The word holds the processor (ke/thread.h) of the holder, so that taking a lock
 * twice and releasing what one does not hold are seen, as Driver Verifier sees them
 * (VF-7); NT's word says only that it is held, and nobody else reads it. One word serves
 * the queued forms too. Their fairness is not kept: host threads are taken off the
 * CPU, so handing a lock to the one that has waited longest can mean to wait for
 * somebody who does not run. For the same reason who waits yields after a while.
 *
 * Ordering: taking is an acquire, releasing a release.
 */
#include "ke/spinlock.h"
#include "ke/bugcheck.h"
#include "ke/list.h"
#include "ke/spin.h"
#include "ke/thread.h"

static _Noreturn void rule_broken(PKSPIN_LOCK lock, const char *what)
{
	static const char rule[] = "SpinLock";
	KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x40009, (uintptr_t)rule,
		     (uintptr_t)lock, 0, "a spin lock was %s", what);
}

static bool try_to_take(PKSPIN_LOCK lock, const struct ke_processor *self)
{
	ULONG_PTR expected = 0;
	return atomic_compare_exchange_strong_explicit(lock, &expected, (uintptr_t)self,
						       memory_order_acquire, memory_order_relaxed);
}

static void take(PKSPIN_LOCK lock)
{
	const struct ke_processor *self = ke_processor();
	struct ke_spin spin = {0};
	while (!try_to_take(lock, self)) {
		if (atomic_load_explicit(lock, memory_order_relaxed) == (uintptr_t)self)
			rule_broken(lock, "acquired by the thread that holds it: on NT it would "
					  "spin for ever");
		ke_spin(&spin);
	}
}

static void give_back(PKSPIN_LOCK lock)
{
	if (atomic_load_explicit(lock, memory_order_relaxed) != (uintptr_t)ke_processor())
		rule_broken(lock, "released by a thread that does not hold it");
	atomic_store_explicit(lock, 0, memory_order_release);
}

static void check_release_irql(const volatile void *lock)
{
	KIRQL irql = ke_processor()->pcr.irql;
	if (irql != DISPATCH_LEVEL)
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x32, irql, (uintptr_t)lock, 0,
			     "a spin lock was released at IRQL %u, not DISPATCH_LEVEL", irql);
}

/* A device level stays what it is. */
static KIRQL raise_to_dispatch(void)
{
	KIRQL irql = ke_processor()->pcr.irql;
	return irql < DISPATCH_LEVEL ? ke_set_irql(DISPATCH_LEVEL) : irql;
}

VOID NTAPI KeInitializeSpinLock(PKSPIN_LOCK SpinLock)
{
	atomic_store_explicit(SpinLock, 0, memory_order_relaxed);
}

KIRQL NTAPI KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock)
{
	KIRQL old = KfRaiseIrql(DISPATCH_LEVEL);
	take(SpinLock);
	return old;
}

VOID NTAPI KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql)
{
	check_release_irql(SpinLock);
	give_back(SpinLock);
	KfLowerIrql(NewIrql);
}

VOID NTAPI KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
	take(SpinLock);
}

VOID NTAPI KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock)
{
	give_back(SpinLock);
}

BOOLEAN NTAPI KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
	return try_to_take(SpinLock, ke_processor());
}

BOOLEAN NTAPI KeTestSpinLock(PKSPIN_LOCK SpinLock)
{
	return atomic_load_explicit(SpinLock, memory_order_relaxed) == 0;
}

KIRQL NTAPI KeAcquireSpinLockForDpc(PKSPIN_LOCK SpinLock)
{
	KIRQL old = raise_to_dispatch();
	take(SpinLock);
	return old;
}

VOID NTAPI KeReleaseSpinLockForDpc(PKSPIN_LOCK SpinLock, KIRQL OldIrql)
{
	give_back(SpinLock);
	KfLowerIrql(OldIrql);
}

/* ---- Queued ------------------------------------------------------------------------------ */

VOID NTAPI KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock,
						    PKLOCK_QUEUE_HANDLE LockHandle)
{
	LockHandle->Next = NULL;
	LockHandle->Lock = SpinLock;
	take(SpinLock);
}

VOID NTAPI KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE LockHandle)
{
	give_back(LockHandle->Lock);
}

VOID NTAPI KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle)
{
	LockHandle->OldIrql = KfRaiseIrql(DISPATCH_LEVEL);
	KeAcquireInStackQueuedSpinLockAtDpcLevel(SpinLock, LockHandle);
}

VOID NTAPI KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE LockHandle)
{
	KeReleaseSpinLock(LockHandle->Lock, LockHandle->OldIrql);
}

VOID NTAPI KeAcquireInStackQueuedSpinLockForDpc(PKSPIN_LOCK SpinLock,
						PKLOCK_QUEUE_HANDLE LockHandle)
{
	LockHandle->OldIrql = raise_to_dispatch();
	KeAcquireInStackQueuedSpinLockAtDpcLevel(SpinLock, LockHandle);
}

VOID NTAPI KeReleaseInStackQueuedSpinLockForDpc(PKLOCK_QUEUE_HANDLE LockHandle)
{
	KeReleaseSpinLockForDpc(LockHandle->Lock, LockHandle->OldIrql);
}

/* ---- Interlocked helpers ------------------------------------------------------------------- */

/* They may be called at any IRQL, and a lock that they use is used by nothing else. */
static KIRQL enter(PKSPIN_LOCK lock)
{
	KIRQL old = ke_set_irql(HIGH_LEVEL);
	take(lock);
	return old;
}

static void leave(PKSPIN_LOCK lock, KIRQL old)
{
	give_back(lock);
	ke_set_irql(old);
}

PLIST_ENTRY NTAPI ExInterlockedInsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry,
					      PKSPIN_LOCK Lock)
{
	KIRQL old = enter(Lock);
	PLIST_ENTRY before = list_empty(ListHead) ? NULL : ListHead->Flink;
	list_add_first(ListHead, ListEntry);
	leave(Lock, old);
	return before;
}

PLIST_ENTRY NTAPI ExInterlockedInsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry,
					      PKSPIN_LOCK Lock)
{
	KIRQL old = enter(Lock);
	PLIST_ENTRY before = list_empty(ListHead) ? NULL : ListHead->Blink;
	list_add_last(ListHead, ListEntry);
	leave(Lock, old);
	return before;
}

PLIST_ENTRY NTAPI ExInterlockedRemoveHeadList(PLIST_ENTRY ListHead, PKSPIN_LOCK Lock)
{
	KIRQL old = enter(Lock);
	PLIST_ENTRY first = list_empty(ListHead) ? NULL : ListHead->Flink;
	if (first)
		list_remove(first);
	leave(Lock, old);
	return first;
}

PSINGLE_LIST_ENTRY NTAPI ExInterlockedPopEntryList(PSINGLE_LIST_ENTRY ListHead, PKSPIN_LOCK Lock)
{
	KIRQL old = enter(Lock);
	PSINGLE_LIST_ENTRY first = ListHead->Next;
	if (first)
		ListHead->Next = first->Next;
	leave(Lock, old);
	return first;
}

PSINGLE_LIST_ENTRY NTAPI ExInterlockedPushEntryList(PSINGLE_LIST_ENTRY ListHead,
						    PSINGLE_LIST_ENTRY ListEntry, PKSPIN_LOCK Lock)
{
	KIRQL old = enter(Lock);
	PSINGLE_LIST_ENTRY before = ListHead->Next;
	ListEntry->Next = before;
	ListHead->Next = ListEntry;
	leave(Lock, old);
	return before;
}

ULONG NTAPI ExInterlockedAddUlong(PULONG Addend, ULONG Increment, PKSPIN_LOCK Lock)
{
	KIRQL old = enter(Lock);
	ULONG before = *Addend;
	*Addend = before + Increment;
	leave(Lock, old);
	return before;
}

LARGE_INTEGER NTAPI ExInterlockedAddLargeInteger(PLARGE_INTEGER Addend, LARGE_INTEGER Increment,
						 PKSPIN_LOCK Lock)
{
	KIRQL old = enter(Lock);
	LARGE_INTEGER before = *Addend;
	Addend->QuadPart = (LONGLONG)((ULONG64)before.QuadPart + (ULONG64)Increment.QuadPart);
	leave(Lock, old);
	return before;
}
