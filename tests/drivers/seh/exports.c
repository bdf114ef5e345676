/* SPDX-License-Identifier: MIT */
/* Exceptions out of exports: those that raise, and those that meet bad pointers. */
#include "seh.h"

static void raising_exports_raise(void)
{
	NTSTATUS code = 0;
	__try {
		ExRaiseStatus(STATUS_INVALID_PARAMETER);
	} __except (code = exception_code(), EXCEPTION_EXECUTE_HANDLER) {
	}
	CHECK(code == STATUS_INVALID_PARAMETER);
	__try {
		RtlRaiseStatus(STATUS_UNSUCCESSFUL);
	} __except (code = exception_code(), EXCEPTION_EXECUTE_HANDLER) {
	}
	CHECK(code == STATUS_UNSUCCESSFUL);
	__try {
		ExRaiseAccessViolation();
	} __except (code = exception_code(), EXCEPTION_EXECUTE_HANDLER) {
	}
	CHECK(code == STATUS_ACCESS_VIOLATION);
	__try {
		ExRaiseDatatypeMisalignment();
	} __except (code = exception_code(), EXCEPTION_EXECUTE_HANDLER) {
	}
	CHECK(code == STATUS_DATATYPE_MISALIGNMENT);
}

static LONG look(struct exception_record *record, void *caller, volatile ULONG *good)
{
	*good = record->flags == 0 && record->code == 0x1234 && record->count == 2 &&
		record->information[1] == 99 && (ULONG64)record->address > (ULONG64)caller &&
		(ULONG64)record->address < (ULONG64)caller + 0x400;
	return EXCEPTION_CONTINUE_EXECUTION;
}

static NOINLINE void a_raised_record_arrives_and_can_be_continued(void)
{
	struct exception_record record = {.code = 0x1234, .count = 2, .information = {1, 99}};
	volatile ULONG good = 0, after = 0;
	__try {
		RtlRaiseException(&record);
		after = 1;
	} __except (look(exception_pointers()->record, a_raised_record_arrives_and_can_be_continued,
			 &good)) {
		after = 2;
	}
	CHECK(good);
	CHECK(after == 1);
}

static NTSTATUS probe_read(ULONG64 address, SIZE_T length, ULONG alignment)
{
	NTSTATUS code = 0;
	__try {
		ProbeForRead((void *)address, length, alignment);
	} __except (code = exception_code(), EXCEPTION_EXECUTE_HANDLER) {
	}
	return code;
}

static NTSTATUS probe_write(ULONG64 address, SIZE_T length, ULONG alignment)
{
	NTSTATUS code = 0;
	__try {
		ProbeForWrite((void *)address, length, alignment);
	} __except (code = exception_code(), EXCEPTION_EXECUTE_HANDLER) {
	}
	return code;
}

static void probes_know_the_line(void)
{
	ULONG64 end = MmUserProbeAddress;
	CHECK(probe_read(0x1000, 16, 8) == 0); /* nothing is read */
	CHECK(probe_read(0x1001, 16, 8) == STATUS_DATATYPE_MISALIGNMENT);
	CHECK(probe_read(0x1001, 0, 8) == 0);
	CHECK(probe_read(end - 8, 8, 4) == 0);
	CHECK(probe_read(end - 8, 9, 4) == STATUS_ACCESS_VIOLATION);
	CHECK(probe_read((ULONG64)probes_know_the_line, 1, 1) == STATUS_ACCESS_VIOLATION);
	CHECK(probe_read(~0ull - 3, 8, 1) == STATUS_ACCESS_VIOLATION); /* wraps */
	CHECK(probe_write(end, 1, 1) == STATUS_ACCESS_VIOLATION);
	CHECK(probe_write(0x1001, 2, 2) == STATUS_DATATYPE_MISALIGNMENT);
	CHECK(probe_write(0x1000, 2, 2) == STATUS_ACCESS_VIOLATION); /* nothing is there */
}

static void addresses_are_valid_or_not(void)
{
	ULONG local;
	CHECK(MmIsAddressValid(&local));
	CHECK(!MmIsAddressValid((void *)0x1000));
	CHECK(!MmIsAddressValid((void *)0x8000000000000000ull));
}

static void a_bad_pointer_for_an_export_is_handled_here(void)
{
	WCHAR buffer[32];
	UNICODE_STRING from = {64, 64, (WCHAR *)64}, to = {0, sizeof(buffer), buffer};
	NTSTATUS code = 0;
	__try {
		RtlCopyUnicodeString(&to, &from);
	} __except (code = exception_code(), EXCEPTION_EXECUTE_HANDLER) {
	}
	CHECK(code == STATUS_ACCESS_VIOLATION);
}

static int compare_and_raise(const void *a, const void *b)
{
	(void)a;
	(void)b;
	ExRaiseStatus(STATUS_UNSUCCESSFUL);
	return 0;
}

static void exceptions_pass_from_routine_through_export_to_caller(void)
{
	ULONG values[] = {3, 1, 2};
	NTSTATUS code = 0;
	__try {
		qsort(values, 3, sizeof(values[0]), compare_and_raise);
	} __except (code = exception_code(), EXCEPTION_EXECUTE_HANDLER) {
	}
	CHECK(code == STATUS_UNSUCCESSFUL);
}

void test_exports(void)
{
	raising_exports_raise();
	a_raised_record_arrives_and_can_be_continued();
	probes_know_the_line();
	addresses_are_valid_or_not();
	a_bad_pointer_for_an_export_is_handled_here();
	exceptions_pass_from_routine_through_export_to_caller();
}
