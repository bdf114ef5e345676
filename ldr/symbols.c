/* SPDX-License-Identifier: MIT */
/*
 * Symbols come from three places: a COFF symbol table in the file, which is read here
 * (coff.c); DWARF in the file, and a PDB beside it, which llvm-symbolizer reads in a
 * process of its own. So a damaged PDB ends that process and not this one, and a run that
 * needs no symbols pays nothing. Without llvm-symbolizer there are the names of the COFF
 * table alone.
 *
 * A function's name is taken from the COFF table where there is one: LLVM prefers any
 * label to the function at the same address.
 */
#include "ldr/symbols.h"
#include "filter.h"
#include "ldr/coff.h"
#include "ldr/function.h"
#include "ldr/pdb.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PATH 4096

/* ---- What there is -------------------------------------------------------------------------- */

/* A driver may have been built again since it was loaded. */
static bool is_same_image(const struct ldr_bytes *file, const struct pe *pe)
{
	struct pe_nt_headers nt;
	return ldr_read_bytes(file, pe->nt_offset, &nt, sizeof(nt)) &&
	       nt.signature == PE_SIGNATURE && nt.file.time_stamp == pe->time_stamp &&
	       nt.file.symbol_table == pe->symbol_table &&
	       nt.file.symbol_count == pe->symbol_count &&
	       nt.file.section_count == pe->section_count &&
	       nt.optional.entry_point == pe->entry_point && nt.optional.checksum == pe->checksum;
}

static bool has_dwarf(const struct ldr_bytes *file, const struct pe *pe)
{
	for (unsigned i = 0; i < pe->section_count; i++) {
		char name[32];
		coff_section_name(file, pe, i, name, sizeof(name));
		if (strcmp(name, ".debug_line") == 0)
			return true;
	}
	return false;
}

/* The folder of `path`, and then `name`. */
static bool name_beside(char *to, size_t size, const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash + 1 - path) : 0;
	int length = snprintf(to, size, "%.*s%s", folder, path, name);
	return length > 0 && (size_t)length < size;
}

static enum ldr_pdb look_for_pdb(const struct ldr_bytes *file, const char *path,
				 const struct pe *pe, char *name, size_t size)
{
	struct pdb_id wanted, id;
	struct ldr_bytes pdb;
	char beside[MAX_PATH];
	if (!pdb_of_image(file, pe, &wanted, name, size))
		return LDR_PDB_NONE;
	if (!name_beside(beside, sizeof(beside), path, name) || !ldr_open_bytes(&pdb, beside))
		return LDR_PDB_ABSENT;
	bool read = pdb_read_id(&pdb, &id);
	ldr_close_bytes(&pdb);
	return !read                                   ? LDR_PDB_DAMAGED
	       : memcmp(&id, &wanted, sizeof(id)) != 0 ? LDR_PDB_FOREIGN
						       : LDR_PDB_MATCHES;
}

static void look(const struct ldr_bytes *file, const char *path, const struct pe *pe,
		 struct ldr_symbols *found)
{
	found->table = coff_has_symbols(file, pe);
	found->dwarf = has_dwarf(file, pe);
	found->pdb_name[0] = '\0';
	found->pdb = look_for_pdb(file, path, pe, found->pdb_name, sizeof(found->pdb_name));
}

bool ldr_look_for_symbols(const char *path, const struct pe *pe, struct ldr_symbols *found)
{
	struct ldr_bytes file;
	if (!ldr_open_bytes(&file, path))
		return false;
	bool same = is_same_image(&file, pe);
	if (same)
		look(&file, path, pe, found);
	ldr_close_bytes(&file);
	return same;
}

/* ---- Questions ------------------------------------------------------------------------------ */

struct search {
	struct ldr_place *place;
	size_t count;
	char *note;
	size_t room;
	struct host_filter filter;
};

static void note(struct search *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(struct search *s, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(s->note, s->room, format, arguments);
	va_end(arguments);
	if (length < 0)
		return;
	size_t used = (size_t)length < s->room ? (size_t)length : s->room - 1;
	s->note += used;
	s->room -= used;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static void say_what_is_wrong(struct search *s, const char *path, const struct ldr_symbols *symbols)
{
	if (symbols->pdb == LDR_PDB_FOREIGN)
		note(s, "%s is of another build than %s: not used\n", symbols->pdb_name,
		     base_name(path));
	if (symbols->pdb == LDR_PDB_DAMAGED)
		note(s, "%s is damaged or no PDB: not used\n", symbols->pdb_name);
}

/* LLVM takes either quote around a name, and a line for a question. */
static const char *quote_for(const char *path)
{
	return strpbrk(path, "\n\r") ? NULL
	       : !strchr(path, '"')  ? "\""
	       : !strchr(path, '\'') ? "'"
				     : NULL;
}

/* A call can be a function's last instruction. */
static uint32_t code_of(const struct ldr_place *place)
{
	return place->rva - (place->behind_call && place->rva);
}

static bool put_question(struct search *s, const char *path, uint32_t rva)
{
	const char *quote = quote_for(path);
	char address[32];
	snprintf(address, sizeof(address), " 0x%x\n", rva);
	return quote && host_filter_put(&s->filter, quote) && host_filter_put(&s->filter, path) &&
	       host_filter_put(&s->filter, quote) && host_filter_put(&s->filter, address);
}

/* What is just before the function comes first: see take_answer. */
static bool ask(struct search *s, const struct ldr_place *place)
{
	return (!place->doubtful || put_question(s, place->path, place->begin - 1)) &&
	       put_question(s, place->path, code_of(place));
}

/* A name that is too long goes before its offset does. */
static void set_function(struct ldr_place *place, const char *name, uint32_t begin)
{
	char offset[16] = "";
	int room = (int)(sizeof(place->function) - sizeof(offset));
	if (begin && place->rva > begin)
		snprintf(offset, sizeof(offset), "+0x%x", place->rva - begin);
	snprintf(place->function, sizeof(place->function), "%.*s%s", room, name, offset);
}

static void ask_table(const struct ldr_bytes *file, struct ldr_place *place)
{
	struct coff_symbol symbol;
	if (!coff_find(file, place->pe, code_of(place), &symbol))
		return;
	set_function(place, symbol.name, symbol.rva);
	place->begin = symbol.rva;
}

/* `more`: than the table. */
static void ask_at(struct search *s, const struct ldr_bytes *file, struct ldr_place *place,
		   bool table, bool more)
{
	if (table)
		ask_table(file, place);
	if (!more)
		return;
	if (!place->begin)
		place->doubtful = ldr_function_begin(file, place->pe, code_of(place),
						     &place->begin);
	place->asked = ask(s, place);
}

/* All places of the image that the first one is in. */
static void ask_about(struct search *s, size_t first)
{
	const struct ldr_place *image = &s->place[first];
	struct ldr_symbols symbols;
	struct ldr_bytes file;
	if (!ldr_open_bytes(&file, image->path))
		return;
	if (is_same_image(&file, image->pe)) {
		look(&file, image->path, image->pe, &symbols);
		say_what_is_wrong(s, image->path, &symbols);
		bool more = symbols.dwarf || symbols.pdb == LDR_PDB_MATCHES;
		for (size_t i = first; i < s->count; i++) {
			if (s->place[i].path == image->path)
				ask_at(s, &file, &s->place[i], symbols.table, more);
		}
	} else {
		note(s, "%s has changed since it was loaded: no symbols\n", base_name(image->path));
	}
	ldr_close_bytes(&file);
}

static bool is_first_of_image(const struct search *s, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (s->place[i].path == s->place[index].path)
			return false;
	}
	return true;
}

/* ---- LLVM's answers ------------------------------------------------------------------------- */

/* "FILE:LINE:COLUMN", where "??" and 0 stand for what it does not know. */
static void take_source(struct ldr_place *place, char *line)
{
	char *column = strrchr(line, ':');
	if (!column)
		return;
	*column = '\0';
	const char *number = strrchr(line, ':');
	if (!number || atoi(number + 1) <= 0 || line[0] == '?')
		return;
	pe_make_printable(line);
	/* The end of a long path says more than its beginning. */
	size_t length = strlen(line), room = sizeof(place->source) - 1;
	strcpy(place->source, length > room ? line + (length - room) : line);
}

/* The table's name is right, but only LLVM reads those of C++. */
static void take_function(struct ldr_place *place, char *line)
{
	if (line[0] == '?' || (place->function[0] && strncmp(place->function, "_Z", 2) != 0))
		return;
	pe_make_printable(line);
	set_function(place, line, place->begin);
}

struct answer {
	char function[512], source[1024];
};

/* An answer is the function, the source, and an empty line. */
static bool get_answer(struct search *s, struct answer *answer)
{
	char end[16] = "x";
	bool got = host_filter_get(&s->filter, answer->function, sizeof(answer->function)) &&
		   host_filter_get(&s->filter, answer->source, sizeof(answer->source));
	while (got && end[0] && host_filter_get(&s->filter, end, sizeof(end)))
		;
	return got;
}

/* A PDB without static functions names one by the function before it, whose beginning is
 * another: then the offset is not known. */
static bool take_answer(struct search *s, struct ldr_place *place)
{
	struct answer before = {"", ""}, answer;
	if ((place->doubtful && !get_answer(s, &before)) || !get_answer(s, &answer))
		return false;
	if (place->doubtful && strcmp(before.function, answer.function) == 0)
		place->begin = 0;
	take_function(place, answer.function);
	take_source(place, answer.source);
	return true;
}

static void take_answers(struct search *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->place[i].asked && !take_answer(s, &s->place[i]))
			return;
	}
}

static void run_llvm(struct search *s, unsigned patience)
{
	static const char *const known[] = {
		"llvm-symbolizer",    "llvm-symbolizer-14", "llvm-symbolizer-15",
		"llvm-symbolizer-16", "llvm-symbolizer-17", "llvm-symbolizer-18",
		"llvm-symbolizer-19", "llvm-symbolizer-20", NULL};
	static char name[] = "llvm-symbolizer", relative[] = "--relative-address",
		    plain[] = "--no-inlines", style[] = "--output-style=LLVM";
	char *argv[] = {name, relative, plain, style, NULL};
	const char *chosen[] = {getenv("RINGSIDE_SYMBOLIZER"), NULL};
	int status = host_filter_run(&s->filter, chosen[0] ? chosen : known, argv, patience);
	if (status == 0)
		take_answers(s);
	else if (status == -ENOENT)
		note(s, "no llvm-symbolizer was found to read DWARF and PDBs\n");
	else
		note(s, "llvm-symbolizer failed\n");
}

void ldr_find_symbols(struct ldr_place *place, size_t count, unsigned patience, char *text,
		      size_t size)
{
	struct search s = {.place = place, .count = count, .note = text, .room = size};
	bool asked = false;
	text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		place[i].function[0] = place[i].source[0] = '\0';
		place[i].asked = place[i].doubtful = false;
		place[i].begin = 0;
	}
	if (host_filter_open(&s.filter))
		return;
	for (size_t i = 0; i < count; i++) {
		if (place[i].path && is_first_of_image(&s, i))
			ask_about(&s, i);
		asked |= place[i].asked;
	}
	if (asked && patience)
		run_llvm(&s, patience);
	host_filter_close(&s.filter);
}
