/* SPDX-License-Identifier: MIT */
/*
 * The exception directory is a table of functions, sorted by where they begin. A function
 * in several pieces has a row for each, whose unwind information leads to the row of the
 * first ("chained"). Read in the file, so that no memory is needed; nothing is kept.
 */
#include "ldr/function.h"

/* Pieces of pieces; more is a circle. */
#define MOST_CHAINS 32

#define CHAINED (4 << 3) /* of the flags, above the version */

static bool read_image(const struct ldr_bytes *file, const struct pe *pe, uint64_t rva, void *to,
		       size_t size)
{
	return ldr_read_bytes(file, pe_file_offset(pe, rva), to, size);
}

static bool find_row(const struct ldr_bytes *file, const struct pe *pe, uint32_t rva,
		     struct pe_runtime_function *row)
{
	struct pe_directory table = pe->directory[PE_EXCEPTIONS];
	uint32_t low = 0, high = table.rva ? table.size / sizeof(*row) : 0;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (!read_image(file, pe, table.rva + (uint64_t)middle * sizeof(*row), row,
				sizeof(*row)))
			return false;
		if (rva < row->begin)
			high = middle;
		else if (rva >= row->end)
			low = middle + 1;
		else
			return true;
	}
	return false;
}

/* The row that the unwind information of this one leads to. */
static bool follow_chain(const struct ldr_bytes *file, const struct pe *pe,
			 struct pe_runtime_function *row)
{
	struct {
		uint8_t version_and_flags, prologue, codes, frame;
	} info;
	if (!read_image(file, pe, row->unwind, &info, sizeof(info)) ||
	    !(info.version_and_flags & CHAINED))
		return false;
	uint64_t behind_codes = row->unwind + sizeof(info) + (info.codes + 1u) / 2 * 4;
	return read_image(file, pe, behind_codes, row, sizeof(*row));
}

bool ldr_function_begin(const struct ldr_bytes *file, const struct pe *pe, uint32_t rva,
			uint32_t *begin)
{
	struct pe_runtime_function row;
	if (!find_row(file, pe, rva, &row))
		return false;
	for (unsigned i = 0; i < MOST_CHAINS && follow_chain(file, pe, &row); i++)
		;
	*begin = row.begin;
	return row.begin <= rva;
}
