/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include "tests/sink/events.h"

static struct paper paper;
static json_t *line;

static int open_paper(void **state)
{
	(void)state;
	paper = paper_open(&sink_json, (struct sink_options){.detail = SINK_NORMAL});
	return 0;
}

static int close_paper(void **state)
{
	(void)state;
	json_decref(line);
	line = NULL;
	paper_close(&paper);
	return 0;
}

/* The next line, parsed; it must be one object and end with its newline. */
static void read_line(void)
{
	const char *text = paper_next(&paper);
	size_t length = strlen(text);
	json_error_t error;
	assert_true(length > 0 && text[length - 1] == '\n');
	assert_ptr_equal(strchr(text, '\n'), text + length - 1);
	json_decref(line);
	line = json_loads(text, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
	assert_true(json_is_object(line));
}

static void hear(const struct rs_event *event)
{
	sink_hear(paper.sink, event);
	read_line();
}

static const char *string_at(const char *field)
{
	return json_string_value(json_object_get(line, field));
}

static json_int_t integer_at(const char *field)
{
	json_t *value = json_object_get(line, field);
	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static void the_run_comes_first_with_format_and_command(void **state)
{
	char *const command[] = {"sh", "-c", "echo \xff", NULL};
	struct sink_run run = {"0.1", "documented", "win32", command};
	(void)state;
	sink_begin(paper.sink, &run);
	read_line();
	assert_string_equal(string_at("event"), "run");
	assert_int_equal(integer_at("format"), 1);
	assert_string_equal(string_at("profile"), "documented");
	assert_string_equal(string_at("present"), "win32");
	assert_string_equal(json_string_value(json_array_get(json_object_get(line, "command"), 2)),
			    "echo \uFFFD");
}

static void times_are_rfc_3339_with_nanoseconds(void **state)
{
	struct rs_event event = a_creation(104, 100, STATUS_SUCCESS);
	(void)state;
	event.time = 1700000000123456789;
	hear(&event);
	assert_string_equal(string_at("time"), "2023-11-14T22:13:20.123456789Z");
}

static void a_creation_has_process_parent_and_command_line(void **state)
{
	struct rs_event event = a_creation(104, 100, STATUS_SUCCESS);
	json_int_t id, pid, parent;
	const char *image;
	(void)state;
	hear(&event);
	assert_string_equal(string_at("event"), "process_created");
	assert_int_equal(json_unpack(line, "{s:{s:I, s:I, s:s}, s:{s:I}}", "process", "id", &id,
				     "pid", &pid, "image", &image, "parent", "pid", &parent),
			 0);
	assert_int_equal(id, 10400);
	assert_int_equal(pid, 104);
	assert_int_equal(parent, 100);
	assert_string_equal(image, "\\??\\Z:\\usr\\bin\\sleep");
	assert_string_equal(string_at("command_line"), "sleep 1");
	assert_string_equal(string_at("status"), "STATUS_SUCCESS");
	assert_null(json_object_get(line, "vetoed_by"));
	assert_true(json_is_false(json_object_get(line, "subsystem")));
}

static void a_veto_names_its_driver(void **state)
{
	struct rs_event event = a_creation(104, 100, STATUS_ACCESS_DENIED);
	(void)state;
	hear(&event);
	assert_string_equal(string_at("status"), "STATUS_ACCESS_DENIED");
	assert_string_equal(string_at("vetoed_by"), "warden.sys");
}

static void a_status_without_a_name_is_hexadecimal(void **state)
{
	struct rs_event event = a_creation(104, 100, (NTSTATUS)0xE0001234);
	(void)state;
	hear(&event);
	assert_string_equal(string_at("status"), "0xE0001234");
}

static void what_is_no_utf_8_is_replaced(void **state)
{
	static const WCHAR lone[] = {u'a', 0xD800, u'b'};
	struct rs_event event = a_creation(104, 100, STATUS_SUCCESS);
	struct rs_event print = {.type = RS_DEBUG_PRINT, .time = START};
	(void)state;
	event.created.command_line = (UNICODE_STRING){6, 6, (PWSTR)(uintptr_t)lone};
	hear(&event);
	assert_string_equal(string_at("command_line"), "a\uFFFDb");
	print.print.text = "\xff\x1b[0m \"quoted\"";
	hear(&print);
	assert_string_equal(string_at("text"), "\uFFFD\x1b[0m \"quoted\"");
}

static void nuls_between_arguments_are_kept(void **state)
{
	struct rs_event event = a_creation(104, 100, STATUS_SUCCESS);
	json_t *text;
	(void)state;
	event.created.command_line = TEXT16(u"sleep\0001");
	hear(&event);
	text = json_object_get(line, "command_line");
	assert_int_equal(json_string_length(text), 7);
	assert_memory_equal(json_string_value(text), "sleep\0001", 8);
}

/* As long as a UNICODE_STRING can be, and three bytes a character. The packet pipe
 * holds no such line in one piece, so it is read from a file. */
static void the_longest_command_line_is_not_cut(void **state)
{
	static WCHAR units[32767];
	struct rs_event event = a_creation(104, 100, STATUS_SUCCESS);
	FILE *file = tmpfile();
	struct sink_options options = {.fd = fileno(file), .detail = SINK_NORMAL};
	struct sink *sink = sink_open(&sink_json, &options);
	json_error_t error;
	json_t *object;
	(void)state;
	for (unsigned i = 0; i < 32767; i++)
		units[i] = u'€';
	event.created.command_line = (UNICODE_STRING){65534, 65534, units};
	sink_hear(sink, &event);
	rewind(file);
	object = json_loadf(file, 0, &error);
	assert_non_null(object);
	assert_int_equal(json_string_length(json_object_get(object, "command_line")), 3 * 32767);
	json_decref(object);
	sink_close(sink);
	fclose(file);
}

static void a_stripped_right_is_listed_by_name(void **state)
{
	struct rs_event event = a_handle("kill(SIGKILL)",
					 PROCESS_TERMINATE | PROCESS_SUSPEND_RESUME | 0x8000,
					 PROCESS_SUSPEND_RESUME);
	const char *mask, *first, *second;
	(void)state;
	hear(&event);
	assert_int_equal(json_unpack(line, "{s:{s:s, s:[s, s]}}", "stripped", "mask", &mask,
				     "rights", &first, &second),
			 0);
	assert_string_equal(mask, "0x8001");
	assert_string_equal(first, "PROCESS_TERMINATE");
	assert_string_equal(second, "0x8000");
	assert_string_equal(string_at("stripped_by"), "warden.sys");
	assert_string_equal(string_at("reason"), "kill(SIGKILL)");
	assert_string_equal(string_at("type"), "process");
}

static void an_exit_tells_linux_status_or_signal(void **state)
{
	struct rs_event end = an_exit(104, 3 << 8), killed = an_exit(104, SIGKILL);
	struct rs_event recorded = an_exit(0, 3 << 8);
	(void)state;
	hear(&end);
	assert_int_equal(integer_at("exit_status"), 3);
	assert_null(json_object_get(line, "signal"));
	hear(&killed);
	assert_string_equal(string_at("signal"), "SIGKILL");
	recorded.exited.process.id = 44;
	hear(&recorded);
	assert_null(json_object_get(line, "exit_status"));
}

static void a_callback_tells_kind_duration_and_change(void **state)
{
	struct rs_event event = a_callback(RS_OBJECT_PRE, false, 1234);
	(void)state;
	event.callback.access_before = 1;
	hear(&event);
	assert_string_equal(string_at("kind"), "object_pre");
	assert_int_equal(integer_at("duration_ns"), 1234);
	assert_string_equal(string_at("access_before"), "0x1");
	assert_string_equal(string_at("access_after"), "0x0");
	assert_null(json_object_get(line, "create"));
	event = a_callback(RS_PROCESS_EX2, true, 5);
	event.callback.status_after = STATUS_ACCESS_DENIED;
	hear(&event);
	assert_true(json_is_true(json_object_get(line, "create")));
	assert_string_equal(string_at("stored_status"), "STATUS_ACCESS_DENIED");
}

static void a_bug_check_has_code_parameters_and_stack(void **state)
{
	struct rs_event event = {.type = RS_BUG_CHECK, .time = START};
	(void)state;
	event.bug_check.code = 0xD1;
	event.bug_check.name = "DRIVER_IRQL_NOT_LESS_OR_EQUAL";
	event.bug_check.module = &warden;
	event.bug_check.stack.count = 2;
	hear(&event);
	assert_string_equal(string_at("code"), "0xd1");
	assert_string_equal(string_at("driver"), "warden.sys");
	assert_int_equal(json_array_size(json_object_get(line, "parameters")), 4);
	assert_int_equal(json_array_size(json_object_get(line, "stack")), 2);
}

static void a_missing_call_has_a_line_the_first_time_and_is_counted(void **state)
{
	struct rs_event event = {.type = RS_MISSING_CALLED, .time = START};
	struct sink_outcome outcome = {0};
	const char *name;
	json_int_t calls;
	(void)state;
	event.missing.name = "ntoskrnl.exe!ExFoo";
	event.missing.module = &warden;
	event.missing.status = STATUS_NOT_SUPPORTED;
	event.missing.first = true;
	event.missing.stack.count = 1;
	hear(&event);
	assert_string_equal(string_at("event"), "missing_called");
	assert_string_equal(string_at("name"), "ntoskrnl.exe!ExFoo");
	assert_string_equal(string_at("status"), "STATUS_NOT_SUPPORTED");
	assert_int_equal(json_array_size(json_object_get(line, "stack")), 1);
	event.missing.first = false;
	assert_string_equal(paper_hear(&paper, &event), "");
	sink_end(paper.sink, &outcome);
	read_line();
	assert_int_equal(json_unpack(line, "{s:[{s:s, s:I}]}", "missing_called", "name", &name,
				     "calls", &calls),
			 0);
	assert_string_equal(name, "ntoskrnl.exe!ExFoo");
	assert_int_equal(calls, 2);
}

static void a_traced_event_has_fields_or_bytes(void **state)
{
	static const struct rs_trace_field fields[] = {
		{"Id", "7", true}, {"Large", "9007199254740993", true}, {"Text", "\xff 7", false}};
	struct rs_event event = {.type = RS_TRACE, .time = START};
	const char *large, *text;
	json_int_t id;
	(void)state;
	event.trace.module = &warden;
	event.trace.data = "\1\2";
	event.trace.size = 2;
	hear(&event);
	assert_string_equal(string_at("provider"), "{00000000-0000-0000-0000-000000000000}");
	assert_string_equal(string_at("data"), "0102");
	assert_null(json_object_get(line, "fields"));
	event.trace.name = "Started";
	event.trace.fields = fields;
	event.trace.field_count = 3;
	hear(&event);
	assert_string_equal(string_at("name"), "Started");
	assert_null(json_object_get(line, "data"));
	assert_int_equal(json_unpack(line, "{s:[{s:I}, {s:s}, {s:s}]}", "fields", "value", &id,
				     "value", &large, "value", &text),
			 0);
	assert_int_equal(id, 7);
	assert_string_equal(large, "9007199254740993"); /* a double would be ...992 */
	assert_string_equal(text, "\uFFFD 7");
}

/* Whatever the event holds, a line comes out: zeroed events are the emptiest. */
static void every_type_of_event_has_a_line_of_its_own(void **state)
{
	const char *seen[RS_EVENT_TYPES];
	(void)state;
	for (unsigned type = 0; type < RS_EVENT_TYPES; type++) {
		struct rs_event event = {.type = type, .time = START};
		if (type <= RS_DRIVER_UNLOADED)
			event.driver.module = &warden;
		if (type == RS_DEBUG_PRINT)
			event.print.text = "";
		if (type == RS_REGISTERED || type == RS_UNREGISTERED)
			event.registration.routine = "";
		if (type == RS_DEVICE_REQUEST)
			event.request.kind = event.request.device = "";
		if (type == RS_MISSING_CALLED) {
			event.missing.name = "";
			event.missing.first = true;
		}
		if (type == RS_RULE_BROKEN)
			event.rule.clause = event.rule.text = "";
		hear(&event);
		seen[type] = strdup(string_at("event"));
		for (unsigned other = 0; other < type; other++)
			assert_string_not_equal(seen[other], seen[type]);
	}
	for (unsigned type = 0; type < RS_EVENT_TYPES; type++)
		free((char *)(uintptr_t)seen[type]);
}

static void the_summary_has_counts_and_callback_times(void **state)
{
	struct rs_event events[] = {
		a_creation(100, 0, STATUS_SUCCESS),      a_creation(104, 100, STATUS_ACCESS_DENIED),
		a_callback(RS_PROCESS_EX2, true, 900),   a_callback(RS_PROCESS_EX2, true, 1300),
		a_callback(RS_PROCESS_EX2, true, 40000),
	};
	struct sink_outcome outcome = {.ran = true, .wait_status = SIGTERM, .elapsed = 5};
	json_int_t calls, median, longest;
	(void)state;
	for (unsigned i = 0; i < sizeof(events) / sizeof(*events); i++)
		hear(&events[i]);
	sink_end(paper.sink, &outcome);
	read_line();
	assert_string_equal(string_at("event"), "summary");
	assert_int_equal(integer_at("processes"), 2);
	assert_int_equal(integer_at("vetoes"), 1);
	assert_int_equal(integer_at("elapsed_ns"), 5);
	assert_string_equal(string_at("signal"), "SIGTERM");
	assert_int_equal(json_unpack(line, "{s:[{s:I, s:I, s:I}]}", "callbacks", "calls", &calls,
				     "median_ns", &median, "longest_ns", &longest),
			 0);
	assert_int_equal(calls, 3);
	assert_int_equal(median, 1300);
	assert_int_equal(longest, 40000);
}

static void *hear_many(void *argument)
{
	struct rs_event event = *(struct rs_event *)argument;
	for (unsigned i = 0; i < 500; i++)
		sink_hear(paper.sink, &event);
	return NULL;
}

static void lines_from_several_threads_come_out_whole(void **state)
{
	struct rs_event event = a_callback(RS_OBJECT_POST, false, 10);
	pthread_t threads[4];
	unsigned lines = 0;
	(void)state;
	fcntl(paper.in, F_SETFL, O_DIRECT); /* writers wait for the reader */
	fcntl(paper.out, F_SETFL, O_DIRECT);
	for (unsigned i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, hear_many, &event);
	for (; lines < 2000; lines++)
		read_line();
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

#define PAPER_TEST(name) cmocka_unit_test_setup_teardown(name, open_paper, close_paper)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAPER_TEST(the_run_comes_first_with_format_and_command),
		PAPER_TEST(times_are_rfc_3339_with_nanoseconds),
		PAPER_TEST(a_creation_has_process_parent_and_command_line),
		PAPER_TEST(a_veto_names_its_driver),
		PAPER_TEST(a_status_without_a_name_is_hexadecimal),
		PAPER_TEST(what_is_no_utf_8_is_replaced),
		PAPER_TEST(nuls_between_arguments_are_kept),
		PAPER_TEST(the_longest_command_line_is_not_cut),
		PAPER_TEST(a_stripped_right_is_listed_by_name),
		PAPER_TEST(an_exit_tells_linux_status_or_signal),
		PAPER_TEST(a_callback_tells_kind_duration_and_change),
		PAPER_TEST(a_bug_check_has_code_parameters_and_stack),
		PAPER_TEST(a_missing_call_has_a_line_the_first_time_and_is_counted),
		PAPER_TEST(a_traced_event_has_fields_or_bytes),
		PAPER_TEST(every_type_of_event_has_a_line_of_its_own),
		PAPER_TEST(the_summary_has_counts_and_callback_times),
		PAPER_TEST(lines_from_several_threads_come_out_whole),
	};
	return cmocka_run_group_tests(tests, boot, shut_down);
}
