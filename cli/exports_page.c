/* SPDX-License-Identifier: MIT */
/*
 * docs/exports.md: the same list for whoever reads the repository. tools/test holds the
 * page to what this prints, so nothing in it depends on the machine or the day.
 */
#include "cli/exports_list.h"
#include <stdio.h>
#include <string.h>

static void print_head(const struct exports_list *list)
{
	size_t here = wanted_count - list->lacking_count;
	printf("# Exports\n\n"
	       "What a driver can import from Ringside, and what drivers use that is not there. "
	       "Made by `ringside exports --markdown` from `ntos/exports.def` and "
	       "`ntos/wanted.def`: do not edit.\n\n"
	       "* **Implemented**: does what its reference says: a clause of the "
	       "[contract](contract.md); `wdk` or `crt`, its page in the documentation of "
	       "drivers or of C; `phnt`, those headers where there is no page.\n"
	       "* **Partial**: does less: the first table says how much, or what is missing.\n"
	       "* **Not implemented**: a driver that imports the name is loaded all the same; "
	       "calling it ends in a bug check that names it, or with `--missing=status` returns "
	       "a status. Nothing here returns success without doing its work.\n\n"
	       "| functions | of these partial | variables | not implemented |\n"
	       "|---|---|---|---|\n"
	       "| %zu | %zu | %zu | %zu |\n\n"
	       "Of the %zu names that %u public drivers use, %zu are here.\n",
	       export_count - list->data, list->partial, list->data, list->lacking_count,
	       wanted_count, WANTED_DRIVERS, here);
}

/* A bar ends a cell. */
static void print_cell(const char *text)
{
	for (; *text; text++)
		printf(*text == '|' ? "\\|" : "%c", *text);
}

static void print_partial(const struct exports_list *list)
{
	puts("\n## Partial\n\n| name | how far it goes |\n|---|---|");
	for (size_t i = 0; i < export_count; i++) {
		const struct export_row *row = list->row[i];
		if (row->status != EXPORT_PARTIAL)
			continue;
		printf("| `%s` | ", row->name);
		print_cell(row->missing);
		puts(" |");
	}
}

static void print_here(const struct exports_list *list)
{
	for (size_t i = 0; i < export_count; i++) {
		const struct export_row *row = list->row[i];
		if (i == 0 || row->dll != list->row[i - 1]->dll)
			printf("\n## %s\n\n| name | status | arguments | up to | reference |\n"
			       "|---|---|---|---|---|\n",
			       export_dll_name(row->dll));
		printf("| `%s` | %s | %s | %s | %s |\n", row->name,
		       row->is_data ? "data" : exports_status(row), exports_arguments(row),
		       row->is_data ? "-" : export_irql_name(row->irql), row->reference);
	}
}

static void print_lacking(const struct exports_list *list)
{
	printf("\n## Not implemented\n\n"
	       "*Drivers* says how many of the %u use the name; *with callbacks*, how many of "
	       "those register process, thread, image or object callbacks.\n\n"
	       "| name | in | drivers | with callbacks |\n|---|---|---|---|\n",
	       WANTED_DRIVERS);
	for (size_t i = 0; i < list->lacking_count; i++) {
		const struct wanted_row *row = list->lacking[i];
		printf("| `%s` | %s | %u | %u |\n", row->name, row->dll, row->drivers, row->notify);
	}
}

bool exports_print_page(const struct exports_list *list)
{
	print_head(list);
	print_partial(list);
	print_lacking(list);
	print_here(list);
	return true;
}
