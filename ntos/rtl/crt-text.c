/* SPDX-License-Identifier: MIT */
/*
 * The string and character functions of the C runtime: one text for both widths, so
 * that they cannot differ. No state.
 */
#include "rtl/codepage.h"
#include "rtl/crt.h"
#include <stdbool.h>
#include <stddef.h>

static LONG lower(LONG c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static LONG upper(LONG c)
{
	return c >= 'a' && c <= 'z' ? c - 32 : c;
}

#define UNIT CHAR
#define UNSIGNED UCHAR
#define NAME(name) crt_str##name
#include "rtl/crt-text.h"
#undef UNIT
#undef UNSIGNED
#undef NAME

#define UNIT WCHAR
#define UNSIGNED WCHAR
#define NAME(name) crt_wcs##name
#include "rtl/crt-text.h"
#undef UNIT
#undef UNSIGNED
#undef NAME

SIZE_T NTAPI crt_wcstombs(CHAR *to, const WCHAR *from, SIZE_T count)
{
	SIZE_T length = 0;
	for (; !to || length < count; length++) {
		CHAR byte = rtl_to_ansi(from[length]);
		if (rtl_from_ansi(byte) != from[length])
			return CRT_TRUNCATE; /* that is, -1 */
		if (to)
			to[length] = byte;
		if (!byte)
			break;
	}
	return length;
}

SIZE_T NTAPI crt_mbstowcs(WCHAR *to, const CHAR *from, SIZE_T count)
{
	SIZE_T length = 0;
	for (; !to || length < count; length++) {
		if (to)
			to[length] = rtl_from_ansi(from[length]);
		if (!from[length])
			break;
	}
	return length;
}

LONG NTAPI crt_toupper(LONG c)
{
	return upper(c);
}

LONG NTAPI crt_tolower(LONG c)
{
	return lower(c);
}

WCHAR NTAPI crt_towupper(WCHAR c)
{
	return (WCHAR)upper(c);
}

WCHAR NTAPI crt_towlower(WCHAR c)
{
	return (WCHAR)lower(c);
}

LONG NTAPI crt_isdigit(LONG c)
{
	return c >= '0' && c <= '9';
}

LONG NTAPI crt_isxdigit(LONG c)
{
	return crt_isdigit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}

LONG NTAPI crt_islower(LONG c)
{
	return c >= 'a' && c <= 'z';
}

LONG NTAPI crt_isupper(LONG c)
{
	return c >= 'A' && c <= 'Z';
}

LONG NTAPI crt_isprint(LONG c)
{
	return c >= ' ' && c <= '~';
}

LONG NTAPI crt_isspace(LONG c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}
