/* SPDX-License-Identifier: MIT */
/*
 * The format rules of Windows' printf and the return rules of its family.
 *
 * BOTH checks a format with the narrow and the wide functions. Where the rules are those
 * of standard C, random conversions are compared with the host's printf.
 */
#include "rtl/format.h"
#include "rtl/crt.h"
#include "units.h"
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static char narrow[2048];
static WCHAR wide[2048];

static const char *wide_as_bytes(void)
{
	static char bytes[2048];
	unsigned i = 0;
	do {
		assert_true(wide[i] < 0x100);
		bytes[i] = (char)wide[i];
	} while (wide[i++]);
	return bytes;
}

#define NARROW(expected, format, ...)                                                              \
	do {                                                                                       \
		LONG length_ = crt_snprintf(narrow, 2048, format, ##__VA_ARGS__);                  \
		assert_string_equal(narrow, expected);                                             \
		assert_int_equal(length_, sizeof(expected) - 1);                                   \
	} while (0)
#define WIDE(expected, format, ...)                                                                \
	do {                                                                                       \
		LONG length_ = crt_snwprintf(wide, 2048, u"" format, ##__VA_ARGS__);               \
		assert_string_equal(wide_as_bytes(), expected);                                    \
		assert_int_equal(length_, sizeof(expected) - 1);                                   \
	} while (0)
#define BOTH(expected, format, ...)                                                                \
	do {                                                                                       \
		NARROW(expected, format, ##__VA_ARGS__);                                           \
		WIDE(expected, format, ##__VA_ARGS__);                                             \
	} while (0)

static void text_without_conversions_is_copied(void **state)
{
	(void)state;
	BOTH("", "");
	BOTH("plain", "plain");
	BOTH("100% sure", "100%% sure");
}

static void integers_have_32_bits_unless_said_otherwise(void **state)
{
	(void)state;
	BOTH("-1", "%d", 0xFFFFFFFFFFFFFFFFull);
	BOTH("1", "%d", 0xAAAAAAAA00000001ull);
	BOTH("-1", "%i", -1);
	BOTH("4294967295", "%u", -1);
	BOTH("-2147483648", "%ld", (LONG)0x80000000);
	BOTH("4294967295", "%lu", 0xFFFFFFFFFFFFFFFFull);
	BOTH("ffffffff", "%lx", 0xFFFFFFFFFFFFFFFFull);
	BOTH("-2147483648", "%I32d", 0x80000000u);
	BOTH("37777777777", "%o", -1);
}

static void integers_of_64_bits(void **state)
{
	(void)state;
	BOTH("-9223372036854775808", "%I64d", INT64_MIN);
	BOTH("18446744073709551615", "%I64u", UINT64_MAX);
	BOTH("ffffffffffffffff", "%I64x", UINT64_MAX);
	BOTH("FFFFFFFFFFFFFFFF", "%I64X", UINT64_MAX);
	BOTH("-1", "%lld", -1ll);
	BOTH("18446744073709551615", "%llu", UINT64_MAX);
	BOTH("18446744073709551615", "%Iu", UINT64_MAX);
	BOTH("1777777777777777777777", "%Io", UINT64_MAX);
	BOTH("1234567890123", "%zu", (SIZE_T)1234567890123ull);
	BOTH("1234567890123", "%td", (LONGLONG)1234567890123ll);
	BOTH("1234567890123", "%jd", (LONGLONG)1234567890123ll);
}

static void short_integers_are_cut(void **state)
{
	(void)state;
	BOTH("-1", "%hd", 0x1FFFF);
	BOTH("65535", "%hu", 0x1FFFF);
	BOTH("-1", "%hhd", 0x1FF);
	BOTH("ff", "%hhx", 0x1FF);
}

static void flags_and_widths_of_integers(void **state)
{
	(void)state;
	BOTH("   42|42   |00042|+42| 42", "%5d|%-5d|%05d|%+d|% d", 42, 42, 42, 42, 42);
	BOTH("  -42|-42  |-0042", "%5d|%-5d|%05d", -42, -42, -42);
	BOTH("00042   ", "%-8.5d", 42);
	BOTH("   00042", "%08.5d", 42);
	BOTH("42   |42   ", "%-05d|%0-5d", 42, 42);
	BOTH("|+", "%.0d|%+.0d", 0, 0);
	BOTH("0x2a 0X2A 052 0 0", "%#x %#X %#o %#x %#o", 42, 42, 42, 0, 0);
	BOTH("0x0000002a", "%#010x", 42);
	BOTH("0x002a", "%#.4x", 42);
	BOTH("0xC0000022", "0x%08X", STATUS_ACCESS_DENIED);
}

static void star_takes_width_and_precision_from_the_arguments(void **state)
{
	(void)state;
	BOTH("   42", "%*d", 5, 42);
	BOTH("42   ", "%*d", -5, 42);
	BOTH("00042", "%.*d", 5, 42);
	BOTH("42", "%.*d", -5, 42);
	BOTH("  042", "%*.*d", 5, 3, 42);
}

static void pointer_is_16_upper_case_digits(void **state)
{
	(void)state;
	BOTH("FFFFF80123456789", "%p", (void *)0xFFFFF80123456789ull);
	BOTH("0000000000000000", "%p", NULL);
	BOTH("    000000000000002A", "%20p", (void *)42);
	BOTH("0X000000000000002A", "%#p", (void *)42);
}

static void s_is_of_the_own_width_and_capital_s_of_the_other(void **state)
{
	(void)state;
	NARROW("one two", "%s %S", "one", u"two");
	WIDE("one two", "%s %S", u"one", "two");
	BOTH("one one", "%hs %hS", "one", "one");
	BOTH("two two two two", "%ls %ws %lS %wS", u"two", u"two", u"two", u"two");
}

static void precision_limits_strings_which_need_no_terminator_then(void **state)
{
	(void)state;
	static const char unterminated[3] = {'a', 'b', 'c'};
	static const WCHAR wide_unterminated[3] = {'x', 'y', 'z'};
	BOTH("abc|ab|", "%.3hs|%.2hs|%.0hs", unterminated, unterminated, unterminated);
	BOTH("xyz|xy", "%.3ws|%.*ws", wide_unterminated, 2, wide_unterminated);
	BOTH("  ab|ab  ", "%4.2hs|%-4.2hs", unterminated, unterminated);
	BOTH("000ab", "%05.2hs", unterminated);
	BOTH("abcdef", "%.*hs", -1, "abcdef");
}

static void nothing_behind_the_precision_is_read(void **state)
{
	(void)state;
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(pages, MAP_FAILED);
	assert_int_equal(mprotect(pages + 4096, 4096, PROT_NONE), 0);
	memcpy(pages + 4092, "abcd", 4);
	BOTH("abcd", "%.4hs", pages + 4092);
	ANSI_STRING string = {4, 4, pages + 4092};
	BOTH("abcd", "%Z", &string);
	munmap(pages, 8192);
}

static void null_text_is_said_to_be_null(void **state)
{
	(void)state;
	UNICODE_STRING empty = {0};
	BOTH("(null) (null) (nu", "%s %S %.3s", NULL, NULL, NULL);
	BOTH("(null) (null)", "%wZ %Z", NULL, NULL);
	BOTH("(null)", "%wZ", &empty);
}

static void counted_strings_print_their_length(void **state)
{
	(void)state;
	UNICODE_STRING unicode = {6, 20, (PWSTR)(uintptr_t)u"abcdef"}, none = STR("");
	ANSI_STRING ansi = {2, 20, (PCHAR)(uintptr_t) "xyz"};
	BOTH("abc abc xy xy", "%wZ %lZ %Z %hZ", &unicode, &unicode, &ansi, &ansi);
	BOTH("[  abc] [abc  ] [ab]", "[%5wZ] [%-5wZ] [%.2wZ]", &unicode, &unicode, &unicode);
	BOTH("[]", "[%wZ]", &none);
}

static void characters_of_both_widths(void **state)
{
	(void)state;
	BOTH("ab", "%c%C", 'a', 'b');
	BOTH("abcd", "%hc%lc%wc%C", 'a', 'b', 'c', 'd');
	BOTH("  a|a  ", "%3c|%-3c", 'a', 'a');
	assert_int_equal(crt_snprintf(narrow, 100, "a%cb", 0), 3);
	assert_memory_equal(narrow, "a\0b", 4);
}

static void text_of_the_other_width_goes_through_the_code_page(void **state)
{
	(void)state;
	NARROW("caf\xE9 \x80 ?", "%S", u"caf\u00E9 \u20AC \u4E2D");
	assert_int_equal(crt_snwprintf(wide, 100, u"%S%C", "\xE9\x80", 0x99), 3);
	assert_memory_equal(wide, u"\u00E9\u20AC\u2122", 8);
	/* Own text is not converted. */
	NARROW("\xC3\xA9", "%s", "\xC3\xA9");
	assert_int_equal(crt_snwprintf(wide, 100, u"%s", u"\u4E2D"), 1);
	assert_int_equal(wide[0], 0x4E2D);
}

static void n_stores_nothing(void **state)
{
	(void)state;
	LONG n = 77;
	BOTH("abc5", "abc%n%d", &n, 5);
	assert_int_equal(n, 77);
}

static void unknown_conversion_prints_its_letter(void **state)
{
	(void)state;
	BOTH("y5", "%y%d", 5);
	BOTH("abc", "abc%");
	BOTH("abc", "abc%-5");
}

/* Whether the host has a locale with a decimal comma is its business; without one this
 * shows only the rest. */
static void floats_do_not_follow_the_locale(void **state)
{
	(void)state;
	setlocale(LC_NUMERIC, "de_DE.UTF-8");
	BOTH("3.14|  3.1|003.1|+3.140000", "%.2f|%5.1f|%05.1f|%+f", 3.14, 3.14, 3.14, 3.14);
	BOTH("-1.5e+10|1.5E-10|0.5", "%.1e|%.1E|%g", -1.5e10, 1.5e-10, 0.5);
	BOTH("1 2.5 3", "%d %.1f %d", 1, 2.5, 3);
	setlocale(LC_NUMERIC, "C");
}

static void arguments_behind_the_registers_are_found(void **state)
{
	(void)state;
	BOTH("1 2 3 4 5 6 7 8 9 10", "%d %d %d %I64d %d %d %hd %d %I64u %d", 1, 2, 3, 4ull, 5, 6, 7,
	     8, 9ull, 10);
}

static void enormous_width_is_bounded(void **state)
{
	(void)state;
	assert_int_equal(crt_snprintf(narrow, 4, "%99999999999d", 1), -1);
	assert_memory_equal(narrow, "    ", 4);
	assert_int_equal(crt_snprintf(NULL, 0, "%*d", 2000000000, 1), 65535);
	assert_int_equal(crt_snprintf(NULL, 0, "%*d", -2000000000, 1), 65535);
	assert_int_equal(crt_vsnprintf(NULL, 0, "x", (__builtin_ms_va_list){0}), 1);
}

/* ---- Against the host's printf ------------------------------------------------------------------ */

static uint64_t random_state = 42;

static unsigned pick(unsigned below)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(random_state >> 33) % below;
}

/* A conversion of standard C: flags, width, precision. The letter is added later. */
static size_t random_spec(char *out, const char *flags)
{
	size_t at = 0;
	out[at++] = '%';
	for (unsigned i = pick(4); i; i--)
		out[at++] = flags[pick((unsigned)strlen(flags))];
	if (pick(2))
		at += (size_t)sprintf(out + at, "%u", 1 + pick(30));
	if (pick(2))
		at += (size_t)sprintf(out + at, ".%u", pick(25));
	return at;
}

static int64_t random_value(void)
{
	int64_t value = (int64_t)((uint64_t)pick(~0u) << 32 | pick(~0u));
	return value >> pick(64);
}

/* Flags that a conversion does not define are left out. */
static void integers_agree_with_standard_c(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 50000; i++) {
		char ours[32], theirs[32], expected[128];
		char letter = "diuoxX"[pick(6)];
		bool is_signed = letter == 'd' || letter == 'i', is_64 = pick(2);
		size_t at = random_spec(ours, is_signed ? "-+ 0" : letter == 'u' ? "-0" : "-#0");
		memcpy(theirs, ours, at);
		snprintf(ours + at, sizeof(ours) - at, "%s%c", is_64 ? "I64" : "", letter);
		snprintf(theirs + at, sizeof(theirs) - at, "%s%c", is_64 ? "ll" : "", letter);
		int64_t value = random_value();
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		if (is_64)
			snprintf(expected, sizeof(expected), theirs, (long long)value);
		else
			snprintf(expected, sizeof(expected), theirs, (int)value);
#pragma GCC diagnostic pop
		LONG length = crt_snprintf(narrow, sizeof(narrow), ours, value);
		if (strcmp(narrow, expected) != 0 || length != (LONG)strlen(expected))
			fail_msg("%s of %lld: \"%s\" instead of \"%s\"", ours, (long long)value,
				 narrow, expected);
	}
}

static void strings_agree_with_standard_c(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		char format[32], expected[128];
		size_t at = random_spec(format, "-");
		memcpy(format + at, "s", 2);
		const char *text = &"abcdefghijklmnopqrstuvwxyz"[pick(27)];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(expected, sizeof(expected), format, text);
#pragma GCC diagnostic pop
		crt_snprintf(narrow, sizeof(narrow), format, text);
		assert_string_equal(narrow, expected);
	}
}

static void floats_agree_with_standard_c(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		char format[32], expected[512];
		size_t at = random_spec(format, "-+ #0");
		format[at] = "eEfgGaA"[pick(7)];
		format[at + 1] = '\0';
		double value = (double)random_value() * (pick(2) ? 1e-9 : 1.0);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(expected, sizeof(expected), format, value);
#pragma GCC diagnostic pop
		/* Padding a hexadecimal float with zeros goes behind its 0x in C. */
		if (strchr("aA", format[at]) && strchr(format, '0'))
			continue;
		crt_snprintf(narrow, sizeof(narrow), format, value);
		assert_string_equal(narrow, expected);
	}
}

/* ---- The family ------------------------------------------------------------------------------------ */

static void fill(void)
{
	memset(narrow, '#', 16);
	for (unsigned i = 0; i < 16; i++)
		wide[i] = '#';
}

static void count_functions_leave_out_the_terminator_that_does_not_fit(void **state)
{
	(void)state;
	fill();
	assert_int_equal(crt_snprintf(narrow, 6, "%s", "hello"), 5);
	assert_memory_equal(narrow, "hello\0#", 7);
	fill();
	assert_int_equal(crt_snprintf(narrow, 5, "%s", "hello"), 5);
	assert_memory_equal(narrow, "hello#", 6);
	fill();
	assert_int_equal(crt_snprintf(narrow, 4, "%s", "hello"), -1);
	assert_memory_equal(narrow, "hell#", 5);
	assert_int_equal(crt_snprintf(NULL, 0, "%s", "hello"), 5);
	assert_int_equal(crt_snprintf(NULL, 5, "%s", "hello"), -1);
	assert_int_equal(crt_snwprintf(NULL, 0, u"%s", u"hello"), 5);
	assert_int_equal(crt_snwprintf(NULL, 5, u"%s", u"hello"), -1);
	fill();
	assert_int_equal(crt_snwprintf(wide, 5, u"%s", u"hello"), 5);
	assert_memory_equal(wide, u"hello#", 12);
	fill();
	assert_int_equal(crt_snwprintf(wide, 4, u"%s", u"hello"), -1);
	assert_memory_equal(wide, u"hell#", 10);
}

static void safe_functions_empty_the_buffer_or_cut_on_demand(void **state)
{
	(void)state;
	assert_int_equal(crt_sprintf_s(narrow, 6, "%s", "hello"), 5);
	assert_string_equal(narrow, "hello");
	assert_int_equal(crt_sprintf_s(narrow, 5, "%s", "hello"), -1);
	assert_string_equal(narrow, "");
	assert_int_equal(crt_swprintf_s(wide, 5, u"%s", u"hello"), -1);
	assert_int_equal(wide[0], 0);
	assert_int_equal(crt_snprintf_s(narrow, 5, CRT_TRUNCATE, "%s", "hello"), -1);
	assert_string_equal(narrow, "hell");
	assert_int_equal(crt_snprintf_s(narrow, 16, 3, "%s", "hello"), -1);
	assert_string_equal(narrow, "hel");
	assert_int_equal(crt_snprintf_s(narrow, 16, 5, "%s", "hello"), 5);
	assert_string_equal(narrow, "hello");
	assert_int_equal(crt_snprintf_s(narrow, 4, 9, "%s", "hello"), -1);
	assert_string_equal(narrow, "");
	assert_int_equal(crt_snwprintf_s(wide, 5, CRT_TRUNCATE, u"%s", u"hello"), -1);
	assert_memory_equal(wide, u"hell", 10);
	assert_int_equal(crt_snprintf_s(NULL, 0, 0, "x"), -1);
}

static void plain_functions_have_no_bound(void **state)
{
	(void)state;
	assert_int_equal(crt_sprintf(narrow, "%d-%s", 7, "x"), 3);
	assert_string_equal(narrow, "7-x");
	assert_int_equal(crt_swprintf(wide, u"%d-%s", 7, u"x"), 3);
	assert_memory_equal(wide, u"7-x", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_without_conversions_is_copied),
		cmocka_unit_test(integers_have_32_bits_unless_said_otherwise),
		cmocka_unit_test(integers_of_64_bits),
		cmocka_unit_test(short_integers_are_cut),
		cmocka_unit_test(flags_and_widths_of_integers),
		cmocka_unit_test(star_takes_width_and_precision_from_the_arguments),
		cmocka_unit_test(pointer_is_16_upper_case_digits),
		cmocka_unit_test(s_is_of_the_own_width_and_capital_s_of_the_other),
		cmocka_unit_test(nothing_behind_the_precision_is_read),
		cmocka_unit_test(precision_limits_strings_which_need_no_terminator_then),
		cmocka_unit_test(null_text_is_said_to_be_null),
		cmocka_unit_test(counted_strings_print_their_length),
		cmocka_unit_test(characters_of_both_widths),
		cmocka_unit_test(text_of_the_other_width_goes_through_the_code_page),
		cmocka_unit_test(n_stores_nothing),
		cmocka_unit_test(unknown_conversion_prints_its_letter),
		cmocka_unit_test(floats_do_not_follow_the_locale),
		cmocka_unit_test(arguments_behind_the_registers_are_found),
		cmocka_unit_test(enormous_width_is_bounded),
		cmocka_unit_test(integers_agree_with_standard_c),
		cmocka_unit_test(strings_agree_with_standard_c),
		cmocka_unit_test(floats_agree_with_standard_c),
		cmocka_unit_test(count_functions_leave_out_the_terminator_that_does_not_fit),
		cmocka_unit_test(safe_functions_empty_the_buffer_or_cut_on_demand),
		cmocka_unit_test(plain_functions_have_no_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
