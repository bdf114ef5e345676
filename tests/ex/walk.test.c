/* SPDX-License-Identifier: MIT */
/*
 * What a walk through registrations leaves behind, and who waits for it: walks that
 * have ended, that a bug check has left, and whose thread has ended in the middle.
 */
#include "ke/apc.h"
#include "ke/bugcheck.h"
#include "support/bugcheck.h"
#include "support/parallel.h"
#include "support/record.h"
#include <stdlib.h>

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void notify(void *actor)
{
	ps_notify_thread_exit(((struct actor *)actor)->thread);
}

static void remove_routine(void *n)
{
	require(PsRemoveCreateThreadNotifyRoutine(thread_routine(*(unsigned *)n)) ==
		STATUS_SUCCESS);
}

static void remove_guarded(void *n)
{
	require(!ke_guard(remove_routine, n));
}

static bool is_done(void *job)
{
	return atomic_load(&((struct job *)job)->done);
}

/* ---- A walk that has ended ------------------------------------------------------------ */

static KAPC apc;
static unsigned zero = 0, one = 1;

static VOID NTAPI kernel_routine(PKAPC given, PKNORMAL_ROUTINE *routine, PVOID *context,
				 PVOID *argument1, PVOID *argument2)
{
	(void)given, (void)routine, (void)context, (void)argument1, (void)argument2;
}

/* The thread itself removes a routine, and waits for another that does. */
static VOID NTAPI normal_routine(PVOID context, PVOID argument1, PVOID argument2)
{
	(void)context, (void)argument1, (void)argument2;
	struct job job;
	remove_routine(&zero);
	job_start(&job, remove_routine, &one);
	require(eventually(is_done, &job));
	job_join(&job);
}

static void queue_apc(struct call *call)
{
	(void)call;
	KeInitializeApc(&apc, KeGetCurrentThread(), 0, kernel_routine, NULL, normal_routine,
			KernelMode, NULL);
	require(KeInsertQueueApc(&apc, NULL, NULL, 0));
}

static void apc_that_waited_for_the_last_routine_may_remove_routines(void **state)
{
	(void)state;
	struct actor actor = actor_start("a.exe");
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(thread_routine(0)));
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(thread_routine(1)));
	on_call(THREAD, 0, queue_apc);
	expect_no_bug_check(notify, &actor);
	remove_routine(&zero);
	remove_routine(&one);
	actor_end(&actor);
}

/* ---- A walk that a bug check has left --------------------------------------------------- */

static void bug_check(struct call *call)
{
	(void)call;
	KE_BUG_CHECK(KE_BAD_POOL_CALLER, 1, 2, 3, 4, "on purpose");
}

static void remove_what_crashed(void *actor)
{
	struct job job;
	require(!ke_guard(notify, actor));
	job_start(&job, remove_guarded, &zero);
	require(eventually(is_done, &job));
	job_join(&job);
	remove_routine(&one); /* which nobody is inside of */
}

static void remover_of_a_routine_that_crashed_leaves_the_dead_kernel(void **state)
{
	(void)state;
	struct bug_check_seen seen;
	struct actor actor = actor_start("a.exe");
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(thread_routine(0)));
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(thread_routine(1)));
	on_call(THREAD, 0, bug_check);
	run_for_bug_check(remove_what_crashed, &actor, &seen);
	assert_int_equal(seen.code, KE_BAD_POOL_CALLER);
	assert_int_equal(seen.wait_status, 0);
	remove_routine(&zero);
	remove_routine(&one);
	actor_end(&actor);
}

/* ---- A thread that ends in a walk ----------------------------------------------------- */

static void end_thread(struct call *call)
{
	(void)call;
	pthread_exit(NULL);
}

static void nobody_waits_for_a_thread_that_ended_in_a_walk(void **state)
{
	(void)state;
	struct job notifying, removing;
	struct actor actor = actor_start("a.exe");
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(thread_routine(0)));
	on_call(THREAD, 0, end_thread);
	job_start(&notifying, notify, &actor);
	job_join(&notifying);
	assert_false(is_done(&notifying));
	job_start(&removing, remove_routine, &zero);
	assert_true(eventually(is_done, &removing));
	job_join(&removing);
	actor_end(&actor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(apc_that_waited_for_the_last_routine_may_remove_routines),
		WORLD_TEST(remover_of_a_routine_that_crashed_leaves_the_dead_kernel),
		WORLD_TEST(nobody_waits_for_a_thread_that_ended_in_a_walk),
	};
	return cmocka_run_group_tests_name("ex/walk", tests, NULL, NULL);
}
