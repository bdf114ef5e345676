/* SPDX-License-Identifier: MIT */
/*
 * Measuring on noisy machines: alternatives are run in turn, many short rounds each,
 * and what is reported is the median over the rounds of the ratio within a round.
 * Absolute figures are medians too, and worth less.
 */
#ifndef RINGSIDE_BENCH_MEASURE_H
#define RINGSIDE_BENCH_MEASURE_H

#include "clock.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define BENCH_MAX_ROUNDS 401

struct bench_series {
	unsigned count;
	double value[BENCH_MAX_ROUNDS];
};

static inline void bench_note(struct bench_series *series, double value)
{
	if (series->count < BENCH_MAX_ROUNDS)
		series->value[series->count++] = value;
}

static inline int bench_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static inline double bench_median(struct bench_series *series)
{
	qsort(series->value, series->count, sizeof series->value[0], bench_compare);
	return series->count ? series->value[series->count / 2] : 0;
}

/* Nanoseconds that `iterations` calls of run(argument) take, per iteration. */
static inline double bench_time(void (*run)(void *argument, uint64_t iterations), void *argument,
				uint64_t iterations)
{
	uint64_t began = host_clock();
	run(argument, iterations);
	return (double)(host_clock() - began) / (double)iterations;
}

/* A line of the report; with a bound, whether it was kept. Returns 1 if it was not. */
static inline int bench_ratio(const char *what, double ratio, const char *relation, double bound)
{
	int kept = relation[0] == '<' ? ratio <= bound : ratio >= bound;
	printf("  %-62s %6.2f x   (%s %.2f: %s)\n", what, ratio, relation, bound,
	       kept ? "yes" : "NO");
	return !kept;
}

#endif
