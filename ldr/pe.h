/* SPDX-License-Identifier: MIT */
/*
 * Reading PE32+ images for x64.
 *
 * Two steps. pe_parse takes the file as it lies on disk and checks the headers
 * and the section table. pe_lay_out then puts the bytes where memory has them,
 * and everything else (imports, exports, relocations, ...) is read from that
 * layout, where an RVA is an index and "inside" means below image_size.
 *
 * The code trusts no byte of the file: every offset is checked before it is
 * used, every table has an upper bound, and a table that changes while it is
 * walked (a damaged image can have its relocations point at its own tables)
 * can at worst give another error. No function here allocates or keeps state.
 */
#ifndef RINGSIDE_LDR_PE_H
#define RINGSIDE_LDR_PE_H

#include "ldr/pe_format.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PE_PAGE 4096u
#define PE_MAX_SECTIONS 96
#define PE_MAX_IMAGE_SIZE (1u << 30)
#define PE_MAX_DLLS 256
#define PE_MAX_IMPORTS 65536u
#define PE_MAX_EXPORTS 65536u

/* What is wrong, where in the file, and what was expected; one line. */
struct pe_error {
	uint64_t offset;
	char text[256];
};

struct pe_section {
	char name[9];
	uint32_t rva, virtual_size;
	uint32_t file_offset, file_size;
	uint32_t characteristics;
	uint32_t header_offset; /* of its row in the section table */
};

/* A parsed header. Fields keep the file's values and are consistent with each
 * other and with the size of the file. */
struct pe {
	uint32_t nt_offset;
	uint32_t file_size; /* of the file that was parsed */
	uint16_t machine, characteristics;
	uint32_t time_stamp;
	uint32_t symbol_table, symbol_count; /* of the file; not checked */
	uint64_t image_base;
	uint32_t entry_point; /* RVA, or 0 */
	uint32_t section_alignment, file_alignment;
	uint32_t image_size; /* rounded up to pages */
	uint32_t headers_size;
	uint32_t checksum;
	uint16_t subsystem, subsystem_major, subsystem_minor, dll_characteristics;
	struct pe_directory directory[PE_DIRECTORIES];
	unsigned section_count;
	struct pe_section section[PE_MAX_SECTIONS];
};

/* Checks and takes in the headers of a file. False with *error filled in. */
bool pe_parse(const void *file, size_t size, struct pe *pe, struct pe_error *error);

/* Copies headers and sections of the same file into `image`, which has
 * pe->image_size zeroed bytes. */
void pe_lay_out(const struct pe *pe, const void *file, void *image);

/* The `length` bytes at `rva` of the layout, or NULL if they do not lie inside. */
void *pe_at(const struct pe *pe, void *image, uint64_t rva, uint64_t length);

/* The terminated text at `rva`, or NULL when it does not end inside the image or
 * has more than 4096 characters. */
const char *pe_text(const struct pe *pe, const void *image, uint32_t rva);

/* Where in the file `rva` comes from, for messages. */
uint64_t pe_file_offset(const struct pe *pe, uint64_t rva);

/* The section that contains `rva`, or NULL for the headers and outside. */
const struct pe_section *pe_section_of(const struct pe *pe, uint32_t rva);

/* Text from a file goes to terminals: only printable ASCII stays as it is. */
void pe_make_printable(char *text);

/* Fills in *error and returns false. */
bool pe_fail(struct pe_error *error, uint64_t offset, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- Imports --------------------------------------------------------------- */

struct pe_import {
	const char *dll;
	const char *name; /* NULL: by ordinal */
	uint16_t ordinal;
	uint32_t slot; /* RVA of the eight bytes that get the address */
};

typedef bool pe_import_visitor(void *context, const struct pe_import *import);

/* Calls `visit` (NULL: only checks) for every import in the order of the file;
 * when it returns false the walk stops and the result is false, with *error
 * untouched. False with *error when the tables are damaged. */
bool pe_visit_imports(const struct pe *pe, const void *image, pe_import_visitor *visit,
		      void *context, struct pe_error *error);

/* ---- Exports --------------------------------------------------------------- */

struct pe_exports {
	struct pe_directory directory; /* an RVA inside it is a forwarder's text */
	const char *dll;
	uint32_t base; /* of ordinals */
	uint32_t function_count, name_count;
	uint32_t functions, names, ordinals; /* RVAs of the arrays, inside the image */
};

/* Finds the export directory; all zero when there is none. False with *error when
 * it or one of its arrays does not lie in the image. */
bool pe_find_exports(const struct pe *pe, const void *image, struct pe_exports *exports,
		     struct pe_error *error);

/* Checks every row too: names inside, targets inside. */
bool pe_check_exports(const struct pe *pe, const void *image, struct pe_error *error);

/* The index in the function array of a name (by binary search, as names are
 * sorted), or of an ordinal; -1 if there is none. */
int64_t pe_export_index(const struct pe *pe, const void *image, const struct pe_exports *exports,
			const char *name);
int64_t pe_export_index_of_ordinal(const struct pe_exports *exports, uint32_t ordinal);

/* The RVA in row `index`; 0 for a gap. */
uint32_t pe_export_rva(const struct pe *pe, const void *image, const struct pe_exports *exports,
		       int64_t index);

/* ---- Relocations and the rest ----------------------------------------------- */

typedef void pe_relocation_visitor(void *context, uint32_t rva, enum pe_relocation_type type);

/* Calls `visit` (NULL: only checks) for every relocation but padding. The bytes
 * that each touches lie in the image. */
bool pe_visit_relocations(const struct pe *pe, const void *image, pe_relocation_visitor *visit,
			  void *context, struct pe_error *error);

/* The RVA of the security cookie, from the load configuration of an image that has
 * not been relocated; 0 when it has none. */
bool pe_find_cookie(const struct pe *pe, const void *image, uint32_t *rva, struct pe_error *error);

/* ---- Text ------------------------------------------------------------------- */

#define PE_MIN_NAME 4
#define PE_MAX_NAME 96

typedef void pe_name_visitor(void *context, uint32_t rva, const char *name);

/* Calls `visit` for every string in a section, in UTF-16 or ASCII, that could be the name
 * of a routine: letters, digits and underscores, PE_MIN_NAME to PE_MAX_NAME of them. `name`
 * is valid during the call. */
void pe_visit_names(const struct pe *pe, const void *image, pe_name_visitor *visit, void *context);

/* ---- Checks ----------------------------------------------------------------- */

/* All checks on a layout that has not been relocated. */
bool pe_check(const struct pe *pe, const void *image, struct pe_error *error);

#endif
