/* SPDX-License-Identifier: MIT */
/*
 * A driver is bound when it is loaded, so the images that it imports from must be there
 * before it. NT loads them for it; here they are named on the command line, in any
 * order.
 *
 * What a file imports from is read from the file itself, once for each. Drivers that
 * import from each other in a circle are loaded as they are given.
 */
#include "cli/run_order.h"
#include "ldr/file.h"
#include "ldr/image.h"
#include "memory.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct order {
	char **paths;
	size_t count;
	bool *needs; /* count * count: whether row's file imports from column's */
	size_t row;
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static bool note_import(void *context, const struct pe_import *import)
{
	struct order *order = context;
	for (size_t i = 0; i < order->count; i++) {
		if (i != order->row && !strcasecmp(base_name(order->paths[i]), import->dll))
			order->needs[order->row * order->count + i] = true;
	}
	return true;
}

static void read_imports(struct order *order, size_t row)
{
	struct ldr_file file = {.path = order->paths[row]};
	struct ldr_error error;
	struct pe_error why = {0};
	struct pe pe;
	void *image;
	order->row = row;
	if (!ldr_read_file(&file, &error))
		return;
	if (ldr_map_image(file.bytes, file.size, &pe, &image, &why)) {
		pe_visit_imports(&pe, image, note_import, order, &why);
		host_unmap(image, pe.image_size);
	}
	host_free(file.bytes);
}

/* The first that needs none of those that are left; in a circle the first of all. */
static size_t next(const struct order *order, const bool *placed)
{
	size_t first = order->count;
	for (size_t i = 0; i < order->count; i++) {
		bool waits = false;
		if (placed[i])
			continue;
		if (first == order->count)
			first = i;
		for (size_t j = 0; j < order->count; j++)
			waits |= !placed[j] && order->needs[i * order->count + j];
		if (!waits)
			return i;
	}
	return first;
}

void run_order_drivers(char *paths[], size_t count)
{
	struct order order = {.paths = paths, .count = count};
	bool *placed = calloc(count + 1, sizeof(*placed));
	char **sorted = calloc(count + 1, sizeof(*sorted));
	order.needs = calloc(count * count + 1, sizeof(*order.needs));
	if (count > 1 && placed && sorted && order.needs) {
		for (size_t i = 0; i < count; i++)
			read_imports(&order, i);
		for (size_t i = 0; i < count; i++) {
			size_t chosen = next(&order, placed);
			placed[chosen] = true;
			sorted[i] = paths[chosen];
		}
		memcpy(paths, sorted, count * sizeof(*paths));
	}
	free(order.needs);
	free(sorted);
	free(placed);
}
