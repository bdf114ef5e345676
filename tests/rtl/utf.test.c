/* SPDX-License-Identifier: MIT */
/* UTF-8 and UTF-16 into each other, for the kernel's own use. */
#include "rtl/utf.h"
#include "memory.h"
#include "units.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* The units of `text`, as hexadecimal numbers with a blank between. */
static const char *units_of(const char *text, size_t size)
{
	static char out[512];
	UNICODE_STRING string;
	size_t at = 0;
	assert_int_equal(rtl_from_utf8_counted(text, size, &string), 0);
	out[0] = '\0';
	for (unsigned i = 0; i < string.Length / 2; i++)
		at += (size_t)snprintf(out + at, sizeof(out) - at, "%s%X", i ? " " : "",
				       string.Buffer[i]);
	rtl_free_string(&string);
	return out;
}

#define assert_units(text, expected) assert_string_equal(units_of(text, sizeof(text) - 1), expected)

static void every_character_survives_both_ways(void **state)
{
	(void)state;
	for (uint32_t code = 0; code <= 0x10FFFF; code++) {
		char bytes[4];
		WCHAR units[2];
		uint32_t back;
		if (code >= 0xD800 && code <= 0xDFFF)
			continue;
		size_t size = rtl_encode_utf8(code, bytes), count = rtl_encode_utf16(code, units);
		assert_int_equal(size, 1 + (code > 0x7F) + (code > 0x7FF) + (code > 0xFFFF));
		assert_int_equal(count, 1 + (code > 0xFFFF));
		assert_int_equal(rtl_decode_utf8(bytes, size, &back), size);
		assert_int_equal(back, code);
		assert_int_equal(rtl_decode_utf16(units, count, &back), count);
		assert_int_equal(back, code);
	}
}

/* The tables of the Unicode standard's section 3.9 on maximal subparts. */
static void each_ill_formed_piece_becomes_one_replacement(void **state)
{
	(void)state;
	assert_units("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41",
		     "FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD 41");
	assert_units("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41",
		     "FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD 41");
	assert_units("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42",
		     "FFFD FFFD FFFD FFFD FFFD 41 FFFD FFFD 42");
	assert_units("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", "FFFD FFFD FFFD FFFD 41");
	assert_units("\xF0\x9F\x98", "FFFD");
	assert_units("a\xE9", "61 FFFD");
}

static void characters_beyond_the_basic_plane_are_pairs(void **state)
{
	(void)state;
	assert_units("\xF0\x9F\x98\x80", "D83D DE00");
	assert_units("\xF4\x8F\xBF\xBF", "DBFF DFFF");
}

static void string_counts_no_terminator_but_has_one(void **state)
{
	(void)state;
	UNICODE_STRING string;
	assert_int_equal(rtl_from_utf8("caf\xC3\xA9", &string), 0);
	assert_text(&string, "caf\u00E9");
	assert_int_equal(string.MaximumLength, string.Length + 2);
	assert_int_equal(string.Buffer[4], 0);
	rtl_free_string(&string);
	assert_null(string.Buffer);
	assert_int_equal(string.Length, 0);
	assert_int_equal(rtl_from_utf8("", &string), 0);
	assert_int_equal(string.Length, 0);
	assert_non_null(string.Buffer);
	rtl_free_string(&string);
}

static void counted_text_may_hold_nuls(void **state)
{
	(void)state;
	assert_units("ls\0-l", "6C 73 0 2D 6C");
}

static void longest_text_fits_and_one_more_does_not(void **state)
{
	(void)state;
	UNICODE_STRING string = {1, 2, NULL};
	char *text = calloc(1, RTL_MAX_UNITS + 2);
	memset(text, 'x', RTL_MAX_UNITS + 1);
	assert_int_equal(rtl_from_utf8(text, &string), -ENAMETOOLONG);
	assert_int_equal(string.Length, 1);
	text[RTL_MAX_UNITS] = '\0';
	assert_int_equal(rtl_from_utf8(text, &string), 0);
	assert_int_equal(string.Length, 65532);
	assert_int_equal(string.MaximumLength, 65534);
	rtl_free_string(&string);
	free(text);
}

static bool always_fails(const char *site)
{
	(void)site;
	return true;
}

static void failure_leaves_the_result_untouched(void **state)
{
	(void)state;
	UNICODE_STRING out = {1, 2, NULL}, from = STR("x");
	host_fail_allocations(always_fails);
	assert_int_equal(rtl_from_utf8("x", &out), -ENOMEM);
	assert_false(rtl_copy_string(&from, &out));
	host_fail_allocations(NULL);
	assert_int_equal(out.Length, 1);
}

static void to_utf8_measures_like_snprintf(void **state)
{
	(void)state;
	UNICODE_STRING string = STR("caf\u00E9 \U0001F600");
	char buffer[16];
	assert_int_equal(rtl_to_utf8(NULL, 0, &string), 10);
	assert_int_equal(rtl_to_utf8(buffer, sizeof(buffer), &string), 10);
	assert_string_equal(buffer, "caf\xC3\xA9 \xF0\x9F\x98\x80");
	assert_int_equal(rtl_to_utf8(buffer, 11, &string), 10);
	assert_string_equal(buffer, "caf\xC3\xA9 \xF0\x9F\x98\x80");
	/* Never inside a character, and nothing after the one that did not fit. */
	assert_int_equal(rtl_to_utf8(buffer, 10, &string), 10);
	assert_string_equal(buffer, "caf\xC3\xA9 ");
	assert_int_equal(rtl_to_utf8(buffer, 5, &string), 10);
	assert_string_equal(buffer, "caf");
	assert_int_equal(rtl_to_utf8(buffer, 1, &string), 10);
	assert_string_equal(buffer, "");
}

static void unpaired_surrogates_become_replacements(void **state)
{
	(void)state;
	static const WCHAR units[] = {0xD83D, 'a', 0xDE00, 0xD83D};
	UNICODE_STRING string = {sizeof(units), sizeof(units), (PWSTR)(uintptr_t)units};
	char buffer[16];
	UNICODE_STRING cut = {2, 2, (PWSTR)(uintptr_t)u"\U0001F600"};
	rtl_to_utf8(buffer, sizeof(buffer), &cut);
	assert_string_equal(buffer, "\xEF\xBF\xBD");
	rtl_to_utf8(buffer, sizeof(buffer), &string);
	assert_string_equal(buffer, "\xEF\xBF\xBD"
				    "a\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void copy_is_separate_and_terminated(void **state)
{
	(void)state;
	WCHAR text[] = u"abcd";
	UNICODE_STRING from = {6, 8, text}, to, none = {0};
	assert_true(rtl_copy_string(&from, &to));
	text[0] = 'X';
	assert_text(&to, "abc");
	assert_int_equal(to.Buffer[3], 0);
	rtl_free_string(&to);
	assert_true(rtl_copy_string(&none, &to));
	assert_null(to.Buffer);
}

static void longest_string_is_copied_whole(void **state)
{
	(void)state;
	WCHAR *text = malloc(65536);
	for (unsigned i = 0; i < 32768; i++)
		text[i] = (WCHAR)(i + 1);
	UNICODE_STRING from = {65534, 65534, text}, to;
	assert_true(rtl_copy_string(&from, &to));
	assert_int_equal(to.Length, 65534);
	assert_int_equal(to.MaximumLength, 65534);
	assert_memory_equal(to.Buffer, text, 65534);
	rtl_free_string(&to);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_character_survives_both_ways),
		cmocka_unit_test(each_ill_formed_piece_becomes_one_replacement),
		cmocka_unit_test(characters_beyond_the_basic_plane_are_pairs),
		cmocka_unit_test(string_counts_no_terminator_but_has_one),
		cmocka_unit_test(counted_text_may_hold_nuls),
		cmocka_unit_test(longest_text_fits_and_one_more_does_not),
		cmocka_unit_test(failure_leaves_the_result_untouched),
		cmocka_unit_test(to_utf8_measures_like_snprintf),
		cmocka_unit_test(unpaired_surrogates_become_replacements),
		cmocka_unit_test(copy_is_separate_and_terminated),
		cmocka_unit_test(longest_string_is_copied_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
