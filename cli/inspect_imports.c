/* SPDX-License-Identifier: MIT */
/*
 * What a driver needs of the kernel: imports, each with the answer of the export table,
 * and for those that are missing the places that use them; and names that it contains as
 * text, since it may ask for those by MmGetSystemRoutineAddress or in an export
 * directory.
 */
#include "cli/inspect.h"
#include "exports.h"
#include "ldr/reference.h"
#include "ldr/symbols.h"
#include "memory.h"
#include "wanted.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Of one import. */
#define MOST_PLACES 16

/* For the largest PDBs. */
#define PATIENCE_MS 60000

struct import {
	const char *dll, *name; /* name NULL: by ordinal */
	unsigned ordinal;
	uint32_t slot;
	const struct export_row *row; /* NULL: missing */
};

struct imports {
	struct import *at;
	size_t count, room, missing;
	struct ldr_references uses; /* of the missing ones */
	struct ldr_place *place;    /* of each use; NULL: no memory for it */
	char note[256];             /* why there is not more about them */
};

/* ---- Collecting ------------------------------------------------------------------------- */

static const struct export_row *find_row(const struct pe_import *import)
{
	enum export_dll dll = export_find_dll(import->dll);
	return dll == EXPORT_DLLS || !import->name ? NULL : export_find(dll, import->name);
}

static bool add_import(void *context, const struct pe_import *import)
{
	struct imports *imports = context;
	if (imports->count == imports->room) {
		size_t room = imports->room ? 2 * imports->room : 64;
		struct import *larger = reallocarray(imports->at, room, sizeof(*larger));
		if (!larger)
			return false;
		imports->at = larger;
		imports->room = room;
	}
	const struct export_row *row = find_row(import);
	imports->at[imports->count++] = (struct import){import->dll, import->name, import->ordinal,
							import->slot, row};
	imports->missing += !row;
	return true;
}

static int compare_slots(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void find_uses(struct imports *imports, const struct driver *driver)
{
	uint32_t *slot = calloc(imports->missing + 1, sizeof(*slot));
	size_t n = 0;
	for (size_t i = 0; slot && i < imports->count; i++) {
		if (!imports->at[i].row)
			slot[n++] = imports->at[i].slot;
	}
	if (slot) {
		qsort(slot, n, sizeof(*slot), compare_slots);
		ldr_find_references(&driver->pe, driver->image, slot, n, &imports->uses);
	}
	free(slot);
}

static void name_uses(struct imports *imports, const struct driver *driver)
{
	imports->place = calloc(imports->uses.count + 1, sizeof(*imports->place));
	if (!imports->place)
		return;
	for (size_t i = 0; i < imports->uses.count; i++) {
		imports->place[i].path = driver->file.path;
		imports->place[i].pe = &driver->pe;
		imports->place[i].rva = imports->uses.at[i].from;
	}
	ldr_find_symbols(imports->place, imports->uses.count, PATIENCE_MS, imports->note,
			 sizeof(imports->note));
}

/* ---- Showing imports -------------------------------------------------------------------- */

static void show_row(const struct export_row *row)
{
	if (row->is_data)
		printf("here, data");
	else
		printf("here, up to %s", export_irql_name(row->irql));
	if (row->status == EXPORT_PARTIAL)
		printf(" (partial: %s)", row->missing);
	putchar('\n');
}

static const char *name_of(const struct import *import)
{
	static char ordinal[16];
	snprintf(ordinal, sizeof(ordinal), "#%u", import->ordinal);
	return import->name ? import->name : ordinal;
}

static const char *base_name(const char *path)
{
	const char *base = path;
	for (; *path; path++) {
		if (*path == '/' || *path == '\\')
			base = path + 1;
	}
	return base;
}

static void show_use(const struct imports *imports, size_t index, const char *file)
{
	static const char *const verb[] = {
		[LDR_CALLED] = "called at",
		[LDR_JUMPED] = "jumped to at",
		[LDR_LOADED] = "loaded at",
		[LDR_STORED] = "kept in data at",
	};
	const struct ldr_reference *use = &imports->uses.at[index];
	const struct ldr_place *place = imports->place ? &imports->place[index] : NULL;
	bool named = place && use->use != LDR_STORED;
	printf("      %s ", verb[use->use]);
	inspect_quote(file);
	printf("+0x%x", use->from);
	if (named && place->function[0])
		printf(" %s", place->function);
	if (named && place->source[0])
		printf(" (%s)", base_name(place->source));
	putchar('\n');
}

static void show_uses(const struct imports *imports, uint32_t slot, const char *path)
{
	size_t shown = 0;
	for (size_t i = 0; i < imports->uses.count; i++) {
		if (imports->uses.at[i].slot != slot)
			continue;
		if (shown++ < MOST_PLACES)
			show_use(imports, i, base_name(path));
	}
	if (shown > MOST_PLACES)
		printf("      and at %zu more\n", shown - MOST_PLACES);
	if (shown == 0)
		puts("      used nowhere that could be found");
}

static void show_import(const struct imports *imports, size_t index, const char *path)
{
	const struct import *import = &imports->at[index];
	const char *name = name_of(import);
	if (index == 0 || strcasecmp(import[-1].dll, import->dll) != 0) {
		printf("\n  IMPORTS OF ");
		inspect_quote(import->dll);
		puts(export_find_dll(import->dll) == EXPORT_DLLS ? ", which is unknown here" : "");
	}
	printf("    ");
	inspect_quote(name);
	printf("%*s ", strlen(name) < 40 ? (int)(40 - strlen(name)) : 0, "");
	if (import->row) {
		show_row(import->row);
		return;
	}
	puts("MISSING");
	show_uses(imports, import->slot, path);
}

static void show_note(const char *note)
{
	const char *before = "\n";
	for (const char *end; (end = strchr(note, '\n')); note = end + 1, before = "")
		printf("%s  (%.*s)\n", before, (int)(end - note), note);
}

static void show_total(const struct imports *imports)
{
	const char *separator = ": ";
	show_note(imports->note);
	printf("\n%zu import%s, %zu missing", imports->count, imports->count == 1 ? "" : "s",
	       imports->missing);
	for (size_t i = 0; i < imports->count; i++) {
		const struct import *import = &imports->at[i];
		if (import->row)
			continue;
		fputs(separator, stdout);
		inspect_quote(import->dll);
		putchar('!');
		inspect_quote(name_of(import));
		separator = ", ";
	}
	putchar('\n');
}

/* ---- Names that it may look up ---------------------------------------------------------- */

struct names {
	const struct imports *imports;
	char (*at)[PE_MAX_NAME + 1]; /* each once */
	size_t count, room;
	bool looks_up; /* it imports a function that takes names */
};

static bool imports_name(const struct imports *imports, const char *name)
{
	for (size_t i = 0; i < imports->count; i++) {
		if (imports->at[i].name && strcmp(imports->at[i].name, name) == 0)
			return true;
	}
	return false;
}

static const struct export_row *find_anywhere(const char *name)
{
	const struct export_row *row = NULL;
	for (int dll = 0; dll < EXPORT_DLLS && !row; dll++)
		row = export_find((enum export_dll)dll, name);
	return row;
}

/* A prefix of the kernel's components, and then a word: "PsGetFoo". */
static bool looks_like_export(const char *name)
{
	static const char *const prefixes[] = {
		"Cc", "Cm",  "Dbg", "Em", "Etw", "Ex",  "Exf",  "Flt", "FsRtl", "Hal",
		"Io", "Iof", "Kd",  "Ke", "Kf",  "Lsa", "Mm",   "Nt",  "Ob",    "Pf",
		"Po", "Ps",  "Rtl", "Se", "Tm",  "Vf",  "Whea", "Wmi", "Zw"};
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		size_t length = strlen(prefixes[i]);
		if (strncmp(name, prefixes[i], length) == 0 &&
		    isupper((unsigned char)name[length]) &&
		    islower((unsigned char)name[length + 1]) && strlen(name) >= length + 5)
			return true;
	}
	return false;
}

static void add_name(void *context, uint32_t rva, const char *name)
{
	struct names *names = context;
	bool known = find_anywhere(name) || wanted_find(name);
	(void)rva;
	if ((!known && !(names->looks_up && looks_like_export(name))) ||
	    imports_name(names->imports, name))
		return;
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->at[i], name) == 0)
			return;
	}
	if (names->count == names->room) {
		size_t room = names->room ? 2 * names->room : 16;
		void *larger = reallocarray(names->at, room, sizeof(*names->at));
		if (!larger)
			return;
		names->at = larger;
		names->room = room;
	}
	strcpy(names->at[names->count++], name);
}

static bool takes_names(const struct imports *imports)
{
	return imports_name(imports, "MmGetSystemRoutineAddress") ||
	       imports_name(imports, "RtlFindExportedRoutineByName") ||
	       imports_name(imports, "FltGetRoutineAddress");
}

static void show_names(const struct imports *imports, const struct driver *driver)
{
	struct names names = {.imports = imports, .looks_up = takes_names(imports)};
	pe_visit_names(&driver->pe, driver->image, add_name, &names);
	if (names.count)
		puts("\n  NAMES IN ITS TEXT, WHICH IT MAY LOOK UP");
	for (size_t i = 0; i < names.count; i++) {
		const struct export_row *row = find_anywhere(names.at[i]);
		printf("    %-40s ", names.at[i]);
		if (row)
			show_row(row);
		else
			puts("NOT HERE");
	}
	free(names.at);
}

/* ---- All of it -------------------------------------------------------------------------- */

void inspect_imports(const struct driver *driver)
{
	struct imports imports = {0};
	struct pe_error ignored = {0};
	pe_visit_imports(&driver->pe, driver->image, add_import, &imports, &ignored);
	find_uses(&imports, driver);
	name_uses(&imports, driver);
	for (size_t i = 0; i < imports.count; i++)
		show_import(&imports, i, driver->file.path);
	show_names(&imports, driver);
	show_total(&imports);
	host_free(imports.uses.at);
	free(imports.place);
	free(imports.at);
}
