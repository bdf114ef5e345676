/* SPDX-License-Identifier: MIT */
/* The sample image with a COFF symbol table and the name of a PDB, and that PDB as far as
 * its id goes. */
#ifndef RINGSIDE_TEST_LDR_SYMBOLS_H
#define RINGSIDE_TEST_LDR_SYMBOLS_H

#include "ldr/sample.h"

/* ---- The symbol table, in the padding of .text -------------------------------------------- */

struct symbol_row {
	char name[8];
	uint32_t value;
	int16_t section;
	uint16_t type;
	uint8_t class, more;
} __attribute__((packed));

enum {
	SYMBOL_TABLE = 0x500, /* in the file */
	SYMBOL_ROWS = 8,
	SYMBOL_TEXT = SYMBOL_TABLE + SYMBOL_ROWS * sizeof(struct symbol_row),
	SYMBOL_STATIC = 3,
	SYMBOL_EXTERNAL = 2,
	SYMBOL_FUNCTION = 0x20
};

#define SYMBOL_LONG_NAME "a_function_with_a_long_name"

static inline uint32_t symbol_offset(unsigned row)
{
	return SYMBOL_TABLE + row * (uint32_t)sizeof(struct symbol_row);
}

static inline void sample_add_table(struct sample *s)
{
	static const struct symbol_row rows[SYMBOL_ROWS] = {
		{".text", 0, 1, 0, SYMBOL_STATIC, 1},
		{"\1\2\3\4", 0, 1, SYMBOL_FUNCTION, SYMBOL_STATIC, 0}, /* belongs to .text */
		{"label", 0, 1, 0, SYMBOL_EXTERNAL, 0},
		{"entry", 0, 1, SYMBOL_FUNCTION, SYMBOL_EXTERNAL, 0},
		{"later", 0, 1, 0, SYMBOL_EXTERNAL, 0},
		{"\0\0\0\0\4\0\0", 0x10, 1, SYMBOL_FUNCTION, SYMBOL_STATIC, 0},
		{"datum", 0x8, 3, 0, SYMBOL_EXTERNAL, 0},
		{"absolute", 0x18, -1, 0, SYMBOL_EXTERNAL, 0},
	};
	memcpy(s->bytes + SYMBOL_TABLE, rows, sizeof(rows));
	sample_poke(s, SYMBOL_TEXT, 4 + sizeof(SYMBOL_LONG_NAME), 4);
	strcpy((char *)s->bytes + SYMBOL_TEXT + 4, SYMBOL_LONG_NAME);
	sample_poke(s, SAMPLE_FIELD(file.symbol_table), SYMBOL_TABLE, 4);
	sample_poke(s, SAMPLE_FIELD(file.symbol_count), SYMBOL_ROWS, 4);
}

/* ---- The name of the PDB ------------------------------------------------------------------- */

enum { SAMPLE_DEBUG = 0x23A0, SAMPLE_RSDS = 0x23C0, SAMPLE_AGE = 3 };

static const uint8_t sample_guid[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static inline void sample_add_pdb_name(struct sample *s)
{
	/* type, size, RVA, place in the file */
	uint32_t entry[7] = {0, 0, 0, 2, 0x30, SAMPLE_RSDS, sample_offset(SAMPLE_RSDS)};
	uint32_t age = SAMPLE_AGE;
	sample_put(s, SAMPLE_DEBUG, entry, sizeof(entry));
	sample_put(s, SAMPLE_RSDS, "RSDS", 4);
	sample_put(s, SAMPLE_RSDS + 4, sample_guid, sizeof(sample_guid));
	sample_put(s, SAMPLE_RSDS + 20, &age, sizeof(age));
	sample_put_text(s, SAMPLE_RSDS + 24, "C:\\build\\sample.pdb");
	sample_poke(s, SAMPLE_DIRECTORY(PE_DEBUG), SAMPLE_DEBUG, 4);
	sample_poke(s, SAMPLE_DIRECTORY(PE_DEBUG) + 4, sizeof(entry), 4);
}

/* ---- The PDB ------------------------------------------------------------------------------- */

enum {
	PDB_BLOCK = 512,
	PDB_DIRECTORY_MAP = 3 * PDB_BLOCK,
	PDB_DIRECTORY = 4 * PDB_BLOCK,
	PDB_INFO = 6 * PDB_BLOCK,
	PDB_MODULES = 5 * PDB_BLOCK,
	PDB_SIZE = 7 * PDB_BLOCK,
	PDB_STREAMS = 4,
	/* In the super block. */
	PDB_BLOCK_SIZE = 32,
	PDB_DIRECTORY_SIZE = 44,
	PDB_MAP_BLOCK = 52
};

struct sample_pdb {
	uint8_t bytes[PDB_SIZE];
};

static inline void pdb_put(struct sample_pdb *pdb, uint32_t offset, uint32_t word)
{
	memcpy(pdb->bytes + offset, &word, sizeof(word));
}

static inline struct sample_pdb pdb_make(void)
{
	/* Streams 0 and 2 are empty; the other two have a block each. */
	static const uint32_t directory[] = {PDB_STREAMS, UINT32_MAX, 28, 0, 64, 6, 5};
	struct sample_pdb pdb = {{0}};
	memcpy(pdb.bytes,
	       "Microsoft C/C++ MSF 7.00\r\n\x1A"
	       "DS\0\0",
	       32);
	pdb_put(&pdb, PDB_BLOCK_SIZE, PDB_BLOCK);
	pdb_put(&pdb, PDB_BLOCK_SIZE + 4, 1);
	pdb_put(&pdb, PDB_BLOCK_SIZE + 8, PDB_SIZE / PDB_BLOCK);
	pdb_put(&pdb, PDB_DIRECTORY_SIZE, sizeof(directory));
	pdb_put(&pdb, PDB_MAP_BLOCK, PDB_DIRECTORY_MAP / PDB_BLOCK);
	pdb_put(&pdb, PDB_DIRECTORY_MAP, PDB_DIRECTORY / PDB_BLOCK);
	memcpy(pdb.bytes + PDB_DIRECTORY, directory, sizeof(directory));
	pdb_put(&pdb, PDB_INFO, 20000404);
	pdb_put(&pdb, PDB_INFO + 8, SAMPLE_AGE + 1); /* raised by a tool */
	memcpy(pdb.bytes + PDB_INFO + 12, sample_guid, sizeof(sample_guid));
	pdb_put(&pdb, PDB_MODULES, UINT32_MAX);
	pdb_put(&pdb, PDB_MODULES + 4, 19990903);
	pdb_put(&pdb, PDB_MODULES + 8, SAMPLE_AGE);
	return pdb;
}

#endif
