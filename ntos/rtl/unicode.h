/* SPDX-License-Identifier: MIT */
/*
 * Strings converted and strings allocated.
 *
 * What these allocate is paged pool with the tag 'Strg' that belongs to the driver
 * which called, as its own allocations do. The ANSI code page is that of
 * rtl/codepage.h. The WDK pages are the reference; where they differ from NT:
 * RtlUnicodeStringToAnsiString into a buffer that is too small converts what fits,
 * terminates it and returns BUFFER_OVERFLOW.
 */
#ifndef RINGSIDE_RTL_UNICODE_H
#define RINGSIDE_RTL_UNICODE_H

#include <ringside/nt.h>

#define RTL_DUPLICATE_UNICODE_STRING_NULL_TERMINATE 1
#define RTL_DUPLICATE_UNICODE_STRING_ALLOCATE_NULL_STRING 2

VOID NTAPI RtlFreeUnicodeString(PUNICODE_STRING UnicodeString);
VOID NTAPI RtlFreeAnsiString(PANSI_STRING AnsiString);

NTSTATUS NTAPI RtlUpcaseUnicodeString(PUNICODE_STRING DestinationString,
				      PCUNICODE_STRING SourceString,
				      BOOLEAN AllocateDestinationString);
NTSTATUS NTAPI RtlDowncaseUnicodeString(PUNICODE_STRING DestinationString,
					PCUNICODE_STRING SourceString,
					BOOLEAN AllocateDestinationString);
BOOLEAN NTAPI RtlCreateUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString);

/* Has no page. Flags: the two above, the second only with the first. An empty string
 * becomes an empty one without a buffer unless both are set. INVALID_PARAMETER,
 * NO_MEMORY. */
NTSTATUS NTAPI RtlDuplicateUnicodeString(ULONG Flags, PCUNICODE_STRING StringIn,
					 PUNICODE_STRING StringOut);

NTSTATUS NTAPI RtlAnsiStringToUnicodeString(PUNICODE_STRING DestinationString,
					    PCANSI_STRING SourceString,
					    BOOLEAN AllocateDestinationString);
NTSTATUS NTAPI RtlUnicodeStringToAnsiString(PANSI_STRING DestinationString,
					    PCUNICODE_STRING SourceString,
					    BOOLEAN AllocateDestinationString);
/* Bytes that the converted string takes with its terminator. */
ULONG NTAPI RtlxUnicodeStringToAnsiSize(PCUNICODE_STRING UnicodeString);
ULONG NTAPI RtlxAnsiStringToUnicodeSize(PCANSI_STRING AnsiString);

NTSTATUS NTAPI RtlUnicodeToMultiByteN(PCHAR MultiByteString, ULONG MaxBytesInMultiByteString,
				      PULONG BytesInMultiByteString, PCWSTR UnicodeString,
				      ULONG BytesInUnicodeString);
NTSTATUS NTAPI RtlMultiByteToUnicodeN(PWSTR UnicodeString, ULONG MaxBytesInUnicodeString,
				      PULONG BytesInUnicodeString, const CHAR *MultiByteString,
				      ULONG BytesInMultiByteString);
NTSTATUS NTAPI RtlUnicodeToMultiByteSize(PULONG BytesInMultiByteString, PCWSTR UnicodeString,
					 ULONG BytesInUnicodeString);
NTSTATUS NTAPI RtlMultiByteToUnicodeSize(PULONG BytesInUnicodeString, const CHAR *MultiByteString,
					 ULONG BytesInMultiByteString);

NTSTATUS NTAPI RtlUTF8ToUnicodeN(PWSTR UnicodeStringDestination, ULONG UnicodeStringMaxByteCount,
				 PULONG UnicodeStringActualByteCount, PCSTR UTF8StringSource,
				 ULONG UTF8StringByteCount);
NTSTATUS NTAPI RtlUnicodeToUTF8N(PCHAR UTF8StringDestination, ULONG UTF8StringMaxByteCount,
				 PULONG UTF8StringActualByteCount, PCWSTR UnicodeStringSource,
				 ULONG UnicodeStringByteCount);

#endif
