/* SPDX-License-Identifier: MIT */
#include "sink/series.h"
#include <stdlib.h>

#define STEPS 32 /* buckets for each power of two */
#define BUCKETS (STEPS * (32 - 5 + 1))

/* Values below 2 * STEPS have a bucket each; above, the top six bits of the value
 * choose it, so that a bucket is never wider than 1/32 of its values. */
static unsigned bucket_of(uint32_t value)
{
	if (value < STEPS)
		return value;
	unsigned shift = 31 - (unsigned)__builtin_clz(value) - 5;
	return STEPS * shift + (value >> shift);
}

static uint64_t middle_of(unsigned bucket)
{
	if (bucket < 2 * STEPS)
		return bucket;
	unsigned shift = bucket / STEPS - 1;
	return ((uint64_t)(bucket % STEPS + STEPS) << shift) + (1ull << shift) / 2;
}

static void fold(struct sink_series *series)
{
	series->bucket = calloc(BUCKETS, sizeof(*series->bucket));
	if (!series->bucket)
		return;
	for (size_t i = 0; i < series->kept; i++)
		series->bucket[bucket_of(series->value[i])]++;
	free(series->value);
	series->value = NULL;
}

static bool grow(struct sink_series *series)
{
	size_t capacity = series->capacity ? 2 * series->capacity : 64;
	uint32_t *value = realloc(series->value, capacity * sizeof(*value));
	if (!value)
		return false;
	series->value = value;
	series->capacity = capacity;
	return true;
}

void sink_series_add(struct sink_series *series, uint64_t nanoseconds)
{
	uint32_t value = nanoseconds > UINT32_MAX ? UINT32_MAX : (uint32_t)nanoseconds;
	series->count++;
	if (nanoseconds > series->longest)
		series->longest = nanoseconds;
	if (series->kept == SINK_EXACT && !series->bucket)
		fold(series);
	if (series->bucket)
		series->bucket[bucket_of(value)]++;
	else if (series->kept < SINK_EXACT && (series->kept < series->capacity || grow(series)))
		series->value[series->kept++] = value;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static uint64_t median_of_buckets(const struct sink_series *series)
{
	uint64_t before = (series->count - 1) / 2;
	unsigned bucket = 0;
	while (bucket < BUCKETS - 1 && before >= series->bucket[bucket])
		before -= series->bucket[bucket++];
	uint64_t median = middle_of(bucket);
	return median < series->longest ? median : series->longest;
}

uint64_t sink_series_median(struct sink_series *series)
{
	if (series->bucket)
		return median_of_buckets(series);
	if (series->kept == 0)
		return 0;
	qsort(series->value, series->kept, sizeof(*series->value), compare);
	return series->value[(series->kept - 1) / 2];
}

void sink_series_free(struct sink_series *series)
{
	free(series->value);
	free(series->bucket);
}
