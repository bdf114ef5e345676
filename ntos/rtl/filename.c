/* SPDX-License-Identifier: MIT */
/*
 * Names of files on both sides.
 *
 * Linux names are bytes; NT names are UTF-16 in which some characters mean something of
 * their own. What cannot be said directly is a character of the private area, which is
 * what Services for Unix and Cygwin chose and what can be turned back. Turned back are only
 * characters that the other direction makes: no name becomes "..", or gets a slash.
 */
#include "rtl/filename.h"
#include <string.h>

static bool is_forbidden(uint32_t code)
{
	return code < ' ' || (code < 0x80 && strchr("\\:*?\"<>|", (int)code));
}

uint32_t rtl_next_character(const char *text, size_t size, size_t *length)
{
	uint32_t code;
	*length = rtl_decode_utf8(text, size, &code);
	if (code != RTL_ILL_FORMED)
		return code;
	*length = 1;
	return RTL_PRIVATE_BASE + (unsigned char)text[0];
}

uint32_t rtl_next_path_character(const char *text, size_t size, size_t *length)
{
	uint32_t code = rtl_next_character(text, size, length);
	if (code == '/')
		return '\\';
	return is_forbidden(code) ? RTL_PRIVATE_BASE + code : code;
}

/* The byte behind a stand-in; 0 if it is none. */
static char byte_behind(uint32_t code)
{
	uint32_t byte = code - RTL_PRIVATE_BASE;
	if (code <= RTL_PRIVATE_BASE || byte > 0xFF)
		return 0;
	return byte >= 0x80 || is_forbidden(byte) ? (char)byte : 0;
}

/* How many bytes `code` becomes; 0 if a name cannot have it. */
static size_t encode(uint32_t code, char out[4])
{
	if (code == RTL_ILL_FORMED || is_forbidden(code) || code == '/')
		return 0;
	out[0] = byte_behind(code);
	return out[0] ? 1 : rtl_encode_utf8(code, out);
}

static bool is_dots(const char *name, size_t length)
{
	return name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'));
}

size_t rtl_component_to_linux(const WCHAR *units, size_t count, char *out, size_t size)
{
	size_t used = 0, taken;
	for (size_t i = 0; i < count; i += taken) {
		char bytes[4];
		uint32_t code;
		taken = rtl_decode_utf16(units + i, count - i, &code);
		size_t length = encode(code, bytes);
		if (!length || used + length >= size)
			return 0;
		memcpy(out + used, bytes, length);
		used += length;
	}
	if (!used || is_dots(out, used))
		return 0;
	out[used] = 0;
	return used;
}

size_t rtl_component_from_linux(const char *name, WCHAR *units, size_t capacity)
{
	size_t size = strlen(name), count = 0, length;
	for (size_t i = 0; i < size; i += length) {
		WCHAR pair[2];
		uint32_t code = rtl_next_path_character(name + i, size - i, &length);
		size_t n = rtl_encode_utf16(code, pair);
		if (count + n > capacity)
			return 0;
		memcpy(units + count, pair, n * sizeof(WCHAR));
		count += n;
	}
	return count;
}
