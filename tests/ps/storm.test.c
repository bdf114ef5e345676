/* SPDX-License-Identifier: MIT */
/*
 * PS-24, and the other half of PS-22 and PS-77: while calls are made on several threads
 * without a pause, no call of a routine begins or is under way once its removal has
 * returned. steps.test.c looks at the same instruction by instruction.
 */
#include "support/parallel.h"
#include "support/record.h"

static struct {
	atomic_bool registered, stop;
	atomic_uint calls, late;
} storm;

static void look(void)
{
	bool early = atomic_load(&storm.registered);
	for (volatile int i = 0; i < 200; i++)
		;
	if (!early || !atomic_load(&storm.registered))
		atomic_fetch_add(&storm.late, 1);
	atomic_fetch_add(&storm.calls, 1);
}

static VOID NTAPI look_at_image(PUNICODE_STRING name, HANDLE process, PIMAGE_INFO info)
{
	(void)name;
	(void)process;
	(void)info;
	look();
}

static VOID NTAPI look_at_process(PEPROCESS process, HANDLE id, PPS_CREATE_NOTIFY_INFO info)
{
	(void)process;
	(void)id;
	(void)info;
	look();
}

static void run_processes_until_stopped(void *unused)
{
	struct rs_process_spec spec = {.image = "a.exe"};
	PEPROCESS process;
	PETHREAD thread;
	(void)unused;
	while (!atomic_load(&storm.stop)) {
		if (!NT_SUCCESS(rs_create_user_process(&spec, &process, &thread, NULL, NULL)))
			continue;
		rs_exit_process(process, STATUS_SUCCESS);
		rs_release(thread);
		rs_release(process);
	}
}

static void load_images_until_stopped(void *unused)
{
	(void)unused;
	while (!atomic_load_explicit(&storm.stop, memory_order_relaxed))
		ps_load_image(&(struct ps_image){.size = 4096});
}

static bool called_since(void *calls)
{
	return atomic_load(&storm.calls) > *(unsigned *)calls;
}

static void check_storm(void (*provoke)(void *), NTSTATUS (*add)(void), NTSTATUS (*remove)(void))
{
	struct job caller[3];
	atomic_store(&storm.registered, false);
	atomic_store(&storm.stop, false);
	atomic_store(&storm.late, 0);
	for (unsigned i = 0; i < 3; i++)
		job_start(&caller[i], provoke, NULL);
	NTSTATUS status = STATUS_SUCCESS;
	bool called = true;
	for (unsigned round = 0; round < 100 && NT_SUCCESS(status) && called; round++) {
		unsigned calls = atomic_load(&storm.calls);
		atomic_store(&storm.registered, true);
		status = add();
		/* Now and then at once, so that a call is likely to be entered just then. */
		if (round % 4)
			called = eventually(called_since, &calls);
		if (NT_SUCCESS(status))
			status = remove();
		atomic_store(&storm.registered, false);
	}
	atomic_store(&storm.stop, true);
	for (unsigned i = 0; i < 3; i++)
		job_join(&caller[i]);
	assert_ntsuccess(status);
	assert_true(called);
	assert_int_equal(atomic_load(&storm.late), 0);
}

static NTSTATUS add_looking_ex(void)
{
	return PsSetCreateProcessNotifyRoutineEx(look_at_process, FALSE);
}

static NTSTATUS remove_looking_ex(void)
{
	return PsSetCreateProcessNotifyRoutineEx(look_at_process, TRUE);
}

static NTSTATUS add_looking_image(void)
{
	return PsSetLoadImageNotifyRoutine(look_at_image);
}

static NTSTATUS remove_looking_image(void)
{
	return PsRemoveLoadImageNotifyRoutine(look_at_image);
}

static void ps_24_no_call_begins_after_removal_inferred(void **state)
{
	(void)state;
	check_storm(run_processes_until_stopped, add_looking_ex, remove_looking_ex);
}

static void ps_24_ps_77_no_image_call_begins_after_removal_inferred(void **state)
{
	(void)state;
	check_storm(load_images_until_stopped, add_looking_image, remove_looking_image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ps_24_no_call_begins_after_removal_inferred),
		WORLD_TEST(ps_24_ps_77_no_image_call_begins_after_removal_inferred),
	};
	return cmocka_run_group_tests_name("ps/storm", tests, NULL, NULL);
}
