/* SPDX-License-Identifier: MIT */
/* The table of what drivers use: constant, so nothing protects it. */
#include "wanted.h"
#include "exports.h"
#include <string.h>

#define WANTED(dll, name, drivers, notify) {dll, #name, drivers, notify},

const struct wanted_row wanted_table[] = {
#include "wanted.def"
};

const size_t wanted_count = sizeof(wanted_table) / sizeof(*wanted_table);

const struct wanted_row *wanted_find(const char *name)
{
	for (size_t i = 0; i < wanted_count; i++) {
		if (strcmp(wanted_table[i].name, name) == 0)
			return &wanted_table[i];
	}
	return NULL;
}

bool wanted_is_here(const struct wanted_row *row)
{
	for (int dll = 0; dll < EXPORT_DLLS; dll++) {
		if (export_find((enum export_dll)dll, row->name))
			return true;
	}
	return false;
}
