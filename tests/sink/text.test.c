/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include "tests/sink/events.h"

#define assert_contains(text, part) assert_non_null(strstr((text), (part)))
#define assert_lacks(text, part) assert_null(strstr((text), (part)))

static struct paper paper;

static int open_paper(void **state)
{
	(void)state;
	paper = paper_open(&sink_text, (struct sink_options){.detail = SINK_NORMAL});
	return 0;
}

static int open_verbose_paper(void **state)
{
	(void)state;
	paper = paper_open(&sink_text, (struct sink_options){.detail = SINK_VERBOSE});
	return 0;
}

static int open_quiet_paper(void **state)
{
	(void)state;
	paper = paper_open(&sink_text, (struct sink_options){.detail = SINK_QUIET});
	return 0;
}

static int close_paper(void **state)
{
	(void)state;
	paper_close(&paper);
	return 0;
}

static void hear_start(void)
{
	struct rs_event event = {.type = RS_DRIVER_LOADED, .time = START};
	event.driver.module = &warden;
	event.driver.imports = 31;
	event.driver.duration = 610000;
	sink_hear(paper.sink, &event);
}

static void a_loaded_driver_is_described(void **state)
{
	(void)state;
	hear_start();
	assert_string_equal(paper_next(&paper),
			    "   0.000  warden.sys loaded at 0x7f1234500000, 36 KiB, 31 imports "
			    "bound, integrity flag set, in 610 µs\n");
}

static void missing_imports_and_flag_are_mentioned(void **state)
{
	struct rs_event event = {.type = RS_DRIVER_LOADED, .time = START};
	KLDR_DATA_TABLE_ENTRY module = warden;
	(void)state;
	module.Flags = 0;
	event.driver.module = &module;
	event.driver.missing = 2;
	const char *text = paper_hear(&paper, &event);
	assert_contains(text, "2 missing here");
	assert_contains(text, "no integrity flag");
}

static void a_failing_entry_point_is_named_with_its_status(void **state)
{
	struct rs_event event = {.type = RS_DRIVER_STARTED, .time = START};
	(void)state;
	event.driver.module = &warden;
	event.driver.status = STATUS_ACCESS_DENIED;
	assert_string_equal(paper_hear(&paper, &event),
			    "   0.000  warden.sys did not start: DriverEntry returned "
			    "STATUS_ACCESS_DENIED\n");
}

static void object_registrations_show_altitude_and_types(void **state)
{
	struct rs_event event = {.type = RS_REGISTERED, .time = START};
	(void)state;
	event.registration.routine = "ObRegisterCallbacks";
	event.registration.module = &warden;
	event.registration.altitude = TEXT16(u"385500.7");
	event.registration.types = 3;
	assert_string_equal(paper_hear(&paper, &event),
			    "   0.000  warden.sys registers with ObRegisterCallbacks at altitude "
			    "385500.7 for process handles and thread handles\n");
}

static void routine_registrations_show_where_the_routine_is(void **state)
{
	struct rs_event event = {.type = RS_REGISTERED, .time = START};
	(void)state;
	event.registration.routine = "PsSetCreateProcessNotifyRoutineEx2";
	event.registration.module = &warden;
	event.registration.address = (char *)warden.DllBase + 0x1450;
	assert_contains(paper_hear(&paper, &event),
			"PsSetCreateProcessNotifyRoutineEx2: warden.sys+0x1450\n");
	event.registration.status = STATUS_INVALID_PARAMETER;
	assert_contains(paper_hear(&paper, &event),
			"PsSetCreateProcessNotifyRoutineEx2: STATUS_INVALID_PARAMETER\n");
}

static void what_a_driver_prints_is_attributed_and_harmless(void **state)
{
	struct rs_event event = {.type = RS_DEBUG_PRINT, .time = START};
	(void)state;
	event.print.module = &warden;
	event.print.text = "protecting \x1b[31m104";
	assert_string_equal(paper_hear(&paper, &event),
			    "   0.000  warden.sys says protecting \\x1b[31m104\n");
}

static void what_a_driver_prints_in_several_lines_stays_below_its_name(void **state)
{
	struct rs_event event = {.type = RS_DEBUG_PRINT, .time = START};
	(void)state;
	event.print.module = &warden;
	event.print.text = "\r\nfirst\r\n\n  second\r\n";
	assert_string_equal(paper_hear(&paper, &event), "   0.000  warden.sys says first\n"
							"   0.000                    second\n");
	event.print.text = "in \r between\r";
	assert_string_equal(paper_hear(&paper, &event),
			    "   0.000  warden.sys says in \\x0d between\n");
	event.print.text = "\n";
	assert_string_equal(paper_hear(&paper, &event), "   0.000  warden.sys says \n");
	event.print.text = "\tat\t8";
	assert_string_equal(paper_hear(&paper, &event),
			    "   0.000  warden.sys says         at      8\n");
}

static void a_creation_is_one_write_with_pid_parent_image_and_command_line(void **state)
{
	struct rs_event root = a_creation(100, 0, STATUS_SUCCESS);
	struct rs_event child = a_creation(104, 100, STATUS_SUCCESS);
	(void)state;
	hear_start();
	paper_next(&paper);
	const char *text = paper_hear(&paper, &root);
	assert_contains(text, "command line\n"); /* the head of the table, once */
	assert_contains(text, "   0.012  ╷         100     10000");
	text = paper_hear(&paper, &child);
	assert_lacks(text, "command line\n");
	assert_string_equal(text, "   0.012  ├╮        104     10400    100     "
				  "\\??\\Z:\\usr\\bin\\sleep           sleep 1\n");
	assert_string_equal(paper_next(&paper), "");
}

static void a_refused_creation_names_the_driver_and_leaves_no_lane(void **state)
{
	struct rs_event root = a_creation(100, 0, STATUS_SUCCESS);
	struct rs_event child = a_creation(104, 100, STATUS_ACCESS_DENIED);
	struct rs_event end = an_exit(104, 0);
	(void)state;
	hear_start();
	paper_next(&paper);
	paper_hear(&paper, &root);
	const char *text = paper_hear(&paper, &child);
	assert_contains(text, "├✗        104 ");
	assert_contains(text, "sleep 1\n          │         warden.sys refused it: "
			      "STATUS_ACCESS_DENIED\n");
	assert_string_equal(paper_hear(&paper, &end), "");
}

static void an_exit_shows_status_or_signal_and_lifetime(void **state)
{
	struct rs_event birth = a_creation(104, 0, STATUS_SUCCESS);
	struct rs_event end = an_exit(104, 3 << 8), killed = an_exit(104, SIGKILL);
	(void)state;
	hear_start();
	paper_next(&paper);
	paper_hear(&paper, &birth);
	assert_string_equal(paper_hear(&paper, &end),
			    "   1.000  ╵         104 sleep exited with 3 after 2.10 ms\n\n");
	paper_hear(&paper, &birth);
	assert_contains(paper_hear(&paper, &killed), "104 sleep killed by SIGKILL after");
}

static void an_exec_is_no_exit(void **state)
{
	struct rs_event before = a_creation(104, 0, STATUS_SUCCESS);
	struct rs_event after = a_creation(104, 104, STATUS_SUCCESS);
	struct rs_event end = an_exit(104, 0);
	(void)state;
	hear_start();
	paper_next(&paper);
	after.created.process.id += 8;
	paper_hear(&paper, &before);
	paper_hear(&paper, &after);
	assert_string_equal(paper_hear(&paper, &end),
			    "   1.000  ╵│        104 sleep became another program after 2.10 ms\n");
	end.exited.process.id += 8;
	assert_contains(paper_hear(&paper, &end), "104 sleep exited with 0 after");
}

static void a_stripped_right_is_told_in_words(void **state)
{
	struct rs_event event = a_handle("kill(SIGKILL)", PROCESS_TERMINATE, 0);
	(void)state;
	hear_start();
	paper_next(&paper);
	assert_string_equal(paper_hear(&paper, &event),
			    "   2.000  100 dash: kill(SIGKILL) on 104 sleep fails: warden.sys took "
			    "PROCESS_TERMINATE\n");
}

static void a_granted_call_of_the_live_tree_is_told(void **state)
{
	struct rs_event event = a_handle("kill(0)", PROCESS_QUERY_LIMITED_INFORMATION,
					 PROCESS_QUERY_LIMITED_INFORMATION);
	(void)state;
	assert_contains(paper_hear(&paper, &event),
			"kill(0) on 104 sleep: granted PROCESS_QUERY_LIMITED_INFORMATION\n");
}

static void a_refused_handle_is_told_with_its_status(void **state)
{
	struct rs_event event = a_handle(NULL, PROCESS_VM_READ, PROCESS_VM_READ);
	(void)state;
	event.handle.status = STATUS_ACCESS_DENIED;
	assert_contains(paper_hear(&paper, &event),
			"100 dash opens 104 sleep: ended in STATUS_ACCESS_DENIED\n");
}

static void creators_own_handles_are_news_only_when_they_lose_rights(void **state)
{
	struct rs_event event = a_handle(RS_REASON_CREATED, PROCESS_ALL_ACCESS, PROCESS_ALL_ACCESS);
	struct rs_event stripped = a_handle(RS_REASON_CREATED, PROCESS_ALL_ACCESS,
					    PROCESS_ALL_ACCESS & ~(ULONG)PROCESS_TERMINATE);
	struct rs_event callback = a_callback(RS_OBJECT_PRE, false, 100);
	(void)state;
	assert_string_equal(paper_hear(&paper, &event), "");
	assert_string_equal(paper_hear(&paper, &callback), "");
	assert_contains(paper_hear(&paper, &stripped),
			"100 dash gets its creator's handle to 104 sleep: warden.sys took "
			"PROCESS_TERMINATE\n");
}

static void verbose_tells_every_handle_and_callback(void **state)
{
	struct rs_event event = a_handle(NULL, PROCESS_ALL_ACCESS, PROCESS_ALL_ACCESS);
	struct rs_event callback = a_callback(RS_PROCESS_EX2, true, 1234);
	(void)state;
	assert_contains(paper_hear(&paper, &event), "opens 104 sleep: granted PROCESS_ALL_ACCESS");
	callback.callback.status_after = STATUS_ACCESS_DENIED;
	assert_contains(paper_hear(&paper, &callback),
			"warden.sys+0x1450 (process Ex2, create) returned after 1.23 µs, stored "
			"STATUS_ACCESS_DENIED\n");
}

static void quiet_tells_bug_checks_alone(void **state)
{
	struct rs_event event = a_creation(100, 0, STATUS_ACCESS_DENIED);
	struct rs_event crash = {.type = RS_BUG_CHECK, .time = START};
	struct sink_outcome outcome = {0};
	(void)state;
	crash.bug_check.code = 0xD1;
	crash.bug_check.name = "DRIVER_IRQL_NOT_LESS_OR_EQUAL";
	crash.bug_check.detail = "the driver read address 0";
	assert_string_equal(paper_hear(&paper, &event), "");
	sink_end(paper.sink, &outcome);
	assert_string_equal(paper_next(&paper), "");
	assert_contains(paper_hear(&paper, &crash), "DRIVER_IRQL_NOT_LESS_OR_EQUAL");
}

static void a_refused_write_is_told_with_the_option_that_allows_it(void **state)
{
	struct rs_event event = {.type = RS_WRITE_REFUSED, .time = START};
	(void)state;
	event.write_refused.module = &warden;
	event.write_refused.name = TEXT16(u"\\etc\\passwd");
	assert_string_equal(paper_hear(&paper, &event),
			    "   0.000  warden.sys may not change \\etc\\passwd: files may only be "
			    "read without --root DIR --root-write\n");
	event.write_refused.allowed = true;
	assert_string_equal(
		paper_hear(&paper, &event),
		"   0.000  warden.sys may not change \\etc\\passwd: it is the file of a "
		"loaded driver\n");
}

static void a_broken_rule_is_told_with_its_clause(void **state)
{
	struct rs_event event = {.type = RS_RULE_BROKEN, .time = START};
	(void)state;
	event.rule.clause = "VF-24";
	event.rule.text = "added a right";
	event.rule.module = &warden;
	assert_string_equal(paper_hear(&paper, &event),
			    "   0.000  warden.sys breaks VF-24: added a right\n");
}

static void a_lasting_routine_is_told_with_its_driver_time_and_process(void **state)
{
	struct rs_event event = {.type = RS_CALLBACK_LASTS, .time = START};
	(void)state;
	event.lasting.module = &warden;
	event.lasting.duration = 3040000000;
	event.lasting.host_id = 1234;
	assert_string_equal(paper_hear(&paper, &event),
			    "   0.000  warden.sys: routine running for 3 s in PID 1234\n");
}

static struct rs_event a_missing_call(const char *name, bool first)
{
	struct rs_event event = {.type = RS_MISSING_CALLED, .time = START};
	event.missing.name = name;
	event.missing.module = &warden;
	event.missing.status = STATUS_NOT_IMPLEMENTED;
	event.missing.first = first;
	return event;
}

static void a_traced_event_is_told_with_names_or_bytes_and_harmless(void **state)
{
	static const struct rs_trace_field fields[] = {{"Id", "7", true},
						       {"a\n", "\x1b[2J", false}};
	struct rs_event event = {.type = RS_TRACE, .time = START};
	(void)state;
	event.trace.module = &warden;
	event.trace.provider.Data1 = 0xAB;
	event.trace.id = 300;
	event.trace.keyword = 0x10;
	event.trace.data = "ab";
	event.trace.size = 2;
	const char *text = paper_hear(&paper, &event);
	assert_contains(text, "   0.000  warden.sys traces {000000AB-0000-0000-0000-000000000000} "
			      "event 300, version 0, level 0, opcode 0, keyword 0x10, 2 bytes\n");
	assert_contains(text, "0000  61 62");
	event.trace.provider_name = "P\r";
	event.trace.name = "Event";
	event.trace.fields = fields;
	event.trace.field_count = 2;
	assert_string_equal(paper_hear(&paper, &event),
			    "   0.000  warden.sys traces P\\x0d Event: Id=7, a\\x0a=\\x1b[2J\n");
}

static void a_missing_call_is_told_once_from_each_place_and_counted(void **state)
{
	struct rs_event events[] = {a_missing_call("ntoskrnl.exe!ExFoo", true),
				    a_missing_call("hal.dll!\x1bHal", true),
				    a_missing_call("ntoskrnl.exe!ExFoo", false)};
	struct sink_outcome outcome = {0};
	const char *summary;
	(void)state;
	assert_string_equal(paper_hear(&paper, &events[0]),
			    "   0.000  warden.sys calls ntoskrnl.exe!ExFoo, which is not here, "
			    "and gets STATUS_NOT_IMPLEMENTED\n");
	assert_contains(paper_hear(&paper, &events[1]), "hal.dll!\\x1bHal");
	assert_string_equal(paper_hear(&paper, &events[2]), "");
	sink_end(paper.sink, &outcome);
	summary = paper_next(&paper);
	assert_contains(summary, "  missing     2 × ntoskrnl.exe!ExFoo called by warden.sys\n");
	assert_contains(summary, "  missing     1 × hal.dll!\\x1bHal called by warden.sys\n");
}

static void the_summary_counts_what_happened(void **state)
{
	struct rs_event events[] = {
		a_creation(100, 0, STATUS_SUCCESS),
		a_creation(104, 100, STATUS_ACCESS_DENIED),
		a_creation(108, 100, STATUS_ACCESS_DENIED),
		a_handle("kill(SIGKILL)", PROCESS_TERMINATE, 0),
		a_handle(NULL, PROCESS_ALL_ACCESS, PROCESS_ALL_ACCESS),
		a_callback(RS_PROCESS_EX2, true, 900),
		a_callback(RS_PROCESS_EX2, true, 1300),
		a_callback(RS_PROCESS_EX2, true, 40000),
		a_callback(RS_PROCESS_EX2, false, 77),
		an_exit(100, 0),
	};
	struct sink_outcome outcome = {.ran = true, .wait_status = 2 << 8, .elapsed = 3420000000};
	(void)state;
	for (unsigned i = 0; i < sizeof(events) / sizeof(*events); i++)
		paper_hear(&paper, &events[i]);
	sink_end(paper.sink, &outcome);
	const char *text = paper_next(&paper);
	assert_contains(text, "command     exited with 2 after 3.42 s\n");
	assert_contains(text, "processes   3 created, 2 refused, 1 exited\n");
	assert_contains(text, "handles     2 opened or duplicated, 1 of them lost rights\n");
	assert_contains(text, "refused     2 × sleep by warden.sys with STATUS_ACCESS_DENIED\n");
	assert_contains(text, "stripped    1 × PROCESS_TERMINATE on a process of sleep by "
			      "warden.sys\n");
	assert_contains(text, "warden.sys      process Ex2, create              3     1.30 µs     "
			      "40.0 µs\n");
	assert_contains(text,
			"warden.sys      process Ex2, exit                1       77 ns       "
			"77 ns\n");
}

static void the_summary_is_bounded_however_many_images_were_refused(void **state)
{
	struct sink_outcome outcome = {0};
	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		WCHAR name[] = u"0000.exe";
		struct rs_event event = a_creation(4 * i, 0, STATUS_ACCESS_DENIED);
		for (unsigned digit = 0, left = i; digit < 4; digit++, left /= 10)
			name[digit] = (WCHAR)(u'0' + left % 10);
		event.created.process.image = TEXT16(name);
		paper_hear(&paper, &event);
	}
	sink_end(paper.sink, &outcome);
	assert_contains(paper_next(&paper), "and 968 of other kinds\n");
}

static void the_table_of_callbacks_makes_room_for_long_names(void **state)
{
	KLDR_DATA_TABLE_ENTRY longer = {.BaseDllName = TEXT16(u"processprotection.sys")};
	struct rs_event events[] = {
		a_callback(RS_PROCESS_EX2, true, 900),
		a_callback(RS_PROCESS_EX2, true, 77),
	};
	struct sink_outcome outcome = {.ran = true};
	(void)state;
	events[1].callback.module = &longer;
	for (unsigned i = 0; i < sizeof(events) / sizeof(*events); i++)
		paper_hear(&paper, &events[i]);
	sink_end(paper.sink, &outcome);
	const char *text = paper_next(&paper);
	assert_contains(text, "  callbacks                                           calls      "
			      "median     longest\n");
	assert_contains(text, "  warden.sys             process Ex2, create              1      "
			      "900 ns      900 ns\n");
	assert_contains(text, "  processprotection.sys  process Ex2, create              1       "
			      "77 ns       77 ns\n");
}

static void *hear_many(void *argument)
{
	struct rs_event event = {.type = RS_DEBUG_PRINT, .time = START};
	(void)argument;
	event.print.module = &warden;
	event.print.text = "0123456789 0123456789 0123456789";
	for (unsigned i = 0; i < 1000; i++)
		sink_hear(paper.sink, &event);
	return NULL;
}

/* Packets hold single writes: a packet that is not the line was written in pieces. */
static void lines_from_several_threads_come_out_whole(void **state)
{
	pthread_t threads[4];
	unsigned lines = 0;
	(void)state;
	fcntl(paper.in, F_SETFL, O_DIRECT); /* writers wait for the reader */
	for (unsigned i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, hear_many, NULL);
	while (lines < 4000) {
		const char *text = paper_next(&paper);
		if (!*text)
			continue;
		assert_string_equal(text, "   0.000  warden.sys says 0123456789 0123456789 "
					  "0123456789\n");
		lines++;
	}
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

static void a_failed_write_is_remembered_and_not_repeated(void **state)
{
	struct sink_options options = {.fd = -1, .detail = SINK_NORMAL};
	struct sink *sink = sink_open(&sink_text, &options);
	struct rs_event event = a_creation(100, 0, STATUS_SUCCESS);
	(void)state;
	sink_hear(sink, &event);
	assert_int_equal(sink_error(sink), 9); /* EBADF */
	sink_hear(sink, &event);
	sink_close(sink);
}

static void colour_is_used_only_when_asked_for(void **state)
{
	struct rs_event event = a_creation(100, 0, STATUS_ACCESS_DENIED);
	struct paper colourful;
	(void)state;
	assert_lacks(paper_hear(&paper, &event), "\x1b");
	colourful = paper_open(&sink_text,
			       (struct sink_options){.detail = SINK_NORMAL, .colour = true});
	assert_contains(paper_hear(&colourful, &event), "\x1b[31m");
	paper_close(&colourful);
}

#define PAPER_TEST(name) cmocka_unit_test_setup_teardown(name, open_paper, close_paper)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAPER_TEST(a_loaded_driver_is_described),
		PAPER_TEST(missing_imports_and_flag_are_mentioned),
		PAPER_TEST(a_failing_entry_point_is_named_with_its_status),
		PAPER_TEST(object_registrations_show_altitude_and_types),
		PAPER_TEST(routine_registrations_show_where_the_routine_is),
		PAPER_TEST(what_a_driver_prints_is_attributed_and_harmless),
		PAPER_TEST(what_a_driver_prints_in_several_lines_stays_below_its_name),
		PAPER_TEST(a_creation_is_one_write_with_pid_parent_image_and_command_line),
		PAPER_TEST(a_refused_creation_names_the_driver_and_leaves_no_lane),
		PAPER_TEST(an_exit_shows_status_or_signal_and_lifetime),
		PAPER_TEST(an_exec_is_no_exit),
		PAPER_TEST(a_stripped_right_is_told_in_words),
		PAPER_TEST(a_granted_call_of_the_live_tree_is_told),
		PAPER_TEST(a_refused_handle_is_told_with_its_status),
		PAPER_TEST(creators_own_handles_are_news_only_when_they_lose_rights),
		cmocka_unit_test_setup_teardown(verbose_tells_every_handle_and_callback,
						open_verbose_paper, close_paper),
		cmocka_unit_test_setup_teardown(quiet_tells_bug_checks_alone, open_quiet_paper,
						close_paper),
		PAPER_TEST(a_refused_write_is_told_with_the_option_that_allows_it),
		PAPER_TEST(a_broken_rule_is_told_with_its_clause),
		PAPER_TEST(a_lasting_routine_is_told_with_its_driver_time_and_process),
		PAPER_TEST(a_traced_event_is_told_with_names_or_bytes_and_harmless),
		PAPER_TEST(a_missing_call_is_told_once_from_each_place_and_counted),
		PAPER_TEST(the_summary_counts_what_happened),
		PAPER_TEST(the_table_of_callbacks_makes_room_for_long_names),
		PAPER_TEST(the_summary_is_bounded_however_many_images_were_refused),
		PAPER_TEST(lines_from_several_threads_come_out_whole),
		PAPER_TEST(a_failed_write_is_remembered_and_not_repeated),
		PAPER_TEST(colour_is_used_only_when_asked_for),
	};
	return cmocka_run_group_tests(tests, boot, shut_down);
}
