/* SPDX-License-Identifier: MIT */
/*
 * Structured exceptions of a driver in the binary interface of Microsoft's compiler
 * (tests/drivers/seh): what it handles, and what must end in a bug check although it has
 * handlers.
 */
#include "support/bugcheck.h"
#include "support/world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYS TEST_BUILD "/tests/drivers/seh.sys"

static char heard[4096];

static void hear(void *unused, const struct rs_event *event)
{
	(void)unused;
	if (event->type == RS_DEBUG_PRINT && strlen(heard) + strlen(event->print.text) + 2 < 4096)
		strcat(strcat(heard, event->print.text), "\n");
}

static bool can_be_built(void)
{
	return access(SYS, R_OK) == 0 || system("command -v clang lld-link >/dev/null") == 0;
}

static struct rs_driver *load(const char *path)
{
	struct rs_error error = {0};
	if (!can_be_built())
		skip();
	struct rs_driver *driver = rs_load(path, &error);
	if (!driver)
		fail_msg("%s", error.text);
	return driver;
}

static void exceptions_are_handled(void **state)
{
	(void)state;
	struct rs_driver *driver = load(SYS);
	heard[0] = 0;
	assert_int_equal(rs_listen(hear, NULL), 0);
	NTSTATUS status = rs_start(driver);
	rs_unlisten(hear, NULL);
	if (strstr(heard, "failed"))
		fail_msg("%s", heard);
	assert_ntsuccess(status);
	assert_non_null(strstr(heard, " 0 failures"));
	assert_ntsuccess(rs_unload(driver));
}

static void an_exception_in_a_callback_leaves_the_world_as_it_was(void **state)
{
	(void)state;
	struct rs_driver *driver = load(SYS);
	assert_ntsuccess(rs_start(driver));
	heard[0] = 0;
	assert_int_equal(rs_listen(hear, NULL), 0);
	actor_live("a.exe");
	actor_live("b.exe");
	rs_unlisten(hear, NULL);
	assert_string_equal(heard, "handled 1\nhandled 2\n");
	assert_ntsuccess(rs_unload(driver)); /* waits for ever if a walk was left open */
}

/* Started under a name of its own, the driver crashes. */
static void start_as(void *letter)
{
	char path[128];
	snprintf(path, sizeof(path), "/tmp/seh-test-%d-%s.sys", getpid(), (const char *)letter);
	(void)unlink(path);
	if (symlink(SYS, path))
		abort();
	struct rs_error error;
	struct rs_driver *driver = rs_load(path, &error);
	(void)unlink(path);
	if (driver)
		rs_start(driver);
}

static const struct bug_check_seen *crash(ULONG code, const char *letter)
{
	if (!can_be_built())
		skip();
	const struct bug_check_seen *seen = expect_bug_check(code, start_as, (void *)letter);
	assert_string_equal(seen->callback, "DriverEntry");
	assert_non_null(strstr(seen->module, "seh-test"));
	return seen;
}

static void what_no_handler_wants_is_7e_at_the_fault(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = crash(0x7E, "n");
	assert_int_equal(seen->parameter[0], 0xC0000005);
	assert_int_equal(seen->parameter[1], seen->address);
	assert_non_null(strstr(seen->detail, "write to 0x10"));
	assert_true(seen->frames >= 3);
	assert_int_equal(seen->guessed & 7, 0);
}

static void a_status_raised_to_nobody_is_7e_and_names_the_call(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = crash(0x7E, "r");
	assert_int_equal(seen->parameter[0], 0xC000000D);
	assert_string_equal(seen->detail,
			    "ExRaiseStatus was called (STATUS_INVALID_PARAMETER, 0xC000000D)");
}

static void going_on_after_a_raise_is_noncontinuable(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = crash(0x7E, "c");
	assert_int_equal(seen->parameter[0], 0xC0000025);
}

static void vf_14_no_handler_is_asked_at_dispatch_level(void **state)
{
	(void)state;
	crash(0xD1, "d");
}

static void no_handler_is_asked_about_kernel_addresses(void **state)
{
	(void)state;
	crash(0x50, "k");
}

static void vf_1_probing_at_dispatch_level_is_a(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = crash(0xA, "p");
	assert_non_null(strstr(seen->detail, "ProbeForRead"));
}

static void a_damaged_cookie_is_139_2(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = crash(0x139, "g");
	assert_int_equal(seen->parameter[0], 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(exceptions_are_handled),
		WORLD_TEST(an_exception_in_a_callback_leaves_the_world_as_it_was),
		WORLD_TEST(what_no_handler_wants_is_7e_at_the_fault),
		WORLD_TEST(a_status_raised_to_nobody_is_7e_and_names_the_call),
		WORLD_TEST(going_on_after_a_raise_is_noncontinuable),
		WORLD_TEST(vf_14_no_handler_is_asked_at_dispatch_level),
		WORLD_TEST(no_handler_is_asked_about_kernel_addresses),
		WORLD_TEST(vf_1_probing_at_dispatch_level_is_a),
		WORLD_TEST(a_damaged_cookie_is_139_2),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
