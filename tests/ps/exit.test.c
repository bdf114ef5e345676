/* SPDX-License-Identifier: MIT */
/*
 * The end of a process, the state in which routines run, and ids: PS-56 to PS-63, C-4.
 */
#include "ke/thread.h"
#include "support/record.h"

static void add_all_kinds(void)
{
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(legacy_routine(0), FALSE));
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(1), FALSE));
	assert_ntsuccess(
		PsSetCreateProcessNotifyRoutineEx2(0, (PVOID)(uintptr_t)ex_routine(2), FALSE));
}

static struct {
	ULONG live_threads;
	bool has_handles;
	NTSTATUS lookup;
} at_exit;

static void look_at_ending_process(struct call *call)
{
	if (call->create)
		return;
	PEPROCESS found;
	at_exit.live_threads = call->process->live_threads;
	at_exit.has_handles = call->process->handles != NULL;
	at_exit.lookup = PsLookupProcessByProcessId((HANDLE)call->process_id, &found);
	if (NT_SUCCESS(at_exit.lookup))
		rs_release(found);
}

static void ps_56_exit_is_told_after_the_last_thread_before_the_end(void **state)
{
	(void)state;
	HANDLE handle;
	PETHREAD second;
	struct actor child = actor_start("a.exe");
	assert_ntsuccess(rs_create_thread(child.process, &second));
	rs_become(child.thread);
	assert_ntsuccess(ObOpenObjectByPointer(child.process, 0, NULL, PROCESS_ALL_ACCESS,
					       PsProcessType, KernelMode, &handle));
	rs_become(NULL);
	add_all_kinds();
	on_call(EX, 1, look_at_ending_process);
	rs_exit_thread(child.thread, STATUS_SUCCESS);
	assert_heard("");
	rs_exit_thread(second, STATUS_SUCCESS);
	assert_heard("legacy0- ex1- ex2-"); /* Create FALSE, CreateInfo NULL */
	assert_int_equal(at_exit.live_threads, 0);
	assert_true(at_exit.has_handles);
	assert_ntsuccess(at_exit.lookup);
	assert_null(child.process->handles);
	rs_release(second);
	rs_release(child.thread);
	rs_release(child.process);
}

static void ps_57_exit_runs_on_the_last_exiting_thread(void **state)
{
	(void)state;
	PETHREAD second;
	struct actor child = actor_start("a.exe");
	assert_ntsuccess(rs_create_thread(child.process, &second));
	add_all_kinds();
	PETHREAD before = KeGetCurrentThread();
	rs_exit_thread(child.thread, STATUS_SUCCESS);
	rs_exit_thread(second, STATUS_SUCCESS);
	assert_ptr_equal(KeGetCurrentThread(), before);
	assert_heard("legacy0- ex1- ex2-");
	for (unsigned i = 0; i < 3; i++) {
		assert_ptr_equal(heard(i)->current_process, child.process);
		assert_ptr_equal(heard(i)->current_thread, second);
		assert_int_equal(heard(i)->process_id, id_of(child.process));
	}
	rs_release(second);
	rs_release(child.thread);
	rs_release(child.process);
}

static void ps_58_thread_exit_is_told_before_process_exit_inferred(void **state)
{
	(void)state;
	PETHREAD second;
	struct actor child = actor_start("a.exe");
	assert_ntsuccess(rs_create_thread(child.process, &second));
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(0), FALSE));
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(thread_routine(1)));
	rs_exit_process(child.process, STATUS_SUCCESS);
	assert_heard("thread1- thread1- ex0-");
	assert_int_equal(heard(1)->thread_id, id_of_thread(heard(2)->current_thread));
	rs_release(second);
	rs_release(child.thread);
	rs_release(child.process);
}

static void ps_59_legacy_parent_on_exit_is_the_one_of_the_creation_inferred(void **state)
{
	(void)state;
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(legacy_routine(0), FALSE));
	struct actor parent = actor_start("parent.exe");
	struct actor child = actor_start_as(
		&(struct rs_process_spec){.parent = parent.process, .image = "a"});
	ULONG64 parent_id = id_of(parent.process);
	actor_end(&parent); /* and its object is gone */
	PEPROCESS gone;
	assert_status(PsLookupProcessByProcessId((HANDLE)parent_id, &gone),
		      STATUS_INVALID_PARAMETER);
	actor_end(&child);
	assert_heard("legacy0+ legacy0+ legacy0- legacy0-");
	assert_int_equal(heard(1)->parent_id, parent_id);
	assert_int_equal(heard(3)->parent_id, parent_id);
	assert_int_equal(heard(3)->process_id, heard(1)->process_id);
}

static void ps_59_hidden_parent_stays_hidden_on_exit_inferred(void **state)
{
	(void)state;
	struct actor parent = actor_start("parent.exe");
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(legacy_routine(0), FALSE));
	struct actor child = actor_start_as(&(struct rs_process_spec){
		.parent = parent.process, .image = "a", .without_inheritance = true});
	actor_end(&child);
	assert_heard("legacy0+ legacy0-");
	assert_int_equal(heard(0)->parent_id, 0);
	assert_int_equal(heard(1)->parent_id, 0);
	actor_end(&parent);
}

/* ---- A process that never had a thread -------------------------------------------------- */

static void end_without_thread(void)
{
	PEPROCESS process;
	add_all_kinds();
	assert_ntsuccess(rs_create_process(&(struct rs_process_spec){.image = "a"}, &process));
	rs_exit_process(process, STATUS_SUCCESS);
	rs_exit_process(process, STATUS_SUCCESS); /* it has ended: nothing more */
	rs_release(process);
}

static void ps_60_c_04_process_without_threads_is_told_of_at_its_end_only(void **state)
{
	(void)state;
	end_without_thread();
	assert_heard("legacy0- ex1- ex2-");
}

static void ps_60_c_04_observed_process_without_threads_is_not_told_of(void **state)
{
	(void)state;
	end_without_thread();
	assert_heard("");
}

static void c_04_switch_alone_silences_it(void **state)
{
	(void)state;
	world_with_switch(4, true);
	end_without_thread();
	assert_heard("");
	actor_live("a.exe");
	assert_heard("legacy0+ ex1+ ex2+ legacy0- ex1- ex2-");
}

static void ps_61_late_driver_hears_the_exit_of_older_processes_inferred(void **state)
{
	(void)state;
	struct actor child = actor_start("a.exe");
	add_all_kinds();
	actor_end(&child);
	assert_heard("legacy0- ex1- ex2-");
}

/* ---- The state that routines run in --------------------------------------------------------- */

static void ps_62_process_routines_run_at_passive_level_in_a_critical_region(void **state)
{
	(void)state;
	add_all_kinds();
	assert_false(KeAreApcsDisabled());
	struct actor creator = actor_start("creator.exe");
	rs_become(creator.thread);
	assert_false(KeAreApcsDisabled());
	actor_live("a.exe");
	rs_become(NULL);
	actor_end(&creator);
	assert_heard("legacy0+ ex1+ ex2+ legacy0+ ex1+ ex2+ legacy0- ex1- ex2- legacy0- ex1- ex2-");
	for (unsigned i = 0; i < 12; i++) {
		assert_int_equal(heard(i)->irql, PASSIVE_LEVEL);
		assert_true(heard(i)->apcs_off);
		assert_false(heard(i)->all_apcs_off);
	}
	assert_false(KeAreApcsDisabled());
}

/* A region that the caller is in is left as it was. */
static void ps_62_callers_own_regions_are_kept(void **state)
{
	(void)state;
	add_all_kinds();
	KeEnterCriticalRegion();
	KeEnterCriticalRegion();
	LONG before = ke_thread_of(KeGetCurrentThread())->kernel_apc_disable;
	actor_live("a.exe");
	assert_int_equal(ke_thread_of(KeGetCurrentThread())->kernel_apc_disable, before);
	KeLeaveCriticalRegion();
	KeLeaveCriticalRegion();
	assert_false(KeAreApcsDisabled());
}

/* ---- Ids --------------------------------------------------------------------------------------- */

static void ps_63_ids_are_multiples_of_4_from_one_space(void **state)
{
	(void)state;
	enum { PROCESSES_MADE = 40, IDS = PROCESSES_MADE * 3 };
	struct actor actor[PROCESSES_MADE];
	PETHREAD second[PROCESSES_MADE];
	ULONG64 id[IDS + 2];
	for (unsigned i = 0; i < PROCESSES_MADE; i++) {
		actor[i] = actor_start("a.exe");
		assert_ntsuccess(rs_create_thread(actor[i].process, &second[i]));
		id[3 * i] = id_of(actor[i].process);
		id[3 * i + 1] = id_of_thread(actor[i].thread);
		id[3 * i + 2] = id_of_thread(second[i]);
	}
	id[IDS] = id_of(PsInitialSystemProcess);
	id[IDS + 1] = id_of_thread(KeGetCurrentThread());
	for (unsigned i = 0; i < IDS + 2; i++) {
		assert_int_not_equal(id[i], 0);
		assert_int_equal(id[i] % 4, 0);
		for (unsigned j = 0; j < i; j++)
			assert_int_not_equal(id[i], id[j]);
	}
	/* One space: the id of one kind is none of the other. */
	PEPROCESS process;
	PETHREAD thread;
	assert_status(PsLookupProcessByProcessId((HANDLE)id[1], &process),
		      STATUS_INVALID_PARAMETER);
	assert_status(PsLookupThreadByThreadId((HANDLE)id[0], &thread), STATUS_INVALID_PARAMETER);
	for (unsigned i = 0; i < PROCESSES_MADE; i++) {
		rs_release(second[i]);
		actor_end(&actor[i]);
	}
}

/* A wish, such as a Linux pid times four, cannot make two the same. */
static void ps_63_wished_ids_do_not_collide(void **state)
{
	(void)state;
	struct actor actor[3];
	for (unsigned i = 0; i < 3; i++) {
		assert_ntsuccess(ps_create_process(&(struct ps_process_spec){.id = 4000},
						   &actor[i].process));
		assert_ntsuccess(ps_create_thread(
			&(struct ps_thread_spec){.process = actor[i].process, .id = 4000},
			&actor[i].thread));
	}
	assert_int_equal(id_of(actor[0].process), 4000);
	ULONG64 id[6];
	for (unsigned i = 0; i < 6; i++) {
		id[i] = i % 2 ? id_of_thread(actor[i / 2].thread) : id_of(actor[i / 2].process);
		assert_int_equal(id[i] % 4, 0);
		for (unsigned j = 0; j < i; j++)
			assert_int_not_equal(id[i], id[j]);
	}
	for (unsigned i = 0; i < 3; i++)
		actor_end(&actor[i]);
}

/* an id is free when its object is deleted, not when the exit is told. */
static void ps_63_id_belongs_to_the_object_until_it_is_deleted(void **state)
{
	(void)state;
	PEPROCESS found, next;
	struct actor child = actor_start("a.exe");
	ULONG64 id = id_of(child.process);
	rs_exit_process(child.process, STATUS_SUCCESS);
	assert_ntsuccess(PsLookupProcessByProcessId((HANDLE)id, &found));
	assert_ptr_equal(found, child.process);
	assert_ntsuccess(ps_create_process(&(struct ps_process_spec){.id = id}, &next));
	assert_int_not_equal(id_of(next), id);
	rs_release(next);
	rs_release(found);
	rs_release(child.thread);
	rs_release(child.process);
	assert_status(PsLookupProcessByProcessId((HANDLE)id, &found), STATUS_INVALID_PARAMETER);
	assert_ntsuccess(ps_create_process(&(struct ps_process_spec){.id = id}, &next));
	assert_int_equal(id_of(next), id);
	rs_release(next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ps_56_exit_is_told_after_the_last_thread_before_the_end),
		WORLD_TEST(ps_57_exit_runs_on_the_last_exiting_thread),
		WORLD_TEST(ps_58_thread_exit_is_told_before_process_exit_inferred),
		WORLD_TEST(ps_59_legacy_parent_on_exit_is_the_one_of_the_creation_inferred),
		WORLD_TEST(ps_59_hidden_parent_stays_hidden_on_exit_inferred),
		WORLD_TEST(ps_60_c_04_process_without_threads_is_told_of_at_its_end_only),
		OBSERVED_TEST(ps_60_c_04_observed_process_without_threads_is_not_told_of),
		WORLD_TEST(c_04_switch_alone_silences_it),
		WORLD_TEST(ps_61_late_driver_hears_the_exit_of_older_processes_inferred),
		WORLD_TEST(ps_62_process_routines_run_at_passive_level_in_a_critical_region),
		WORLD_TEST(ps_62_callers_own_regions_are_kept),
		WORLD_TEST(ps_63_ids_are_multiples_of_4_from_one_space),
		WORLD_TEST(ps_63_wished_ids_do_not_collide),
		WORLD_TEST(ps_63_id_belongs_to_the_object_until_it_is_deleted),
	};
	return cmocka_run_group_tests_name("ps/exit", tests, NULL, NULL);
}
