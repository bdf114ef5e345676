/* SPDX-License-Identifier: MIT */
/*
 * File-name patterns, as file systems and filters match them. The WDK pages are the
 * reference. An Expression that is matched ignoring case must be in upper case.
 * Never raises: nothing is allocated.
 */
#ifndef RINGSIDE_RTL_EXPRESSION_H
#define RINGSIDE_RTL_EXPRESSION_H

#include <ringside/nt.h>

BOOLEAN NTAPI FsRtlIsNameInExpression(PUNICODE_STRING Expression, PUNICODE_STRING Name,
				      BOOLEAN IgnoreCase, PWCHAR UpcaseTable);
BOOLEAN NTAPI FsRtlDoesNameContainWildCards(PUNICODE_STRING Name);

#endif
