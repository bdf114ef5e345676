/* SPDX-License-Identifier: MIT */
/*
 * Conversions between the string types.
 *
 * No state. A buffer that a routine allocates is given to the driver whole, found by
 * its return address, so that the pool's leak check at unload names it.
 */
#include "rtl/unicode.h"
#include "ex/pool.h"
#include "rtl/case.h"
#include "rtl/codepage.h"
#include "rtl/utf.h"
#include <string.h>

#define STRING_TAG 0x67727453u /* "Strg" */
#define MAX_BYTES 0xFFFFu      /* what a USHORT length can say */

static void *get_buffer(const void *caller, size_t size)
{
	return ex_allocate_pool(caller, PagedPool, size, STRING_TAG);
}

static size_t units_of(PCUNICODE_STRING string)
{
	return string->Length / sizeof(WCHAR);
}

VOID NTAPI RtlFreeUnicodeString(PUNICODE_STRING UnicodeString)
{
	if (!UnicodeString->Buffer)
		return;
	ex_free_pool(__builtin_return_address(0), UnicodeString->Buffer);
	*UnicodeString = (UNICODE_STRING){0};
}

VOID NTAPI RtlFreeAnsiString(PANSI_STRING AnsiString)
{
	if (!AnsiString->Buffer)
		return;
	ex_free_pool(__builtin_return_address(0), AnsiString->Buffer);
	*AnsiString = (ANSI_STRING){0};
}

/* ---- Wide to wide ------------------------------------------------------------------ */

static NTSTATUS change_case(const void *caller, PUNICODE_STRING to, PCUNICODE_STRING from,
			    BOOLEAN allocate, WCHAR (*map)(WCHAR))
{
	if (allocate) {
		WCHAR *buffer = get_buffer(caller, from->Length);
		if (!buffer)
			return STATUS_NO_MEMORY;
		to->Buffer = buffer;
		to->MaximumLength = from->Length;
	} else if (from->Length > to->MaximumLength) {
		return STATUS_BUFFER_OVERFLOW;
	}
	for (size_t i = 0; i < units_of(from); i++)
		to->Buffer[i] = map(from->Buffer[i]);
	to->Length = from->Length;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlUpcaseUnicodeString(PUNICODE_STRING DestinationString,
				      PCUNICODE_STRING SourceString,
				      BOOLEAN AllocateDestinationString)
{
	return change_case(__builtin_return_address(0), DestinationString, SourceString,
			   AllocateDestinationString, rtl_upcase);
}

NTSTATUS NTAPI RtlDowncaseUnicodeString(PUNICODE_STRING DestinationString,
					PCUNICODE_STRING SourceString,
					BOOLEAN AllocateDestinationString)
{
	return change_case(__builtin_return_address(0), DestinationString, SourceString,
			   AllocateDestinationString, rtl_downcase);
}

BOOLEAN NTAPI RtlCreateUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
	size_t size = sizeof(WCHAR);
	for (const WCHAR *at = SourceString; *at; at++)
		size += sizeof(WCHAR);
	if (size > MAX_BYTES)
		return FALSE;
	WCHAR *buffer = get_buffer(__builtin_return_address(0), size);
	if (!buffer)
		return FALSE;
	memcpy(buffer, SourceString, size);
	*DestinationString = (UNICODE_STRING){(USHORT)(size - sizeof(WCHAR)), (USHORT)size, buffer};
	return TRUE;
}

NTSTATUS NTAPI RtlDuplicateUnicodeString(ULONG Flags, PCUNICODE_STRING StringIn,
					 PUNICODE_STRING StringOut)
{
	BOOLEAN terminate = Flags & RTL_DUPLICATE_UNICODE_STRING_NULL_TERMINATE;
	BOOLEAN even_empty = (Flags & RTL_DUPLICATE_UNICODE_STRING_ALLOCATE_NULL_STRING) != 0;
	if (Flags > 3 || (even_empty && !terminate) || !StringIn || !StringOut ||
	    StringIn->Length > StringIn->MaximumLength ||
	    (StringIn->MaximumLength && !StringIn->Buffer))
		return STATUS_INVALID_PARAMETER;
	if (!StringIn->Length && !even_empty) {
		*StringOut = (UNICODE_STRING){0};
		return STATUS_SUCCESS;
	}
	size_t size = StringIn->Length + (terminate ? sizeof(WCHAR) : 0);
	if (size > MAX_BYTES)
		return STATUS_NAME_TOO_LONG;
	WCHAR *buffer = get_buffer(__builtin_return_address(0), size);
	if (!buffer)
		return STATUS_NO_MEMORY;
	if (StringIn->Length)
		memcpy(buffer, StringIn->Buffer, StringIn->Length);
	if (terminate)
		buffer[units_of(StringIn)] = 0;
	*StringOut = (UNICODE_STRING){StringIn->Length, (USHORT)size, buffer};
	return STATUS_SUCCESS;
}

/* ---- The ANSI code page ----------------------------------------------------------------- */

static void widen(WCHAR *to, const CHAR *from, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[i] = rtl_from_ansi(from[i]);
}

static void narrow(CHAR *to, const WCHAR *from, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[i] = rtl_to_ansi(from[i]);
}

ULONG NTAPI RtlxUnicodeStringToAnsiSize(PCUNICODE_STRING UnicodeString)
{
	return (ULONG)units_of(UnicodeString) + 1;
}

ULONG NTAPI RtlxAnsiStringToUnicodeSize(PCANSI_STRING AnsiString)
{
	return (AnsiString->Length + 1u) * (ULONG)sizeof(WCHAR);
}

NTSTATUS NTAPI RtlAnsiStringToUnicodeString(PUNICODE_STRING DestinationString,
					    PCANSI_STRING SourceString,
					    BOOLEAN AllocateDestinationString)
{
	ULONG size = RtlxAnsiStringToUnicodeSize(SourceString);
	if (size > MAX_BYTES)
		return STATUS_INVALID_PARAMETER_2;
	if (AllocateDestinationString) {
		WCHAR *buffer = get_buffer(__builtin_return_address(0), size);
		if (!buffer)
			return STATUS_NO_MEMORY;
		DestinationString->Buffer = buffer;
		DestinationString->MaximumLength = (USHORT)size;
	} else if (size > DestinationString->MaximumLength) {
		return STATUS_BUFFER_OVERFLOW;
	}
	widen(DestinationString->Buffer, SourceString->Buffer, SourceString->Length);
	DestinationString->Buffer[SourceString->Length] = 0;
	DestinationString->Length = (USHORT)(size - sizeof(WCHAR));
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlUnicodeStringToAnsiString(PANSI_STRING DestinationString,
					    PCUNICODE_STRING SourceString,
					    BOOLEAN AllocateDestinationString)
{
	size_t count = units_of(SourceString);
	NTSTATUS status = STATUS_SUCCESS;
	if (AllocateDestinationString) {
		CHAR *buffer = get_buffer(__builtin_return_address(0), count + 1);
		if (!buffer)
			return STATUS_NO_MEMORY;
		DestinationString->Buffer = buffer;
		DestinationString->MaximumLength = (USHORT)(count + 1);
	} else if (count >= DestinationString->MaximumLength) {
		status = STATUS_BUFFER_OVERFLOW;
		if (DestinationString->MaximumLength == 0)
			return status;
		count = DestinationString->MaximumLength - 1u;
	}
	narrow(DestinationString->Buffer, SourceString->Buffer, count);
	DestinationString->Buffer[count] = '\0';
	DestinationString->Length = (USHORT)count;
	return status;
}

NTSTATUS NTAPI RtlUnicodeToMultiByteN(PCHAR MultiByteString, ULONG MaxBytesInMultiByteString,
				      PULONG BytesInMultiByteString, PCWSTR UnicodeString,
				      ULONG BytesInUnicodeString)
{
	ULONG count = BytesInUnicodeString / (ULONG)sizeof(WCHAR);
	if (count > MaxBytesInMultiByteString)
		count = MaxBytesInMultiByteString;
	narrow(MultiByteString, UnicodeString, count);
	if (BytesInMultiByteString)
		*BytesInMultiByteString = count;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlMultiByteToUnicodeN(PWSTR UnicodeString, ULONG MaxBytesInUnicodeString,
				      PULONG BytesInUnicodeString, const CHAR *MultiByteString,
				      ULONG BytesInMultiByteString)
{
	ULONG count = BytesInMultiByteString;
	if (count > MaxBytesInUnicodeString / sizeof(WCHAR))
		count = MaxBytesInUnicodeString / (ULONG)sizeof(WCHAR);
	widen(UnicodeString, MultiByteString, count);
	if (BytesInUnicodeString)
		*BytesInUnicodeString = count * (ULONG)sizeof(WCHAR);
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlUnicodeToMultiByteSize(PULONG BytesInMultiByteString, PCWSTR UnicodeString,
					 ULONG BytesInUnicodeString)
{
	(void)UnicodeString; /* every character of this code page is a byte */
	*BytesInMultiByteString = BytesInUnicodeString / (ULONG)sizeof(WCHAR);
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlMultiByteToUnicodeSize(PULONG BytesInUnicodeString, const CHAR *MultiByteString,
					 ULONG BytesInMultiByteString)
{
	(void)MultiByteString;
	*BytesInUnicodeString = BytesInMultiByteString * (ULONG)sizeof(WCHAR);
	return STATUS_SUCCESS;
}

/* ---- UTF-8 --------------------------------------------------------------------------------- */

/* What a conversion has written, and what became of it. With `buffer` NULL it only
 * counts. */
struct utf_output {
	void *buffer;
	ULONG capacity, size;
	BOOLEAN ill_formed, full;
};

/* Adds one character of `size` bytes unless it does not fit; then no later one may. */
static void add(struct utf_output *out, const void *bytes, size_t size, uint32_t code)
{
	if (code == RTL_ILL_FORMED)
		out->ill_formed = TRUE;
	if (out->buffer && size > out->capacity - out->size) {
		out->full = TRUE;
		return;
	}
	if (out->buffer)
		memcpy((char *)out->buffer + out->size, bytes, size);
	out->size += (ULONG)size;
}

static NTSTATUS finish(const struct utf_output *out, PULONG actual)
{
	if (actual)
		*actual = out->size;
	if (out->full)
		return STATUS_BUFFER_TOO_SMALL;
	return out->ill_formed ? STATUS_SOME_NOT_MAPPED : STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlUTF8ToUnicodeN(PWSTR UnicodeStringDestination, ULONG UnicodeStringMaxByteCount,
				 PULONG UnicodeStringActualByteCount, PCSTR UTF8StringSource,
				 ULONG UTF8StringByteCount)
{
	if (!UTF8StringSource)
		return STATUS_INVALID_PARAMETER_4;
	if (!UnicodeStringDestination && !UnicodeStringActualByteCount)
		return STATUS_INVALID_PARAMETER;
	struct utf_output out = {UnicodeStringDestination, UnicodeStringMaxByteCount, 0, 0, 0};
	for (ULONG at = 0; at < UTF8StringByteCount && !out.full;) {
		uint32_t code;
		WCHAR units[2];
		at += (ULONG)rtl_decode_utf8(UTF8StringSource + at, UTF8StringByteCount - at,
					     &code);
		add(&out, units, rtl_encode_utf16(code, units) * sizeof(WCHAR), code);
	}
	return finish(&out, UnicodeStringActualByteCount);
}

NTSTATUS NTAPI RtlUnicodeToUTF8N(PCHAR UTF8StringDestination, ULONG UTF8StringMaxByteCount,
				 PULONG UTF8StringActualByteCount, PCWSTR UnicodeStringSource,
				 ULONG UnicodeStringByteCount)
{
	if (!UnicodeStringSource)
		return STATUS_INVALID_PARAMETER_4;
	if (!UTF8StringDestination && !UTF8StringActualByteCount)
		return STATUS_INVALID_PARAMETER;
	if (UnicodeStringByteCount % sizeof(WCHAR))
		return STATUS_INVALID_PARAMETER_5;
	struct utf_output out = {UTF8StringDestination, UTF8StringMaxByteCount, 0, 0, 0};
	ULONG count = UnicodeStringByteCount / (ULONG)sizeof(WCHAR);
	for (ULONG at = 0; at < count && !out.full;) {
		uint32_t code;
		char bytes[4];
		at += (ULONG)rtl_decode_utf16(UnicodeStringSource + at, count - at, &code);
		add(&out, bytes, rtl_encode_utf8(code, bytes), code);
	}
	return finish(&out, UTF8StringActualByteCount);
}
