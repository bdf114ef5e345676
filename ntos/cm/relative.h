/* SPDX-License-Identifier: MIT */
/* Where the Rtl registry routines begin: RelativeTo and Path made into a key. */
#ifndef RINGSIDE_CM_RELATIVE_H
#define RINGSIDE_CM_RELATIVE_H

#include "cm/registry.h"
#include <stdbool.h>

struct cm_relative {
	HANDLE handle;
	bool borrowed; /* the caller's own (RTL_REGISTRY_HANDLE) */
};

/* Opens the key, or creates its last component. INVALID_PARAMETER for an unknown
 * RelativeTo, NAME_TOO_LONG, and what ZwOpenKey and ZwCreateKey return. */
NTSTATUS cm_open_relative(ULONG relative_to, PCWSTR path, bool create, struct cm_relative *key);
void cm_close_relative(const struct cm_relative *key);

/* A counted string over a terminated one. False when it is too long for that. */
bool cm_counted(PCWSTR text, UNICODE_STRING *counted);

/* Characters before the terminator; 0 for NULL. */
size_t cm_length(PCWSTR text);

#endif
