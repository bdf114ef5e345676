/* SPDX-License-Identifier: MIT */
/* The COFF symbol table that mingw's linker leaves in an image unless it is stripped. */
#ifndef RINGSIDE_LDR_COFF_H
#define RINGSIDE_LDR_COFF_H

#include "ldr/bytes.h"
#include "ldr/pe.h"

struct coff_symbol {
	char name[112];
	uint32_t rva;
};

/* Whether the file has a symbol table with anything in it. */
bool coff_has_symbols(const struct ldr_bytes *file, const struct pe *pe);

/* The function, or else the label, that `rva` is in: the nearest at or before it in its
 * section. */
bool coff_find(const struct ldr_bytes *file, const struct pe *pe, uint32_t rva,
	       struct coff_symbol *found);

/* The name of a section, which can be longer than eight characters: it then stands where
 * the names of symbols do. */
void coff_section_name(const struct ldr_bytes *file, const struct pe *pe, unsigned index,
		       char *name, size_t size);

#endif
