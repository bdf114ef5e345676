/* SPDX-License-Identifier: MIT */
/* Which PDB belongs to an image, and which image a PDB belongs to. What is in it otherwise
 * is for LLVM to read (ldr/symbols.c). */
#ifndef RINGSIDE_LDR_PDB_H
#define RINGSIDE_LDR_PDB_H

#include "ldr/bytes.h"
#include "ldr/pe.h"

struct pdb_id {
	uint8_t guid[16];
	uint32_t age;
};

/* What the image's debug directory says: the id, and the name of the PDB's file without
 * its folder. False when it names none. */
bool pdb_of_image(const struct ldr_bytes *file, const struct pe *pe, struct pdb_id *id, char *name,
		  size_t size);

/* What the PDB says. False when it is none, or damaged. */
bool pdb_read_id(const struct ldr_bytes *pdb, struct pdb_id *id);

#endif
