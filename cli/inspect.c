/* SPDX-License-Identifier: MIT */
/*
 * ringside inspect: what a driver file contains, and what it needs that is not here.
 *
 * The file is read and checked as for loading, and nothing in it is called: the
 * answer about imports comes from the export table, not from binding.
 */
#include "cli/cli.h"
#include "exports.h"
#include "ldr/file.h"
#include "ldr/image.h"
#include "memory.h"
#include "sink/line.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char help[] =
	"usage: ringside inspect FILE.sys\n"
	"\n"
	"Shows the headers, sections, flags, exports and imports of a Windows x64\n"
	"driver, and which of the imports exist here. Runs nothing. A missing import\n"
	"does no harm until the driver calls it.\n"
	"\n"
	"exit status: 0, or 125 if the file cannot be read or is damaged\n";

/* A driver laid out in memory. */
struct driver {
	struct ldr_file file;
	struct pe pe;
	void *image;
};

/* Text from the file, with what a terminal would act on made visible. */
static void quote(const char *text)
{
	char buffer[512] = "";
	struct sink_line line = {.text = buffer, .size = sizeof(buffer)};
	sink_quote(&line, text);
	fwrite(buffer, 1, line.length, stdout);
}

/* ---- Headers ----------------------------------------------------------------------------- */

static void show_time_stamp(const struct pe *pe)
{
	time_t stamp = pe->time_stamp;
	struct tm tm;
	char text[64];
	gmtime_r(&stamp, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm);
	/* Linkers that build reproducibly put a hash there. */
	printf("  time stamp       0x%08x, as a date %s\n", pe->time_stamp, text);
}

static void show_entry_point(const struct pe *pe)
{
	const struct pe_section *section = pe_section_of(pe, pe->entry_point);
	if (!pe->entry_point) {
		puts("  entry point      none: it can be loaded but not started");
		return;
	}
	printf("  entry point      RVA 0x%x in ", pe->entry_point);
	if (section)
		quote(section->name);
	else
		printf("no section");
	putchar('\n');
}

static void show_subsystem(const struct pe *pe)
{
	printf("  subsystem        ");
	if (pe->subsystem == PE_SUBSYSTEM_NATIVE)
		printf("native (1)");
	else
		printf("%u, where drivers have native (1)", pe->subsystem);
	printf(" %u.%u\n", pe->subsystem_major, pe->subsystem_minor);
}

static void show_flags(const struct pe *pe)
{
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = {
		{PE_DLL_FORCE_INTEGRITY, "FORCE_INTEGRITY"},
		{PE_DLL_DYNAMIC_BASE, "DYNAMIC_BASE"},
		{PE_DLL_NX_COMPAT, "NX_COMPAT"},
		{PE_DLL_HIGH_ENTROPY_VA, "HIGH_ENTROPY_VA"},
		{PE_DLL_GUARD_CF, "GUARD_CF"},
	};
	printf("  flags            0x%04x", pe->dll_characteristics);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (pe->dll_characteristics & names[i].flag)
			printf(" %s", names[i].name);
	}
	putchar('\n');
	puts(pe->dll_characteristics & PE_DLL_FORCE_INTEGRITY
		     ? "  integrity        forced: the process notify calls Ex and Ex2 and\n"
		       "                   ObRegisterCallbacks accept its routines"
		     : "  integrity        not forced: the process notify calls Ex and Ex2 and\n"
		       "                   ObRegisterCallbacks will answer ACCESS_DENIED");
}

static void count_relocation(void *context, uint32_t rva, enum pe_relocation_type type)
{
	(void)rva;
	(void)type;
	++*(unsigned *)context;
}

static void show_tables(const struct driver *driver)
{
	const struct pe *pe = &driver->pe;
	struct pe_directory exceptions = pe->directory[PE_EXCEPTIONS];
	struct pe_error ignored = {0};
	unsigned relocations = 0;
	pe_visit_relocations(pe, driver->image, count_relocation, &relocations, &ignored);
	printf("  relocations      %u\n", relocations);
	if (exceptions.rva)
		printf("  unwind data      for %zu functions\n",
		       exceptions.size / sizeof(struct pe_runtime_function));
	else
		puts("  unwind data      none: no exception handling, and stacks are guesses");
}

/* From the file: the image already has one that is random. */
static void show_cookie(const struct driver *driver)
{
	struct pe_directory config = driver->pe.directory[PE_LOAD_CONFIG];
	uint32_t size = 0;
	uint64_t cookie = 0;
	if (config.rva)
		memcpy(&size, (char *)driver->image + config.rva, sizeof(size));
	if (size >= PE_LOAD_CONFIG_COOKIE + sizeof(cookie))
		memcpy(&cookie, (char *)driver->image + config.rva + PE_LOAD_CONFIG_COOKIE,
		       sizeof(cookie));
	if (cookie)
		printf("  security cookie  at RVA 0x%llx\n",
		       (unsigned long long)(cookie - (uintptr_t)driver->image));
	else
		puts("  security cookie  none");
}

static void show_headers(const struct driver *driver)
{
	const struct pe *pe = &driver->pe;
	quote(driver->file.path);
	printf(": Windows %s for x64 (PE32+), %zu bytes\n\n",
	       pe->subsystem == PE_SUBSYSTEM_NATIVE ? "driver" : "program", driver->file.size);
	show_time_stamp(pe);
	printf("  image base       0x%llx, 0x%x bytes in memory\n",
	       (unsigned long long)pe->image_base, pe->image_size);
	show_entry_point(pe);
	show_subsystem(pe);
	show_flags(pe);
	show_tables(driver);
	show_cookie(driver);
}

static void show_sections(const struct pe *pe)
{
	puts("\n  SECTION        RVA   IN MEMORY     IN FILE  PROTECTION");
	for (unsigned i = 0; i < pe->section_count; i++) {
		const struct pe_section *s = &pe->section[i];
		char name[40] = "";
		struct sink_line line = {.text = name, .size = sizeof(name) - 1};
		sink_quote(&line, s->name);
		name[line.length] = 0;
		printf("  %-8s  0x%06x  0x%08x  0x%08x  r%c%c%s\n", name, s->rva, s->virtual_size,
		       s->file_size, s->characteristics & PE_SECTION_WRITE ? 'w' : '-',
		       s->characteristics & PE_SECTION_EXECUTE ? 'x' : '-',
		       s->characteristics & PE_SECTION_DISCARDABLE ? "  discardable" : "");
	}
}

static void show_exports(const struct driver *driver)
{
	struct pe_exports e;
	struct pe_error ignored = {0};
	pe_find_exports(&driver->pe, driver->image, &e, &ignored);
	if (!e.function_count)
		return;
	printf("\n  EXPORTS (%u, of which %u have names)\n", e.function_count, e.name_count);
	for (uint32_t i = 0; i < e.name_count; i++) {
		uint32_t name;
		memcpy(&name, (char *)driver->image + e.names + i * 4ull, sizeof(name));
		printf("    ");
		quote(pe_text(&driver->pe, driver->image, name));
		putchar('\n');
	}
}

/* ---- Imports ----------------------------------------------------------------------------- */

struct imports {
	const char *dll; /* the one being shown */
	unsigned count, missing;
	char *missing_names; /* ", ntoskrnl.exe!Foo" and so on; NULL: none */
};

static void add_missing(struct imports *imports, const char *dll, const char *name)
{
	char *all = imports->missing_names, *longer;
	imports->missing++;
	if (asprintf(&longer, "%s, %s!%s", all ? all : "", dll, name) < 0)
		return; /* the list above names it all the same */
	free(all);
	imports->missing_names = longer;
}

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

static bool show_import(void *context, const struct pe_import *import)
{
	struct imports *imports = context;
	enum export_dll dll = export_find_dll(import->dll);
	const struct export_row *row = NULL;
	char ordinal[16];
	const char *name = import->name;
	if (!name) {
		snprintf(ordinal, sizeof(ordinal), "#%u", import->ordinal);
		name = ordinal;
	} else if (dll != EXPORT_DLLS) {
		row = export_find(dll, name);
	}
	if (!imports->dll || strcasecmp(imports->dll, import->dll) != 0) {
		printf("\n  IMPORTS OF ");
		quote(import->dll);
		puts(dll == EXPORT_DLLS ? ", which is unknown here" : "");
		imports->dll = import->dll;
	}
	imports->count++;
	printf("    ");
	quote(name);
	printf("%*s ", strlen(name) < 40 ? (int)(40 - strlen(name)) : 0, "");
	if (row) {
		show_row(row);
	} else {
		puts("MISSING");
		add_missing(imports, import->dll, name);
	}
	return true;
}

static void show_imports(const struct driver *driver)
{
	struct imports imports = {0};
	struct pe_error ignored = {0};
	pe_visit_imports(&driver->pe, driver->image, show_import, &imports, &ignored);
	printf("\n%u import%s, %u missing", imports.count, imports.count == 1 ? "" : "s",
	       imports.missing);
	if (imports.missing_names) {
		printf(": ");
		quote(imports.missing_names + 2);
		free(imports.missing_names);
	}
	putchar('\n');
}

/* ---- The verb ---------------------------------------------------------------------------- */

static bool open_driver(const char *path, struct driver *driver)
{
	struct ldr_error error;
	struct pe_error why = {0};
	driver->file.path = path;
	if (!ldr_read_file(&driver->file, &error)) {
		cli_complain("%s", error.text);
		return false;
	}
	if (!ldr_map_image(driver->file.bytes, driver->file.size, &driver->pe, &driver->image,
			   &why)) {
		ldr_fail_at(&error, path, &why);
		cli_complain("%s", error.text);
		host_free(driver->file.bytes);
		return false;
	}
	return true;
}

static void close_driver(struct driver *driver)
{
	host_unmap(driver->image, driver->pe.image_size);
	host_free(driver->file.bytes);
}

int cli_inspect(int argc, char *argv[])
{
	struct driver driver = {0};
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		return CLI_OK;
	}
	if (argc != 2 || argv[1][0] == '-') {
		cli_complain("inspect takes one file; see ringside inspect --help");
		return CLI_FAILED;
	}
	if (!open_driver(argv[1], &driver))
		return CLI_FAILED;
	show_headers(&driver);
	show_sections(&driver.pe);
	show_exports(&driver);
	show_imports(&driver);
	close_driver(&driver);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return CLI_OK;
	cli_complain("standard output: %s", strerror(errno));
	return CLI_FAILED;
}
