/* SPDX-License-Identifier: MIT */
/*
 * A value of a TraceLogging field as text. The in-type says what it is in the payload, the
 * out-type how a person wants to see it; one that does not go with the in-type counts for
 * nothing. Strings without their NUL end where the payload does.
 */
#include "etw/decode.h"
#include "rtl/utf.h"
#include <arpa/inet.h>
#include <ringside/ntstatus.h>
#include <string.h>
#include <time.h>

enum {
	OUT_STRING = 2,
	OUT_BOOLEAN = 3,
	OUT_HEX = 4,
	OUT_PORT = 7,
	OUT_IPV4 = 8,
	OUT_IPV6 = 9,
	OUT_XML = 11,
	OUT_JSON = 12,
	OUT_NTSTATUS = 14,
	OUT_HRESULT = 15,
	OUT_SIGNED = 17,
	OUT_UNSIGNED = 18,
	OUT_UTF8 = 35,
	OUT_CODE_POINTER = 37,
};

/* Bytes of the types that have always as many; signed, and shown in hexadecimal. */
static const struct {
	UCHAR size;
	bool integer, is_signed, hex;
} types[ETW_IN_TYPES] = {
	[ETW_IN_INT8] = {1, true, true, false},
	[ETW_IN_UINT8] = {1, true, false, false},
	[ETW_IN_INT16] = {2, true, true, false},
	[ETW_IN_UINT16] = {2, true, false, false},
	[ETW_IN_INT32] = {4, true, true, false},
	[ETW_IN_UINT32] = {4, true, false, false},
	[ETW_IN_INT64] = {8, true, true, false},
	[ETW_IN_UINT64] = {8, true, false, false},
	[ETW_IN_FLOAT] = {.size = 4},
	[ETW_IN_DOUBLE] = {.size = 8},
	[ETW_IN_BOOL32] = {.size = 4},
	[ETW_IN_GUID] = {.size = 16},
	[ETW_IN_POINTER] = {8, true, false, true},
	[ETW_IN_FILETIME] = {.size = 8},
	[ETW_IN_SYSTEMTIME] = {.size = 16},
	[ETW_IN_HEX32] = {4, true, false, true},
	[ETW_IN_HEX64] = {8, true, false, true},
};

static bool is_text(UCHAR out)
{
	return out == OUT_STRING || out == OUT_UTF8 || out == OUT_XML || out == OUT_JSON;
}

unsigned etw_character_size(UCHAR in, UCHAR out)
{
	bool can = in == ETW_IN_INT8 || in == ETW_IN_UINT8 || in == ETW_IN_UINT16;
	return can && is_text(out) ? types[in].size : 0;
}

bool etw_is_number(UCHAR in, UCHAR out)
{
	switch (out) {
	case OUT_BOOLEAN:
	case OUT_HEX:
	case OUT_IPV4:
	case OUT_NTSTATUS:
	case OUT_HRESULT:
	case OUT_CODE_POINTER:
		return false;
	default:
		return types[in].integer && !types[in].hex && !is_text(out);
	}
}

/* ---- Strings and bytes --------------------------------------------------------------------- */

static void put_character(struct etw_text *text, uint32_t code)
{
	char utf8[4];
	size_t length = rtl_encode_utf8(code == 0 ? RTL_REPLACEMENT : code, utf8);
	etw_put(text, utf8, length);
}

static void put_ansi(struct etw_text *text, const char *bytes, size_t size)
{
	uint32_t code;
	for (size_t taken; size && !text->full; bytes += taken, size -= taken) {
		taken = rtl_decode_utf8(bytes, size, &code);
		put_character(text, code);
	}
}

static void put_unicode(struct etw_text *text, const UCHAR *bytes, size_t size)
{
	uint32_t code;
	for (size_t taken; size >= sizeof(WCHAR) && !text->full;
	     bytes += taken * sizeof(WCHAR), size -= taken * sizeof(WCHAR)) {
		WCHAR unit[2] = {0};
		size_t count = size < sizeof(unit) ? 1 : 2;
		memcpy(unit, bytes, count * sizeof(WCHAR));
		taken = rtl_decode_utf16(unit, count, &code);
		put_character(text, code);
	}
}

void etw_put_characters(struct etw_text *text, const UCHAR *bytes, size_t size, unsigned width)
{
	if (width == sizeof(WCHAR))
		put_unicode(text, bytes, size);
	else
		put_ansi(text, (const char *)bytes, size);
}

/* Up to the NUL, which is taken too, or to the end. */
static void put_terminated(struct etw_text *text, struct etw_bytes *data, unsigned width)
{
	static const UCHAR nul[sizeof(WCHAR)];
	size_t size = 0;
	while (size + width <= etw_left(data) && memcmp(data->at + size, nul, width) != 0)
		size += width;
	etw_put_characters(text, data->at, size, width);
	size_t taken = size + width <= etw_left(data) ? size + width : etw_left(data);
	etw_take(data, taken);
}

static bool put_counted(struct etw_text *text, struct etw_bytes *data, unsigned width)
{
	USHORT size;
	const UCHAR *bytes = etw_take_u16(data, &size) ? etw_take(data, size) : NULL;
	if (bytes)
		etw_put_characters(text, bytes, size, width);
	return bytes != NULL;
}

bool etw_put_binary(struct etw_text *text, UCHAR out, struct etw_bytes *data)
{
	USHORT size;
	char address[INET6_ADDRSTRLEN];
	const UCHAR *bytes = etw_take_u16(data, &size) ? etw_take(data, size) : NULL;
	if (!bytes)
		return false;
	if (out == OUT_IPV6 && size == 16)
		etw_putf(text, "%s", inet_ntop(AF_INET6, bytes, address, sizeof(address)));
	else
		for (unsigned i = 0; i < size && !text->full; i++)
			etw_putf(text, "%02x", bytes[i]);
	return true;
}

/* Revision, count, a 48-bit authority (big-endian), and that many parts. */
static bool put_sid(struct etw_text *text, struct etw_bytes *data)
{
	const UCHAR *head = etw_take(data, 8);
	const UCHAR *parts = head ? etw_take(data, 4u * head[1]) : NULL;
	if (!parts)
		return false;
	ULONG64 authority = 0;
	for (unsigned i = 2; i < 8; i++)
		authority = authority << 8 | head[i];
	etw_putf(text, "S-%u-%llu", head[0], (unsigned long long)authority);
	for (unsigned i = 0; i < head[1]; i++) {
		ULONG part;
		memcpy(&part, parts + 4 * i, sizeof(part));
		etw_putf(text, "-%u", part);
	}
	return true;
}

/* ---- What has a size ----------------------------------------------------------------------- */

/* From 100 ns since 1601. */
static void put_filetime(struct etw_text *text, ULONG64 value)
{
	time_t seconds = (time_t)(value / 10000000) - 11644473600;
	struct tm broken;
	char date[40];
	if (gmtime_r(&seconds, &broken) &&
	    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &broken))
		etw_putf(text, "%s.%07uZ", date, (unsigned)(value % 10000000));
	else
		etw_putf(text, "%llu", (unsigned long long)value);
}

static void put_systemtime(struct etw_text *text, const UCHAR *bytes)
{
	USHORT part[8]; /* year, month, day of the week, day, hour, minute, second, ms */
	memcpy(part, bytes, sizeof(part));
	etw_putf(text, "%04u-%02u-%02uT%02u:%02u:%02u.%03u", part[0], part[1], part[3], part[4],
		 part[5], part[6], part[7]);
}

static void put_status(struct etw_text *text, NTSTATUS status)
{
	const char *name = rs_status_name(status);
	if (name)
		etw_putf(text, "%s", name);
	else
		etw_putf(text, "0x%08X", (unsigned)status);
}

static void put_integer(struct etw_text *text, UCHAR in, UCHAR out, ULONG64 value)
{
	unsigned bits = 8u * types[in].size;
	ULONG64 mask = ~0ull >> (64 - bits);
	bool is_signed = out == OUT_SIGNED || (types[in].is_signed && out != OUT_UNSIGNED);
	struct in_addr address = {(in_addr_t)value};
	char dotted[INET_ADDRSTRLEN];
	if (is_text(out) && etw_character_size(in, out))
		put_character(text, (uint32_t)value);
	else if (out == OUT_BOOLEAN)
		etw_putf(text, "%s", value ? "true" : "false");
	else if (out == OUT_NTSTATUS && bits == 32)
		put_status(text, (NTSTATUS)value);
	else if (out == OUT_IPV4 && bits == 32)
		etw_putf(text, "%s", inet_ntop(AF_INET, &address, dotted, sizeof(dotted)));
	else if (out == OUT_PORT && bits == 16)
		etw_putf(text, "%u", ntohs((USHORT)value));
	else if (types[in].hex || !etw_is_number(in, out))
		etw_putf(text, "0x%llx", (unsigned long long)value);
	else if (is_signed && value >> (bits - 1))
		etw_putf(text, "%lld", (long long)(value | ~mask));
	else
		etw_putf(text, "%llu", (unsigned long long)value);
}

static void put_sized(struct etw_text *text, UCHAR in, UCHAR out, const UCHAR *bytes)
{
	ULONG64 value = 0;
	GUID guid;
	char guid_text[ETW_GUID_TEXT];
	float single;
	double twice;
	memcpy(&value, bytes, types[in].size < sizeof(value) ? types[in].size : sizeof(value));
	memcpy(&single, &value, sizeof(single));
	memcpy(&twice, &value, sizeof(twice));
	switch (in) {
	case ETW_IN_FLOAT:
		etw_putf(text, "%.9g", (double)single);
		break;
	case ETW_IN_DOUBLE:
		etw_putf(text, "%.17g", twice);
		break;
	case ETW_IN_BOOL32:
		etw_putf(text, "%s", value ? "true" : "false");
		break;
	case ETW_IN_GUID:
		memcpy(&guid, bytes, sizeof(guid));
		etw_guid_to_text(&guid, guid_text);
		etw_putf(text, "%s", guid_text);
		break;
	case ETW_IN_FILETIME:
		put_filetime(text, value);
		break;
	case ETW_IN_SYSTEMTIME:
		put_systemtime(text, bytes);
		break;
	default:
		put_integer(text, in, out, value);
	}
}

bool etw_put_value(struct etw_text *text, UCHAR in, UCHAR out, struct etw_bytes *data)
{
	switch (in) {
	case ETW_IN_NULL:
		etw_putf(text, "null");
		return true;
	case ETW_IN_UNICODE:
		put_terminated(text, data, sizeof(WCHAR));
		return true;
	case ETW_IN_ANSI:
		put_terminated(text, data, 1);
		return true;
	case ETW_IN_COUNTED_UNICODE:
		return put_counted(text, data, sizeof(WCHAR));
	case ETW_IN_COUNTED_ANSI:
		return put_counted(text, data, 1);
	case ETW_IN_BINARY:
	case ETW_IN_COUNTED_BINARY:
		return etw_put_binary(text, out, data);
	case ETW_IN_SID:
		return put_sid(text, data);
	default: {
		const UCHAR *bytes = types[in].size ? etw_take(data, types[in].size) : NULL;
		if (bytes)
			put_sized(text, in, out, bytes);
		return bytes != NULL;
	}
	}
}
