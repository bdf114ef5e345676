/* SPDX-License-Identifier: MIT */
/*
 * Adding process notify routines: PS-1 to PS-9, PS-12 to PS-21, C-1, C-2.
 */
#include "ldr/module.h"
#include "support/record.h"

static NTSTATUS add_legacy(unsigned n)
{
	return PsSetCreateProcessNotifyRoutine(legacy_routine(n), FALSE);
}

static NTSTATUS add_ex(unsigned n)
{
	return PsSetCreateProcessNotifyRoutineEx(ex_routine(n), FALSE);
}

static NTSTATUS add_ex2(unsigned n)
{
	return PsSetCreateProcessNotifyRoutineEx2(PsCreateProcessNotifySubsystems,
						  (PVOID)(uintptr_t)ex_routine(n), FALSE);
}

static NTSTATUS remove_ex2(unsigned n)
{
	return PsSetCreateProcessNotifyRoutineEx2(PsCreateProcessNotifySubsystems,
						  (PVOID)(uintptr_t)ex_routine(n), TRUE);
}

/* ---- The calls ------------------------------------------------------------------------ */

static void ps_01_false_adds_and_true_removes(void **state)
{
	(void)state;
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(legacy_routine(0), FALSE));
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(1), FALSE));
	actor_live("a.exe");
	assert_heard("legacy0+ ex1+ legacy0- ex1-");
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(legacy_routine(0), TRUE));
	actor_live("b.exe");
	assert_heard("ex1+ ex1-");
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(1), TRUE));
	actor_live("c.exe");
	assert_heard("");
}

static void ps_02_ex2_of_type_0_takes_a_routine_of_the_ex_type(void **state)
{
	(void)state;
	assert_int_equal(PsCreateProcessNotifySubsystems, 0);
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx2(
		(PSCREATEPROCESSNOTIFYTYPE)0, (PVOID)(uintptr_t)ex_routine(0), FALSE));
	struct actor child = actor_start("a.exe");
	assert_heard("ex0+");
	assert_ptr_equal(heard(0)->process, child.process);
	assert_int_equal(heard(0)->process_id, id_of(child.process));
	assert_int_equal(heard(0)->told.Size, sizeof(PS_CREATE_NOTIFY_INFO));
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx2((PSCREATEPROCESSNOTIFYTYPE)0,
							    (PVOID)(uintptr_t)ex_routine(0), TRUE));
	actor_end(&child);
	assert_heard("");
}

/* The emulated version is Windows 10 22H2, so every name is there for a driver that
 * probes. */
static void ps_03_every_name_of_the_emulated_version_resolves(void **state)
{
	(void)state;
	static const UNICODE_STRING name[] = {
		USTR_INIT(u"PsSetCreateProcessNotifyRoutineEx"),
		USTR_INIT(u"PsSetCreateProcessNotifyRoutineEx2"),
		USTR_INIT(u"PsSetCreateThreadNotifyRoutineEx"),
		USTR_INIT(u"PsSetLoadImageNotifyRoutineEx"),
	};
	static const char *const text[] = {
		"PsSetCreateProcessNotifyRoutineEx",
		"PsSetCreateProcessNotifyRoutineEx2",
		"PsSetCreateThreadNotifyRoutineEx",
		"PsSetLoadImageNotifyRoutineEx",
	};
	PVOID(NTAPI * find)(PCUNICODE_STRING) = export_of("MmGetSystemRoutineAddress");
	for (unsigned i = 0; i < 4; i++) {
		PVOID found = find(&name[i]);
		assert_non_null(found);
		assert_ptr_equal(found, rs_find_export("ntoskrnl.exe", text[i]));
	}
	UNICODE_STRING unknown = USTR(u"PsSetCreateProcessNotifyRoutineEx3");
	assert_null(find(&unknown));
	/* What was found is the routine. */
	NTSTATUS(NTAPI * ex2)(PSCREATEPROCESSNOTIFYTYPE, PVOID, BOOLEAN) = find(&name[1]);
	assert_ntsuccess(ex2(0, (PVOID)(uintptr_t)ex_routine(0), FALSE));
	actor_live("a.exe");
	assert_heard("ex0+ ex0-");
}

/* ---- The table ------------------------------------------------------------------------ */

static void ps_05_the_three_families_share_64_slots(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++)
		assert_ntsuccess(add_legacy(i));
	for (unsigned i = 0; i < 22; i++)
		assert_ntsuccess(add_ex(i));
	for (unsigned i = 22; i < 44; i++)
		assert_ntsuccess(add_ex2(i));
	assert_status(add_legacy(60), STATUS_INVALID_PARAMETER);
	assert_status(add_ex(60), STATUS_INVALID_PARAMETER);
	assert_status(add_ex2(60), STATUS_INVALID_PARAMETER);
	/* One place free is free for any of them. */
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(legacy_routine(7), TRUE));
	assert_ntsuccess(add_ex2(60));
	assert_status(add_legacy(7), STATUS_INVALID_PARAMETER);
}

static void ps_06_full_table_is_invalid_parameter(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 64; i++)
		assert_ntsuccess(add_legacy(i));
	assert_status(add_legacy(64), STATUS_INVALID_PARAMETER);
	assert_status(add_ex(0), STATUS_INVALID_PARAMETER);
	assert_status(add_ex2(0), STATUS_INVALID_PARAMETER);
	actor_live("a.exe");
	assert_int_equal(count_heard(LEGACY), 128);
	assert_int_equal(count_heard(EX), 0);
}

static void ps_07_c_01_duplicate_is_refused_and_called_once(void **state)
{
	(void)state;
	assert_ntsuccess(add_legacy(0));
	assert_status(add_legacy(0), STATUS_INVALID_PARAMETER);
	assert_ntsuccess(add_ex(1));
	assert_status(add_ex(1), STATUS_INVALID_PARAMETER);
	assert_ntsuccess(add_ex2(2));
	assert_status(add_ex2(2), STATUS_INVALID_PARAMETER);
	struct actor child = actor_start("a.exe");
	assert_heard("legacy0+ ex1+ ex2+");
	actor_end(&child);
	assert_heard("legacy0- ex1- ex2-");
	assert_ntsuccess(remove_ex2(2));
	assert_status(remove_ex2(2), STATUS_PROCEDURE_NOT_FOUND);
}

static void check_duplicates_accepted(void)
{
	assert_ntsuccess(add_legacy(0));
	assert_ntsuccess(add_legacy(0));
	assert_ntsuccess(add_ex(1));
	assert_ntsuccess(add_ex(1));
	struct actor child = actor_start("a.exe");
	assert_heard("legacy0+ legacy0+ ex1+ ex1+");
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(legacy_routine(0), TRUE));
	actor_end(&child);
	assert_heard("legacy0- ex1- ex1-");
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(legacy_routine(0), TRUE));
	assert_status(PsSetCreateProcessNotifyRoutine(legacy_routine(0), TRUE),
		      STATUS_PROCEDURE_NOT_FOUND);
}

static void ps_07_c_01_observed_duplicate_is_called_twice(void **state)
{
	(void)state;
	check_duplicates_accepted();
}

static void c_01_switch_alone_accepts_duplicates(void **state)
{
	(void)state;
	world_with_switch(1, true);
	check_duplicates_accepted();
	assert_status(PsSetCreateProcessNotifyRoutineEx2(1, NULL, FALSE),
		      STATUS_INVALID_PARAMETER); /* C-2 is as documented */
}

static void ps_08_legacy_ex_and_ex2_of_one_address_are_independent_inferred(void **state)
{
	(void)state;
	assert_ntsuccess(add_ex(0));
	assert_ntsuccess(add_ex2(0));
	actor_live("a.exe");
	assert_heard("ex0+ ex0+ ex0- ex0-");
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(0), TRUE));
	actor_live("b.exe");
	assert_heard("ex0+ ex0-");
	/* Legacy too; not called here, since its type is another one. */
	PCREATE_PROCESS_NOTIFY_ROUTINE as_legacy = (void *)(uintptr_t)ex_routine(0);
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(as_legacy, FALSE));
	assert_ntsuccess(remove_ex2(0));
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(as_legacy, TRUE));
}

static void ps_09_no_memory_is_insufficient_resources(void **state)
{
	(void)state;
	unsigned n = 0;
	for (;; n++) {
		fail_allocation(NULL, n);
		NTSTATUS status = add_ex(0);
		if (stop_failing() == 0) {
			assert_ntsuccess(status);
			break;
		}
		assert_status(status, STATUS_INSUFFICIENT_RESOURCES);
		actor_live("a.exe");
		assert_heard("");
	}
	assert_in_range(n, 2, 4); /* the registration, the table that holds it */
	actor_live("b.exe");
	assert_heard("ex0+ ex0-");
}

static void ps_12_newcomer_takes_the_lowest_free_slot(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_ntsuccess(add_ex(i));
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(1), TRUE));
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(2), TRUE));
	assert_ntsuccess(add_legacy(9));
	struct actor child = actor_start("a.exe");
	assert_heard("ex0+ legacy9+ ex3+");
	assert_ntsuccess(add_ex2(5));
	assert_ntsuccess(add_ex(6));
	actor_end(&child);
	assert_heard("ex0- legacy9- ex5- ex3- ex6-");
}

static void ps_13_dispatch_is_in_slot_order_and_mixes_kinds(void **state)
{
	(void)state;
	assert_ntsuccess(add_ex2(5));
	assert_ntsuccess(add_legacy(4));
	assert_ntsuccess(add_ex(3));
	assert_ntsuccess(add_legacy(2));
	assert_ntsuccess(add_ex2(1));
	struct actor child = actor_start("a.exe");
	assert_heard("ex5+ legacy4+ ex3+ legacy2+ ex1+");
	actor_end(&child);
	assert_heard("ex5- legacy4- ex3- legacy2- ex1-");
}

/* what is registered as NULL is skipped. */
static void ps_14_null_routines_can_be_added_and_are_never_called(void **state)
{
	(void)state;
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(NULL, FALSE));
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(NULL));
	assert_ntsuccess(PsSetLoadImageNotifyRoutine(NULL));
	assert_ntsuccess(add_legacy(1));
	struct actor child = actor_start("a.exe");
	assert_ntsuccess(rs_map_image(&(struct rs_image_spec){.process = child.process}));
	actor_end(&child);
	assert_heard("legacy1+ legacy1-");
	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(NULL, TRUE));
	assert_ntsuccess(PsRemoveCreateThreadNotifyRoutine(NULL));
	assert_ntsuccess(PsRemoveLoadImageNotifyRoutine(NULL));
	assert_status(PsSetCreateProcessNotifyRoutine(NULL, TRUE), STATUS_PROCEDURE_NOT_FOUND);
	assert_status(PsRemoveCreateThreadNotifyRoutine(NULL), STATUS_PROCEDURE_NOT_FOUND);
	assert_status(PsRemoveLoadImageNotifyRoutine(NULL), STATUS_PROCEDURE_NOT_FOUND);
}

/* ---- Which type of notification ------------------------------------------------------------ */

static void ps_19_c_02_ex2_of_another_type_is_invalid_parameter(void **state)
{
	(void)state;
	PVOID routine = (PVOID)(uintptr_t)ex_routine(0);
	assert_status(PsSetCreateProcessNotifyRoutineEx2(1, routine, FALSE),
		      STATUS_INVALID_PARAMETER);
	assert_status(PsSetCreateProcessNotifyRoutineEx2(0x10000, routine, FALSE),
		      STATUS_INVALID_PARAMETER);
	actor_live("a.exe");
	assert_heard("");
}

static void check_type_not_supported(void)
{
	PVOID routine = (PVOID)(uintptr_t)ex_routine(0);
	assert_status(PsSetCreateProcessNotifyRoutineEx2(1, routine, FALSE), STATUS_NOT_SUPPORTED);
	assert_status(PsSetCreateProcessNotifyRoutineEx2(1, routine, TRUE), STATUS_NOT_SUPPORTED);
	actor_live("a.exe");
	assert_heard("");
	assert_ntsuccess(add_ex2(0));
}

static void ps_19_c_02_observed_ex2_of_another_type_is_not_supported(void **state)
{
	(void)state;
	check_type_not_supported();
}

static void c_02_switch_alone_says_not_supported(void **state)
{
	(void)state;
	world_with_switch(2, true);
	check_type_not_supported();
	assert_status(add_ex2(0), STATUS_INVALID_PARAMETER); /* C-1 is as documented */
}

/* The type is wrong, the image too, the table full and the routine in it. */
static void ps_20_type_is_tested_first_on_removal_too_inferred(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 64; i++)
		assert_ntsuccess(add_ex2(i));
	PVOID known = (PVOID)(uintptr_t)ex_routine(0);
	assert_status(PsSetCreateProcessNotifyRoutineEx2(1, known, TRUE), STATUS_INVALID_PARAMETER);
	world_set_integrity(false);
	assert_status(PsSetCreateProcessNotifyRoutineEx2(1, known, FALSE),
		      STATUS_INVALID_PARAMETER);
	/* With the right type the image counts before duplicate and capacity. */
	assert_status(add_ex2(0), STATUS_ACCESS_DENIED);
	assert_status(add_ex(65), STATUS_ACCESS_DENIED);
	/* Removal does not look at the image. */
	assert_ntsuccess(remove_ex2(0));
	assert_status(remove_ex2(0), STATUS_PROCEDURE_NOT_FOUND);
	world_set_integrity(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ps_01_false_adds_and_true_removes),
		WORLD_TEST(ps_02_ex2_of_type_0_takes_a_routine_of_the_ex_type),
		WORLD_TEST(ps_03_every_name_of_the_emulated_version_resolves),
		WORLD_TEST(ps_05_the_three_families_share_64_slots),
		WORLD_TEST(ps_06_full_table_is_invalid_parameter),
		WORLD_TEST(ps_07_c_01_duplicate_is_refused_and_called_once),
		OBSERVED_TEST(ps_07_c_01_observed_duplicate_is_called_twice),
		WORLD_TEST(c_01_switch_alone_accepts_duplicates),
		WORLD_TEST(ps_08_legacy_ex_and_ex2_of_one_address_are_independent_inferred),
		WORLD_TEST(ps_09_no_memory_is_insufficient_resources),
		WORLD_TEST(ps_12_newcomer_takes_the_lowest_free_slot),
		WORLD_TEST(ps_13_dispatch_is_in_slot_order_and_mixes_kinds),
		WORLD_TEST(ps_14_null_routines_can_be_added_and_are_never_called),
		WORLD_TEST(ps_19_c_02_ex2_of_another_type_is_invalid_parameter),
		OBSERVED_TEST(ps_19_c_02_observed_ex2_of_another_type_is_not_supported),
		WORLD_TEST(c_02_switch_alone_says_not_supported),
		WORLD_TEST(ps_20_type_is_tested_first_on_removal_too_inferred),
	};
	return cmocka_run_group_tests_name("ps/register", tests, NULL, NULL);
}
