/* SPDX-License-Identifier: MIT */
/*
 * Files and sections as a compiled driver uses them (tests/drivers/files), and what becomes
 * of its mistakes.
 */
#include "io/folder.h"
#include "support/bugcheck.h"

#define CODE(n) CTL_CODE(0x8000, 0x800 + (n), METHOD_BUFFERED, FILE_ANY_ACCESS)

static struct {
	struct rs_driver *driver;
	HANDLE device;
	char said[4096];
} t;

static void collect(void *context, const struct rs_event *event)
{
	(void)context;
	if (event->type == RS_DEBUG_PRINT)
		snprintf(t.said + strlen(t.said), sizeof(t.said) - strlen(t.said), "%s\n",
			 event->print.text);
}

static void start(void)
{
	struct rs_error error;
	memset(&t, 0, sizeof(t));
	mkdir(path_of("files"), 0777);
	put_file("files/Settings.INI", "mode=quiet");
	assert_int_equal(rs_listen(collect, NULL), 0);
	t.driver = rs_load(TEST_BUILD "/tests/drivers/files.sys", &error);
	if (!t.driver)
		fail_msg("%s", error.text);
	assert_ntsuccess(rs_start(t.driver));
	assert_ntsuccess(
		create(u"\\Device\\RingsideFiles", FILE_GENERIC_READ, FILE_OPEN, 0, &t.device));
}

static int read_only_start(void **state)
{
	readable(state);
	start();
	return 0;
}

static int writable_start(void **state)
{
	writable(state);
	start();
	return 0;
}

static int end(void **state)
{
	assert_ntsuccess(ZwClose(t.device));
	assert_ntsuccess(rs_unload(t.driver));
	rs_unlisten(collect, NULL);
	return end_of_volume(state);
}

static void driver_reads_lists_and_compares_itself(void **state)
{
	(void)state;
	assert_string_equal(t.said, "settings: mode=quiet, 10 bytes, 0x00000000\n"
				    "entry: .\n"
				    "entry: ..\n"
				    "entry: Settings.INI\n"
				    "list: 0x80000006\n"
				    "log: 0xc00000a2, 0 bytes\n"
				    "own file: MZ, 0x00000000\n"
				    "image: as large, the same code\n");
	assert_int_equal(v.refused, 1);
	assert_string_equal(v.refused_name, "\\Files\\driver.log");
	assert_false(is_there("files/driver.log"));
}

static void driver_writes_its_log_where_it_may(void **state)
{
	(void)state;
	assert_non_null(strstr(t.said, "log: 0x00000000, 9 bytes\n"));
	assert_string_equal(get_file("files/driver.log"), "started\r\n");
	assert_int_equal(v.refused, 0);
}

static NTSTATUS control(ULONG code)
{
	char buffer[8] = {0};
	return ZwDeviceIoControlFile(t.device, NULL, NULL, NULL, &v.result, code, buffer, 8, buffer,
				     8);
}

static void mistakes_get_their_status(void **state)
{
	(void)state;
	assert_ntsuccess(control(CODE(6)));
	assert_int_equal(v.result.Information, 0);
}

static void make(void *code)
{
	control(*(ULONG *)code);
}

static void mistakes_are_bug_checks_that_name_the_driver(void **state)
{
	static const struct {
		ULONG code, bug_check;
	} rows[] = {
		{CODE(1), 0x50}, /* a buffer that is not there */
		{CODE(2), 0xC4}, /* at DISPATCH_LEVEL */
		{CODE(3), 0x50}, /* a status block that is not there */
		{CODE(4), 0x50}, /* an answer to nowhere */
	};
	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ULONG code = rows[i].code;
		const struct bug_check_seen *seen = expect_bug_check(rows[i].bug_check, make,
								     &code);
		assert_string_equal(seen->module, "files.sys");
	}
}

static void file_with_a_section_is_not_made_shorter(void **state)
{
	(void)state;
	assert_ntsuccess(control(CODE(5)));
	assert_status(
		try_open(u"\\??\\C:\\Files\\driver.log", FILE_GENERIC_WRITE, FILE_OVERWRITE, 0),
		STATUS_USER_MAPPED_FILE);
	assert_ntsuccess(control(CODE(7)));
	assert_non_null(strstr(t.said, "touched 0\n"));
}

static void touch_what_linux_cut_off(void *path)
{
	assert_ntsuccess(control(CODE(5)));
	assert_int_equal(truncate(path, 10), 0);
	control(CODE(7));
}

static void view_behind_the_end_of_its_file_is_an_in_page_error(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(
		0x7E, touch_what_linux_cut_off, (void *)(uintptr_t)path_of("files/driver.log"));
	assert_string_equal(seen->module, "files.sys");
	assert_int_equal((uint32_t)seen->parameter[0], (uint32_t)STATUS_IN_PAGE_ERROR);
}

static void own_file_is_not_for_writing(void **state)
{
	(void)state;
	assert_status(try_open(u"\\SystemRoot\\System32\\drivers\\FILES.sys", FILE_GENERIC_READ,
			       FILE_OPEN, 0),
		      STATUS_SUCCESS);
	assert_status(try_open(u"\\SystemRoot\\System32\\drivers\\FILES.sys", FILE_GENERIC_WRITE,
			       FILE_OPEN, 0),
		      STATUS_ACCESS_DENIED);
	assert_status(try_open(u"\\SystemRoot\\System32\\drivers\\other.sys", FILE_GENERIC_READ,
			       FILE_OPEN, 0),
		      STATUS_OBJECT_PATH_NOT_FOUND);
}

#define READ_ONLY(name) cmocka_unit_test_setup_teardown(name, read_only_start, end)
#define WRITABLE(name) cmocka_unit_test_setup_teardown(name, writable_start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		READ_ONLY(driver_reads_lists_and_compares_itself),
		WRITABLE(driver_writes_its_log_where_it_may),
		READ_ONLY(mistakes_get_their_status),
		READ_ONLY(mistakes_are_bug_checks_that_name_the_driver),
		WRITABLE(file_with_a_section_is_not_made_shorter),
		WRITABLE(view_behind_the_end_of_its_file_is_an_in_page_error),
		WRITABLE(own_file_is_not_for_writing),
	};
	return cmocka_run_group_tests_name("io: a driver's files", tests, NULL, NULL);
}
