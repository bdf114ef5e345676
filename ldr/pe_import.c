/* SPDX-License-Identifier: MIT */
/*
 * The import tables of a PE image.
 *
 * An import descriptor names a DLL and two arrays of eight-byte rows that end
 * with a zero: the lookup table says what is wanted, the address table is what
 * the loader overwrites with the answers (and is also the lookup table when
 * there is no other). The address tables are checked not to touch one another,
 * the headers or the descriptors, because writing answers would otherwise change
 * the questions.
 */
#include "ldr/pe.h"
#include <string.h>

struct range {
	uint64_t begin, end;
};

struct import_walk {
	const struct pe *pe;
	void *image;
	pe_import_visitor *visit;
	void *context;
	struct pe_error *error;
	unsigned dlls, imports;
	struct range written[PE_MAX_DLLS]; /* the address table of each DLL */
};

#define DESCRIPTOR_SIZE sizeof(struct pe_import_descriptor)

static uint32_t descriptor_rva(const struct pe *pe, unsigned index)
{
	return pe->directory[PE_IMPORTS].rva + index * (uint32_t)DESCRIPTOR_SIZE;
}

/* False at the end of the table or, with *error filled in, at damage. */
static bool next_descriptor(struct import_walk *w, struct pe_import_descriptor *d, bool *damaged)
{
	uint32_t rva = descriptor_rva(w->pe, w->dlls);
	const void *at = pe_at(w->pe, w->image, rva, DESCRIPTOR_SIZE);
	*damaged = true;
	if (!at)
		return pe_fail(w->error, pe_file_offset(w->pe, rva),
			       "the import directory has no end: descriptor %u leaves the image",
			       w->dlls);
	memcpy(d, at, DESCRIPTOR_SIZE);
	if (d->name == 0 || d->address_table == 0) {
		*damaged = false;
		return false;
	}
	if (w->dlls == PE_MAX_DLLS)
		return pe_fail(w->error, pe_file_offset(w->pe, rva),
			       "imports from more than %u DLLs: an absurd import directory",
			       PE_MAX_DLLS);
	*damaged = false;
	return true;
}

static bool read_import(struct import_walk *w, uint64_t row, struct pe_import *import)
{
	if (row & PE_IMPORT_BY_ORDINAL) {
		import->name = NULL;
		import->ordinal = (uint16_t)row;
		return true;
	}
	/* Two bytes of a hint, then the name. */
	import->ordinal = 0;
	import->name = row < w->pe->image_size - 2 ? pe_text(w->pe, w->image, (uint32_t)row + 2)
		: NULL;
	return import->name != NULL;
}

/* The row of the lookup table at `rva`: 0 at its end. */
static bool read_row(struct import_walk *w, const char *dll, uint64_t rva, uint64_t *row)
{
	const void *at = pe_at(w->pe, w->image, rva, sizeof(*row));
	if (!at)
		return pe_fail(w->error, pe_file_offset(w->pe, rva),
			       "the import table of %.64s has no end: RVA 0x%llx leaves the image",
			       dll, (unsigned long long)rva);
	memcpy(row, at, sizeof(*row));
	if (*row && w->imports++ == PE_MAX_IMPORTS)
		return pe_fail(w->error, pe_file_offset(w->pe, rva),
			       "more than %u imports: an absurd import table", PE_MAX_IMPORTS);
	return true;
}

static bool visit_dll(struct import_walk *w, const struct pe_import_descriptor *d)
{
	struct pe_import import = {.dll = pe_text(w->pe, w->image, d->name)};
	uint32_t lookup = d->lookup_table ? d->lookup_table : d->address_table;
	if (!import.dll)
		return pe_fail(w->error, pe_file_offset(w->pe, descriptor_rva(w->pe, w->dlls) + 12),
			       "import descriptor %u: DLL name at RVA 0x%x, expected text inside "
			       "the image",
			       w->dlls, d->name);
	for (uint64_t i = 0;; i++) {
		uint64_t row = 0, slot = d->address_table + i * 8;
		if (!read_row(w, import.dll, lookup + i * 8, &row))
			return false;
		if (!pe_at(w->pe, w->image, slot, 8))
			return pe_fail(w->error, pe_file_offset(w->pe, slot),
				       "the address table of %.64s leaves the image at RVA 0x%llx",
				       import.dll, (unsigned long long)slot);
		w->written[w->dlls] = (struct range){d->address_table, slot + 8};
		if (row == 0)
			return true;
		import.slot = (uint32_t)slot;
		if (!read_import(w, row, &import))
			return pe_fail(w->error, pe_file_offset(w->pe, lookup + i * 8),
				       "import %llu of %.64s: name at RVA 0x%llx, expected text "
				       "inside the image",
				       (unsigned long long)i, import.dll, (unsigned long long)row);
		if (w->visit && !w->visit(w->context, &import))
			return false;
	}
}

static bool overlap(const struct range *a, const struct range *b)
{
	return a->begin < b->end && b->begin < a->end;
}

/* The last DLL's address table against everything that must stay as it is. */
static bool check_written(struct import_walk *w, const struct pe_import_descriptor *d)
{
	const struct range *mine = &w->written[w->dlls];
	struct range headers = {0, w->pe->headers_size};
	struct range descriptors = {descriptor_rva(w->pe, 0), descriptor_rva(w->pe, w->dlls + 2)};
	uint64_t field = pe_file_offset(w->pe, descriptor_rva(w->pe, w->dlls) + 16);
	uint64_t length = mine->end - mine->begin;
	struct range lookup = {d->lookup_table, d->lookup_table + length};
	if (overlap(mine, &headers) || overlap(mine, &descriptors))
		return pe_fail(
			w->error, field,
			"import descriptor %u: its address table at RVA 0x%x lies over the %s",
			w->dlls, d->address_table,
			overlap(mine, &headers) ? "headers" : "import directory");
	if (d->lookup_table && d->lookup_table != d->address_table && overlap(mine, &lookup))
		return pe_fail(w->error, field,
			       "import descriptor %u: its address table at RVA 0x%x lies over its "
			       "lookup table at 0x%x",
			       w->dlls, d->address_table, d->lookup_table);
	for (unsigned i = 0; i < w->dlls; i++) {
		if (overlap(mine, &w->written[i]))
			return pe_fail(w->error, field,
				       "import descriptor %u: its address table at RVA 0x%x lies "
				       "over that of descriptor %u",
				       w->dlls, d->address_table, i);
	}
	return true;
}

bool pe_visit_imports(const struct pe *pe, const void *image, pe_import_visitor *visit,
		      void *context, struct pe_error *error)
{
	struct import_walk w = {.pe = pe,
				.image = (void *)(uintptr_t)image,
				.visit = visit,
				.context = context,
				.error = error};
	struct pe_import_descriptor d = {0};
	bool damaged;
	if (pe->directory[PE_IMPORTS].rva == 0)
		return true;
	for (; next_descriptor(&w, &d, &damaged); w.dlls++) {
		if (!visit_dll(&w, &d) || !check_written(&w, &d))
			return false;
	}
	return !damaged;
}
