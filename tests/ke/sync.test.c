/* SPDX-License-Identifier: MIT */
/* sync.sys: what real drivers wait for and run later, and the mistakes they make. */
#include "ke/bugcheck.h"
#include "support/bugcheck.h"
#include <ringside/ringside.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* last: needs what is above */
#include <cmocka.h>

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void note_print(void *context, const struct rs_event *event)
{
	if (event->type == RS_DEBUG_PRINT)
		snprintf(context, 256, "%s", event->print.text);
}

static void driver_uses_them_all(void **state)
{
	(void)state;
	char line[256] = "";
	struct rs_error error;
	for (int i = 0; i < 2; i++) { /* the second time in a kernel that was shut down */
		assert_int_equal(rs_boot(NULL), 0);
		struct rs_driver *driver = rs_load(TEST_BUILD "/tests/drivers/sync.sys", &error);
		if (!driver)
			fail_msg("%s", error.text);
		assert_int_equal(rs_listen(note_print, line), 0);
		NTSTATUS status = rs_start(driver);
		rs_unlisten(note_print, line);
		if (!NT_SUCCESS(status))
			fail_msg("sync.sys: %s", line);
		assert_int_equal(rs_unload(driver), STATUS_SUCCESS);
		rs_shutdown();
	}
}

/* ---- Mistakes -------------------------------------------------------------------------- */

static void make_mistake(void *name)
{
	char link[256];
	struct rs_error error;
	snprintf(link, sizeof(link), TEST_BUILD "/tests/%s.sys", (const char *)name);
	unlink(link);
	require(symlink(TEST_BUILD "/tests/drivers/sync.sys", link) == 0);
	require(rs_boot(NULL) == 0);
	struct rs_driver *driver = rs_load(link, &error);
	unlink(link);
	require(driver != NULL);
	require(NT_SUCCESS(rs_start(driver)));
	require(rs_unload(driver) == STATUS_SUCCESS);
	rs_shutdown();
}

/* Guarded, as a program should: the bug check may come from another host thread. */
static void start_as(void *name)
{
	if (!rs_guard(make_mistake, name))
		_exit(123);
}

static const struct bug_check_seen *expect(ULONG code, const char *name)
{
	char module[64];
	const struct bug_check_seen *seen = expect_bug_check(code, start_as,
							     (void *)(uintptr_t)name);
	snprintf(module, sizeof(module), "%s.sys", name);
	assert_string_equal(seen->module, module);
	return seen;
}

static void thread_left_behind_is_ce(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect(0xCE, "leave-thread");
	assert_int_equal(seen->parameter[0], seen->address);
	assert_non_null(strstr(seen->detail, "a system thread"));
}

static void timer_left_behind_is_c7(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(0xC7, start_as,
							     (void *)(uintptr_t) "leave-timer");
	assert_int_equal(seen->parameter[0], 0);
	assert_in_range(seen->parameter[1], seen->parameter[2], seen->parameter[3]);
}

static void vf_5_work_item_that_stays_in_a_region_is_1(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect(0x1, "region-in-work");
	assert_int_equal(seen->parameter[0], seen->address);
	assert_int_equal(seen->parameter[2], 0xFFFF);
	assert_int_equal(seen->parameter[3], 1);
}

static void work_item_that_stays_raised_is_e1(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect(0xE1, "raise-in-work");
	assert_int_equal(seen->parameter[1], DISPATCH_LEVEL);
}

static void vf_7_spin_lock_rules(void **state)
{
	(void)state;
	assert_int_equal(expect(0xC4, "release-twice")->parameter[0], 0x40009);
	assert_int_equal(expect(0xC4, "acquire-twice")->parameter[0], 0x40009);
	assert_int_equal(expect(0xC4, "release-too-low")->parameter[0], 0x32);
}

static void vf_12_wait_with_a_spin_lock_held(void **state)
{
	(void)state;
	assert_int_equal(expect(0xC4, "wait-with-lock")->parameter[0], 0x121);
}

static void bad_objects(void **state)
{
	(void)state;
	assert_int_equal((ULONG)expect(0x7E, "bad-event")->parameter[0], 0xC0000005);
	expect((ULONG)KE_CALLBACK_RULE_VIOLATION, "not-an-event");
}

static void delay_above_apc_level_is_a(void **state)
{
	(void)state;
	assert_int_equal(expect(0xA, "delay-too-high")->irql, DISPATCH_LEVEL);
}

static void terminating_a_strangers_thread_is_e9(void **state)
{
	(void)state;
	expect(0xE9, "terminate-stranger");
}

/* The kernel's end takes the driver's thread along, which nobody asked to stop. */
static void shut_down_with_a_thread(void *argument)
{
	char link[] = TEST_BUILD "/tests/leave-thread.sys";
	struct rs_error error;
	(void)argument;
	unlink(link);
	require(symlink(TEST_BUILD "/tests/drivers/sync.sys", link) == 0);
	require(rs_boot(NULL) == 0);
	struct rs_driver *driver = rs_load(link, &error);
	unlink(link);
	require(driver && NT_SUCCESS(rs_start(driver)));
	rs_shutdown();
}

static void shutdown_ends_threads_that_wait(void **state)
{
	(void)state;
	expect_no_bug_check(shut_down_with_a_thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thread_left_behind_is_ce),
		cmocka_unit_test(timer_left_behind_is_c7),
		cmocka_unit_test(vf_5_work_item_that_stays_in_a_region_is_1),
		cmocka_unit_test(work_item_that_stays_raised_is_e1),
		cmocka_unit_test(vf_7_spin_lock_rules),
		cmocka_unit_test(vf_12_wait_with_a_spin_lock_held),
		cmocka_unit_test(bad_objects),
		cmocka_unit_test(delay_above_apc_level_is_a),
		cmocka_unit_test(terminating_a_strangers_thread_is_e9),
		cmocka_unit_test(shutdown_ends_threads_that_wait),
		cmocka_unit_test(driver_uses_them_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
