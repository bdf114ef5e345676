/* SPDX-License-Identifier: MIT */
/*
 * Duplication: OB-26, OB-59, OB-60.
 */
#include "ob/handle.h"
#include "support/record.h"

#define CURRENT_PROCESS ((HANDLE)-1)

static struct actor from, to, target;

static int set_up(void **state)
{
	world_documented(state);
	from = actor_start("from.exe");
	to = actor_start("to.exe");
	target = actor_start("target.exe");
	return 0;
}

static int tear_down(void **state)
{
	rs_become(NULL);
	actor_end(&target);
	actor_end(&to);
	actor_end(&from);
	return world_end(state);
}

static HANDLE handle_of(void *object, ACCESS_MASK access)
{
	HANDLE handle;
	assert_ntsuccess(ObOpenObjectByPointer(object, 0, NULL, access, NULL, KernelMode, &handle));
	return handle;
}

static ACCESS_MASK granted_in(PEPROCESS process, HANDLE handle)
{
	struct ob_handle found;
	assert_ntsuccess(ob_resolve_handle(process, handle, KernelMode, &found));
	assert_ptr_equal(found.object, target.process);
	rs_release(found.object);
	return found.granted;
}

static ACCESS_MASK removes, adds;

static void change_access(struct call *call)
{
	ACCESS_MASK *desired = &call->pre->Parameters->DuplicateHandleInformation.DesiredAccess;
	*desired = (*desired & ~removes) | adds;
}

static void ob_59_source_and_target_processes_are_told(void **state)
{
	(void)state;
	HANDLE source, to_handle, from_handle, made;
	rs_become(from.thread);
	source = handle_of(target.process, PROCESS_VM_READ);
	to_handle = handle_of(to.process, PROCESS_DUP_HANDLE);
	watch('A', "1000", 0);
	/* Pushed by the source. */
	assert_ntsuccess(NtDuplicateObject(CURRENT_PROCESS, source, to_handle, &made, 0, 0,
					   DUPLICATE_SAME_ACCESS));
	assert_heard("A< A>");
	assert_ptr_equal(heard(0)->object, target.process);
	assert_ptr_equal(heard(0)->source, from.process);
	assert_ptr_equal(heard(0)->target, to.process);
	assert_ptr_equal(heard(0)->current_process, from.process);
	assert_int_equal(granted_in(to.process, made), PROCESS_VM_READ);
	/* Pulled by the target. */
	rs_become(to.thread);
	from_handle = handle_of(from.process, PROCESS_DUP_HANDLE);
	assert_heard("A< A>");
	assert_ntsuccess(NtDuplicateObject(from_handle, source, CURRENT_PROCESS, &made, 0, 0,
					   DUPLICATE_SAME_ACCESS));
	assert_heard("A< A>");
	assert_ptr_equal(heard(0)->source, from.process);
	assert_ptr_equal(heard(0)->target, to.process);
	assert_ptr_equal(heard(0)->current_process, to.process);
	assert_int_equal(granted_in(to.process, made), PROCESS_VM_READ);
}

static void ob_59_access_rules_are_those_of_an_open(void **state)
{
	(void)state;
	HANDLE source, made;
	record_listen_for_rules();
	rs_become(from.thread);
	source = handle_of(target.process, PROCESS_ALL_ACCESS);
	watch('A', "2000", DUPLICATES);
	watch('B', "1000", DUPLICATES);
	on_call(PRE, 'A', change_access);
	removes = PROCESS_TERMINATE | SYNCHRONIZE;
	adds = PROCESS_VM_WRITE; /* not asked for */
	assert_ntsuccess(NtDuplicateObject(CURRENT_PROCESS, source, CURRENT_PROCESS, &made,
					   PROCESS_TERMINATE | PROCESS_VM_READ | SYNCHRONIZE, 0,
					   0));
	assert_heard("A< B< B> A>");
	assert_rules_broken("VF-24");
	assert_int_equal(heard(0)->original, PROCESS_TERMINATE | PROCESS_VM_READ | SYNCHRONIZE);
	assert_int_equal(heard(0)->desired, heard(0)->original);
	assert_int_equal(heard(1)->original, heard(0)->original);
	assert_int_equal(heard(1)->desired & PROCESS_TERMINATE, 0);
	/* SYNCHRONIZE is retained. */
	assert_int_equal(heard(2)->granted, PROCESS_VM_READ | SYNCHRONIZE);
	assert_int_equal(granted_in(from.process, made), PROCESS_VM_READ | SYNCHRONIZE);
	assert_int_equal(granted_in(from.process, source), PROCESS_ALL_ACCESS);
}

/* Generic rights are mapped here too (OB-47). */
static void ob_59_generic_rights_are_mapped_in_duplications(void **state)
{
	(void)state;
	HANDLE source, made;
	rs_become(from.thread);
	source = handle_of(target.process, PROCESS_ALL_ACCESS);
	watch('A', "1000", 0);
	assert_ntsuccess(NtDuplicateObject(CURRENT_PROCESS, source, CURRENT_PROCESS, &made,
					   GENERIC_READ, 0, 0));
	assert_heard("A< A>");
	assert_int_equal(heard(0)->original & ~0x1FFFFFu, 0);
	assert_int_equal(heard(0)->original & PROCESS_VM_READ, PROCESS_VM_READ);
}

static void ob_60_same_access_starts_from_what_the_source_handle_has_inferred(void **state)
{
	(void)state;
	HANDLE source, made;
	rs_become(from.thread);
	source = handle_of(target.process, PROCESS_VM_READ | PROCESS_TERMINATE);
	watch('A', "1000", 0);
	/* DesiredAccess is ignored with the option. */
	assert_ntsuccess(NtDuplicateObject(CURRENT_PROCESS, source, CURRENT_PROCESS, &made,
					   PROCESS_VM_WRITE, 0, DUPLICATE_SAME_ACCESS));
	assert_heard("A< A>");
	assert_int_equal(heard(0)->original, PROCESS_VM_READ | PROCESS_TERMINATE);
	assert_int_equal(heard(0)->desired, PROCESS_VM_READ | PROCESS_TERMINATE);
	on_call(PRE, 'A', change_access);
	removes = PROCESS_TERMINATE;
	adds = 0;
	assert_ntsuccess(NtDuplicateObject(CURRENT_PROCESS, source, CURRENT_PROCESS, &made, 0, 0,
					   DUPLICATE_SAME_ACCESS));
	assert_heard("A< A>");
	assert_int_equal(granted_in(from.process, made), PROCESS_VM_READ);
	assert_int_equal(granted_in(from.process, source), PROCESS_VM_READ | PROCESS_TERMINATE);
	/* And a duplicate of the duplicate starts from less. */
	assert_ntsuccess(NtDuplicateObject(CURRENT_PROCESS, made, CURRENT_PROCESS, &made, 0, 0,
					   DUPLICATE_SAME_ACCESS));
	assert_heard("A< A>");
	assert_int_equal(heard(0)->original, PROCESS_VM_READ);
}

/* The check that OB-30 wants: more than the source has is a matter of security. */
static void ob_30_ob_26_user_gets_no_more_than_security_allows(void **state)
{
	(void)state;
	HANDLE source, made = NULL;
	rs_become(from.thread);
	source = handle_of(target.process, PROCESS_VM_READ);
	rs_deny_access(target.process, PROCESS_VM_READ | PROCESS_VM_WRITE);
	watch('A', "1000", 0);
	assert_status(NtDuplicateObject(CURRENT_PROCESS, source, CURRENT_PROCESS, &made,
					PROCESS_VM_READ | PROCESS_VM_WRITE, 0, 0),
		      STATUS_ACCESS_DENIED);
	assert_null(made);
	assert_heard("");
	assert_ntsuccess(NtDuplicateObject(CURRENT_PROCESS, source, CURRENT_PROCESS, &made, 0, 0,
					   DUPLICATE_SAME_ACCESS));
	assert_heard("A< A>");
}

/* A duplication needs PROCESS_DUP_HANDLE on both sides; without it nothing is told. */
static void ob_26_duplication_that_cannot_begin_is_not_told(void **state)
{
	(void)state;
	HANDLE source, to_handle, made = NULL;
	rs_become(from.thread);
	source = handle_of(target.process, PROCESS_VM_READ);
	to_handle = handle_of(to.process, PROCESS_VM_READ);
	watch('A', "1000", 0);
	assert_status(NtDuplicateObject(CURRENT_PROCESS, source, to_handle, &made, 0, 0,
					DUPLICATE_SAME_ACCESS),
		      STATUS_ACCESS_DENIED);
	assert_status(NtDuplicateObject(CURRENT_PROCESS, (HANDLE)0x4000, CURRENT_PROCESS, &made, 0,
					0, DUPLICATE_SAME_ACCESS),
		      STATUS_INVALID_HANDLE);
	/* Closing the source by the way makes no new handle. */
	assert_ntsuccess(NtDuplicateObject(CURRENT_PROCESS, source, NULL, NULL, 0, 0,
					   DUPLICATE_CLOSE_SOURCE));
	assert_heard("");
	assert_status(NtClose(source), STATUS_INVALID_HANDLE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ob_59_source_and_target_processes_are_told),
		TEST(ob_59_access_rules_are_those_of_an_open),
		TEST(ob_59_generic_rights_are_mapped_in_duplications),
		TEST(ob_60_same_access_starts_from_what_the_source_handle_has_inferred),
		TEST(ob_30_ob_26_user_gets_no_more_than_security_allows),
		TEST(ob_26_duplication_that_cannot_begin_is_not_told),
	};
	return cmocka_run_group_tests_name("ob/duplicate", tests, NULL, NULL);
}
