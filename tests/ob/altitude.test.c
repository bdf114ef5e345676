/* SPDX-License-Identifier: MIT */
/*
 * Altitudes: which collide and who is called first. OB-12 to OB-15, OB-19 to OB-21, OB-33,
 * OB-34, C-7, C-8.
 */
#include "support/record.h"
#include <stdio.h>

#define COLLISION ((NTSTATUS)0xC01C0011)

static void open_process(void)
{
	HANDLE handle;
	assert_ntsuccess(ObOpenObjectByPointer(PsInitialSystemProcess, OBJ_KERNEL_HANDLE, NULL,
					       PROCESS_ALL_ACCESS, PsProcessType, KernelMode,
					       &handle));
	assert_ntsuccess(ZwClose(handle));
}

static void open_thread(void)
{
	HANDLE handle;
	assert_ntsuccess(ObOpenObjectByPointer(KeGetCurrentThread(), OBJ_KERNEL_HANDLE, NULL,
					       THREAD_ALL_ACCESS, PsThreadType, KernelMode,
					       &handle));
	assert_ntsuccess(ZwClose(handle));
}

/* ---- Collisions ------------------------------------------------------------------------- */

static void ob_12_altitude_in_use_collides(void **state)
{
	(void)state;
	PVOID handle, other = NULL;
	assert_status(STATUS_FLT_INSTANCE_ALTITUDE_COLLISION, COLLISION);
	handle = watch('A', "385210", 0);
	assert_status(try_watch('B', "385210", 0, &other), COLLISION);
	assert_null(other);
	open_process();
	assert_heard("A< A>");
	ObUnRegisterCallbacks(handle);
	other = watch('B', "385210", 0); /* free again */
	open_process();
	assert_heard("B< B>");
}

static void ob_13_one_registration_takes_its_altitude_for_several_types(void **state)
{
	(void)state;
	PVOID handle = watch('A', "1000", PROCESSES | THREADS | DESKTOPS);
	open_process();
	open_thread();
	assert_heard("A< A> A< A>");
	assert_ptr_equal(heard(0)->type, PsProcessType);
	assert_ptr_equal(heard(2)->type, PsThreadType);
	ObUnRegisterCallbacks(handle);
	open_process();
	open_thread();
	assert_heard("");
}

static void ob_14_c_07_collision_is_per_object_type_inferred(void **state)
{
	(void)state;
	PVOID other;
	watch('A', "1000", PROCESSES);
	watch('B', "1000", THREADS);
	assert_status(try_watch('C', "1000", DESKTOPS | THREADS, &other), COLLISION);
	open_process();
	open_thread();
	assert_heard("A< A> B< B>");
}

static void c_07_ob_14_switch_makes_it_system_wide_inferred(void **state)
{
	(void)state;
	PVOID other;
	world_with_switch(7, true);
	PVOID handle = watch('A', "1000", PROCESSES | DESKTOPS); /* not with itself */
	assert_status(try_watch('B', "1000", THREADS, &other), COLLISION);
	assert_status(try_watch('B', "1000.0", THREADS, &other), COLLISION);
	watch('B', "1001", THREADS);
	ObUnRegisterCallbacks(handle);
	watch('C', "1000", THREADS);
	open_thread();
	assert_heard("B< C< C> B>");
}

/* */
static void ob_15_two_entries_of_one_type_collide_inferred(void **state)
{
	(void)state;
	OB_OPERATION_REGISTRATION entry[2] = {
		{&PsProcessType, OB_OPERATION_HANDLE_CREATE, record_pre, NULL},
		{&PsProcessType, OB_OPERATION_HANDLE_DUPLICATE, record_pre, NULL},
	};
	OB_CALLBACK_REGISTRATION registration = {0x0100, 2, USTR_INIT(u"1000"), NULL, entry};
	PVOID handle = NULL;
	assert_status(ObRegisterCallbacks(&registration, &handle), COLLISION);
	assert_null(handle);
	open_process();
	assert_heard("");
	watch('A', "1000", 0);
}

/* ---- What is an altitude -------------------------------------------------------------------- */

static void ob_19_c_08_altitude_may_be_any_text_or_none(void **state)
{
	(void)state;
	OB_OPERATION_REGISTRATION entry = {&PsProcessType, OB_OPERATION_HANDLE_CREATE, record_pre,
					   NULL};
	OB_CALLBACK_REGISTRATION registration = {0x0100, 1, {0, 0, NULL}, NULL, &entry};
	PVOID handle, other;
	watch('A', "XBoxLive", 0);
	watch('B', "1000 ", 0);
	watch('C', ".", 0);
	watch('D', "-1", 0);
	assert_status(try_watch('E', "XBoxLive", 0, &other), COLLISION);
	assert_ntsuccess(ObRegisterCallbacks(&registration, &handle)); /* a zeroed string */
	assert_status(ObRegisterCallbacks(&registration, &other), COLLISION);
	assert_status(try_watch('E', "", 0, &other), COLLISION);
	open_process();
	assert_int_equal(count_heard(PRE), 5);
	ObUnRegisterCallbacks(handle);
	watch('E', "", 0);
}

static void c_08_ob_19_switch_refuses_what_is_no_number(void **state)
{
	(void)state;
	static const char *const bad[] = {"",    "XBoxLive", "1000 ", ".",     "-1",
					  "1e3", "1.2.3",    "0x10",  " 1000", "12a"};
	static const char *const good[] = {"0", "1000", "1000.5", ".5", "7."};
	PVOID handle;
	world_with_switch(8, true);
	for (unsigned i = 0; i < 10; i++)
		assert_status(try_watch('A', bad[i], 0, &handle), STATUS_INVALID_PARAMETER);
	for (unsigned i = 0; i < 5; i++)
		assert_ntsuccess(try_watch('A', good[i], 0, &handle));
}

/* ---- Comparison ---------------------------------------------------------------------------------- */

/* That the first is lower, whichever registers first: pre runs from the highest down. */
static void assert_lower(const char *lower, const char *higher)
{
	PVOID handle[2];
	for (unsigned order = 0; order < 2; order++) {
		if (order == 0)
			handle[0] = watch('L', lower, PRE_ONLY);
		handle[1] = watch('H', higher, PRE_ONLY);
		if (order == 1)
			handle[0] = watch('L', lower, PRE_ONLY);
		open_process();
		assert_heard("H< L<");
		ObUnRegisterCallbacks(handle[0]);
		ObUnRegisterCallbacks(handle[1]);
	}
}

static void ob_20_altitudes_compare_as_decimal_numbers_of_any_precision(void **state)
{
	(void)state;
	assert_lower("385210", "385210.5");
	assert_lower("385210.5", "385211");
	assert_lower("9", "10");
	assert_lower("99999", "100000");
	assert_lower("0.9", "1");
	assert_lower("1.09", "1.1");
	assert_lower("1.9", "1.91");
	assert_lower(".5", ".6");
	assert_lower("0", "0.0000000000000000000000000000001");
	assert_lower("99999999999999999999999999999999999998",
		     "99999999999999999999999999999999999999");
	assert_lower("18446744073709551616", "18446744073709551617"); /* beyond 64 bits */
	assert_lower("4294967295", "4294967296");
	assert_lower("1.00000000000000000000000000000000001",
		     "1.00000000000000000000000000000000002");
}

/* by code units when one is no number. */
static void ob_20_other_texts_compare_by_code_units(void **state)
{
	(void)state;
	assert_lower("A", "B");
	assert_lower("10a", "9");
	assert_lower("", "0");
	assert_lower("a", "aa");
	assert_lower("Z", "a");
}

static void ob_21_numerically_equal_texts_are_equal_inferred(void **state)
{
	(void)state;
	static const char *const same[][2] = {
		{"1000", "01000"}, {"1000", "1000.0"}, {"1000.50", "1000.5"}, {"0", "0.0"},
		{"0", "000"},      {".5", "0.50"},     {"7", "7."},
	};
	PVOID handle, other;
	for (unsigned i = 0; i < 7; i++) {
		handle = watch('A', same[i][0], 0);
		assert_status(try_watch('B', same[i][1], 0, &other), COLLISION);
		ObUnRegisterCallbacks(handle);
	}
	watch('A', "1000", 0);
	watch('B', "1000.01", 0);
	watch('C', "10000", 0);
}

/* ---- Order of calls ---------------------------------------------------------------------------------- */

static void ob_33_ob_34_pre_from_the_highest_down_and_post_upwards_inferred(void **state)
{
	(void)state;
	watch('B', "200", 0);
	PVOID top = watch('A', "3000", 0);
	watch('D', "20", 0);
	watch('C', "100.5", 0);
	open_process();
	assert_heard("A< B< C< D< D> C> B> A>");
	ObUnRegisterCallbacks(top);
	watch('E', "150", PRE_ONLY);
	watch('F', "120", POST_ONLY);
	open_process();
	assert_heard("B< E< C< D< D> C> F> B>");
}

/* More of them than the kernel remembers without an allocation. */
static void ob_34_many_registrations_keep_the_order_inferred(void **state)
{
	(void)state;
	char expected[256] = "", altitude[8];
	for (unsigned i = 0; i < 26; i++) {
		/* Registered in a scattered order: 7 and 26 have no common divisor. */
		unsigned n = i * 7 % 26;
		snprintf(altitude, sizeof altitude, "%u", 1000 - n);
		watch((char)('A' + n), altitude, 0);
	}
	for (unsigned i = 0; i < 52; i++)
		snprintf(expected + 3 * i, 4, "%c%c ", i < 26 ? 'A' + i : 'Z' - (i - 26),
			 i < 26 ? '<' : '>');
	expected[3 * 52 - 1] = 0;
	open_process();
	assert_heard(expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ob_12_altitude_in_use_collides),
		WORLD_TEST(ob_13_one_registration_takes_its_altitude_for_several_types),
		WORLD_TEST(ob_14_c_07_collision_is_per_object_type_inferred),
		WORLD_TEST(c_07_ob_14_switch_makes_it_system_wide_inferred),
		WORLD_TEST(ob_15_two_entries_of_one_type_collide_inferred),
		WORLD_TEST(ob_19_c_08_altitude_may_be_any_text_or_none),
		WORLD_TEST(c_08_ob_19_switch_refuses_what_is_no_number),
		WORLD_TEST(ob_20_altitudes_compare_as_decimal_numbers_of_any_precision),
		WORLD_TEST(ob_20_other_texts_compare_by_code_units),
		WORLD_TEST(ob_21_numerically_equal_texts_are_equal_inferred),
		WORLD_TEST(ob_33_ob_34_pre_from_the_highest_down_and_post_upwards_inferred),
		WORLD_TEST(ob_34_many_registrations_keep_the_order_inferred),
	};
	return cmocka_run_group_tests_name("ob/altitude", tests, NULL, NULL);
}
