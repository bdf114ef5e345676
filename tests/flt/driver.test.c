/* SPDX-License-Identifier: MIT */
/*
 * A compiled minifilter (tests/drivers/minifilter): it registers, runs its process routine,
 * talks through its port, and is unloaded through its unload callback.
 */
#include "filters.h"
#include "ldr/files.h"
#include "support/bugcheck.h"
#include "support/parallel.h"
#include <errno.h>
#include <ringside/event.h>
#include <ringside/flt.h>
#include <ringside/io.h>

static struct {
	struct rs_driver *driver;
	struct actor actor;
	HANDLE port;
	char *user;
} t;

static void collect(void *context, const struct rs_event *event)
{
	(void)context;
	if (event->type == RS_DEBUG_PRINT)
		say("%s;", event->print.text);
	if (event->type == RS_REGISTERED && event->registration.altitude.Length)
		say("%s at %c;", event->registration.routine,
		    (char)event->registration.altitude.Buffer[0]);
	note_rule(event);
}

static int begin(void **state)
{
	struct rs_error error;
	memset(&t, 0, sizeof(t));
	said[0] = rules[0] = 0;
	world_documented(state);
	assert_int_equal(rs_listen(collect, NULL), 0);
	t.driver = rs_load(TEST_BUILD "/tests/drivers/minifilter.sys", &error);
	if (!t.driver)
		fail_msg("%s", error.text);
	assert_ntsuccess(rs_start(t.driver));
	assert_said("FltRegisterFilter at 3;setup 1 8 2;");
	t.actor = actor_start("\\Device\\HarddiskVolume1\\bin\\control.exe");
	said[0] = 0;
	t.user = rs_user_alloc(4096);
	rs_become(t.actor.thread);
	assert_int_equal(
		FilterConnectCommunicationPort(u"\\RingsideFilter", 0, "hi", 2, NULL, &t.port), 0);
	assert_said("connected with 2 bytes;");
	return 0;
}

static int end(void **state)
{
	if (t.port)
		NtClose(t.port);
	rs_become(NULL);
	actor_end(&t.actor);
	rs_user_free(t.user, 4096);
	if (t.driver)
		assert_ntsuccess(rs_unload(t.driver));
	rs_unlisten(collect, NULL);
	return world_end(state);
}

#define FLT_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static HRESULT tell(const char *word)
{
	ULONG returned = 0;
	strcpy(t.user, word);
	return FilterSendMessage(t.port, t.user, (ULONG)strlen(word), t.user + 100, 10, &returned);
}

static void minifilter_is_unloaded_through_its_callback(void **state)
{
	(void)state;
	assert_ntsuccess(NtClose(t.port));
	t.port = NULL;
	assert_said("disconnected;");
	rs_become(NULL);
	assert_ntsuccess(rs_unload(t.driver));
	t.driver = NULL;
	assert_said("unload 1;teardown starts 4;teardown completes 4 with 77;context 2 goes;"
		    "unregistered;");
}

static void disconnect(void)
{
	assert_ntsuccess(NtClose(t.port));
	t.port = NULL;
	rs_become(NULL);
	said[0] = 0;
}

/* As fltmc.exe does it: stopping the service would call DriverUnload alone. */
static void callback_is_asked_before_a_driver_unload_that_was_set_later(void **state)
{
	(void)state;
	assert_int_equal(tell("sets DriverUnload"), 0);
	disconnect();
	assert_ntsuccess(rs_unload(t.driver));
	t.driver = NULL;
	assert_said("unload 0;teardown starts 2;teardown completes 2 with 77;context 2 goes;"
		    "unregistered;DriverUnload;");
}

static void callback_alone_unloads_a_driver_without_driver_unload(void **state)
{
	(void)state;
	assert_int_equal(tell("has no DriverUnload"), 0);
	disconnect();
	assert_ntsuccess(rs_unload(t.driver));
	t.driver = NULL;
	assert_non_null(strstr(said, "unload 0;"));
	assert_non_null(strstr(said, "unregistered;"));
}

static void callback_that_is_asked_may_refuse(void **state)
{
	(void)state;
	assert_int_equal(tell("has no DriverUnload"), 0);
	assert_int_equal(tell("stays"), 0);
	rs_become(NULL);
	said[0] = 0;
	assert_status(rs_unload(t.driver), STATUS_FLT_DO_NOT_DETACH);
	assert_said("unload 0;");
	rs_become(t.actor.thread);
	assert_int_equal(tell("goes"), 0);
}

static void client_is_disconnected_by_the_unload(void **state)
{
	(void)state;
	rs_become(NULL);
	assert_ntsuccess(rs_unload(t.driver));
	t.driver = NULL;
	assert_non_null(strstr(said, "unload 1;disconnected;teardown starts 4;"));
	rs_become(t.actor.thread);
	assert_true(tell("locks") != 0);
}

static void process_routine_asks_for_the_name_of_the_image(void **state)
{
	(void)state;
	actor_live("\\Device\\HarddiskVolume1\\usr\\bin\\tool.exe");
	assert_said("process tool.exe of \\Device\\HarddiskVolume1;");
}

static void messages_go_both_ways(void **state)
{
	(void)state;
	assert_int_equal(tell("locks"), 0);
	assert_memory_equal(t.user + 100, "ok", 2);
	assert_int_equal(tell("walks"), 0);
	assert_int_equal((ULONG)tell("nonsense"), 0x80070057u);
	assert_int_equal((ULONG)tell("start again"), 0x80070057u);
}

static void answer(void *unused)
{
	struct {
		FILTER_MESSAGE_HEADER header;
		char text[16];
	} in;
	struct {
		FILTER_REPLY_HEADER header;
		char text[4];
	} out = {.text = "yes"};
	(void)unused;
	if (FilterGetMessage(t.port, &in.header, sizeof(in), NULL))
		return;
	out.header.MessageId = in.header.MessageId;
	FilterReplyMessage(t.port, &out.header, sizeof(out.header) + 3);
}

static void get_and_answer(void *argument)
{
	PETHREAD thread = argument;
	rs_become(thread);
	answer(NULL);
	rs_become(NULL);
}

static void driver_asks_a_program_that_answers(void **state)
{
	(void)state;
	PETHREAD second;
	struct job job;
	assert_ntsuccess(rs_create_thread(t.actor.process, &second));
	rs_run_thread(second);
	job_start(&job, get_and_answer, second);
	assert_int_equal(tell("ask"), 0);
	job_join(&job);
	assert_said("reply 0 of 3: yes;");
	rs_exit_thread(second, 0);
	rs_release(second);
}

/* ---- Mistakes --------------------------------------------------------------------------------- */

static void obey(void *word)
{
	tell(word);
}

static void context_released_twice_is_bug_check_f5(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(0xF5, obey, "release twice");
	assert_string_equal(seen->module, "minifilter.sys");
	assert_int_equal(seen->parameter[0], 0x6E);
}

static void port_closed_twice_is_bug_check_93(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(0x93, obey, "close twice");
	assert_string_equal(seen->module, "minifilter.sys");
}

static void unload_driver(void *driver)
{
	*(NTSTATUS *)driver = rs_unload(t.driver);
}

static void unload_waits_for_a_context_and_says_so(void **state)
{
	(void)state;
	NTSTATUS status = -1;
	struct job job;
	void *kept;
	assert_int_equal(tell("keep"), 0);
	assert_int_equal(sscanf(said, "kept %p", &kept), 1);
	assert_ntsuccess(NtClose(t.port));
	t.port = NULL;
	rs_become(NULL);
	job_start(&job, unload_driver, &status);
	assert_true(eventually(has_broken, "reference"));
	assert_true(job_is_stuck(&job));
	PFLT_FILTER filter;
	UNICODE_STRING name = USTR(u"minifilter");
	assert_status(FLT(FltGetFilterFromName)(&name, &filter), STATUS_FLT_DELETING_OBJECT);
	FLT(FltReleaseContext)(kept);
	job_join(&job);
	assert_ntsuccess(status);
	t.driver = NULL;
	rs_become(t.actor.thread);
}

static void start_forgetful(void *unused)
{
	struct rs_error error;
	(void)unused;
	size_t size;
	void *bytes = read_whole(TEST_BUILD "/tests/drivers/minifilter.sys", &size);
	struct rs_driver *driver = rs_load(scratch_file("forgetful.sys", bytes, size), &error);
	free(bytes);
	scratch_remove("forgetful.sys");
	if (driver)
		rs_start(driver);
}

static void filter_left_registered_is_bug_check_ce(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(0xCE, start_forgetful, NULL);
	assert_non_null(strstr(seen->detail, "minifilter"));
}

static void altitude_is_chosen_before_the_start(void **state)
{
	(void)state;
	struct rs_error error;
	disconnect();
	assert_ntsuccess(rs_unload(t.driver));
	said[0] = 0;
	t.driver = rs_load(TEST_BUILD "/tests/drivers/minifilter.sys", &error);
	assert_non_null(t.driver);
	assert_int_equal(rs_set_altitude(t.driver, "high"), -EINVAL);
	assert_int_equal(rs_set_altitude(t.driver, ""), -EINVAL);
	assert_int_equal(rs_set_altitude(t.driver, "45.25"), 0);
	assert_ntsuccess(rs_start(t.driver));
	assert_said("FltRegisterFilter at 4;setup 1 8 2;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLT_TEST(minifilter_is_unloaded_through_its_callback),
		FLT_TEST(callback_is_asked_before_a_driver_unload_that_was_set_later),
		FLT_TEST(callback_alone_unloads_a_driver_without_driver_unload),
		FLT_TEST(callback_that_is_asked_may_refuse),
		FLT_TEST(client_is_disconnected_by_the_unload),
		FLT_TEST(process_routine_asks_for_the_name_of_the_image),
		FLT_TEST(messages_go_both_ways),
		FLT_TEST(driver_asks_a_program_that_answers),
		FLT_TEST(context_released_twice_is_bug_check_f5),
		FLT_TEST(port_closed_twice_is_bug_check_93),
		FLT_TEST(unload_waits_for_a_context_and_says_so),
		FLT_TEST(filter_left_registered_is_bug_check_ce),
		FLT_TEST(altitude_is_chosen_before_the_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
