/* SPDX-License-Identifier: MIT */
/*
 * The C runtime that the kernel of Windows exports.
 *
 * The functions are those of Microsoft's runtime in the "C" locale, so letters are
 * those of ASCII; an `int` or `long` has 32 bits and a wide character 16. Their C
 * names begin with crt_, since the host has functions of the exported names, and
 * ntos/exports.def says which is which. Nothing here allocates; any IRQL at which the
 * memory may be touched.
 *
 * The _s functions answer a broken rule as their pages say when no handler is
 * installed: the destination becomes empty and the error comes back.
 */
#ifndef RINGSIDE_RTL_CRT_H
#define RINGSIDE_RTL_CRT_H

#include <ringside/nt.h>

/* errno values of Microsoft's runtime. */
#define CRT_EINVAL 22
#define CRT_ERANGE 34
#define CRT_STRUNCATE 80
#define CRT_TRUNCATE (~(SIZE_T)0) /* _TRUNCATE */

/* ---- Memory ---------------------------------------------------------------------- */

/* memcpy allows overlap, as it does on x64 Windows. */
void *NTAPI crt_memcpy(void *to, const void *from, SIZE_T size);
void *NTAPI crt_memmove(void *to, const void *from, SIZE_T size);
void *NTAPI crt_memset(void *to, LONG byte, SIZE_T size);
LONG NTAPI crt_memcmp(const void *a, const void *b, SIZE_T size);
void *NTAPI crt_memchr(const void *in, LONG byte, SIZE_T size);
LONG NTAPI crt_memmove_s(void *to, SIZE_T room, const void *from, SIZE_T size);

VOID NTAPI RtlCopyMemory(PVOID Destination, const VOID *Source, SIZE_T Length);
VOID NTAPI RtlMoveMemory(PVOID Destination, const VOID *Source, SIZE_T Length);
VOID NTAPI RtlFillMemory(PVOID Destination, SIZE_T Length, LONG Fill);
VOID NTAPI RtlZeroMemory(PVOID Destination, SIZE_T Length);
SIZE_T NTAPI RtlCompareMemory(const VOID *Source1, const VOID *Source2, SIZE_T Length);

/* ---- Text of either width ----------------------------------------------------------- */

#define CRT_TEXT_PROTOTYPES(PREFIX, UNIT)                                                          \
	SIZE_T NTAPI PREFIX##len(const UNIT *text);                                                \
	SIZE_T NTAPI PREFIX##nlen(const UNIT *text, SIZE_T most);                                  \
	LONG NTAPI PREFIX##cmp(const UNIT *a, const UNIT *b);                                      \
	LONG NTAPI PREFIX##ncmp(const UNIT *a, const UNIT *b, SIZE_T most);                        \
	LONG NTAPI PREFIX##icmp(const UNIT *a, const UNIT *b);                                     \
	LONG NTAPI PREFIX##nicmp(const UNIT *a, const UNIT *b, SIZE_T most);                       \
	UNIT *NTAPI PREFIX##cpy(UNIT *to, const UNIT *from);                                       \
	UNIT *NTAPI PREFIX##ncpy(UNIT *to, const UNIT *from, SIZE_T count);                        \
	UNIT *NTAPI PREFIX##cat(UNIT *to, const UNIT *from);                                       \
	UNIT *NTAPI PREFIX##ncat(UNIT *to, const UNIT *from, SIZE_T most);                         \
	UNIT *NTAPI PREFIX##chr(const UNIT *text, LONG unit);                                      \
	UNIT *NTAPI PREFIX##rchr(const UNIT *text, LONG unit);                                     \
	UNIT *NTAPI PREFIX##str(const UNIT *text, const UNIT *part);                               \
	SIZE_T NTAPI PREFIX##spn(const UNIT *text, const UNIT *set);                               \
	SIZE_T NTAPI PREFIX##cspn(const UNIT *text, const UNIT *set);                              \
	UNIT *NTAPI PREFIX##lwr(UNIT *text);                                                       \
	UNIT *NTAPI PREFIX##upr(UNIT *text);                                                       \
	UNIT *NTAPI PREFIX##rev(UNIT *text);                                                       \
	LONG NTAPI PREFIX##cpy_s(UNIT *to, SIZE_T room, const UNIT *from);                         \
	LONG NTAPI PREFIX##ncpy_s(UNIT *to, SIZE_T room, const UNIT *from, SIZE_T count);          \
	LONG NTAPI PREFIX##cat_s(UNIT *to, SIZE_T room, const UNIT *from);                         \
	LONG NTAPI PREFIX##ncat_s(UNIT *to, SIZE_T room, const UNIT *from, SIZE_T count);          \
	UNIT *NTAPI PREFIX##tok_s(UNIT *text, const UNIT *delimiters, UNIT **context);

CRT_TEXT_PROTOTYPES(crt_str, CHAR)
CRT_TEXT_PROTOTYPES(crt_wcs, WCHAR)

/* Convert with the ANSI code page; -1 at a character that it lacks. With `to` NULL
 * they measure. At most `count` units are written, without a terminator if it does
 * not fit. */
SIZE_T NTAPI crt_wcstombs(CHAR *to, const WCHAR *from, SIZE_T count);
SIZE_T NTAPI crt_mbstowcs(WCHAR *to, const CHAR *from, SIZE_T count);

/* ---- Characters ------------------------------------------------------------------------ */

LONG NTAPI crt_toupper(LONG c);
LONG NTAPI crt_tolower(LONG c);
WCHAR NTAPI crt_towupper(WCHAR c);
WCHAR NTAPI crt_towlower(WCHAR c);
LONG NTAPI crt_isdigit(LONG c);
LONG NTAPI crt_isxdigit(LONG c);
LONG NTAPI crt_islower(LONG c);
LONG NTAPI crt_isupper(LONG c);
LONG NTAPI crt_isprint(LONG c);
LONG NTAPI crt_isspace(LONG c);

/* ---- Numbers ----------------------------------------------------------------------------- */

/* Values that do not fit become the nearest that does. */
LONG NTAPI crt_atoi(const CHAR *text);
LONG NTAPI crt_wtoi(const WCHAR *text);
ULONG NTAPI crt_wcstoul(const WCHAR *text, WCHAR **end, LONG base);
ULONGLONG NTAPI crt_strtoui64(const CHAR *text, CHAR **end, LONG base);

CHAR *NTAPI crt_itoa(LONG value, CHAR *to, LONG radix);
WCHAR *NTAPI crt_itow(LONG value, WCHAR *to, LONG radix);
LONG NTAPI crt_itoa_s(LONG value, CHAR *to, SIZE_T room, LONG radix);
LONG NTAPI crt_itow_s(LONG value, WCHAR *to, SIZE_T room, LONG radix);
LONG NTAPI crt_ultoa_s(ULONG value, CHAR *to, SIZE_T room, LONG radix);
LONG NTAPI crt_ultow_s(ULONG value, WCHAR *to, SIZE_T room, LONG radix);
LONG NTAPI crt_i64toa_s(LONGLONG value, CHAR *to, SIZE_T room, LONG radix);
LONG NTAPI crt_i64tow_s(LONGLONG value, WCHAR *to, SIZE_T room, LONG radix);
LONG NTAPI crt_ui64toa_s(ULONGLONG value, CHAR *to, SIZE_T room, LONG radix);
LONG NTAPI crt_ui64tow_s(ULONGLONG value, WCHAR *to, SIZE_T room, LONG radix);

/* 0 to 32767, the sequence that Microsoft's runtime gives for a seed; one for all. */
LONG NTAPI crt_rand(void);
VOID NTAPI crt_srand(ULONG seed);

/* ---- Sorting and searching ------------------------------------------------------------------ */

typedef LONG NTAPI crt_compare(const void *a, const void *b);
typedef LONG NTAPI crt_compare_in(void *context, const void *a, const void *b);

VOID NTAPI crt_qsort(void *base, SIZE_T count, SIZE_T width, crt_compare *compare);
VOID NTAPI crt_qsort_s(void *base, SIZE_T count, SIZE_T width, crt_compare_in *compare,
		       void *context);
void *NTAPI crt_bsearch(const void *key, const void *base, SIZE_T count, SIZE_T width,
			crt_compare *compare);
void *NTAPI crt_bsearch_s(const void *key, const void *base, SIZE_T count, SIZE_T width,
			  crt_compare_in *compare, void *context);

/* ---- printf (format rules: rtl/format.h) -------------------------------------------------------
 *
 * The count functions write no terminator when the text fills or exceeds `count`, and
 * return -1 when it exceeds it; with a NULL buffer and count 0 they measure. The
 * _s functions empty the buffer and return -1 when the text does not fit, unless `count`
 * (or CRT_TRUNCATE) cuts it: then what fits is terminated and -1 returned.
 */
LONG NTAPI crt_sprintf(CHAR *to, const CHAR *format, ...);
LONG NTAPI crt_vsprintf(CHAR *to, const CHAR *format, __builtin_ms_va_list args);
LONG NTAPI crt_snprintf(CHAR *to, SIZE_T count, const CHAR *format, ...);
LONG NTAPI crt_vsnprintf(CHAR *to, SIZE_T count, const CHAR *format, __builtin_ms_va_list args);
LONG NTAPI crt_sprintf_s(CHAR *to, SIZE_T room, const CHAR *format, ...);
LONG NTAPI crt_vsprintf_s(CHAR *to, SIZE_T room, const CHAR *format, __builtin_ms_va_list args);
LONG NTAPI crt_snprintf_s(CHAR *to, SIZE_T room, SIZE_T count, const CHAR *format, ...);
LONG NTAPI crt_vsnprintf_s(CHAR *to, SIZE_T room, SIZE_T count, const CHAR *format,
			   __builtin_ms_va_list args);

LONG NTAPI crt_swprintf(WCHAR *to, const WCHAR *format, ...);
LONG NTAPI crt_vswprintf(WCHAR *to, const WCHAR *format, __builtin_ms_va_list args);
LONG NTAPI crt_snwprintf(WCHAR *to, SIZE_T count, const WCHAR *format, ...);
LONG NTAPI crt_vsnwprintf(WCHAR *to, SIZE_T count, const WCHAR *format, __builtin_ms_va_list args);
LONG NTAPI crt_swprintf_s(WCHAR *to, SIZE_T room, const WCHAR *format, ...);
LONG NTAPI crt_vswprintf_s(WCHAR *to, SIZE_T room, const WCHAR *format, __builtin_ms_va_list args);
LONG NTAPI crt_snwprintf_s(WCHAR *to, SIZE_T room, SIZE_T count, const WCHAR *format, ...);
LONG NTAPI crt_vsnwprintf_s(WCHAR *to, SIZE_T room, SIZE_T count, const WCHAR *format,
			    __builtin_ms_va_list args);

#endif
