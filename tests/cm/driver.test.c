/* SPDX-License-Identifier: MIT */
/* A compiled driver that filters the registry. */
#include "ke/bugcheck.h"
#include "support/bugcheck.h"
#include "support/world.h"
#include <stdio.h>
#include <string.h>

static char said[256];

static void collect(void *context, const struct rs_event *event)
{
	(void)context;
	if (event->type == RS_DEBUG_PRINT)
		snprintf(said, sizeof said, "%s", event->print.text);
}

static struct rs_driver *load(void)
{
	struct rs_error error;
	struct rs_driver *driver = rs_load(TEST_BUILD "/tests/drivers/registry.sys", &error);
	if (!driver)
		fail_msg("%s", error.text);
	return driver;
}

static void wdk_driver_filters_what_it_does_itself(void **state)
{
	(void)state;
	said[0] = 0;
	rs_listen(collect, NULL);
	struct rs_driver *driver = load();
	if (!NT_SUCCESS(rs_start(driver)))
		fail_msg("%s", said);
	assert_ntsuccess(rs_unload(driver));
	rs_unlisten(collect, NULL);
}

static void unload_forgetful(void *unused)
{
	const char *value = "1";
	struct rs_driver *driver = load();
	(void)unused;
	rs_set_parameter(driver, "Forget", &value, 1);
	if (NT_SUCCESS(rs_start(driver)))
		rs_unload(driver);
}

static void wdk_callback_left_behind_is_a_bug_check(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(
		KE_DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS, unload_forgetful, NULL);
	assert_non_null(strstr(seen->detail, "registry callback"));
	assert_string_equal(seen->module, "registry.sys");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(wdk_driver_filters_what_it_does_itself),
		WORLD_TEST(wdk_callback_left_behind_is_a_bug_check),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
