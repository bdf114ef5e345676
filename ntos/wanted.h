/* SPDX-License-Identifier: MIT */
/* What real drivers import or look up, made from the rows of wanted.def, which explains
 * them. */
#ifndef RINGSIDE_WANTED_H
#define RINGSIDE_WANTED_H

#include <stdbool.h>
#include <stddef.h>

/* How many drivers were counted. */
#define WANTED_DRIVERS 72u

struct wanted_row {
	const char *dll, *name;
	unsigned drivers; /* that use it */
	unsigned notify;  /* of these, with notify or object callbacks */
};

/* All rows, the most used first. */
extern const struct wanted_row wanted_table[];
extern const size_t wanted_count;

/* The row of `name`, whatever its dll, or NULL. */
const struct wanted_row *wanted_find(const char *name);

/* Whether a driver gets it here: kernel images pass each other's names on, so one of
 * the same name in any of them counts. */
bool wanted_is_here(const struct wanted_row *row);

#endif
