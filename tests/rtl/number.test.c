/* SPDX-License-Identifier: MIT */
/* Numbers and GUIDs as text; statuses and the version. */
#include "rtl/number.h"
#include "rtl/status.h"
#include "rtl/unicode.h"
#include "rtl/version.h"
#include "units.h"
#include <ringside/ringside.h>
#include <stdbool.h>
#include <stdio.h>

static int boot(void **state)
{
	(void)state;
	return rs_boot(NULL);
}

static int shut_down(void **state)
{
	(void)state;
	rs_shutdown();
	return 0;
}

static void integers_print_in_four_bases(void **state)
{
	(void)state;
	WCHAR buffer[70];
	UNICODE_STRING out = ROOM(buffer);
	assert_status(RtlIntegerToUnicodeString(0, 10, &out), STATUS_SUCCESS);
	assert_text(&out, "0");
	assert_status(RtlIntegerToUnicodeString(4294967295u, 0, &out), STATUS_SUCCESS);
	assert_text(&out, "4294967295");
	assert_int_equal(buffer[10], 0);
	assert_status(RtlIntegerToUnicodeString(0xBEEF, 16, &out), STATUS_SUCCESS);
	assert_text(&out, "BEEF");
	assert_status(RtlIntegerToUnicodeString(8, 8, &out), STATUS_SUCCESS);
	assert_text(&out, "10");
	assert_status(RtlInt64ToUnicodeString(1ull << 63, 2, &out), STATUS_SUCCESS);
	assert_int_equal(out.Length, 128);
	assert_status(RtlInt64ToUnicodeString(~0ull, 10, &out), STATUS_SUCCESS);
	assert_text(&out, "18446744073709551615");
	assert_status(RtlIntegerToUnicodeString(1, 7, &out), STATUS_INVALID_PARAMETER);
}

static void digits_and_terminator_must_fit(void **state)
{
	(void)state;
	WCHAR buffer[4] = u"###";
	UNICODE_STRING out = {2, 6, buffer};
	assert_status(RtlIntegerToUnicodeString(123, 10, &out), STATUS_BUFFER_OVERFLOW);
	assert_memory_equal(buffer, u"###", 6);
	out.MaximumLength = 8;
	assert_status(RtlIntegerToUnicodeString(123, 10, &out), STATUS_SUCCESS);
}

/* The table of the RtlUnicodeStringToInteger page, prefixes, and what wraps. */
static void integers_are_read_as_documented(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		ULONG base, value;
	} row[] = {
		{"123", 10, 123},
		{"-345", 10, (ULONG)-345},
		{"xyz", 10, 0},
		{"+678abc", 10, 678},
		{"+678abc", 16, 6785724},
		{"007", 10, 7},
		{"789", 8, 7},
		{"FGH", 16, 15},
		{" ", 10, 0},
		{"0x1F", 0, 31},
		{"0o17", 0, 15},
		{"0b101", 0, 5},
		{"017", 0, 17},
		{"0X1F", 0, 0},
		{"0x1F", 16, 0},
		{"\t\n -0x10", 0, (ULONG)-16},
		{"4294967297", 10, 1},
		{"102", 2, 2},
		{"- 5", 10, 0},
	};
	for (unsigned i = 0; i < sizeof(row) / sizeof(*row); i++) {
		WCHAR wide[32];
		ULONG value = 77;
		USHORT length = (USHORT)strlen(row[i].text);
		for (unsigned j = 0; j <= length; j++)
			wide[j] = (UCHAR)row[i].text[j];
		UNICODE_STRING string = {length * 2, length * 2, wide};
		assert_status(RtlUnicodeStringToInteger(&string, row[i].base, &value),
			      STATUS_SUCCESS);
		assert_int_equal(value, row[i].value);
		assert_status(RtlCharToInteger(row[i].text, row[i].base, &value), STATUS_SUCCESS);
		assert_int_equal(value, row[i].value);
	}
}

static void reading_stops_at_the_counted_end(void **state)
{
	(void)state;
	UNICODE_STRING string = {4, 10, (PWSTR)(uintptr_t)u"12345"}, none = {0};
	ULONG value;
	assert_status(RtlUnicodeStringToInteger(&string, 10, &value), STATUS_SUCCESS);
	assert_int_equal(value, 12);
	assert_status(RtlUnicodeStringToInteger(&none, 10, &value), STATUS_INVALID_PARAMETER);
	assert_status(RtlUnicodeStringToInteger(&string, 9, &value), STATUS_INVALID_PARAMETER);
}

static const GUID sample = {
	0x01234567, 0x89AB, 0xCDEF, {0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10}};

static void guid_prints_in_its_registry_form(void **state)
{
	(void)state;
	UNICODE_STRING out;
	assert_status(RtlStringFromGUID(&sample, &out), STATUS_SUCCESS);
	assert_text(&out, "{01234567-89AB-CDEF-FEDC-BA9876543210}");
	assert_int_equal(out.MaximumLength, out.Length + 2);
	assert_int_equal(out.Buffer[38], 0);
	RtlFreeUnicodeString(&out);
}

static void guid_is_read_in_either_case_and_nothing_else(void **state)
{
	(void)state;
	UNICODE_STRING good = STR("{01234567-89ab-CDEF-fedc-BA9876543210}");
	UNICODE_STRING bad[] = {
		STR("{01234567-89ab-CDEF-fedc-BA987654321}"),
		STR("{01234567-89ab-CDEF-fedc-BA98765432100}"),
		STR("{01234567-89ab-CDEF-fedc-BA9876543210} "),
		STR("(01234567-89ab-CDEF-fedc-BA9876543210}"),
		STR("{01234567-89ab-CDEF-fedc-BA9876543210)"),
		STR("{01234567x89ab-CDEF-fedc-BA9876543210}"),
		STR("{0123456G-89ab-CDEF-fedc-BA9876543210}"),
	};
	GUID guid = {0}, untouched = {.Data1 = 5};
	assert_status(RtlGUIDFromString(&good, &guid), STATUS_SUCCESS);
	assert_memory_equal(&guid, &sample, sizeof(guid));
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_status(RtlGUIDFromString(&bad[i], &untouched), STATUS_INVALID_PARAMETER);
	assert_int_equal(untouched.Data1, 5);
}

static void status_has_its_documented_name(void **state)
{
	(void)state;
	assert_string_equal(rs_status_name(0), "STATUS_SUCCESS");
	assert_string_equal(rs_status_name((int32_t)0xC0000022), "STATUS_ACCESS_DENIED");
	assert_string_equal(rs_status_name((int32_t)0xC01C0011),
			    "STATUS_FLT_INSTANCE_ALTITUDE_COLLISION");
	assert_null(rs_status_name((int32_t)0xC7777777));
}

/* Whether the header has the name with another value; *known counts what it has. */
static bool header_denies(FILE *header, const char *name, ULONG value, unsigned *known)
{
	char line[512], found[128];
	unsigned number;
	rewind(header);
	while (fgets(line, sizeof(line), header)) {
		if (sscanf(line, "#define %127s ((NTSTATUS)%x", found, &number) != 2 ||
		    strcmp(found, name) != 0)
			continue;
		++*known;
		return number != value;
	}
	return false;
}

static void status_values_are_those_of_the_windows_headers(void **state)
{
	(void)state;
	FILE *header = fopen("/usr/share/mingw-w64/include/ntstatus.h", "r");
	if (!header)
		skip();
	unsigned known = 0, all = 0;
#define CHECK(name, value)                                                                         \
	all++;                                                                                     \
	if (header_denies(header, "STATUS_" #name, value, &known))                                 \
		fail_msg("STATUS_" #name " is not 0x%08X there", value);
	RINGSIDE_STATUS_LIST(CHECK)
#undef CHECK
	assert_true(known > all * 9 / 10); /* it lacks a few that are newer than it */
	fclose(header);
}

static void status_becomes_a_win32_error(void **state)
{
	(void)state;
	assert_int_equal(RtlNtStatusToDosError(STATUS_SUCCESS), 0);
	assert_int_equal(RtlNtStatusToDosError(STATUS_ACCESS_DENIED), 5);
	assert_int_equal(RtlNtStatusToDosError(STATUS_OBJECT_NAME_NOT_FOUND), 2);
	assert_int_equal(RtlNtStatusToDosError(STATUS_BUFFER_OVERFLOW), 234);
	assert_int_equal(RtlNtStatusToDosError((NTSTATUS)0xC0070020), 32);
	assert_int_equal(RtlNtStatusToDosError((NTSTATUS)0xC7777777), 317);
}

/* ---- The version ------------------------------------------------------------------------ */

static void version_is_windows_10_22h2(void **state)
{
	(void)state;
	struct {
		RTL_OSVERSIONINFOEXW info;
		ULONG behind;
	} v;
	memset(&v, 0xFF, sizeof(v));
	v.info.dwOSVersionInfoSize = 276;
	assert_status(RtlGetVersion(&v.info), STATUS_SUCCESS);
	assert_int_equal(v.info.dwOSVersionInfoSize, 276);
	assert_int_equal(v.info.dwMajorVersion, 10);
	assert_int_equal(v.info.dwMinorVersion, 0);
	assert_int_equal(v.info.dwBuildNumber, 19045);
	assert_int_equal(v.info.dwPlatformId, 2);
	assert_int_equal(v.info.wServicePackMajor, 0xFFFF);
	v.info.dwOSVersionInfoSize = 284;
	assert_status(RtlGetVersion(&v.info), STATUS_SUCCESS);
	assert_int_equal(v.info.wProductType, 1);
	assert_int_equal(v.behind, 0xFFFFFFFF);
	ULONG major, minor, build;
	assert_false(PsGetVersion(&major, &minor, &build, NULL));
	assert_int_equal(major * 100 + minor, 1000);
	assert_int_equal(build, 19045);
	assert_int_equal(NtBuildNumber & 0xFFFF, 19045);
}

static NTSTATUS verify(ULONG major, ULONG minor, ULONG build, ULONG types, unsigned condition)
{
	RTL_OSVERSIONINFOEXW info = {.dwMajorVersion = major,
				     .dwMinorVersion = minor,
				     .dwBuildNumber = build,
				     .wProductType = 1};
	ULONGLONG mask = 0;
	for (ULONG type = 1; type <= VER_PRODUCT_TYPE; type <<= 1) {
		if (types & type)
			mask = VerSetConditionMask(mask, type, (UCHAR)condition);
	}
	return RtlVerifyVersionInfo(&info, types, mask);
}

static void verification_compares_from_the_major_version_on(void **state)
{
	(void)state;
	const ULONG both = VER_MAJORVERSION | VER_MINORVERSION;
	assert_status(verify(6, 1, 0, both, VER_GREATER_EQUAL), STATUS_SUCCESS);
	assert_status(verify(10, 0, 0, both, VER_GREATER_EQUAL), STATUS_SUCCESS);
	assert_status(verify(10, 1, 0, both, VER_GREATER_EQUAL), STATUS_REVISION_MISMATCH);
	assert_status(verify(11, 0, 0, both, VER_GREATER_EQUAL), STATUS_REVISION_MISMATCH);
	assert_status(verify(10, 0, 0, both, VER_GREATER), STATUS_REVISION_MISMATCH);
	assert_status(verify(11, 0, 0, both, VER_LESS), STATUS_SUCCESS);
	assert_status(verify(10, 0, 0, both, VER_EQUAL), STATUS_SUCCESS);
	assert_status(verify(10, 0, 19045, both | VER_BUILDNUMBER, VER_EQUAL), STATUS_SUCCESS);
	assert_status(verify(10, 0, 19046, both | VER_BUILDNUMBER, VER_GREATER_EQUAL),
		      STATUS_REVISION_MISMATCH);
	assert_status(verify(10, 0, 0, VER_PRODUCT_TYPE, VER_EQUAL), STATUS_SUCCESS);
	assert_status(verify(10, 0, 0, 0, VER_EQUAL), STATUS_INVALID_PARAMETER);
	RTL_OSVERSIONINFOEXW info = {.dwMajorVersion = 10};
	assert_status(RtlVerifyVersionInfo(&info, VER_MAJORVERSION, 0), STATUS_INVALID_PARAMETER);
}

/* VER_SET_CONDITION of winnt.h puts three bits for each bit of the type. */
static void condition_mask_is_laid_out_as_the_macro_does(void **state)
{
	(void)state;
	assert_int_equal(VerSetConditionMask(0, VER_MAJORVERSION, VER_GREATER_EQUAL),
			 1ull << 63 | 3ull << 3);
	assert_int_equal(VerSetConditionMask(0, VER_BUILDNUMBER, VER_EQUAL),
			 1ull << 63 | 1ull << 6);
	assert_int_equal(VerSetConditionMask(5, 0, VER_EQUAL), 5);
}

static void ddi_versions_up_to_windows_10(void **state)
{
	(void)state;
	assert_true(RtlIsNtDdiVersionAvailable(0x06010000));  /* Windows 7 */
	assert_true(RtlIsNtDdiVersionAvailable(0x0A000000));  /* Windows 10 */
	assert_false(RtlIsNtDdiVersionAvailable(0x0A00000C)); /* Windows 11 22H2 */
	assert_true(IoIsWdmVersionAvailable(1, 0x30));        /* Windows Server 2003 */
	assert_true(IoIsWdmVersionAvailable(6, 0));
	assert_false(IoIsWdmVersionAvailable(6, 1));
	assert_true(RtlIsServicePackVersionInstalled(0x0A000000));
	assert_false(RtlIsServicePackVersionInstalled(0x0A000100));
	assert_false(RtlIsServicePackVersionInstalled(0x06010000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_print_in_four_bases),
		cmocka_unit_test(digits_and_terminator_must_fit),
		cmocka_unit_test(integers_are_read_as_documented),
		cmocka_unit_test(reading_stops_at_the_counted_end),
		cmocka_unit_test(guid_prints_in_its_registry_form),
		cmocka_unit_test(guid_is_read_in_either_case_and_nothing_else),
		cmocka_unit_test(status_has_its_documented_name),
		cmocka_unit_test(status_values_are_those_of_the_windows_headers),
		cmocka_unit_test(status_becomes_a_win32_error),
		cmocka_unit_test(version_is_windows_10_22h2),
		cmocka_unit_test(verification_compares_from_the_major_version_on),
		cmocka_unit_test(condition_mask_is_laid_out_as_the_macro_does),
		cmocka_unit_test(ddi_versions_up_to_windows_10),
	};
	return cmocka_run_group_tests(tests, boot, shut_down);
}
