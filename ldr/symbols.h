/* SPDX-License-Identifier: MIT */
/* Names of functions and lines for places in images. */
#ifndef RINGSIDE_LDR_SYMBOLS_H
#define RINGSIDE_LDR_SYMBOLS_H

#include "ldr/pe.h"

/* A place that is asked for, and the answer. */
struct ldr_place {
	const char *path;    /* of the image's file, one pointer for one image; NULL: no place */
	const struct pe *pe; /* the image as it was loaded */
	uint32_t rva;
	bool behind_call;   /* it is a return address: the call before it is meant */
	char function[128]; /* "deny+0x14", or without the offset, or empty */
	char source[256];   /* "/src/warden/deny.c:88", or empty */

	/* ldr_find_symbols' own. */
	bool asked;
	uint32_t begin; /* of the function, or 0 */
	bool doubtful;  /* whether that is so */
};

/*
 * Fills in the answers, from what lies in the file or beside it. A program that reads more
 * of it than this process may run for `patience` milliseconds; with 0 none is run. `note`
 * gets a line for each thing that is there and cannot be used, or nothing. Any IRQL, signal
 * handlers too: allocates nothing and takes no lock; but it reads files, so it is for
 * reports.
 */
void ldr_find_symbols(struct ldr_place *place, size_t count, unsigned patience, char *note,
		      size_t size);

/* ---- What there is -------------------------------------------------------------------------- */

enum ldr_pdb { LDR_PDB_NONE, LDR_PDB_ABSENT, LDR_PDB_DAMAGED, LDR_PDB_FOREIGN, LDR_PDB_MATCHES };

struct ldr_symbols {
	bool table;       /* a COFF symbol table */
	bool dwarf;       /* DWARF lines */
	enum ldr_pdb pdb; /* NONE: the image names no PDB; ABSENT: it does not lie beside it */
	char pdb_name[128];
};

/* False when the file cannot be read, or is not that image any more. */
bool ldr_look_for_symbols(const char *path, const struct pe *pe, struct ldr_symbols *found);

#endif
