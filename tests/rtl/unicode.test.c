/* SPDX-License-Identifier: MIT */
/* Strings converted and strings allocated. */
#include "rtl/unicode.h"
#include "ex/pool.h"
#include "memory.h"
#include "rtl/number.h"
#include "units.h"
#include <ringside/ringside.h>
#include <stdlib.h>

static int boot(void **state)
{
	(void)state;
	return rs_boot(NULL);
}

static int shut_down(void **state)
{
	(void)state;
	rs_shutdown();
	return 0;
}

static bool always_fails(const char *site)
{
	(void)site;
	return true;
}

#define WITHOUT_MEMORY(expression)                                                                 \
	({                                                                                         \
		host_fail_allocations(always_fails);                                               \
		__auto_type result_ = (expression);                                                \
		host_fail_allocations(NULL);                                                       \
		result_;                                                                           \
	})

static UNICODE_STRING mixed = STR("Stra\u00DFe \u00C4\u03C3");

static void upcase_and_downcase_allocate_the_exact_length(void **state)
{
	(void)state;
	UNICODE_STRING out;
	assert_status(RtlUpcaseUnicodeString(&out, &mixed, TRUE), STATUS_SUCCESS);
	assert_text(&out, "STRA\u00DFE \u00C4\u03A3");
	assert_int_equal(out.MaximumLength, out.Length);
	RtlFreeUnicodeString(&out);
	assert_null(out.Buffer);
	assert_status(RtlDowncaseUnicodeString(&out, &mixed, TRUE), STATUS_SUCCESS);
	assert_text(&out, "stra\u00DFe \u00E4\u03C3");
	RtlFreeUnicodeString(&out);
}

static void upcase_into_a_buffer_needs_room_for_all(void **state)
{
	(void)state;
	WCHAR buffer[16];
	UNICODE_STRING out = {0, 16, buffer}, word = STR("word");
	assert_status(RtlUpcaseUnicodeString(&out, &mixed, FALSE), STATUS_BUFFER_OVERFLOW);
	assert_int_equal(out.Length, 0);
	out.MaximumLength = 8;
	assert_status(RtlUpcaseUnicodeString(&out, &word, FALSE), STATUS_SUCCESS);
	assert_text(&out, "WORD");
	assert_status(RtlDowncaseUnicodeString(&out, &out, FALSE), STATUS_SUCCESS);
	assert_text(&out, "word");
}

static void allocation_that_fails_is_no_memory(void **state)
{
	(void)state;
	UNICODE_STRING out = {1, 2, NULL};
	ANSI_STRING ansi = ANSI("a"), ansi_out = {1, 2, NULL};
	GUID guid = {0};
	assert_status(WITHOUT_MEMORY(RtlUpcaseUnicodeString(&out, &mixed, TRUE)), STATUS_NO_MEMORY);
	assert_status(WITHOUT_MEMORY(RtlAnsiStringToUnicodeString(&out, &ansi, TRUE)),
		      STATUS_NO_MEMORY);
	assert_status(WITHOUT_MEMORY(RtlUnicodeStringToAnsiString(&ansi_out, &mixed, TRUE)),
		      STATUS_NO_MEMORY);
	assert_status(WITHOUT_MEMORY(RtlDuplicateUnicodeString(0, &mixed, &out)), STATUS_NO_MEMORY);
	assert_status(WITHOUT_MEMORY(RtlStringFromGUID(&guid, &out)), STATUS_NO_MEMORY);
	assert_false(WITHOUT_MEMORY(RtlCreateUnicodeString(&out, u"x")));
	assert_int_equal(out.Length, 1);
	assert_int_equal(ansi_out.Length, 1);
}

static void ansi_becomes_terminated_unicode(void **state)
{
	(void)state;
	ANSI_STRING ansi = ANSI("caf\xE9 \x80");
	UNICODE_STRING out;
	assert_status(RtlAnsiStringToUnicodeString(&out, &ansi, TRUE), STATUS_SUCCESS);
	assert_text(&out, "caf\u00E9 \u20AC");
	assert_int_equal(out.MaximumLength, out.Length + 2);
	assert_int_equal(out.Buffer[6], 0);
	assert_int_equal(RtlxAnsiStringToUnicodeSize(&ansi), 14);
	RtlFreeUnicodeString(&out);
}

static void ansi_to_unicode_needs_room_for_the_terminator(void **state)
{
	(void)state;
	WCHAR buffer[8];
	ANSI_STRING ansi = ANSI("abc");
	UNICODE_STRING out = {0, 6, buffer};
	assert_status(RtlAnsiStringToUnicodeString(&out, &ansi, FALSE), STATUS_BUFFER_OVERFLOW);
	out.MaximumLength = 8;
	assert_status(RtlAnsiStringToUnicodeString(&out, &ansi, FALSE), STATUS_SUCCESS);
	assert_text(&out, "abc");
	ansi.Length = 0x7FFF;
	assert_status(RtlAnsiStringToUnicodeString(&out, &ansi, TRUE), STATUS_INVALID_PARAMETER_2);
}

static void unicode_becomes_terminated_ansi(void **state)
{
	(void)state;
	UNICODE_STRING unicode = STR("caf\u00E9 \u4E2D\u2122");
	ANSI_STRING out;
	assert_status(RtlUnicodeStringToAnsiString(&out, &unicode, TRUE), STATUS_SUCCESS);
	assert_int_equal(out.Length, 7);
	assert_int_equal(out.MaximumLength, 8);
	assert_string_equal(out.Buffer, "caf\xE9 ?\x99");
	assert_int_equal(RtlxUnicodeStringToAnsiSize(&unicode), 8);
	RtlFreeAnsiString(&out);
	assert_null(out.Buffer);
}

static void unicode_to_ansi_into_a_small_buffer_is_cut_and_says_so(void **state)
{
	(void)state;
	char buffer[8] = "#######";
	UNICODE_STRING unicode = STR("abcdef");
	ANSI_STRING out = {0, 4, buffer};
	assert_status(RtlUnicodeStringToAnsiString(&out, &unicode, FALSE), STATUS_BUFFER_OVERFLOW);
	assert_int_equal(out.Length, 3);
	assert_memory_equal(buffer, "abc\0###", 8);
	out.MaximumLength = 0;
	assert_status(RtlUnicodeStringToAnsiString(&out, &unicode, FALSE), STATUS_BUFFER_OVERFLOW);
	out.MaximumLength = 6;
	assert_status(RtlUnicodeStringToAnsiString(&out, &unicode, FALSE), STATUS_BUFFER_OVERFLOW);
	out.MaximumLength = 7;
	assert_status(RtlUnicodeStringToAnsiString(&out, &unicode, FALSE), STATUS_SUCCESS);
	assert_string_equal(buffer, "abcdef");
}

static void code_page_is_windows_1252(void **state)
{
	(void)state;
	char all[256], back[256];
	WCHAR wide[256];
	ULONG size;
	for (unsigned i = 0; i < 256; i++)
		all[i] = (char)i;
	assert_status(RtlMultiByteToUnicodeN(wide, sizeof(wide), &size, all, 256), STATUS_SUCCESS);
	assert_int_equal(size, 512);
	assert_int_equal(wide[0x80], 0x20AC);
	assert_int_equal(wide[0x81], 0x81);
	assert_int_equal(wide[0x93], 0x201C);
	assert_int_equal(wide[0x9F], 0x178);
	assert_int_equal(wide[0xA0], 0xA0);
	assert_int_equal(wide[0xFF], 0xFF);
	assert_status(RtlUnicodeToMultiByteN(back, 256, &size, wide, sizeof(wide)), STATUS_SUCCESS);
	assert_int_equal(size, 256);
	assert_memory_equal(back, all, 256);
}

static void n_conversions_cut_without_an_error(void **state)
{
	(void)state;
	char narrow[4] = "###";
	WCHAR wide[4] = u"###";
	ULONG size;
	assert_status(RtlUnicodeToMultiByteN(narrow, 2, &size, u"abc", 6), STATUS_SUCCESS);
	assert_int_equal(size, 2);
	assert_memory_equal(narrow, "ab#", 3);
	assert_status(RtlMultiByteToUnicodeN(wide, 5, NULL, "abc", 3), STATUS_SUCCESS);
	assert_memory_equal(wide, u"ab#", 6);
	assert_status(RtlUnicodeToMultiByteSize(&size, u"abc", 6), STATUS_SUCCESS);
	assert_int_equal(size, 3);
	assert_status(RtlMultiByteToUnicodeSize(&size, "abc", 3), STATUS_SUCCESS);
	assert_int_equal(size, 6);
}

static void utf8_to_unicode_measures_converts_and_cuts(void **state)
{
	(void)state;
	static const char text[] = "a\xC3\xA9\xF0\x9F\x98\x80";
	WCHAR out[8];
	ULONG size;
	assert_status(RtlUTF8ToUnicodeN(NULL, 0, &size, text, sizeof(text)), STATUS_SUCCESS);
	assert_int_equal(size, 10);
	assert_status(RtlUTF8ToUnicodeN(out, size, &size, text, sizeof(text)), STATUS_SUCCESS);
	assert_memory_equal(out, u"a\u00E9\U0001F600", 10);
	assert_status(RtlUTF8ToUnicodeN(out, 6, &size, text, sizeof(text)),
		      STATUS_BUFFER_TOO_SMALL);
	assert_int_equal(size, 4);
	assert_status(RtlUTF8ToUnicodeN(out, 16, &size, "a\xFFz", 3), STATUS_SOME_NOT_MAPPED);
	assert_memory_equal(out, u"a\uFFFDz", 6);
	assert_status(RtlUTF8ToUnicodeN(out, 16, &size, NULL, 3), STATUS_INVALID_PARAMETER_4);
	assert_status(RtlUTF8ToUnicodeN(NULL, 0, NULL, text, 3), STATUS_INVALID_PARAMETER);
}

static void unicode_to_utf8_measures_converts_and_cuts(void **state)
{
	(void)state;
	static const WCHAR text[] = u"a\u00E9\U0001F600", lone[] = {'a', 0xD800, 'z'};
	char out[16];
	ULONG size;
	assert_status(RtlUnicodeToUTF8N(NULL, 0, &size, text, sizeof(text)), STATUS_SUCCESS);
	assert_int_equal(size, 8);
	assert_status(RtlUnicodeToUTF8N(out, size, &size, text, sizeof(text)), STATUS_SUCCESS);
	assert_string_equal(out, "a\xC3\xA9\xF0\x9F\x98\x80");
	assert_status(RtlUnicodeToUTF8N(out, 6, &size, text, sizeof(text)),
		      STATUS_BUFFER_TOO_SMALL);
	assert_int_equal(size, 3);
	assert_status(RtlUnicodeToUTF8N(out, 16, &size, lone, sizeof(lone)),
		      STATUS_SOME_NOT_MAPPED);
	assert_memory_equal(out, "a\xEF\xBF\xBDz", 5);
	/* U+FFFD itself is a character like any other. */
	assert_status(RtlUnicodeToUTF8N(out, 16, &size, u"\uFFFD", 2), STATUS_SUCCESS);
	assert_status(RtlUnicodeToUTF8N(out, 16, &size, text, 3), STATUS_INVALID_PARAMETER_5);
	assert_status(RtlUnicodeToUTF8N(out, 16, &size, NULL, 2), STATUS_INVALID_PARAMETER_4);
	assert_status(RtlUnicodeToUTF8N(NULL, 0, NULL, text, 2), STATUS_INVALID_PARAMETER);
}

static void duplicate_follows_its_flags(void **state)
{
	(void)state;
	UNICODE_STRING out, none = {0}, word = STR("word"), bad = {4, 2, word.Buffer};
	assert_status(RtlDuplicateUnicodeString(0, &word, &out), STATUS_SUCCESS);
	assert_text(&out, "word");
	assert_int_equal(out.MaximumLength, 8);
	RtlFreeUnicodeString(&out);
	assert_status(RtlDuplicateUnicodeString(1, &word, &out), STATUS_SUCCESS);
	assert_text(&out, "word");
	assert_int_equal(out.MaximumLength, 10);
	assert_int_equal(out.Buffer[4], 0);
	RtlFreeUnicodeString(&out);
	assert_status(RtlDuplicateUnicodeString(1, &none, &out), STATUS_SUCCESS);
	assert_null(out.Buffer);
	assert_status(RtlDuplicateUnicodeString(3, &none, &out), STATUS_SUCCESS);
	assert_int_equal(out.MaximumLength, 2);
	assert_int_equal(out.Buffer[0], 0);
	RtlFreeUnicodeString(&out);
	assert_status(RtlDuplicateUnicodeString(2, &word, &out), STATUS_INVALID_PARAMETER);
	assert_status(RtlDuplicateUnicodeString(4, &word, &out), STATUS_INVALID_PARAMETER);
	assert_status(RtlDuplicateUnicodeString(0, &bad, &out), STATUS_INVALID_PARAMETER);
	assert_status(RtlDuplicateUnicodeString(0, NULL, &out), STATUS_INVALID_PARAMETER);
}

static void create_copies_with_the_terminator(void **state)
{
	(void)state;
	UNICODE_STRING out;
	assert_true(RtlCreateUnicodeString(&out, u"word"));
	assert_text(&out, "word");
	assert_int_equal(out.MaximumLength, 10);
	RtlFreeUnicodeString(&out);
	WCHAR *text = calloc(32769, sizeof(WCHAR));
	memset(text, 'x', 32768 * sizeof(WCHAR));
	assert_false(RtlCreateUnicodeString(&out, text));
	free(text);
}

static void freeing_an_empty_string_does_nothing(void **state)
{
	(void)state;
	UNICODE_STRING none = {0};
	ANSI_STRING ansi = {0};
	RtlFreeUnicodeString(&none);
	RtlFreeAnsiString(&ansi);
}

static void buffers_come_from_pool_and_leave_none(void **state)
{
	(void)state;
	uint64_t before = host_live_allocations();
	UNICODE_STRING out;
	assert_status(RtlUpcaseUnicodeString(&out, &mixed, TRUE), STATUS_SUCCESS);
	ExFreePool(out.Buffer);
	assert_int_equal(host_live_allocations(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(upcase_and_downcase_allocate_the_exact_length),
		cmocka_unit_test(upcase_into_a_buffer_needs_room_for_all),
		cmocka_unit_test(allocation_that_fails_is_no_memory),
		cmocka_unit_test(ansi_becomes_terminated_unicode),
		cmocka_unit_test(ansi_to_unicode_needs_room_for_the_terminator),
		cmocka_unit_test(unicode_becomes_terminated_ansi),
		cmocka_unit_test(unicode_to_ansi_into_a_small_buffer_is_cut_and_says_so),
		cmocka_unit_test(code_page_is_windows_1252),
		cmocka_unit_test(n_conversions_cut_without_an_error),
		cmocka_unit_test(utf8_to_unicode_measures_converts_and_cuts),
		cmocka_unit_test(unicode_to_utf8_measures_converts_and_cuts),
		cmocka_unit_test(duplicate_follows_its_flags),
		cmocka_unit_test(create_copies_with_the_terminator),
		cmocka_unit_test(freeing_an_empty_string_does_nothing),
		cmocka_unit_test(buffers_come_from_pool_and_leave_none),
	};
	return cmocka_run_group_tests(tests, boot, shut_down);
}
