/* SPDX-License-Identifier: MIT */
/*
 * Text in a PE image that can be the name of a routine: whole strings of letters, digits
 * and underscores, in UTF-16, as MmGetSystemRoutineAddress takes them, and in ASCII.
 * Characters are looked at one after the other; a string counts when what is before it is
 * no text and what ends it is a NUL. Sections with long names, which begin with a slash
 * here, are mingw's DWARF: names of types and fields, not of the program.
 */
#include "ldr/pe.h"
#include <ctype.h>
#include <string.h>

struct name_walk {
	const struct pe *pe;
	const uint8_t *image;
	pe_name_visitor *visit;
	void *context;
};

struct run {
	unsigned width; /* of a character, in bytes */
	char name[PE_MAX_NAME + 1];
	size_t length; /* 0: none has begun */
	uint32_t rva;
	bool spoiled; /* part of a longer text */
};

static void visit_run(const struct name_walk *w, const struct run *run, unsigned skip)
{
	if (run->length >= PE_MIN_NAME + skip)
		w->visit(w->context, run->rva + skip * run->width, run->name + skip);
}

/* The last letter of ASCII text and its NUL look like a first character in UTF-16. */
static void end_run(const struct name_walk *w, struct run *run, bool terminated)
{
	if (terminated && !run->spoiled && run->length) {
		run->name[run->length] = 0;
		visit_run(w, run, 0);
		if (run->width == 2 && w->image[run->rva - 1])
			visit_run(w, run, 1);
	}
	run->length = 0;
}

static void take_character(const struct name_walk *w, struct run *run, uint32_t rva, unsigned c)
{
	bool text = c >= 0x20 && c < 0x7F;
	bool fits = text && (isalpha((int)c) || c == '_' || (run->length && isdigit((int)c)));
	if (!text) {
		end_run(w, run, c == 0);
		run->spoiled = false;
	} else if (!fits || run->length == PE_MAX_NAME) {
		run->spoiled = true;
	} else {
		if (!run->length)
			run->rva = rva;
		run->name[run->length++] = (char)c;
	}
}

static void walk_section(const struct name_walk *w, const struct pe_section *section,
			 unsigned width)
{
	struct run run = {.width = width};
	for (uint32_t i = 0; i + width <= section->virtual_size; i += width) {
		uint16_t c = w->image[section->rva + i];
		if (width == 2)
			memcpy(&c, w->image + section->rva + i, sizeof(c));
		take_character(w, &run, section->rva + i, c);
	}
}

void pe_visit_names(const struct pe *pe, const void *image, pe_name_visitor *visit, void *context)
{
	struct name_walk w = {pe, image, visit, context};
	for (unsigned i = 0; i < pe->section_count; i++) {
		if (pe->section[i].name[0] == '/')
			continue;
		walk_section(&w, &pe->section[i], 2);
		walk_section(&w, &pe->section[i], 1);
	}
}
