/* SPDX-License-Identifier: MIT */
/* The parts of `ringside inspect`. */
#ifndef RINGSIDE_CLI_INSPECT_H
#define RINGSIDE_CLI_INSPECT_H

#include "ldr/file.h"

/* A driver laid out in memory. */
struct driver {
	struct ldr_file file;
	struct pe pe;
	void *image;
};

/* Text from the file, with what a terminal would act on made visible. */
void inspect_quote(const char *text);

/* What it imports, what of it is missing and where that is used, and what it may look up
 * by name while it runs. */
void inspect_imports(const struct driver *driver);

#endif
