/* SPDX-License-Identifier: MIT */
/* Bitmaps. */
#include "rtl/bitmap.h"
#include "support/record.h"

static ULONG words[3];
static RTL_BITMAP map;

static int begin(void **state)
{
	(void)state;
	words[0] = words[1] = words[2] = 0xAAAAAAAA;
	RtlInitializeBitMap(&map, words, 70);
	RtlClearAllBits(&map);
	return 0;
}

static void wdk_bits_are_set_cleared_and_counted(void **state)
{
	(void)state;
	RtlSetBits(&map, 30, 5);
	RtlSetBit(&map, 69);
	assert_int_equal(words[0], 0xC0000000);
	assert_int_equal(words[1], 7);
	assert_int_equal(words[2], 0x20);
	assert_true(RtlTestBit(&map, 34) && !RtlTestBit(&map, 35));
	assert_int_equal(RtlNumberOfSetBits(&map), 6);
	assert_int_equal(RtlNumberOfClearBits(&map), 64);
	RtlClearBit(&map, 32);
	assert_true(RtlAreBitsSet(&map, 30, 2) && !RtlAreBitsSet(&map, 30, 3));
	assert_true(RtlAreBitsClear(&map, 0, 30) && !RtlAreBitsClear(&map, 0, 31));
	assert_false(RtlAreBitsClear(&map, 0, 0));
	RtlClearBits(&map, 0, 70);
	assert_int_equal(RtlNumberOfSetBits(&map), 0);
	RtlSetAllBits(&map);
	assert_int_equal(RtlNumberOfSetBits(&map), 70);
}

static void wdk_runs_are_found_from_the_hint_and_then_from_the_start(void **state)
{
	(void)state;
	RtlSetBits(&map, 8, 20);
	assert_int_equal(RtlFindClearBits(&map, 8, 0), 0);
	assert_int_equal(RtlFindClearBits(&map, 9, 0), 28);
	assert_int_equal(RtlFindClearBits(&map, 4, 10), 28);
	assert_int_equal(RtlFindClearBits(&map, 5, 66), 0); /* four are left there */
	assert_int_equal(RtlFindClearBits(&map, 43, 0), 0xFFFFFFFF);
	assert_int_equal(RtlFindSetBits(&map, 20, 0), 8);
	assert_int_equal(RtlFindSetBits(&map, 21, 0), 0xFFFFFFFF);
	assert_int_equal(RtlFindClearBitsAndSet(&map, 8, 0), 0);
	assert_int_equal(RtlFindSetBits(&map, 28, 50), 0);
	assert_int_equal(RtlFindSetBitsAndClear(&map, 28, 0), 0);
	assert_int_equal(RtlNumberOfSetBits(&map), 0);
	assert_int_equal(RtlFindClearBits(&map, 71, 0), 0xFFFFFFFF);
	assert_int_equal(RtlFindClearBits(&map, 70, 1000), 0);
	ULONG start;
	RtlSetBits(&map, 0, 3);
	RtlSetBits(&map, 10, 60);
	assert_int_equal(RtlFindNextForwardRunClear(&map, 0, &start), 7);
	assert_int_equal(start, 3);
	assert_int_equal(RtlFindNextForwardRunClear(&map, 10, &start), 0);
}

static void wdk_bits_beyond_the_end_break_a_rule(void **state)
{
	(void)state;
	begin(state);
	record_listen_for_rules();
	RtlSetBits(&map, 60, 11);
	assert_false(RtlTestBit(&map, 70));
	assert_rules_broken("wdk wdk");
	assert_int_equal(RtlNumberOfSetBits(&map), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(wdk_bits_are_set_cleared_and_counted, begin),
		cmocka_unit_test_setup(wdk_runs_are_found_from_the_hint_and_then_from_the_start,
				       begin),
		WORLD_TEST(wdk_bits_beyond_the_end_break_a_rule),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
