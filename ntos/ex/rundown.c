/* SPDX-License-Identifier: MIT */
/*
 * The word counts users in steps of two; bit 0 says that run-down has begun, after
 * which nobody gets in. The one who waits sleeps on the low half of the word, which
 * changes with every release. All-zero is free and unused, as drivers that zero their
 * structures rely on.
 */
#include "ex/rundown.h"
#include "futex.h"
#include "ke/bugcheck.h"
#include <stdatomic.h>

#define ACTIVE 1ull
#define ONE_USER 2ull

static _Atomic uint32_t *low_half(PEX_RUNDOWN_REF ref)
{
	return (_Atomic uint32_t *)(void *)&ref->Count;
}

VOID NTAPI ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
	atomic_store_explicit(&RunRef->Count, 0, memory_order_relaxed);
}

VOID NTAPI ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
	atomic_store_explicit(&RunRef->Count, 0, memory_order_relaxed);
}

BOOLEAN NTAPI ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
	ULONG64 value = atomic_load_explicit(&RunRef->Count, memory_order_relaxed);
	while (!(value & ACTIVE))
		if (atomic_compare_exchange_weak_explicit(
			    &RunRef->Count, &value, value + ONE_USER * Count, memory_order_acquire,
			    memory_order_relaxed))
			return TRUE;
	return FALSE;
}

BOOLEAN NTAPI ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef)
{
	return ExAcquireRundownProtectionEx(RunRef, 1);
}

VOID NTAPI ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
	ULONG64 before = atomic_fetch_sub_explicit(&RunRef->Count, ONE_USER * Count,
						   memory_order_release);
	if (before < ONE_USER * Count)
		KE_BUG_CHECK(KE_CALLBACK_RULE_VIOLATION, (uintptr_t)RunRef, before / ONE_USER,
			     Count, 0,
			     "run-down protection was released %u times but held %llu times", Count,
			     (unsigned long long)(before / ONE_USER));
	if (before & ACTIVE)
		host_futex_wake_all(low_half(RunRef));
}

VOID NTAPI ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef)
{
	ExReleaseRundownProtectionEx(RunRef, 1);
}

VOID NTAPI ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef)
{
	ULONG64 value = atomic_fetch_or_explicit(&RunRef->Count, ACTIVE, memory_order_acquire) |
			ACTIVE;
	while (value != ACTIVE) {
		host_futex_wait(low_half(RunRef), (uint32_t)value);
		value = atomic_load_explicit(&RunRef->Count, memory_order_acquire);
	}
}

VOID NTAPI ExRundownCompleted(PEX_RUNDOWN_REF RunRef)
{
	atomic_store_explicit(&RunRef->Count, ACTIVE, memory_order_relaxed);
}
