/* SPDX-License-Identifier: MIT */
/*
 * Waiting for dispatcher objects.
 *
 * A wait is tried under the dispatcher lock; if it cannot be had at once, the thread
 * enlists (dispatcher.c) and its host thread sleeps on a futex until somebody hands
 * it what it waits for, its time is over, an alert comes, or a kernel APC wants
 * the thread, after which it waits on, to the same point in time.
 *
 * The wait blocks are ours, on the waiting thread's stack; a driver's array of them is
 * only asked for where NT insists on it.
 *
 * Relative times are measured by a clock that setting the system time does not
 * move, absolute ones by the system time, as NT has it.
 *
 * Clauses: VF-12, VF-15. Pages: KeWaitForSingleObject, KeWaitForMultipleObjects,
 * KeDelayExecutionThread.
 */
#include "ke/wait.h"
#include "clock.h"
#include "ex/restraint.h"
#include "ke/apc.h"
#include "ke/bugcheck.h"
#include "ke/helper.h"
#include "ke/thread.h"
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- Time-outs ----------------------------------------------------------------------- */

struct deadline {
	enum { NEVER, AT_ONCE, INTERRUPT_TIME, SYSTEM_TIME } kind;
	struct timespec at; /* CLOCK_MONOTONIC, or CLOCK_REALTIME for SYSTEM_TIME */
};

#define UNITS_PER_SECOND 10000000ull
#define SECONDS_1601_TO_1970 11644473600ull

static struct timespec time_of(ULONG64 units)
{
	return (struct timespec){.tv_sec = (time_t)(units / UNITS_PER_SECOND),
				 .tv_nsec = (long)(units % UNITS_PER_SECOND * 100)};
}

static struct deadline deadline_of(const LARGE_INTEGER *timeout)
{
	if (!timeout)
		return (struct deadline){.kind = NEVER};
	LONGLONG units = timeout->QuadPart;
	if (units == 0)
		return (struct deadline){.kind = AT_ONCE};
	if (units < 0) /* -units overflows for the least of them, as unsigned rightly */
		return (struct deadline){INTERRUPT_TIME,
					 time_of(host_clock() / 100 + (0 - (ULONG64)units))};
	ULONG64 epoch = SECONDS_1601_TO_1970 * UNITS_PER_SECOND;
	return (struct deadline){SYSTEM_TIME,
				 time_of((ULONG64)units > epoch ? (ULONG64)units - epoch : 0)};
}

/* ---- Rules --------------------------------------------------------------------------- */

/* What Driver Verifier stops (VF-12). */
static void check_irql(const void *object, const LARGE_INTEGER *timeout)
{
	KIRQL irql = ke_processor()->pcr.irql;
	ULONG rule;
	if (irql < DISPATCH_LEVEL)
		return;
	if (irql > DISPATCH_LEVEL)
		rule = 0x120;
	else if (!timeout)
		rule = 0x121;
	else if (timeout->QuadPart != 0)
		rule = 0x122;
	else
		return;
	KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, rule, irql, object, timeout,
		     "a thread would wait at IRQL %u%s", irql,
		     rule == 0x121   ? " without a time-out"
		     : rule == 0x122 ? " with a time-out that is not zero"
				     : "");
}

static bool is_on_this_stack(const void *object)
{
	pthread_attr_t attributes;
	void *low = NULL;
	size_t size = 0;
	if (pthread_getattr_np(pthread_self(), &attributes))
		return false;
	pthread_attr_getstack(&attributes, &low, &size);
	pthread_attr_destroy(&attributes);
	return (uintptr_t)object - (uintptr_t)low < size;
}

/* In a user-mode wait NT may page the kernel stack out, and the object with it. */
static void check_stack_object(const void *object, KPROCESSOR_MODE mode)
{
	if (mode != KernelMode && is_on_this_stack(object))
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x123, ke_processor()->pcr.irql,
			     object, 0, "a user-mode wait for an object on the kernel stack");
}

/* ---- The wait --------------------------------------------------------------------------- */

/* Whether an alert ends this wait; it is used up by that. Under the lock. */
static bool take_alert(struct ke_thread *thread, const struct ke_waiter *waiter)
{
	KPROCESSOR_MODE mode = waiter->mode;
	if (!waiter->alertable)
		return false;
	if (!thread->alerted[mode])
		mode = KernelMode; /* which alerts user-mode waits too */
	bool alerted = thread->alerted[mode];
	thread->alerted[mode] = false;
	return alerted;
}

/* Sleeps until woken or late. Returns the state found. */
static int sleep_until(struct ke_waiter *waiter, const struct deadline *deadline)
{
	ex_restrain("waits");
	int operation = FUTEX_WAIT_BITSET_PRIVATE, state;
	const struct timespec *at = deadline->kind == NEVER ? NULL : &deadline->at;
	if (deadline->kind == SYSTEM_TIME)
		operation |= FUTEX_CLOCK_REALTIME;
	if (!ke_sleeper_begins(waiter))
		return KE_ENDED;
	long result = 0;
	while ((state = atomic_load_explicit(&waiter->state, memory_order_acquire)) == KE_ASLEEP &&
	       !(result < 0 && errno == ETIMEDOUT))
		result = syscall(SYS_futex, &waiter->state, operation, KE_ASLEEP, at, NULL,
				 FUTEX_BITSET_MATCH_ANY);
	ke_sleeper_ends(waiter);
	return state;
}

/* How the wait ended: its time is over, unless somebody was faster. The lock is taken in
 * any case, so that whoever signalled is done with the object, which may be gone with
 * this thread's stack frame when it returns. */
static NTSTATUS end_of_wait(struct ke_waiter *waiter)
{
	ke_lock_dispatcher();
	if (atomic_load_explicit(&waiter->state, memory_order_relaxed) == KE_ASLEEP)
		ke_wake(waiter, STATUS_TIMEOUT);
	NTSTATUS status = waiter->status;
	ke_unlock_dispatcher();
	return status;
}

/* One try. Called with the lock, returns without. */
static NTSTATUS wait_once(struct ke_waiter *waiter, const struct deadline *deadline)
{
	struct ke_thread *thread = waiter->thread;
	NTSTATUS status;
	atomic_init(&waiter->state, KE_ASLEEP);
	if (ke_satisfy(waiter))
		status = waiter->status;
	else if (take_alert(thread, waiter))
		status = STATUS_ALERTED;
	else if (deadline->kind == AT_ONCE)
		status = STATUS_TIMEOUT;
	else if (ke_apc_is_due(thread, waiter->irql))
		status = KE_STATUS_KERNEL_APC;
	else {
		ke_enlist(waiter);
		ke_unlock_dispatcher();
		int state = sleep_until(waiter, deadline);
		if (state == KE_ENDED)
			ke_abandon_wait(waiter);
		return end_of_wait(waiter);
	}
	ke_unlock_dispatcher();
	return status;
}

/* `first` is what enters the lock: the object is checked. */
static NTSTATUS wait(struct ke_waiter *waiter, const LARGE_INTEGER *timeout, const char *caller)
{
	struct deadline deadline = deadline_of(timeout);
	struct ke_processor *self = ke_processor();
	NTSTATUS status;
	waiter->thread = ke_thread_of(self->pcr.current_thread);
	waiter->irql = self->pcr.irql;
	waiter->helper = self->helper;
	for (;;) {
		if (waiter->count)
			ke_enter_dispatcher(waiter->block[0].object, caller);
		else
			ke_lock_dispatcher();
		status = wait_once(waiter, &deadline);
		if (status != KE_STATUS_KERNEL_APC)
			break;
		ke_deliver_apcs();
	}
	/* A mutex that it has now keeps the thread in a critical region (mutex.c). */
	waiter->thread->kernel_apc_disable -= waiter->critical_regions;
	return status;
}

/* ---- Exports ------------------------------------------------------------------------------ */

NTSTATUS NTAPI KeWaitForSingleObject(PVOID Object, ULONG WaitReason, KPROCESSOR_MODE WaitMode,
				     BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
	(void)WaitReason;
	check_irql(Object, Timeout);
	check_stack_object(Object, WaitMode);
	struct ke_wait_block block = {.object = Object};
	struct ke_waiter waiter = {.block = &block,
				   .count = 1,
				   .alertable = Alertable,
				   .mode = WaitMode != KernelMode};
	return wait(&waiter, Timeout, "KeWaitForSingleObject");
}

static void check_count(ULONG count, const void *blocks)
{
	if (count == 0 || count > (blocks ? MAXIMUM_WAIT_OBJECTS : THREAD_WAIT_OBJECTS))
		KE_BUG_CHECK(KE_MAXIMUM_WAIT_OBJECTS_EXCEEDED, count, blocks, 0, 0,
			     "KeWaitForMultipleObjects for %u objects%s", count,
			     blocks ? "" : " without a WaitBlockArray");
}

NTSTATUS NTAPI KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType,
					ULONG WaitReason, KPROCESSOR_MODE WaitMode,
					BOOLEAN Alertable, PLARGE_INTEGER Timeout,
					PVOID WaitBlockArray)
{
	(void)WaitReason;
	check_count(Count, WaitBlockArray);
	check_irql(Object[0], Timeout);
	struct ke_wait_block block[MAXIMUM_WAIT_OBJECTS];
	for (ULONG i = Count; i-- > 0;) {
		check_stack_object(Object[i], WaitMode);
		block[i].object = Object[i];
		ke_enter_dispatcher(Object[i], "KeWaitForMultipleObjects");
		ke_unlock_dispatcher();
	}
	struct ke_waiter waiter = {.block = block,
				   .count = Count,
				   .all = WaitType == WaitAll,
				   .alertable = Alertable,
				   .mode = WaitMode != KernelMode};
	return wait(&waiter, Timeout, "KeWaitForMultipleObjects");
}

NTSTATUS NTAPI KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
				      PLARGE_INTEGER Interval)
{
	struct ke_waiter waiter = {.alertable = Alertable, .mode = WaitMode != KernelMode};
	NTSTATUS status = wait(&waiter, Interval, "KeDelayExecutionThread");
	if (status != STATUS_TIMEOUT)
		return status;
	if (Interval->QuadPart == 0)
		sched_yield();
	return STATUS_SUCCESS;
}

/* Whether another thread ran meanwhile, only the host knows. */
NTSTATUS NTAPI ZwYieldExecution(void)
{
	sched_yield();
	return STATUS_SUCCESS;
}

BOOLEAN NTAPI KeAlertThread(PKTHREAD Thread, KPROCESSOR_MODE AlertMode)
{
	struct ke_thread *thread = ke_thread_of(Thread);
	KPROCESSOR_MODE mode = AlertMode != KernelMode;
	ke_enter_dispatcher(&thread->header, "KeAlertThread");
	bool before = thread->alerted[mode];
	struct ke_waiter *waiter = thread->waiter;
	if (!before && waiter && waiter->alertable && mode <= waiter->mode)
		ke_wake(waiter, STATUS_ALERTED);
	else
		thread->alerted[mode] = true;
	ke_unlock_dispatcher();
	return before;
}

BOOLEAN NTAPI KeTestAlertThread(KPROCESSOR_MODE AlertMode)
{
	struct ke_thread *thread = ke_thread_of(ke_current_thread());
	KPROCESSOR_MODE mode = AlertMode != KernelMode;
	ke_lock_dispatcher();
	bool before = thread->alerted[mode];
	thread->alerted[mode] = false;
	ke_unlock_dispatcher();
	return before;
}
