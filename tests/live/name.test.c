/* SPDX-License-Identifier: MIT */
/*
 * Names and command lines, the latter against the rules of CommandLineToArgvW as
 * its reference page and the C runtime's document them, written down here a second
 * time from the reader's side.
 */
#include "source/live/name.h"
#include "rtl/utf.h"
#include "support/world.h"
#include <stdlib.h>
#include <string.h>

/* ---- CommandLineToArgvW ------------------------------------------------------------- */

struct split {
	unsigned count;
	char argument[64][512];
};

static const WCHAR *first_argument(const WCHAR *p, const WCHAR *end, WCHAR *out, size_t *length)
{
	bool quoted = p < end && *p == '"';
	p += quoted;
	while (p < end && (quoted ? *p != '"' : *p > ' '))
		out[(*length)++] = *p++;
	return p + (quoted && p < end);
}

static const WCHAR *later_argument(const WCHAR *p, const WCHAR *end, WCHAR *out, size_t *length)
{
	bool quoted = false;
	while (p < end && (quoted || (*p != ' ' && *p != '\t'))) {
		unsigned backslashes = 0;
		while (p < end && *p == '\\') {
			backslashes++;
			p++;
		}
		bool quote = p < end && *p == '"';
		for (unsigned i = 0; i < (quote ? backslashes / 2 : backslashes); i++)
			out[(*length)++] = '\\';
		if (quote && backslashes % 2)
			out[(*length)++] = '"';
		else if (quote)
			quoted = !quoted;
		else if (p < end && (quoted || (*p != ' ' && *p != '\t')))
			out[(*length)++] = *p;
		else
			break;
		p++;
	}
	return p;
}

static void split_command_line(const UNICODE_STRING *line, struct split *split)
{
	const WCHAR *p = line->Buffer, *end = p + line->Length / 2;
	for (split->count = 0; p < end || split->count == 0; split->count++) {
		WCHAR text[512];
		size_t length = 0;
		p = split->count ? later_argument(p, end, text, &length)
				 : first_argument(p, end, text, &length);
		UNICODE_STRING argument = {(USHORT)(2 * length), (USHORT)(2 * length), text};
		rtl_to_utf8(split->argument[split->count], 512, &argument);
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
	}
}

/* ---- The tests ---------------------------------------------------------------------------- */

static struct live_arguments pack(unsigned count, char *const *argument, char *space)
{
	struct live_arguments packed = {.text = space, .count = count};
	for (unsigned i = 0; i < count; i++) {
		size_t size = strlen(argument[i]) + 1;
		memcpy(space + packed.size, argument[i], size);
		packed.size += size;
	}
	return packed;
}

static void check_round_trip(unsigned count, char *const *argument)
{
	static struct split split;
	char space[8192];
	UNICODE_STRING line;
	struct live_arguments packed = pack(count, argument, space);
	assert_int_equal(live_command_line(&packed, &line), 0);
	split_command_line(&line, &split);
	rtl_free_string(&line);
	assert_int_equal(split.count, count);
	for (unsigned i = 0; i < count; i++)
		assert_string_equal(split.argument[i], argument[i]);
}

#define ROUND_TRIP(...)                                                                            \
	check_round_trip(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *), (char *[]){__VA_ARGS__})

static void command_lines_split_into_the_same_arguments(void **state)
{
	(void)state;
	ROUND_TRIP("sleep", "1");
	ROUND_TRIP("a b", "c d", "");
	ROUND_TRIP("", "x");
	ROUND_TRIP("x", "", "", "y");
	ROUND_TRIP("C:\\dir\\", "C:\\dir\\");
	ROUND_TRIP("C:\\my dir\\", "C:\\my dir\\", "\\\\");
	ROUND_TRIP("p", "say \"hi\"", "\"", "\\\"", "\\\\\" \\", "a\\\\b");
	ROUND_TRIP("p", "tab\there", "new\nline", "\v");
	ROUND_TRIP("p", "Grüße", "日本 語", "🎺");
	ROUND_TRIP("p\tq", "*", "%PATH%", "^");
}

static void random_command_lines_split_into_the_same_arguments(void **state)
{
	(void)state;
	static const char letters[] = "ab \\\"\t\\\"";
	srand(1);
	for (int round = 0; round < 20000; round++) {
		char text[6][16];
		char *argument[6];
		unsigned count = 1 + (unsigned)rand() % 6;
		for (unsigned i = 0; i < count; i++) {
			unsigned length = (unsigned)rand() % 15;
			for (unsigned k = 0; k < length; k++)
				text[i][k] = letters[(unsigned)rand() % (sizeof letters - 1)];
			text[i][length] = 0;
			/* A quote in the first argument cannot be expressed. */
			for (char *quote; !i && (quote = strchr(text[0], '"'));)
				*quote = '\'';
			argument[i] = text[i];
		}
		check_round_trip(count, argument);
	}
}

static void a_quote_in_the_first_argument_is_moved_out_of_the_way(void **state)
{
	(void)state;
	char space[64];
	UNICODE_STRING line;
	struct live_arguments packed = pack(1, (char *[]){"a\"b"}, space);
	assert_int_equal(live_command_line(&packed, &line), 0);
	assert_int_equal(line.Length, 6);
	assert_memory_equal(line.Buffer,
			    u"a\xf022"
			    u"b",
			    6);
	rtl_free_string(&line);
}

static void a_command_line_that_is_too_long_is_cut(void **state)
{
	(void)state;
	struct live_arguments packed = {.text = malloc(100000), .size = 100000, .count = 1};
	UNICODE_STRING line;
	memset(packed.text, 'x', 99999);
	packed.text[99999] = 0;
	assert_int_equal(live_command_line(&packed, &line), 0);
	assert_int_equal(line.Length, 2 * RTL_MAX_UNITS);
	rtl_free_string(&line);
	free(packed.text);
}

static void check_name(int (*make)(const char *, UNICODE_STRING *), const char *path,
		       const char *expected)
{
	char text[256];
	UNICODE_STRING name;
	assert_int_equal(make(path, &name), 0);
	rtl_to_utf8(text, sizeof text, &name);
	assert_string_equal(text, expected);
	rtl_free_string(&name);
}

static void ps_42_names_are_those_of_nt(void **state)
{
	(void)state;
	check_name(live_open_name, "/usr/bin/sleep", "\\??\\Z:\\usr\\bin\\sleep");
	check_name(live_native_name, "/usr/bin/sleep",
		   "\\Device\\HarddiskVolume1\\usr\\bin\\sleep");
	check_name(live_pico_name, "/usr/bin/sleep", "/usr/bin/sleep");
}

static void characters_that_nt_forbids_become_private_ones(void **state)
{
	(void)state;
	check_name(live_open_name, "/a:b\\c", "\\??\\Z:\\a\uf03ab\uf05cc");
	check_name(live_open_name, "/x\xff", "\\??\\Z:\\x\uf0ff");
	check_name(live_open_name, "/x\n", "\\??\\Z:\\x\uf00a");
	check_name(live_pico_name, "/a:b\xff", "/a:b\uf0ff");
}

static void ps_43_a_pico_command_line_has_nuls_between_the_arguments(void **state)
{
	(void)state;
	char space[64];
	UNICODE_STRING line;
	struct live_arguments packed = pack(3, (char *[]){"a", "b c", ""}, space);
	assert_int_equal(live_pico_command_line(&packed, &line), 0);
	assert_int_equal(line.Length, 12);
	assert_memory_equal(line.Buffer, u"a\0b c\0", 12);
	rtl_free_string(&line);
}

static void want_of_memory_is_reported(void **state)
{
	(void)state;
	UNICODE_STRING untouched = {1, 2, NULL};
	fail_allocation("live/name.c", 0);
	assert_int_equal(live_open_name("/x", &untouched), -12);
	assert_int_equal(stop_failing(), 1);
	assert_int_equal(untouched.Length, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_lines_split_into_the_same_arguments),
		cmocka_unit_test(random_command_lines_split_into_the_same_arguments),
		cmocka_unit_test(a_quote_in_the_first_argument_is_moved_out_of_the_way),
		cmocka_unit_test(a_command_line_that_is_too_long_is_cut),
		cmocka_unit_test(ps_42_names_are_those_of_nt),
		cmocka_unit_test(characters_that_nt_forbids_become_private_ones),
		cmocka_unit_test(ps_43_a_pico_command_line_has_nuls_between_the_arguments),
		cmocka_unit_test(want_of_memory_is_reported),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
