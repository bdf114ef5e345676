/* SPDX-License-Identifier: MIT */
/* rs_set_parameter: what a person types, as the driver's registry shows it. */
#include "keys.h"
#include "ldr/module.h"
#include <errno.h>

#define SET(name, ...)                                                                             \
	rs_set_parameter(driver, name, (const char *const[]){__VA_ARGS__},                         \
			 sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static struct ldr_module module = {.name = "Sample.SYS"};
static struct rs_driver *const driver = (struct rs_driver *)(void *)&module;

static void assert_value(PCWSTR name, ULONG type, const void *data, ULONG size)
{
	HANDLE key = open_key(NULL, SERVICES u"\\sample\\parameters");
	UNICODE_STRING text = counted(name);
	char buffer[128];
	KEY_VALUE_PARTIAL_INFORMATION *info = (void *)buffer;
	ULONG result;
	assert_ntsuccess(ZwQueryValueKey(key, &text, KeyValuePartialInformation, buffer,
					 sizeof(buffer), &result));
	assert_int_equal(info->Type, type);
	assert_int_equal(info->DataLength, size);
	assert_memory_equal(info->Data, data, size);
	assert_ntsuccess(ZwClose(key));
}

static void numbers_are_dwords(void **state)
{
	(void)state;
	assert_int_equal(SET("Decimal", "1024"), 0);
	assert_value(u"decimal", REG_DWORD, &(ULONG){1024}, 4);
	assert_int_equal(SET("Hex", "0xFFFFFFFF"), 0);
	assert_value(u"hex", REG_DWORD, &(ULONG){0xFFFFFFFF}, 4);
	assert_int_equal(SET("LeadingZero", "010"), 0);
	assert_value(u"LeadingZero", REG_DWORD, &(ULONG){10}, 4);
}

static void what_is_no_dword_is_text(void **state)
{
	(void)state;
	assert_int_equal(SET("a", "xxd"), 0);
	assert_value(u"a", REG_SZ, u"xxd", 8);
	assert_int_equal(SET("a", "12x"), 0);
	assert_value(u"a", REG_SZ, u"12x", 8);
	assert_int_equal(SET("a", "-1"), 0);
	assert_value(u"a", REG_SZ, u"-1", 6);
	assert_int_equal(SET("a", "0x"), 0);
	assert_value(u"a", REG_SZ, u"0x", 6);
	assert_int_equal(SET("a", ""), 0);
	assert_value(u"a", REG_SZ, u"", 2);
	assert_int_equal(SET("a", "4294967296"), 0);
	assert_value(u"a", REG_SZ, u"4294967296", 22);
	assert_int_equal(SET("a", "99999999999999999999999"), 0);
	assert_value(u"a", REG_SZ, u"99999999999999999999999", 48);
}

static void several_are_a_multi_string(void **state)
{
	(void)state;
	assert_int_equal(SET("m", "xxd", "7", "\xC3\xA9"), 0);
	assert_value(u"m", REG_MULTI_SZ, u"xxd\0007\0\u00e9\0", 18);
	assert_int_equal(rs_set_parameter(driver, "m", NULL, 0), 0);
	assert_value(u"m", REG_MULTI_SZ, u"", 2);
}

static void names_that_are_too_long_are_refused(void **state)
{
	(void)state;
	char *text = malloc(40001);
	memset(text, 'n', 40000);
	text[40000] = 0;
	assert_int_equal(SET("x", text), -ENAMETOOLONG);
	text[20000] = 0;
	assert_int_equal(SET(text, "x"), -ENAMETOOLONG);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(numbers_are_dwords),
		WORLD_TEST(what_is_no_dword_is_text),
		WORLD_TEST(several_are_a_multi_string),
		WORLD_TEST(names_that_are_too_long_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
