/* SPDX-License-Identifier: MIT */
/* Altitudes: where a registration stands among the others. */
#ifndef RINGSIDE_OB_ALTITUDE_H
#define RINGSIDE_OB_ALTITUDE_H

#include <ringside/nt.h>
#include <stdbool.h>

/* Whether the text is a decimal number with an optional fraction. Any IRQL. */
bool ob_altitude_is_numeric(PCUNICODE_STRING altitude);

/* Negative, 0 or positive. As decimal numbers of any length when both are
 * (OB-20, OB-21), otherwise by code units. Any IRQL. */
int ob_compare_altitudes(PCUNICODE_STRING a, PCUNICODE_STRING b);

#endif
