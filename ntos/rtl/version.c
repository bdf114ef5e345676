/* SPDX-License-Identifier: MIT */
/*
 * The version, constant, and the tests that a driver makes of it.
 */
#include "rtl/version.h"
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define MAJOR 10
#define MINOR 0
#define BUILD 19045
#define NTDDI_CURRENT 0x0A000008u /* NTDDI_WIN10_VB, the last of Windows 10 */

#define WDM_MAJOR 6
#define WDM_MINOR 0

#define VER_PLATFORM_WIN32_NT 2
#define VER_SUITE_SINGLEUSERTS 0x100
#define VER_NT_WORKSTATION 1

_Static_assert(sizeof(RTL_OSVERSIONINFOEXW) == 284, "layout of RTL_OSVERSIONINFOEXW");

ULONG NtBuildNumber = 0xF0000000u | BUILD;

static const RTL_OSVERSIONINFOEXW current = {.dwMajorVersion = MAJOR,
					     .dwMinorVersion = MINOR,
					     .dwBuildNumber = BUILD,
					     .dwPlatformId = VER_PLATFORM_WIN32_NT,
					     .wSuiteMask = VER_SUITE_SINGLEUSERTS,
					     .wProductType = VER_NT_WORKSTATION};

NTSTATUS NTAPI RtlGetVersion(PRTL_OSVERSIONINFOEXW lpVersionInformation)
{
	ULONG asked = lpVersionInformation->dwOSVersionInfoSize;
	size_t plain = offsetof(RTL_OSVERSIONINFOEXW, wServicePackMajor);
	size_t size = asked == sizeof(current) ? sizeof(current) : plain;
	memcpy(lpVersionInformation, &current, size);
	lpVersionInformation->dwOSVersionInfoSize = asked;
	return STATUS_SUCCESS;
}

BOOLEAN NTAPI PsGetVersion(PULONG MajorVersion, PULONG MinorVersion, PULONG BuildNumber,
			   PUNICODE_STRING CSDVersion)
{
	if (MajorVersion)
		*MajorVersion = MAJOR;
	if (MinorVersion)
		*MinorVersion = MINOR;
	if (BuildNumber)
		*BuildNumber = BUILD;
	if (CSDVersion)
		*CSDVersion = (UNICODE_STRING){0};
	return FALSE;
}

/* ---- RtlVerifyVersionInfo ------------------------------------------------------------ */

/* Three bits for each bit of the type mask. */
static unsigned shift_of(ULONG type)
{
	return 3 * (unsigned)__builtin_ctz(type);
}

static unsigned condition_for(ULONGLONG conditions, ULONG type)
{
	return conditions >> shift_of(type) & 7;
}

ULONGLONG NTAPI VerSetConditionMask(ULONGLONG ConditionMask, ULONG TypeMask, UCHAR Condition)
{
	/* Of several types the highest counts; the top bit says that a mask was set. */
	ULONG type = TypeMask & 0xFF;
	if (!type || !(Condition & 7))
		return ConditionMask;
	type = 1u << (31 - (unsigned)__builtin_clz(type));
	return ConditionMask | 1ull << 63 | (ULONGLONG)(Condition & 7) << shift_of(type);
}

static bool holds(unsigned condition, ULONG have, ULONG want)
{
	switch (condition) {
	case VER_EQUAL:
		return have == want;
	case VER_GREATER:
		return have > want;
	case VER_GREATER_EQUAL:
		return have >= want;
	case VER_LESS:
		return have < want;
	case VER_LESS_EQUAL:
		return have <= want;
	default:
		return false;
	}
}

static bool suites_hold(unsigned condition, USHORT want)
{
	USHORT both = current.wSuiteMask & want;
	return condition == VER_AND ? both == want : condition == VER_OR && both;
}

struct part {
	ULONG type, have, want;
};

/* The parts of a version are compared from the most significant on; the first that
 * differs decides, and if none does, the last one's condition. */
static NTSTATUS verify_version(const struct part part[4], ULONG types, ULONGLONG conditions)
{
	bool result = true;
	for (unsigned i = 0; i < 4; i++) {
		if (!(types & part[i].type))
			continue;
		unsigned condition = condition_for(conditions, part[i].type);
		if (condition < VER_EQUAL || condition > VER_LESS_EQUAL)
			return STATUS_INVALID_PARAMETER;
		result = holds(condition, part[i].have, part[i].want);
		if (part[i].have != part[i].want)
			break;
	}
	return result ? STATUS_SUCCESS : STATUS_REVISION_MISMATCH;
}

static NTSTATUS verify_one(const struct part *part, ULONG types, ULONGLONG conditions)
{
	if (!(types & part->type))
		return STATUS_SUCCESS;
	unsigned condition = condition_for(conditions, part->type);
	if (condition < VER_EQUAL || condition > VER_LESS_EQUAL)
		return STATUS_INVALID_PARAMETER;
	return holds(condition, part->have, part->want) ? STATUS_SUCCESS : STATUS_REVISION_MISMATCH;
}

static NTSTATUS verify_suites(USHORT want, ULONG types, ULONGLONG conditions)
{
	if (!(types & VER_SUITENAME))
		return STATUS_SUCCESS;
	unsigned condition = condition_for(conditions, VER_SUITENAME);
	if (condition != VER_AND && condition != VER_OR)
		return STATUS_INVALID_PARAMETER;
	return suites_hold(condition, want) ? STATUS_SUCCESS : STATUS_REVISION_MISMATCH;
}

NTSTATUS NTAPI RtlVerifyVersionInfo(PRTL_OSVERSIONINFOEXW VersionInfo, ULONG TypeMask,
				    ULONGLONG ConditionMask)
{
	const RTL_OSVERSIONINFOEXW *want = VersionInfo;
	const struct part version[4] = {
		{VER_MAJORVERSION, current.dwMajorVersion, want->dwMajorVersion},
		{VER_MINORVERSION, current.dwMinorVersion, want->dwMinorVersion},
		{VER_SERVICEPACKMAJOR, current.wServicePackMajor, want->wServicePackMajor},
		{VER_SERVICEPACKMINOR, current.wServicePackMinor, want->wServicePackMinor}};
	const struct part single[3] = {
		{VER_BUILDNUMBER, current.dwBuildNumber, want->dwBuildNumber},
		{VER_PLATFORMID, current.dwPlatformId, want->dwPlatformId},
		{VER_PRODUCT_TYPE, current.wProductType, want->wProductType}};
	if (!TypeMask)
		return STATUS_INVALID_PARAMETER;
	NTSTATUS status = verify_version(version, TypeMask, ConditionMask);
	for (unsigned i = 0; i < 3 && status == STATUS_SUCCESS; i++)
		status = verify_one(&single[i], TypeMask, ConditionMask);
	if (status == STATUS_SUCCESS)
		status = verify_suites(want->wSuiteMask, TypeMask, ConditionMask);
	return status;
}

/* ---- NTDDI versions --------------------------------------------------------------------- */

#define OS_PART 0xFFFF0000u
#define SERVICE_PACK_PART 0x0000FF00u

BOOLEAN NTAPI RtlIsNtDdiVersionAvailable(ULONG Version)
{
	return Version <= NTDDI_CURRENT;
}

BOOLEAN NTAPI RtlIsServicePackVersionInstalled(ULONG Version)
{
	return (Version & OS_PART) == (NTDDI_CURRENT & OS_PART) &&
	       (Version & SERVICE_PACK_PART) <= (NTDDI_CURRENT & SERVICE_PACK_PART);
}

BOOLEAN NTAPI IoIsWdmVersionAvailable(UCHAR MajorVersion, UCHAR MinorVersion)
{
	return MajorVersion < WDM_MAJOR || (MajorVersion == WDM_MAJOR && MinorVersion <= WDM_MINOR);
}
