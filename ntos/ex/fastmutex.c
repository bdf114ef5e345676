/* SPDX-License-Identifier: MIT */
/*
 * Fast mutexes: acquiring raises to APC_LEVEL, releasing goes back (AB-18).
 *
 * The state is Count, on which waiters sleep by futex(2):
 *
 *	 1	free
 *	 0	held
 *	-1	held, and somebody may be asleep
 *
 * Owner and OldIrql belong to the holder. The embedded event is not used as one;
 * its list head keeps the holder's processor instead, because the system thread is
 * current on several host threads at once, so Owner does not tell them apart.
 *
 * Ordering: the exchange that takes Count from 1 is an acquire, the one that puts
 * 1 back a release; the holder's fields are written and read in between.
 *
 * Carries out VF-11, and reports two mistakes that would hang or corrupt a real
 * system: acquiring what this thread already holds, and releasing what it does not.
 */
#include "ex/fastmutex.h"
#include "ke/bugcheck.h"
#include "ke/thread.h"
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { HELD_CONTENDED = -1, HELD = 0, FREE = 1 };

static void sleep_while_contended(_Atomic LONG *count)
{
	syscall(SYS_futex, count, FUTEX_WAIT_PRIVATE, HELD_CONTENDED, NULL, NULL, 0);
}

static void wake_one(_Atomic LONG *count)
{
	syscall(SYS_futex, count, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void take(PFAST_MUTEX mutex, struct ke_processor *self)
{
	mutex->Owner = self->pcr.current_thread;
	__atomic_store_n(&mutex->Holder, self, __ATOMIC_RELAXED);
}

/* Whether this host thread holds it. Only itself could make that true or false. */
static bool is_mine(PFAST_MUTEX mutex, const struct ke_processor *self)
{
	return atomic_load_explicit(&mutex->Count, memory_order_relaxed) != FREE &&
	       __atomic_load_n(&mutex->Holder, __ATOMIC_RELAXED) == self;
}

/* ---- Without IRQL ---------------------------------------------------------------------- */

void ex_take_mutex(PFAST_MUTEX mutex, const char *kind)
{
	struct ke_processor *self = ke_processor();
	LONG expected = FREE;
	if (is_mine(mutex, self))
		KE_BUG_CHECK(KE_CALLBACK_RULE_VIOLATION, mutex, self->pcr.current_thread, 0, 0,
			     "a %s mutex was acquired by the thread that holds it: on NT it "
			     "would wait for itself for ever",
			     kind);
	if (!atomic_compare_exchange_strong_explicit(&mutex->Count, &expected, HELD,
						     memory_order_acquire, memory_order_relaxed)) {
		__atomic_fetch_add(&mutex->Contention, 1, __ATOMIC_RELAXED);
		/* Whoever has slept cannot know whether others still do, so it leaves
		 * the mutex marked as contended. */
		while (atomic_exchange_explicit(&mutex->Count, HELD_CONTENDED,
						memory_order_acquire) != FREE)
			sleep_while_contended(&mutex->Count);
	}
	take(mutex, self);
}

bool ex_try_mutex(PFAST_MUTEX mutex)
{
	LONG expected = FREE;
	if (!atomic_compare_exchange_strong_explicit(&mutex->Count, &expected, HELD,
						     memory_order_acquire, memory_order_relaxed))
		return false;
	take(mutex, ke_processor());
	return true;
}

void ex_give_mutex(PFAST_MUTEX mutex, const char *kind)
{
	struct ke_processor *self = ke_processor();
	if (!is_mine(mutex, self))
		KE_BUG_CHECK(KE_THREAD_NOT_MUTEX_OWNER, self->pcr.current_thread, mutex, 0, 0,
			     "a %s mutex was released by a thread that does not hold it", kind);
	mutex->Owner = NULL;
	__atomic_store_n(&mutex->Holder, NULL, __ATOMIC_RELAXED);
	if (atomic_exchange_explicit(&mutex->Count, FREE, memory_order_release) == HELD_CONTENDED)
		wake_one(&mutex->Count);
}

/* ---- With it ----------------------------------------------------------------------------- */

static KIRQL raise_for(PFAST_MUTEX mutex, const struct ke_processor *self)
{
	if (self->pcr.irql > APC_LEVEL)
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x33, self->pcr.irql, mutex, 0,
			     "a fast mutex was acquired at IRQL %u, above APC_LEVEL",
			     self->pcr.irql);
	return ke_set_irql(APC_LEVEL);
}

VOID NTAPI ExAcquireFastMutex(PFAST_MUTEX FastMutex)
{
	KIRQL old = raise_for(FastMutex, ke_processor());
	ex_take_mutex(FastMutex, "fast");
	FastMutex->OldIrql = old;
}

BOOLEAN NTAPI ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex)
{
	KIRQL old = raise_for(FastMutex, ke_processor());
	if (!ex_try_mutex(FastMutex)) {
		ke_set_irql(old);
		return FALSE;
	}
	FastMutex->OldIrql = old;
	return TRUE;
}

VOID NTAPI ExReleaseFastMutex(PFAST_MUTEX FastMutex)
{
	struct ke_processor *self = ke_processor();
	if (self->pcr.irql != APC_LEVEL)
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x34, self->pcr.irql, FastMutex,
			     0, "a fast mutex was released at IRQL %u, not APC_LEVEL",
			     self->pcr.irql);
	KIRQL old = (KIRQL)FastMutex->OldIrql;
	ex_give_mutex(FastMutex, "fast");
	KfLowerIrql(old);
}

/* The unsafe forms leave it to the caller that APCs are off. */
VOID NTAPI ExAcquireFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
	ex_take_mutex(FastMutex, "fast");
}

VOID NTAPI ExReleaseFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
	ex_give_mutex(FastMutex, "fast");
}
