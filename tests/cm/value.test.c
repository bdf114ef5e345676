/* SPDX-License-Identifier: MIT */
/* Values: setting, replacing, querying in every class, enumerating, deleting. */
#include "keys.h"
#include "memory.h"
#include <pthread.h>

static HANDLE key;

static int open_test_key(void **state)
{
	world_documented(state);
	key = create_key(NULL, SERVICES u"\\test");
	return 0;
}

static int close_test_key(void **state)
{
	assert_ntsuccess(ZwClose(key));
	return world_end(state);
}

static NTSTATUS query(PCWSTR name, KEY_VALUE_INFORMATION_CLASS class, void *buffer, ULONG length,
		      ULONG *result)
{
	UNICODE_STRING text = counted(name);
	return ZwQueryValueKey(key, &text, class, buffer, length, result);
}

static void wdk_basic_information_has_type_and_name(void **state)
{
	(void)state;
	char buffer[64];
	KEY_VALUE_BASIC_INFORMATION *info = (void *)buffer;
	ULONG result;
	set_value(key, u"Name", REG_BINARY, "abc", 3);
	assert_ntsuccess(query(u"NAME", KeyValueBasicInformation, buffer, sizeof(buffer), &result));
	assert_int_equal(result, 12 + 8);
	assert_int_equal(info->TitleIndex, 0);
	assert_int_equal(info->Type, REG_BINARY);
	assert_int_equal(info->NameLength, 8);
	assert_memory_equal(info->Name, u"Name", 8); /* as it was set */
}

static void wdk_partial_information_has_type_and_data(void **state)
{
	(void)state;
	char buffer[64];
	KEY_VALUE_PARTIAL_INFORMATION *info = (void *)buffer;
	KEY_VALUE_PARTIAL_INFORMATION_ALIGN64 *aligned = (void *)buffer;
	ULONG result;
	set_value(key, u"x", 0x1234, "abc", 3); /* any type may be stored */
	assert_ntsuccess(query(u"x", KeyValuePartialInformation, buffer, sizeof(buffer), &result));
	assert_int_equal(result, 12 + 3);
	assert_int_equal(info->Type, 0x1234);
	assert_int_equal(info->DataLength, 3);
	assert_memory_equal(info->Data, "abc", 3);
	assert_ntsuccess(
		query(u"x", KeyValuePartialInformationAlign64, buffer, sizeof(buffer), &result));
	assert_int_equal(result, 8 + 3);
	assert_int_equal(aligned->Type, 0x1234);
	assert_memory_equal(aligned->Data, "abc", 3);
}

static void wdk_full_information_has_name_and_aligned_data(void **state)
{
	(void)state;
	char buffer[64];
	KEY_VALUE_FULL_INFORMATION *info = (void *)buffer;
	ULONG result;
	set_value(key, u"abc", REG_BINARY, "data", 4);
	assert_ntsuccess(query(u"abc", KeyValueFullInformation, buffer, sizeof(buffer), &result));
	assert_int_equal(info->NameLength, 6);
	assert_memory_equal(info->Name, u"abc", 6);
	assert_int_equal(info->DataOffset, 28); /* 20 + 6, rounded up to 4 */
	assert_memory_equal(buffer + info->DataOffset, "data", 4);
	assert_int_equal(result, 28 + 4);
	assert_ntsuccess(
		query(u"abc", KeyValueFullInformationAlign64, buffer, sizeof(buffer), &result));
	assert_int_equal(info->DataOffset, 32);
	assert_int_equal(result, 32 + 4);
}

static void wdk_value_without_data_has_no_data_offset(void **state)
{
	(void)state;
	char buffer[64];
	KEY_VALUE_FULL_INFORMATION *info = (void *)buffer;
	ULONG result;
	set_value(key, u"abc", REG_NONE, NULL, 0);
	assert_ntsuccess(query(u"abc", KeyValueFullInformation, buffer, sizeof(buffer), &result));
	assert_int_equal(info->DataOffset, 0xFFFFFFFF);
	assert_int_equal(info->DataLength, 0);
	assert_int_equal(result, 20 + 6);
	assert_ntsuccess(query(u"abc", KeyValuePartialInformation, buffer, 12, &result));
}

/* For each class: the head, one byte less, and the whole, one byte less. */
static void wdk_short_value_buffers_overflow_or_are_too_small(void **state)
{
	(void)state;
	static const struct {
		KEY_VALUE_INFORMATION_CLASS class;
		ULONG head, whole;
	} cases[] = {
		{KeyValueBasicInformation, 12, 18},
		{KeyValueFullInformation, 20, 33},
		{KeyValuePartialInformation, 12, 17},
		{KeyValueFullInformationAlign64, 20, 37},
		{KeyValuePartialInformationAlign64, 8, 13},
	};
	set_value(key, u"abc", REG_BINARY, "12345", 5);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char small[64], whole[64];
		ULONG result = 0;
		assert_status(query(u"abc", cases[i].class, NULL, 0, &result),
			      STATUS_BUFFER_TOO_SMALL);
		assert_int_equal(result, cases[i].whole);
		memset(small, 0x55, sizeof(small));
		assert_status(query(u"abc", cases[i].class, small, cases[i].head - 1, &result),
			      STATUS_BUFFER_TOO_SMALL);
		assert_int_equal(small[0], 0x55);
		memset(whole, 0x55, sizeof(whole));
		assert_ntsuccess(query(u"abc", cases[i].class, whole, cases[i].whole, &result));
		for (ULONG length = cases[i].head; length < cases[i].whole; length++) {
			memset(small, 0x55, sizeof(small));
			result = 0;
			assert_status(query(u"abc", cases[i].class, small, length, &result),
				      STATUS_BUFFER_OVERFLOW);
			assert_int_equal(result, cases[i].whole);
			assert_memory_equal(small, whole, length);
			assert_int_equal(small[length], 0x55);
		}
	}
}

static void wdk_missing_value_and_unknown_class(void **state)
{
	(void)state;
	ULONG result = 0x77;
	assert_status(query(u"none", KeyValuePartialInformation, NULL, 0, &result),
		      STATUS_OBJECT_NAME_NOT_FOUND);
	assert_status(query(u"none", MaxKeyValueInfoClass, NULL, 0, &result),
		      STATUS_INVALID_PARAMETER);
	assert_status(query(u"none", KeyValueLayerInformation, NULL, 0, &result),
		      STATUS_NOT_IMPLEMENTED);
	assert_int_equal(result, 0x77);
}

static ULONG read_dword(PCWSTR name)
{
	char buffer[16];
	ULONG result, value;
	assert_ntsuccess(query(name, KeyValuePartialInformation, buffer, sizeof(buffer), &result));
	assert_int_equal(result, 16);
	memcpy(&value, buffer + 12, 4);
	return value;
}

static void wdk_setting_again_replaces_in_place(void **state)
{
	(void)state;
	char buffer[64];
	KEY_VALUE_BASIC_INFORMATION *info = (void *)buffer;
	ULONG one = 1, two = 2, result;
	set_value(key, u"First", REG_DWORD, &one, 4);
	set_value(key, u"Second", REG_DWORD, &one, 4);
	set_value(key, u"first", REG_DWORD, &two, 4);
	assert_int_equal(read_dword(u"First"), 2);
	assert_int_equal(read_dword(u"Second"), 1);
	assert_ntsuccess(ZwEnumerateValueKey(key, 0, KeyValueBasicInformation, buffer,
					     sizeof(buffer), &result));
	assert_int_equal(info->NameLength, 10);
	assert_status(ZwEnumerateValueKey(key, 2, KeyValueBasicInformation, buffer, sizeof(buffer),
					  &result),
		      STATUS_NO_MORE_ENTRIES);
}

static void wdk_empty_name_is_the_default_value(void **state)
{
	(void)state;
	ULONG value = 7;
	set_value(key, u"", REG_DWORD, &value, 4);
	assert_int_equal(read_dword(u""), 7);
}

static void wdk_trailing_nuls_do_not_count(void **state)
{
	(void)state;
	UNICODE_STRING padded = {8, 8, (PWSTR)u"ab\0\0"};
	ULONG value = 9;
	assert_ntsuccess(ZwSetValueKey(key, &padded, 0, REG_DWORD, &value, 4));
	assert_int_equal(read_dword(u"ab"), 9);
	assert_ntsuccess(ZwDeleteValueKey(key, &padded));
	ULONG result;
	assert_status(query(u"ab", KeyValuePartialInformation, NULL, 0, &result),
		      STATUS_OBJECT_NAME_NOT_FOUND);
}

static void wdk_deleting_closes_the_gap(void **state)
{
	(void)state;
	static const PCWSTR names[] = {u"a", u"bb", u"ccc"};
	UNICODE_STRING middle = USTR(u"BB");
	char buffer[64];
	KEY_VALUE_BASIC_INFORMATION *info = (void *)buffer;
	ULONG result;
	for (ULONG i = 0; i < 3; i++)
		set_value(key, names[i], REG_DWORD, &i, 4);
	assert_ntsuccess(ZwDeleteValueKey(key, &middle));
	assert_status(ZwDeleteValueKey(key, &middle), STATUS_OBJECT_NAME_NOT_FOUND);
	assert_ntsuccess(ZwEnumerateValueKey(key, 1, KeyValueBasicInformation, buffer,
					     sizeof(buffer), &result));
	assert_int_equal(info->NameLength, 6);
	assert_status(ZwEnumerateValueKey(key, 2, KeyValueBasicInformation, NULL, 0, &result),
		      STATUS_NO_MORE_ENTRIES);
}

static void wdk_value_name_has_at_most_16383_characters(void **state)
{
	(void)state;
	WCHAR *text = calloc(16384, sizeof(WCHAR));
	for (int i = 0; i < 16384; i++)
		text[i] = u'v';
	UNICODE_STRING name = {16384 * 2, 16384 * 2, text};
	assert_status(ZwSetValueKey(key, &name, 0, REG_NONE, NULL, 0), STATUS_INVALID_PARAMETER);
	name.Length -= 2;
	assert_ntsuccess(ZwSetValueKey(key, &name, 0, REG_NONE, NULL, 0));
	free(text);
}

static void cm_set_value_makes_the_keys_on_the_way(void **state)
{
	(void)state;
	UNICODE_STRING path = USTR(SERVICES u"\\new\\Parameters"), name = USTR(u"v");
	UNICODE_STRING elsewhere = USTR(u"\\Device\\x"), relative = USTR(u"Registry\\Machine");
	ULONG value = 5;
	assert_ntsuccess(cm_set_value(&path, &name, REG_DWORD, &value, 4));
	HANDLE other = key;
	key = open_key(NULL, SERVICES u"\\NEW\\parameters");
	assert_int_equal(read_dword(u"v"), 5);
	ZwClose(key);
	key = other;
	assert_status(cm_set_value(&elsewhere, &name, REG_DWORD, &value, 4),
		      STATUS_OBJECT_PATH_NOT_FOUND);
	assert_status(cm_set_value(&relative, &name, REG_DWORD, &value, 4),
		      STATUS_OBJECT_PATH_SYNTAX_BAD);
}

/* ---- Without memory, and with company --------------------------------------------- */

static unsigned failing, seen;

static bool fail_one(const char *site)
{
	(void)site;
	return seen++ == failing;
}

static void wdk_set_without_memory_leaves_the_old_value(void **state)
{
	(void)state;
	UNICODE_STRING name = USTR(u"v"), fresh = USTR(u"w");
	ULONG one = 1, two = 2, result;
	set_value(key, u"v", REG_DWORD, &one, 4);
	failing = seen = 0;
	host_fail_allocations(fail_one);
	assert_status(ZwSetValueKey(key, &name, 0, REG_DWORD, &two, 4),
		      STATUS_INSUFFICIENT_RESOURCES);
	assert_int_equal(seen, 1);
	host_fail_allocations(NULL);
	assert_int_equal(read_dword(u"v"), 1);
	/* The fifth value makes the list grow: the second allocation. */
	for (WCHAR c[2] = u"a"; c[0] < u'd'; c[0]++)
		set_value(key, c, REG_DWORD, &one, 4);
	failing = 1;
	seen = 0;
	host_fail_allocations(fail_one);
	assert_status(ZwSetValueKey(key, &fresh, 0, REG_DWORD, &two, 4),
		      STATUS_INSUFFICIENT_RESOURCES);
	host_fail_allocations(NULL);
	assert_status(query(u"w", KeyValuePartialInformation, NULL, 0, &result),
		      STATUS_OBJECT_NAME_NOT_FOUND);
}

/* A value is one or the other, never a mixture, however it is raced for. */
static void *flip(void *unused)
{
	static const char short_text[] = "aaaa", long_text[] = "bbbbbbbbbbbbbbbbbbbbbbb";
	(void)unused;
	for (int i = 0; i < 20000; i++) {
		UNICODE_STRING name = USTR(u"flip");
		if (i % 7 == 6)
			ZwDeleteValueKey(key, &name);
		else if (i % 2)
			set_value(key, u"flip", REG_BINARY, short_text, sizeof(short_text));
		else
			set_value(key, u"flip", REG_BINARY, long_text, sizeof(long_text));
	}
	return NULL;
}

static void cm_concurrent_setting_and_querying_never_mixes(void **state)
{
	(void)state;
	pthread_t writer;
	unsigned shorts = 0, longs = 0, missing = 0;
	assert_int_equal(pthread_create(&writer, NULL, flip, NULL), 0);
	for (int i = 0; i < 20000; i++) {
		char buffer[64];
		KEY_VALUE_PARTIAL_INFORMATION *info = (void *)buffer;
		ULONG result;
		NTSTATUS status = query(u"flip", KeyValuePartialInformation, buffer, sizeof(buffer),
					&result);
		if (status == STATUS_OBJECT_NAME_NOT_FOUND) {
			missing++;
			continue;
		}
		assert_ntsuccess(status);
		bool is_short = info->DataLength == 5;
		assert_true(is_short || info->DataLength == 24);
		for (ULONG j = 0; j + 1 < info->DataLength; j++)
			assert_int_equal(info->Data[j], is_short ? 'a' : 'b');
		is_short ? shorts++ : longs++;
	}
	pthread_join(writer, NULL);
	assert_int_equal(shorts + longs + missing, 20000);
}

#define KEY_TEST(name) cmocka_unit_test_setup_teardown(name, open_test_key, close_test_key)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KEY_TEST(wdk_basic_information_has_type_and_name),
		KEY_TEST(wdk_partial_information_has_type_and_data),
		KEY_TEST(wdk_full_information_has_name_and_aligned_data),
		KEY_TEST(wdk_value_without_data_has_no_data_offset),
		KEY_TEST(wdk_short_value_buffers_overflow_or_are_too_small),
		KEY_TEST(wdk_missing_value_and_unknown_class),
		KEY_TEST(wdk_setting_again_replaces_in_place),
		KEY_TEST(wdk_empty_name_is_the_default_value),
		KEY_TEST(wdk_trailing_nuls_do_not_count),
		KEY_TEST(wdk_deleting_closes_the_gap),
		KEY_TEST(wdk_value_name_has_at_most_16383_characters),
		KEY_TEST(cm_set_value_makes_the_keys_on_the_way),
		KEY_TEST(wdk_set_without_memory_leaves_the_old_value),
		KEY_TEST(cm_concurrent_setting_and_querying_never_mixes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
