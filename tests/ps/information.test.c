/* SPDX-License-Identifier: MIT */
/* What drivers ask about processes, threads and the system, and other processes' memory. */
#include "ex/system-information.h"
#include "mm/copy.h"
#include "mm/virtual.h"
#include "ob/handle.h"
#include "ob/query.h"
#include "ps/attach.h"
#include "ps/attribute.h"
#include "ps/information.h"
#include "ps/process.h"
#include "support/bugcheck.h"
#include "support/world.h"
#include <ringside/io.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CURRENT ((HANDLE)-1)

static HANDLE open_to(PEPROCESS process, ACCESS_MASK access)
{
	HANDLE handle;
	CLIENT_ID id = {(HANDLE)id_of(process), NULL};
	OBJECT_ATTRIBUTES attributes = {.Length = sizeof attributes};
	assert_ntsuccess(ZwOpenProcess(&handle, access, &attributes, &id));
	return handle;
}

static NTSTATUS query(PEPROCESS process, ULONG number, void *to, ULONG length, ULONG *returned)
{
	HANDLE handle = open_to(process, PROCESS_ALL_ACCESS);
	NTSTATUS status = ZwQueryInformationProcess(handle, number, to, length, returned);
	ZwClose(handle);
	return status;
}

/* ---- Processes ------------------------------------------------------------------------ */

static void start_keys_are_never_used_twice(void **state)
{
	(void)state;
	struct actor first = actor_start("a.exe"), second = actor_start("a.exe");
	ULONGLONG key = PsGetProcessStartKey(first.process);
	assert_int_equal(key >> 48, 1); /* the shared page's BootId */
	assert_true(PsGetProcessStartKey(second.process) > key);
	actor_end(&first);
	struct actor third = actor_start("a.exe");
	assert_true(PsGetProcessStartKey(third.process) > PsGetProcessStartKey(second.process));
	actor_end(&second);
	actor_end(&third);
}

static void apc_of_a_native_process_stays_as_it_is(void **state)
{
	(void)state;
	PVOID context = &context, routine = &routine;
	struct actor actor = actor_start("a.exe");
	PETHREAD before = rs_become(actor.thread);
	assert_ntsuccess(PsWrapApcWow64Thread(&context, &routine));
	actor.process->wow64 = true;
	assert_status(PsWrapApcWow64Thread(&context, &routine), STATUS_NOT_SUPPORTED);
	rs_become(before);
	actor_end(&actor);
	assert_ptr_equal(context, &context);
	assert_ptr_equal(routine, &routine);
}

static void basic_information_is_of_the_handle_s_process(void **state)
{
	(void)state;
	struct actor parent = actor_start("parent.exe");
	struct actor child = actor_start_as(
		&(struct rs_process_spec){.image = "c.exe", .parent = parent.process});
	PROCESS_BASIC_INFORMATION basic;
	ULONG returned = 0;
	assert_ntsuccess(query(child.process, 0, &basic, sizeof basic, &returned));
	assert_int_equal(returned, sizeof basic);
	assert_int_equal(basic.UniqueProcessId, id_of(child.process));
	assert_int_equal(basic.InheritedFromUniqueProcessId, id_of(parent.process));
	assert_status(basic.ExitStatus, STATUS_PENDING);
	actor_end(&child);
	actor_end(&parent);
}

static void class_is_checked_first_then_length_then_handle(void **state)
{
	(void)state;
	PROCESS_BASIC_INFORMATION basic;
	HANDLE none = (HANDLE)0x7778;
	assert_status(ZwQueryInformationProcess(none, 9999, NULL, 0, NULL),
		      STATUS_INVALID_INFO_CLASS);
	assert_status(ZwQueryInformationProcess(none, 0, &basic, sizeof basic - 1, NULL),
		      STATUS_INFO_LENGTH_MISMATCH);
	assert_status(ZwQueryInformationProcess(none, 0, &basic, sizeof basic, NULL),
		      STATUS_INVALID_HANDLE);
	assert_status(ZwQueryInformationProcess((HANDLE)-2, 0, &basic, sizeof basic, NULL),
		      STATUS_OBJECT_TYPE_MISMATCH);
}

static void user_mode_needs_the_right_to_query(void **state)
{
	(void)state;
	struct actor actor = actor_start("a.exe");
	PROCESS_BASIC_INFORMATION basic;
	rs_become(actor.thread);
	CLIENT_ID id = {(HANDLE)id_of(actor.process), NULL};
	OBJECT_ATTRIBUTES attributes = {.Length = sizeof attributes};
	HANDLE handle;
	assert_ntsuccess(NtOpenProcess(&handle, PROCESS_VM_READ, &attributes, &id));
	assert_status(NtQueryInformationProcess(handle, 0, &basic, sizeof basic, NULL),
		      STATUS_ACCESS_DENIED);
	assert_ntsuccess(ZwQueryInformationProcess(handle, 0, &basic, sizeof basic, NULL));
	NtClose(handle);
	rs_become(NULL);
	actor_end(&actor);
}

static void names_say_how_long_they_are_when_they_do_not_fit(void **state)
{
	(void)state;
	struct actor actor = actor_start("\\??\\C:\\x\\a.exe");
	char buffer[256];
	UNICODE_STRING *name = (void *)buffer;
	ULONG needed = 0;
	assert_status(query(actor.process, ProcessImageFileNameWin32, NULL, 0, &needed),
		      STATUS_INFO_LENGTH_MISMATCH);
	assert_int_equal(needed, sizeof *name + 2 * strlen("C:\\x\\a.exe") + 2);
	assert_ntsuccess(query(actor.process, ProcessImageFileNameWin32, buffer, needed, NULL));
	assert_int_equal(name->Length, 2 * strlen("C:\\x\\a.exe"));
	assert_ptr_equal(name->Buffer, buffer + sizeof *name);
	assert_memory_equal(name->Buffer, u"C:\\x\\a.exe", name->Length + 2);
	assert_ntsuccess(
		query(actor.process, ProcessCommandLineInformation, buffer, sizeof buffer, NULL));
	assert_memory_equal(name->Buffer, u"\\??\\C:\\x\\a.exe", name->Length + 2);
	actor_end(&actor);
}

static void answers_to_bad_user_addresses_are_access_violations(void **state)
{
	(void)state;
	assert_status(ZwQueryInformationProcess(CURRENT, 0, (PVOID)0x1000, 48, NULL),
		      STATUS_ACCESS_VIOLATION);
}

static void handles_are_counted(void **state)
{
	(void)state;
	struct actor actor = actor_start("a.exe");
	ULONG count = 9;
	assert_ntsuccess(query(actor.process, ProcessHandleCount, &count, sizeof count, NULL));
	assert_int_equal(count, 0);
	rs_become(actor.thread);
	HANDLE handle = open_to(actor.process, PROCESS_ALL_ACCESS);
	assert_ntsuccess(
		ZwQueryInformationProcess(CURRENT, ProcessHandleCount, &count, sizeof count, NULL));
	assert_int_equal(count, 1);
	ZwClose(handle);
	rs_become(NULL);
	actor_end(&actor);
}

static void end_critical(void *argument)
{
	struct actor actor = actor_start("critical.exe");
	ULONG yes = 1;
	(void)argument;
	HANDLE handle = open_to(actor.process, PROCESS_ALL_ACCESS);
	assert_ntsuccess(
		ZwSetInformationProcess(handle, ProcessBreakOnTermination, &yes, sizeof yes));
	ZwClose(handle);
	actor_end(&actor);
}

static void end_of_a_critical_process_is_a_bug_check(void **state)
{
	(void)state;
	expect_bug_check(0xEF, end_critical, NULL);
}

static void terminating_ends_another_process_and_not_oneself_or_system(void **state)
{
	(void)state;
	struct actor actor = actor_start("a.exe");
	HANDLE handle = open_to(actor.process, PROCESS_ALL_ACCESS);
	rs_become(actor.thread);
	assert_status(ZwTerminateProcess(CURRENT, 7), STATUS_NOT_SUPPORTED);
	rs_become(NULL);
	assert_status(ZwTerminateProcess(CURRENT, 7), STATUS_ACCESS_DENIED);
	assert_ntsuccess(ZwTerminateProcess(handle, 7));
	assert_status(PsGetProcessExitStatus(actor.process), 7);
	assert_status(ZwTerminateProcess(handle, 8), STATUS_PROCESS_IS_TERMINATING);
	ZwClose(handle);
	rs_release(actor.thread);
	rs_release(actor.process);
}

/* ---- Threads --------------------------------------------------------------------------- */

static void thread_basic_information_has_its_client_id(void **state)
{
	(void)state;
	struct actor actor = actor_start("a.exe");
	THREAD_BASIC_INFORMATION basic;
	PVOID start = NULL;
	rs_become(actor.thread);
	HANDLE self = (HANDLE)-2;
	assert_ntsuccess(ZwQueryInformationThread(self, 0, &basic, sizeof basic, NULL));
	assert_int_equal(basic.ClientId.UniqueProcess, id_of(actor.process));
	assert_int_equal(basic.ClientId.UniqueThread, id_of_thread(actor.thread));
	PVOID address = (PVOID)0x401000;
	assert_ntsuccess(ZwSetInformationThread(self, 9, &address, sizeof address));
	assert_ntsuccess(ZwQueryInformationThread(self, 9, &start, sizeof start, NULL));
	assert_ptr_equal(start, address);
	rs_become(NULL);
	actor_end(&actor);
}

/* ---- Attaching --------------------------------------------------------------------------- */

static void current_process_follows_the_innermost_attach(void **state)
{
	(void)state;
	struct actor a = actor_start("a.exe"), b = actor_start("b.exe");
	KAPC_STATE first, second, third;
	HANDLE own_id = PsGetCurrentProcessId();
	KeStackAttachProcess(a.process, &first);
	assert_ptr_equal(PsGetCurrentProcess(), a.process);
	KeStackAttachProcess(b.process, &second);
	KeStackAttachProcess(b.process, &third);
	assert_ptr_equal(PsGetCurrentProcess(), b.process);
	assert_ptr_equal(PsGetCurrentProcessId(), own_id);
	KeUnstackDetachProcess(&third);
	assert_ptr_equal(PsGetCurrentProcess(), b.process);
	KeUnstackDetachProcess(&second);
	assert_ptr_equal(PsGetCurrentProcess(), a.process);
	KeUnstackDetachProcess(&first);
	assert_ptr_equal(PsGetCurrentProcess(), PsInitialSystemProcess);
	actor_end(&a);
	actor_end(&b);
}

static void detach_in_the_wrong_order(void *argument)
{
	struct actor *actors = argument;
	KAPC_STATE first, second;
	KeStackAttachProcess(actors[0].process, &first);
	KeStackAttachProcess(actors[1].process, &second);
	KeUnstackDetachProcess(&first);
}

static void attach_without_a_stack_twice(void *argument)
{
	struct actor *actors = argument;
	KeAttachProcess(actors[0].process);
	KeAttachProcess(actors[1].process);
}

static void wrong_nesting_of_attaches_is_bug_check_5_or_6(void **state)
{
	(void)state;
	struct actor actors[] = {actor_start("a.exe"), actor_start("b.exe")};
	expect_bug_check(0x6, detach_in_the_wrong_order, actors);
	expect_bug_check(0x5, attach_without_a_stack_twice, actors);
	actor_end(&actors[0]);
	actor_end(&actors[1]);
}

/* ---- Memory -------------------------------------------------------------------------------- */

static void allocations_can_be_queried_protected_and_freed(void **state)
{
	(void)state;
	PVOID base = NULL;
	SIZE_T size = 3 * 4096, whole = 0;
	ULONG old = 0;
	MEMORY_BASIC_INFORMATION information;
	assert_ntsuccess(ZwAllocateVirtualMemory(CURRENT, &base, 0, &size, MEM_RESERVE | MEM_COMMIT,
						 PAGE_READWRITE));
	memset(base, 1, size);
	PVOID middle = (char *)base + 4096;
	SIZE_T page = 1;
	assert_ntsuccess(ZwProtectVirtualMemory(CURRENT, &middle, &page, PAGE_READONLY, &old));
	assert_int_equal(old, PAGE_READWRITE);
	assert_int_equal(page, 4096);
	assert_ntsuccess(ZwQueryVirtualMemory(CURRENT, middle, MemoryBasicInformation, &information,
					      sizeof information, NULL));
	assert_ptr_equal(information.BaseAddress, middle);
	assert_ptr_equal(information.AllocationBase, base);
	assert_int_equal(information.RegionSize, 4096);
	assert_int_equal(information.Protect, PAGE_READONLY);
	assert_int_equal(information.State, MEM_COMMIT);
	assert_int_equal(mm_write(PsInitialSystemProcess, middle, "x", 1), 0);
	assert_ntsuccess(ZwFreeVirtualMemory(CURRENT, &base, &whole, MEM_RELEASE));
	assert_int_equal(whole, size);
	assert_ntsuccess(ZwQueryVirtualMemory(CURRENT, base, MemoryBasicInformation, &information,
					      sizeof information, NULL));
	assert_int_equal(information.State, MEM_FREE);
	whole = 0;
	assert_status(ZwFreeVirtualMemory(CURRENT, &base, &whole, MEM_RELEASE),
		      STATUS_MEMORY_NOT_ALLOCATED);
}

static void reserved_memory_must_be_committed_before_use(void **state)
{
	(void)state;
	PVOID base = NULL;
	SIZE_T size = 8192, copied, whole = 0;
	ULONG64 value = 5;
	ULONG old;
	assert_ntsuccess(
		ZwAllocateVirtualMemory(CURRENT, &base, 0, &size, MEM_RESERVE, PAGE_READWRITE));
	assert_status(MmCopyVirtualMemory(PsInitialSystemProcess, &value, PsInitialSystemProcess,
					  base, 8, KernelMode, &copied),
		      STATUS_PARTIAL_COPY);
	assert_status(ZwProtectVirtualMemory(CURRENT, &base, &size, PAGE_READONLY, &old),
		      STATUS_NOT_COMMITTED);
	size = 4096;
	assert_ntsuccess(
		ZwAllocateVirtualMemory(CURRENT, &base, 0, &size, MEM_COMMIT, PAGE_READWRITE));
	assert_ntsuccess(MmCopyVirtualMemory(PsInitialSystemProcess, &value, PsInitialSystemProcess,
					     base, 8, KernelMode, &copied));
	assert_ntsuccess(ZwFreeVirtualMemory(CURRENT, &base, &whole, MEM_RELEASE));
}

static void memory_goes_with_its_process(void **state)
{
	(void)state; /* world_end counts what is left */
	struct actor actor = actor_start("a.exe");
	PVOID base = NULL;
	SIZE_T size = 4096;
	HANDLE handle = open_to(actor.process, PROCESS_ALL_ACCESS);
	assert_ntsuccess(ZwAllocateVirtualMemory(handle, &base, 0, &size, MEM_RESERVE | MEM_COMMIT,
						 PAGE_READWRITE));
	ZwClose(handle);
	actor_end(&actor);
}

static void user_mode_copies_reach_no_kernel_memory(void **state)
{
	(void)state;
	ULONG64 here = 1, there = 2;
	SIZE_T copied = 9;
	PEPROCESS self = PsInitialSystemProcess;
	assert_status(MmCopyVirtualMemory(self, &here, self, &there, 8, UserMode, &copied),
		      STATUS_ACCESS_VIOLATION);
	assert_int_equal(copied, 0);
	assert_int_equal(there, 2);
}

static void safe_copy_tells_how_far_it_came(void **state)
{
	(void)state;
	ULONG64 here = 1, there = 2;
	SIZE_T copied = 9;
	MM_COPY_ADDRESS from = {.VirtualAddress = &here}, nowhere = {.VirtualAddress = (PVOID)8};
	assert_ntsuccess(MmCopyMemory(&there, from, 8, MM_COPY_MEMORY_VIRTUAL, &copied));
	assert_int_equal(there, 1);
	assert_int_equal(copied, 8);
	assert_status(MmCopyMemory(&there, nowhere, 8, MM_COPY_MEMORY_VIRTUAL, &copied),
		      STATUS_PARTIAL_COPY);
	assert_int_equal(copied, 0);
	assert_status(MmCopyMemory(&there, from, 8, 3, &copied), STATUS_INVALID_PARAMETER);
	assert_status(MmCopyMemory(&there, nowhere, 8, MM_COPY_MEMORY_PHYSICAL, &copied),
		      STATUS_INVALID_ADDRESS);
}

/* ---- The system -------------------------------------------------------------------------------- */

static void all_processes_are_listed_with_their_threads(void **state)
{
	(void)state;
	struct actor actor = actor_start("\\??\\C:\\a.exe");
	static char buffer[65536];
	ULONG needed = 0, offset = 0;
	bool found = false;
	assert_status(ZwQuerySystemInformation(SystemProcessInformation, buffer, 16, &needed),
		      STATUS_INFO_LENGTH_MISMATCH);
	assert_ntsuccess(
		ZwQuerySystemInformation(SystemProcessInformation, buffer, needed, &needed));
	for (ULONG next = 1; next; offset += next) {
		const char *entry = buffer + offset;
		memcpy(&next, entry, sizeof next);
		ULONG64 id, thread;
		ULONG threads;
		UNICODE_STRING name;
		memcpy(&id, entry + 0x50, sizeof id);
		if (id != id_of(actor.process))
			continue;
		memcpy(&threads, entry + 4, sizeof threads);
		memcpy(&name, entry + 0x38, sizeof name);
		memcpy(&thread, entry + 0x100 + 0x30, sizeof thread);
		assert_int_equal(threads, 1);
		assert_int_equal(thread, id_of_thread(actor.thread));
		assert_memory_equal(name.Buffer, u"a.exe", 12);
		assert_in_range((uintptr_t)name.Buffer, (uintptr_t)buffer,
				(uintptr_t)buffer + needed);
		found = true;
	}
	assert_true(found);
	actor_end(&actor);
}

static void handles_are_listed_with_their_objects(void **state)
{
	(void)state;
	struct actor actor = actor_start("a.exe");
	HANDLE handle = open_to(actor.process, PROCESS_VM_READ);
	struct {
		ULONG64 count, reserved;
		struct {
			PVOID object;
			ULONG64 process, value;
			ULONG granted, index, attributes, unused;
		} row[64];
	} list;
	assert_ntsuccess(ZwQuerySystemInformation(SystemExtendedHandleInformation, &list, 0,
						  NULL) == STATUS_INFO_LENGTH_MISMATCH
				 ? 0
				 : -1);
	ULONG needed;
	ZwQuerySystemInformation(SystemExtendedHandleInformation, &list, 0, &needed);
	assert_true(needed <= sizeof list);
	assert_ntsuccess(
		ZwQuerySystemInformation(SystemExtendedHandleInformation, &list, needed, NULL));
	bool found = false;
	for (ULONG64 i = 0; i < list.count; i++)
		if (list.row[i].object == actor.process) {
			assert_int_equal(list.row[i].process, 4);
			assert_int_equal(list.row[i].granted, PROCESS_VM_READ);
			assert_int_equal(list.row[i].value & 0xFFFFFFFF,
					 (ULONG64)handle & 0xFFFFFFFF);
			found = true;
		}
	assert_true(found);
	ZwClose(handle);
	actor_end(&actor);
}

static void image_name_is_found_by_process_id(void **state)
{
	(void)state;
	struct actor actor = actor_start("\\Device\\X\\a.exe");
	WCHAR text[32];
	struct {
		HANDLE id;
		UNICODE_STRING name;
	} question = {(HANDLE)id_of(actor.process), {0, 2, text}};
	assert_status(ZwQuerySystemInformation(SystemProcessIdInformation, &question,
					       sizeof question, NULL),
		      STATUS_INFO_LENGTH_MISMATCH);
	assert_int_equal(question.name.MaximumLength, 2 * strlen("\\Device\\X\\a.exe") + 2);
	assert_ntsuccess(ZwQuerySystemInformation(SystemProcessIdInformation, &question,
						  sizeof question, NULL));
	assert_memory_equal(text, u"\\Device\\X\\a.exe", question.name.Length + 2);
	question.id = (HANDLE)0x12344;
	assert_status(ZwQuerySystemInformation(SystemProcessIdInformation, &question,
					       sizeof question, NULL),
		      STATUS_INVALID_CID);
	actor_end(&actor);
}

static void type_of_an_object_is_told_by_name(void **state)
{
	(void)state;
	char buffer[256];
	UNICODE_STRING *name = (void *)buffer;
	ULONG needed = 0;
	assert_status(ZwQueryObject(CURRENT, ObjectTypeInformation, NULL, 0, &needed),
		      STATUS_INFO_LENGTH_MISMATCH);
	assert_ntsuccess(ZwQueryObject(CURRENT, ObjectTypeInformation, buffer, needed, NULL));
	assert_memory_equal(name->Buffer, u"Process", name->Length + 2);
}

/* ---- From a driver --------------------------------------------------------------------------- */

static void note_print(void *context, const struct rs_event *event)
{
	if (event->type == RS_DEBUG_PRINT)
		snprintf(context, 256, "%s", event->print.text);
}

static NTSTATUS start_as(const char *name)
{
	char file[256], link[256];
	struct rs_error error;
	snprintf(file, sizeof file, TEST_BUILD "/tests/drivers/info.sys");
	snprintf(link, sizeof link, TEST_BUILD "/tests/%s.sys", name);
	unlink(link);
	assert_int_equal(symlink(file, link), 0);
	struct rs_driver *driver = rs_load(link, &error);
	unlink(link);
	if (!driver)
		fail_msg("%s", error.text);
	NTSTATUS status = rs_start(driver);
	if (NT_SUCCESS(status))
		assert_ntsuccess(rs_unload(driver));
	return status;
}

static void driver_gets_all_of_it_as_its_headers_declare_it(void **state)
{
	(void)state;
	char said[256] = "";
	assert_int_equal(rs_listen(note_print, said), 0);
	NTSTATUS status = start_as("good");
	rs_unlisten(note_print, said);
	if (!NT_SUCCESS(status))
		fail_msg("%s", said);
}

static void start_mistaken(void *argument)
{
	start_as(argument);
}

static void driver_s_mistakes_end_in_nt_s_bug_checks(void **state)
{
	(void)state;
	static const struct {
		ULONG code;
		const char *name;
	} mistakes[] = {{0x6, "detach-twice"},
			{0x6, "detach-stranger"},
			{0x5, "attach-nothing"},
			{0x50, "answer-nowhere"},
			{0xC4, "query-at-dispatch"}};
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		const struct bug_check_seen *seen = expect_bug_check(
			mistakes[i].code, start_mistaken, (void *)(uintptr_t)mistakes[i].name);
		assert_non_null(strstr(seen->module, mistakes[i].name));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(start_keys_are_never_used_twice),
		WORLD_TEST(apc_of_a_native_process_stays_as_it_is),
		WORLD_TEST(basic_information_is_of_the_handle_s_process),
		WORLD_TEST(class_is_checked_first_then_length_then_handle),
		WORLD_TEST(user_mode_needs_the_right_to_query),
		WORLD_TEST(names_say_how_long_they_are_when_they_do_not_fit),
		WORLD_TEST(answers_to_bad_user_addresses_are_access_violations),
		WORLD_TEST(handles_are_counted),
		WORLD_TEST(end_of_a_critical_process_is_a_bug_check),
		WORLD_TEST(terminating_ends_another_process_and_not_oneself_or_system),
		WORLD_TEST(thread_basic_information_has_its_client_id),
		WORLD_TEST(current_process_follows_the_innermost_attach),
		WORLD_TEST(wrong_nesting_of_attaches_is_bug_check_5_or_6),
		WORLD_TEST(allocations_can_be_queried_protected_and_freed),
		WORLD_TEST(reserved_memory_must_be_committed_before_use),
		WORLD_TEST(memory_goes_with_its_process),
		WORLD_TEST(user_mode_copies_reach_no_kernel_memory),
		WORLD_TEST(safe_copy_tells_how_far_it_came),
		WORLD_TEST(all_processes_are_listed_with_their_threads),
		WORLD_TEST(handles_are_listed_with_their_objects),
		WORLD_TEST(image_name_is_found_by_process_id),
		WORLD_TEST(type_of_an_object_is_told_by_name),
		WORLD_TEST(driver_gets_all_of_it_as_its_headers_declare_it),
		WORLD_TEST(driver_s_mistakes_end_in_nt_s_bug_checks),
	};
	return cmocka_run_group_tests_name("ps/information", tests, NULL, NULL);
}
