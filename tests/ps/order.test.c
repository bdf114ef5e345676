/* SPDX-License-Identifier: MIT */
/*
 * The order across mechanisms: PS-84 to PS-87.
 */
#include "support/record.h"

static void add_everything(void)
{
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(0), FALSE));
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(thread_routine(1)));
	assert_ntsuccess(PsSetLoadImageNotifyRoutine(image_routine(2)));
	watch('A', "1000", PROCESSES | THREADS);
}

static void ps_84_process_then_thread_then_handles_all_on_the_creating_thread(void **state)
{
	(void)state;
	struct actor creator = actor_start("creator.exe"), child;
	HANDLE process_handle, thread_handle;
	add_everything();
	rs_become(creator.thread);
	assert_ntsuccess(rs_create_user_process(&(struct rs_process_spec){.image = "a.exe"},
						&child.process, &child.thread, &process_handle,
						&thread_handle));
	rs_become(NULL);
	assert_heard("ex0+ thread1+ A< A> A< A>");
	for (unsigned i = 0; i < 6; i++)
		assert_ptr_equal(heard(i)->current_thread, creator.thread);
	assert_ptr_equal(heard(2)->object, child.process);
	assert_ptr_equal(heard(3)->object, child.process);
	assert_ptr_equal(heard(4)->object, child.thread);
	assert_ptr_equal(heard(5)->object, child.thread);
	actor_end(&child);
	assert_heard("thread1- ex0-");
	actor_end(&creator);
}

static void veto(struct call *call)
{
	if (call->create)
		call->info->CreationStatus = STATUS_ACCESS_DENIED;
}

static void ps_84_vetoed_creation_gets_no_further_than_the_process(void **state)
{
	(void)state;
	struct actor child;
	HANDLE process_handle, thread_handle;
	add_everything();
	on_call(EX, 0, veto);
	assert_status(rs_create_user_process(&(struct rs_process_spec){.image = "a.exe"},
					     &child.process, &child.thread, &process_handle,
					     &thread_handle),
		      STATUS_ACCESS_DENIED);
	assert_heard("ex0+ ex0-");
}

/* the thread was told of, so its exit is told too when its handle cannot be made. */
static void ps_84_thread_exit_is_told_when_the_handle_insertion_fails(void **state)
{
	(void)state;
	struct actor creator = actor_start("creator.exe"), child;
	HANDLE process_handle = NULL, thread_handle = NULL, filler[3];
	rs_become(creator.thread);
	for (unsigned i = 0; i < 3; i++)
		assert_ntsuccess(ObOpenObjectByPointer(creator.process, 0, NULL, SYNCHRONIZE,
						       PsProcessType, KernelMode, &filler[i]));
	add_everything();
	/* The fourth place of the table is the process's; the thread's needs a larger one. */
	fail_allocation("ob/handle.c", 0);
	NTSTATUS status = rs_create_user_process(&(struct rs_process_spec){.image = "a.exe"},
						 &child.process, &child.thread, &process_handle,
						 &thread_handle);
	assert_int_equal(stop_failing(), 1);
	assert_status(status, STATUS_INSUFFICIENT_RESOURCES);
	assert_heard("ex0+ thread1+ A< A> A< A> thread1- ex0-");
	assert_ntsuccess(heard(3)->status);
	assert_status(heard(5)->status, STATUS_INSUFFICIENT_RESOURCES);
	assert_null(process_handle);
	assert_null(thread_handle);
	rs_become(NULL);
	actor_end(&creator);
}

static void ps_85_handle_of_a_bare_process_comes_before_its_creation_call(void **state)
{
	(void)state;
	PEPROCESS process;
	PETHREAD thread;
	HANDLE process_handle, thread_handle;
	add_everything();
	assert_ntsuccess(rs_create_process(&(struct rs_process_spec){.image = "a"}, &process));
	assert_ntsuccess(ps_open_created(process, NULL, &process_handle, NULL));
	assert_heard("A< A>");
	assert_ptr_equal(heard(0)->object, process);
	assert_ntsuccess(rs_create_thread(process, &thread));
	assert_ntsuccess(ps_open_created(process, thread, NULL, &thread_handle));
	assert_heard("ex0+ thread1+ A< A>");
	assert_ptr_equal(heard(2)->object, thread);
	assert_ntsuccess(ZwClose(process_handle));
	assert_ntsuccess(ZwClose(thread_handle));
	actor_end(&(struct actor){process, thread});
}

static void ps_86_images_follow_the_creation_on_the_initial_thread(void **state)
{
	(void)state;
	struct actor child;
	add_everything();
	assert_ntsuccess(rs_create_user_process(&(struct rs_process_spec){.image = "a.exe"},
						&child.process, &child.thread, NULL, NULL));
	rs_become(child.thread);
	rs_run_thread(child.thread);
	assert_ntsuccess(
		rs_map_image(&(struct rs_image_spec){.process = child.process, .name = "a.exe"}));
	assert_ntsuccess(rs_map_image(
		&(struct rs_image_spec){.process = child.process, .name = "ntdll.dll"}));
	rs_become(NULL);
	assert_heard("ex0+ thread1+ image2 image2");
	assert_string_equal(heard(2)->image, "a.exe");
	assert_string_equal(heard(3)->image, "ntdll.dll");
	for (unsigned i = 2; i < 4; i++) {
		assert_ptr_equal(heard(i)->current_process, child.process);
		assert_ptr_equal(heard(i)->current_thread, child.thread);
		assert_int_equal(heard(i)->process_id, id_of(child.process));
	}
	assert_true(child.thread->initial);
	actor_end(&child);
}

/* the NonSystem thread call comes before the images. */
static void ps_86_non_system_thread_call_comes_first(void **state)
{
	(void)state;
	struct actor child;
	add_everything();
	assert_ntsuccess(PsSetCreateThreadNotifyRoutineEx(PsCreateThreadNotifyNonSystem,
							  (PVOID)(uintptr_t)thread_routine(3)));
	assert_ntsuccess(rs_create_user_process(&(struct rs_process_spec){.image = "a.exe"},
						&child.process, &child.thread, NULL, NULL));
	rs_become(child.thread);
	rs_run_thread(child.thread);
	assert_ntsuccess(rs_map_image(&(struct rs_image_spec){.process = child.process}));
	rs_become(NULL);
	assert_heard("ex0+ thread1+ thread3+ image2");
	actor_end(&child);
}

static void open_the_new_process(struct call *call)
{
	HANDLE handle;
	if (call->create && NT_SUCCESS(ObOpenObjectByPointer(call->process, OBJ_KERNEL_HANDLE, NULL,
							     PROCESS_QUERY_INFORMATION,
							     PsProcessType, KernelMode, &handle)))
		ZwClose(handle);
}

static void ps_87_object_callback_can_see_a_process_before_a_later_create_routine(void **state)
{
	(void)state;
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(0), FALSE));
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(1), FALSE));
	watch('A', "1000", PROCESSES);
	on_call(EX, 0, open_the_new_process);
	struct actor child = actor_start("a.exe");
	assert_heard("ex0+ A< A> ex1+");
	assert_ptr_equal(heard(1)->object, child.process);
	assert_ptr_equal(heard(1)->object, heard(3)->process);
	actor_end(&child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ps_84_process_then_thread_then_handles_all_on_the_creating_thread),
		WORLD_TEST(ps_84_vetoed_creation_gets_no_further_than_the_process),
		WORLD_TEST(ps_84_thread_exit_is_told_when_the_handle_insertion_fails),
		WORLD_TEST(ps_85_handle_of_a_bare_process_comes_before_its_creation_call),
		WORLD_TEST(ps_86_images_follow_the_creation_on_the_initial_thread),
		WORLD_TEST(ps_86_non_system_thread_call_comes_first),
		WORLD_TEST(ps_87_object_callback_can_see_a_process_before_a_later_create_routine),
	};
	return cmocka_run_group_tests_name("ps/order", tests, NULL, NULL);
}
