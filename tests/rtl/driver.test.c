/* SPDX-License-Identifier: MIT */
/* The run-time library as a compiled driver calls it. */
#include <ringside/ringside.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* last: needs what is above */
#include <cmocka.h>

static char said[4096];

static void collect(void *context, const struct rs_event *event)
{
	(void)context;
	if (event->type == RS_DEBUG_PRINT)
		snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s\n",
			 event->print.text);
}

static void driver_finds_everything_as_its_headers_declare_it(void **state)
{
	(void)state;
	struct rs_error error;
	assert_int_equal(rs_boot(NULL), 0);
	assert_int_equal(rs_listen(collect, NULL), 0);
	struct rs_driver *driver = rs_load(TEST_BUILD "/tests/drivers/runtime.sys", &error);
	if (!driver)
		fail_msg("%s", error.text);
	NTSTATUS status = rs_start(driver);
	if (!NT_SUCCESS(status))
		fail_msg("%s", said);
	assert_non_null(strstr(said, "\\Services\\runtime: 42 checked\n"));
	assert_int_equal(rs_unload(driver), STATUS_SUCCESS);
	rs_unlisten(collect, NULL);
	rs_shutdown();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(driver_finds_everything_as_its_headers_declare_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
