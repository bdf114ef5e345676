/* SPDX-License-Identifier: MIT */
/*
 * Counted strings in place. The strings are the driver's; nothing is kept here, and
 * who shares a string between threads guards it himself.
 *
 * Lengths of UNICODE_STRINGs are bytes. An odd one is a driver's mistake that NT does
 * not look for: the last byte is ignored.
 */
#include "rtl/string.h"
#include "rtl/case.h"
#include "rtl/codepage.h"
#include <stdbool.h>
#include <string.h>

#define MAX_USTRING 0xFFFEu /* the largest even USHORT */
#define MAX_STRING 0xFFFFu

static size_t units_of(PCUNICODE_STRING string)
{
	return string->Length / sizeof(WCHAR);
}

/* An empty string may have no buffer, and memmove wants one. */
static void copy_bytes(void *to, const void *from, size_t size)
{
	if (size)
		memmove(to, from, size);
}

static size_t wide_length(const WCHAR *text)
{
	size_t length = 0;
	while (text[length])
		length++;
	return length;
}

/* ---- Making ----------------------------------------------------------------------- */

/* Refers to `size` bytes of `text`, which a terminator of `unit` bytes follows. */
static void refer(STRING *string, void *text, size_t size, size_t unit)
{
	string->Length = (USHORT)size;
	string->MaximumLength = (USHORT)(size + unit);
	string->Buffer = text;
}

/* UNICODE_STRING and STRING have one layout. */
static STRING *as_string(PUNICODE_STRING string)
{
	return (STRING *)(void *)string;
}

VOID NTAPI RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
	*DestinationString = (UNICODE_STRING){0};
	if (!SourceString)
		return;
	size_t size = wide_length(SourceString) * sizeof(WCHAR);
	if (size > MAX_USTRING - sizeof(WCHAR))
		size = MAX_USTRING - sizeof(WCHAR);
	refer(as_string(DestinationString), (void *)(uintptr_t)SourceString, size, sizeof(WCHAR));
}

NTSTATUS NTAPI RtlInitUnicodeStringEx(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
	if (SourceString && wide_length(SourceString) * sizeof(WCHAR) > MAX_USTRING - sizeof(WCHAR))
		return STATUS_NAME_TOO_LONG;
	RtlInitUnicodeString(DestinationString, SourceString);
	return STATUS_SUCCESS;
}

VOID NTAPI RtlInitAnsiString(PANSI_STRING DestinationString, PCSZ SourceString)
{
	*DestinationString = (ANSI_STRING){0};
	if (!SourceString)
		return;
	size_t size = strlen(SourceString);
	if (size > MAX_STRING - 1)
		size = MAX_STRING - 1;
	refer(DestinationString, (void *)(uintptr_t)SourceString, size, 1);
}

NTSTATUS NTAPI RtlInitAnsiStringEx(PANSI_STRING DestinationString, PCSZ SourceString)
{
	if (SourceString && strlen(SourceString) > MAX_STRING - 1)
		return STATUS_NAME_TOO_LONG;
	RtlInitAnsiString(DestinationString, SourceString);
	return STATUS_SUCCESS;
}

VOID NTAPI RtlInitString(PSTRING DestinationString, PCSZ SourceString)
{
	RtlInitAnsiString(DestinationString, SourceString);
}

/* ---- Copying ------------------------------------------------------------------------- */

static void terminate_if_room(PUNICODE_STRING string)
{
	if (string->Length + sizeof(WCHAR) <= string->MaximumLength)
		string->Buffer[units_of(string)] = 0;
}

VOID NTAPI RtlCopyUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString)
{
	DestinationString->Length = 0;
	if (!SourceString)
		return;
	USHORT size = SourceString->Length;
	if (size > DestinationString->MaximumLength)
		size = DestinationString->MaximumLength;
	copy_bytes(DestinationString->Buffer, SourceString->Buffer, size);
	DestinationString->Length = size;
	terminate_if_room(DestinationString);
}

VOID NTAPI RtlCopyString(PSTRING DestinationString, const STRING *SourceString)
{
	DestinationString->Length = 0;
	if (!SourceString)
		return;
	USHORT size = SourceString->Length;
	if (size > DestinationString->MaximumLength)
		size = DestinationString->MaximumLength;
	copy_bytes(DestinationString->Buffer, SourceString->Buffer, size);
	DestinationString->Length = size;
}

static NTSTATUS append(STRING *to, const void *text, size_t size)
{
	if (to->Length + size > to->MaximumLength)
		return STATUS_BUFFER_TOO_SMALL;
	copy_bytes(to->Buffer + to->Length, text, size);
	to->Length = (USHORT)(to->Length + size);
	return STATUS_SUCCESS;
}

static NTSTATUS append_wide(PUNICODE_STRING to, const WCHAR *text, size_t size)
{
	NTSTATUS status = append(as_string(to), text, size);
	if (status == STATUS_SUCCESS && size)
		terminate_if_room(to);
	return status;
}

NTSTATUS NTAPI RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source)
{
	return append_wide(Destination, Source->Buffer, Source->Length);
}

NTSTATUS NTAPI RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source)
{
	return Source ? append_wide(Destination, Source, wide_length(Source) * sizeof(WCHAR))
		      : STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlAppendStringToString(PSTRING Destination, const STRING *Source)
{
	return append(Destination, Source->Buffer, Source->Length);
}

/* ---- Comparing ------------------------------------------------------------------------ */

/* The difference of the first units that differ within `count`, or 0. */
static LONG compare_units(const WCHAR *a, const WCHAR *b, size_t count, bool ignore_case)
{
	for (size_t i = 0; i < count; i++) {
		WCHAR x = a[i], y = b[i];
		if (x == y)
			continue;
		if (ignore_case) {
			x = rtl_upcase(x);
			y = rtl_upcase(y);
		}
		if (x != y)
			return (LONG)x - (LONG)y;
	}
	return 0;
}

LONG NTAPI RtlCompareUnicodeStrings(PCWSTR String1, SIZE_T String1Length, PCWSTR String2,
				    SIZE_T String2Length, BOOLEAN CaseInSensitive)
{
	SIZE_T common = String1Length < String2Length ? String1Length : String2Length;
	LONG difference = compare_units(String1, String2, common, CaseInSensitive);
	return difference ? difference : (LONG)String1Length - (LONG)String2Length;
}

LONG NTAPI RtlCompareUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
				   BOOLEAN CaseInSensitive)
{
	return RtlCompareUnicodeStrings(String1->Buffer, units_of(String1), String2->Buffer,
					units_of(String2), CaseInSensitive);
}

BOOLEAN NTAPI RtlEqualUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
				    BOOLEAN CaseInSensitive)
{
	return String1->Length == String2->Length &&
	       !compare_units(String1->Buffer, String2->Buffer, units_of(String1), CaseInSensitive);
}

BOOLEAN NTAPI RtlPrefixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
				     BOOLEAN CaseInSensitive)
{
	return String1->Length <= String2->Length &&
	       !compare_units(String1->Buffer, String2->Buffer, units_of(String1), CaseInSensitive);
}

static LONG compare_bytes(const STRING *a, const STRING *b, size_t count, bool ignore_case)
{
	for (size_t i = 0; i < count; i++) {
		CHAR x = a->Buffer[i], y = b->Buffer[i];
		if (ignore_case) {
			x = RtlUpperChar(x);
			y = RtlUpperChar(y);
		}
		if (x != y)
			return (LONG)(UCHAR)x - (LONG)(UCHAR)y;
	}
	return 0;
}

LONG NTAPI RtlCompareString(const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive)
{
	USHORT common = String1->Length < String2->Length ? String1->Length : String2->Length;
	LONG difference = compare_bytes(String1, String2, common, CaseInSensitive);
	return difference ? difference : (LONG)String1->Length - (LONG)String2->Length;
}

BOOLEAN NTAPI RtlEqualString(const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive)
{
	return String1->Length == String2->Length &&
	       !compare_bytes(String1, String2, String1->Length, CaseInSensitive);
}

BOOLEAN NTAPI RtlPrefixString(const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive)
{
	return String1->Length <= String2->Length &&
	       !compare_bytes(String1, String2, String1->Length, CaseInSensitive);
}

NTSTATUS NTAPI RtlHashUnicodeString(PCUNICODE_STRING String, BOOLEAN CaseInSensitive,
				    ULONG HashAlgorithm, PULONG HashValue)
{
	if (!String || !HashValue || HashAlgorithm > HASH_STRING_ALGORITHM_X65599)
		return STATUS_INVALID_PARAMETER;
	ULONG hash = 0;
	for (size_t i = 0; i < units_of(String); i++) {
		WCHAR unit = String->Buffer[i];
		hash = hash * 65599 + (CaseInSensitive ? rtl_upcase(unit) : unit);
	}
	*HashValue = hash;
	return STATUS_SUCCESS;
}

/* ---- Case, one character or in place ------------------------------------------------------ */

WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR SourceCharacter)
{
	return rtl_upcase(SourceCharacter);
}

WCHAR NTAPI RtlDowncaseUnicodeChar(WCHAR SourceCharacter)
{
	return rtl_downcase(SourceCharacter);
}

/* A character whose capital the code page lacks stays as it is. */
CHAR NTAPI RtlUpperChar(CHAR Character)
{
	WCHAR upper = rtl_upcase(rtl_from_ansi(Character));
	CHAR byte = rtl_to_ansi(upper);
	return rtl_from_ansi(byte) == upper ? byte : Character;
}

VOID NTAPI RtlUpperString(PSTRING DestinationString, const STRING *SourceString)
{
	USHORT size = SourceString->Length;
	if (size > DestinationString->MaximumLength)
		size = DestinationString->MaximumLength;
	for (USHORT i = 0; i < size; i++)
		DestinationString->Buffer[i] = RtlUpperChar(SourceString->Buffer[i]);
	DestinationString->Length = size;
}

NTSTATUS NTAPI RtlValidateUnicodeString(ULONG Flags, PCUNICODE_STRING String)
{
	if (Flags)
		return STATUS_INVALID_PARAMETER;
	if (!String)
		return STATUS_SUCCESS;
	bool even = String->Length % 2 == 0 && String->MaximumLength % 2 == 0;
	bool fits = String->Length <= String->MaximumLength;
	bool backed = String->Buffer || String->MaximumLength == 0;
	return even && fits && backed ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}
