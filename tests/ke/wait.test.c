/* SPDX-License-Identifier: MIT */
/* Events, mutexes, semaphores, waits, alerts: on several host threads. */
#include "ke/wait.h"
#include "clock.h"
#include "ke/apc.h"
#include "ke/bugcheck.h"
#include "ke/event.h"
#include "ke/dpc.h"
#include "ke/mutex.h"
#include "ke/processor.h"
#include "ke/semaphore.h"
#include "ps/process.h"
#include "support/bugcheck.h"
#include "support/parallel.h"
#include "support/world.h"
#include <stdlib.h>
#include <string.h>

static LARGE_INTEGER milliseconds(int n)
{
	return (LARGE_INTEGER){.QuadPart = -10000LL * n};
}

static NTSTATUS look(void *object)
{
	LARGE_INTEGER zero = {0};
	return KeWaitForSingleObject(object, 0, KernelMode, FALSE, &zero);
}

static NTSTATUS wait_for(void *object)
{
	return KeWaitForSingleObject(object, 0, KernelMode, FALSE, NULL);
}

/* ---- One thread ------------------------------------------------------------------------ */

static void ab_17_sizes(void **state)
{
	(void)state;
	assert_int_equal(sizeof(KEVENT), 24);
	assert_int_equal(sizeof(KSEMAPHORE), 32);
	assert_int_equal(sizeof(KMUTANT), 56);
	assert_int_equal(sizeof(KAPC), 88);
}

static void notification_event_stays_set(void **state)
{
	(void)state;
	KEVENT event;
	KeInitializeEvent(&event, NotificationEvent, FALSE);
	assert_status(look(&event), STATUS_TIMEOUT);
	assert_int_equal(KeSetEvent(&event, 0, FALSE), 0);
	assert_int_equal(KeSetEvent(&event, 0, FALSE), 1);
	assert_ntsuccess(look(&event));
	assert_ntsuccess(look(&event));
	assert_int_equal(KeReadStateEvent(&event), 1);
	assert_int_equal(KeResetEvent(&event), 1);
	assert_status(look(&event), STATUS_TIMEOUT);
}

static void synchronization_event_lets_one_through(void **state)
{
	(void)state;
	KEVENT event;
	KeInitializeEvent(&event, SynchronizationEvent, TRUE);
	assert_ntsuccess(look(&event));
	assert_status(look(&event), STATUS_TIMEOUT);
	KeSetEvent(&event, 0, FALSE);
	KeClearEvent(&event);
	assert_status(look(&event), STATUS_TIMEOUT);
}

static void semaphore_counts(void **state)
{
	(void)state;
	KSEMAPHORE semaphore;
	KeInitializeSemaphore(&semaphore, 1, 3);
	assert_ntsuccess(look(&semaphore));
	assert_status(look(&semaphore), STATUS_TIMEOUT);
	assert_int_equal(KeReleaseSemaphore(&semaphore, 0, 2, FALSE), 0);
	assert_int_equal(KeReleaseSemaphore(&semaphore, 0, 1, FALSE), 2);
	assert_int_equal(KeReadStateSemaphore(&semaphore), 3);
	for (int i = 0; i < 3; i++)
		assert_ntsuccess(look(&semaphore));
	assert_status(look(&semaphore), STATUS_TIMEOUT);
}

static void mutex_is_recursive_and_a_critical_region(void **state)
{
	(void)state;
	KMUTEX mutex;
	KeInitializeMutex(&mutex, 0);
	assert_int_equal(KeReadStateMutex(&mutex), 1);
	assert_false(KeAreApcsDisabled());
	assert_ntsuccess(wait_for(&mutex));
	assert_true(KeAreApcsDisabled());
	assert_ntsuccess(wait_for(&mutex));
	assert_int_equal(KeReadStateMutex(&mutex), -1);
	assert_int_equal(KeReleaseMutex(&mutex, FALSE), -1);
	assert_true(KeAreApcsDisabled());
	assert_int_equal(KeReleaseMutex(&mutex, FALSE), 0);
	assert_false(KeAreApcsDisabled());
	assert_int_equal(KeReadStateMutex(&mutex), 1);
}

static void waiting_for_any_takes_the_first_that_is_there(void **state)
{
	(void)state;
	KEVENT event[3];
	PVOID objects[] = {&event[0], &event[1], &event[2]};
	LARGE_INTEGER zero = {0};
	for (int i = 0; i < 3; i++)
		KeInitializeEvent(&event[i], SynchronizationEvent, i > 0);
	assert_status(
		KeWaitForMultipleObjects(3, objects, WaitAny, 0, KernelMode, FALSE, &zero, NULL),
		1);
	assert_int_equal(KeReadStateEvent(&event[2]), 1);
	assert_status(
		KeWaitForMultipleObjects(3, objects, WaitAny, 0, KernelMode, FALSE, NULL, NULL), 2);
	assert_status(
		KeWaitForMultipleObjects(3, objects, WaitAny, 0, KernelMode, FALSE, &zero, NULL),
		STATUS_TIMEOUT);
}

static void waiting_for_all_takes_none_until_all_are_there(void **state)
{
	(void)state;
	KEVENT event[4];
	PVOID objects[] = {&event[0], &event[1], &event[2], &event[3]};
	UCHAR blocks[4 * 48];
	LARGE_INTEGER soon = milliseconds(5);
	for (int i = 0; i < 4; i++)
		KeInitializeEvent(&event[i], SynchronizationEvent, i > 0);
	assert_status(
		KeWaitForMultipleObjects(4, objects, WaitAll, 0, KernelMode, FALSE, &soon, blocks),
		STATUS_TIMEOUT);
	for (int i = 1; i < 4; i++)
		assert_int_equal(KeReadStateEvent(&event[i]), 1);
	KeSetEvent(&event[0], 0, FALSE);
	assert_ntsuccess(
		KeWaitForMultipleObjects(4, objects, WaitAll, 0, KernelMode, FALSE, NULL, blocks));
	for (int i = 0; i < 4; i++)
		assert_int_equal(KeReadStateEvent(&event[i]), 0);
}

static ULONG ran_on;

static VOID NTAPI note_processor(PKDPC dpc, PVOID context, PVOID first, PVOID second)
{
	(void)dpc;
	(void)first;
	(void)second;
	ran_on = KeGetCurrentProcessorNumberEx(NULL);
	KeSetEvent(context, 0, FALSE);
}

static void dpc_runs_on_the_processor_it_was_given(void **state)
{
	(void)state;
	KDPC dpc;
	KEVENT done;
	PROCESSOR_NUMBER last = {.Number = (UCHAR)(KeQueryActiveProcessorCount(NULL) - 1)};
	PROCESSOR_NUMBER none = {.Group = 1};
	KeInitializeEvent(&done, NotificationEvent, FALSE);
	KeInitializeDpc(&dpc, note_processor, &done);
	assert_ntsuccess(KeSetTargetProcessorDpcEx(&dpc, &last));
	assert_status(KeSetTargetProcessorDpcEx(&dpc, &none), STATUS_INVALID_PARAMETER);
	assert_true(KeInsertQueueDpc(&dpc, NULL, NULL));
	assert_ntsuccess(ZwYieldExecution());
	assert_ntsuccess(wait_for(&done));
	assert_int_equal(ran_on, last.Number);
}

/* At least as long as asked for; how much longer is for the machine to say. */
static void delay_and_time_outs_last(void **state)
{
	(void)state;
	LARGE_INTEGER interval = milliseconds(20), absolute;
	uint64_t began = host_clock();
	assert_ntsuccess(KeDelayExecutionThread(KernelMode, FALSE, &interval));
	assert_true(host_clock() - began >= 20000000);

	KEVENT event;
	KeInitializeEvent(&event, NotificationEvent, FALSE);
	began = host_clock();
	assert_status(KeWaitForSingleObject(&event, 0, KernelMode, FALSE, &interval),
		      STATUS_TIMEOUT);
	assert_true(host_clock() - began >= 20000000);

	absolute.QuadPart = (LONGLONG)host_nt_time() + 200000;
	assert_status(KeWaitForSingleObject(&event, 0, KernelMode, FALSE, &absolute),
		      STATUS_TIMEOUT);
	assert_true((LONGLONG)host_nt_time() >= absolute.QuadPart);
	absolute.QuadPart = 1; /* in 1601 */
	assert_status(KeWaitForSingleObject(&event, 0, KernelMode, FALSE, &absolute),
		      STATUS_TIMEOUT);
}

static void alert_ends_the_next_alertable_wait_of_its_mode(void **state)
{
	(void)state;
	LARGE_INTEGER soon = milliseconds(5);
	PKTHREAD self = KeGetCurrentThread();
	assert_false(KeTestAlertThread(KernelMode));
	assert_false(KeAlertThread(self, KernelMode));
	assert_true(KeAlertThread(self, KernelMode));
	assert_ntsuccess(KeDelayExecutionThread(KernelMode, FALSE, &soon));
	assert_status(KeDelayExecutionThread(KernelMode, TRUE, &soon), STATUS_ALERTED);
	assert_ntsuccess(KeDelayExecutionThread(KernelMode, TRUE, &soon));
	KeAlertThread(self, UserMode);
	assert_ntsuccess(KeDelayExecutionThread(KernelMode, TRUE, &soon));
	assert_status(KeDelayExecutionThread(UserMode, TRUE, &soon), STATUS_ALERTED);
	KeAlertThread(self, KernelMode);
	assert_true(KeTestAlertThread(KernelMode));
	assert_false(KeTestAlertThread(KernelMode));
}

static void process_and_thread_are_signalled_at_their_end(void **state)
{
	(void)state;
	struct actor actor = actor_start("C:\\a.exe");
	assert_status(look(actor.process), STATUS_TIMEOUT);
	assert_status(look(actor.thread), STATUS_TIMEOUT);
	rs_exit_process(actor.process, STATUS_SUCCESS);
	assert_ntsuccess(look(actor.process));
	assert_ntsuccess(look(actor.thread));
	rs_release(actor.thread);
	rs_release(actor.process);
}

/* ---- Several --------------------------------------------------------------------------------- */

#define WAITERS 4

struct waiter {
	void *object;
	PKTHREAD thread;
	atomic_bool ready;
	NTSTATUS status;
	struct job job;
};

static void wait_in_job(void *argument)
{
	struct waiter *waiter = argument;
	waiter->thread = KeGetCurrentThread();
	atomic_store(&waiter->ready, true);
	waiter->status = KeWaitForSingleObject(waiter->object, 0, KernelMode, TRUE, NULL);
}

static bool sleeps(void *argument)
{
	struct waiter *waiter = argument;
	if (!atomic_load(&waiter->ready))
		return false;
	ke_lock_dispatcher();
	bool asleep = ke_thread_of(waiter->thread)->waiter != NULL;
	ke_unlock_dispatcher();
	return asleep;
}

static void start_waiter(struct waiter *waiter, void *object)
{
	*waiter = (struct waiter){.object = object};
	job_start(&waiter->job, wait_in_job, waiter);
	assert_true(eventually(sleeps, waiter));
}

static void set_event_wakes_all_of_a_notification_event(void **state)
{
	(void)state;
	KEVENT event;
	struct waiter waiter[WAITERS];
	KeInitializeEvent(&event, NotificationEvent, FALSE);
	for (int i = 0; i < WAITERS; i++)
		start_waiter(&waiter[i], &event);
	KeSetEvent(&event, 0, FALSE);
	for (int i = 0; i < WAITERS; i++) {
		job_join(&waiter[i].job);
		assert_ntsuccess(waiter[i].status);
	}
}

static void pulse_wakes_who_waits_and_nobody_later(void **state)
{
	(void)state;
	KEVENT event;
	struct waiter waiter[2];
	KeInitializeEvent(&event, NotificationEvent, FALSE);
	for (int i = 0; i < 2; i++)
		start_waiter(&waiter[i], &event);
	assert_int_equal(KePulseEvent(&event, 0, FALSE), 0);
	for (int i = 0; i < 2; i++)
		job_join(&waiter[i].job);
	assert_status(look(&event), STATUS_TIMEOUT);
}

static bool is_done(void *argument)
{
	struct waiter *waiter = argument;
	return atomic_load(&waiter->job.done);
}

static void first_come_is_first_served(void **state)
{
	(void)state;
	KEVENT event;
	struct waiter waiter[WAITERS];
	KeInitializeEvent(&event, SynchronizationEvent, FALSE);
	for (int i = 0; i < WAITERS; i++)
		start_waiter(&waiter[i], &event);
	for (int i = 0; i < WAITERS; i++) {
		KeSetEvent(&event, 0, FALSE);
		assert_int_equal(KeReadStateEvent(&event), 0); /* handed on, not left to be taken */
		assert_true(eventually(is_done, &waiter[i]));
		job_join(&waiter[i].job);
		for (int later = i + 1; later < WAITERS; later++)
			assert_true(sleeps(&waiter[later]));
	}
}

static void alert_ends_a_wait(void **state)
{
	(void)state;
	KEVENT event;
	struct waiter waiter;
	KeInitializeEvent(&event, NotificationEvent, FALSE);
	start_waiter(&waiter, &event);
	KeAlertThread(waiter.thread, KernelMode);
	job_join(&waiter.job);
	assert_status(waiter.status, STATUS_ALERTED);
}

#define THREADS 4
#define ROUNDS 4000

struct contest {
	KMUTEX mutex;
	KSEMAPHORE semaphore;
	KEVENT event;
	unsigned long counter; /* not atomic: what is waited for makes it right */
};

static void count_under_mutex(void *argument)
{
	struct contest *contest = argument;
	for (int i = 0; i < ROUNDS; i++) {
		wait_for(&contest->mutex);
		contest->counter++;
		KeReleaseMutex(&contest->mutex, FALSE);
	}
}

static void count_under_semaphore(void *argument)
{
	struct contest *contest = argument;
	for (int i = 0; i < ROUNDS; i++) {
		wait_for(&contest->semaphore);
		contest->counter++;
		KeReleaseSemaphore(&contest->semaphore, 0, 1, FALSE);
	}
}

static void count_under_event(void *argument)
{
	struct contest *contest = argument;
	LARGE_INTEGER briefly = {.QuadPart = -1};
	for (int i = 0; i < ROUNDS; i++) {
		while (KeWaitForSingleObject(&contest->event, 0, KernelMode, FALSE, &briefly) !=
		       STATUS_SUCCESS)
			;
		contest->counter++;
		KeSetEvent(&contest->event, 0, FALSE);
	}
}

static void one_thread_at_a_time(void **state)
{
	(void)state;
	void (*const ways[])(void *) = {count_under_mutex, count_under_semaphore,
					count_under_event};
	for (int way = 0; way < 3; way++) {
		struct contest contest = {.counter = 0};
		struct job job[THREADS];
		KeInitializeMutex(&contest.mutex, 0);
		KeInitializeSemaphore(&contest.semaphore, 1, 1);
		KeInitializeEvent(&contest.event, SynchronizationEvent, TRUE);
		for (int i = 0; i < THREADS; i++)
			job_start(&job[i], ways[way], &contest);
		for (int i = 0; i < THREADS; i++)
			job_join(&job[i]);
		assert_int_equal(contest.counter, THREADS * ROUNDS);
	}
}

/* ---- Kernel APCs ------------------------------------------------------------------------------- */

struct apc_seen {
	KAPC apc;
	atomic_int kernel, normal;
	KIRQL kernel_irql, normal_irql;
	PKTHREAD thread;
};

static VOID NTAPI kernel_routine(PKAPC apc, PKNORMAL_ROUTINE *routine, PVOID *context,
				 PVOID *argument1, PVOID *argument2)
{
	(void)routine;
	(void)context;
	(void)argument1;
	(void)argument2;
	struct apc_seen *seen = (struct apc_seen *)apc;
	seen->kernel_irql = KeGetCurrentIrql();
	seen->thread = KeGetCurrentThread();
	atomic_fetch_add(&seen->kernel, 1);
}

static VOID NTAPI normal_routine(PVOID context, PVOID argument1, PVOID argument2)
{
	struct apc_seen *seen = context;
	seen->normal_irql = KeGetCurrentIrql();
	atomic_fetch_add(&seen->normal, argument1 == (PVOID)1 && argument2 == (PVOID)2 ? 1 : 1000);
}

static void init_apc(struct apc_seen *seen, PKTHREAD thread, bool normal)
{
	*seen = (struct apc_seen){0};
	KeInitializeApc(&seen->apc, thread, 0, kernel_routine, NULL, normal ? normal_routine : NULL,
			KernelMode, seen);
}

static void apc_to_itself_waits_for_the_end_of_regions(void **state)
{
	(void)state;
	struct apc_seen special, normal;
	init_apc(&special, KeGetCurrentThread(), false);
	init_apc(&normal, KeGetCurrentThread(), true);
	assert_true(KeInsertQueueApc(&special.apc, NULL, NULL, 0));
	assert_int_equal(special.kernel, 1);
	assert_int_equal(special.kernel_irql, APC_LEVEL);

	KeEnterGuardedRegion();
	KeEnterCriticalRegion();
	assert_true(KeInsertQueueApc(&normal.apc, (PVOID)1, (PVOID)2, 0));
	assert_false(KeInsertQueueApc(&normal.apc, (PVOID)3, (PVOID)4, 0));
	assert_true(KeInsertQueueApc(&special.apc, NULL, NULL, 0));
	assert_int_equal(special.kernel, 1);
	KeLeaveGuardedRegion();
	assert_int_equal(special.kernel, 2);
	assert_int_equal(normal.kernel, 0);
	KeLeaveCriticalRegion();
	assert_int_equal(normal.kernel, 1);
	assert_int_equal(normal.normal, 1);
	assert_int_equal(normal.normal_irql, PASSIVE_LEVEL);

	KIRQL old = KfRaiseIrql(DISPATCH_LEVEL);
	KeInsertQueueApc(&special.apc, NULL, NULL, 0);
	assert_int_equal(special.kernel, 2);
	KfLowerIrql(old);
	assert_int_equal(special.kernel, 3);
}

static bool has_run(void *argument)
{
	struct apc_seen *seen = argument;
	return atomic_load(&seen->kernel) == 1;
}

static void apc_interrupts_a_wait_that_goes_on(void **state)
{
	(void)state;
	KEVENT event;
	struct waiter waiter;
	struct apc_seen seen;
	KeInitializeEvent(&event, NotificationEvent, FALSE);
	start_waiter(&waiter, &event);
	init_apc(&seen, waiter.thread, false);
	assert_true(KeInsertQueueApc(&seen.apc, NULL, NULL, 0));
	assert_true(eventually(has_run, &seen));
	assert_ptr_equal(seen.thread, waiter.thread);
	assert_true(eventually(sleeps, &waiter));
	KeSetEvent(&event, 0, FALSE);
	job_join(&waiter.job);
	assert_ntsuccess(waiter.status);
}

static unsigned run_down;

static VOID NTAPI rundown_routine(PKAPC apc)
{
	(void)apc;
	run_down++;
}

static void user_apc_is_run_down_at_the_threads_end(void **state)
{
	(void)state;
	struct actor actor = actor_start("C:\\a.exe");
	KAPC apc, late;
	run_down = 0;
	KeInitializeApc(&apc, actor.thread, 0, kernel_routine, rundown_routine, normal_routine,
			UserMode, NULL);
	late = apc;
	assert_true(KeInsertQueueApc(&apc, NULL, NULL, 0));
	assert_int_equal(run_down, 0);
	rs_exit_process(actor.process, STATUS_SUCCESS);
	assert_int_equal(run_down, 1);
	assert_false(KeInsertQueueApc(&late, NULL, NULL, 0));
	rs_release(actor.thread);
	rs_release(actor.process);
}

/* ---- Mistakes -------------------------------------------------------------------------------------- */

static KEVENT common_event;

static void wait_at_dispatch(void *argument)
{
	KeInitializeEvent(&common_event, NotificationEvent, TRUE);
	NTSTATUS NTAPI (*wait)(PVOID, ULONG, KPROCESSOR_MODE, BOOLEAN,
			       PLARGE_INTEGER) = export_of("KeWaitForSingleObject");
	ke_set_irql(DISPATCH_LEVEL);
	if (wait(&common_event, 0, KernelMode, FALSE, argument) != STATUS_SUCCESS)
		abort();
}

static void vf_12_waiting_at_dispatch_level_is_only_for_looking(void **state)
{
	(void)state;
	LARGE_INTEGER zero = {0}, some = milliseconds(1);
	const struct bug_check_seen *seen = expect_bug_check(0xC4, wait_at_dispatch, NULL);
	assert_int_equal(seen->parameter[0], 0x121);
	seen = expect_bug_check(0xC4, wait_at_dispatch, &some);
	assert_int_equal(seen->parameter[0], 0x122);
	expect_no_bug_check(wait_at_dispatch, &zero);
}

static void wait_for_garbage(void *argument)
{
	look(argument);
}

static void object_that_was_not_initialized_is_told(void **state)
{
	(void)state;
	static UCHAR zeroes[64], freed[64];
	memset(freed, 0xDE, sizeof(freed));
	expect_bug_check(KE_CALLBACK_RULE_VIOLATION, wait_for_garbage, zeroes);
	expect_bug_check(KE_CALLBACK_RULE_VIOLATION, wait_for_garbage, freed);
}

static void wait_for_user_stack(void *argument)
{
	KEVENT event;
	(void)argument;
	KeInitializeEvent(&event, NotificationEvent, TRUE);
	KeWaitForSingleObject(&event, 0, UserMode, FALSE, NULL);
}

static void vf_12_user_mode_wait_for_a_stack_object(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(0xC4, wait_for_user_stack, NULL);
	assert_int_equal(seen->parameter[0], 0x123);
}

static void wait_for_too_many(void *argument)
{
	PVOID objects[4] = {&common_event, &common_event, &common_event, &common_event};
	KeInitializeEvent(&common_event, NotificationEvent, TRUE);
	KeWaitForMultipleObjects(4, objects, WaitAny, 0, KernelMode, FALSE, NULL, argument);
}

static void more_than_three_objects_need_wait_blocks(void **state)
{
	(void)state;
	UCHAR blocks[4 * 48];
	expect_bug_check(KE_MAXIMUM_WAIT_OBJECTS_EXCEEDED, wait_for_too_many, NULL);
	expect_no_bug_check(wait_for_too_many, blocks);
}

static void release_unowned_mutex(void *argument)
{
	(void)argument;
	KMUTEX mutex;
	KeInitializeMutex(&mutex, 0);
	KeReleaseMutex(&mutex, FALSE);
}

static void release_too_much(void *argument)
{
	(void)argument;
	KSEMAPHORE semaphore;
	KeInitializeSemaphore(&semaphore, 1, 2);
	KeReleaseSemaphore(&semaphore, 0, 2, FALSE);
}

static void exceptions_carry_their_status(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(KE_SYSTEM_THREAD_EXCEPTION_NOT_HANDLED,
							     release_unowned_mutex, NULL);
	assert_int_equal((ULONG)seen->parameter[0], (ULONG)STATUS_MUTANT_NOT_OWNED);
	seen = expect_bug_check(KE_SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, release_too_much, NULL);
	assert_int_equal((ULONG)seen->parameter[0], (ULONG)STATUS_SEMAPHORE_LIMIT_EXCEEDED);
}

static void end_with_mutex(void *argument)
{
	(void)argument;
	static KMUTEX mutex;
	struct actor actor = actor_start("C:\\a.exe");
	KeInitializeMutex(&mutex, 0);
	PETHREAD before = rs_become(actor.thread);
	wait_for(&mutex);
	rs_become(before);
	rs_exit_thread(actor.thread, STATUS_SUCCESS);
}

static void thread_that_ends_with_a_mutex_is_8a(void **state)
{
	(void)state;
	expect_bug_check(KE_THREAD_TERMINATE_HELD_MUTEX, end_with_mutex, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ab_17_sizes),
		WORLD_TEST(notification_event_stays_set),
		WORLD_TEST(synchronization_event_lets_one_through),
		WORLD_TEST(semaphore_counts),
		WORLD_TEST(mutex_is_recursive_and_a_critical_region),
		WORLD_TEST(waiting_for_any_takes_the_first_that_is_there),
		WORLD_TEST(waiting_for_all_takes_none_until_all_are_there),
		WORLD_TEST(dpc_runs_on_the_processor_it_was_given),
		WORLD_TEST(delay_and_time_outs_last),
		WORLD_TEST(alert_ends_the_next_alertable_wait_of_its_mode),
		WORLD_TEST(process_and_thread_are_signalled_at_their_end),
		WORLD_TEST(set_event_wakes_all_of_a_notification_event),
		WORLD_TEST(pulse_wakes_who_waits_and_nobody_later),
		WORLD_TEST(first_come_is_first_served),
		WORLD_TEST(alert_ends_a_wait),
		WORLD_TEST(one_thread_at_a_time),
		WORLD_TEST(apc_to_itself_waits_for_the_end_of_regions),
		WORLD_TEST(apc_interrupts_a_wait_that_goes_on),
		WORLD_TEST(user_apc_is_run_down_at_the_threads_end),
		WORLD_TEST(vf_12_waiting_at_dispatch_level_is_only_for_looking),
		WORLD_TEST(object_that_was_not_initialized_is_told),
		WORLD_TEST(vf_12_user_mode_wait_for_a_stack_object),
		WORLD_TEST(more_than_three_objects_need_wait_blocks),
		WORLD_TEST(exceptions_carry_their_status),
		WORLD_TEST(thread_that_ends_with_a_mutex_is_8a),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
