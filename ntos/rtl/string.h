/* SPDX-License-Identifier: MIT */
/*
 * Counted strings: making, copying, comparing. None of these allocates.
 *
 * The WDK pages are the reference. Where a page is silent and NT is known to write a
 * terminator when there is room for one (RtlCopyUnicodeString and the appending
 * routines), so does this. Case is that of rtl/case.h.
 */
#ifndef RINGSIDE_RTL_STRING_H
#define RINGSIDE_RTL_STRING_H

#include <ringside/nt.h>

#define HASH_STRING_ALGORITHM_DEFAULT 0
#define HASH_STRING_ALGORITHM_X65599 1

VOID NTAPI RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString);
NTSTATUS NTAPI RtlInitUnicodeStringEx(PUNICODE_STRING DestinationString, PCWSTR SourceString);
VOID NTAPI RtlInitAnsiString(PANSI_STRING DestinationString, PCSZ SourceString);
NTSTATUS NTAPI RtlInitAnsiStringEx(PANSI_STRING DestinationString, PCSZ SourceString);
VOID NTAPI RtlInitString(PSTRING DestinationString, PCSZ SourceString);

VOID NTAPI RtlCopyUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString);
VOID NTAPI RtlCopyString(PSTRING DestinationString, const STRING *SourceString);
NTSTATUS NTAPI RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source);
NTSTATUS NTAPI RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source);
NTSTATUS NTAPI RtlAppendStringToString(PSTRING Destination, const STRING *Source);

LONG NTAPI RtlCompareUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
				   BOOLEAN CaseInSensitive);
/* Lengths in characters. */
LONG NTAPI RtlCompareUnicodeStrings(PCWSTR String1, SIZE_T String1Length, PCWSTR String2,
				    SIZE_T String2Length, BOOLEAN CaseInSensitive);
BOOLEAN NTAPI RtlEqualUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
				    BOOLEAN CaseInSensitive);
BOOLEAN NTAPI RtlPrefixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
				     BOOLEAN CaseInSensitive);
LONG NTAPI RtlCompareString(const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive);
BOOLEAN NTAPI RtlEqualString(const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive);
BOOLEAN NTAPI RtlPrefixString(const STRING *String1, const STRING *String2,
			      BOOLEAN CaseInSensitive);
NTSTATUS NTAPI RtlHashUnicodeString(PCUNICODE_STRING String, BOOLEAN CaseInSensitive,
				    ULONG HashAlgorithm, PULONG HashValue);

WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR SourceCharacter);
WCHAR NTAPI RtlDowncaseUnicodeChar(WCHAR SourceCharacter);
CHAR NTAPI RtlUpperChar(CHAR Character);
VOID NTAPI RtlUpperString(PSTRING DestinationString, const STRING *SourceString);

/* Has no page. Flags must be 0; NULL and an empty string are valid; lengths must be
 * even and not exceed MaximumLength, and need a Buffer. INVALID_PARAMETER. */
NTSTATUS NTAPI RtlValidateUnicodeString(ULONG Flags, PCUNICODE_STRING String);

#endif
