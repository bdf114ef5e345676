/* SPDX-License-Identifier: MIT */
/* RtlQueryRegistryValues and the run-time library's other short cuts. */
#include "keys.h"
#include "ex/pool.h"
#include "memory.h"
#include <stdio.h>

#define PATH SERVICES u"\\query"

static HANDLE key;

/* What the routine was called with, one line each: "name type size text-or-number". */
static char heard[2048];

static int open_query_key(void **state)
{
	world_documented(state);
	key = create_key(NULL, PATH);
	heard[0] = 0;
	return 0;
}

static int close_query_key(void **state)
{
	assert_ntsuccess(ZwClose(key));
	return world_end(state);
}

static void narrow(char *out, PCWSTR text)
{
	while (text && *text)
		*out++ = (char)*text++;
	*out = 0;
}

static NTSTATUS NTAPI hear(PWSTR name, ULONG type, PVOID data, ULONG size, PVOID context,
			   PVOID entry_context)
{
	char name_text[64], value[64] = "";
	narrow(name_text, name);
	if (type == REG_SZ || type == REG_EXPAND_SZ || type == REG_MULTI_SZ)
		narrow(value, data);
	else if (type == REG_DWORD)
		sprintf(value, "%u", *(ULONG *)data);
	sprintf(heard + strlen(heard), "%s %u %u %s;", name_text, type, size, value);
	assert_ptr_equal(context, &key);
	return (NTSTATUS)(LONG_PTR)entry_context;
}

static NTSTATUS run(RTL_QUERY_REGISTRY_TABLE *table)
{
	return RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, PATH, table, &key, NULL);
}

static void set_text(PCWSTR name, ULONG type, PCWSTR text, size_t units)
{
	set_value(key, name, type, text, (ULONG)(units * sizeof(WCHAR)));
}

static void wdk_routine_gets_named_value(void **state)
{
	(void)state;
	RTL_QUERY_REGISTRY_TABLE table[] = {{.QueryRoutine = hear, .Name = u"Text"},
					    {.QueryRoutine = hear, .Name = u"none"},
					    {.QueryRoutine = hear, .Name = u"Number"},
					    {0}};
	ULONG number = 42;
	set_text(u"Text", REG_SZ, u"hello", 6);
	set_value(key, u"number", REG_DWORD, &number, 4);
	assert_ntsuccess(run(table));
	assert_string_equal(heard, "Text 1 12 hello;number 4 4 42;");
}

static void wdk_text_without_terminator_gets_one(void **state)
{
	(void)state;
	RTL_QUERY_REGISTRY_TABLE table[] = {{.QueryRoutine = hear, .Name = u"t"}, {0}};
	set_text(u"t", REG_SZ, u"abcXXX", 3);
	assert_ntsuccess(run(table));
	assert_string_equal(heard, "t 1 8 abc;");
}

static void wdk_failing_routine_ends_the_query(void **state)
{
	(void)state;
	RTL_QUERY_REGISTRY_TABLE table[] = {{.QueryRoutine = hear,
					     .Name = u"t",
					     .EntryContext = (PVOID)(LONG_PTR)STATUS_CANCELLED},
					    {.QueryRoutine = hear, .Name = u"t"},
					    {0}};
	set_text(u"t", REG_SZ, u"x", 2);
	assert_status(run(table), STATUS_CANCELLED);
	assert_string_equal(heard, "t 1 4 x;");
}

static void wdk_required_value_must_exist(void **state)
{
	(void)state;
	ULONG number = 5;
	RTL_QUERY_REGISTRY_TABLE table[] = {{.QueryRoutine = hear,
					     .Name = u"none",
					     .Flags = RTL_QUERY_REGISTRY_REQUIRED,
					     .DefaultType = REG_DWORD,
					     .DefaultData = &number,
					     .DefaultLength = 4},
					    {0}};
	assert_status(run(table), STATUS_OBJECT_NAME_NOT_FOUND);
	assert_string_equal(heard, "");
	RTL_QUERY_REGISTRY_TABLE all[] = {
		{.QueryRoutine = hear, .Flags = RTL_QUERY_REGISTRY_REQUIRED}, {0}};
	assert_status(run(all), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void wdk_missing_value_takes_its_default(void **state)
{
	(void)state;
	ULONG number = 5;
	RTL_QUERY_REGISTRY_TABLE table[] = {{.QueryRoutine = hear,
					     .Name = u"n",
					     .DefaultType = REG_DWORD,
					     .DefaultData = &number,
					     .DefaultLength = 4},
					    {.QueryRoutine = hear,
					     .Name = u"s",
					     .DefaultType = REG_SZ,
					     .DefaultData = u"words"},
					    {.QueryRoutine = hear,
					     .Name = u"m",
					     .DefaultType = REG_MULTI_SZ,
					     .DefaultData = u"a\0bb\0",
					     .Flags = RTL_QUERY_REGISTRY_NOEXPAND},
					    {0}};
	assert_ntsuccess(run(table));
	assert_string_equal(heard, "n 4 4 5;s 1 12 words;m 7 12 a;");
}

static void wdk_multi_string_is_broken_up_unless_noexpand(void **state)
{
	(void)state;
	RTL_QUERY_REGISTRY_TABLE table[] = {{.QueryRoutine = hear, .Name = u"m"}, {0}};
	set_text(u"m", REG_MULTI_SZ, u"one\0two\0", 9);
	assert_ntsuccess(run(table));
	assert_string_equal(heard, "m 1 8 one;m 1 8 two;");
	heard[0] = 0;
	table[0].Flags = RTL_QUERY_REGISTRY_NOEXPAND;
	assert_ntsuccess(run(table));
	assert_string_equal(heard, "m 7 18 one;");
}

static void wdk_expand_string_uses_the_environment(void **state)
{
	(void)state;
	static const WCHAR environment[] = u"EMPTY=\0Root=C:\\Win\0";
	RTL_QUERY_REGISTRY_TABLE table[] = {{.QueryRoutine = hear, .Name = u"e"}, {0}};
	static const WCHAR text[] = u"%ROOT%\\x%empty%%Roo%5%";
	set_value(key, u"e", REG_EXPAND_SZ, text, sizeof(text));
	assert_ntsuccess(RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, PATH, table, &key,
						(PVOID)environment));
	assert_string_equal(heard, "e 1 32 C:\\Win\\x%Roo%5%;");
	heard[0] = 0;
	table[0].Flags = RTL_QUERY_REGISTRY_NOEXPAND;
	assert_ntsuccess(run(table));
	assert_string_equal(heard, "e 2 46 %ROOT%\\x%empty%%Roo%5%;");
}

static void wdk_no_name_means_every_value(void **state)
{
	(void)state;
	RTL_QUERY_REGISTRY_TABLE table[] = {{.QueryRoutine = hear}, {0}};
	ULONG number = 1;
	set_value(key, u"a", REG_DWORD, &number, 4);
	set_text(u"b", REG_SZ, u"x", 2);
	assert_ntsuccess(run(table));
	assert_string_equal(heard, "a 4 4 1;b 1 4 x;");
}

static void wdk_delete_removes_what_was_read(void **state)
{
	(void)state;
	RTL_QUERY_REGISTRY_TABLE table[] = {
		{.QueryRoutine = hear, .Flags = RTL_QUERY_REGISTRY_DELETE}, {0}};
	ULONG number = 1, result;
	set_value(key, u"a", REG_DWORD, &number, 4);
	set_value(key, u"b", REG_DWORD, &number, 4);
	assert_ntsuccess(run(table));
	assert_string_equal(heard, "a 4 4 1;b 4 4 1;");
	assert_status(ZwEnumerateValueKey(key, 0, KeyValueBasicInformation, NULL, 0, &result),
		      STATUS_NO_MORE_ENTRIES);
}

static void wdk_novalue_only_calls(void **state)
{
	(void)state;
	RTL_QUERY_REGISTRY_TABLE table[] = {
		{.QueryRoutine = hear, .Flags = RTL_QUERY_REGISTRY_NOVALUE}, {0}};
	set_text(u"b", REG_SZ, u"x", 2);
	assert_ntsuccess(run(table));
	assert_string_equal(heard, " 0 0 ;");
}

static void wdk_subkey_and_topkey_move_the_following_entries(void **state)
{
	(void)state;
	RTL_QUERY_REGISTRY_TABLE table[] = {
		{.Name = u"sub", .Flags = RTL_QUERY_REGISTRY_SUBKEY},
		{.QueryRoutine = hear, .Name = u"v"},
		{.QueryRoutine = hear, .Name = u"v", .Flags = RTL_QUERY_REGISTRY_TOPKEY},
		{.QueryRoutine = hear, .Name = u"sub", .Flags = RTL_QUERY_REGISTRY_SUBKEY},
		{0}};
	ULONG top = 1, below = 2;
	HANDLE sub = create_key(key, u"sub");
	set_value(key, u"v", REG_DWORD, &top, 4);
	set_value(sub, u"v", REG_DWORD, &below, 4);
	uint64_t before = host_live_allocations();
	assert_ntsuccess(run(table));
	assert_int_equal(host_live_allocations(), before); /* no handle stays open */
	assert_string_equal(heard, "v 4 4 2;v 4 4 1;v 4 4 2;");
	ZwClose(sub);
	RTL_QUERY_REGISTRY_TABLE missing[] = {{.Name = u"none", .Flags = RTL_QUERY_REGISTRY_SUBKEY},
					      {0}};
	assert_status(run(missing), STATUS_OBJECT_NAME_NOT_FOUND);
	RTL_QUERY_REGISTRY_TABLE nameless[] = {{.Flags = RTL_QUERY_REGISTRY_SUBKEY}, {0}};
	assert_status(run(nameless), STATUS_INVALID_PARAMETER);
}

/* ---- Direct ------------------------------------------------------------------------ */

static NTSTATUS run_direct(PCWSTR name, void *to, ULONG flags, ULONG default_type)
{
	RTL_QUERY_REGISTRY_TABLE table[] = {{.Name = (PWSTR)name,
					     .Flags = RTL_QUERY_REGISTRY_DIRECT | flags,
					     .EntryContext = to,
					     .DefaultType = default_type},
					    {0}};
	return run(table);
}

static void wdk_direct_stores_a_dword(void **state)
{
	(void)state;
	ULONG number = 77, stored[2] = {0, 0x55555555};
	set_value(key, u"n", REG_DWORD, &number, 4);
	assert_ntsuccess(run_direct(u"n", stored, 0, 0));
	assert_int_equal(stored[0], 77);
	assert_int_equal(stored[1], 0x55555555);
}

static void wdk_direct_allocates_or_fills_a_string(void **state)
{
	(void)state;
	WCHAR buffer[8];
	UNICODE_STRING fresh = {0}, small = {0, 10, buffer}, fits = {0, 12, buffer};
	set_text(u"t", REG_SZ, u"hello", 6);
	assert_ntsuccess(run_direct(u"t", &fresh, 0, 0));
	assert_int_equal(fresh.Length, 10);
	assert_int_equal(fresh.MaximumLength, 12);
	assert_memory_equal(fresh.Buffer, u"hello", 12);
	ExFreePool(fresh.Buffer);
	assert_status(run_direct(u"t", &small, 0, 0), STATUS_BUFFER_TOO_SMALL);
	assert_int_equal(small.Length, 0);
	assert_ntsuccess(run_direct(u"t", &fits, 0, 0));
	assert_int_equal(fits.Length, 10);
	assert_ptr_equal(fits.Buffer, buffer);
}

static void wdk_direct_multi_string_needs_noexpand(void **state)
{
	(void)state;
	UNICODE_STRING text = {0};
	set_text(u"m", REG_MULTI_SZ, u"a\0b\0", 5);
	assert_status(run_direct(u"m", &text, 0, 0), STATUS_INVALID_PARAMETER);
	assert_ntsuccess(run_direct(u"m", &text, RTL_QUERY_REGISTRY_NOEXPAND, 0));
	assert_int_equal(text.Length, 8);
	assert_memory_equal(text.Buffer, u"a\0b\0", 10);
	ExFreePool(text.Buffer);
}

static void wdk_direct_binary_says_its_size_first(void **state)
{
	(void)state;
	struct {
		LONG size;
		ULONG type;
		char data[8];
		char guard;
	} buffer = {.guard = 0x55};
	set_value(key, u"b", REG_BINARY, "12345678", 8);
	buffer.size = 16; /* room for length, type and data */
	assert_ntsuccess(run_direct(u"b", &buffer, 0, 0));
	assert_int_equal(buffer.size, 8);
	assert_int_equal(buffer.type, REG_BINARY);
	assert_memory_equal(buffer.data, "12345678", 8);
	buffer.size = 15;
	assert_status(run_direct(u"b", &buffer, 0, 0), STATUS_BUFFER_TOO_SMALL);
	buffer.size = -8; /* data alone */
	assert_ntsuccess(run_direct(u"b", &buffer, 0, 0));
	assert_memory_equal(&buffer, "12345678", 8);
	buffer.size = -7;
	assert_status(run_direct(u"b", &buffer, 0, 0), STATUS_BUFFER_TOO_SMALL);
	buffer.size = 4;
	assert_status(run_direct(u"b", &buffer, 0, 0), STATUS_BUFFER_TOO_SMALL);
	assert_int_equal(buffer.guard, 0x55);
}

static void wdk_typecheck_refuses_another_type(void **state)
{
	(void)state;
	const ULONG flags = RTL_QUERY_REGISTRY_TYPECHECK;
	const ULONG dword = REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT;
	const ULONG text = REG_SZ << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT;
	ULONG number = 3, stored = 0;
	set_value(key, u"n", REG_DWORD, &number, 4);
	assert_status(run_direct(u"n", &stored, flags, text), STATUS_OBJECT_TYPE_MISMATCH);
	assert_int_equal(stored, 0);
	assert_ntsuccess(run_direct(u"n", &stored, flags, dword));
	assert_int_equal(stored, 3);
	/* The type of the default is what is left of the member. */
	assert_ntsuccess(run_direct(u"none", &stored, flags, dword | REG_NONE));
	assert_int_equal(stored, 3);
}

static void wdk_direct_entry_takes_no_routine_and_needs_a_name(void **state)
{
	(void)state;
	ULONG stored;
	RTL_QUERY_REGISTRY_TABLE both[] = {{.QueryRoutine = hear,
					    .Name = u"n",
					    .Flags = RTL_QUERY_REGISTRY_DIRECT,
					    .EntryContext = &stored},
					   {0}};
	assert_status(run(both), STATUS_INVALID_PARAMETER);
	assert_status(run_direct(NULL, &stored, 0, 0), STATUS_INVALID_PARAMETER);
}

/* ---- Where it begins --------------------------------------------------------------- */

static void wdk_relative_to_names_the_place(void **state)
{
	(void)state;
	static const struct {
		ULONG relative_to;
		PCWSTR path;
		NTSTATUS status;
	} cases[] = {
		{RTL_REGISTRY_ABSOLUTE, PATH, STATUS_SUCCESS},
		{RTL_REGISTRY_SERVICES, u"query", STATUS_SUCCESS},
		{RTL_REGISTRY_SERVICES, u"\\query", STATUS_SUCCESS},
		{RTL_REGISTRY_SERVICES, NULL, STATUS_SUCCESS},
		{RTL_REGISTRY_CONTROL, u"", STATUS_SUCCESS},
		{RTL_REGISTRY_WINDOWS_NT, NULL, STATUS_SUCCESS},
		{RTL_REGISTRY_DEVICEMAP, NULL, STATUS_SUCCESS},
		{RTL_REGISTRY_USER, NULL, STATUS_SUCCESS},
		{RTL_REGISTRY_SERVICES, u"nobody", STATUS_OBJECT_NAME_NOT_FOUND},
		{RTL_REGISTRY_MAXIMUM, NULL, STATUS_INVALID_PARAMETER},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_status(RtlCheckRegistryKey(cases[i].relative_to, (PWSTR)cases[i].path),
			      cases[i].status);
	assert_ntsuccess(RtlCheckRegistryKey(RTL_REGISTRY_HANDLE, (PWSTR)key));
	assert_status(RtlCheckRegistryKey(RTL_REGISTRY_HANDLE, (PWSTR)0xBAD0),
		      STATUS_INVALID_HANDLE);
}

static void wdk_optional_key_may_be_missing(void **state)
{
	(void)state;
	ULONG number = 8;
	RTL_QUERY_REGISTRY_TABLE table[] = {{.Name = u"sub", .Flags = RTL_QUERY_REGISTRY_SUBKEY},
					    {.QueryRoutine = hear,
					     .Name = u"n",
					     .DefaultType = REG_DWORD,
					     .DefaultData = &number,
					     .DefaultLength = 4},
					    {.QueryRoutine = hear},
					    {0}};
	assert_status(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, u"nobody", table, &key, NULL),
		      STATUS_OBJECT_NAME_NOT_FOUND);
	assert_ntsuccess(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES | RTL_REGISTRY_OPTIONAL,
						u"nobody", table, &key, NULL));
	assert_string_equal(heard, "n 4 4 8;");
}

static void wdk_write_creates_and_delete_removes(void **state)
{
	(void)state;
	ULONG number = 6, stored = 0;
	RTL_QUERY_REGISTRY_TABLE table[] = {
		{.Name = u"v", .Flags = RTL_QUERY_REGISTRY_DIRECT, .EntryContext = &stored}, {0}};
	assert_ntsuccess(RtlWriteRegistryValue(RTL_REGISTRY_SERVICES, u"written", u"v", REG_DWORD,
					       &number, 4));
	assert_ntsuccess(
		RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, u"written", table, NULL, NULL));
	assert_int_equal(stored, 6);
	assert_ntsuccess(RtlDeleteRegistryValue(RTL_REGISTRY_SERVICES, u"written", u"v"));
	assert_status(RtlDeleteRegistryValue(RTL_REGISTRY_SERVICES, u"written", u"v"),
		      STATUS_OBJECT_NAME_NOT_FOUND);
	assert_status(RtlDeleteRegistryValue(RTL_REGISTRY_SERVICES, u"nobody", u"v"),
		      STATUS_OBJECT_NAME_NOT_FOUND);
	assert_ntsuccess(RtlWriteRegistryValue(RTL_REGISTRY_HANDLE, (PCWSTR)key, u"v", REG_DWORD,
					       &number, 4));
	assert_ntsuccess(run_direct(u"v", &stored, 0, 0));
}

static void wdk_create_registry_key(void **state)
{
	(void)state;
	assert_ntsuccess(RtlCreateRegistryKey(RTL_REGISTRY_SERVICES, u"fresh"));
	assert_ntsuccess(RtlCreateRegistryKey(RTL_REGISTRY_SERVICES, u"fresh"));
	assert_ntsuccess(RtlCheckRegistryKey(RTL_REGISTRY_SERVICES, u"FRESH"));
	assert_status(RtlCreateRegistryKey(RTL_REGISTRY_SERVICES, u"a\\b"),
		      STATUS_OBJECT_NAME_NOT_FOUND);
}

/* ---- Without memory ------------------------------------------------------------------ */

static unsigned failing, seen;

static bool fail_one(const char *site)
{
	(void)site;
	return seen++ == failing;
}

static void wdk_query_without_memory_fails_cleanly(void **state)
{
	(void)state;
	static const WCHAR text[] = u"%x%";
	NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
	UNICODE_STRING stored = {0};
	set_value(key, u"e", REG_EXPAND_SZ, text, sizeof(text));
	for (failing = 0;; failing++) {
		seen = 0;
		host_fail_allocations(fail_one);
		status = run_direct(u"e", &stored, 0, 0);
		host_fail_allocations(NULL);
		if (NT_SUCCESS(status))
			break;
		assert_status(status, STATUS_INSUFFICIENT_RESOURCES);
		assert_null(stored.Buffer);
	}
	assert_true(failing >= 5); /* path, key object, two copies, expansion, pool */
	ExFreePool(stored.Buffer);
}

#define QUERY_TEST(name) cmocka_unit_test_setup_teardown(name, open_query_key, close_query_key)

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUERY_TEST(wdk_routine_gets_named_value),
		QUERY_TEST(wdk_text_without_terminator_gets_one),
		QUERY_TEST(wdk_failing_routine_ends_the_query),
		QUERY_TEST(wdk_required_value_must_exist),
		QUERY_TEST(wdk_missing_value_takes_its_default),
		QUERY_TEST(wdk_multi_string_is_broken_up_unless_noexpand),
		QUERY_TEST(wdk_expand_string_uses_the_environment),
		QUERY_TEST(wdk_no_name_means_every_value),
		QUERY_TEST(wdk_delete_removes_what_was_read),
		QUERY_TEST(wdk_novalue_only_calls),
		QUERY_TEST(wdk_subkey_and_topkey_move_the_following_entries),
		QUERY_TEST(wdk_direct_stores_a_dword),
		QUERY_TEST(wdk_direct_allocates_or_fills_a_string),
		QUERY_TEST(wdk_direct_multi_string_needs_noexpand),
		QUERY_TEST(wdk_direct_binary_says_its_size_first),
		QUERY_TEST(wdk_typecheck_refuses_another_type),
		QUERY_TEST(wdk_direct_entry_takes_no_routine_and_needs_a_name),
		QUERY_TEST(wdk_relative_to_names_the_place),
		QUERY_TEST(wdk_optional_key_may_be_missing),
		QUERY_TEST(wdk_write_creates_and_delete_removes),
		QUERY_TEST(wdk_create_registry_key),
		QUERY_TEST(wdk_query_without_memory_fails_cleanly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
