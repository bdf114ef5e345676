/* SPDX-License-Identifier: MIT */
/* Named objects: directories, symbolic links, when a name goes, what an object is called. */
#include "ob/directory.h"
#include "ob/handle.h"
#include "ps/process.h"
#include "support/world.h"
#include <string.h>

static OBJECT_ATTRIBUTES named(UNICODE_STRING *name, ULONG attributes)
{
	return (OBJECT_ATTRIBUTES){sizeof(OBJECT_ATTRIBUTES), NULL, name, attributes, NULL, NULL};
}

static NTSTATUS create_directory(const WCHAR *text, USHORT length, ULONG attributes, PHANDLE handle)
{
	UNICODE_STRING name = {length, length, (PWSTR)(uintptr_t)text};
	OBJECT_ATTRIBUTES oa = named(&name, attributes);
	return ZwCreateDirectoryObject(handle, DIRECTORY_QUERY, &oa);
}
#define CREATE(text, attributes, handle)                                                           \
	create_directory(text, sizeof(text) - 2, attributes, handle)

static NTSTATUS open_directory(const WCHAR *text, USHORT length, PHANDLE handle)
{
	UNICODE_STRING name = {length, length, (PWSTR)(uintptr_t)text};
	OBJECT_ATTRIBUTES oa = named(&name, 0);
	return ZwOpenDirectoryObject(handle, DIRECTORY_QUERY, &oa);
}
#define OPEN(text, handle) open_directory(text, sizeof(text) - 2, handle)

static void temporary_name_goes_with_the_last_handle(void **state)
{
	(void)state;
	HANDLE first, second;
	assert_ntsuccess(CREATE(u"\\Mine", 0, &first));
	assert_ntsuccess(OPEN(u"\\mine", &second));
	assert_ntsuccess(ZwClose(first));
	assert_status(CREATE(u"\\MINE", 0, &first), STATUS_OBJECT_NAME_COLLISION);
	assert_status(CREATE(u"\\Mine", OBJ_OPENIF, &first), STATUS_OBJECT_NAME_EXISTS);
	assert_ntsuccess(ZwClose(first));
	assert_ntsuccess(ZwClose(second));
	assert_status(OPEN(u"\\Mine", &second), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void permanent_name_stays_until_it_is_made_temporary(void **state)
{
	(void)state;
	HANDLE handle;
	assert_ntsuccess(CREATE(u"\\Device\\Sub", OBJ_PERMANENT, &handle));
	assert_ntsuccess(ZwClose(handle));
	assert_ntsuccess(OPEN(u"\\Device\\Sub", &handle));
	assert_ntsuccess(ZwMakeTemporaryObject(handle));
	assert_ntsuccess(ZwClose(handle));
	assert_status(OPEN(u"\\Device\\Sub", &handle), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void link_leads_on_and_can_be_asked_for_its_target(void **state)
{
	(void)state;
	HANDLE link, directory;
	UNICODE_STRING name = USTR(u"\\To"), target = USTR(u"\\Device");
	OBJECT_ATTRIBUTES oa = named(&name, 0);
	assert_ntsuccess(ZwCreateSymbolicLinkObject(&link, SYMBOLIC_LINK_QUERY, &oa, &target));
	assert_ntsuccess(OPEN(u"\\To", &directory));
	assert_ntsuccess(ZwClose(directory));

	WCHAR text[8] = {0};
	ULONG needed = 0;
	UNICODE_STRING answer = {0, 6, text};
	assert_status(ZwQuerySymbolicLinkObject(link, &answer, &needed), STATUS_BUFFER_TOO_SMALL);
	assert_int_equal(needed, target.MaximumLength);
	answer.MaximumLength = sizeof(text);
	assert_ntsuccess(ZwQuerySymbolicLinkObject(link, &answer, &needed));
	assert_int_equal(answer.Length, target.Length);
	assert_memory_equal(text, target.Buffer, target.MaximumLength);
	assert_ntsuccess(ZwClose(link));
}

static void links_in_a_circle_end(void **state)
{
	(void)state;
	HANDLE link, none;
	UNICODE_STRING name = USTR(u"\\Round"), target = USTR(u"\\Round\\x");
	OBJECT_ATTRIBUTES oa = named(&name, 0);
	assert_ntsuccess(ZwCreateSymbolicLinkObject(&link, SYMBOLIC_LINK_QUERY, &oa, &target));
	assert_status(OPEN(u"\\Round", &none), STATUS_OBJECT_NAME_NOT_FOUND);
	assert_ntsuccess(ZwClose(link));
}

static void object_tells_its_full_name(void **state)
{
	(void)state;
	HANDLE handle;
	PVOID object;
	ULONG64 buffer[16];
	UNICODE_STRING *answer = (void *)buffer;
	static const WCHAR full[] = u"\\Device\\Sub";
	ULONG needed;
	assert_ntsuccess(CREATE(u"\\device\\Sub", 0, &handle));
	assert_ntsuccess(ObReferenceObjectByHandle(handle, 0, NULL, KernelMode, &object, NULL));
	assert_status(ObQueryNameString(object, buffer, 20, &needed), STATUS_INFO_LENGTH_MISMATCH);
	assert_int_equal(needed, 16 + sizeof(full));
	assert_ntsuccess(ObQueryNameString(object, buffer, sizeof(buffer), &needed));
	assert_int_equal(answer->Length, sizeof(full) - 2);
	assert_memory_equal(answer->Buffer, full, sizeof(full));
	rs_release(object);
	assert_ntsuccess(ZwClose(handle));
	assert_ntsuccess(
		ObQueryNameString(PsInitialSystemProcess, buffer, sizeof(buffer), &needed));
	assert_int_equal(answer->Length, 0);
}

struct row {
	UNICODE_STRING name, type;
};

static void directory_lists_names_and_types(void **state)
{
	(void)state;
	HANDLE top, sub[2];
	ULONG64 buffer[64];
	struct row *rows = (void *)buffer;
	ULONG context = 0, length, count = 0;
	assert_ntsuccess(CREATE(u"\\Top", 0, &top));
	assert_ntsuccess(CREATE(u"\\Top\\a", 0, &sub[0]));
	assert_ntsuccess(CREATE(u"\\Top\\bc", 0, &sub[1]));
	assert_ntsuccess(ZwQueryDirectoryObject(top, buffer, sizeof(buffer), FALSE, TRUE, &context,
						&length));
	assert_int_equal(context, 2);
	assert_int_equal(rows[0].name.Length, 2);
	assert_memory_equal(rows[1].name.Buffer, u"bc", 6);
	assert_memory_equal(rows[1].type.Buffer, u"Directory", 20);
	assert_null(rows[2].name.Buffer);
	/* In room for one at a time. */
	for (BOOLEAN restart = TRUE;
	     NT_SUCCESS(ZwQueryDirectoryObject(top, buffer, 96, FALSE, restart, &context, &length));
	     restart = FALSE)
		count++;
	assert_int_equal(count, 2);
	assert_status(ZwQueryDirectoryObject(top, buffer, 40, TRUE, TRUE, &context, &length),
		      STATUS_BUFFER_TOO_SMALL);
	for (int i = 0; i < 2; i++)
		assert_ntsuccess(ZwClose(sub[i]));
	assert_status(
		ZwQueryDirectoryObject(top, buffer, sizeof(buffer), FALSE, TRUE, &context, &length),
		STATUS_NO_MORE_ENTRIES);
	assert_ntsuccess(ZwClose(top));
}

static void every_failing_allocation_leaves_nothing_behind(void **state)
{
	(void)state;
	for (unsigned n = 0;; n++) {
		HANDLE handle;
		fail_allocation("ob/", n);
		NTSTATUS status = CREATE(u"\\Device\\Sub", 0, &handle);
		if (!stop_failing()) {
			assert_ntsuccess(status);
			assert_ntsuccess(ZwClose(handle));
			assert_true(n > 2);
			break;
		}
		assert_status(status, STATUS_INSUFFICIENT_RESOURCES);
		assert_status(OPEN(u"\\Device\\Sub", &handle), STATUS_OBJECT_NAME_NOT_FOUND);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(temporary_name_goes_with_the_last_handle),
		WORLD_TEST(permanent_name_stays_until_it_is_made_temporary),
		WORLD_TEST(link_leads_on_and_can_be_asked_for_its_target),
		WORLD_TEST(links_in_a_circle_end),
		WORLD_TEST(object_tells_its_full_name),
		WORLD_TEST(directory_lists_names_and_types),
		WORLD_TEST(every_failing_allocation_leaves_nothing_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
