/* SPDX-License-Identifier: MIT */
/* What is here and what is not, in the three forms that `ringside exports` has. */
#ifndef RINGSIDE_CLI_EXPORTS_LIST_H
#define RINGSIDE_CLI_EXPORTS_LIST_H

#include "exports.h"
#include "wanted.h"
#include <stdbool.h>

/* Sorted for a reader. */
struct exports_list {
	const struct export_row **row;     /* by image and name; export_count of them */
	const struct wanted_row **lacking; /* not here, the most used first */
	size_t lacking_count, partial, data;
};

/* "implemented" or "partial". */
const char *exports_status(const struct export_row *row);

/* "3", "any" or "-". Valid until the next call. */
const char *exports_arguments(const struct export_row *row);

/* docs/exports.md on standard output. */
bool exports_print_page(const struct exports_list *list);

#endif
