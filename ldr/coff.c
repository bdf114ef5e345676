/* SPDX-License-Identifier: MIT */
/*
 * Reading a COFF symbol table in its file, row by row, as "PE Format" lays it out: rows of
 * 18 bytes, some of which continue the one before, then the text of the longer names.
 * Every row is looked at for each question: there is no index and no memory to keep one,
 * and a report asks some thirty times.
 */
#include "ldr/coff.h"
#include <stdlib.h>
#include <string.h>

struct row {
	union {
		char name[8];
		struct {
			uint32_t zero, offset; /* into the text */
		};
	};
	uint32_t value;  /* offset in its section */
	int16_t section; /* from 1; other values are no places */
	uint16_t type;
	uint8_t class;
	uint8_t more; /* rows that belong to it */
} __attribute__((packed));
_Static_assert(sizeof(struct row) == 18, "PE format");

enum { CLASS_EXTERNAL = 2, CLASS_STATIC = 3, TYPE_FUNCTION = 0x20 };

#define ROWS 128 /* read at a time */

/* Larger than any real one; keeps a damaged count from being searched for ever. */
#define MOST_ROWS (1u << 22)

static uint32_t row_count(const struct ldr_bytes *file, const struct pe *pe)
{
	if (pe->symbol_table == 0 || pe->symbol_table >= file->size)
		return 0;
	uint64_t room = (file->size - pe->symbol_table) / sizeof(struct row);
	uint32_t count = pe->symbol_count < room ? pe->symbol_count : (uint32_t)room;
	return count < MOST_ROWS ? count : MOST_ROWS;
}

bool coff_has_symbols(const struct ldr_bytes *file, const struct pe *pe)
{
	return row_count(file, pe) > 0;
}

static uint64_t text_offset(const struct pe *pe)
{
	return pe->symbol_table + (uint64_t)pe->symbol_count * sizeof(struct row);
}

static void read_name(const struct ldr_bytes *file, const struct pe *pe, const struct row *row,
		      char *name, size_t size)
{
	if (row->zero == 0) {
		if (!ldr_read_text(file, text_offset(pe) + row->offset, name, size))
			name[0] = '\0';
		return;
	}
	memcpy(name, row->name, sizeof(row->name));
	name[sizeof(row->name)] = '\0';
	pe_make_printable(name);
}

/* The row that names `rva` best so far. */
struct best {
	uint32_t rva;    /* the question */
	int16_t section; /* that it is in, from 1 */
	uint32_t begin;  /* of that section */
	struct row row;
	bool found;
};

/* Sections have symbols too, named like them. */
static bool is_place(const struct best *best, const struct row *row)
{
	return row->section == best->section && row->name[0] != '.' &&
	       (row->class == CLASS_EXTERNAL || row->class == CLASS_STATIC) &&
	       row->value <= best->rva - best->begin;
}

static void compare(struct best *best, const struct row *row)
{
	if (!is_place(best, row))
		return;
	if (!best->found || row->value > best->row.value ||
	    (row->value == best->row.value && row->type == TYPE_FUNCTION)) {
		best->row = *row;
		best->found = true;
	}
}

static bool search(const struct ldr_bytes *file, const struct pe *pe, struct best *best)
{
	struct row rows[ROWS];
	uint32_t count = row_count(file, pe), skip = 0;
	for (uint32_t i = 0; i < count; i += ROWS) {
		uint32_t part = count - i < ROWS ? count - i : ROWS;
		if (!ldr_read_bytes(file, pe->symbol_table + (uint64_t)i * sizeof(*rows), rows,
				    part * sizeof(*rows)))
			return false;
		for (uint32_t j = 0; j < part; j++) {
			if (skip) {
				skip--;
				continue;
			}
			compare(best, &rows[j]);
			skip = rows[j].more;
		}
	}
	return best->found;
}

bool coff_find(const struct ldr_bytes *file, const struct pe *pe, uint32_t rva,
	       struct coff_symbol *found)
{
	const struct pe_section *section = pe_section_of(pe, rva);
	struct best best = {.rva = rva};
	if (!section)
		return false;
	best.section = (int16_t)(section - pe->section + 1);
	best.begin = section->rva;
	if (!search(file, pe, &best))
		return false;
	found->rva = section->rva + best.row.value;
	read_name(file, pe, &best.row, found->name, sizeof(found->name));
	return found->name[0] != '\0';
}

void coff_section_name(const struct ldr_bytes *file, const struct pe *pe, unsigned index,
		       char *name, size_t size)
{
	const char *own = pe->section[index].name;
	char *end;
	unsigned long offset = own[0] == '/' ? strtoul(own + 1, &end, 10) : 0;
	if (own[0] == '/' && !*end && pe->symbol_table &&
	    ldr_read_text(file, text_offset(pe) + offset, name, size))
		return;
	strncpy(name, own, size - 1);
	name[size - 1] = '\0';
}
