/* SPDX-License-Identifier: MIT */
/* Addresses by the names that a driver's author knows. */
#ifndef RINGSIDE_KE_SYMBOL_H
#define RINGSIDE_KE_SYMBOL_H

#include <stddef.h>

/*
 * Writes a name for the code at `address`: "warden.sys+0x1234",
 * "ntoskrnl.exe!KfRaiseIrql+0x5"; for code of this program the export that `caller`, the
 * next return address outwards or NULL, called; and otherwise where it lies in the
 * program. Any IRQL; memory that is not there does no harm.
 */
void ke_name_address(char *text, size_t size, const void *address, const void *caller);

#endif
