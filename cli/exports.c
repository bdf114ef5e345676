/* SPDX-License-Identifier: MIT */
/* ringside exports: what a driver can call, from the one table that says it. */
#include "exports.h"
#include "cli/cli.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"usage: ringside exports [--json]\n"
	"\n"
	"Lists what a driver can import here: name, status, number of arguments, the\n"
	"highest IRQL at which it may be called, and what it follows (a clause of\n"
	"docs/contract.md, or \"wdk\" or \"crt\" for its page in the documentation of\n"
	"drivers or of C).\n"
	"\n"
	"options:\n"
	"  --json  one JSON object a line\n"
	"  -h, --help\n";

static int by_dll_and_name(const void *a, const void *b)
{
	const struct export_row *const *x = a, *const *y = b;
	if ((*x)->dll != (*y)->dll)
		return (*x)->dll < (*y)->dll ? -1 : 1;
	return strcmp((*x)->name, (*y)->name);
}

static const struct export_row **sorted_rows(void)
{
	const struct export_row **rows = malloc(export_count * sizeof(*rows));
	if (!rows)
		return NULL;
	for (size_t i = 0; i < export_count; i++)
		rows[i] = &export_table[i];
	qsort(rows, export_count, sizeof(*rows), by_dll_and_name);
	return rows;
}

static const char *status_of(const struct export_row *row)
{
	return row->status == EXPORT_PARTIAL ? "partial" : "implemented";
}

/* ---- Text ----------------------------------------------------------------------------------- */

static void print_row(const struct export_row *row)
{
	char arguments[16] = "-";
	if (row->arguments < 0)
		strcpy(arguments, "any");
	else if (!row->is_data)
		snprintf(arguments, sizeof(arguments), "%d", row->arguments);
	printf("  %-44s %-12s %-9s %-15s %s", row->name, row->is_data ? "data" : status_of(row),
	       arguments, row->is_data ? "-" : export_irql_name(row->irql), row->reference);
	if (row->missing)
		printf(" (%s)", row->missing);
	putchar('\n');
}

static bool print_text(const struct export_row *const *rows)
{
	size_t data = 0, partial = 0;
	for (size_t i = 0; i < export_count; i++) {
		if (i == 0 || rows[i]->dll != rows[i - 1]->dll)
			printf("%s%-46s %-12s %-9s %-15s %s\n", i ? "\n" : "",
			       export_dll_name(rows[i]->dll), "STATUS", "ARGUMENTS", "UP TO",
			       "REFERENCE");
		print_row(rows[i]);
		data += rows[i]->is_data;
		partial += rows[i]->status == EXPORT_PARTIAL;
	}
	printf("\n%zu functions, %zu of them partial; %zu variables\n", export_count - data,
	       partial, data);
	return true;
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static bool print_object(const struct export_row *row)
{
	json_t *object = json_pack(
		"{s:s, s:s, s:s, s:s, s:o, s:b, s:o, s:s, s:s*}", "dll", export_dll_name(row->dll),
		"name", row->name, "kind", row->is_data ? "data" : "function", "status",
		status_of(row), "arguments",
		row->is_data || row->arguments < 0 ? json_null() : json_integer(row->arguments),
		"variadic", row->arguments < 0, "irql",
		row->is_data ? json_null() : json_string(export_irql_name(row->irql)), "reference",
		row->reference, "missing", row->missing);
	bool printed = object && json_dumpf(object, stdout, JSON_COMPACT) == 0;
	putchar('\n');
	json_decref(object);
	return printed;
}

static bool print_json(const struct export_row *const *rows)
{
	bool printed = true;
	for (size_t i = 0; i < export_count && printed; i++)
		printed = print_object(rows[i]);
	return printed;
}

/* ---- The verb ------------------------------------------------------------------------------- */

static int print(bool json)
{
	const struct export_row **rows = sorted_rows();
	if (!rows) {
		cli_complain("out of memory");
		return CLI_FAILED;
	}
	bool printed = json ? print_json(rows) : print_text(rows);
	free(rows);
	if (printed && fflush(stdout) == 0 && !ferror(stdout))
		return CLI_OK;
	cli_complain("standard output: %s", strerror(errno));
	return CLI_FAILED;
}

int cli_exports(int argc, char *argv[])
{
	bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		return CLI_OK;
	}
	if (argc > 1 && !json) {
		cli_complain("exports takes --json or nothing; see ringside exports --help");
		return CLI_FAILED;
	}
	return print(json);
}
