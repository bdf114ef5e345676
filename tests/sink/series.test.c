/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "sink/series.h"

static void an_empty_series_has_median_zero(void **state)
{
	struct sink_series series = {0};
	(void)state;
	assert_int_equal(sink_series_median(&series), 0);
	sink_series_free(&series);
}

static void few_values_have_their_exact_median(void **state)
{
	static const uint64_t values[] = {900, 3, 77, 12, 5000000};
	struct sink_series series = {0};
	(void)state;
	for (unsigned i = 0; i < 5; i++)
		sink_series_add(&series, values[i]);
	assert_int_equal(sink_series_median(&series), 77);
	assert_int_equal(series.longest, 5000000);
	assert_int_equal(series.count, 5);
	sink_series_add(&series, 1);
	assert_int_equal(sink_series_median(&series), 12);
	assert_true(sink_series_is_exact(&series));
	sink_series_free(&series);
}

static void asking_for_the_median_loses_nothing(void **state)
{
	struct sink_series series = {0};
	(void)state;
	for (uint64_t value = 1000; value > 0; value--) {
		sink_series_add(&series, value);
		sink_series_median(&series);
	}
	assert_int_equal(sink_series_median(&series), 500);
	sink_series_free(&series);
}

/* A full period of a multiplicative congruence visits 1..m-1 in scattered order. */
static void many_values_have_a_median_right_to_3_percent(void **state)
{
	const uint64_t m = 2000003;
	struct sink_series series = {0};
	uint64_t value = 1;
	(void)state;
	for (uint64_t i = 1; i < m; i++) {
		value = value * 5 % m;
		sink_series_add(&series, 1000 + value);
	}
	double median = (double)sink_series_median(&series), right = 1000 + (double)m / 2;
	assert_false(sink_series_is_exact(&series));
	assert_true(median > right * 0.97 && median < right * 1.03);
	assert_int_equal(series.count, m - 1);
	assert_int_equal(series.longest, 1000 + m - 1);
	sink_series_free(&series);
}

static void the_value_that_folds_the_series_is_counted_once(void **state)
{
	struct sink_series series = {0};
	uint64_t total = 0;
	(void)state;
	for (uint64_t i = 0; i < SINK_EXACT; i++)
		sink_series_add(&series, i % 60);
	assert_true(sink_series_is_exact(&series));
	sink_series_add(&series, 7);
	assert_false(sink_series_is_exact(&series));
	for (unsigned bucket = 0; bucket < 64; bucket++)
		total += series.bucket[bucket];
	assert_int_equal(total, SINK_EXACT + 1);
	sink_series_free(&series);
}

static void durations_past_four_seconds_stay_in_range(void **state)
{
	struct sink_series series = {0};
	(void)state;
	for (uint64_t i = 0; i <= SINK_EXACT; i++)
		sink_series_add(&series, UINT64_MAX - i);
	assert_true(sink_series_median(&series) > 4000000000u);
	assert_true(series.longest == UINT64_MAX);
	sink_series_free(&series);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_series_has_median_zero),
		cmocka_unit_test(few_values_have_their_exact_median),
		cmocka_unit_test(asking_for_the_median_loses_nothing),
		cmocka_unit_test(many_values_have_a_median_right_to_3_percent),
		cmocka_unit_test(the_value_that_folds_the_series_is_counted_once),
		cmocka_unit_test(durations_past_four_seconds_stay_in_range),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
