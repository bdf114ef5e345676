/* SPDX-License-Identifier: MIT */
/*
 * The printf family: rtl/format.h does the work, and here stand the rules for buffers
 * that are too small, which differ from function to function. No state.
 */
#include "rtl/crt.h"
#include "rtl/format.h"
#include <stddef.h>

#define UNBOUNDED (~(size_t)0)

/* ---- The rules, for a text of `length` units -------------------------------------------- */

/* Count functions: terminated only when there is room, -1 when cut. */
static LONG counted(size_t length, SIZE_T count)
{
	return length > count ? -1 : (LONG)length;
}

/* _s functions: how many units stay, and the result. `most` is what the caller wants
 * at most, CRT_TRUNCATE for all that fits. */
struct fit {
	size_t keep;
	LONG result;
};

static struct fit fit_into(size_t length, SIZE_T room, SIZE_T most)
{
	if (length < room && length <= most)
		return (struct fit){length, (LONG)length};
	if (most == CRT_TRUNCATE)
		return (struct fit){room - 1, -1};
	if (most < room)
		return (struct fit){most, -1};
	return (struct fit){0, -1}; /* too small a buffer is an error, not a cut */
}

/* ---- Narrow --------------------------------------------------------------------------------- */

LONG NTAPI crt_vsprintf(CHAR *to, const CHAR *format, __builtin_ms_va_list args)
{
	size_t length = rtl_format(to, UNBOUNDED, format, args);
	to[length] = '\0';
	return (LONG)length;
}

LONG NTAPI crt_vsnprintf(CHAR *to, SIZE_T count, const CHAR *format, __builtin_ms_va_list args)
{
	if (!format || (!to && count))
		return -1;
	size_t length = rtl_format(to, count, format, args);
	if (!to)
		return (LONG)length;
	if (length < count)
		to[length] = '\0';
	return counted(length, count);
}

LONG NTAPI crt_vsnprintf_s(CHAR *to, SIZE_T room, SIZE_T count, const CHAR *format,
			   __builtin_ms_va_list args)
{
	if (!to || !room || !format)
		return -1;
	struct fit fit = fit_into(rtl_format(to, room, format, args), room, count);
	to[fit.keep] = '\0';
	return fit.result;
}

LONG NTAPI crt_vsprintf_s(CHAR *to, SIZE_T room, const CHAR *format, __builtin_ms_va_list args)
{
	return crt_vsnprintf_s(to, room, CRT_TRUNCATE - 1, format, args);
}

LONG NTAPI crt_sprintf(CHAR *to, const CHAR *format, ...)
{
	__builtin_ms_va_list args;
	__builtin_ms_va_start(args, format);
	LONG result = crt_vsprintf(to, format, args);
	__builtin_ms_va_end(args);
	return result;
}

LONG NTAPI crt_snprintf(CHAR *to, SIZE_T count, const CHAR *format, ...)
{
	__builtin_ms_va_list args;
	__builtin_ms_va_start(args, format);
	LONG result = crt_vsnprintf(to, count, format, args);
	__builtin_ms_va_end(args);
	return result;
}

LONG NTAPI crt_sprintf_s(CHAR *to, SIZE_T room, const CHAR *format, ...)
{
	__builtin_ms_va_list args;
	__builtin_ms_va_start(args, format);
	LONG result = crt_vsprintf_s(to, room, format, args);
	__builtin_ms_va_end(args);
	return result;
}

LONG NTAPI crt_snprintf_s(CHAR *to, SIZE_T room, SIZE_T count, const CHAR *format, ...)
{
	__builtin_ms_va_list args;
	__builtin_ms_va_start(args, format);
	LONG result = crt_vsnprintf_s(to, room, count, format, args);
	__builtin_ms_va_end(args);
	return result;
}

/* ---- Wide ------------------------------------------------------------------------------------- */

LONG NTAPI crt_vswprintf(WCHAR *to, const WCHAR *format, __builtin_ms_va_list args)
{
	size_t length = rtl_format_wide(to, UNBOUNDED, format, args);
	to[length] = 0;
	return (LONG)length;
}

LONG NTAPI crt_vsnwprintf(WCHAR *to, SIZE_T count, const WCHAR *format, __builtin_ms_va_list args)
{
	if (!format || (!to && count))
		return -1;
	size_t length = rtl_format_wide(to, count, format, args);
	if (!to)
		return (LONG)length;
	if (length < count)
		to[length] = 0;
	return counted(length, count);
}

LONG NTAPI crt_vsnwprintf_s(WCHAR *to, SIZE_T room, SIZE_T count, const WCHAR *format,
			    __builtin_ms_va_list args)
{
	if (!to || !room || !format)
		return -1;
	struct fit fit = fit_into(rtl_format_wide(to, room, format, args), room, count);
	to[fit.keep] = 0;
	return fit.result;
}

LONG NTAPI crt_vswprintf_s(WCHAR *to, SIZE_T room, const WCHAR *format, __builtin_ms_va_list args)
{
	return crt_vsnwprintf_s(to, room, CRT_TRUNCATE - 1, format, args);
}

LONG NTAPI crt_swprintf(WCHAR *to, const WCHAR *format, ...)
{
	__builtin_ms_va_list args;
	__builtin_ms_va_start(args, format);
	LONG result = crt_vswprintf(to, format, args);
	__builtin_ms_va_end(args);
	return result;
}

LONG NTAPI crt_snwprintf(WCHAR *to, SIZE_T count, const WCHAR *format, ...)
{
	__builtin_ms_va_list args;
	__builtin_ms_va_start(args, format);
	LONG result = crt_vsnwprintf(to, count, format, args);
	__builtin_ms_va_end(args);
	return result;
}

LONG NTAPI crt_swprintf_s(WCHAR *to, SIZE_T room, const WCHAR *format, ...)
{
	__builtin_ms_va_list args;
	__builtin_ms_va_start(args, format);
	LONG result = crt_vswprintf_s(to, room, format, args);
	__builtin_ms_va_end(args);
	return result;
}

LONG NTAPI crt_snwprintf_s(WCHAR *to, SIZE_T room, SIZE_T count, const WCHAR *format, ...)
{
	__builtin_ms_va_list args;
	__builtin_ms_va_start(args, format);
	LONG result = crt_vsnwprintf_s(to, room, count, format, args);
	__builtin_ms_va_end(args);
	return result;
}
