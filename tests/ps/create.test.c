/* SPDX-License-Identifier: MIT */
/*
 * When, where and to whom a process creation is told: PS-31 to PS-40, PS-55.
 */
#include "support/parallel.h"
#include "support/record.h"
#include "trap.h"

static NTSTATUS add_ex2(unsigned n)
{
	return PsSetCreateProcessNotifyRoutineEx2(0, (PVOID)(uintptr_t)ex_routine(n), FALSE);
}

static NTSTATUS add_ex(unsigned n)
{
	return PsSetCreateProcessNotifyRoutineEx(ex_routine(n), FALSE);
}

static NTSTATUS add_non_system(unsigned n)
{
	return PsSetCreateThreadNotifyRoutineEx(PsCreateThreadNotifyNonSystem,
						(PVOID)(uintptr_t)thread_routine(n));
}

/* ---- Which arguments ------------------------------------------------------------------- */

static void ps_31_legacy_gets_parent_process_and_create(void **state)
{
	(void)state;
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(legacy_routine(0), FALSE));
	struct actor parent = actor_start("parent.exe");
	assert_heard("legacy0+");
	struct actor child = actor_start_as(
		&(struct rs_process_spec){.parent = parent.process, .image = "a"});
	assert_heard("legacy0+");
	assert_int_equal(heard(0)->parent_id, id_of(parent.process));
	ULONG64 id = id_of(child.process);
	assert_int_equal(heard(0)->process_id, id);
	actor_end(&child);
	assert_heard("legacy0-");
	assert_int_equal(heard(0)->process_id, id);
	actor_end(&parent);
}

static void ps_32_ex_gets_the_process_and_information_exactly_for_creations(void **state)
{
	(void)state;
	assert_ntsuccess(add_ex(0));
	assert_ntsuccess(add_ex2(1));
	struct actor child = actor_start("a.exe");
	ULONG64 id = id_of(child.process);
	assert_heard("ex0+ ex1+"); /* +: CreateInfo was not NULL */
	for (unsigned i = 0; i < 2; i++) {
		assert_ptr_equal(heard(i)->process, child.process);
		assert_int_equal(heard(i)->process_id, id);
	}
	actor_end(&child);
	assert_heard("ex0- ex1-");
	for (unsigned i = 0; i < 2; i++) {
		assert_ptr_equal(heard(i)->process, child.process);
		assert_int_equal(heard(i)->process_id, id);
	}
}

static void ps_33_only_ex2_hears_of_subsystem_processes(void **state)
{
	(void)state;
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(legacy_routine(0), FALSE));
	assert_ntsuccess(add_ex(1));
	assert_ntsuccess(add_ex2(2));
	struct actor pico = actor_start_as(
		&(struct rs_process_spec){.image = "/bin/sh", .subsystem = true});
	assert_heard("ex2+");
	actor_end(&pico);
	assert_heard("ex2-");
	struct actor win32 = actor_start("a.exe");
	assert_heard("legacy0+ ex1+ ex2+");
	actor_end(&win32);
	assert_heard("legacy0- ex1- ex2-");
}

/* ---- When ----------------------------------------------------------------------------------- */

static struct {
	ULONG live_threads;
	bool first_thread_ran;
	bool thread_found;
} during;

static void look_at_first_thread(struct call *call)
{
	if (!call->create)
		return;
	PEPROCESS process = call->process;
	PETHREAD first = (PETHREAD)((char *)process->threads.Flink -
				    offsetof(struct _ETHREAD, process_link));
	PETHREAD found;
	during.live_threads = process->live_threads;
	if (!during.live_threads)
		return;
	during.first_thread_ran = first->non_system_notified;
	during.thread_found = NT_SUCCESS(PsLookupThreadByThreadId(PsGetThreadId(first), &found)) &&
			      found == first;
	if (during.thread_found)
		rs_release(found);
}

static void ps_34_call_comes_after_the_first_thread_was_made_and_before_it_runs(void **state)
{
	(void)state;
	assert_ntsuccess(add_ex(0));
	assert_ntsuccess(add_non_system(1)); /* told when a thread begins to run */
	on_call(EX, 0, look_at_first_thread);
	struct actor child;
	assert_ntsuccess(rs_create_user_process(&(struct rs_process_spec){.image = "a.exe"},
						&child.process, &child.thread, NULL, NULL));
	assert_heard("ex0+");
	assert_int_equal(during.live_threads, 1);
	assert_true(during.thread_found);
	assert_false(during.first_thread_ran);
	rs_run_thread(child.thread);
	assert_heard("thread1+");
	actor_end(&child);
}

static void ps_35_process_object_alone_is_not_told_its_first_thread_is(void **state)
{
	(void)state;
	PEPROCESS process;
	PETHREAD thread;
	HANDLE handle;
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(legacy_routine(0), FALSE));
	assert_ntsuccess(add_ex(1));
	assert_ntsuccess(add_ex2(2));
	assert_ntsuccess(rs_create_process(&(struct rs_process_spec){.image = "a.exe"}, &process));
	assert_ntsuccess(ObOpenObjectByPointer(process, OBJ_KERNEL_HANDLE, NULL, PROCESS_ALL_ACCESS,
					       PsProcessType, KernelMode, &handle));
	assert_ntsuccess(ZwClose(handle));
	assert_heard("");
	assert_ntsuccess(rs_create_thread(process, &thread));
	assert_heard("legacy0+ ex1+ ex2+");
	actor_end(&(struct actor){process, thread});
}

static void ps_36_further_threads_cause_no_further_creation(void **state)
{
	(void)state;
	assert_ntsuccess(add_ex(0));
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(thread_routine(1)));
	struct actor child = actor_start("a.exe");
	assert_heard("ex0+ thread1+");
	PETHREAD more[3];
	for (unsigned i = 0; i < 3; i++)
		assert_ntsuccess(rs_create_thread(child.process, &more[i]));
	assert_heard("thread1+ thread1+ thread1+");
	/* Nor does the end of the first one. */
	rs_exit_thread(child.thread, STATUS_SUCCESS);
	PETHREAD late;
	assert_ntsuccess(rs_create_thread(child.process, &late));
	assert_heard("thread1- thread1+");
	rs_release(late);
	for (unsigned i = 0; i < 3; i++)
		rs_release(more[i]);
	actor_end(&child);
}

static void insert_thread(void *process)
{
	PETHREAD thread;
	if (NT_SUCCESS(rs_create_thread(process, &thread)))
		rs_release(thread);
}

static void ps_36_two_threads_inserted_at_once_cause_one_creation(void **state)
{
	(void)state;
	assert_ntsuccess(add_ex(0));
	for (unsigned round = 0; round < 50; round++) {
		PEPROCESS process;
		struct job job[2];
		assert_ntsuccess(
			rs_create_process(&(struct rs_process_spec){.image = "a.exe"}, &process));
		for (unsigned i = 0; i < 2; i++)
			job_start(&job[i], insert_thread, process);
		for (unsigned i = 0; i < 2; i++)
			job_join(&job[i]);
		rs_exit_process(process, STATUS_SUCCESS);
		rs_release(process);
		assert_heard("ex0+ ex0-");
	}
}

/* ---- Where ------------------------------------------------------------------------------------ */

static void ps_37_call_runs_in_the_creating_process(void **state)
{
	(void)state;
	assert_ntsuccess(add_ex(0));
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(legacy_routine(1), FALSE));
	struct actor creator = actor_start("creator.exe");
	assert_heard("ex0+ legacy1+");
	rs_become(creator.thread);
	struct actor child = actor_start("child.exe");
	rs_become(NULL);
	assert_heard("ex0+ legacy1+");
	for (unsigned i = 0; i < 2; i++) {
		assert_ptr_equal(heard(i)->current_process, creator.process);
		assert_ptr_equal(heard(i)->current_thread, creator.thread);
	}
	actor_end(&child);
	actor_end(&creator);
}

static void ps_38_creating_thread_id_is_the_current_client_id(void **state)
{
	(void)state;
	assert_ntsuccess(add_ex(0));
	struct actor creator = actor_start("creator.exe");
	rs_become(creator.thread);
	struct actor child = actor_start("child.exe");
	rs_become(NULL);
	assert_heard("ex0+ ex0+");
	CLIENT_ID told = heard(1)->told.CreatingThreadId;
	assert_int_equal(told.UniqueProcess, id_of(creator.process));
	assert_int_equal(told.UniqueThread, id_of_thread(creator.thread));
	actor_end(&child);
	actor_end(&creator);
}

static void ps_38_it_names_who_inserts_the_first_thread(void **state)
{
	(void)state;
	PEPROCESS process;
	PETHREAD thread;
	struct actor a = actor_start("a.exe"), b = actor_start("b.exe");
	assert_ntsuccess(add_ex(0));
	rs_become(a.thread);
	assert_ntsuccess(rs_create_process(
		&(struct rs_process_spec){.image = "c.exe", .parent = a.process}, &process));
	rs_become(b.thread);
	assert_ntsuccess(rs_create_thread(process, &thread));
	rs_become(NULL);
	assert_heard("ex0+");
	assert_int_equal(heard(0)->told.CreatingThreadId.UniqueProcess, id_of(b.process));
	assert_int_equal(heard(0)->told.CreatingThreadId.UniqueThread, id_of_thread(b.thread));
	assert_int_equal(heard(0)->parent_id, id_of(a.process));
	actor_end(&(struct actor){process, thread});
	actor_end(&a);
	actor_end(&b);
}

static struct {
	NTSTATUS status;
	void *object;
} found;

static void look_up_process(struct call *call)
{
	PEPROCESS process;
	found.status = PsLookupProcessByProcessId((HANDLE)call->process_id, &process);
	if (!NT_SUCCESS(found.status))
		return;
	found.object = process;
	rs_release(process);
}

static void look_up_thread(struct call *call)
{
	PETHREAD thread;
	found.status = PsLookupThreadByThreadId((HANDLE)call->thread_id, &thread);
	if (!NT_SUCCESS(found.status))
		return;
	found.object = thread;
	rs_release(thread);
}

static void ps_39_ids_can_be_looked_up_inside_the_calls_inferred(void **state)
{
	(void)state;
	assert_ntsuccess(add_ex(0));
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(thread_routine(0)));
	on_call(EX, 0, look_up_process);
	struct actor child = actor_start("a.exe");
	assert_heard("ex0+ thread0+");
	assert_ntsuccess(found.status);
	assert_ptr_equal(found.object, heard(0)->process);
	assert_ptr_equal(found.object, child.process);

	on_call(THREAD, 0, look_up_thread);
	PETHREAD second;
	assert_ntsuccess(rs_create_thread(child.process, &second));
	assert_ntsuccess(found.status);
	assert_ptr_equal(found.object, second);
	found.object = NULL;
	rs_exit_thread(second, STATUS_SUCCESS);
	assert_ptr_equal(found.object, second);
	rs_release(second);

	on_call(THREAD, 0, NULL);
	found.object = NULL;
	actor_end(&child); /* in the exit call too */
	assert_ptr_equal(found.object, child.process);
}

/* ---- How long ------------------------------------------------------------------------------------ */

static struct {
	const void *info, *image, *command_line;
	PS_CREATE_NOTIFY_INFO later_info;
	UNICODE_STRING later_image, later_command_line;
} kept;

static void keep_pointers(struct call *call)
{
	if (!call->create)
		return;
	kept.info = call->info;
	kept.image = call->info->ImageFileName;
	kept.command_line = call->info->CommandLine;
}

/* In a thread routine, the next call that a driver gets. Reads without faulting. */
static void read_kept_pointers(struct call *call)
{
	(void)call;
	host_read(&kept.later_info, kept.info, sizeof kept.later_info);
	host_read(&kept.later_image, kept.image, sizeof kept.later_image);
	host_read(&kept.later_command_line, kept.command_line, sizeof kept.later_command_line);
}

static void ps_40_vf_22_information_is_gone_after_the_call(void **state)
{
	(void)state;
	assert_ntsuccess(add_ex(0));
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(thread_routine(0)));
	on_call(EX, 0, keep_pointers);
	on_call(THREAD, 0, read_kept_pointers);
	struct actor child = actor_start("a.exe");
	assert_heard("ex0+ thread0+");
	const PS_CREATE_NOTIFY_INFO *told = &heard(0)->told;
	assert_int_not_equal(kept.later_info.Size, told->Size);
	assert_ptr_not_equal(kept.later_info.ImageFileName, told->ImageFileName);
	assert_ptr_not_equal(kept.later_info.CommandLine, told->CommandLine);
	assert_ptr_not_equal(kept.later_image.Buffer, child.process->image.Buffer);
	assert_ptr_not_equal(kept.later_command_line.Buffer, child.process->command_line.Buffer);
	on_call(EX, 0, keep_pointers);
	assert_ntsuccess(PsRemoveCreateThreadNotifyRoutine(thread_routine(0)));
	actor_end(&child);
	/* Nor does it wait for a further call to be gone. */
	PEPROCESS process;
	PETHREAD thread;
	assert_ntsuccess(rs_create_process(
		&(struct rs_process_spec){.image = "b.exe", .command_line = "b.exe"}, &process));
	assert_ntsuccess(rs_create_thread(process, &thread));
	read_kept_pointers(NULL);
	assert_int_not_equal(kept.later_info.Size, sizeof(PS_CREATE_NOTIFY_INFO));
	assert_ptr_not_equal(kept.later_image.Buffer, process->image.Buffer);
	assert_ptr_not_equal(kept.later_command_line.Buffer, process->command_line.Buffer);
	actor_end(&(struct actor){process, thread});
}

/* ---- Clones --------------------------------------------------------------------------------------- */

static void ps_55_clones_are_not_told(void **state)
{
	(void)state;
	PEPROCESS clone;
	PETHREAD thread;
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(legacy_routine(0), FALSE));
	assert_ntsuccess(add_ex(1));
	assert_ntsuccess(add_ex2(2));
	assert_ntsuccess(ps_create_process(
		&(struct ps_process_spec){.image = &USTR(u"a.exe"), .silent = true}, &clone));
	assert_ntsuccess(ps_create_thread(&(struct ps_thread_spec){.process = clone}, &thread));
	actor_end(&(struct actor){clone, thread});
	assert_heard("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ps_31_legacy_gets_parent_process_and_create),
		WORLD_TEST(ps_32_ex_gets_the_process_and_information_exactly_for_creations),
		WORLD_TEST(ps_33_only_ex2_hears_of_subsystem_processes),
		WORLD_TEST(ps_34_call_comes_after_the_first_thread_was_made_and_before_it_runs),
		WORLD_TEST(ps_35_process_object_alone_is_not_told_its_first_thread_is),
		WORLD_TEST(ps_36_further_threads_cause_no_further_creation),
		WORLD_TEST(ps_36_two_threads_inserted_at_once_cause_one_creation),
		WORLD_TEST(ps_37_call_runs_in_the_creating_process),
		WORLD_TEST(ps_38_creating_thread_id_is_the_current_client_id),
		WORLD_TEST(ps_38_it_names_who_inserts_the_first_thread),
		WORLD_TEST(ps_39_ids_can_be_looked_up_inside_the_calls_inferred),
		WORLD_TEST(ps_40_vf_22_information_is_gone_after_the_call),
		WORLD_TEST(ps_55_clones_are_not_told),
	};
	return cmocka_run_group_tests_name("ps/create", tests, NULL, NULL);
}
