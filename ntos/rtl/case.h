/* SPDX-License-Identifier: MIT */
/*
 * The other case of a UTF-16 unit, the same on every host: Unicode's simple
 * mappings within the basic plane (case-table.h). Surrogates have no case. Any IRQL.
 *
 * Differs: Windows 10 follows an older Unicode, without the Georgian and Cherokee
 * pairs that came in versions 8 and 11.
 */
#ifndef RINGSIDE_RTL_CASE_H
#define RINGSIDE_RTL_CASE_H

#include <ringside/nt.h>

WCHAR rtl_upcase_beyond_ascii(WCHAR unit);
WCHAR rtl_downcase_beyond_ascii(WCHAR unit);

static inline WCHAR rtl_upcase(WCHAR unit)
{
	if (unit < 0x80)
		return unit >= 'a' && unit <= 'z' ? unit - 32 : unit;
	return rtl_upcase_beyond_ascii(unit);
}

static inline WCHAR rtl_downcase(WCHAR unit)
{
	if (unit < 0x80)
		return unit >= 'A' && unit <= 'Z' ? unit + 32 : unit;
	return rtl_downcase_beyond_ascii(unit);
}

#endif
