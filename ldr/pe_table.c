/* SPDX-License-Identifier: MIT */
/* Relocations, the load configuration and the exception directory of a PE image. */
#include "ldr/pe.h"
#include <string.h>

static const void *at(const struct pe *pe, const void *image, uint64_t rva, uint64_t length)
{
	return pe_at(pe, (void *)(uintptr_t)image, rva, length);
}

/* How many bytes a relocation changes; 0 for a type that x64 does not have. */
static unsigned relocation_width(unsigned type)
{
	switch (type) {
	case PE_RELOCATION_HIGH:
	case PE_RELOCATION_LOW:
		return 2;
	case PE_RELOCATION_HIGHLOW:
		return 4;
	case PE_RELOCATION_DIR64:
		return 8;
	default:
		return 0;
	}
}

struct relocation_walk {
	const struct pe *pe;
	const void *image;
	pe_relocation_visitor *visit;
	void *context;
	struct pe_error *error;
};

static bool visit_block(const struct relocation_walk *w, uint32_t rva,
			const struct pe_relocation_block *block)
{
	for (uint32_t i = sizeof(*block); i + 2 <= block->size; i += 2) {
		uint16_t row;
		memcpy(&row, (const char *)w->image + rva + i, sizeof(row));
		unsigned type = row >> 12, width = relocation_width(type);
		uint64_t target = (uint64_t)block->page + (row & 0xFFF);
		if (type == PE_RELOCATION_ABSOLUTE)
			continue;
		if (!width)
			return pe_fail(w->error, pe_file_offset(w->pe, rva + i),
				       "relocation of type %u, which x64 does not have", type);
		if (!at(w->pe, w->image, target, width))
			return pe_fail(
				w->error, pe_file_offset(w->pe, rva + i),
				"relocation at RVA 0x%llx, expected inside the image of 0x%x",
				(unsigned long long)target, w->pe->image_size);
		if (w->visit)
			w->visit(w->context, (uint32_t)target, (enum pe_relocation_type)type);
	}
	return true;
}

bool pe_visit_relocations(const struct pe *pe, const void *image, pe_relocation_visitor *visit,
			  void *context, struct pe_error *error)
{
	struct relocation_walk w = {pe, image, visit, context, error};
	struct pe_directory d = pe->directory[PE_RELOCATIONS];
	uint32_t end = d.rva + d.size;
	if (d.rva == 0)
		return true;
	for (uint32_t rva = d.rva; end - rva >= sizeof(struct pe_relocation_block);) {
		struct pe_relocation_block block;
		/* pe_parse has seen that the directory lies inside. */
		memcpy(&block, (const char *)image + rva, sizeof(block));
		/* Some linkers pad the directory with zeros. */
		if (block.page == 0 && block.size == 0)
			return true;
		if (block.size < sizeof(block) || block.size > end - rva || block.size & 1)
			return pe_fail(error, pe_file_offset(pe, rva) + 4,
				       "relocation block of 0x%x bytes, expected 8 to 0x%x",
				       block.size, end - rva);
		if (!visit_block(&w, rva, &block))
			return false;
		rva += block.size;
	}
	return true;
}

bool pe_find_cookie(const struct pe *pe, const void *image, uint32_t *rva, struct pe_error *error)
{
	struct pe_directory d = pe->directory[PE_LOAD_CONFIG];
	uint32_t size = 0;
	uint64_t address = 0;
	*rva = 0;
	if (d.rva == 0)
		return true;
	const void *from = at(pe, image, d.rva, sizeof(size));
	if (!from)
		return pe_fail(error, pe_file_offset(pe, d.rva),
			       "the load configuration at RVA 0x%x leaves the image", d.rva);
	memcpy(&size, from, sizeof(size));
	if (!at(pe, image, d.rva, size))
		return pe_fail(error, pe_file_offset(pe, d.rva),
			       "a load configuration of 0x%x bytes leaves the image", size);
	if (size < PE_LOAD_CONFIG_COOKIE + sizeof(address))
		return true; /* an old one, without a cookie */
	memcpy(&address, (const char *)from + PE_LOAD_CONFIG_COOKIE, sizeof(address));
	if (address == 0)
		return true;
	uint64_t place = address - pe->image_base;
	if (place < pe->headers_size || !at(pe, image, place, 8))
		return pe_fail(error, pe_file_offset(pe, d.rva) + PE_LOAD_CONFIG_COOKIE,
			       "security cookie at 0x%llx, expected inside the image at 0x%llx",
			       (unsigned long long)address, (unsigned long long)pe->image_base);
	*rva = (uint32_t)place;
	return true;
}

/* Only what a look-up by binary search relies on. */
static bool check_exceptions(const struct pe *pe, const void *image, struct pe_error *error)
{
	struct pe_directory d = pe->directory[PE_EXCEPTIONS];
	uint32_t last = 0;
	if (d.rva == 0)
		return true;
	for (uint32_t i = 0; (i + 1) * 12ull <= d.size; i++) {
		struct pe_runtime_function f;
		uint64_t rva = d.rva + i * 12ull;
		memcpy(&f, (const char *)image + rva, sizeof(f));
		if (f.begin == 0 && f.end == 0)
			break; /* padding */
		if (f.begin < last || f.end < f.begin || f.end > pe->image_size ||
		    f.unwind >= pe->image_size)
			return pe_fail(error, pe_file_offset(pe, rva),
				       "exception row %u covers RVA 0x%x to 0x%x with unwind data "
				       "at 0x%x, "
				       "expected ascending ranges inside the image",
				       i, f.begin, f.end, f.unwind);
		last = f.end;
	}
	return true;
}

bool pe_check(const struct pe *pe, const void *image, struct pe_error *error)
{
	uint32_t cookie;
	return pe_visit_imports(pe, image, NULL, NULL, error) &&
	       pe_check_exports(pe, image, error) &&
	       pe_visit_relocations(pe, image, NULL, NULL, error) &&
	       pe_find_cookie(pe, image, &cookie, error) && check_exceptions(pe, image, error);
}
