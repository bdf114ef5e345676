/* SPDX-License-Identifier: MIT */
/*
 * Reader-writer spin locks (EX_SPIN_LOCK): the number of readers, with the top bit for a
 * writer. A writer takes the bit first, which keeps new readers out, and waits for those
 * inside; so writers do not starve. Nobody is remembered as the holder: 32 bits have no
 * room for it.
 *
 * Clauses: VF-7. Page: ExAcquireSpinLockExclusive.
 */
#include "ke/bugcheck.h"
#include "ke/spin.h"
#include "ke/spinlock.h"
#include "ke/thread.h"

#define WRITER INT32_MIN

static _Noreturn void not_held(PEX_SPIN_LOCK lock, const char *how)
{
	static const char rule[] = "SpinLock";
	KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x40009, (uintptr_t)rule,
		     (uintptr_t)lock, 0, "a spin lock was released %s that is not held so", how);
}

static void lower(PEX_SPIN_LOCK lock, KIRQL irql)
{
	KIRQL current = ke_processor()->pcr.irql;
	if (current != DISPATCH_LEVEL)
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x32, current, (uintptr_t)lock,
			     0, "a spin lock was released at IRQL %u, not DISPATCH_LEVEL", current);
	KfLowerIrql(irql);
}

VOID NTAPI ExAcquireSpinLockExclusiveAtDpcLevel(PEX_SPIN_LOCK SpinLock)
{
	struct ke_spin spin = {0};
	while (atomic_fetch_or_explicit(SpinLock, WRITER, memory_order_acquire) & WRITER)
		ke_spin(&spin);
	while (atomic_load_explicit(SpinLock, memory_order_acquire) != WRITER)
		ke_spin(&spin);
}

VOID NTAPI ExReleaseSpinLockExclusiveFromDpcLevel(PEX_SPIN_LOCK SpinLock)
{
	if (!(atomic_fetch_and_explicit(SpinLock, ~WRITER, memory_order_release) & WRITER))
		not_held(SpinLock, "exclusive");
}

VOID NTAPI ExAcquireSpinLockSharedAtDpcLevel(PEX_SPIN_LOCK SpinLock)
{
	struct ke_spin spin = {0};
	LONG readers = atomic_load_explicit(SpinLock, memory_order_relaxed);
	while (readers < 0 ||
	       !atomic_compare_exchange_weak_explicit(SpinLock, &readers, readers + 1,
						      memory_order_acquire, memory_order_relaxed)) {
		ke_spin(&spin);
		readers = atomic_load_explicit(SpinLock, memory_order_relaxed);
	}
}

VOID NTAPI ExReleaseSpinLockSharedFromDpcLevel(PEX_SPIN_LOCK SpinLock)
{
	if (!(atomic_fetch_sub_explicit(SpinLock, 1, memory_order_release) & ~WRITER))
		not_held(SpinLock, "shared");
}

KIRQL NTAPI ExAcquireSpinLockExclusive(PEX_SPIN_LOCK SpinLock)
{
	KIRQL old = KfRaiseIrql(DISPATCH_LEVEL);
	ExAcquireSpinLockExclusiveAtDpcLevel(SpinLock);
	return old;
}

VOID NTAPI ExReleaseSpinLockExclusive(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql)
{
	ExReleaseSpinLockExclusiveFromDpcLevel(SpinLock);
	lower(SpinLock, OldIrql);
}

KIRQL NTAPI ExAcquireSpinLockShared(PEX_SPIN_LOCK SpinLock)
{
	KIRQL old = KfRaiseIrql(DISPATCH_LEVEL);
	ExAcquireSpinLockSharedAtDpcLevel(SpinLock);
	return old;
}

VOID NTAPI ExReleaseSpinLockShared(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql)
{
	ExReleaseSpinLockSharedFromDpcLevel(SpinLock);
	lower(SpinLock, OldIrql);
}

LONG NTAPI ExTryConvertSharedSpinLockExclusive(PEX_SPIN_LOCK SpinLock)
{
	LONG alone = 1;
	return atomic_compare_exchange_strong_explicit(SpinLock, &alone, WRITER,
						       memory_order_acquire, memory_order_relaxed);
}
