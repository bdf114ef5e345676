/* SPDX-License-Identifier: MIT */
/* ringside exports: what a driver can call, from the one table that says it. */
#include "cli/exports_list.h"
#include "cli/cli.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"usage: ringside exports [--json | --markdown]\n"
	"\n"
	"Lists what a driver can import here: name, status, number of arguments, the\n"
	"highest IRQL at which it may be called, and what it follows (a clause of\n"
	"docs/contract.md, or \"wdk\" or \"crt\" for its page in the documentation of\n"
	"drivers or of C, or \"phnt\" where there is none). Then what is not here though\n"
	"drivers use it, by how many of the 72 public ones that were counted do.\n"
	"\n"
	"options:\n"
	"  --json      one JSON object a line\n"
	"  --markdown  the page docs/exports.md\n"
	"  -h, --help\n";

/* ---- The list ------------------------------------------------------------------------------- */

static int by_dll_and_name(const void *a, const void *b)
{
	const struct export_row *const *x = a, *const *y = b;
	if ((*x)->dll != (*y)->dll)
		return (*x)->dll < (*y)->dll ? -1 : 1;
	return strcmp((*x)->name, (*y)->name);
}

static bool make_list(struct exports_list *list)
{
	list->row = malloc(export_count * sizeof(*list->row));
	list->lacking = malloc(wanted_count * sizeof(*list->lacking));
	if (!list->row || !list->lacking)
		return false;
	for (size_t i = 0; i < export_count; i++) {
		list->row[i] = &export_table[i];
		list->data += export_table[i].is_data;
		list->partial += export_table[i].status == EXPORT_PARTIAL;
	}
	qsort(list->row, export_count, sizeof(*list->row), by_dll_and_name);
	for (size_t i = 0; i < wanted_count; i++) {
		if (!wanted_is_here(&wanted_table[i]))
			list->lacking[list->lacking_count++] = &wanted_table[i];
	}
	return true;
}

const char *exports_status(const struct export_row *row)
{
	return row->status == EXPORT_PARTIAL ? "partial" : "implemented";
}

const char *exports_arguments(const struct export_row *row)
{
	static char number[16];
	if (row->is_data)
		return "-";
	if (row->arguments < 0)
		return "any";
	snprintf(number, sizeof(number), "%d", row->arguments);
	return number;
}

/* ---- Text ----------------------------------------------------------------------------------- */

static void print_row(const struct export_row *row)
{
	printf("  %-44s %-12s %-9s %-15s %s", row->name,
	       row->is_data ? "data" : exports_status(row), exports_arguments(row),
	       row->is_data ? "-" : export_irql_name(row->irql), row->reference);
	if (row->missing)
		printf(" (%s)", row->missing);
	putchar('\n');
}

static bool print_text(const struct exports_list *list)
{
	const struct export_row *const *rows = list->row;
	for (size_t i = 0; i < export_count; i++) {
		if (i == 0 || rows[i]->dll != rows[i - 1]->dll)
			printf("%s%-46s %-12s %-9s %-15s %s\n", i ? "\n" : "",
			       export_dll_name(rows[i]->dll), "STATUS", "ARGUMENTS", "UP TO",
			       "REFERENCE");
		print_row(rows[i]);
	}
	printf("\n%-46s USED BY\n", "not implemented");
	for (size_t i = 0; i < list->lacking_count; i++)
		printf("  %-44s %2u of %u drivers, in %s\n", list->lacking[i]->name,
		       list->lacking[i]->drivers, WANTED_DRIVERS, list->lacking[i]->dll);
	printf("\n%zu functions, %zu of them partial; %zu variables; "
	       "%zu names that drivers use are not implemented\n",
	       export_count - list->data, list->partial, list->data, list->lacking_count);
	return true;
}

/* ---- JSON ----------------------------------------------------------------------------------- */

/* Takes the reference. */
static bool print_object(json_t *object)
{
	bool printed = object && json_dumpf(object, stdout, JSON_COMPACT) == 0;
	putchar('\n');
	json_decref(object);
	return printed;
}

static json_t *row_object(const struct export_row *row)
{
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:o, s:b, s:o, s:s, s:s*}", "dll", export_dll_name(row->dll),
		"name", row->name, "kind", row->is_data ? "data" : "function", "status",
		exports_status(row), "arguments",
		row->is_data || row->arguments < 0 ? json_null() : json_integer(row->arguments),
		"variadic", row->arguments < 0, "irql",
		row->is_data ? json_null() : json_string(export_irql_name(row->irql)), "reference",
		row->reference, "missing", row->missing);
}

static json_t *lacking_object(const struct wanted_row *row)
{
	return json_pack("{s:s, s:s, s:s, s:i, s:i}", "dll", row->dll, "name", row->name, "status",
			 "not implemented", "drivers", (int)row->drivers, "drivers_with_callbacks",
			 (int)row->notify);
}

static bool print_json(const struct exports_list *list)
{
	bool printed = true;
	for (size_t i = 0; i < export_count && printed; i++)
		printed = print_object(row_object(list->row[i]));
	for (size_t i = 0; i < list->lacking_count && printed; i++)
		printed = print_object(lacking_object(list->lacking[i]));
	return printed;
}

/* ---- The verb ------------------------------------------------------------------------------- */

typedef bool printer(const struct exports_list *list);

static int print(printer *form)
{
	struct exports_list list = {0};
	bool made = make_list(&list), printed = made && form(&list);
	free(list.row);
	free(list.lacking);
	if (printed && fflush(stdout) == 0 && !ferror(stdout))
		return CLI_OK;
	if (made)
		cli_complain("standard output: %s", strerror(errno));
	else
		cli_complain("out of memory");
	return CLI_FAILED;
}

int cli_exports(int argc, char *argv[])
{
	const char *form = argc > 1 ? argv[1] : "";
	if (argc == 1)
		return print(print_text);
	if (argc == 2 && (!strcmp(form, "--help") || !strcmp(form, "-h")))
		return cli_print(help);
	if (argc == 2 && !strcmp(form, "--json"))
		return print(print_json);
	if (argc == 2 && !strcmp(form, "--markdown"))
		return print(exports_print_page);
	cli_complain("exports takes --json, --markdown or nothing; see ringside exports --help");
	return CLI_FAILED;
}
