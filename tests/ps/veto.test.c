/* SPDX-License-Identifier: MIT */
/*
 * CreationStatus: PS-49 to PS-54, C-5.
 */
#include "support/record.h"

static NTSTATUS store[4]; /* what ex routine n leaves in CreationStatus */

static void store_status(struct call *call)
{
	if (call->create)
		call->info->CreationStatus = store[call->who];
}

static void add_ex(unsigned n)
{
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(n), FALSE));
}

static void add_ex_storing(unsigned n, NTSTATUS status)
{
	add_ex(n);
	store[n] = status;
	on_call(EX, n, store_status);
}

static NTSTATUS try_to_start(struct actor *actor)
{
	*actor = (struct actor){NULL, NULL};
	return rs_create_user_process(&(struct rs_process_spec){.image = "a.exe"}, &actor->process,
				      &actor->thread, NULL, NULL);
}

static NTSTATUS try_to_live(void)
{
	struct actor actor;
	NTSTATUS status = try_to_start(&actor);
	if (NT_SUCCESS(status))
		actor_end(&actor);
	return status;
}

static void ps_49_veto_fails_the_creation_and_nothing_runs(void **state)
{
	(void)state;
	PEPROCESS process;
	PETHREAD thread = NULL, second = NULL;
	add_ex_storing(0, STATUS_ACCESS_DENIED);
	assert_ntsuccess(PsSetCreateThreadNotifyRoutineEx(PsCreateThreadNotifyNonSystem,
							  (PVOID)(uintptr_t)thread_routine(1)));
	assert_ntsuccess(rs_create_process(&(struct rs_process_spec){.image = "a"}, &process));
	assert_status(rs_create_thread(process, &thread), STATUS_ACCESS_DENIED);
	assert_null(thread);
	assert_heard("ex0+ ex0-"); /* no thread began to run */
	assert_int_equal(process->live_threads, 0);
	assert_status(PsGetProcessExitStatus(process), STATUS_ACCESS_DENIED);
	/* Nor can another thread be put into it. */
	assert_status(rs_create_thread(process, &second), STATUS_PROCESS_IS_TERMINATING);
	assert_null(second);
	assert_heard("");
	rs_release(process);
}

static void ps_49_vetoed_creator_gets_nothing(void **state)
{
	(void)state;
	struct actor actor;
	HANDLE process_handle = NULL, thread_handle = NULL;
	add_ex_storing(0, STATUS_ACCESS_DENIED);
	watch('A', "1000", PROCESSES | THREADS);
	actor = (struct actor){NULL, NULL};
	assert_status(rs_create_user_process(&(struct rs_process_spec){.image = "a.exe"},
					     &actor.process, &actor.thread, &process_handle,
					     &thread_handle),
		      STATUS_ACCESS_DENIED);
	assert_null(actor.process);
	assert_null(actor.thread);
	assert_null(process_handle);
	assert_null(thread_handle);
	assert_heard("ex0+ ex0-");
	PEPROCESS found;
	assert_status(PsLookupProcessByProcessId((HANDLE)heard(0)->process_id, &found),
		      STATUS_INVALID_PARAMETER);
}

static void ps_50_veto_does_not_cut_the_dispatch_short(void **state)
{
	(void)state;
	add_ex(0);
	add_ex_storing(1, STATUS_ACCESS_DENIED);
	add_ex(2);
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(legacy_routine(3), FALSE));
	assert_ntsuccess(
		PsSetCreateProcessNotifyRoutineEx2(0, (PVOID)(uintptr_t)ex_routine(4), FALSE));
	assert_status(try_to_live(), STATUS_ACCESS_DENIED);
	assert_heard("ex0+ ex1+ ex2+ legacy3+ ex4+ ex0- ex1- ex2- legacy3- ex4-");
	assert_ntsuccess(heard(0)->told.CreationStatus);
	assert_ntsuccess(heard(1)->told.CreationStatus);
	assert_status(heard(2)->told.CreationStatus, STATUS_ACCESS_DENIED);
	assert_status(heard(4)->told.CreationStatus, STATUS_ACCESS_DENIED);
}

static void ps_51_last_slot_decides_inferred(void **state)
{
	(void)state;
	add_ex_storing(0, STATUS_ACCESS_DENIED);
	add_ex_storing(1, STATUS_INSUFFICIENT_RESOURCES);
	assert_status(try_to_live(), STATUS_INSUFFICIENT_RESOURCES);
	add_ex_storing(2, STATUS_SUCCESS);
	assert_ntsuccess(try_to_live());
	add_ex_storing(3, STATUS_CANCELLED);
	assert_status(try_to_live(), STATUS_CANCELLED);
}

/* every severity but success and information. */
static void ps_52_whatever_fails_nt_success_vetoes_inferred(void **state)
{
	(void)state;
	static const uint32_t failing[] = {0x80000005, 0x80000000, 0xC0000001, 0xFFFFFFFF};
	static const uint32_t passing[] = {0x00000103, 0x40000000, 0x7FFFFFFF};
	add_ex_storing(0, STATUS_SUCCESS);
	for (unsigned i = 0; i < 4; i++) {
		store[0] = (NTSTATUS)failing[i];
		assert_status(try_to_live(), failing[i]);
	}
	for (unsigned i = 0; i < 3; i++) {
		store[0] = (NTSTATUS)passing[i];
		assert_true(NT_SUCCESS(try_to_live()));
	}
}

static void ps_53_creator_gets_the_stored_status(void **state)
{
	(void)state;
	static const NTSTATUS stored[] = {STATUS_ACCESS_DENIED, STATUS_NO_MEMORY,
					  (NTSTATUS)0xE0001234};
	add_ex_storing(0, STATUS_SUCCESS);
	for (unsigned i = 0; i < 3; i++) {
		store[0] = stored[i];
		assert_status(try_to_live(), stored[i]);
	}
}

/* ---- What follows a veto ---------------------------------------------------------------- */

static struct {
	bool initial;
	ULONG64 thread_id;
} at_exit;

static void look_at_current_thread(struct call *call)
{
	if (call->create)
		return;
	at_exit.initial = call->current_thread->initial;
	at_exit.thread_id = id_of_thread(call->current_thread);
}

/* thread routines hear nothing of the initial thread. */
static void ps_54_c_05_vetoed_process_exits_on_its_initial_thread_inferred(void **state)
{
	(void)state;
	add_ex_storing(0, STATUS_ACCESS_DENIED);
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(legacy_routine(1), FALSE));
	add_ex(2);
	on_call(EX, 2, look_at_current_thread);
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(thread_routine(3)));
	PETHREAD before = KeGetCurrentThread();
	assert_status(try_to_live(), STATUS_ACCESS_DENIED);
	assert_ptr_equal(KeGetCurrentThread(), before);
	assert_heard("ex0+ legacy1+ ex2+ ex0- legacy1- ex2-");
	for (unsigned i = 3; i < 6; i++) {
		assert_int_equal(heard(i)->process_id, heard(0)->process_id);
		assert_ptr_equal(heard(i)->current_process, heard(0)->process);
	}
	assert_true(at_exit.initial);
	assert_int_not_equal(at_exit.thread_id, id_of_thread(before));
}

static void ps_54_observed_profile_tells_the_exit_too_inferred(void **state)
{
	(void)state;
	add_ex_storing(0, STATUS_ACCESS_DENIED);
	assert_status(try_to_live(), STATUS_ACCESS_DENIED);
	assert_heard("ex0+ ex0-");
}

static void c_05_ps_54_switch_silences_the_exit_of_a_vetoed_process_inferred(void **state)
{
	(void)state;
	world_with_switch(5, true);
	add_ex_storing(0, STATUS_ACCESS_DENIED);
	assert_status(try_to_live(), STATUS_ACCESS_DENIED);
	assert_heard("ex0+");
	store[0] = STATUS_SUCCESS;
	assert_ntsuccess(try_to_live());
	assert_heard("ex0+ ex0-");
}

/* No routine heard of a creation that failed before the dispatch; nor of its end. */
static void ps_60_creation_without_memory_is_not_told_at_all(void **state)
{
	(void)state;
	add_ex(0);
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(thread_routine(1)));
	for (unsigned n = 0;; n++) {
		fail_allocation("ntos/p", n);
		NTSTATUS status = try_to_live();
		if (stop_failing() == 0) {
			assert_true(n >= 4);
			break;
		}
		assert_status(status, STATUS_INSUFFICIENT_RESOURCES);
		assert_heard("");
	}
	assert_heard("ex0+ thread1+ thread1- ex0-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ps_49_veto_fails_the_creation_and_nothing_runs),
		WORLD_TEST(ps_49_vetoed_creator_gets_nothing),
		WORLD_TEST(ps_50_veto_does_not_cut_the_dispatch_short),
		WORLD_TEST(ps_51_last_slot_decides_inferred),
		WORLD_TEST(ps_52_whatever_fails_nt_success_vetoes_inferred),
		WORLD_TEST(ps_53_creator_gets_the_stored_status),
		WORLD_TEST(ps_54_c_05_vetoed_process_exits_on_its_initial_thread_inferred),
		OBSERVED_TEST(ps_54_observed_profile_tells_the_exit_too_inferred),
		WORLD_TEST(c_05_ps_54_switch_silences_the_exit_of_a_vetoed_process_inferred),
		WORLD_TEST(ps_60_creation_without_memory_is_not_told_at_all),
	};
	return cmocka_run_group_tests_name("ps/veto", tests, NULL, NULL);
}
