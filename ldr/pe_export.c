/* SPDX-License-Identifier: MIT */
/* The export directory of a PE image, as kernel DLLs and the kernel itself have it. */
#include "ldr/pe.h"
#include <string.h>

static const void *at(const struct pe *pe, const void *image, uint64_t rva, uint64_t length)
{
	return pe_at(pe, (void *)(uintptr_t)image, rva, length);
}

static uint32_t read32(const struct pe *pe, const void *image, uint64_t rva)
{
	uint32_t value = 0;
	const void *from = at(pe, image, rva, sizeof(value));
	if (from)
		memcpy(&value, from, sizeof(value));
	return value;
}

static uint16_t read16(const struct pe *pe, const void *image, uint64_t rva)
{
	uint16_t value = 0;
	const void *from = at(pe, image, rva, sizeof(value));
	if (from)
		memcpy(&value, from, sizeof(value));
	return value;
}

static bool check_array(const struct pe *pe, const void *image, uint32_t field, uint32_t rva,
			uint32_t count, uint32_t width, const char *what, struct pe_error *error)
{
	if (count == 0 || at(pe, image, rva, (uint64_t)count * width))
		return true;
	return pe_fail(error, pe_file_offset(pe, field),
		       "export %s at RVA 0x%x with %u rows, expected inside the image of 0x%x",
		       what, rva, count, pe->image_size);
}

bool pe_find_exports(const struct pe *pe, const void *image, struct pe_exports *exports,
		     struct pe_error *error)
{
	struct pe_export_directory d;
	struct pe_directory where = pe->directory[PE_EXPORTS];
	memset(exports, 0, sizeof(*exports));
	if (where.rva == 0)
		return true;
	const void *from = at(pe, image, where.rva, sizeof(d));
	if (!from)
		return pe_fail(error, pe_file_offset(pe, where.rva),
			       "the export directory at RVA 0x%x leaves the image", where.rva);
	memcpy(&d, from, sizeof(d));
	if (d.function_count > PE_MAX_EXPORTS || d.name_count > PE_MAX_EXPORTS)
		return pe_fail(error, pe_file_offset(pe, where.rva),
			       "%u exports and %u names, expected at most %u of each",
			       d.function_count, d.name_count, PE_MAX_EXPORTS);
#define FIELD(name) (where.rva + (uint32_t)offsetof(struct pe_export_directory, name))
	if (!check_array(pe, image, FIELD(functions), d.functions, d.function_count, 4,
			 "address table", error) ||
	    !check_array(pe, image, FIELD(names), d.names, d.name_count, 4, "name table", error) ||
	    !check_array(pe, image, FIELD(ordinals), d.ordinals, d.name_count, 2, "ordinal table",
			 error))
		return false;
#undef FIELD
	exports->directory = where;
	exports->dll = pe_text(pe, image, d.name);
	exports->base = d.base;
	exports->function_count = d.function_count;
	exports->name_count = d.name_count;
	exports->functions = d.functions;
	exports->names = d.names;
	exports->ordinals = d.ordinals;
	return true;
}

static bool check_name(const struct pe *pe, const void *image, const struct pe_exports *e,
		       uint32_t i, struct pe_error *error)
{
	uint32_t name = read32(pe, image, e->names + i * 4ull);
	uint16_t index = read16(pe, image, e->ordinals + i * 2ull);
	if (!pe_text(pe, image, name))
		return pe_fail(error, pe_file_offset(pe, e->names + i * 4ull),
			       "export name %u at RVA 0x%x, expected text inside the image", i,
			       name);
	if (index >= e->function_count)
		return pe_fail(error, pe_file_offset(pe, e->ordinals + i * 2ull),
			       "export name %u is for row %u of %u", i, index, e->function_count);
	return true;
}

static bool check_function(const struct pe *pe, const void *image, const struct pe_exports *e,
			   uint32_t i, struct pe_error *error)
{
	uint32_t rva = read32(pe, image, e->functions + i * 4ull);
	bool forwarder = rva - e->directory.rva < e->directory.size && rva >= e->directory.rva;
	if (rva >= pe->image_size || (forwarder && !pe_text(pe, image, rva)))
		return pe_fail(error, pe_file_offset(pe, e->functions + i * 4ull),
			       "export row %u is RVA 0x%x, expected inside the image of 0x%x", i,
			       rva, pe->image_size);
	return true;
}

bool pe_check_exports(const struct pe *pe, const void *image, struct pe_error *error)
{
	struct pe_exports e;
	if (!pe_find_exports(pe, image, &e, error))
		return false;
	for (uint32_t i = 0; i < e.function_count; i++) {
		if (!check_function(pe, image, &e, i, error))
			return false;
	}
	for (uint32_t i = 0; i < e.name_count; i++) {
		if (!check_name(pe, image, &e, i, error))
			return false;
	}
	return true;
}

int64_t pe_export_index(const struct pe *pe, const void *image, const struct pe_exports *exports,
			const char *name)
{
	uint32_t low = 0, high = exports->name_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const char *text = pe_text(pe, image,
					   read32(pe, image, exports->names + middle * 4ull));
		if (!text)
			return -1;
		int order = strcmp(name, text);
		if (order == 0) {
			uint16_t index = read16(pe, image, exports->ordinals + middle * 2ull);
			return index < exports->function_count ? index : -1;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}

int64_t pe_export_index_of_ordinal(const struct pe_exports *exports, uint32_t ordinal)
{
	uint32_t index = ordinal - exports->base;
	if (ordinal < exports->base || index >= exports->function_count)
		return -1;
	return index;
}

uint32_t pe_export_rva(const struct pe *pe, const void *image, const struct pe_exports *exports,
		       int64_t index)
{
	return read32(pe, image, exports->functions + (uint64_t)index * 4);
}
