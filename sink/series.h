/* SPDX-License-Identifier: MIT */
/*
 * A series of durations in bounded memory: how many, the median, the longest.
 *
 * Up to SINK_EXACT values are kept as they are and the median is exact. Then the
 * series folds into buckets whose width is 1/32 of their value, and the median is
 * right to about 3 %.
 */
#ifndef RINGSIDE_SINK_SERIES_H
#define RINGSIDE_SINK_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SINK_EXACT 131072 /* 512 KiB */

struct sink_series {
	uint64_t count, longest;
	uint32_t *value; /* ns, at most UINT32_MAX; NULL once folded */
	size_t kept, capacity;
	uint32_t *bucket; /* NULL until folded */
};

/* A series starts zeroed. Without memory the count and the longest stay right
 * and the median is of what could be kept. */
void sink_series_add(struct sink_series *series, uint64_t nanoseconds);

/* 0 for an empty series. Of an even number, the lower of the two in the middle. */
uint64_t sink_series_median(struct sink_series *series);

static inline bool sink_series_is_exact(const struct sink_series *series)
{
	return series->bucket == NULL;
}

void sink_series_free(struct sink_series *series);

#endif
