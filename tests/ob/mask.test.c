/* SPDX-License-Identifier: MIT */
/*
 * Access masks: what pre routines see, take away, and cannot. OB-47 to OB-58, C-11, VF-24.
 */
#include "ob/handle.h"
#include "support/record.h"

#define PROCESS_RETAINED 0x101000u
#define THREAD_RETAINED 0x101800u
#define LISTED_PROCESS_RIGHTS 0xBEBu /* the sum of OB-55 */
#define LISTED_THREAD_RIGHTS 0x7B3u  /* of OB-57 */

static struct actor opener, target;

static int set_up(void **state)
{
	world_documented(state);
	opener = actor_start("opener.exe");
	target = actor_start("target.exe");
	return 0;
}

static int tear_down(void **state)
{
	rs_become(NULL);
	actor_end(&target);
	actor_end(&opener);
	return world_end(state);
}

/* For tests of a switch: its world, with the two actors. */
static void restart_with_switch(unsigned number)
{
	actor_end(&target);
	actor_end(&opener);
	world_with_switch(number, true);
	opener = actor_start("opener.exe");
	target = actor_start("target.exe");
}

/* ---- Pre routines that change DesiredAccess ------------------------------------------------- */

static ACCESS_MASK removes[128], adds[128];

static void change_access(struct call *call)
{
	ACCESS_MASK *desired = &call->pre->Parameters->CreateHandleInformation.DesiredAccess;
	*desired = (*desired & ~removes[call->who]) | adds[call->who];
}

static void watch_and_change(char letter, const char *altitude, ACCESS_MASK remove, ACCESS_MASK add)
{
	watch(letter, altitude, PROCESSES | THREADS);
	removes[(unsigned)letter] = remove;
	adds[(unsigned)letter] = add;
	on_call(PRE, (unsigned)letter, change_access);
}

/* ---- Opening, as a user program or as the kernel -------------------------------------------- */

/* What the new handle has; it is closed again. */
static ACCESS_MASK granted_of(HANDLE handle)
{
	struct ob_handle found;
	assert_ntsuccess(ob_resolve_handle(opener.process, handle, KernelMode, &found));
	rs_release(found.object);
	assert_ntsuccess(ob_close_handle(opener.process, handle, KernelMode));
	return found.granted;
}

static ACCESS_MASK open_process(ACCESS_MASK access)
{
	HANDLE handle = NULL;
	OBJECT_ATTRIBUTES a = {.Length = sizeof a};
	CLIENT_ID id = {(HANDLE)id_of(target.process), NULL};
	rs_become(opener.thread);
	assert_ntsuccess(NtOpenProcess(&handle, access, &a, &id));
	rs_become(NULL);
	return granted_of(handle);
}

static ACCESS_MASK open_thread(ACCESS_MASK access)
{
	HANDLE handle = NULL;
	OBJECT_ATTRIBUTES a = {.Length = sizeof a};
	CLIENT_ID id = {NULL, (HANDLE)id_of_thread(target.thread)};
	rs_become(opener.thread);
	assert_ntsuccess(NtOpenThread(&handle, access, &a, &id));
	rs_become(NULL);
	return granted_of(handle);
}

static ACCESS_MASK open_as_kernel(void *object, POBJECT_TYPE type, ACCESS_MASK access)
{
	HANDLE handle = NULL;
	assert_ntsuccess(ObOpenObjectByPointer(object, OBJ_KERNEL_HANDLE, NULL, access, type,
					       KernelMode, &handle));
	return granted_of(handle);
}

/* ---- What is asked for ---------------------------------------------------------------------------- */

/* on every path, kernel opens included. */
static void ob_47_generic_rights_and_maximum_are_resolved_before_pre(void **state)
{
	(void)state;
	static const ACCESS_MASK asked[] = {GENERIC_READ,
					    GENERIC_WRITE,
					    GENERIC_EXECUTE,
					    GENERIC_ALL,
					    MAXIMUM_ALLOWED,
					    GENERIC_READ | MAXIMUM_ALLOWED,
					    ACCESS_SYSTEM_SECURITY | PROCESS_TERMINATE};
	watch('A', "1000", PROCESSES | THREADS);
	for (unsigned i = 0; i < 7; i++) {
		open_process(asked[i]);
		open_thread(asked[i]);
		open_as_kernel(target.process, PsProcessType, asked[i]);
		open_as_kernel(target.thread, PsThreadType, asked[i]);
		assert_heard("A< A> A< A> A< A> A< A>");
		for (unsigned j = 0; j < 8; j += 2) {
			assert_int_not_equal(heard(j)->original, 0);
			assert_int_equal(heard(j)->original & ~0x1FFFFFu, 0);
			assert_int_equal(heard(j)->desired & ~0x1FFFFFu, 0);
		}
	}
	assert_int_equal(open_process(GENERIC_ALL), PROCESS_ALL_ACCESS);
	assert_int_equal(open_thread(MAXIMUM_ALLOWED), THREAD_ALL_ACCESS);
	/* Read and write are not everything. */
	assert_int_equal(open_process(GENERIC_READ) & PROCESS_TERMINATE, 0);
	assert_int_equal(open_process(GENERIC_READ) & PROCESS_VM_READ, PROCESS_VM_READ);
}

/* What security refuses is not part of the maximum. */
static void ob_47_maximum_is_what_security_allows(void **state)
{
	(void)state;
	watch('A', "1000", PROCESSES);
	rs_deny_access(target.process, PROCESS_VM_READ | PROCESS_VM_WRITE);
	assert_int_equal(open_process(MAXIMUM_ALLOWED),
			 PROCESS_ALL_ACCESS & ~(PROCESS_VM_READ | PROCESS_VM_WRITE));
	assert_heard("A< A>");
	assert_int_equal(heard(0)->original & PROCESS_VM_READ, 0);
}

static void ob_48_implied_rights_are_added_before_pre(void **state)
{
	(void)state;
	watch('A', "1000", PROCESSES);
	open_process(PROCESS_QUERY_INFORMATION);
	open_process(PROCESS_SET_INFORMATION);
	open_process(PROCESS_VM_READ);
	open_as_kernel(target.process, PsProcessType, 0x600);
	assert_heard("A< A> A< A> A< A> A< A>");
	assert_int_equal(heard(0)->original, 0x1400);
	assert_int_equal(heard(2)->original, 0x2200);
	assert_int_equal(heard(4)->original, PROCESS_VM_READ);
	assert_int_equal(heard(6)->original, 0x3600);
	assert_int_equal(heard(1)->granted, 0x1400);
}

/* ---- The chain ---------------------------------------------------------------------------------------- */

static void ob_49_desired_begins_as_the_original(void **state)
{
	(void)state;
	watch('A', "1000", PROCESSES | THREADS);
	open_process(PROCESS_ALL_ACCESS);
	open_process(0x1F);
	open_thread(THREAD_ALL_ACCESS);
	assert_heard("A< A> A< A> A< A>");
	assert_int_equal(heard(0)->original, PROCESS_ALL_ACCESS);
	assert_int_equal(heard(2)->original, 0x1F);
	assert_int_equal(heard(4)->original, THREAD_ALL_ACCESS);
	for (unsigned i = 0; i < 6; i += 2)
		assert_int_equal(heard(i)->desired, heard(i)->original);
}

static void ob_50_desired_is_handed_down_and_the_original_stays(void **state)
{
	(void)state;
	watch_and_change('A', "4000", PROCESS_TERMINATE, 0);
	watch_and_change('B', "3000", PROCESS_VM_WRITE, 0);
	watch_and_change('C', "2000", 0, PROCESS_TERMINATE); /* gives it back */
	watch_and_change('D', "1000", 0, 0);
	assert_int_equal(open_process(0x33), 0x13);
	assert_heard("A< B< C< D< D> C> B> A>");
	assert_int_equal(heard(0)->desired, 0x33);
	assert_int_equal(heard(1)->desired, 0x32);
	assert_int_equal(heard(2)->desired, 0x12);
	assert_int_equal(heard(3)->desired, 0x13);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(heard(i)->original, 0x33);
	for (unsigned i = 4; i < 8; i++)
		assert_int_equal(heard(i)->granted, 0x13);
}

static void ob_51_vf_24_rights_that_were_not_asked_for_cannot_be_added(void **state)
{
	(void)state;
	record_listen_for_rules();
	watch_and_change('A', "1000", 0, PROCESS_TERMINATE | PROCESS_VM_READ);
	assert_int_equal(open_process(PROCESS_VM_READ), PROCESS_VM_READ);
	assert_rules_broken("VF-24");
	assert_int_equal(open_process(PROCESS_VM_READ | PROCESS_TERMINATE),
			 PROCESS_VM_READ | PROCESS_TERMINATE);
	assert_rules_broken("");
	watch_and_change('B', "500", 0, 0);
	open_process(PROCESS_VM_READ);
	assert_rules_broken("VF-24"); /* the one who did it, not who comes after */
	adds['A'] = GENERIC_ALL;
	assert_int_equal(open_process(PROCESS_VM_READ), PROCESS_VM_READ);
	assert_rules_broken("VF-24");
}

static void ob_52_removing_everything_still_succeeds_inferred(void **state)
{
	(void)state;
	record_listen_for_rules();
	watch_and_change('A', "1000", ~0u, 0);
	assert_int_equal(open_process(PROCESS_TERMINATE | PROCESS_VM_READ), 0);
	assert_int_equal(open_process(PROCESS_TERMINATE | SYNCHRONIZE), SYNCHRONIZE);
	/* Retained rights come back only where they were asked for. */
	assert_int_equal(open_process(PROCESS_ALL_ACCESS), PROCESS_RETAINED);
	assert_rules_broken("");
	/* Unasked ones vanish, as drivers store 0x1000 when their result is 0. */
	adds['A'] = PROCESS_QUERY_LIMITED_INFORMATION;
	assert_int_equal(open_process(PROCESS_TERMINATE), 0);
}

/* ---- What cannot be taken ---------------------------------------------------------------------------------- */

/* Takes each right alone from a full handle. What stays although it was taken. */
static ACCESS_MASK find_unremovable(ACCESS_MASK (*open)(ACCESS_MASK), ACCESS_MASK all)
{
	ACCESS_MASK unremovable = 0;
	watch_and_change('A', "1000", 0, 0);
	for (unsigned bit = 0; bit < 32; bit++) {
		removes['A'] = 1u << bit;
		ACCESS_MASK left = open(all);
		assert_true((left | removes['A']) == (all | removes['A'])); /* nothing else went */
		if (left & removes['A'])
			unremovable |= removes['A'];
	}
	return unremovable;
}

static void ob_53_ob_55_ob_56_of_process_rights_only_the_retained_stay(void **state)
{
	(void)state;
	ACCESS_MASK unremovable = find_unremovable(open_process, PROCESS_ALL_ACCESS);
	assert_int_equal(unremovable, PROCESS_RETAINED);
	assert_int_equal(unremovable & LISTED_PROCESS_RIGHTS, 0); /* OB-55 */
	assert_int_equal(unremovable & (PROCESS_VM_READ | PROCESS_QUERY_INFORMATION), 0);
}

static void ob_54_ob_57_of_thread_rights_only_the_retained_stay_inferred(void **state)
{
	(void)state;
	ACCESS_MASK unremovable = find_unremovable(open_thread, THREAD_ALL_ACCESS);
	assert_int_equal(unremovable, THREAD_RETAINED);
	assert_int_equal(unremovable & LISTED_THREAD_RIGHTS, 0);
}

/* Where the type keeps it, as a driver in the field finds it. */
static void ob_53_retained_rights_are_the_types_field(void **state)
{
	(void)state;
	assert_int_equal(*(ULONG *)(void *)((char *)PsProcessType + 0x60), PROCESS_RETAINED);
	*(ULONG *)(void *)((char *)PsProcessType + 0x60) |= PROCESS_VM_READ;
	watch_and_change('A', "1000", ~0u, 0);
	assert_int_equal(open_process(PROCESS_VM_READ | PROCESS_TERMINATE), PROCESS_VM_READ);
}

static void c_11_ob_55_ob_56_switch_lets_only_listed_process_rights_go(void **state)
{
	(void)state;
	restart_with_switch(11);
	assert_int_equal(find_unremovable(open_process, PROCESS_ALL_ACCESS),
			 PROCESS_ALL_ACCESS & ~LISTED_PROCESS_RIGHTS);
	removes['A'] = ~0u;
	assert_int_equal(open_process(PROCESS_VM_READ | PROCESS_TERMINATE), PROCESS_VM_READ);
}

static void c_11_ob_57_switch_lets_only_listed_thread_rights_go(void **state)
{
	(void)state;
	restart_with_switch(11);
	assert_int_equal(find_unremovable(open_thread, THREAD_ALL_ACCESS),
			 THREAD_ALL_ACCESS & ~LISTED_THREAD_RIGHTS);
}

/* ---- Kernel handles --------------------------------------------------------------------------------------------- */

static void ob_58_kernel_handles_are_masked_as_well_inferred(void **state)
{
	(void)state;
	watch_and_change('A', "1000", PROCESS_TERMINATE, 0);
	assert_int_equal(
		open_as_kernel(target.process, PsProcessType, PROCESS_TERMINATE | PROCESS_VM_READ),
		PROCESS_VM_READ);
	assert_heard("A< A>");
	assert_int_equal(heard(0)->flags, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ob_47_generic_rights_and_maximum_are_resolved_before_pre),
		TEST(ob_47_maximum_is_what_security_allows),
		TEST(ob_48_implied_rights_are_added_before_pre),
		TEST(ob_49_desired_begins_as_the_original),
		TEST(ob_50_desired_is_handed_down_and_the_original_stays),
		TEST(ob_51_vf_24_rights_that_were_not_asked_for_cannot_be_added),
		TEST(ob_52_removing_everything_still_succeeds_inferred),
		TEST(ob_53_ob_55_ob_56_of_process_rights_only_the_retained_stay),
		TEST(ob_54_ob_57_of_thread_rights_only_the_retained_stay_inferred),
		TEST(ob_53_retained_rights_are_the_types_field),
		TEST(c_11_ob_55_ob_56_switch_lets_only_listed_process_rights_go),
		TEST(c_11_ob_57_switch_lets_only_listed_thread_rights_go),
		TEST(ob_58_kernel_handles_are_masked_as_well_inferred),
	};
	return cmocka_run_group_tests_name("ob/mask", tests, NULL, NULL);
}
