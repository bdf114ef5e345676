/* SPDX-License-Identifier: MIT */
/*
 * A driver in C++ that imports from a kernel DLL (tests/drivers/sehmain, sehdll): binding,
 * DllInitialize and DllUnload, static constructors, Control Flow Guard, and an exception
 * through a frame of another image.
 */
#include "support/world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER TEST_BUILD "/tests/drivers/"

static char heard[4096];

static void hear(void *unused, const struct rs_event *event)
{
	(void)unused;
	if (event->type == RS_DEBUG_PRINT)
		strcat(strcat(heard, event->print.text), "\n");
}

static struct rs_driver *load(const char *path)
{
	struct rs_error error = {0};
	if (access(path, R_OK) && system("command -v clang lld-link >/dev/null"))
		skip();
	struct rs_driver *driver = rs_load(path, &error);
	if (!driver)
		fail_msg("%s", error.text);
	return driver;
}

static void a_kernel_dll_is_initialised_for_its_importer(void **state)
{
	(void)state;
	struct rs_driver *dll = load(FOLDER "sehdll.sys"), *driver = load(FOLDER "sehmain.sys");
	heard[0] = 0;
	assert_int_equal(rs_listen(hear, NULL), 0);
	assert_ntsuccess(rs_start(dll));
	assert_status(rs_start(dll), STATUS_IMAGE_ALREADY_LOADED);
	assert_ntsuccess(rs_start(driver));
	assert_status(rs_unload(dll), STATUS_DEVICE_BUSY);
	assert_ntsuccess(rs_unload(driver));
	assert_ntsuccess(rs_unload(dll));
	rs_unlisten(hear, NULL);
	assert_string_equal(heard, "DllInitialize \\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet"
				   "\\Services\\sehdll\n"
				   "value 42, counter 41, irql 0, handled 1\n"
				   "unload 41\n"
				   "DllUnload\n");
}

static void an_image_that_nobody_imports_from_is_a_driver(void **state)
{
	(void)state;
	struct rs_driver *dll = load(FOLDER "sehdll.sys");
	heard[0] = 0;
	assert_int_equal(rs_listen(hear, NULL), 0);
	assert_ntsuccess(rs_start(dll));
	rs_unlisten(hear, NULL);
	assert_string_equal(heard, "DriverEntry of the DLL\n");
}

static void the_command_loads_in_the_order_of_dependence(void **state)
{
	(void)state;
	char line[256], output[4096] = "";
	if (access(FOLDER "sehmain.sys", R_OK))
		skip();
	FILE *pipe = popen(TEST_BUILD "/ringside run " FOLDER "sehmain.sys " FOLDER
				      "sehdll.sys -- true 2>&1",
			   "r");
	while (fgets(line, sizeof(line), pipe) && strlen(output) + sizeof(line) < sizeof(output))
		strcat(output, line);
	assert_int_equal(pclose(pipe), 0);
	const char *first = strstr(output, "DllInitialize"), *second = strstr(output, "value 42");
	if (!first || !second || first > second || !strstr(output, "DllUnload"))
		fail_msg("%s", output);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_kernel_dll_is_initialised_for_its_importer),
		WORLD_TEST(an_image_that_nobody_imports_from_is_a_driver),
		cmocka_unit_test(the_command_loads_in_the_order_of_dependence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
