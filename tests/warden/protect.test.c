/* SPDX-License-Identifier: MIT */
/* warden.sys protects processes. */
#include "duty.h"

#define PROCESS_TAKEN 0xBEB
#define THREAD_TAKEN 0xB3

static struct actor guarded, attacker;

static int start_both(void **state)
{
	on_duty(state);
	guarded = actor_start(GUARDED);
	attacker = actor_start(SHELL);
	rs_become(attacker.thread);
	return 0;
}

static int end_both(void **state)
{
	rs_become(NULL);
	actor_end(&attacker);
	actor_end(&guarded);
	return off_duty(state);
}

#define GUARD_TEST(name) cmocka_unit_test_setup_teardown(name, start_both, end_both)

static void ob_52_open_of_a_protected_process_loses_rights(void **state)
{
	(void)state;
	HANDLE all = open_process(guarded.process, PROCESS_ALL_ACCESS);
	assert_int_equal(rights_of(all), PROCESS_ALL_ACCESS & ~PROCESS_TAKEN);
	HANDLE kill = open_process(guarded.process, PROCESS_TERMINATE);
	assert_int_equal(rights_of(kill), 0);
	HANDLE look = open_process(guarded.process, PROCESS_VM_READ | PROCESS_QUERY_INFORMATION);
	assert_int_equal(rights_of(look), PROCESS_VM_READ | PROCESS_QUERY_INFORMATION |
						  PROCESS_QUERY_LIMITED_INFORMATION);
	/* The generic rights have become specific ones before it sees them (OB-47). */
	HANDLE generic = open_process(guarded.process, GENERIC_WRITE);
	assert_int_equal(rights_of(generic) & PROCESS_TAKEN, 0);
}

static void ob_45_post_reports_what_was_granted(void **state)
{
	(void)state;
	char line[160];
	unsigned target = (unsigned)id_of(guarded.process);
	rights_of(open_process(guarded.process, PROCESS_TERMINATE | SYNCHRONIZE));
	snprintf(line, sizeof(line),
		 "warden: process %u wants 0x100001 of process %u: taking 0x000001\n"
		 "warden: the handle to process %u got 0x100000\n",
		 (unsigned)id_of(attacker.process), target, target);
	assert_said(line);
	/* Nothing to take, nothing to say. */
	size_t before = strlen(said.text);
	rights_of(open_process(guarded.process, PROCESS_VM_READ));
	rights_of(open_process(attacker.process, PROCESS_ALL_ACCESS));
	assert_int_equal(strlen(said.text), before);
}

static void ob_43_post_reports_a_failed_operation(void **state)
{
	(void)state;
	OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes)};
	CLIENT_ID id = {.UniqueProcess = PsGetProcessId(guarded.process)};
	HANDLE handle = NULL;
	/* The attacker's first handle: it has no table yet. */
	fail_allocation("ob/handle.c", 0);
	assert_status(NtOpenProcess(&handle, PROCESS_TERMINATE, &attributes, &id),
		      STATUS_INSUFFICIENT_RESOURCES);
	assert_int_equal(stop_failing(), 1);
	char line[96];
	snprintf(line, sizeof(line), "warden: no handle to process %u after all: 0xC000009A\n",
		 (unsigned)id_of(guarded.process));
	assert_said(line);
}

static void threads_of_a_protected_process_lose_rights(void **state)
{
	(void)state;
	HANDLE all = open_thread(guarded.thread, THREAD_ALL_ACCESS);
	assert_int_equal(rights_of(all), THREAD_ALL_ACCESS & ~THREAD_TAKEN);
	HANDLE other = open_thread(attacker.thread, THREAD_ALL_ACCESS);
	assert_int_equal(rights_of(other), THREAD_ALL_ACCESS);
	char line[96];
	snprintf(line, sizeof(line), "of a thread of process %u: taking 0x0000B3\n",
		 (unsigned)id_of(guarded.process));
	assert_said(line);
}

static void a_protected_process_may_open_itself(void **state)
{
	(void)state;
	rs_become(guarded.thread);
	assert_int_equal(rights_of(open_process(guarded.process, PROCESS_ALL_ACCESS)),
			 PROCESS_ALL_ACCESS);
	assert_int_equal(rights_of(open_thread(guarded.thread, THREAD_ALL_ACCESS)),
			 THREAD_ALL_ACCESS);
}

static void ob_58_kernel_handles_are_spared(void **state)
{
	(void)state;
	OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes),
					.Attributes = OBJ_KERNEL_HANDLE};
	CLIENT_ID id = {.UniqueProcess = PsGetProcessId(guarded.process)};
	HANDLE handle = NULL;
	assert_ntsuccess(ZwOpenProcess(&handle, PROCESS_ALL_ACCESS, &attributes, &id));
	assert_int_equal(rights_of(handle), PROCESS_ALL_ACCESS);
	/* In user mode the attribute does not count (OB-29). */
	assert_ntsuccess(NtOpenProcess(&handle, PROCESS_ALL_ACCESS, &attributes, &id));
	assert_int_equal(rights_of(handle), PROCESS_ALL_ACCESS & ~PROCESS_TAKEN);
}

static void ps_84_creator_does_not_keep_full_access(void **state)
{
	(void)state;
	HANDLE process_handle = NULL, thread_handle = NULL;
	struct actor child;
	assert_ntsuccess(rs_create_user_process(&(struct rs_process_spec){.image = GUARDED},
						&child.process, &child.thread, &process_handle,
						&thread_handle));
	assert_int_equal(rights_of(process_handle), PROCESS_ALL_ACCESS & ~PROCESS_TAKEN);
	assert_int_equal(rights_of(thread_handle), THREAD_ALL_ACCESS & ~THREAD_TAKEN);
	rs_run_thread(child.thread);
	actor_end(&child);
}

/* The guarded process passes a handle to itself on: what counts is who gets it. */
static void ob_59_duplicate_is_judged_by_its_holder(void **state)
{
	(void)state;
	const HANDLE current = (HANDLE)(LONG_PTR)-1;
	HANDLE copy = NULL;
	rs_become(guarded.thread);
	HANDLE self = open_process(guarded.process, PROCESS_ALL_ACCESS);
	HANDLE other = open_process(attacker.process, PROCESS_DUP_HANDLE);
	assert_ntsuccess(
		NtDuplicateObject(current, self, current, &copy, 0, 0, DUPLICATE_SAME_ACCESS));
	assert_int_equal(rights_of(copy), PROCESS_ALL_ACCESS);
	assert_ntsuccess(
		NtDuplicateObject(current, self, other, &copy, 0, 0, DUPLICATE_SAME_ACCESS));
	rights_of(self);
	rights_of(other);
	rs_become(attacker.thread);
	assert_int_equal(rights_of(copy), PROCESS_ALL_ACCESS & ~PROCESS_TAKEN);
}

static void protection_covers_linux_paths(void **state)
{
	(void)state;
	struct actor child = actor_start_as(
		&(struct rs_process_spec){.image = "/opt/bin/Guarded", .subsystem = true});
	HANDLE handle = open_process(child.process, PROCESS_TERMINATE);
	assert_int_equal(rights_of(handle), 0);
	actor_end(&child);
}

static void protection_ends_with_the_process(void **state)
{
	(void)state;
	char line[96];
	HANDLE handle = NULL;
	struct actor child = actor_start(GUARDED);
	PEPROCESS ended = child.process;
	snprintf(line, sizeof(line), "warden: protected process %u has ended\n",
		 (unsigned)id_of(ended));
	ObfReferenceObject(ended);
	actor_end(&child);
	assert_said(line);
	assert_ntsuccess(ObOpenObjectByPointer(ended, 0, NULL, PROCESS_ALL_ACCESS, PsProcessType,
					       UserMode, &handle));
	assert_int_equal(rights_of(handle), PROCESS_ALL_ACCESS);
	rs_release(ended);
}

/* ---- Ids that come back ------------------------------------------------------------- */

static VOID NTAPI refuse(PEPROCESS process, HANDLE id, PPS_CREATE_NOTIFY_INFO info)
{
	(void)process;
	(void)id;
	if (info)
		info->CreationStatus = STATUS_CANCELLED;
}

/* A process is entered as protected, a later driver refuses it, and no exit call
 * follows: whoever gets its id is not protected. */
static void c_5_protection_does_not_pass_on_with_the_id(void **state)
{
	(void)state;
	world_with_switch(5, true);
	load_warden();
	SET("ProtectImages", "guarded");
	assert_ntsuccess(rs_start(warden));
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(refuse, FALSE));
	const ULONG64 id = 4000;
	UNICODE_STRING image = USTR(u"guarded"), innocent = USTR(u"sh");
	struct ps_process_spec spec = {.id = id, .image = &image, .native_image = &image};
	PEPROCESS process;
	PETHREAD thread = NULL;
	assert_ntsuccess(ps_create_process(&spec, &process));
	struct ps_thread_spec thread_spec = {.process = process};
	assert_status(ps_create_thread(&thread_spec, &thread), STATUS_CANCELLED);
	assert_said("protecting guarded, process 4000\n");
	assert_null(strstr(said.text, "has ended"));
	rs_release(process);
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(refuse, TRUE));

	spec.image = spec.native_image = &innocent;
	assert_ntsuccess(ps_create_process(&spec, &process));
	assert_int_equal(id_of(process), id);
	thread_spec.process = process;
	assert_ntsuccess(ps_create_thread(&thread_spec, &thread));
	struct actor sh = {process, thread}, other = actor_start(SHELL);
	rs_become(other.thread);
	assert_int_equal(rights_of(open_process(process, PROCESS_ALL_ACCESS)), PROCESS_ALL_ACCESS);
	rs_become(NULL);
	actor_end(&other);
	actor_end(&sh);
}

static int plain_world(void **state)
{
	return world_documented(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GUARD_TEST(ob_52_open_of_a_protected_process_loses_rights),
		GUARD_TEST(ob_45_post_reports_what_was_granted),
		GUARD_TEST(ob_43_post_reports_a_failed_operation),
		GUARD_TEST(threads_of_a_protected_process_lose_rights),
		GUARD_TEST(a_protected_process_may_open_itself),
		GUARD_TEST(ob_58_kernel_handles_are_spared),
		GUARD_TEST(ps_84_creator_does_not_keep_full_access),
		GUARD_TEST(ob_59_duplicate_is_judged_by_its_holder),
		GUARD_TEST(protection_covers_linux_paths),
		GUARD_TEST(protection_ends_with_the_process),
		cmocka_unit_test_setup_teardown(c_5_protection_does_not_pass_on_with_the_id,
						plain_world, off_duty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
