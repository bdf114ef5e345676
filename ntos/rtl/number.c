/* SPDX-License-Identifier: MIT */
/*
 * Numbers as text. No state; buffers are the caller's but for RtlStringFromGUID,
 * which allocates for the driver that called.
 */
#include "rtl/number.h"
#include "ex/pool.h"
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define GUID_LENGTH 38 /* {xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx} */
#define STRING_TAG 0x67727453u

static const char guid_pattern[GUID_LENGTH + 1] = "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}";

/* ---- To text ------------------------------------------------------------------------ */

static bool valid_base(ULONG base)
{
	return base == 2 || base == 8 || base == 10 || base == 16;
}

static NTSTATUS print_number(ULONGLONG value, ULONG base, PUNICODE_STRING string)
{
	WCHAR digits[64];
	size_t count = 0;
	if (base == 0)
		base = 10;
	if (!valid_base(base))
		return STATUS_INVALID_PARAMETER;
	do {
		digits[count++] = (WCHAR) "0123456789ABCDEF"[value % base];
		value /= base;
	} while (value);
	if ((count + 1) * sizeof(WCHAR) > string->MaximumLength)
		return STATUS_BUFFER_OVERFLOW;
	for (size_t i = 0; i < count; i++)
		string->Buffer[i] = digits[count - 1 - i];
	string->Buffer[count] = 0;
	string->Length = (USHORT)(count * sizeof(WCHAR));
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String)
{
	return print_number(Value, Base, String);
}

NTSTATUS NTAPI RtlInt64ToUnicodeString(ULONGLONG Value, ULONG Base, PUNICODE_STRING String)
{
	return print_number(Value, Base, String);
}

/* ---- From text ------------------------------------------------------------------------ */

/* Text of either width that reads as 0 behind its end. */
struct reader {
	const void *text;
	size_t length; /* units */
	bool wide;
	size_t at;
};

static WCHAR peek(const struct reader *reader, size_t ahead)
{
	size_t at = reader->at + ahead;
	if (at >= reader->length)
		return 0;
	return reader->wide ? ((const WCHAR *)reader->text)[at]
			    : ((const unsigned char *)reader->text)[at];
}

static unsigned digit_of(WCHAR unit)
{
	if (unit >= '0' && unit <= '9')
		return unit - '0';
	if (unit >= 'a' && unit <= 'f')
		return unit - 'a' + 10u;
	return unit >= 'A' && unit <= 'F' ? unit - 'A' + 10u : 16;
}

/* The base that a prefix names, which is passed over. */
static ULONG read_base(struct reader *reader)
{
	if (peek(reader, 0) != '0')
		return 10;
	WCHAR letter = peek(reader, 1);
	ULONG base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
	reader->at += base ? 2 : 0;
	return base ? base : 10;
}

static NTSTATUS read_number(struct reader *reader, ULONG base, PULONG value)
{
	if (base && !valid_base(base))
		return STATUS_INVALID_PARAMETER;
	while (peek(reader, 0) && peek(reader, 0) <= ' ')
		reader->at++;
	bool negative = peek(reader, 0) == '-';
	if (negative || peek(reader, 0) == '+')
		reader->at++;
	if (!base)
		base = read_base(reader);
	ULONG sum = 0;
	for (unsigned digit; (digit = digit_of(peek(reader, 0))) < base; reader->at++)
		sum = sum * base + digit;
	*value = negative ? 0 - sum : sum;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base, PULONG Value)
{
	struct reader reader = {String->Buffer, String->Length / sizeof(WCHAR), true, 0};
	return reader.length ? read_number(&reader, Base, Value) : STATUS_INVALID_PARAMETER;
}

NTSTATUS NTAPI RtlCharToInteger(PCSZ String, ULONG Base, PULONG Value)
{
	struct reader reader = {String, 0, false, 0};
	while (String[reader.length])
		reader.length++;
	return read_number(&reader, Base, Value);
}

/* ---- GUIDs -------------------------------------------------------------------------------- */

/* Which of its 16 bytes, as the GUID lies in memory, the n-th pair of digits is: the
 * first three groups are little-endian numbers. */
static const unsigned char guid_byte[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

NTSTATUS NTAPI RtlStringFromGUID(const GUID *Guid, PUNICODE_STRING GuidString)
{
	const UCHAR *bytes = (const UCHAR *)Guid;
	WCHAR *text = ex_allocate_pool(__builtin_return_address(0), PagedPool,
				       (GUID_LENGTH + 1) * sizeof(WCHAR), STRING_TAG);
	if (!text)
		return STATUS_NO_MEMORY;
	unsigned digit = 0;
	for (unsigned i = 0; i <= GUID_LENGTH; i++) {
		text[i] = (WCHAR)guid_pattern[i];
		if (guid_pattern[i] != 'x')
			continue;
		UCHAR byte = bytes[guid_byte[digit / 2]];
		text[i] = (WCHAR) "0123456789ABCDEF"[digit % 2 ? byte & 15 : byte >> 4];
		digit++;
	}
	*GuidString = (UNICODE_STRING){GUID_LENGTH * sizeof(WCHAR),
				       (GUID_LENGTH + 1) * sizeof(WCHAR), text};
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlGUIDFromString(PCUNICODE_STRING GuidString, GUID *Guid)
{
	UCHAR bytes[sizeof(GUID)] = {0};
	if (GuidString->Length != GUID_LENGTH * sizeof(WCHAR))
		return STATUS_INVALID_PARAMETER;
	unsigned digit = 0;
	for (unsigned i = 0; i < GUID_LENGTH; i++) {
		WCHAR unit = GuidString->Buffer[i];
		if (guid_pattern[i] != 'x') {
			if (unit != (WCHAR)guid_pattern[i])
				return STATUS_INVALID_PARAMETER;
			continue;
		}
		unsigned value = digit_of(unit);
		if (value == 16)
			return STATUS_INVALID_PARAMETER;
		UCHAR *byte = &bytes[guid_byte[digit++ / 2]];
		*byte = (UCHAR)(*byte << 4 | value);
	}
	memcpy(Guid, bytes, sizeof(*Guid));
	return STATUS_SUCCESS;
}
