/* SPDX-License-Identifier: MIT */
/* Names of Linux files as NT's, and back. */
#include "rtl/filename.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <string.h>

static const char *to_linux(const WCHAR *units)
{
	static char text[64];
	size_t count = 0;
	while (units[count])
		count++;
	return rtl_component_to_linux(units, count, text, sizeof(text)) ? text : NULL;
}

static const WCHAR *from_linux(const char *name)
{
	static WCHAR units[64];
	size_t count = rtl_component_from_linux(name, units, 63);
	units[count] = 0;
	return units;
}

static void every_linux_name_comes_back(void **state)
{
	static const char *const names[] = {
		"plain",
		"\xc3\xa4\xe2\x82\xac",
		"\xf0\x9f\x98\x80",
		"a:b*c?d\"e<f>g|h\\i",
		"\x01\x1f",
		"\xff\xfe",
		"\xc3",
		"trailing. ",
		"...",
		".hidden",
		"\x7f",
	};
	(void)state;
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *back = to_linux(from_linux(names[i]));
		assert_non_null(back);
		assert_string_equal(back, names[i]);
	}
}

static void forbidden_characters_and_broken_bytes_are_private_ones(void **state)
{
	(void)state;
	assert_memory_equal(from_linux("a:\xff"), u"a\xF03A\xF0FF", 8);
}

static void what_no_linux_file_can_be_called_is_refused(void **state)
{
	(void)state;
	assert_null(to_linux(u""));
	assert_null(to_linux(u"."));
	assert_null(to_linux(u".."));
	assert_null(to_linux(u"a/b"));
	assert_null(to_linux(u"a:b"));
	assert_null(to_linux(u"a\x1f"));
	assert_null(to_linux(u"\xD800"));
	assert_null(to_linux(u"0123456789012345678901234567890123456789012345678901234567890123"));
}

static void private_characters_that_stand_for_nothing_stay(void **state)
{
	(void)state;
	/* A dot, a slash, a letter and NUL have no stand-in. */
	assert_string_equal(to_linux(u"\xF02E\xF02E"), "\xef\x80\xae\xef\x80\xae");
	assert_string_equal(to_linux(u"\xF02F"), "\xef\x80\xaf");
	assert_string_equal(to_linux(u"\xF041"), "\xef\x81\x81");
	assert_string_equal(to_linux(u"\xF000"), "\xef\x80\x80");
}

static void name_that_does_not_fit_is_none(void **state)
{
	WCHAR units[3];
	(void)state;
	assert_int_equal(rtl_component_from_linux("abcd", units, 3), 0);
	assert_int_equal(rtl_component_from_linux("ab\xf0\x9f\x98\x80", units, 3), 0);
	assert_int_equal(rtl_component_from_linux("abc", units, 3), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_linux_name_comes_back),
		cmocka_unit_test(forbidden_characters_and_broken_bytes_are_private_ones),
		cmocka_unit_test(what_no_linux_file_can_be_called_is_refused),
		cmocka_unit_test(private_characters_that_stand_for_nothing_stay),
		cmocka_unit_test(name_that_does_not_fit_is_none),
	};
	return cmocka_run_group_tests_name("rtl: names of files", tests, NULL, NULL);
}
