/* SPDX-License-Identifier: MIT */
/* Keys: names, creation, deletion, enumeration. */
#include "cm/tree.h"
#include "ke/bugcheck.h"
#include "keys.h"
#include "memory.h"
#include "support/bugcheck.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void wdk_open_is_case_insensitive_and_follows_root_directory(void **state)
{
	(void)state;
	HANDLE services = open_key(NULL,
				   u"\\REGISTRY\\machine\\SYSTEM\\currentcontrolset\\services");
	HANDLE made = create_key(services, u"Warden");
	HANDLE again = open_key(services, u"WARDEN");
	HANDLE absolute = open_key(NULL, SERVICES u"\\warden");
	assert_ntsuccess(ZwClose(absolute));
	assert_ntsuccess(ZwClose(again));
	assert_ntsuccess(ZwClose(made));
	assert_ntsuccess(ZwClose(services));
}

static void wdk_names_that_lead_nowhere(void **state)
{
	(void)state;
	static const struct {
		PCWSTR path;
		NTSTATUS status;
	} cases[] = {
		{SERVICES u"\\nobody", STATUS_OBJECT_NAME_NOT_FOUND},
		{SERVICES u"\\nobody\\Parameters", STATUS_OBJECT_NAME_NOT_FOUND},
		{u"Registry\\Machine", STATUS_OBJECT_PATH_SYNTAX_BAD},
		{u"", STATUS_OBJECT_PATH_SYNTAX_BAD},
		{u"\\Registrar", STATUS_OBJECT_NAME_NOT_FOUND},
		{u"\\Device\\Null", STATUS_OBJECT_PATH_NOT_FOUND},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		HANDLE handle = (HANDLE)0x77;
		assert_status(try_open(NULL, cases[i].path, &handle), cases[i].status);
		assert_ptr_equal(handle, (HANDLE)0x77);
	}
}

static void wdk_relative_name_with_leading_backslash_is_bad_syntax(void **state)
{
	(void)state;
	HANDLE services = open_key(NULL, SERVICES), handle;
	assert_status(try_open(services, u"\\x", &handle), STATUS_OBJECT_PATH_SYNTAX_BAD);
	assert_ntsuccess(ZwClose(services));
}

static void wdk_object_attributes_are_checked(void **state)
{
	(void)state;
	UNICODE_STRING odd = {3, 4, (PWSTR)u"\\R"};
	OBJECT_ATTRIBUTES attributes = named(NULL, &odd);
	HANDLE handle;
	assert_status(ZwOpenKey(&handle, KEY_READ, &attributes), STATUS_OBJECT_NAME_INVALID);
	attributes.Length--;
	assert_status(ZwOpenKey(&handle, KEY_READ, &attributes), STATUS_INVALID_PARAMETER);
	assert_status(ZwOpenKey(&handle, KEY_READ, NULL), STATUS_INVALID_PARAMETER);
	UNICODE_STRING fine = USTR(u"\\Registry");
	attributes = named(NULL, &fine);
	assert_status(ZwOpenKeyEx(&handle, KEY_READ, &attributes, REG_OPTION_VOLATILE),
		      STATUS_INVALID_PARAMETER);
	assert_ntsuccess(ZwOpenKeyEx(&handle, KEY_READ, &attributes, REG_OPTION_OPEN_LINK));
	assert_ntsuccess(ZwClose(handle));
}

static void wdk_root_directory_must_be_a_key(void **state)
{
	(void)state;
	struct actor actor = actor_start("\\??\\C:\\a.exe");
	HANDLE process = NULL, handle;
	CLIENT_ID id = {.UniqueProcess = (HANDLE)(uintptr_t)id_of(actor.process)};
	OBJECT_ATTRIBUTES none = {.Length = sizeof(none), .Attributes = OBJ_KERNEL_HANDLE};
	NTSTATUS NTAPI ZwOpenProcess(PHANDLE, ACCESS_MASK, POBJECT_ATTRIBUTES, PCLIENT_ID);
	assert_ntsuccess(ZwOpenProcess(&process, PROCESS_TERMINATE, &none, &id));
	assert_status(try_open(process, u"x", &handle), STATUS_OBJECT_TYPE_MISMATCH);
	assert_status(ZwDeleteKey(process), STATUS_OBJECT_TYPE_MISMATCH);
	assert_ntsuccess(ZwClose(process));
	assert_status(try_open((HANDLE)0xABC0, u"x", &handle), STATUS_INVALID_HANDLE);
	actor_end(&actor);
}

static void wdk_create_reports_disposition(void **state)
{
	(void)state;
	HANDLE services = open_key(NULL, SERVICES), first, second;
	ULONG disposition = 0;
	assert_ntsuccess(try_create(services, u"one", 0, &first, &disposition));
	assert_int_equal(disposition, REG_CREATED_NEW_KEY);
	assert_ntsuccess(try_create(services, u"ONE", 0, &second, &disposition));
	assert_int_equal(disposition, REG_OPENED_EXISTING_KEY);
	ZwClose(second);
	ZwClose(first);
	ZwClose(services);
}

static void wdk_create_makes_only_the_last_component(void **state)
{
	(void)state;
	HANDLE handle;
	assert_status(try_create(NULL, SERVICES u"\\a\\b", 0, &handle, NULL),
		      STATUS_OBJECT_NAME_NOT_FOUND);
	assert_status(try_open(NULL, SERVICES u"\\a", &handle), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void wdk_create_refuses_bad_options_and_places(void **state)
{
	(void)state;
	HANDLE handle;
	assert_status(try_create(NULL, SERVICES u"\\a", 0x100, &handle, NULL),
		      STATUS_INVALID_PARAMETER);
	assert_status(try_create(NULL, SERVICES u"\\a", REG_OPTION_CREATE_LINK, &handle, NULL),
		      STATUS_NOT_SUPPORTED);
	assert_status(try_create(NULL, u"\\Registry\\Machine\\Mine", 0, &handle, NULL),
		      STATUS_INVALID_PARAMETER);
	WCHAR longest[257];
	for (int i = 0; i < 256; i++)
		longest[i] = u'n';
	longest[256] = 0;
	HANDLE services = open_key(NULL, SERVICES);
	assert_status(try_create(services, longest, 0, &handle, NULL), STATUS_INVALID_PARAMETER);
	assert_ntsuccess(try_create(services, longest + 1, 0, &handle, NULL));
	ZwClose(handle);
	ZwClose(services);
}

static void wdk_lasting_key_below_volatile_one_is_refused(void **state)
{
	(void)state;
	HANDLE services = open_key(NULL, SERVICES), parent, child;
	assert_ntsuccess(try_create(services, u"v", REG_OPTION_VOLATILE, &parent, NULL));
	assert_status(try_create(parent, u"c", 0, &child, NULL), STATUS_CHILD_MUST_BE_VOLATILE);
	assert_ntsuccess(try_create(parent, u"c", REG_OPTION_VOLATILE, &child, NULL));
	ZwClose(child);
	ZwClose(parent);
	ZwClose(services);
}

static void wdk_tree_has_at_most_512_levels(void **state)
{
	(void)state;
	HANDLE key = open_key(NULL, SERVICES), next = NULL;
	unsigned made = 0;
	NTSTATUS status;
	while (NT_SUCCESS(status = try_create(key, u"d", 0, &next, NULL))) {
		ZwClose(key);
		key = next;
		made++;
	}
	assert_status(status, STATUS_INVALID_PARAMETER);
	assert_int_equal(made, 512 - 5); /* \REGISTRY ... Services are five levels */
	ZwClose(key);
}

static void wdk_deleted_key_is_gone_but_its_handle_stays(void **state)
{
	(void)state;
	HANDLE services = open_key(NULL, SERVICES);
	HANDLE key = create_key(services, u"gone"), handle;
	UNICODE_STRING name = USTR(u"v");
	ULONG length;
	set_value(key, u"v", REG_DWORD, &length, sizeof(length));
	assert_ntsuccess(ZwDeleteKey(key));
	assert_status(try_open(services, u"gone", &handle), STATUS_OBJECT_NAME_NOT_FOUND);
	assert_status(ZwDeleteKey(key), STATUS_KEY_DELETED);
	assert_status(ZwFlushKey(key), STATUS_KEY_DELETED);
	assert_status(ZwQueryValueKey(key, &name, KeyValuePartialInformation, NULL, 0, &length),
		      STATUS_KEY_DELETED);
	assert_status(ZwEnumerateValueKey(key, 0, KeyValuePartialInformation, NULL, 0, &length),
		      STATUS_KEY_DELETED);
	assert_status(ZwSetValueKey(key, &name, 0, REG_NONE, NULL, 0), STATUS_KEY_DELETED);
	assert_status(ZwDeleteValueKey(key, &name), STATUS_KEY_DELETED);
	assert_status(ZwQueryKey(key, KeyNameInformation, NULL, 0, &length), STATUS_KEY_DELETED);
	assert_status(ZwQueryKey(key, KeyFullInformation, NULL, 0, &length), STATUS_KEY_DELETED);
	assert_status(ZwEnumerateKey(key, 0, KeyBasicInformation, NULL, 0, &length),
		      STATUS_KEY_DELETED);
	assert_status(try_open(key, u"", &handle), STATUS_KEY_DELETED);
	assert_status(try_create(key, u"x", 0, &handle, NULL), STATUS_KEY_DELETED);
	/* The name is free again, for another key. */
	HANDLE again = create_key(services, u"gone");
	assert_ntsuccess(ZwFlushKey(again));
	ZwClose(again);
	assert_ntsuccess(ZwClose(key));
	ZwClose(services);
}

static void wdk_key_with_subkeys_cannot_be_deleted(void **state)
{
	(void)state;
	HANDLE services = open_key(NULL, SERVICES);
	HANDLE key = create_key(services, u"p"), child = create_key(key, u"c");
	assert_status(ZwDeleteKey(key), STATUS_CANNOT_DELETE);
	assert_ntsuccess(ZwDeleteKey(child));
	assert_ntsuccess(ZwDeleteKey(key));
	ZwClose(child);
	ZwClose(key);
	ZwClose(services);
}

static void nts_own_keys_cannot_be_deleted(void **state)
{
	(void)state;
	HANDLE user = open_key(NULL, u"\\Registry\\User\\.Default");
	assert_status(ZwDeleteKey(user), STATUS_CANNOT_DELETE);
	ZwClose(user);
}

static ULONG name_at(HANDLE key, ULONG index, WCHAR *name)
{
	char buffer[200];
	KEY_BASIC_INFORMATION *info = (void *)buffer;
	ULONG length;
	assert_ntsuccess(
		ZwEnumerateKey(key, index, KeyBasicInformation, buffer, sizeof(buffer), &length));
	assert_int_equal(length, 16 + info->NameLength);
	memcpy(name, info->Name, info->NameLength);
	return info->NameLength;
}

static void wdk_subkeys_enumerate_in_order_of_names(void **state)
{
	(void)state;
	static const PCWSTR made[] = {u"Zeta", u"alpha", u"Beta", u"gamma10", u"gamma9", u"beta2"};
	static const PCWSTR expected[] = {u"alpha",   u"Beta",   u"beta2",
					  u"gamma10", u"gamma9", u"Zeta"};
	HANDLE services = open_key(NULL, SERVICES), root = create_key(services, u"root");
	for (int i = 0; i < 6; i++)
		ZwClose(create_key(root, made[i]));
	for (ULONG i = 0; i < 6; i++) {
		WCHAR name[32];
		UNICODE_STRING text = counted(expected[i]);
		assert_int_equal(name_at(root, i, name), text.Length);
		assert_memory_equal(name, text.Buffer, text.Length);
	}
	ULONG length;
	assert_status(ZwEnumerateKey(root, 6, KeyBasicInformation, NULL, 0, &length),
		      STATUS_NO_MORE_ENTRIES);
	assert_status(ZwEnumerateKey(root, 0, KeyNameInformation, NULL, 0, &length),
		      STATUS_INVALID_PARAMETER);
	ZwClose(root);
	ZwClose(services);
}

static void wdk_query_full_counts_and_measures(void **state)
{
	(void)state;
	HANDLE services = open_key(NULL, SERVICES), key, child;
	UNICODE_STRING name = USTR(u"full"), class = USTR(u"Klass"), sub = USTR(u"sub");
	OBJECT_ATTRIBUTES attributes = named(services, &name);
	assert_ntsuccess(ZwCreateKey(&key, KEY_ALL_ACCESS, &attributes, 0, &class, 0, NULL));
	attributes = named(key, &sub);
	assert_ntsuccess(ZwCreateKey(&child, KEY_ALL_ACCESS, &attributes, 0, &class, 0, NULL));
	set_value(key, u"a", REG_BINARY, "12345", 5);
	set_value(key, u"longer", REG_BINARY, "1", 1);

	char buffer[64];
	KEY_FULL_INFORMATION *full = (void *)buffer;
	ULONG length;
	assert_ntsuccess(ZwQueryKey(key, KeyFullInformation, buffer, sizeof(buffer), &length));
	assert_int_equal(length, 44 + 10);
	assert_int_equal(full->SubKeys, 1);
	assert_int_equal(full->MaxNameLen, 6);
	assert_int_equal(full->MaxClassLen, 10);
	assert_int_equal(full->Values, 2);
	assert_int_equal(full->MaxValueNameLen, 12);
	assert_int_equal(full->MaxValueDataLen, 5);
	assert_int_equal(full->ClassOffset, 44);
	assert_int_equal(full->ClassLength, 10);
	assert_memory_equal(full->Class, u"Klass", 10);
	assert_true(full->LastWriteTime.QuadPart > 0);

	char node[64];
	KEY_NODE_INFORMATION *info = (void *)node;
	assert_ntsuccess(ZwEnumerateKey(key, 0, KeyNodeInformation, node, sizeof(node), &length));
	assert_int_equal(length, 32 + 10); /* 24 + "sub" rounded up to 4, then the class */
	assert_int_equal(info->ClassOffset, 32);
	assert_memory_equal(info->Name, u"sub", 6);
	assert_memory_equal(node + 32, u"Klass", 10);
	ZwClose(child);
	ZwClose(key);
	ZwClose(services);
}

static void wdk_query_name_gives_the_full_path(void **state)
{
	(void)state;
	static const WCHAR expected[] =
		u"\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Named";
	HANDLE key = create_key(NULL, SERVICES u"\\Named");
	char buffer[256];
	KEY_NAME_INFORMATION *info = (void *)buffer;
	ULONG length;
	assert_ntsuccess(ZwQueryKey(key, KeyNameInformation, buffer, sizeof(buffer), &length));
	assert_int_equal(info->NameLength, sizeof(expected) - 2);
	assert_int_equal(length, 4 + info->NameLength);
	assert_memory_equal(info->Name, expected, info->NameLength);
	ZwClose(key);
}

static void wdk_short_key_buffers_overflow_or_are_too_small(void **state)
{
	(void)state;
	HANDLE key = create_key(NULL, SERVICES u"\\Short");
	char buffer[64];
	ULONG length = 0;
	memset(buffer, 0x55, sizeof(buffer));
	assert_status(ZwQueryKey(key, KeyBasicInformation, buffer, 15, &length),
		      STATUS_BUFFER_TOO_SMALL);
	assert_int_equal(length, 16 + 10);
	assert_int_equal(buffer[0], 0x55);
	assert_status(ZwQueryKey(key, KeyBasicInformation, buffer, 20, &length),
		      STATUS_BUFFER_OVERFLOW);
	assert_int_equal(length, 16 + 10);
	assert_memory_equal(buffer + 16, u"Sh", 4);
	assert_int_equal(buffer[20], 0x55);
	assert_status(ZwQueryKey(key, MaxKeyInfoClass, buffer, 20, &length),
		      STATUS_INVALID_PARAMETER);
	assert_status(ZwQueryKey(key, KeyHandleTagsInformation, buffer, 20, &length),
		      STATUS_NOT_IMPLEMENTED);
	ZwClose(key);
}

/* ---- Bad text --------------------------------------------------------------------- */

/* Two characters of which only the first can be read. */
static UNICODE_STRING half_a_text(void)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(pages + 4096, 4096, PROT_NONE);
	memcpy(pages + 4094, u"x", 2);
	return (UNICODE_STRING){4, 4, (PWSTR)(void *)(pages + 4094)};
}

static void open_half_a_name(void *unused)
{
	(void)unused;
	UNICODE_STRING name = half_a_text();
	HANDLE services = open_key(NULL, SERVICES), handle;
	OBJECT_ATTRIBUTES attributes = named(services, &name);
	ZwOpenKey(&handle, KEY_READ, &attributes);
}

static void create_with_half_a_class(void *unused)
{
	(void)unused;
	UNICODE_STRING name = USTR(u"WithAClass"), class = half_a_text();
	HANDLE services = open_key(NULL, SERVICES), handle;
	OBJECT_ATTRIBUTES attributes = named(services, &name);
	ZwCreateKey(&handle, KEY_READ, &attributes, 0, &class, REG_OPTION_VOLATILE, NULL);
}

static void fault_and_look_again(void *fn)
{
	struct cm_node *node;
	UNICODE_STRING path = USTR(u"Machine");
	assert_false(rs_guard(*(void (**)(void *))fn, NULL));
	alarm(10); /* instead of waiting for a lock for ever */
	assert_ntsuccess(cm_find(cm_root(), &path, &node));
	_exit(123);
}

static void text_that_faults_leaves_the_tree_unlocked(void **state)
{
	(void)state;
	static void (*const mistakes[])(void *) = {open_half_a_name, create_with_half_a_class};
	for (unsigned i = 0; i < 2; i++)
		expect_bug_check(KE_PAGE_FAULT_IN_NONPAGED_AREA, fault_and_look_again,
				 (void *)(uintptr_t)&mistakes[i]);
}

/* ---- Without memory ------------------------------------------------------------ */

static unsigned failing, seen;

static bool fail_one(const char *site)
{
	(void)site;
	return seen++ == failing;
}

static void wdk_create_without_memory_leaves_no_key(void **state)
{
	(void)state;
	HANDLE services = open_key(NULL, SERVICES), handle = NULL;
	NTSTATUS status;
	/* The list of subkeys has room afterwards, and each round allocates the same. */
	ZwClose(create_key(services, u"room"));
	for (failing = 0;; failing++) {
		seen = 0;
		host_fail_allocations(fail_one);
		status = try_create(services, u"poor", 0, &handle, NULL);
		host_fail_allocations(NULL);
		if (NT_SUCCESS(status))
			break;
		assert_status(status, STATUS_INSUFFICIENT_RESOURCES);
		assert_status(try_open(services, u"poor", &handle), STATUS_OBJECT_NAME_NOT_FOUND);
	}
	assert_true(failing >= 2); /* the key itself, its object */
	ZwClose(handle);
	ZwClose(services);
}

static void cm_keys_open_at_shutdown_do_not_leak(void **state)
{
	(void)state;
	/* world_end finds what is left. */
	create_key(NULL, SERVICES u"\\open");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(wdk_open_is_case_insensitive_and_follows_root_directory),
		WORLD_TEST(wdk_names_that_lead_nowhere),
		WORLD_TEST(wdk_relative_name_with_leading_backslash_is_bad_syntax),
		WORLD_TEST(wdk_object_attributes_are_checked),
		WORLD_TEST(wdk_root_directory_must_be_a_key),
		WORLD_TEST(wdk_create_reports_disposition),
		WORLD_TEST(wdk_create_makes_only_the_last_component),
		WORLD_TEST(wdk_create_refuses_bad_options_and_places),
		WORLD_TEST(wdk_lasting_key_below_volatile_one_is_refused),
		WORLD_TEST(wdk_tree_has_at_most_512_levels),
		WORLD_TEST(wdk_deleted_key_is_gone_but_its_handle_stays),
		WORLD_TEST(wdk_key_with_subkeys_cannot_be_deleted),
		WORLD_TEST(nts_own_keys_cannot_be_deleted),
		WORLD_TEST(wdk_subkeys_enumerate_in_order_of_names),
		WORLD_TEST(wdk_query_full_counts_and_measures),
		WORLD_TEST(wdk_query_name_gives_the_full_path),
		WORLD_TEST(wdk_short_key_buffers_overflow_or_are_too_small),
		WORLD_TEST(text_that_faults_leaves_the_tree_unlocked),
		WORLD_TEST(wdk_create_without_memory_leaves_no_key),
		WORLD_TEST(cm_keys_open_at_shutdown_do_not_leak),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
