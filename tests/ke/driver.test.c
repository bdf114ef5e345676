/* SPDX-License-Identifier: MIT */
/* Traps and faults of real drivers, built by a Windows compiler. */
#include "clock.h"
#include "sanitizer.h"
#include "support/bugcheck.h"
#include <inttypes.h>
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

static struct rs_driver *load(const char *path)
{
	struct rs_error error;
	struct rs_driver *driver = rs_load(path, &error);
	if (!driver)
		fail_msg("%s", error.text);
	return driver;
}

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* ---- traps.sys ---------------------------------------------------------------------- */

struct printed {
	char line[256];
	ULONG64 time;
};

static void note_print(void *context, const struct rs_event *event)
{
	struct printed *printed = context;
	if (event->type != RS_DEBUG_PRINT)
		return;
	snprintf(printed->line, sizeof(printed->line), "%s", event->print.text);
	sscanf(event->print.text, "time %" SCNu64, &printed->time);
}

static void ab_2_3_4_inlined_accesses_agree_with_the_exports(void **state)
{
	(void)state;
	struct printed printed = {0};
	struct rs_driver *driver = load(TEST_BUILD "/tests/drivers/traps.sys");
	assert_int_equal(rs_listen(note_print, &printed), 0);
	ULONG64 before = host_nt_time();
	NTSTATUS status = rs_start(driver);
	ULONG64 after = host_nt_time();
	rs_unlisten(note_print, &printed);
	if (!NT_SUCCESS(status))
		fail_msg("traps.sys: %s", printed.line);
	assert_in_range(printed.time, before, after);
	assert_int_equal(rs_unload(driver), STATUS_SUCCESS);
}

/* ---- crash.sys ---------------------------------------------------------------------- */

/* Which of the two builds, and what it shall do. */
struct crash {
	const char *build, *name;
};

static void start_as(void *argument)
{
	const struct crash *crash = argument;
	char file[256], link[256];
	snprintf(file, sizeof(file), TEST_BUILD "/tests/drivers/%s.sys", crash->build);
	snprintf(link, sizeof(link), TEST_BUILD "/tests/%s.sys", crash->name);
	unlink(link);
	require(symlink(file, link) == 0);
	struct rs_error error;
	struct rs_driver *driver = rs_load(link, &error);
	unlink(link);
	require(driver != NULL);
	NTSTATUS status = rs_start(driver);
	require(NT_SUCCESS(status));
}

static const struct bug_check_seen *expect_crash(ULONG code, const char *build, const char *name)
{
	char module[64];
	const struct bug_check_seen *seen = expect_bug_check(code, start_as,
							     &(struct crash){build, name});
	snprintf(module, sizeof(module), "%s.sys", name);
	assert_string_equal(seen->module, module);
	return seen;
}

/* How many frames, from the n-th on, are in the module. */
static unsigned driver_frames(const struct bug_check_seen *seen, unsigned from)
{
	unsigned count = 0;
	size_t length = strlen(seen->module);
	while (from + count < seen->frames &&
	       strncmp(seen->frame[from + count], seen->module, length) == 0)
		count++;
	return count;
}

static bool any_guessed(const struct bug_check_seen *seen, unsigned count)
{
	return seen->guessed & ((1u << count) - 1);
}

static void fault_in_driver_entry_shows_the_whole_chain(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_crash(0x7E, "crash", "null-write");
	assert_int_equal((ULONG)seen->parameter[0], 0xC0000005);
	assert_non_null(strstr(seen->detail, "write to 0x10 by mov"));
	assert_string_equal(seen->callback, "DriverEntry");
	/* innermost, middle, outermost, and null_write or DriverEntry */
	assert_int_equal(driver_frames(seen, 0), 4);
	assert_false(any_guessed(seen, 4));
}

static void chain_without_unwind_information_is_marked_as_guessed(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_crash(0x7E, "crashbare", "null-write");
	assert_true(driver_frames(seen, 0) >= 4);
	assert_int_equal(seen->guessed & 0xF, 0xE);
	assert_non_null(strstr(seen->report, "found on the stack, not by unwinding"));
}

static void vf_14_fault_at_an_irql_that_was_set_through_cr8_is_d1(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_crash(0xD1, "crash", "write-at-dispatch-level");
	assert_int_equal(seen->irql, DISPATCH_LEVEL);
	assert_int_equal(seen->parameter[0], 0x10);
	assert_int_equal(seen->parameter[3], seen->address);
	assert_int_equal(driver_frames(seen, 0), 5); /* and DriverEntry */
}

static void bad_pointer_names_the_export_and_blames_the_caller(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_crash(0x7E, "crash", "bad-pointer-to-export");
	unsigned frame = 0;
	while (frame < seen->frames && !driver_frames(seen, frame))
		frame++;
	assert_in_range(frame, 1, seen->frames - 1);
	assert_string_equal(seen->frame[frame - 1], "ntoskrnl.exe!RtlCopyUnicodeString");
}

static void rule_broken_in_an_export_blames_the_caller(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_crash(0xC4, "crash", "break-rule-of-export");
	assert_int_equal(seen->parameter[0], 0x30);
	assert_string_equal(seen->frame[0], "ntoskrnl.exe!KfRaiseIrql");
	assert_true(driver_frames(seen, 1) >= 2);
}

static void vf_4_driver_entry_that_stays_at_dispatch_level_is_c8(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_crash(0xC8, "crash", "stay-at-dispatch-level");
	assert_string_equal(seen->callback, "DriverEntry");
	assert_non_null(strstr(seen->detail, "returned at IRQL 2"));
}

static void vf_16_recursion_without_end_is_a_double_fault(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_crash(0x7F, "crash", "use-up-stack");
	assert_int_equal(seen->parameter[0], 8);
	assert_int_equal(driver_frames(seen, 0), 32);
	assert_non_null(strstr(seen->report, ", 31 times\n"));
	assert_false(any_guessed(seen, 31));
}

static void survive(void *argument)
{
	require(!rs_guard(start_as, argument));
	_exit(123);
}

static void what_lies_around_the_guard_outlives_an_overrun_stack(void **state)
{
	(void)state;
	if (HOST_SANITIZED) /* there is no kernel stack then */
		skip();
	const struct bug_check_seen *seen = expect_bug_check(
		0x7E, survive, &(struct crash){"crash", "overrun-stack"});
	assert_string_equal(seen->module, "overrun-stack.sys");
	assert_non_null(strstr(seen->detail, "return to 0x4141414141414141, which is no address"));
}

static void overrun_ends_at_the_guard_page_above_the_stack(void **state)
{
	(void)state;
	if (HOST_SANITIZED) /* there is no kernel stack then */
		skip();
	const struct bug_check_seen *seen = expect_bug_check(
		0x50, survive, &(struct crash){"crash", "overrun-whole-stack"});
	assert_string_equal(seen->module, "overrun-whole-stack.sys");
	assert_int_equal(seen->parameter[0] % 4096, 0);
	assert_int_equal(seen->parameter[1], 1);
}

static void other_exceptions_carry_their_status(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_crash(0x7E, "crash", "divide-by-zero");
	assert_int_equal((ULONG)seen->parameter[0], 0xC0000094);
	seen = expect_crash(0x7E, "crash", "disable-interrupts");
	assert_int_equal((ULONG)seen->parameter[0], 0xC0000096);
	assert_string_equal(seen->detail, "privileged instruction: cli");
	seen = expect_crash(0x139, "crash", "fail-fast");
	assert_int_equal(seen->parameter[0], 2);
}

static void bug_check_that_a_driver_asks_for_is_told_as_it_is(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_crash(0xE2, "crash", "end-it");
	for (ULONG64 i = 0; i < 4; i++)
		assert_int_equal(seen->parameter[i], i + 1);
	assert_string_equal(seen->frame[0], "ntoskrnl.exe!KeBugCheckEx");
}

static void create_process(void *argument)
{
	PEPROCESS process;
	PETHREAD thread;
	start_as(argument);
	require(NT_SUCCESS(rs_create_user_process(
		&(struct rs_process_spec){.image = "\\??\\C:\\Windows\\notepad.exe"}, &process,
		&thread, NULL, NULL)));
}

static void fault_in_a_callback_names_the_callback(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(
		0x7E, create_process, &(struct crash){"crash", "fault-in-callback"});
	assert_string_equal(seen->module, "fault-in-callback.sys");
	assert_non_null(strstr(seen->callback, "PsSetCreateProcessNotifyRoutine"));
	assert_true(driver_frames(seen, 0) >= 3);
}

static int boot(void **state)
{
	(void)state;
	return rs_boot(NULL);
}

static int shut_down(void **state)
{
	(void)state;
	rs_shutdown();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ab_2_3_4_inlined_accesses_agree_with_the_exports),
		cmocka_unit_test(fault_in_driver_entry_shows_the_whole_chain),
		cmocka_unit_test(chain_without_unwind_information_is_marked_as_guessed),
		cmocka_unit_test(vf_14_fault_at_an_irql_that_was_set_through_cr8_is_d1),
		cmocka_unit_test(bad_pointer_names_the_export_and_blames_the_caller),
		cmocka_unit_test(rule_broken_in_an_export_blames_the_caller),
		cmocka_unit_test(vf_4_driver_entry_that_stays_at_dispatch_level_is_c8),
		cmocka_unit_test(vf_16_recursion_without_end_is_a_double_fault),
		cmocka_unit_test(what_lies_around_the_guard_outlives_an_overrun_stack),
		cmocka_unit_test(overrun_ends_at_the_guard_page_above_the_stack),
		cmocka_unit_test(other_exceptions_carry_their_status),
		cmocka_unit_test(bug_check_that_a_driver_asks_for_is_told_as_it_is),
		cmocka_unit_test(fault_in_a_callback_names_the_callback),
	};
	return cmocka_run_group_tests(tests, boot, shut_down);
}
