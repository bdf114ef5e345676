/* SPDX-License-Identifier: MIT */
/*
 * Every allocation of the kernel fails once.
 *
 * A whole scenario (boot, load and start a driver, register callbacks of every kind,
 * create, open, duplicate, map, exit, unregister, unload, shut down) is run
 * again and again; in the n-th run the n-th allocation fails, and in a second series
 * all allocations of one call site do. Every status must be success or one that
 * documentation gives for want of memory, and nothing may be left allocated.
 */
#include "ldr/driver.h"
#include "memory.h"
#include "ob/callbacks.h"
#include "ps/notify.h"
#include "support/world.h"
#include <errno.h>
#include <string.h>

/* ---- Which allocation fails --------------------------------------------------------- */

static struct {
	uint64_t counted, fail_at; /* fail_at 0: none */
	const char *fail_site;
	bool failed;
	const char *site[256];
	unsigned sites;
} plan;

static void note_site(const char *site)
{
	for (unsigned i = 0; i < plan.sites; i++)
		if (!strcmp(plan.site[i], site))
			return;
	assert_true(plan.sites < 256);
	plan.site[plan.sites++] = site;
}

static bool should_fail(const char *site)
{
	plan.counted++;
	if (!plan.fail_at && !plan.fail_site) {
		note_site(site);
		return false;
	}
	bool fails = plan.fail_site ? !strcmp(plan.fail_site, site) : plan.counted == plan.fail_at;
	plan.failed |= fails;
	return fails;
}

/* ---- The scenario ----------------------------------------------------------------------- */

static bool went_well(NTSTATUS status)
{
	if (status == STATUS_SUCCESS)
		return true;
	if (!plan.failed || (status != STATUS_INSUFFICIENT_RESOURCES && status != STATUS_NO_MEMORY))
		fail_msg("status %#x after the failure of allocation %llu (%s)", (unsigned)status,
			 (unsigned long long)plan.fail_at,
			 plan.fail_site ? plan.fail_site : "by count");
	return false;
}

static unsigned pres, posts;

static OB_PREOP_CALLBACK_STATUS NTAPI pre(PVOID context, POB_PRE_OPERATION_INFORMATION info)
{
	(void)context, (void)info;
	pres++;
	return OB_PREOP_SUCCESS;
}

static VOID NTAPI post(PVOID context, POB_POST_OPERATION_INFORMATION info)
{
	(void)context, (void)info;
	posts++;
}

static VOID NTAPI process_routine(PEPROCESS process, HANDLE id, PPS_CREATE_NOTIFY_INFO info)
{
	(void)process, (void)id, (void)info;
}

static VOID NTAPI thread_routine(HANDLE process, HANDLE thread, BOOLEAN create)
{
	(void)process, (void)thread, (void)create;
}

static VOID NTAPI image_routine(PUNICODE_STRING name, HANDLE process, PIMAGE_INFO info)
{
	(void)name, (void)process, (void)info;
}

#define REGISTRATIONS 20 /* more than an operation keeps on its stack */

static NTSTATUS register_objects(unsigned number, void **handle)
{
	WCHAR digits[3] = {'4', (WCHAR)('0' + number / 10), (WCHAR)('0' + number % 10)};
	OB_OPERATION_REGISTRATION operations[] = {
		{&PsProcessType, OB_OPERATIONS, pre, post},
		{&PsThreadType, OB_OPERATIONS, NULL, post},
	};
	OB_CALLBACK_REGISTRATION asked = {
		OB_FLT_REGISTRATION_VERSION, 2, {6, 6, digits}, NULL, operations};
	return ObRegisterCallbacks(&asked, handle);
}

static void act(PEPROCESS process, PETHREAD thread)
{
	HANDLE handle, copy, own;
	PETHREAD second;
	rs_become(thread);
	CLIENT_ID id = {PsGetProcessId(process), NULL};
	OBJECT_ATTRIBUTES attributes = {.Length = sizeof attributes, .Attributes = OBJ_INHERIT};
	if (went_well(NtOpenProcess(&handle, PROCESS_ALL_ACCESS, &attributes, &id))) {
		own = (HANDLE)(intptr_t)-1;
		if (went_well(NtDuplicateObject(own, handle, own, &copy, 0, 0,
						DUPLICATE_SAME_ACCESS)))
			went_well(NtClose(copy));
	}
	if (went_well(rs_create_thread(process, &second))) {
		rs_run_thread(second);
		rs_exit_thread(second, 0);
		rs_release(second);
	}
	went_well(rs_map_image(&(struct rs_image_spec){
		.process = process, .name = "\\??\\C:\\a.dll", .base = &pres, .size = 4096}));
	PEPROCESS child;
	PETHREAD child_thread;
	HANDLE child_handle, thread_handle;
	struct rs_process_spec spec = {
		.parent = process, .image = "\\??\\C:\\child.exe", .command_line = "child"};
	if (went_well(rs_create_user_process(&spec, &child, &child_thread, &child_handle,
					     &thread_handle))) {
		rs_exit_process(child, 0);
		rs_release(child_thread);
		rs_release(child);
	}
	rs_become(NULL);
}

static void registered(void)
{
	void *handle[REGISTRATIONS] = {0};
	bool process = went_well(PsSetCreateProcessNotifyRoutineEx(process_routine, FALSE));
	bool thread = went_well(PsSetCreateThreadNotifyRoutine(thread_routine));
	bool image = went_well(PsSetLoadImageNotifyRoutine(image_routine));
	for (unsigned i = 0; i < REGISTRATIONS; i++)
		if (!went_well(register_objects(i, &handle[i])))
			handle[i] = NULL;

	struct actor actor;
	struct rs_process_spec spec = {.image = "\\??\\C:\\parent.exe", .command_line = "parent"};
	pres = posts = 0;
	if (went_well(rs_create_user_process(&spec, &actor.process, &actor.thread, NULL, NULL))) {
		act(actor.process, actor.thread);
		actor_end(&actor);
	}

	for (unsigned i = 0; i < REGISTRATIONS; i++)
		if (handle[i])
			ObUnRegisterCallbacks(handle[i]);
	/* Taking away needs no memory, so it cannot fail for want of it. */
	if (process)
		assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(process_routine, TRUE));
	if (thread)
		assert_ntsuccess(PsRemoveCreateThreadNotifyRoutine(thread_routine));
	if (image)
		assert_ntsuccess(PsRemoveLoadImageNotifyRoutine(image_routine));
}

static void with_driver(void)
{
	struct rs_error error = {{0}};
	struct rs_driver *driver = rs_load(TEST_BUILD "/drivers/warden.sys", &error);
	if (!driver) {
		assert_true(plan.failed);
		assert_true(strlen(error.text) > 0);
		return;
	}
	const char *value = "a.exe";
	int set = rs_set_parameter(driver, "DenyImages", &value, 1);
	assert_true(set == 0 || (plan.failed && set == -ENOMEM));
	if (!went_well(rs_start(driver))) {
		rs_discard(driver);
		return;
	}
	registered();
	assert_ntsuccess(rs_unload(driver));
}

static void run_once(void)
{
	uint64_t before = host_live_allocations();
	plan.counted = 0;
	plan.failed = false;
	host_fail_allocations(should_fail);
	int booted = rs_boot(NULL);
	if (booted == 0) {
		int declared = rs_declare_program("test.sys", true);
		assert_true(declared == 0 || (plan.failed && declared == -ENOMEM));
		if (declared == 0)
			with_driver();
		rs_shutdown();
	} else {
		assert_true(plan.failed);
		/* -ENOTSUP: a mapping that must lie at a certain place found none. */
		assert_true(booted == -ENOMEM || booted == -ENOTSUP);
	}
	host_fail_allocations(NULL);
	if (host_live_allocations() != before)
		fail_msg("%lld allocations left after the failure of allocation %llu (%s)",
			 (long long)(host_live_allocations() - before),
			 (unsigned long long)plan.fail_at,
			 plan.fail_site ? plan.fail_site : "by count");
}

/* ---- The tests ---------------------------------------------------------------------------- */

static uint64_t run_unfailed(void)
{
	memset(&plan, 0, sizeof plan);
	KeGetCurrentIrql(); /* this host thread's processor, which outlives the kernel */
	run_once();
	return plan.counted;
}

static void ps_09_ob_17_every_allocation_fails_once(void **state)
{
	(void)state;
	uint64_t allocations = run_unfailed();
	assert_true(allocations > 100);
	for (uint64_t i = 1; i <= allocations; i++) {
		plan.fail_at = i;
		run_once();
		assert_true(plan.failed);
	}
	print_message("%llu allocations failed one by one\n", (unsigned long long)allocations);
}

static void ps_09_ob_17_every_call_site_fails_throughout(void **state)
{
	(void)state;
	run_unfailed();
	assert_true(plan.sites > 20);
	for (unsigned i = 0; i < plan.sites; i++) {
		plan.fail_site = plan.site[i];
		run_once();
		assert_true(plan.failed);
	}
	print_message("%u call sites failed one by one\n", plan.sites);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ps_09_ob_17_every_allocation_fails_once),
		cmocka_unit_test(ps_09_ob_17_every_call_site_fails_throughout),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
