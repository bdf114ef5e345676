/* SPDX-License-Identifier: MIT */
/* DbgPrint and its relatives as events; stopping on purpose. */
#include "kd/print.h"
#include "kd/break.h"
#include "ke/bugcheck.h"
#include "ldr/module.h"
#include "support/bugcheck.h"
#include <ringside/ringside.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* last: needs what is above */
#include <cmocka.h>

static struct {
	unsigned count;
	ULONG component, level;
	char text[2048], module[64];
} heard;

static void listen_to_prints(void *context, const struct rs_event *event)
{
	(void)context;
	if (event->type != RS_DEBUG_PRINT)
		return;
	const struct ldr_module *module = (const void *)event->print.module;
	heard.count++;
	heard.component = event->print.component;
	heard.level = event->print.level;
	strncpy(heard.text, event->print.text, sizeof(heard.text) - 1);
	strncpy(heard.module, module ? module->name : "", sizeof(heard.module) - 1);
}

static int boot(void **state)
{
	(void)state;
	return rs_boot(NULL) || rs_declare_program("test.sys", true);
}

static int shut_down(void **state)
{
	(void)state;
	rs_shutdown();
	return 0;
}

static int start_listening(void **state)
{
	(void)state;
	memset(&heard, 0, sizeof(heard));
	return rs_listen(listen_to_prints, NULL);
}

static int stop_listening(void **state)
{
	(void)state;
	rs_unlisten(listen_to_prints, NULL);
	return 0;
}

static void print_is_an_event_with_its_module(void **state)
{
	(void)state;
	assert_int_equal(DbgPrint("pid %u of %s", 4, "System"), STATUS_SUCCESS);
	assert_int_equal(heard.count, 1);
	assert_string_equal(heard.text, "pid 4 of System");
	assert_string_equal(heard.module, "test.sys");
	assert_int_equal(heard.component, DPFLTR_DEFAULT_ID);
	assert_int_equal(heard.level, DPFLTR_INFO_LEVEL);
}

static void print_ex_tells_component_and_level(void **state)
{
	(void)state;
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, "x");
	assert_int_equal(heard.component, DPFLTR_IHVDRIVER_ID);
	assert_int_equal(heard.level, DPFLTR_ERROR_LEVEL);
	DbgPrintReturnControlC("y");
	assert_string_equal(heard.text, "y");
}

static void one_trailing_newline_goes(void **state)
{
	(void)state;
	DbgPrint("line\n");
	assert_string_equal(heard.text, "line");
	DbgPrint("line\n\n");
	assert_string_equal(heard.text, "line\n");
	DbgPrint("\n");
	assert_string_equal(heard.text, "");
	assert_int_equal(heard.count, 3);
}

static ULONG NTAPI call_v(bool prefix, PCSTR format, ...)
{
	__builtin_ms_va_list args;
	__builtin_ms_va_start(args, format);
	ULONG status = prefix ? vDbgPrintExWithPrefix("[w] ", 77, 2, format, args)
			      : vDbgPrintEx(77, 1, format, args);
	__builtin_ms_va_end(args);
	return status;
}

static void v_forms_take_argument_lists(void **state)
{
	(void)state;
	call_v(false, "%d-%d\n", 1, 2);
	assert_string_equal(heard.text, "1-2");
	assert_int_equal(heard.level, 1);
	call_v(true, "%d\n", 3);
	assert_string_equal(heard.text, "[w] 3");
	assert_int_equal(heard.level, 2);
}

static void call_transmits_at_most_512_bytes(void **state)
{
	(void)state;
	assert_int_equal(DbgPrint("%512d", 1), STATUS_SUCCESS);
	assert_int_equal(strlen(heard.text), 512);
	assert_int_equal(DbgPrint("%600d", 1), (ULONG)STATUS_BUFFER_OVERFLOW);
	assert_int_equal(strlen(heard.text), 512);
	assert_int_equal(heard.count, 2);
}

static void text_reaches_the_listener_as_utf8(void **state)
{
	(void)state;
	DbgPrint("%ws", u"caf\u00E9 \u20AC");
	assert_string_equal(heard.text, "caf\xC3\xA9 \xE2\x82\xAC");
	DbgPrint("caf\xC3\xA9");
	assert_string_equal(heard.text, "caf\xC3\xA9");
	/* All 512 bytes may need three. */
	static WCHAR euros[513];
	for (unsigned i = 0; i < 512; i++)
		euros[i] = 0x20AC;
	DbgPrint("%ws", euros);
	assert_int_equal(strlen(heard.text), 3 * 512);
}

static void nobody_listening_formats_nothing(void **state)
{
	(void)state;
	assert_int_equal(DbgPrint("%s", (char *)1), STATUS_SUCCESS);
}

static void no_debugger_is_there(void **state)
{
	(void)state;
	assert_false(KdDebuggerEnabled);
	assert_true(KdDebuggerNotPresent);
	assert_true(KdRefreshDebuggerNotPresent());
	assert_int_equal(InitSafeBootMode, 0);
}

static void stop(void *argument)
{
	if (!argument)
		DbgBreakPoint();
	else
		DbgBreakPointWithStatus(5);
}

static void bug_check(void *argument)
{
	if (!argument)
		KeBugCheck(0xDEADDEAD);
	else
		KeBugCheckEx(0xE2, 1, 2, 3, 0xFFFFFFFFFFFFFFF4);
}

static void breakpoint_without_a_debugger_is_1e(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(KE_KMODE_EXCEPTION_NOT_HANDLED, stop,
							     NULL);
	assert_int_equal(seen->parameter[0], 0x80000003);
	assert_int_equal(seen->parameter[1], seen->address);
	assert_string_equal(seen->module, "test.sys");
	seen = expect_bug_check(KE_KMODE_EXCEPTION_NOT_HANDLED, stop, &seen);
	assert_int_equal(seen->parameter[2], 5);
}

static void bug_check_has_the_callers_code_and_parameters(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(0xDEADDEAD, bug_check, NULL);
	assert_string_equal(seen->module, "test.sys");
	seen = expect_bug_check(0xE2, bug_check, &seen);
	assert_int_equal(seen->parameter[0], 1);
	assert_int_equal(seen->parameter[2], 3);
	assert_true(seen->parameter[3] == 0xFFFFFFFFFFFFFFF4);
}

#define HEARD(name) cmocka_unit_test_setup_teardown(name, start_listening, stop_listening)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HEARD(print_is_an_event_with_its_module),
		HEARD(print_ex_tells_component_and_level),
		HEARD(one_trailing_newline_goes),
		HEARD(v_forms_take_argument_lists),
		HEARD(call_transmits_at_most_512_bytes),
		HEARD(text_reaches_the_listener_as_utf8),
		cmocka_unit_test(nobody_listening_formats_nothing),
		cmocka_unit_test(no_debugger_is_there),
		cmocka_unit_test(breakpoint_without_a_debugger_is_1e),
		cmocka_unit_test(bug_check_has_the_callers_code_and_parameters),
	};
	return cmocka_run_group_tests(tests, boot, shut_down);
}
