/* SPDX-License-Identifier: MIT */
/*
 * Windows-1252: Latin-1 but for 0x80 to 0x9F. Constant tables, no state.
 */
#include "rtl/codepage.h"
#include "rtl/utf.h"
#include <string.h>

static const WCHAR upper_control[32] = {
	0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
	0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
	0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

WCHAR rtl_from_ansi(char byte)
{
	unsigned char value = (unsigned char)byte;
	return value >= 0x80 && value < 0xA0 ? upper_control[value - 0x80] : value;
}

char rtl_to_ansi(WCHAR unit)
{
	if (unit < 0x80 || (unit >= 0xA0 && unit <= 0xFF))
		return (char)unit;
	for (unsigned i = 0; i < 32; i++) {
		if (upper_control[i] == unit)
			return (char)(0x80 + i);
	}
	return '?';
}

static bool is_utf8(const char *text, size_t length)
{
	for (size_t at = 0; at < length;) {
		uint32_t code;
		at += rtl_decode_utf8(text + at, length - at, &code);
		if (code == RTL_ILL_FORMED)
			return false;
	}
	return true;
}

void rtl_printed_to_utf8(const char *text, size_t length, char *out, size_t size)
{
	size_t written = 0;
	if (is_utf8(text, length)) {
		written = length < size ? length : size - 1;
		memcpy(out, text, written);
	} else {
		for (size_t i = 0; i < length && written + 3 < size; i++)
			written += rtl_encode_utf8(rtl_from_ansi(text[i]), out + written);
	}
	out[written] = '\0';
}
