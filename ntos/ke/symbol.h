/* SPDX-License-Identifier: MIT */
/* Addresses by the names that a driver's author knows. */
#ifndef RINGSIDE_KE_SYMBOL_H
#define RINGSIDE_KE_SYMBOL_H

#include "ldr/symbols.h"
#include <ringside/event.h>
#include <stddef.h>

/*
 * Writes a name for the code at `address`: "warden.sys+0x1234",
 * "ntoskrnl.exe!KfRaiseIrql+0x5"; for code of this program the export that `caller`, the
 * next return address outwards or NULL, called; and otherwise where it lies in the
 * program. Any IRQL; memory that is not there does no harm.
 */
void ke_name_address(char *text, size_t size, const void *address, const void *caller);

/* The place behind those of a stack's frames. */
enum { KE_ADDRESS = sizeof(((struct rs_stack *)0)->frame) / sizeof(void *) };

/* What the symbols of drivers say about a stack. */
struct ke_symbols {
	/* Of frame n, and of the address; names are empty where nothing is known. */
	struct ldr_place place[KE_ADDRESS + 1];
	char note[256]; /* lines: why there is not more */
};

/* Looks for them, unless the kernel was booted without (rs_options). `address` is another
 * place in a driver, or NULL. What takes a program to read is left out while a driver
 * waits: `at_once`. */
void ke_find_symbols(struct ke_symbols *symbols, const struct rs_stack *stack, const void *address,
		     bool at_once);

/* Writes ke_name_address' name and what is known besides:
 * "warden.sys+0x1234 deny+0x14 at deny.c:88". */
void ke_name_place(char *text, size_t size, const void *address, const void *caller,
		   const struct ldr_place *place);

/* Whether symbols are looked for: set at boot. */
extern bool ke_uses_symbols;

#endif
