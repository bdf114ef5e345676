/* SPDX-License-Identifier: MIT */
/*
 * Case mapping by binary search in constant ranges: no state, and nothing to set up
 * before the first use.
 */
#include "rtl/case.h"
#include "rtl/case-table.h"
#include <stdbool.h>
#include <stddef.h>

static WCHAR map(const struct case_range *range, size_t count, WCHAR unit)
{
	while (count) {
		const struct case_range *middle = range + count / 2;
		if (unit > middle->last) {
			count -= (size_t)(middle - range) + 1;
			range = middle + 1;
		} else if (unit < middle->first) {
			count = (size_t)(middle - range);
		} else {
			bool moves = (unit - middle->first) % middle->stride == 0;
			return (WCHAR)(moves ? unit + middle->delta : unit);
		}
	}
	return unit;
}

WCHAR rtl_upcase_beyond_ascii(WCHAR unit)
{
	return map(to_upper, sizeof(to_upper) / sizeof(*to_upper), unit);
}

WCHAR rtl_downcase_beyond_ascii(WCHAR unit)
{
	return map(to_lower, sizeof(to_lower) / sizeof(*to_lower), unit);
}
