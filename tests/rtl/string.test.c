/* SPDX-License-Identifier: MIT */
/* Counted strings in place: the WDK pages of these routines. */
#include "rtl/string.h"
#include "units.h"
#include <stdlib.h>

static UNICODE_STRING a = STR("Alpha"), lower_a = STR("alpha"), prefix = STR("alp");
static UNICODE_STRING b = STR("Beta"), empty;

static void init_counts_the_terminator_only_in_maximum_length(void **state)
{
	(void)state;
	static const WCHAR text[] = u"abc";
	UNICODE_STRING string;
	ANSI_STRING ansi;
	RtlInitUnicodeString(&string, text);
	assert_int_equal(string.Length, 6);
	assert_int_equal(string.MaximumLength, 8);
	assert_ptr_equal(string.Buffer, text);
	RtlInitAnsiString(&ansi, "abc");
	assert_int_equal(ansi.Length, 3);
	assert_int_equal(ansi.MaximumLength, 4);
	RtlInitString(&ansi, "");
	assert_int_equal(ansi.Length, 0);
	assert_int_equal(ansi.MaximumLength, 1);
}

static void init_of_null_is_empty(void **state)
{
	(void)state;
	UNICODE_STRING string = {1, 2, (PWSTR)(uintptr_t)u"x"};
	ANSI_STRING ansi = {1, 2, (PCHAR)(uintptr_t) "x"};
	RtlInitUnicodeString(&string, NULL);
	assert_int_equal(string.Length | string.MaximumLength, 0);
	assert_null(string.Buffer);
	RtlInitAnsiString(&ansi, NULL);
	assert_int_equal(ansi.Length | ansi.MaximumLength, 0);
	assert_null(ansi.Buffer);
}

static void init_of_too_long_text_is_cut_and_ex_refuses(void **state)
{
	(void)state;
	WCHAR *text = calloc(40000, sizeof(WCHAR));
	UNICODE_STRING string = {1, 2, NULL};
	for (unsigned i = 0; i < 32767; i++)
		text[i] = 'x';
	assert_status(RtlInitUnicodeStringEx(&string, text), STATUS_NAME_TOO_LONG);
	assert_int_equal(string.Length, 1);
	RtlInitUnicodeString(&string, text);
	assert_int_equal(string.Length, 0xFFFC);
	assert_int_equal(string.MaximumLength, 0xFFFE);
	text[32766] = 0;
	assert_status(RtlInitUnicodeStringEx(&string, text), STATUS_SUCCESS);
	assert_int_equal(string.Length, 0xFFFC);
	free(text);
}

static void ansi_init_ex_refuses_too_long_text(void **state)
{
	(void)state;
	char *text = calloc(1, 70000);
	ANSI_STRING string;
	memset(text, 'x', 0xFFFF);
	assert_status(RtlInitAnsiStringEx(&string, text), STATUS_NAME_TOO_LONG);
	text[0xFFFE] = '\0';
	assert_status(RtlInitAnsiStringEx(&string, text), STATUS_SUCCESS);
	assert_int_equal(string.Length, 0xFFFE);
	assert_int_equal(string.MaximumLength, 0xFFFF);
	free(text);
}

static void copy_takes_what_fits_and_terminates_if_it_can(void **state)
{
	(void)state;
	WCHAR buffer[8] = u"#######";
	UNICODE_STRING to = {4, 10, buffer};
	RtlCopyUnicodeString(&to, &a);
	assert_text(&to, "Alpha");
	assert_int_equal(buffer[5], '#');
	to.MaximumLength = 12;
	RtlCopyUnicodeString(&to, &a);
	assert_int_equal(buffer[5], 0);
	to.MaximumLength = 4;
	RtlCopyUnicodeString(&to, &b);
	assert_text(&to, "Be");
	assert_int_equal(buffer[2], 'p');
	RtlCopyUnicodeString(&to, NULL);
	assert_int_equal(to.Length, 0);
	assert_int_equal(to.MaximumLength, 4);
}

static void append_is_all_or_nothing(void **state)
{
	(void)state;
	WCHAR buffer[8] = {0};
	UNICODE_STRING to = {0, 14, buffer};
	assert_status(RtlAppendUnicodeStringToString(&to, &a), STATUS_SUCCESS);
	assert_status(RtlAppendUnicodeToString(&to, u"bc"), STATUS_SUCCESS);
	assert_text(&to, "Alphabc");
	assert_status(RtlAppendUnicodeToString(&to, u"d"), STATUS_BUFFER_TOO_SMALL);
	assert_status(RtlAppendUnicodeStringToString(&to, &b), STATUS_BUFFER_TOO_SMALL);
	assert_text(&to, "Alphabc");
	assert_int_equal(buffer[7], 0);
	assert_status(RtlAppendUnicodeToString(&to, NULL), STATUS_SUCCESS);
	assert_status(RtlAppendUnicodeStringToString(&to, &empty), STATUS_SUCCESS);
	assert_text(&to, "Alphabc");
}

static void append_writes_a_terminator_if_there_is_room(void **state)
{
	(void)state;
	WCHAR buffer[8] = u"#######";
	UNICODE_STRING to = ROOM(buffer);
	assert_status(RtlAppendUnicodeToString(&to, u"abc"), STATUS_SUCCESS);
	assert_int_equal(buffer[3], 0);
	assert_int_equal(buffer[4], '#');
}

static void comparison_is_by_unit_then_by_length(void **state)
{
	(void)state;
	assert_true(RtlCompareUnicodeString(&a, &b, FALSE) < 0);
	assert_true(RtlCompareUnicodeString(&b, &a, FALSE) > 0);
	assert_true(RtlCompareUnicodeString(&lower_a, &b, FALSE) > 0);
	assert_true(RtlCompareUnicodeString(&lower_a, &b, TRUE) < 0);
	assert_int_equal(RtlCompareUnicodeString(&lower_a, &a, TRUE), 0);
	assert_true(RtlCompareUnicodeString(&prefix, &a, TRUE) < 0);
	assert_true(RtlCompareUnicodeString(&a, &empty, TRUE) > 0);
	assert_true(RtlCompareUnicodeStrings(u"\uFFFF", 1, u"a", 1, FALSE) > 0);
	assert_int_equal(RtlCompareUnicodeStrings(u"abcX", 3, u"ABCY", 3, TRUE), 0);
}

static void equality_and_prefix(void **state)
{
	(void)state;
	assert_true(RtlEqualUnicodeString(&a, &lower_a, TRUE));
	assert_false(RtlEqualUnicodeString(&a, &lower_a, FALSE));
	assert_false(RtlEqualUnicodeString(&a, &prefix, TRUE));
	assert_true(RtlEqualUnicodeString(&empty, &empty, FALSE));
	assert_true(RtlPrefixUnicodeString(&prefix, &lower_a, FALSE));
	assert_false(RtlPrefixUnicodeString(&prefix, &a, FALSE));
	assert_true(RtlPrefixUnicodeString(&prefix, &a, TRUE));
	assert_false(RtlPrefixUnicodeString(&a, &prefix, TRUE));
	assert_true(RtlPrefixUnicodeString(&empty, &a, FALSE));
	UNICODE_STRING first_part = {6, 6, lower_a.Buffer};
	assert_false(RtlPrefixUnicodeString(&lower_a, &first_part, FALSE));
	assert_false(RtlEqualUnicodeString(&lower_a, &first_part, FALSE));
}

static void ansi_strings_compare_in_their_code_page(void **state)
{
	(void)state;
	ANSI_STRING upper = ANSI("CAF\xC9"), lower = ANSI("caf\xE9"), short_one = ANSI("CAF");
	assert_true(RtlEqualString(&upper, &lower, TRUE));
	assert_false(RtlEqualString(&upper, &lower, FALSE));
	assert_true(RtlCompareString(&upper, &lower, FALSE) < 0);
	assert_int_equal(RtlCompareString(&upper, &lower, TRUE), 0);
	assert_true(RtlCompareString(&upper, &short_one, TRUE) > 0);
	assert_true(RtlPrefixString(&short_one, &lower, TRUE));
	assert_false(RtlPrefixString(&short_one, &lower, FALSE));
	ANSI_STRING z = ANSI("z"), first_part = {2, 2, short_one.Buffer};
	assert_true(RtlCompareString(&lower, &z, FALSE) < 0);
	lower.Buffer += 3;
	lower.Length = 1;
	assert_true(RtlCompareString(&lower, &z, FALSE) > 0);
	assert_false(RtlPrefixString(&short_one, &first_part, FALSE));
	assert_false(RtlEqualString(&short_one, &first_part, FALSE));
	assert_int_equal((UCHAR)RtlUpperChar('\xFF'), 0x9F);
	assert_int_equal((UCHAR)RtlUpperChar('\x83'), 0x83); /* whose capital is not in 1252 */
	assert_int_equal((UCHAR)RtlUpperChar('\xB5'), 0xB5);
	assert_int_equal((UCHAR)RtlUpperChar('\xDF'), 0xDF);
}

static void ansi_copies(void **state)
{
	(void)state;
	char buffer[8] = "#######";
	STRING to = {0, 5, buffer}, from = ANSI("abcd"), more = ANSI("ef");
	RtlCopyString(&to, &from);
	assert_int_equal(to.Length, 4);
	assert_memory_equal(buffer, "abcd#", 5);
	assert_status(RtlAppendStringToString(&to, &more), STATUS_BUFFER_TOO_SMALL);
	to.Length = 3;
	assert_status(RtlAppendStringToString(&to, &more), STATUS_SUCCESS);
	assert_memory_equal(buffer, "abcef#", 6);
	to.MaximumLength = 2;
	RtlUpperString(&to, &from);
	assert_int_equal(to.Length, 2);
	assert_memory_equal(buffer, "ABcef#", 6);
}

static void case_is_the_same_on_every_host(void **state)
{
	(void)state;
	static const struct {
		WCHAR lower, upper;
	} pairs[] = {{'a', 'A'},       {'z', 'Z'},       {0xE9, 0xC9},     {0xFF, 0x178},
		     {0x101, 0x100},   {0x17E, 0x17D},   {0x3B1, 0x391},   {0x3C3, 0x3A3},
		     {0x430, 0x410},   {0x45F, 0x40F},   {0x561, 0x531},   {0x1E01, 0x1E00},
		     {0x1F80, 0x1F88}, {0x2170, 0x2160}, {0x24D0, 0x24B6}, {0xFF41, 0xFF21},
		     {0x0180, 0x0243}};
	for (unsigned i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		assert_int_equal(RtlUpcaseUnicodeChar(pairs[i].lower), pairs[i].upper);
		assert_int_equal(RtlDowncaseUnicodeChar(pairs[i].upper), pairs[i].lower);
		assert_int_equal(RtlUpcaseUnicodeChar(pairs[i].upper), pairs[i].upper);
		assert_int_equal(RtlDowncaseUnicodeChar(pairs[i].lower), pairs[i].lower);
	}
	/* sharp s, dotless i, long s, Kelvin, micro, surrogates: they stay */
	static const WCHAR fixed[] = {0xDF,   0x131,  0x17F, 0x212A, 0xB5,
				      0xD801, 0xDC28, '[',   '{',    0xD7};
	for (unsigned i = 0; i < sizeof(fixed) / sizeof(*fixed); i++) {
		assert_int_equal(RtlUpcaseUnicodeChar(fixed[i]), fixed[i]);
		assert_int_equal(RtlDowncaseUnicodeChar(fixed[i]), fixed[i]);
	}
	assert_int_equal(RtlUpcaseUnicodeChar(0x3C2), 0x3A3); /* final sigma */
}

static void case_never_enters_ascii_and_is_idempotent(void **state)
{
	(void)state;
	for (unsigned c = 0x80; c < 0x10000; c++) {
		WCHAR up = RtlUpcaseUnicodeChar((WCHAR)c), down = RtlDowncaseUnicodeChar((WCHAR)c);
		assert_true(up >= 0x80 && down >= 0x80);
		assert_int_equal(RtlUpcaseUnicodeChar(up), up);
		assert_int_equal(RtlDowncaseUnicodeChar(down), down);
		if (down != c)
			assert_int_equal(RtlUpcaseUnicodeChar(down), c);
	}
}

static void hash_is_x65599(void **state)
{
	(void)state;
	ULONG hash = 1, other;
	assert_status(RtlHashUnicodeString(&lower_a, FALSE, 0, &hash), STATUS_SUCCESS);
	ULONG expected = 0;
	for (const char *c = "alpha"; *c; c++)
		expected = expected * 65599 + (UCHAR)*c;
	assert_int_equal(hash, expected);
	assert_status(RtlHashUnicodeString(&lower_a, TRUE, 1, &hash), STATUS_SUCCESS);
	assert_status(RtlHashUnicodeString(&a, TRUE, 1, &other), STATUS_SUCCESS);
	assert_int_equal(hash, other);
	assert_status(RtlHashUnicodeString(NULL, TRUE, 0, &hash), STATUS_INVALID_PARAMETER);
	assert_status(RtlHashUnicodeString(&a, TRUE, 0, NULL), STATUS_INVALID_PARAMETER);
	assert_status(RtlHashUnicodeString(&a, TRUE, 2, &hash), STATUS_INVALID_PARAMETER);
	assert_status(RtlHashUnicodeString(&a, TRUE, ~0u, &hash), STATUS_INVALID_PARAMETER);
}

static void validation_finds_impossible_lengths(void **state)
{
	(void)state;
	UNICODE_STRING odd = {3, 8, a.Buffer}, odd_room = {2, 7, a.Buffer};
	UNICODE_STRING over = {8, 6, a.Buffer}, baseless = {0, 2, NULL};
	assert_status(RtlValidateUnicodeString(0, &a), STATUS_SUCCESS);
	assert_status(RtlValidateUnicodeString(0, &empty), STATUS_SUCCESS);
	assert_status(RtlValidateUnicodeString(0, NULL), STATUS_SUCCESS);
	assert_status(RtlValidateUnicodeString(1, &a), STATUS_INVALID_PARAMETER);
	assert_status(RtlValidateUnicodeString(0, &odd), STATUS_INVALID_PARAMETER);
	assert_status(RtlValidateUnicodeString(0, &odd_room), STATUS_INVALID_PARAMETER);
	assert_status(RtlValidateUnicodeString(0, &over), STATUS_INVALID_PARAMETER);
	assert_status(RtlValidateUnicodeString(0, &baseless), STATUS_INVALID_PARAMETER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_counts_the_terminator_only_in_maximum_length),
		cmocka_unit_test(init_of_null_is_empty),
		cmocka_unit_test(init_of_too_long_text_is_cut_and_ex_refuses),
		cmocka_unit_test(ansi_init_ex_refuses_too_long_text),
		cmocka_unit_test(copy_takes_what_fits_and_terminates_if_it_can),
		cmocka_unit_test(append_is_all_or_nothing),
		cmocka_unit_test(append_writes_a_terminator_if_there_is_room),
		cmocka_unit_test(comparison_is_by_unit_then_by_length),
		cmocka_unit_test(equality_and_prefix),
		cmocka_unit_test(ansi_strings_compare_in_their_code_page),
		cmocka_unit_test(ansi_copies),
		cmocka_unit_test(case_is_the_same_on_every_host),
		cmocka_unit_test(case_never_enters_ascii_and_is_idempotent),
		cmocka_unit_test(hash_is_x65599),
		cmocka_unit_test(validation_finds_impossible_lengths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
