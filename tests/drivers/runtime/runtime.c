/* SPDX-License-Identifier: MIT */
/*
 * The driver of tests/rtl/driver.test.c: calls the run-time library as the WDK's
 * headers declare it, so that an argument in another order, a structure of another
 * layout or a misread va_list shows. DriverEntry fails after saying which line did.
 */
#include <ntddk.h>
#include <stdarg.h>

/* What the headers leave to other headers. */
NTSYSAPI int __cdecl _snprintf(char *to, size_t count, const char *format, ...);
NTSYSAPI int __cdecl _vsnwprintf(wchar_t *to, size_t count, const wchar_t *format, va_list args);
NTSYSAPI int __cdecl _wcsicmp(const wchar_t *a, const wchar_t *b);
NTSYSAPI void __cdecl qsort(void *base, size_t count, size_t width,
			    int(__cdecl *compare)(const void *, const void *));
NTSYSAPI BOOLEAN NTAPI FsRtlIsNameInExpression(PUNICODE_STRING expression, PUNICODE_STRING name,
					       BOOLEAN ignore_case, PWCH table);

extern __declspec(dllimport) ULONG NtBuildNumber;

#define TAG 'emiT'

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			DbgPrint("line %d: %s\n", __LINE__, #condition);                           \
			return STATUS_UNSUCCESSFUL;                                                \
		}                                                                                  \
	} while (0)

static BOOLEAN is(PCUNICODE_STRING string, PCWSTR text)
{
	UNICODE_STRING other;
	RtlInitUnicodeString(&other, text);
	return RtlEqualUnicodeString(string, &other, FALSE);
}

static int wide_print(wchar_t *to, size_t count, const wchar_t *format, ...)
{
	va_list args;
	va_start(args, format);
	int length = _vsnwprintf(to, count, format, args);
	va_end(args);
	return length;
}

static int __cdecl descending(const void *a, const void *b)
{
	return *(const int *)b - *(const int *)a;
}

static NTSTATUS check_strings(void)
{
	WCHAR buffer[32];
	UNICODE_STRING text, other, prefix = RTL_CONSTANT_STRING(L"\\??\\");
	ANSI_STRING ansi;
	ULONG number;
	GUID guid;

	RtlInitEmptyUnicodeString(&text, buffer, sizeof(buffer));
	REQUIRE(NT_SUCCESS(RtlAppendUnicodeStringToString(&text, &prefix)));
	REQUIRE(NT_SUCCESS(RtlAppendUnicodeToString(&text, L"C:\\Tool.exe")));
	REQUIRE(is(&text, L"\\??\\C:\\Tool.exe"));
	REQUIRE(RtlPrefixUnicodeString(&prefix, &text, TRUE));
	REQUIRE(NT_SUCCESS(RtlUpcaseUnicodeString(&other, &text, TRUE)));
	REQUIRE(is(&other, L"\\??\\C:\\TOOL.EXE"));
	REQUIRE(RtlCompareUnicodeString(&text, &other, TRUE) == 0);
	REQUIRE(NT_SUCCESS(RtlUnicodeStringToAnsiString(&ansi, &other, TRUE)));
	REQUIRE(ansi.Length == 15 && ansi.Buffer[15] == 0);
	RtlFreeUnicodeString(&other);
	RtlFreeAnsiString(&ansi);
	REQUIRE(NT_SUCCESS(RtlIntegerToUnicodeString(48879, 16, &text)) && is(&text, L"BEEF"));
	REQUIRE(NT_SUCCESS(RtlUnicodeStringToInteger(&text, 16, &number)) && number == 48879);
	RtlInitUnicodeString(&other, L"{00000001-0002-0003-0405-060708090A0B}");
	REQUIRE(NT_SUCCESS(RtlGUIDFromString(&other, &guid)));
	REQUIRE(guid.Data1 == 1 && guid.Data2 == 2 && guid.Data3 == 3 && guid.Data4[7] == 11);
	RtlInitUnicodeString(&other, L"*.EXE");
	RtlInitUnicodeString(&text, L"Tool.exe");
	REQUIRE(FsRtlIsNameInExpression(&other, &text, TRUE, NULL));
	return STATUS_SUCCESS;
}

static NTSTATUS check_runtime(void)
{
	char text[64];
	WCHAR wide[64];
	int numbers[] = {3, 1, 2};
	UNICODE_STRING string = RTL_CONSTANT_STRING(L"name");

	RtlFillMemory(text, 4, 'x');
	REQUIRE(RtlCompareMemory(text, "xxxy", 4) == 3);
	REQUIRE(_snprintf(text, 64, "%d %I64d %hs %wZ %p", -1, 1ll << 40, "s", &string, NULL) ==
		40);
	REQUIRE(RtlCompareMemory(text, "-1 1099511627776 s name 0000000000000000", 41) == 41);
	REQUIRE(wide_print(wide, 64, L"%s|%S|%d|%d|%d", L"w", "n", 4, 5, 6) == 9);
	REQUIRE(_wcsicmp(wide, L"W|N|4|5|6") == 0);
	qsort(numbers, 3, sizeof(numbers[0]), descending);
	REQUIRE(numbers[0] == 3 && numbers[1] == 2 && numbers[2] == 1);
	return STATUS_SUCCESS;
}

static NTSTATUS check_version(void)
{
	RTL_OSVERSIONINFOEXW version = {.dwOSVersionInfoSize = sizeof(version)};
	ULONGLONG mask = 0;
	REQUIRE(NT_SUCCESS(RtlGetVersion((PRTL_OSVERSIONINFOW)&version)));
	REQUIRE(version.dwMajorVersion == 10 && version.dwBuildNumber == 19045);
	REQUIRE(version.wProductType == VER_NT_WORKSTATION);
	VER_SET_CONDITION(mask, VER_MAJORVERSION, VER_GREATER_EQUAL);
	VER_SET_CONDITION(mask, VER_MINORVERSION, VER_GREATER_EQUAL);
	version.dwMajorVersion = 6;
	version.dwMinorVersion = 3;
	REQUIRE(NT_SUCCESS(
		RtlVerifyVersionInfo(&version, VER_MAJORVERSION | VER_MINORVERSION, mask)));
	version.dwMajorVersion = 11;
	REQUIRE(RtlVerifyVersionInfo(&version, VER_MAJORVERSION | VER_MINORVERSION, mask) ==
		STATUS_REVISION_MISMATCH);
	REQUIRE((NtBuildNumber & 0xFFFF) == 19045);
	REQUIRE(!KdDebuggerEnabled && KdDebuggerNotPresent);
	return STATUS_SUCCESS;
}

static NTSTATUS check_pool(void)
{
	PUCHAR block = ExAllocatePoolWithTag(PagedPool, 5000, TAG);
	REQUIRE(block && ((ULONG_PTR)block & 0xFFF) == 0);
	block[4999] = 1;
	ExFreePoolWithTag(block, TAG);
	block = ExAllocatePoolWithTag(NonPagedPool, 24, TAG);
	REQUIRE(block && ((ULONG_PTR)block & 15) == 0);
	ExFreePool(block);
	return STATUS_SUCCESS;
}

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
	UNREFERENCED_PARAMETER(driver);
}

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	NTSTATUS status = check_strings();
	driver->DriverUnload = unload;
	if (NT_SUCCESS(status))
		status = check_runtime();
	if (NT_SUCCESS(status))
		status = check_version();
	if (NT_SUCCESS(status))
		status = check_pool();
	DbgPrint("%wZ: %d %s", path, 42, "checked");
	return status;
}
