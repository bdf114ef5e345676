/* SPDX-License-Identifier: MIT */
/* Where an image's code uses what it imports. */
#ifndef RINGSIDE_LDR_REFERENCE_H
#define RINGSIDE_LDR_REFERENCE_H

#include "ldr/pe.h"

enum ldr_use {
	LDR_CALLED, /* call [slot], or a call of a stub that is jmp [slot] */
	LDR_JUMPED, /* a tail call: jmp [slot], or a jump to a stub */
	LDR_LOADED, /* its address goes into a register: for a guarded or retpoline call, or to keep */
	LDR_STORED, /* its address stands in data: a table of functions */
};

struct ldr_reference {
	uint32_t slot; /* RVA of the import's slot */
	uint32_t from; /* RVA of the instruction, or of the datum */
	enum ldr_use use;
};

struct ldr_references {
	struct ldr_reference *at; /* by slot, then by place; given back with host_free */
	size_t count;
};

/*
 * Finds them for the slots with these RVAs, which are in ascending order, in an image
 * that ldr_map_image has made. What code works out at run time cannot be found. False
 * without memory.
 */
bool ldr_find_references(const struct pe *pe, const void *image, const uint32_t *slot, size_t count,
			 struct ldr_references *found);

#endif
