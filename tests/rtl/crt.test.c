/* SPDX-License-Identifier: MIT */
/* The C runtime's strings, numbers, memory and sorting, where they are not the host's. */
#include "rtl/crt.h"
#include "units.h"
#include <stdbool.h>
#include <stdlib.h>

/* ---- Memory ---------------------------------------------------------------------------- */

static void memory_functions_do_as_their_names_say(void **state)
{
	(void)state;
	char buffer[16] = "0123456789";
	assert_ptr_equal(crt_memcpy(buffer + 2, buffer, 8), buffer + 2);
	assert_string_equal(buffer, "0101234567");
	assert_ptr_equal(crt_memmove(buffer, buffer + 2, 8), buffer);
	assert_string_equal(buffer, "0123456767");
	assert_ptr_equal(crt_memset(buffer, 0x141, 3), buffer);
	assert_string_equal(buffer, "AAA3456767");
	assert_true(crt_memcmp("ab\xFF", "ab\x01", 3) > 0);
	assert_int_equal(crt_memcmp("abX", "abY", 2), 0);
	assert_ptr_equal(crt_memchr(buffer, '3', 10), buffer + 3);
	assert_null(crt_memchr(buffer, '3', 3));
}

static void rtl_memory_routines_take_their_arguments_in_their_order(void **state)
{
	(void)state;
	char buffer[8] = "abcdefg";
	RtlFillMemory(buffer, 2, 'x');
	assert_string_equal(buffer, "xxcdefg");
	RtlMoveMemory(buffer, buffer + 2, 5);
	assert_string_equal(buffer, "cdefgfg");
	RtlCopyMemory(buffer, "AB", 2);
	assert_string_equal(buffer, "ABefgfg");
	RtlZeroMemory(buffer + 1, 7);
	assert_string_equal(buffer, "A");
}

static void compare_memory_counts_what_matches(void **state)
{
	(void)state;
	assert_int_equal(RtlCompareMemory("abcd", "abXd", 4), 2);
	assert_int_equal(RtlCompareMemory("abcd", "abcd", 4), 4);
	assert_int_equal(RtlCompareMemory("abcd", "Xbcd", 4), 0);
	assert_int_equal(RtlCompareMemory("abcd", "Xbcd", 0), 0);
}

static void memmove_s_clears_what_it_cannot_fill(void **state)
{
	(void)state;
	char buffer[8] = "abcdefg";
	assert_int_equal(crt_memmove_s(buffer, 8, "xy", 2), 0);
	assert_string_equal(buffer, "xycdefg");
	assert_int_equal(crt_memmove_s(buffer, 3, "12345", 5), CRT_ERANGE);
	assert_memory_equal(buffer, "\0\0\0defg", 8);
	assert_int_equal(crt_memmove_s(buffer + 3, 4, NULL, 2), CRT_EINVAL);
	assert_memory_equal(buffer, "\0\0\0\0\0\0\0", 8);
	assert_int_equal(crt_memmove_s(NULL, 0, "x", 1), CRT_EINVAL);
	assert_int_equal(crt_memmove_s(NULL, 0, NULL, 0), 0);
}

/* ---- Strings of either width -------------------------------------------------------------- */

static void lengths(void **state)
{
	(void)state;
	assert_int_equal(crt_strlen("abc"), 3);
	assert_int_equal(crt_wcslen(u"abc"), 3);
	assert_int_equal(crt_strnlen("abc", 2), 2);
	assert_int_equal(crt_wcsnlen(u"abc", 9), 3);
}

static void comparisons(void **state)
{
	(void)state;
	assert_int_equal(crt_strcmp("abc", "abc"), 0);
	assert_true(crt_strcmp("ab\xE9", "abz") > 0);
	assert_true(crt_wcscmp(u"ab", u"abc") < 0);
	assert_true(crt_wcscmp(u"\uFFFF", u"a") > 0);
	assert_int_equal(crt_strncmp("abX", "abY", 2), 0);
	assert_int_equal(crt_wcsncmp(u"ab\0X", u"ab\0Y", 9), 0);
	assert_int_equal(crt_stricmp("HeLLo", "hEllO"), 0);
	assert_int_equal(crt_wcsicmp(u"HeLLo", u"hEllO"), 0);
	assert_true(crt_stricmp("a_", "AB") < 0); /* they compare in lower case: _ is 5F, b 62 */
	assert_true(crt_wcsicmp(u"\u00E9", u"\u00C9") != 0);
	assert_int_equal(crt_strnicmp("ABx", "aby", 2), 0);
	assert_int_equal(crt_wcsnicmp(u"ABx", u"aby", 2), 0);
	assert_true(crt_wcsnicmp(u"ABx", u"aby", 3) < 0);
}

static void copies_and_concatenations(void **state)
{
	(void)state;
	char text[16];
	WCHAR wide[16];
	assert_ptr_equal(crt_strcpy(text, "ab"), text);
	assert_ptr_equal(crt_strcat(text, "cd"), text);
	crt_strncat(text, "efgh", 2);
	assert_string_equal(text, "abcdef");
	memset(text, '#', 6);
	crt_strncpy(text, "xy", 4);
	assert_memory_equal(text, "xy\0\0##", 6);
	crt_strncpy(text, "12345", 3);
	assert_memory_equal(text, "123\0##", 6);
	crt_wcscpy(wide, u"ab");
	crt_wcscat(wide, u"cd");
	crt_wcsncat(wide, u"efgh", 2);
	assert_memory_equal(wide, u"abcdef", 14);
	crt_wcsncpy(wide, u"xy", 4);
	assert_memory_equal(wide, u"xy\0\0ef", 14);
}

static void searches(void **state)
{
	(void)state;
	const char *text = "abcabc";
	const WCHAR *wide = u"abcabc";
	assert_ptr_equal(crt_strchr(text, 'b'), text + 1);
	assert_ptr_equal(crt_strrchr(text, 'b'), text + 4);
	assert_ptr_equal(crt_strchr(text, 0), text + 6);
	assert_ptr_equal(crt_strrchr(text, 0), text + 6);
	assert_null(crt_strchr(text, 'x'));
	assert_null(crt_strrchr(text, 'x'));
	assert_ptr_equal(crt_wcschr(wide, 'c'), wide + 2);
	assert_ptr_equal(crt_wcsrchr(wide, 'c'), wide + 5);
	assert_ptr_equal(crt_strstr(text, "cab"), text + 2);
	assert_ptr_equal(crt_strstr(text, ""), text);
	assert_null(crt_strstr(text, "cba"));
	assert_null(crt_strstr(text, "abcabcd"));
	assert_ptr_equal(crt_wcsstr(wide, u"bca"), wide + 1);
	assert_int_equal(crt_strspn(text, "ab"), 2);
	assert_int_equal(crt_wcscspn(wide, u"c"), 2);
	assert_int_equal(crt_wcscspn(wide, u"x"), 6);
}

static void case_and_reversal_in_place_touch_ascii_alone(void **state)
{
	(void)state;
	char text[] = "aBz[\xE9";
	WCHAR wide[] = u"aBz\u00E9";
	assert_string_equal(crt_strupr(text), "ABZ[\xE9");
	assert_string_equal(crt_strlwr(text), "abz[\xE9");
	assert_string_equal(crt_strrev(text), "\xE9[zba");
	assert_memory_equal(crt_wcsupr(wide), u"ABZ\u00E9", 10);
	assert_memory_equal(crt_wcslwr(wide), u"abz\u00E9", 10);
	assert_memory_equal(crt_wcsrev(wide), u"\u00E9zba", 10);
}

static void safe_copies_empty_the_destination_on_error(void **state)
{
	(void)state;
	WCHAR to[5] = u"####";
	assert_int_equal(crt_wcscpy_s(to, 5, u"abcd"), 0);
	assert_memory_equal(to, u"abcd", 10);
	assert_int_equal(crt_wcscpy_s(to, 4, u"abcd"), CRT_ERANGE);
	assert_int_equal(to[0], 0);
	assert_int_equal(crt_wcscpy_s(to, 5, NULL), CRT_EINVAL);
	assert_int_equal(crt_wcscpy_s(NULL, 5, u"a"), CRT_EINVAL);
	assert_int_equal(crt_wcscpy_s(to, 0, u"a"), CRT_EINVAL);
	assert_int_equal(crt_wcsncpy_s(to, 5, u"abcdefg", 3), 0);
	assert_memory_equal(to, u"abc", 8);
	assert_int_equal(crt_wcsncpy_s(to, 5, u"abcdefg", 5), CRT_ERANGE);
	assert_int_equal(to[0], 0);
	assert_int_equal(crt_wcsncpy_s(to, 5, u"abcdefg", CRT_TRUNCATE), CRT_STRUNCATE);
	assert_memory_equal(to, u"abcd", 10);
	assert_int_equal(crt_wcsncpy_s(to, 5, u"x", 0), 0);
	assert_int_equal(to[0], 0);
	assert_int_equal(crt_wcsncpy_s(NULL, 0, u"x", 0), 0);
}

static void safe_concatenations_empty_the_destination_on_error(void **state)
{
	(void)state;
	char to[6] = "ab";
	assert_int_equal(crt_strcat_s(to, 6, "cde"), 0);
	assert_string_equal(to, "abcde");
	assert_int_equal(crt_strcat_s(to, 6, "f"), CRT_ERANGE);
	assert_string_equal(to, "");
	crt_strcpy(to, "abc");
	assert_int_equal(crt_strncat_s(to, 6, "defgh", CRT_TRUNCATE), CRT_STRUNCATE);
	assert_string_equal(to, "abcde");
	crt_strcpy(to, "abc");
	assert_int_equal(crt_strncat_s(to, 6, "defgh", 2), 0);
	assert_string_equal(to, "abcde");
	memset(to, '#', 6);
	assert_int_equal(crt_strcat_s(to, 6, "x"), CRT_EINVAL); /* not terminated */
	assert_int_equal(to[0], 0);
	assert_int_equal(crt_strcat_s(to, 6, NULL), CRT_EINVAL);
	assert_int_equal(crt_strncat_s(NULL, 0, "x", 1), CRT_EINVAL);
}

static void tokens(void **state)
{
	(void)state;
	char text[] = ";;a,bc;,d,", *context = NULL;
	assert_string_equal(crt_strtok_s(text, ";,", &context), "a");
	assert_string_equal(crt_strtok_s(NULL, ";,", &context), "bc");
	assert_string_equal(crt_strtok_s(NULL, ";,", &context), "d");
	assert_null(crt_strtok_s(NULL, ";,", &context));
	assert_null(crt_strtok_s(NULL, ";,", &context));
}

static void widths_convert_by_the_code_page(void **state)
{
	(void)state;
	char narrow[8] = "#######";
	WCHAR wide[8] = u"#######";
	assert_int_equal(crt_wcstombs(narrow, u"a\u20AC", 8), 2);
	assert_string_equal(narrow, "a\x80");
	assert_int_equal(crt_wcstombs(NULL, u"abc", 0), 3);
	assert_int_equal(crt_wcstombs(narrow, u"xyz", 2), 2);
	assert_memory_equal(narrow, "xy\0#", 4);
	assert_true(crt_wcstombs(narrow, u"\u4E2D", 8) == (SIZE_T)-1);
	assert_int_equal(crt_mbstowcs(wide, "a\x80", 8), 2);
	assert_memory_equal(wide, u"a\u20AC", 6);
	assert_int_equal(crt_mbstowcs(NULL, "abc", 0), 3);
}

static void characters_are_classified_in_ascii(void **state)
{
	(void)state;
	for (LONG c = -1; c < 256; c++) {
		bool digit = c >= '0' && c <= '9', lower = c >= 'a' && c <= 'z';
		bool upper = c >= 'A' && c <= 'Z';
		assert_int_equal(!!crt_isdigit(c), digit);
		assert_int_equal(!!crt_islower(c), lower);
		assert_int_equal(!!crt_isupper(c), upper);
		assert_int_equal(!!crt_isxdigit(c),
				 digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'));
		assert_int_equal(!!crt_isprint(c), c >= 32 && c < 127);
		assert_int_equal(!!crt_isspace(c), c == 32 || (c >= 9 && c <= 13));
		assert_int_equal(crt_toupper(c), lower ? c - 32 : c);
		assert_int_equal(crt_tolower(c), upper ? c + 32 : c);
	}
	assert_int_equal(crt_towupper(0xE9), 0xE9);
	assert_int_equal(crt_towlower('A'), 'a');
}

/* ---- Numbers ---------------------------------------------------------------------------------- */

static void decimal_numbers_are_read_up_to_the_first_other_character(void **state)
{
	(void)state;
	assert_int_equal(crt_atoi(" \t-42x"), -42);
	assert_int_equal(crt_atoi("+7"), 7);
	assert_int_equal(crt_atoi("x"), 0);
	assert_int_equal(crt_atoi("2147483647"), 2147483647);
	assert_int_equal(crt_atoi("2147483648"), 2147483647);
	assert_int_equal(crt_atoi("-2147483648"), INT32_MIN);
	assert_int_equal(crt_atoi("-99999999999"), INT32_MIN);
	assert_int_equal(crt_wtoi(u"-12"), -12);
}

static void numbers_of_any_base_tell_where_they_end(void **state)
{
	(void)state;
	const WCHAR *text = u" 0x1Fg";
	const char *narrow = "777888";
	WCHAR *end;
	char *narrow_end;
	assert_int_equal(crt_wcstoul(text, &end, 0), 31);
	assert_ptr_equal(end, text + 5);
	assert_int_equal(crt_wcstoul(text, &end, 10), 0);
	assert_ptr_equal(end, text + 2);
	assert_int_equal(crt_wcstoul(u"010", NULL, 0), 8);
	assert_int_equal(crt_wcstoul(u"zz", NULL, 36), 35 * 36 + 35);
	assert_int_equal(crt_wcstoul(u"-1", NULL, 10), 0xFFFFFFFF);
	assert_int_equal(crt_wcstoul(u"4294967296", NULL, 10), 0xFFFFFFFF);
	assert_int_equal(crt_wcstoul(u"0xg", &end, 16), 0);
	assert_int_equal(*end, 'x');
	text = u"  none";
	assert_int_equal(crt_wcstoul(text, &end, 10), 0);
	assert_ptr_equal(end, text);
	assert_int_equal(crt_strtoui64(narrow, &narrow_end, 8), 0777);
	assert_ptr_equal(narrow_end, narrow + 3);
	assert_true(crt_strtoui64("18446744073709551615", NULL, 10) == ~0ull);
	assert_true(crt_strtoui64("18446744073709551616", NULL, 10) == ~0ull);
	assert_true(crt_strtoui64("0xFFFFFFFFFFFFFFFF", NULL, 16) == ~0ull);
}

static void numbers_print_in_any_radix(void **state)
{
	(void)state;
	char text[70];
	WCHAR wide[70];
	assert_string_equal(crt_itoa(-255, text, 10), "-255");
	assert_string_equal(crt_itoa(-1, text, 16), "ffffffff");
	assert_string_equal(crt_itoa(35, text, 36), "z");
	assert_memory_equal(crt_itow(0, wide, 2), u"0", 4);
	assert_int_equal(crt_ultow_s(~0u, wide, 70, 10), 0);
	assert_memory_equal(wide, u"4294967295", 22);
	assert_int_equal(crt_i64toa_s(INT64_MIN, text, 70, 10), 0);
	assert_string_equal(text, "-9223372036854775808");
	assert_int_equal(crt_i64toa_s(-1, text, 70, 2), 0);
	assert_int_equal(strlen(text), 64);
	assert_int_equal(crt_ui64tow_s(~0ull, wide, 70, 16), 0);
	assert_memory_equal(wide, u"ffffffffffffffff", 34);
}

static void safe_numbers_need_room_for_the_terminator(void **state)
{
	(void)state;
	char text[8] = "#######";
	assert_int_equal(crt_itoa_s(123, text, 3, 10), CRT_ERANGE);
	assert_memory_equal(text, "\0######", 7);
	assert_int_equal(crt_itoa_s(123, text, 4, 10), 0);
	assert_string_equal(text, "123");
	assert_int_equal(crt_itoa_s(1, text, 4, 1), CRT_EINVAL);
	assert_int_equal(crt_itoa_s(1, text, 4, 37), CRT_EINVAL);
	assert_int_equal(text[0], 0);
	assert_int_equal(crt_itoa_s(1, NULL, 4, 10), CRT_EINVAL);
	assert_int_equal(crt_ultoa_s(1, text, 0, 10), CRT_EINVAL);
}

/* The first numbers that Microsoft's rand gives for the seed 1 are well known. */
static void rand_gives_microsofts_sequence(void **state)
{
	(void)state;
	static const LONG expected[] = {41, 18467, 6334, 26500, 19169, 15724, 11478, 29358};
	crt_srand(1);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(crt_rand(), expected[i]);
}

/* ---- Sorting -------------------------------------------------------------------------------------- */

struct item {
	LONG key;
	char filler[5];
};

static LONG NTAPI by_key(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	return (x->key > y->key) - (x->key < y->key);
}

static LONG NTAPI by_key_times(void *factor, const void *a, const void *b)
{
	return *(LONG *)factor * by_key(a, b);
}

static void sorting_orders_every_length(void **state)
{
	(void)state;
	struct item items[200];
	LONG down = -1;
	for (unsigned count = 0; count < 200; count++) {
		long long sum = 0;
		for (unsigned i = 0; i < count; i++) {
			items[i] = (struct item){.key = (LONG)(i * 7919 % 101) - 50};
			memset(items[i].filler, items[i].key, sizeof(items[i].filler));
			sum += items[i].key;
		}
		crt_qsort(items, count, sizeof(struct item), by_key);
		for (unsigned i = 0; i < count; i++) {
			assert_true(i == 0 || items[i - 1].key <= items[i].key);
			assert_int_equal(items[i].filler[4], (char)items[i].key);
			sum -= items[i].key;
		}
		assert_int_equal(sum, 0);
		crt_qsort_s(items, count, sizeof(struct item), by_key_times, &down);
		for (unsigned i = 1; i < count; i++)
			assert_true(items[i - 1].key >= items[i].key);
	}
}

static void searching_finds_each_and_nothing_else(void **state)
{
	(void)state;
	struct item items[50], key = {0};
	LONG up = 1;
	for (unsigned count = 0; count < 50; count++) {
		for (LONG i = 0; i < (LONG)count; i++)
			items[i] = (struct item){.key = 2 * i};
		for (LONG i = -1; i < (LONG)(2 * count + 1); i++) {
			bool there = i % 2 == 0 && i >= 0 && i < (LONG)(2 * count);
			key.key = i;
			void *expected = there ? &items[i / 2] : NULL;
			assert_ptr_equal(crt_bsearch(&key, items, count, sizeof(key), by_key),
					 expected);
			assert_ptr_equal(
				crt_bsearch_s(&key, items, count, sizeof(key), by_key_times, &up),
				expected);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_functions_do_as_their_names_say),
		cmocka_unit_test(rtl_memory_routines_take_their_arguments_in_their_order),
		cmocka_unit_test(compare_memory_counts_what_matches),
		cmocka_unit_test(memmove_s_clears_what_it_cannot_fill),
		cmocka_unit_test(lengths),
		cmocka_unit_test(comparisons),
		cmocka_unit_test(copies_and_concatenations),
		cmocka_unit_test(searches),
		cmocka_unit_test(case_and_reversal_in_place_touch_ascii_alone),
		cmocka_unit_test(safe_copies_empty_the_destination_on_error),
		cmocka_unit_test(safe_concatenations_empty_the_destination_on_error),
		cmocka_unit_test(tokens),
		cmocka_unit_test(widths_convert_by_the_code_page),
		cmocka_unit_test(characters_are_classified_in_ascii),
		cmocka_unit_test(decimal_numbers_are_read_up_to_the_first_other_character),
		cmocka_unit_test(numbers_of_any_base_tell_where_they_end),
		cmocka_unit_test(numbers_print_in_any_radix),
		cmocka_unit_test(safe_numbers_need_room_for_the_terminator),
		cmocka_unit_test(rand_gives_microsofts_sequence),
		cmocka_unit_test(sorting_orders_every_length),
		cmocka_unit_test(searching_finds_each_and_nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
