/* SPDX-License-Identifier: MIT */
/*
 * Numbers and GUIDs to text and back. The WDK pages are the reference.
 */
#ifndef RINGSIDE_RTL_NUMBER_H
#define RINGSIDE_RTL_NUMBER_H

#include <ringside/nt.h>

/* BUFFER_OVERFLOW unless the digits and a terminator fit. */
NTSTATUS NTAPI RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String);
NTSTATUS NTAPI RtlInt64ToUnicodeString(ULONGLONG Value, ULONG Base, PUNICODE_STRING String);

/* A number too large for 32 bits wraps around, as on NT. */
NTSTATUS NTAPI RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base, PULONG Value);
NTSTATUS NTAPI RtlCharToInteger(PCSZ String, ULONG Base, PULONG Value);

/* Upper-case digits. Paged pool that the caller frees with RtlFreeUnicodeString;
 * NO_MEMORY. */
NTSTATUS NTAPI RtlStringFromGUID(const GUID *Guid, PUNICODE_STRING GuidString);
NTSTATUS NTAPI RtlGUIDFromString(PCUNICODE_STRING GuidString, GUID *Guid);

#endif
