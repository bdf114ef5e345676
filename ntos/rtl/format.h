/* SPDX-License-Identifier: MIT */
/*
 * printf as Windows has it: DbgPrint, the string functions of the C runtime.
 *
 * The format rules are those of "Format specification syntax: printf and wprintf
 * functions" with a long of 32 bits:
 *
 *	%d %i %u %o %x %X %c %C %s %S %p %e %E %f %F %g %G %a %A %Z %%
 *	h, l, ll, w, I, I32, I64, L, and also hh, j, z, t (as the newer runtime has)
 *
 * %s and %c take text of the function's own width, %S and %C of the other; h means
 * narrow, l and w wide. %Z takes an ANSI_STRING, %wZ or %lZ a UNICODE_STRING. %p is
 * 16 hexadecimal digits in upper case. NULL text is "(null)". Narrow text is
 * Windows-1252. %n takes its argument and stores nothing. A conversion that does not
 * exist prints its letter.
 *
 * Differs: exponents have the C standard's two digits; the kernel of Windows has no
 * floating-point conversions in DbgPrint.
 */
#ifndef RINGSIDE_RTL_FORMAT_H
#define RINGSIDE_RTL_FORMAT_H

#include <ringside/nt.h>
#include <stddef.h>

/*
 * Write at most `capacity` units (no terminator) and return how many units the
 * whole text has. Any IRQL; nothing is allocated.
 */
size_t rtl_format(char *buffer, size_t capacity, const char *format, __builtin_ms_va_list args);
size_t rtl_format_wide(WCHAR *buffer, size_t capacity, const WCHAR *format,
		       __builtin_ms_va_list args);

#endif
