/* SPDX-License-Identifier: MIT */
/*
 * Thread notify routines: PS-64 to PS-73, C-10.
 */
#include "support/record.h"

static PVOID routine(unsigned n)
{
	return (PVOID)(uintptr_t)thread_routine(n);
}

static void add_plain(unsigned n)
{
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(thread_routine(n)));
}

static void add_non_system(unsigned n)
{
	assert_ntsuccess(
		PsSetCreateThreadNotifyRoutineEx(PsCreateThreadNotifyNonSystem, routine(n)));
}

static void add_subsystems(unsigned n)
{
	assert_ntsuccess(
		PsSetCreateThreadNotifyRoutineEx(PsCreateThreadNotifySubsystems, routine(n)));
}

/* ---- The table ---------------------------------------------------------------------------- */

static void ps_64_ps_65_table_has_64_slots_and_full_is_insufficient_resources(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		NTSTATUS status = i % 3 == 0 ? PsSetCreateThreadNotifyRoutine(thread_routine(i))
					     : PsSetCreateThreadNotifyRoutineEx(
						       i % 3 - 1 ? PsCreateThreadNotifyNonSystem
								 : PsCreateThreadNotifySubsystems,
						       routine(i));
		assert_ntsuccess(status);
	}
	assert_status(PsSetCreateThreadNotifyRoutine(thread_routine(64)),
		      STATUS_INSUFFICIENT_RESOURCES);
	assert_status(PsSetCreateThreadNotifyRoutineEx(PsCreateThreadNotifyNonSystem, routine(64)),
		      STATUS_INSUFFICIENT_RESOURCES);
	assert_ntsuccess(PsRemoveCreateThreadNotifyRoutine(thread_routine(10)));
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(thread_routine(64)));
}

static void ps_64_no_memory_is_insufficient_resources(void **state)
{
	(void)state;
	for (unsigned n = 0;; n++) {
		fail_allocation(NULL, n);
		NTSTATUS status = PsSetCreateThreadNotifyRoutine(thread_routine(0));
		if (stop_failing() == 0) {
			assert_true(n >= 2);
			assert_ntsuccess(status);
			break;
		}
		assert_status(status, STATUS_INSUFFICIENT_RESOURCES);
	}
	actor_live("a.exe");
	assert_heard("thread0+ thread0-");
}

static void ps_66_routine_added_twice_is_called_twice_inferred(void **state)
{
	(void)state;
	add_plain(0);
	add_plain(0);
	struct actor child = actor_start("a.exe");
	assert_heard("thread0+ thread0+");
	assert_ntsuccess(PsRemoveCreateThreadNotifyRoutine(thread_routine(0)));
	actor_end(&child);
	assert_heard("thread0-");
	assert_ntsuccess(PsRemoveCreateThreadNotifyRoutine(thread_routine(0)));
	assert_status(PsRemoveCreateThreadNotifyRoutine(thread_routine(0)),
		      STATUS_PROCEDURE_NOT_FOUND);
}

static void ps_67_one_remove_serves_every_type(void **state)
{
	(void)state;
	add_plain(0);
	add_non_system(1);
	add_subsystems(2);
	for (unsigned i = 0; i < 3; i++)
		assert_ntsuccess(PsRemoveCreateThreadNotifyRoutine(thread_routine(i)));
	for (unsigned i = 0; i < 3; i++)
		assert_status(PsRemoveCreateThreadNotifyRoutine(thread_routine(i)),
			      STATUS_PROCEDURE_NOT_FOUND);
	actor_live("a.exe");
	assert_heard("");
}

/* the lowest matching slot alone. */
static void ps_67_removal_takes_one_registration_of_the_address(void **state)
{
	(void)state;
	add_non_system(0);
	add_subsystems(0);
	assert_ntsuccess(PsRemoveCreateThreadNotifyRoutine(thread_routine(0)));
	struct actor child = actor_start("a.exe"); /* its thread runs: NonSystem would hear */
	assert_heard("thread0+");
	assert_ptr_not_equal(heard(0)->current_thread, child.thread);
	actor_end(&child);
	assert_heard("thread0-");
	assert_ntsuccess(PsRemoveCreateThreadNotifyRoutine(thread_routine(0)));
}

/* ---- The calls ------------------------------------------------------------------------------- */

static void check_arguments_and_irql(KIRQL irql)
{
	add_plain(0);
	add_subsystems(1);
	struct actor child = actor_start("a.exe");
	ULONG64 process = id_of(child.process), thread = id_of_thread(child.thread);
	actor_end(&child);
	assert_heard("thread0+ thread1+ thread0- thread1-");
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(heard(i)->process_id, process);
		assert_int_equal(heard(i)->thread_id, thread);
		assert_int_equal(heard(i)->irql, heard(i)->create ? irql : PASSIVE_LEVEL);
		assert_true(heard(i)->apcs_off);
	}
	assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static void ps_68_c_10_arguments_and_passive_level(void **state)
{
	(void)state;
	check_arguments_and_irql(PASSIVE_LEVEL);
}

static void ps_68_c_10_observed_creations_at_apc_level(void **state)
{
	(void)state;
	check_arguments_and_irql(APC_LEVEL);
}

static void c_10_switch_alone_tells_creations_at_apc_level(void **state)
{
	(void)state;
	world_with_switch(10, true);
	check_arguments_and_irql(APC_LEVEL);
}

static void ps_69_creation_on_the_creator_and_exit_on_the_exiting_thread(void **state)
{
	(void)state;
	struct actor creator = actor_start("creator.exe"), child = actor_start("a.exe");
	PETHREAD second;
	add_plain(0);
	add_subsystems(1);
	rs_become(creator.thread);
	assert_ntsuccess(rs_create_thread(child.process, &second));
	rs_become(NULL);
	assert_heard("thread0+ thread1+");
	for (unsigned i = 0; i < 2; i++) {
		assert_ptr_equal(heard(i)->current_thread, creator.thread);
		assert_ptr_equal(heard(i)->current_process, creator.process);
		assert_int_equal(heard(i)->thread_id, id_of_thread(second));
	}
	PETHREAD before = KeGetCurrentThread();
	rs_exit_thread(second, STATUS_SUCCESS);
	assert_ptr_equal(KeGetCurrentThread(), before);
	assert_heard("thread0- thread1-");
	for (unsigned i = 0; i < 2; i++) {
		assert_ptr_equal(heard(i)->current_thread, second);
		assert_ptr_equal(heard(i)->current_process, child.process);
	}
	rs_release(second);
	actor_end(&child);
	actor_end(&creator);
}

static void ps_70_ps_71_non_system_is_called_on_the_new_thread_as_it_starts(void **state)
{
	(void)state;
	PEPROCESS process;
	PETHREAD thread;
	add_non_system(0);
	assert_ntsuccess(rs_create_process(&(struct rs_process_spec){.image = "a"}, &process));
	assert_ntsuccess(rs_create_thread(process, &thread));
	assert_heard("");
	PETHREAD before = KeGetCurrentThread();
	rs_run_thread(thread);
	assert_ptr_equal(KeGetCurrentThread(), before);
	assert_heard("thread0+");
	assert_ptr_equal(heard(0)->current_thread, thread);
	assert_ptr_equal(heard(0)->current_process, process);
	assert_int_equal(heard(0)->thread_id, id_of_thread(thread));
	assert_int_equal(heard(0)->process_id, id_of(process));
	rs_run_thread(thread); /* a thread starts once */
	assert_heard("");
	actor_end(&(struct actor){process, thread});
}

static void ps_70_non_system_does_not_hear_of_system_threads(void **state)
{
	(void)state;
	PETHREAD thread;
	add_non_system(0);
	add_plain(1);
	struct ps_thread_spec spec = {.process = PsInitialSystemProcess, .system = true};
	assert_ntsuccess(ps_create_thread(&spec, &thread));
	rs_run_thread(thread);
	rs_exit_thread(thread, STATUS_SUCCESS);
	assert_heard("thread1+ thread1-"); /* the plain form does */
	rs_release(thread);
}

/* creation only. */
static void ps_71_non_system_does_not_hear_of_exits(void **state)
{
	(void)state;
	add_non_system(0);
	add_plain(1);
	actor_live("a.exe");
	assert_heard("thread1+ thread0+ thread1-");
}

static void ps_72_pico_threads_are_told_to_subsystems_only(void **state)
{
	(void)state;
	add_plain(0);
	add_subsystems(1);
	struct actor pico = actor_start_as(
		&(struct rs_process_spec){.image = "/bin/sh", .subsystem = true});
	assert_heard("thread1+");
	actor_end(&pico);
	assert_heard("thread1-");
	actor_live("a.exe");
	assert_heard("thread0+ thread1+ thread0- thread1-");
}

static void ps_73_unknown_type_is_invalid_parameter_inferred(void **state)
{
	(void)state;
	assert_status(PsSetCreateThreadNotifyRoutineEx(2, routine(0)), STATUS_INVALID_PARAMETER);
	assert_status(PsSetCreateThreadNotifyRoutineEx(0x10001, routine(0)),
		      STATUS_INVALID_PARAMETER);
	assert_status(PsRemoveCreateThreadNotifyRoutine(thread_routine(0)),
		      STATUS_PROCEDURE_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ps_64_ps_65_table_has_64_slots_and_full_is_insufficient_resources),
		WORLD_TEST(ps_64_no_memory_is_insufficient_resources),
		WORLD_TEST(ps_66_routine_added_twice_is_called_twice_inferred),
		WORLD_TEST(ps_67_one_remove_serves_every_type),
		WORLD_TEST(ps_67_removal_takes_one_registration_of_the_address),
		WORLD_TEST(ps_68_c_10_arguments_and_passive_level),
		OBSERVED_TEST(ps_68_c_10_observed_creations_at_apc_level),
		WORLD_TEST(c_10_switch_alone_tells_creations_at_apc_level),
		WORLD_TEST(ps_69_creation_on_the_creator_and_exit_on_the_exiting_thread),
		WORLD_TEST(ps_70_ps_71_non_system_is_called_on_the_new_thread_as_it_starts),
		WORLD_TEST(ps_70_non_system_does_not_hear_of_system_threads),
		WORLD_TEST(ps_71_non_system_does_not_hear_of_exits),
		WORLD_TEST(ps_72_pico_threads_are_told_to_subsystems_only),
		WORLD_TEST(ps_73_unknown_type_is_invalid_parameter_inferred),
	};
	return cmocka_run_group_tests_name("ps/thread", tests, NULL, NULL);
}
