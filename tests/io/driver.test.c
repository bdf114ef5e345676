/* SPDX-License-Identifier: MIT */
/*
 * Devices and requests, from a program's side and a compiled driver's
 * (tests/drivers/iodevice): what a control program on Windows would see.
 */
#include "support/bugcheck.h"
#include "support/world.h"
#include <ringside/io.h>
#include <stdio.h>
#include <string.h>

#define CODE(n, method) CTL_CODE(0x8000, 0x800 + (n), method, FILE_ANY_ACCESS)
#define IOCTL_UPPER CODE(1, METHOD_BUFFERED)
#define IOCTL_SUM_IN CODE(2, METHOD_IN_DIRECT)
#define IOCTL_FILL_OUT CODE(3, METHOD_OUT_DIRECT)
#define IOCTL_COPY CODE(4, METHOD_NEITHER)
#define IOCTL_WAIT CODE(5, METHOD_BUFFERED)
#define IOCTL_RELEASE CODE(6, METHOD_BUFFERED)
#define IOCTL_LATER CODE(7, METHOD_BUFFERED)
#define IOCTL_WHO CODE(8, METHOD_BUFFERED)
#define IOCTL_SELF CODE(9, METHOD_BUFFERED)
#define IOCTL_LOCKED CODE(10, METHOD_BUFFERED)

#define USER_SIZE 8192

static struct {
	struct rs_driver *driver;
	struct actor actor;
	HANDLE device;
	IO_STATUS_BLOCK result;
	char *user;
	char said[4096];
	char rule[256];
} t;

static void collect(void *context, const struct rs_event *event)
{
	(void)context;
	if (event->type == RS_DEBUG_PRINT)
		snprintf(t.said + strlen(t.said), sizeof(t.said) - strlen(t.said), "%s\n",
			 event->print.text);
	if (event->type == RS_RULE_BROKEN)
		snprintf(t.rule, sizeof(t.rule), "%s", event->rule.text);
}

static NTSTATUS open_named(const WCHAR *text, ULONG options, PHANDLE handle)
{
	USHORT units = 0;
	while (text[units])
		units++;
	UNICODE_STRING name = {(USHORT)(2 * units), (USHORT)(2 * units), (PWSTR)(uintptr_t)text};
	OBJECT_ATTRIBUTES attributes = {sizeof(attributes), NULL, &name, OBJ_CASE_INSENSITIVE};
	return NtOpenFile(handle, FILE_GENERIC_READ | FILE_GENERIC_WRITE, &attributes, &t.result, 0,
			  options);
}

static void start(void)
{
	struct rs_error error;
	assert_int_equal(rs_listen(collect, NULL), 0);
	t.driver = rs_load(TEST_BUILD "/tests/drivers/iodevice.sys", &error);
	if (!t.driver)
		fail_msg("%s", error.text);
	assert_ntsuccess(rs_start(t.driver));
	t.actor = actor_start("\\??\\C:\\control.exe");
	t.user = rs_user_alloc(USER_SIZE);
	assert_non_null(t.user);
	rs_become(t.actor.thread);
}

static int world_with_driver(void **state)
{
	memset(&t, 0, sizeof(t));
	world_documented(state);
	start();
	assert_ntsuccess(open_named(u"\\??\\RingsideIo", FILE_SYNCHRONOUS_IO_NONALERT, &t.device));
	return 0;
}

static int end(void **state)
{
	if (t.device)
		assert_ntsuccess(NtClose(t.device));
	rs_become(NULL);
	actor_end(&t.actor);
	rs_user_free(t.user, USER_SIZE);
	assert_ntsuccess(rs_unload(t.driver));
	rs_unlisten(collect, NULL);
	return world_end(state);
}

static NTSTATUS control(ULONG code, ULONG in, void *output, ULONG out)
{
	t.result = (IO_STATUS_BLOCK){.Status = -1, .Information = 77};
	return NtDeviceIoControlFile(t.device, NULL, NULL, NULL, &t.result, code, t.user, in,
				     output, out);
}

/* ---- The methods ------------------------------------------------------------------------ */

static void buffered_request_goes_through_the_system_buffer(void **state)
{
	(void)state;
	strcpy(t.user, "hello");
	assert_ntsuccess(control(IOCTL_UPPER, 6, t.user + 100, 100));
	assert_ntsuccess(t.result.Status);
	assert_int_equal(t.result.Information, 6);
	assert_string_equal(t.user + 100, "HELLO");
	assert_string_equal(t.user, "hello");
}

static void error_leaves_the_status_block_and_the_output_alone(void **state)
{
	(void)state;
	strcpy(t.user, "hello");
	assert_status(control(IOCTL_UPPER, 6, t.user + 100, 3), STATUS_BUFFER_TOO_SMALL);
	assert_int_equal(t.result.Information, 77);
	assert_int_equal(t.user[100], 0);
}

static void direct_output_buffer_is_seen_at_a_kernel_address(void **state)
{
	(void)state;
	t.user[4000] = 3, t.user[4100] = 4; /* in two pages */
	assert_ntsuccess(control(IOCTL_SUM_IN, 0, t.user + 4000, 200));
	assert_int_equal(t.result.Information, 7);
	t.user[0] = 'x';
	assert_ntsuccess(control(IOCTL_FILL_OUT, 1, t.user + 4000, 200));
	assert_int_equal(t.user[3999], 0);
	assert_int_equal(t.user[4000], 'x');
	assert_int_equal(t.user[4199], 'x');
	assert_int_equal(t.user[4200], 0);
}

static void neither_buffer_is_the_users_own_address(void **state)
{
	(void)state;
	strcpy(t.user, "as it is");
	assert_ntsuccess(control(IOCTL_COPY, 9, t.user + 100, 9));
	assert_string_equal(t.user + 100, "as it is");
}

static void user_buffer_that_is_not_there_is_an_access_violation(void **state)
{
	(void)state;
	char ours[8] = "kernel";
	assert_status(control(IOCTL_UPPER, 6, ours, 8), STATUS_ACCESS_VIOLATION);
	assert_status(control(IOCTL_FILL_OUT, 1, ours, 8), STATUS_ACCESS_VIOLATION);
	assert_status(control(IOCTL_FILL_OUT, 1, t.user + USER_SIZE - 4, 8),
		      STATUS_ACCESS_VIOLATION);
	assert_status(control(IOCTL_FILL_OUT, 1, (void *)16, 8), STATUS_ACCESS_VIOLATION);
	assert_string_equal(ours, "kernel");
}

static void write_and_read_keep_to_the_lengths(void **state)
{
	(void)state;
	strcpy(t.user, "stored");
	assert_ntsuccess(NtWriteFile(t.device, NULL, NULL, NULL, &t.result, t.user, 6, NULL, NULL));
	assert_int_equal(t.result.Information, 6);
	memset(t.user, 0, 16);
	assert_ntsuccess(
		NtReadFile(t.device, NULL, NULL, NULL, &t.result, t.user, 100, NULL, NULL));
	assert_int_equal(t.result.Information, 6);
	assert_string_equal(t.user, "stored");
}

static void request_runs_in_the_process_that_made_it(void **state)
{
	(void)state;
	ULONG64 *ids = (void *)t.user;
	assert_ntsuccess(control(IOCTL_WHO, 0, ids, 16));
	assert_int_equal(ids[0], id_of(t.actor.process));
	assert_int_equal(ids[1], id_of(t.actor.process));
}

/* ---- Pending ------------------------------------------------------------------------------ */

static void synchronous_handle_waits_for_a_dpc(void **state)
{
	(void)state;
	assert_ntsuccess(control(IOCTL_LATER, 0, t.user, 5));
	assert_string_equal(t.user, "later");
	assert_int_equal(t.result.Information, 5);
}

static void driver_asks_itself_through_its_stack(void **state)
{
	(void)state;
	assert_ntsuccess(control(IOCTL_SELF, 0, NULL, 0));
	assert_ntsuccess(control(IOCTL_LOCKED, 0, NULL, 0));
	assert_null(strstr(t.said, "wrong"));
}

static void asynchronous_handle_gets_pending_and_then_the_result(void **state)
{
	(void)state;
	HANDLE other;
	IO_STATUS_BLOCK waiting = {.Status = -1};
	assert_ntsuccess(open_named(u"\\Device\\RingsideIo", 0, &other));
	assert_status(NtDeviceIoControlFile(other, NULL, NULL, NULL, &waiting, IOCTL_WAIT, NULL, 0,
					    NULL, 0),
		      STATUS_PENDING);
	assert_status(waiting.Status, -1);
	assert_ntsuccess(control(IOCTL_RELEASE, 0, NULL, 0));
	assert_ntsuccess(waiting.Status);
	assert_status(control(IOCTL_RELEASE, 0, NULL, 0), STATUS_NO_MORE_ENTRIES);
	assert_ntsuccess(NtClose(other));
}

static void cancelled_request_leaves_the_queue(void **state)
{
	(void)state;
	HANDLE other;
	IO_STATUS_BLOCK waiting[2] = {{.Status = -1}, {.Status = -1}}, ignored;
	assert_ntsuccess(open_named(u"\\Device\\RingsideIo", 0, &other));
	for (int i = 0; i < 2; i++)
		assert_status(NtDeviceIoControlFile(other, NULL, NULL, NULL, &waiting[i],
						    IOCTL_WAIT, NULL, 0, NULL, 0),
			      STATUS_PENDING);
	assert_ntsuccess(NtCancelIoFileEx(other, &waiting[1], &ignored));
	assert_status(waiting[0].Status, -1);
	assert_status(waiting[1].Status, STATUS_CANCELLED);
	assert_ntsuccess(NtCancelIoFileEx(other, NULL, &ignored));
	assert_status(waiting[0].Status, STATUS_CANCELLED);
	assert_status(NtCancelIoFileEx(other, NULL, &ignored), STATUS_NOT_FOUND);
	assert_status(control(IOCTL_RELEASE, 0, NULL, 0), STATUS_NO_MORE_ENTRIES);
	assert_ntsuccess(NtClose(other));
}

/* ---- Opening and closing ---------------------------------------------------------------------- */

static void file_object_gets_create_cleanup_and_close(void **state)
{
	(void)state;
	HANDLE other;
	t.said[0] = 0;
	assert_ntsuccess(open_named(u"\\??\\RingsideIo\\sub\\name", 0, &other));
	assert_int_equal(t.result.Information, 1); /* FILE_OPENED */
	assert_string_equal(t.said, "create \"\\sub\\name\"\n");
	t.said[0] = 0;
	assert_ntsuccess(NtClose(other));
	assert_string_equal(t.said, "cleanup ours\nclose\n");
}

static void name_that_is_no_device_is_refused(void **state)
{
	(void)state;
	HANDLE other = NULL;
	assert_status(open_named(u"\\Device\\Nobody", 0, &other), STATUS_OBJECT_NAME_NOT_FOUND);
	assert_status(open_named(u"\\Nowhere\\Nobody", 0, &other), STATUS_OBJECT_PATH_NOT_FOUND);
	assert_status(open_named(u"Device\\Nobody", 0, &other), STATUS_OBJECT_PATH_SYNTAX_BAD);
	assert_status(open_named(u"\\Device\\\\Nobody", 0, &other), STATUS_OBJECT_NAME_INVALID);
	assert_status(open_named(u"\\Device", 0, &other), STATUS_OBJECT_TYPE_MISMATCH);
	assert_null(other);
}

static void names_lead_to_the_device_in_any_case_and_over_links(void **state)
{
	(void)state;
	static const WCHAR *const names[] = {u"\\device\\RINGSIDEIO", u"\\DosDevices\\ringsideio",
					     u"\\GLOBAL??\\RingsideIo", u"\\??\\Global\\RingsideIo",
					     u"\\??\\GLOBALROOT\\Device\\RingsideIo"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		HANDLE other;
		assert_ntsuccess(open_named(names[i], 0, &other));
		assert_ntsuccess(NtClose(other));
	}
}

static void driver_with_an_open_file_is_not_unloaded(void **state)
{
	(void)state;
	assert_status(rs_unload(t.driver), STATUS_DEVICE_BUSY);
	strcpy(t.user, "still");
	assert_ntsuccess(control(IOCTL_UPPER, 6, t.user, 6));
}

static void shutdown_is_announced_once(void **state)
{
	(void)state;
	t.said[0] = 0;
	rs_announce_shutdown();
	rs_announce_shutdown();
	assert_string_equal(t.said, "shutdown\n");
}

static void information_beyond_the_buffer_is_reported_and_cut(void **state)
{
	(void)state;
	assert_ntsuccess(control(CODE(24, METHOD_BUFFERED), 8, t.user + 100, 8));
	assert_non_null(strstr(t.rule, "Information of 100"));
	assert_int_equal(t.user[108], 0);
}

/* ---- Mistakes --------------------------------------------------------------------------------- */

static void send_mistake(void *argument)
{
	control((ULONG)(uintptr_t)argument, 8, t.user, 8);
}

static const struct bug_check_seen *mistake(ULONG bug_check, unsigned number)
{
	const struct bug_check_seen *seen = expect_bug_check(
		bug_check, send_mistake, (void *)(uintptr_t)CODE(number, METHOD_BUFFERED));
	assert_string_equal(seen->module, "iodevice.sys");
	return seen;
}

static void mistakes_end_in_their_bug_checks(void **state)
{
	(void)state;
	mistake(0x44, 20); /* MULTIPLE_IRP_COMPLETE_REQUESTS */
	mistake(0x35, 21); /* NO_MORE_IRP_STACK_LOCATIONS */
	assert_non_null(strstr(mistake(0x52494E47, 22)->detail, "without having completed"));
	mistake(0x18, 23); /* REFERENCE_BY_POINTER: deleted twice */
	assert_int_equal(mistake(0xC9, 25)->parameter[0], 7); /* its cancel routine still set */
	assert_int_equal(mistake(0x4E, 26)->parameter[0], 7); /* PFN_LIST_CORRUPT: not locked */
	mistake(0xA, 27);                                     /* IRQL */
}

#define DRIVER_TEST(name) cmocka_unit_test_setup_teardown(name, world_with_driver, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DRIVER_TEST(buffered_request_goes_through_the_system_buffer),
		DRIVER_TEST(error_leaves_the_status_block_and_the_output_alone),
		DRIVER_TEST(direct_output_buffer_is_seen_at_a_kernel_address),
		DRIVER_TEST(neither_buffer_is_the_users_own_address),
		DRIVER_TEST(user_buffer_that_is_not_there_is_an_access_violation),
		DRIVER_TEST(write_and_read_keep_to_the_lengths),
		DRIVER_TEST(request_runs_in_the_process_that_made_it),
		DRIVER_TEST(synchronous_handle_waits_for_a_dpc),
		DRIVER_TEST(driver_asks_itself_through_its_stack),
		DRIVER_TEST(asynchronous_handle_gets_pending_and_then_the_result),
		DRIVER_TEST(cancelled_request_leaves_the_queue),
		DRIVER_TEST(file_object_gets_create_cleanup_and_close),
		DRIVER_TEST(name_that_is_no_device_is_refused),
		DRIVER_TEST(names_lead_to_the_device_in_any_case_and_over_links),
		DRIVER_TEST(driver_with_an_open_file_is_not_unloaded),
		DRIVER_TEST(shutdown_is_announced_once),
		DRIVER_TEST(information_beyond_the_buffer_is_reported_and_cut),
		DRIVER_TEST(mistakes_end_in_their_bug_checks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
