/* SPDX-License-Identifier: MIT */
/*
 * ringside inspect: what a driver file contains. What it needs of the kernel is in
 * inspect_imports.c.
 *
 * The file is read and checked as for loading, and nothing in it is called: the
 * answer about imports comes from the export table, not from binding.
 */
#include "cli/inspect.h"
#include "cli/cli.h"
#include "ldr/image.h"
#include "ldr/symbols.h"
#include "memory.h"
#include "sink/line.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char help[] =
	"usage: ringside inspect FILE.sys\n"
	"\n"
	"Shows the headers, sections, flags, symbols, exports and imports of a Windows\n"
	"x64 driver, which of the imports exist here, and where the code uses those that\n"
	"do not; and of the names that it contains as text, and so may look up while it\n"
	"runs, which exist here. Runs nothing of the driver. A missing import does no\n"
	"harm until the driver calls it.\n"
	"\n"
	"exit status: 0, or 125 if the file cannot be read or is damaged\n";

void inspect_quote(const char *text)
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
		inspect_quote(section->name);
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

static void show_pdb(const struct ldr_symbols *symbols)
{
	static const char *const verdict[] = {
		[LDR_PDB_ABSENT] = ", which does not lie beside it",
		[LDR_PDB_DAMAGED] = " beside it is damaged or no PDB: not used",
		[LDR_PDB_FOREIGN] = " beside it is of another build: not used",
		[LDR_PDB_MATCHES] = " beside it",
	};
	if (symbols->pdb == LDR_PDB_NONE)
		return;
	printf("%s%s%s", symbols->table || symbols->dwarf ? "; " : "",
	       symbols->pdb == LDR_PDB_ABSENT ? "its PDB is " : "", symbols->pdb_name);
	fputs(verdict[symbols->pdb], stdout);
}

static void show_symbols(const struct driver *driver)
{
	struct ldr_symbols symbols;
	printf("  symbols          ");
	if (!ldr_look_for_symbols(driver->file.path, &driver->pe, &symbols)) {
		puts("unknown: the file has changed");
		return;
	}
	if (!symbols.table && !symbols.dwarf && symbols.pdb == LDR_PDB_NONE)
		printf("none");
	printf("%s%s%s", symbols.table ? "COFF table" : "",
	       symbols.table && symbols.dwarf ? ", " : "", symbols.dwarf ? "DWARF lines" : "");
	show_pdb(&symbols);
	putchar('\n');
}

static void show_headers(const struct driver *driver)
{
	const struct pe *pe = &driver->pe;
	inspect_quote(driver->file.path);
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
	show_symbols(driver);
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
		inspect_quote(pe_text(&driver->pe, driver->image, name));
		putchar('\n');
	}
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
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
		return cli_print(help);
	if (argc != 2 || argv[1][0] == '-') {
		cli_complain("inspect takes one file; see ringside inspect --help");
		return CLI_FAILED;
	}
	if (!open_driver(argv[1], &driver))
		return CLI_FAILED;
	show_headers(&driver);
	show_sections(&driver.pe);
	show_exports(&driver);
	inspect_imports(&driver);
	close_driver(&driver);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return CLI_OK;
	cli_complain("standard output: %s", strerror(errno));
	return CLI_FAILED;
}
