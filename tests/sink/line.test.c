/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "sink/lanes.h"
#include "sink/line.h"
#include "tests/sink/events.h"

static char text[1024];

static struct sink_line a_line(unsigned limit, bool colour)
{
	return (struct sink_line){
		.text = text, .size = sizeof(text), .limit = limit, .colour = colour};
}

static const char *finish(struct sink_line *line)
{
	text[line->length] = '\0';
	return text;
}

static void control_characters_are_shown_and_not_sent(void **state)
{
	struct sink_line line = a_line(0, false);
	(void)state;
	sink_quote(&line, "a\x1b[2Jb\nc\x7f\xc2\x9b"
			  "d");
	assert_string_equal(finish(&line), "a\\x1b[2Jb\\x0ac\\x7f\\x9bd");
}

static void a_nul_between_arguments_is_visible(void **state)
{
	struct sink_line line = a_line(0, false);
	UNICODE_STRING arguments = TEXT16(u"sleep\0001");
	(void)state;
	sink_quote_utf16(&line, &arguments);
	assert_string_equal(finish(&line), "sleep␀1");
}

static void what_does_not_decode_becomes_a_replacement_character(void **state)
{
	static const WCHAR lone[] = {u'a', 0xD800, u'b', 0xDC00, 0xD83D, 0xDE00};
	UNICODE_STRING broken = {sizeof(lone), sizeof(lone), (PWSTR)(uintptr_t)lone};
	struct sink_line line = a_line(0, false);
	(void)state;
	sink_quote_utf16(&line, &broken);
	sink_quote(&line, "\xff\xc0x");
	assert_string_equal(finish(&line), "a\uFFFDb\uFFFD\U0001F600\uFFFD\uFFFDx");
}

static void a_long_line_is_cut_at_its_limit_and_says_so(void **state)
{
	struct sink_line line = a_line(8, false);
	(void)state;
	sink_say(&line, "äöüäöüäöüäöü\nshort\n123456789");
	assert_string_equal(finish(&line), "äöüäöüä…\nshort\n1234567…");
}

static void a_full_buffer_still_ends_its_line_and_colour(void **state)
{
	char small[64];
	struct sink_line line = {.text = small, .size = sizeof(small), .colour = true};
	(void)state;
	sink_paint(&line, SINK_RED);
	for (unsigned i = 0; i < 100; i++)
		sink_say(&line, "x");
	sink_paint(&line, SINK_BLUE);
	sink_paint(&line, SINK_PLAIN);
	sink_say(&line, "\n");
	assert_in_range(line.length, 50, sizeof(small));
	assert_memory_equal(small + line.length - 8, "…\x1b[0m\n", 8);
}

static void a_line_without_colour_has_no_escapes(void **state)
{
	struct sink_line line = a_line(0, false);
	(void)state;
	sink_paint(&line, SINK_RED);
	sink_say(&line, "x");
	sink_paint(&line, SINK_PLAIN);
	assert_string_equal(finish(&line), "x");
}

static const char *lanes_text(struct sink_lanes *lanes)
{
	struct sink_line line = a_line(0, false);
	sink_lanes_draw(lanes, &line);
	return finish(&line);
}

static const char *begin_text(struct sink_lanes *lanes, uint64_t parent, uint64_t process)
{
	struct sink_line line = a_line(0, false);
	sink_lanes_begin(lanes, &line, parent, (struct sink_lane){process, 10 * process});
	return finish(&line);
}

static const char *end_text(struct sink_lanes *lanes, uint64_t process)
{
	struct sink_line line = a_line(0, false);
	return sink_lanes_end(lanes, &line, process) ? finish(&line) : NULL;
}

static void a_tree_grows_to_the_right_of_its_parents(void **state)
{
	struct sink_lanes lanes = {0};
	struct sink_line line = a_line(0, false);
	(void)state;
	assert_string_equal(begin_text(&lanes, 99, 1), "╷");
	assert_string_equal(begin_text(&lanes, 1, 2), "├╮");
	assert_string_equal(begin_text(&lanes, 1, 3), "├┼╮");
	assert_string_equal(begin_text(&lanes, 3, 4), "││├╮");
	assert_string_equal(end_text(&lanes, 2), "│╵││");
	assert_string_equal(lanes_text(&lanes), "│ ││");
	sink_lanes_refuse(&lanes, &line, 3);
	assert_string_equal(finish(&line), "│ ├┼✗");
	assert_string_equal(begin_text(&lanes, 3, 5), "│ ├┼╮");
	assert_string_equal(begin_text(&lanes, 1, 6), "├╮│││");
	sink_lanes_free(&lanes);
}

static void lanes_disappear_with_their_processes(void **state)
{
	struct sink_lanes lanes = {0};
	(void)state;
	begin_text(&lanes, 0, 1);
	begin_text(&lanes, 1, 2);
	assert_null(end_text(&lanes, 7));
	assert_null(end_text(&lanes, 0));
	assert_string_equal(end_text(&lanes, 1), "╵│");
	assert_string_equal(end_text(&lanes, 2), " ╵");
	assert_string_equal(lanes_text(&lanes), "");
	assert_int_equal(lanes.count, 0);
	sink_lanes_free(&lanes);
}

static void a_wide_tree_is_drawn_within_bounds(void **state)
{
	struct sink_lanes lanes = {0};
	struct sink_line line = a_line(0, false);
	(void)state;
	for (uint64_t process = 1; process <= 500; process++)
		begin_text(&lanes, process - 1, process);
	sink_lanes_draw(&lanes, &line);
	assert_int_equal(line.columns, SINK_LANES_SHOWN + 1);
	for (uint64_t process = 1; process <= 500; process++)
		assert_non_null(end_text(&lanes, process));
	assert_int_equal(lanes.count, 0);
	sink_lanes_free(&lanes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_characters_are_shown_and_not_sent),
		cmocka_unit_test(a_nul_between_arguments_is_visible),
		cmocka_unit_test(what_does_not_decode_becomes_a_replacement_character),
		cmocka_unit_test(a_long_line_is_cut_at_its_limit_and_says_so),
		cmocka_unit_test(a_full_buffer_still_ends_its_line_and_colour),
		cmocka_unit_test(a_line_without_colour_has_no_escapes),
		cmocka_unit_test(a_tree_grows_to_the_right_of_its_parents),
		cmocka_unit_test(lanes_disappear_with_their_processes),
		cmocka_unit_test(a_wide_tree_is_drawn_within_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
