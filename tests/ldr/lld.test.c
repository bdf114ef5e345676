/* SPDX-License-Identifier: MIT */
/* An image by clang and lld-link, whose layout and tables are Microsoft's. */
#include "ldr/files.h"
#include "ldr/module.h"
#include "ldr/pe.h"
#include "support/world.h"

static char heard[256];

static void hear(void *unused, const struct rs_event *event)
{
	(void)unused;
	if (event->type == RS_DEBUG_PRINT) {
		strcat(heard, event->print.text);
		strcat(heard, " ");
	}
}

static bool run(const char *command)
{
	int status = system(command);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static const char *build(void)
{
	static char path[512];
	char command[2048];
	strcpy(path, scratch("lld.sys"));
	snprintf(command, sizeof(command),
		 "clang --target=x86_64-pc-windows-msvc -O2 -ffreestanding -mno-red-zone "
		 "-fasynchronous-unwind-tables -c %s/tests/ldr/lld.driver.c -o %s.obj && "
		 "lld-link /nologo /driver /subsystem:native /entry:DriverEntry /nodefaultlib "
		 "/integritycheck /dynamicbase /out:%s %s.obj %s/libntoskrnl.a",
		 TEST_SOURCE, path, path, path, TEST_BUILD);
	if (!run(command))
		fail_msg("failed: %s", command);
	return path;
}

static void a_driver_by_lld_link_runs(void **state)
{
	(void)state;
	struct rs_error error = {0};
	if (!run("command -v clang lld-link >/dev/null"))
		skip();
	struct rs_driver *driver = rs_load(build(), &error);
	scratch_remove("lld.sys.obj");
	scratch_remove("lld.sys");
	if (!driver)
		fail_msg("%s", error.text);
	const struct pe *pe = ((struct ldr_module *)(void *)driver)->pe;
	assert_int_not_equal(pe->directory[PE_LOAD_CONFIG].rva, 0);
	assert_int_not_equal(pe->directory[PE_EXCEPTIONS].size, 0);
	assert_int_equal(rs_listen(hear, NULL), 0);
	/* It fails when it finds the compiler's security cookie. */
	assert_ntsuccess(rs_start(driver));
	assert_ntsuccess(rs_unload(driver));
	assert_string_equal(heard, "relocated pointers unload ");
	rs_unlisten(hear, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {WORLD_TEST(a_driver_by_lld_link_runs)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
