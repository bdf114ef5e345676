/* SPDX-License-Identifier: MIT */
/* FsRtlIsNameInExpression: cases from its page, and a slow and simple matcher beside it. */
#include "rtl/expression.h"
#include "units.h"
#include <stdbool.h>
#include <stdlib.h>

static UNICODE_STRING to_string(WCHAR *buffer, const char *text)
{
	USHORT length = (USHORT)strlen(text);
	for (unsigned i = 0; i < length; i++)
		buffer[i] = (UCHAR)text[i];
	return (UNICODE_STRING){length * 2, length * 2, buffer};
}

static bool matches(const char *pattern, const char *name, BOOLEAN ignore_case)
{
	WCHAR a[64], b[64];
	UNICODE_STRING expression = to_string(a, pattern), string = to_string(b, name);
	return FsRtlIsNameInExpression(&expression, &string, ignore_case, NULL);
}

static void wildcards_mean_what_the_page_says(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *name;
		bool match;
	} row[] = {
		{"*", "anything", true},
		{"*", "", false},
		{"", "", true},
		{"", "a", false},
		{"a", "", false},
		{"*.SYS", "WARDEN.SYS", true},
		{"*.SYS", "WARDEN.SYSX", false},
		{"*.SYS", ".SYS", true},
		{"*\\CMD.EXE", "\\??\\C:\\WINDOWS\\CMD.EXE", true},
		{"A?C", "ABC", true},
		{"A?C", "AC", false},
		{"A?C", "A.C", true},
		{"***A*B***", "XXAXXBXX", true},
		{"*A*A*A*A*A*A*A*A*B", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", false},
		/* DOS_STAR: up to the last dot */
		{"<.TXT", "A.B.TXT", true},
		{"<.TXT", "ATXT", false},
		{"<", "NODOT", true},
		{"<", "A.B", false},
		{"<B", "A.B", false},
		{"<.B", "A.A.B", true},
		/* DOS_QM: any character, or none before a dot and at the end */
		{">>>.C", "AB.C", true},
		{">>>.C", "ABCD.C", false},
		{"A>>>", "A", true},
		{"A>>>", "ABCD", true},
		{"A>>>", "A.", false},
		{"A>B", "AB", false},
		/* DOS_DOT: a dot, or the end */
		{"A\"", "A", true},
		{"A\"", "A.", true},
		{"A\"", "AB", false},
		{"A\"\"", "A", true},
		{"A\"B", "A.B", true},
		{"A\"B", "AB", false},
		{"*\"", "A.B", true},
	};
	for (unsigned i = 0; i < sizeof(row) / sizeof(*row); i++) {
		if (matches(row[i].pattern, row[i].name, FALSE) != row[i].match)
			fail_msg("\"%s\" and \"%s\"", row[i].pattern, row[i].name);
	}
}

static void ignoring_case_raises_the_name(void **state)
{
	(void)state;
	assert_true(matches("*.SYS", "Warden.sys", TRUE));
	assert_false(matches("*.SYS", "Warden.sys", FALSE));
	assert_false(matches("*.sys", "Warden.sys", TRUE)); /* the pattern must be upper case */
}

static void own_upcase_table_is_used(void **state)
{
	(void)state;
	static WCHAR table[0x10000];
	for (unsigned i = 0; i < 0x10000; i++)
		table[i] = 'X';
	WCHAR a[4], b[4];
	UNICODE_STRING expression = to_string(a, "XX"), name = to_string(b, "ab");
	assert_true(FsRtlIsNameInExpression(&expression, &name, TRUE, table));
	assert_false(FsRtlIsNameInExpression(&expression, &name, FALSE, table));
}

static void longest_strings_match(void **state)
{
	(void)state;
	WCHAR *text = malloc(65534);
	for (unsigned i = 0; i < 32767; i++)
		text[i] = 'A';
	UNICODE_STRING name = {65534, 65534, text};
	WCHAR stars[8];
	UNICODE_STRING pattern = to_string(stars, "A*A*A*");
	assert_true(FsRtlIsNameInExpression(&pattern, &name, FALSE, NULL));
	assert_true(FsRtlIsNameInExpression(&name, &name, FALSE, NULL));
	free(text);
}

/* The rules once more, by trying every way. */
static bool slow(const char *pattern, const char *name, const char *last_dot)
{
	char p = *pattern;
	bool end = !*name, dot = *name == '.';
	if (!p)
		return end;
	if (p == '*' || p == '<')
		return slow(pattern + 1, name, last_dot) ||
		       (!end && !(p == '<' && name == last_dot) &&
			slow(pattern, name + 1, last_dot));
	if (p == '>' && (end || dot))
		return slow(pattern + 1, name, last_dot);
	if (p == '"' && end)
		return slow(pattern + 1, name, last_dot);
	bool takes = p == '?' || p == '>' || (p == '"' ? dot : p == *name);
	return !end && takes && slow(pattern + 1, name + 1, last_dot);
}

static void random_patterns_agree_with_trying_every_way(void **state)
{
	(void)state;
	unsigned random = 7, matched = 0;
	for (unsigned i = 0; i < 200000; i++) {
		char pattern[8], name[8];
		unsigned lengths[2];
		char *text[2] = {pattern, name};
		for (unsigned j = 0; j < 2; j++) {
			random = random * 1103515245u + 12345u;
			lengths[j] = 1 + (random >> 16) % 6;
			for (unsigned k = 0; k < lengths[j]; k++) {
				random = random * 1103515245u + 12345u;
				text[j][k] = j ? "AB."[(random >> 16) % 3]
					       : "AB.*?<>\""[(random >> 16) % 8];
			}
			text[j][lengths[j]] = '\0';
		}
		bool expected = slow(pattern, name, strrchr(name, '.'));
		matched += expected;
		if (matches(pattern, name, FALSE) != expected)
			fail_msg("\"%s\" and \"%s\": not %d", pattern, name, expected);
	}
	assert_true(matched > 10000);
}

static void wildcards_are_found_in_names(void **state)
{
	(void)state;
	WCHAR buffer[8];
	static const char *const with[] = {"a*", "?", "<a", "a>", "\""};
	for (unsigned i = 0; i < 5; i++) {
		UNICODE_STRING name = to_string(buffer, with[i]);
		assert_true(FsRtlDoesNameContainWildCards(&name));
	}
	UNICODE_STRING plain = to_string(buffer, "a.b"), none = {0}, nul = {2, 2, (PWSTR)u""};
	assert_false(FsRtlDoesNameContainWildCards(&plain));
	assert_false(FsRtlDoesNameContainWildCards(&none));
	assert_false(FsRtlDoesNameContainWildCards(&nul));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wildcards_mean_what_the_page_says),
		cmocka_unit_test(ignoring_case_raises_the_name),
		cmocka_unit_test(own_upcase_table_is_used),
		cmocka_unit_test(longest_strings_match),
		cmocka_unit_test(random_patterns_agree_with_trying_every_way),
		cmocka_unit_test(wildcards_are_found_in_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
