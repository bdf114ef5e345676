/* SPDX-License-Identifier: MIT */
/* The kernel's own images: their headers, export directories and thunks. */
#include "ldr/kernel.h"
#include "ke/bugcheck.h"
#include "ke/thread.h"
#include "ldr/pe.h"
#include "ldr/routine.h"
#include "ob/object.h"
#include "ps/notify.h"
#include "support/bugcheck.h"
#include "support/world.h"
#include <string.h>

static const struct {
	const char *name;
	const char *full_name;
} expected_modules[EXPORT_DLLS] = {
	{"ntoskrnl.exe", "\\SystemRoot\\system32\\ntoskrnl.exe"},
	{"hal.dll", "\\SystemRoot\\system32\\hal.dll"},
	{"fltmgr.sys", "\\SystemRoot\\System32\\drivers\\fltmgr.sys"},
	{"cng.sys", "\\SystemRoot\\System32\\Drivers\\cng.sys"},
	{"ksecdd.sys", "\\SystemRoot\\System32\\Drivers\\ksecdd.sys"},
};

static void assert_ascii(const UNICODE_STRING *string, const char *expected)
{
	assert_int_equal(string->Length, strlen(expected) * 2);
	for (size_t i = 0; expected[i]; i++)
		assert_int_equal(string->Buffer[i], expected[i]);
}

static void ntoskrnl_is_the_first_module(void **state)
{
	(void)state;
	LIST_ENTRY *link = &PsLoadedModuleList;
	for (int dll = 0; dll < EXPORT_DLLS; dll++) {
		link = link->Flink;
		KLDR_DATA_TABLE_ENTRY *entry = (void *)link;
		assert_ptr_equal(entry, ldr_kernel_image((enum export_dll)dll));
		assert_ascii(&entry->BaseDllName, expected_modules[dll].name);
		assert_ascii(&entry->FullDllName, expected_modules[dll].full_name);
		assert_true(entry->Flags & LDRP_IMAGE_INTEGRITY_FORCED);
	}
}

static void headers_are_those_of_an_image(void **state)
{
	(void)state;
	for (int dll = 0; dll < EXPORT_DLLS; dll++) {
		struct ldr_module *m = ldr_kernel_image((enum export_dll)dll);
		struct pe pe;
		struct pe_error error;
		assert_true(pe_parse(m->entry.DllBase, m->entry.SizeOfImage, &pe, &error));
		assert_int_equal(pe.image_base, (uint64_t)m->entry.DllBase);
		assert_int_equal(pe.subsystem, PE_SUBSYSTEM_NATIVE);
		assert_ptr_equal(ldr_module_of(m->entry.DllBase), m);
	}
}

/* Step by step through memory, as a driver does that looks for itself. */
static const void *walk(const char *base, const char *name)
{
	const struct pe_dos_header *dos = (const void *)base;
	const struct pe_nt_headers *nt = (const void *)(base + dos->nt_offset);
	const struct pe_directory *directory = (const void *)(nt + 1);
	const struct pe_export_directory *exports = (const void *)(base +
								   directory[PE_EXPORTS].rva);
	const uint32_t *functions = (const void *)(base + exports->functions);
	const uint32_t *names = (const void *)(base + exports->names);
	const uint16_t *ordinals = (const void *)(base + exports->ordinals);
	for (uint32_t i = 0; i < exports->name_count; i++) {
		if (strcmp(base + names[i], name) == 0)
			return base + functions[ordinals[i]];
	}
	return NULL;
}

static void every_row_is_in_its_export_directory(void **state)
{
	(void)state;
	for (size_t i = 0; i < export_count; i++) {
		const struct export_row *row = &export_table[i];
		struct ldr_module *m = ldr_kernel_image(row->dll);
		const void *found = walk(m->entry.DllBase, row->name);
		assert_non_null(found);
		assert_ptr_equal(found, ldr_find_export(m->name, row->name));
		if (row->is_data)
			assert_ptr_equal(found, row->address); /* the C variable itself */
		else
			assert_ptr_equal(ldr_module_of(found), m); /* a thunk */
	}
	assert_null(walk(ldr_kernel_image(EXPORT_NTOS)->entry.DllBase, "NotThere"));
}

static void ksecdd_passes_the_routines_of_cng_on(void **state)
{
	(void)state;
	const char *base = ldr_kernel_image(EXPORT_KSECDD)->entry.DllBase;
	void *found = ldr_find_export("ksecdd.sys", "BCryptCreateHash");
	assert_non_null(found);
	assert_ptr_equal(found, ldr_find_export("cng.sys", "BCryptCreateHash"));
	assert_string_equal(walk(base, "BCryptCreateHash"), "cng.BCryptCreateHash");
	assert_null(ldr_find_export("ksecdd.sys", "NotThere"));
	assert_ptr_equal(export_find(EXPORT_KSECDD, "BCryptHash"),
			 export_find(EXPORT_CNG, "BCryptHash"));
}

static void names_are_sorted_for_binary_search(void **state)
{
	(void)state;
	struct ldr_module *m = ldr_kernel_image(EXPORT_NTOS);
	const char *base = m->entry.DllBase;
	struct pe_exports exports;
	struct pe_error error;
	assert_true(pe_find_exports(m->pe, base, &exports, &error));
	const uint32_t *names = (const void *)(base + exports.names);
	for (uint32_t i = 1; i < exports.name_count; i++)
		assert_true(strcmp(base + names[i - 1], base + names[i]) < 0);
	assert_string_equal(exports.dll, "ntoskrnl.exe");
}

/* AB-5: the exported address is the variable's. */
static void ab_05_data_is_found_by_a_walk(void **state)
{
	(void)state;
	const char *base = ldr_kernel_image(EXPORT_NTOS)->entry.DllBase;
	assert_ptr_equal(walk(base, "PsProcessType"), &PsProcessType);
	assert_ptr_equal(walk(base, "PsLoadedModuleList"), &PsLoadedModuleList);
	/* Some drivers take RVAs for signed numbers. */
	assert_in_range((uint64_t)((char *)&PsProcessType - base), 1, 0x7FFFFFFF);
}

static void newer_routines_are_found_at_run_time(void **state)
{
	(void)state;
	UNICODE_STRING ex2 = USTR(u"PsSetCreateProcessNotifyRoutineEx2");
	UNICODE_STRING cut = USTR(u"PsSetCreateProcessNotifyRoutineEx2");
	UNICODE_STRING none = USTR(u"NotThere"), odd = USTR(u"Psé");
	void *base = ldr_kernel_image(EXPORT_NTOS)->entry.DllBase;
	const void *found = MmGetSystemRoutineAddress(&ex2);
	assert_non_null(found);
	assert_ptr_equal(found, walk(base, "PsSetCreateProcessNotifyRoutineEx2"));
	assert_ptr_equal(found,
			 RtlFindExportedRoutineByName(base, "PsSetCreateProcessNotifyRoutineEx2"));
	/* The string is counted, not terminated. */
	cut.Length -= 2;
	assert_ptr_equal(MmGetSystemRoutineAddress(&cut),
			 walk(base, "PsSetCreateProcessNotifyRoutineEx"));
	assert_null(MmGetSystemRoutineAddress(&none));
	assert_null(MmGetSystemRoutineAddress(&odd));
	assert_null(RtlFindExportedRoutineByName(base, "NotThere"));
	assert_null(RtlFindExportedRoutineByName((char *)base + 1, "DbgPrint"));
	assert_null(RtlFindExportedRoutineByName(NULL, "DbgPrint"));
}

/* ---- Thunks ----------------------------------------------------------------------------- */

typedef ULONG_PTR NTAPI five(ULONG_PTR, ULONG_PTR, ULONG_PTR, ULONG_PTR, ULONG_PTR);

static void a_thunk_passes_arguments_and_result(void **state)
{
	(void)state;
	HANDLE NTAPI (*id)(PEPROCESS) = ldr_find_export("ntoskrnl.exe", "PsGetProcessId");
	NTSTATUS NTAPI (*lookup)(HANDLE, PEPROCESS *) = ldr_find_export(
		"NTOSKRNL.EXE", "PsLookupProcessByProcessId");
	PEPROCESS process = NULL;
	assert_ntsuccess(lookup((HANDLE)4, &process));
	assert_ptr_equal(process, PsInitialSystemProcess);
	assert_int_equal((ULONG64)id(process), 4);
	rs_release(process);
}

static void call_at_limit(void *unused)
{
	(void)unused;
	five *remove = (five *)ldr_find_export("ntoskrnl.exe", "PsRemoveLoadImageNotifyRoutine");
	ke_set_irql(APC_LEVEL);
	if ((NTSTATUS)remove(0x1234, 0, 0, 0, 0) != STATUS_PROCEDURE_NOT_FOUND)
		fail();
}

static void the_highest_irql_itself_is_allowed(void **state)
{
	(void)state;
	expect_no_bug_check(call_at_limit, NULL);
}

struct too_high {
	const char *name;
	KIRQL irql;
};

static void call_too_high(void *argument)
{
	const struct too_high *call = argument;
	five *export = (five *)ldr_find_export("ntoskrnl.exe", call->name);
	ke_set_irql(call->irql);
	export(0, 0, 0, 0, 0);
}

static void vf_01_legacy_routines_above_passive_level(void **state)
{
	(void)state;
	static const char *const names[] = {"PsSetCreateProcessNotifyRoutine",
					    "PsSetCreateThreadNotifyRoutine",
					    "PsSetLoadImageNotifyRoutine"};
	for (int i = 0; i < 3; i++) {
		struct too_high call = {names[i], APC_LEVEL};
		const struct bug_check_seen *seen = expect_bug_check(
			(ULONG)KE_DRIVER_VERIFIER_DETECTED_VIOLATION, call_too_high, &call);
		assert_int_equal(seen->parameter[0], 0x2001C);
		assert_non_null(strstr(seen->detail, names[i]));
		assert_non_null(strstr(seen->detail, "at APC_LEVEL (1)"));
		assert_non_null(strstr(seen->detail, "at most PASSIVE_LEVEL is allowed"));
		assert_non_null(strstr(seen->detail, "IrqlPsPassive"));
		assert_int_equal(seen->irql, APC_LEVEL);
		assert_string_equal(seen->module, "test.sys");
	}
}

static void vf_02_unregistering_above_apc_level(void **state)
{
	(void)state;
	struct too_high call = {"ObUnRegisterCallbacks", DISPATCH_LEVEL};
	const struct bug_check_seen *seen = expect_bug_check((ULONG)KE_IRQL_NOT_LESS_OR_EQUAL,
							     call_too_high, &call);
	assert_int_equal(seen->parameter[1], DISPATCH_LEVEL);
	assert_non_null(strstr(seen->detail, "test.sys called ObUnRegisterCallbacks"));
}

static void vf_09_a_zw_call_above_passive_level(void **state)
{
	(void)state;
	struct too_high call = {"ZwClose", APC_LEVEL};
	const struct bug_check_seen *seen = expect_bug_check(
		(ULONG)KE_DRIVER_VERIFIER_DETECTED_VIOLATION, call_too_high, &call);
	assert_int_equal(seen->parameter[0], 0xE6);
}

/* No row is without its check, and none lets the call through. */
static void every_limit_is_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < export_count; i++) {
		const struct export_row *row = &export_table[i];
		if (row->is_data || row->irql >= HIGH_LEVEL || row->dll != EXPORT_NTOS)
			continue;
		struct too_high call = {row->name, (KIRQL)(row->irql + 1)};
		struct bug_check_seen seen;
		run_for_bug_check(call_too_high, &call, &seen);
		if (!seen.happened || !strstr(seen.detail, row->name))
			fail_msg("%s was called at IRQL %u", row->name, call.irql);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ntoskrnl_is_the_first_module),
		WORLD_TEST(headers_are_those_of_an_image),
		WORLD_TEST(every_row_is_in_its_export_directory),
		WORLD_TEST(ksecdd_passes_the_routines_of_cng_on),
		WORLD_TEST(names_are_sorted_for_binary_search),
		WORLD_TEST(ab_05_data_is_found_by_a_walk),
		WORLD_TEST(newer_routines_are_found_at_run_time),
		WORLD_TEST(a_thunk_passes_arguments_and_result),
		WORLD_TEST(the_highest_irql_itself_is_allowed),
		WORLD_TEST(vf_01_legacy_routines_above_passive_level),
		WORLD_TEST(vf_02_unregistering_above_apc_level),
		WORLD_TEST(vf_09_a_zw_call_above_passive_level),
		WORLD_TEST(every_limit_is_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
