/* SPDX-License-Identifier: MIT */
/*
 * UTF-8 and UTF-16 into each other.
 *
 * Nothing is kept and nothing locked. Conversions run twice, once to measure and
 * once to write, so that the buffer has the exact size and a name of any length
 * costs one allocation.
 *
 * The UTF-8 decoder follows table 3-7 of the Unicode standard: only the first
 * continuation byte has a range that depends on the lead byte (it excludes
 * overlong forms, surrogates and what lies above U+10FFFF), so a bad byte ends the
 * piece exactly where "maximal subpart" says it should.
 */
#include "rtl/utf.h"
#include "memory.h"
#include <errno.h>
#include <string.h>

struct lead {
	unsigned length;           /* bytes of the whole character, 0: no lead byte */
	unsigned char first, last; /* range of the second byte */
	uint32_t bits;             /* what the lead byte contributes */
};

static struct lead lead_of(unsigned char byte)
{
	if (byte >= 0xC2 && byte <= 0xDF)
		return (struct lead){2, 0x80, 0xBF, byte & 0x1Fu};
	if (byte >= 0xE0 && byte <= 0xEF)
		return (struct lead){3, byte == 0xE0 ? 0xA0 : 0x80, byte == 0xED ? 0x9F : 0xBF,
				     byte & 0x0Fu};
	if (byte >= 0xF0 && byte <= 0xF4)
		return (struct lead){4, byte == 0xF0 ? 0x90 : 0x80, byte == 0xF4 ? 0x8F : 0xBF,
				     byte & 0x07u};
	return (struct lead){0};
}

size_t rtl_decode_utf8(const char *text, size_t size, uint32_t *code)
{
	const unsigned char *bytes = (const unsigned char *)text;
	*code = bytes[0];
	if (bytes[0] < 0x80)
		return 1;
	struct lead lead = lead_of(bytes[0]);
	uint32_t value = lead.bits;
	*code = RTL_ILL_FORMED;
	for (unsigned i = 1; i < lead.length; i++) {
		unsigned char first = i == 1 ? lead.first : 0x80;
		unsigned char last = i == 1 ? lead.last : 0xBF;
		if (i == size || bytes[i] < first || bytes[i] > last)
			return i;
		value = value << 6 | (bytes[i] & 0x3Fu);
	}
	if (lead.length == 0)
		return 1;
	*code = value;
	return lead.length;
}

size_t rtl_decode_utf16(const WCHAR *text, size_t count, uint32_t *code)
{
	*code = text[0];
	if (text[0] < 0xD800 || text[0] > 0xDFFF)
		return 1;
	if (text[0] > 0xDBFF || count == 1 || text[1] < 0xDC00 || text[1] > 0xDFFF) {
		*code = RTL_ILL_FORMED;
		return 1;
	}
	*code = 0x10000 + ((text[0] & 0x3FFu) << 10 | (text[1] & 0x3FFu));
	return 2;
}

size_t rtl_encode_utf8(uint32_t code, char out[4])
{
	if (code == RTL_ILL_FORMED)
		code = RTL_REPLACEMENT;
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xC0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xE0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3F));
		out[2] = (char)(0x80 | (code & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3F));
	out[2] = (char)(0x80 | (code >> 6 & 0x3F));
	out[3] = (char)(0x80 | (code & 0x3F));
	return 4;
}

size_t rtl_encode_utf16(uint32_t code, WCHAR out[2])
{
	if (code == RTL_ILL_FORMED)
		code = RTL_REPLACEMENT;
	if (code < 0x10000) {
		out[0] = (WCHAR)code;
		return 1;
	}
	out[0] = (WCHAR)(0xD800 | (code - 0x10000) >> 10);
	out[1] = (WCHAR)(0xDC00 | (code & 0x3FF));
	return 2;
}

/* How many units `text` becomes; writes them unless out is NULL. */
static size_t widen(const char *text, size_t size, WCHAR *out)
{
	size_t units = 0;
	for (size_t at = 0; at < size;) {
		uint32_t code;
		WCHAR pair[2];
		at += rtl_decode_utf8(text + at, size - at, &code);
		size_t count = rtl_encode_utf16(code, pair);
		if (out)
			memcpy(out + units, pair, count * sizeof(WCHAR));
		units += count;
	}
	return units;
}

static WCHAR *make_buffer(size_t units)
{
	return host_alloc((units + 1) * sizeof(WCHAR));
}

/* A string of the longest length has its terminator behind MaximumLength. */
static UNICODE_STRING terminated(WCHAR *buffer, size_t units)
{
	size_t room = units > RTL_MAX_UNITS ? units : units + 1;
	return (UNICODE_STRING){.Length = (USHORT)(units * sizeof(WCHAR)),
				.MaximumLength = (USHORT)(room * sizeof(WCHAR)),
				.Buffer = buffer};
}

int rtl_from_utf8_counted(const char *text, size_t size, UNICODE_STRING *out)
{
	size_t units = widen(text, size, NULL);
	if (units > RTL_MAX_UNITS)
		return -ENAMETOOLONG;
	WCHAR *buffer = make_buffer(units);
	if (!buffer)
		return -ENOMEM;
	widen(text, size, buffer);
	*out = terminated(buffer, units);
	return 0;
}

int rtl_from_utf8(const char *text, UNICODE_STRING *out)
{
	return rtl_from_utf8_counted(text, strlen(text), out);
}

size_t rtl_to_utf8(char *buffer, size_t size, const UNICODE_STRING *string)
{
	size_t units = string->Length / sizeof(WCHAR);
	size_t needed = 0, written = 0;
	for (size_t at = 0; at < units;) {
		uint32_t code;
		char bytes[4];
		at += rtl_decode_utf16(string->Buffer + at, units - at, &code);
		size_t count = rtl_encode_utf8(code, bytes);
		/* needed goes on growing, so what follows a character that did not fit
		 * does not fit either. */
		if (needed + count < size) {
			memcpy(buffer + written, bytes, count);
			written += count;
		}
		needed += count;
	}
	if (size)
		buffer[written] = '\0';
	return needed;
}

bool rtl_copy_string(const UNICODE_STRING *from, UNICODE_STRING *to)
{
	if (!from->Buffer) {
		*to = (UNICODE_STRING){0};
		return true;
	}
	size_t units = from->Length / sizeof(WCHAR);
	WCHAR *buffer = make_buffer(units);
	if (!buffer)
		return false;
	memcpy(buffer, from->Buffer, units * sizeof(WCHAR));
	*to = terminated(buffer, units);
	return true;
}

void rtl_free_string(UNICODE_STRING *string)
{
	host_free(string->Buffer);
	*string = (UNICODE_STRING){0};
}
