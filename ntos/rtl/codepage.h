/* SPDX-License-Identifier: MIT */
/*
 * The ANSI code page of this kernel: Windows-1252, as on an English Windows.
 *
 * Constant; any IRQL. What 1252 leaves undefined maps to the control character of
 * the same number, both ways, as Windows does. Windows also maps some characters to
 * similar ones ("best fit"); here all that 1252 lacks becomes '?'.
 */
#ifndef RINGSIDE_RTL_CODEPAGE_H
#define RINGSIDE_RTL_CODEPAGE_H

#include <ringside/nt.h>
#include <stddef.h>

WCHAR rtl_from_ansi(char byte);
char rtl_to_ansi(WCHAR unit);

/*
 * Writes as UTF-8 what a driver printed: `text` as it is when it is UTF-8 (a
 * compiler may have put it into the driver that way), otherwise as Windows-1252.
 * Always terminated; `size` of 3 * length + 1 is enough.
 */
void rtl_printed_to_utf8(const char *text, size_t length, char *out, size_t size);

#endif
