/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a driver file that is asked for its symbols, and as a PDB that is asked
 * whose it is. The bytes are a heap copy of their exact size, where AddressSanitizer sees
 * one too many.
 */
#include "ldr/coff.h"
#include "ldr/function.h"
#include "ldr/pdb.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

static void require_printable(const char *text)
{
	for (; *text; text++)
		REQUIRE(*text >= ' ' && *text <= '~');
}

static void ask_table(const struct ldr_bytes *file, const struct pe *pe, uint32_t rva)
{
	struct coff_symbol symbol;
	if (!coff_find(file, pe, rva, &symbol))
		return;
	REQUIRE(symbol.rva <= rva && symbol.name[0]);
	require_printable(symbol.name);
}

static void ask_function(const struct ldr_bytes *file, const struct pe *pe, uint32_t rva)
{
	uint32_t begin;
	if (ldr_function_begin(file, pe, rva, &begin))
		REQUIRE(begin <= rva);
}

static void ask_image(const struct ldr_bytes *file, const struct pe *pe)
{
	struct pdb_id id;
	char name[64];
	for (unsigned i = 0; i < pe->section_count; i++) {
		ask_table(file, pe, pe->section[i].rva);
		ask_function(file, pe, pe->section[i].rva + 5);
		ask_table(file, pe, pe->section[i].rva + pe->section[i].virtual_size - 1);
		coff_section_name(file, pe, i, name, sizeof(name));
		require_printable(name);
	}
	ask_table(file, pe, UINT32_MAX);
	if (pdb_of_image(file, pe, &id, name, sizeof(name)))
		require_printable(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pe pe;
	struct pe_error error;
	struct pdb_id id;
	void *copy = malloc(size ? size : 1);
	REQUIRE(copy);
	if (size)
		memcpy(copy, data, size);
	struct ldr_bytes file = {.memory = copy, .size = size};
	if (pe_parse(copy, size, &pe, &error))
		ask_image(&file, &pe);
	pdb_read_id(&file, &id);
	free(copy);
	return 0;
}
