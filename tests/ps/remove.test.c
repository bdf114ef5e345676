/* SPDX-License-Identifier: MIT */
/*
 * Removing notify routines: PS-10, PS-11, PS-26, PS-27, PS-67, PS-77, VF-20, and the
 * IRQL rules of the calls, PS-4, VF-1, VF-2.
 */
#include "ke/bugcheck.h"
#include "ke/thread.h"
#include "support/bugcheck.h"
#include "support/record.h"
#include <string.h>

typedef NTSTATUS set_process(BOOLEAN remove);

static NTSTATUS as_legacy(BOOLEAN remove)
{
	return PsSetCreateProcessNotifyRoutine((void *)(uintptr_t)ex_routine(0), remove);
}

static NTSTATUS as_ex(BOOLEAN remove)
{
	return PsSetCreateProcessNotifyRoutineEx(ex_routine(0), remove);
}

static NTSTATUS as_ex2(BOOLEAN remove)
{
	return PsSetCreateProcessNotifyRoutineEx2(0, (PVOID)(uintptr_t)ex_routine(0), remove);
}

static set_process *const kinds[] = {as_legacy, as_ex, as_ex2};

static void ps_10_removing_the_unknown_is_procedure_not_found(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_status(kinds[i](TRUE), STATUS_PROCEDURE_NOT_FOUND);
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(1), FALSE));
	for (unsigned i = 0; i < 3; i++)
		assert_status(kinds[i](TRUE), STATUS_PROCEDURE_NOT_FOUND);
	assert_ntsuccess(as_ex(FALSE));
	assert_ntsuccess(as_ex(TRUE));
	assert_status(as_ex(TRUE), STATUS_PROCEDURE_NOT_FOUND);
	actor_live("a.exe");
	assert_heard("ex1+ ex1-");
}

static void ps_11_removal_matches_the_kind_too(void **state)
{
	(void)state;
	for (unsigned added = 0; added < 3; added++) {
		assert_ntsuccess(kinds[added](FALSE));
		for (unsigned removed = 0; removed < 3; removed++)
			if (removed != added)
				assert_status(kinds[removed](TRUE), STATUS_PROCEDURE_NOT_FOUND);
		if (kinds[added] != as_legacy) { /* ex0 is of the other type there */
			actor_live("a.exe");
			assert_heard("ex0+ ex0-");
		}
		assert_ntsuccess(kinds[added](TRUE));
	}
	actor_live("b.exe");
	assert_heard("");
}

/* ---- From inside --------------------------------------------------------------------- */

static void remove_ex_0(struct call *call)
{
	(void)call;
	PsSetCreateProcessNotifyRoutineEx(ex_routine(0), TRUE);
}

static void remove_ex2_1(struct call *call)
{
	(void)call;
	PsSetCreateProcessNotifyRoutineEx2(0, (PVOID)(uintptr_t)ex_routine(1), TRUE);
}

static void remove_legacy_0(struct call *call)
{
	(void)call;
	PsSetCreateProcessNotifyRoutine(legacy_routine(0), TRUE);
}

static void remove_thread_0(struct call *call)
{
	(void)call;
	PsRemoveCreateThreadNotifyRoutine(thread_routine(0));
}

static void remove_image_0(struct call *call)
{
	(void)call;
	PsRemoveLoadImageNotifyRoutine(image_routine(0));
}

static void start_process(void *unused)
{
	(void)unused;
	actor_start("a.exe");
}

static void exit_process(void *actor)
{
	actor_end(actor);
}

static void map_image(void *unused)
{
	(void)unused;
	rs_map_image(&(struct rs_image_spec){.base = NULL});
}

static void assert_self_removal_is_named(const struct bug_check_seen *seen, const char *call)
{
	assert_int_equal(seen->parameter[0], 20);
	assert_non_null(strstr(seen->detail, call));
	assert_non_null(strstr(seen->detail, "VF-20"));
	assert_string_equal(seen->module, "test.sys");
}

static void ps_26_vf_20_routine_that_removes_itself_is_diagnosed(void **state)
{
	(void)state;
	assert_ntsuccess(as_ex(FALSE));
	on_call(EX, 0, remove_ex_0);
	assert_self_removal_is_named(
		expect_bug_check((ULONG)KE_CALLBACK_RULE_VIOLATION, start_process, NULL),
		"PsSetCreateProcessNotifyRoutineEx");
	assert_ntsuccess(as_ex(TRUE));

	assert_ntsuccess(
		PsSetCreateProcessNotifyRoutineEx2(0, (PVOID)(uintptr_t)ex_routine(1), FALSE));
	on_call(EX, 1, remove_ex2_1);
	assert_self_removal_is_named(
		expect_bug_check((ULONG)KE_CALLBACK_RULE_VIOLATION, start_process, NULL),
		"PsSetCreateProcessNotifyRoutineEx2");
	assert_ntsuccess(
		PsSetCreateProcessNotifyRoutineEx2(0, (PVOID)(uintptr_t)ex_routine(1), TRUE));

	assert_ntsuccess(PsSetCreateProcessNotifyRoutine(legacy_routine(0), FALSE));
	on_call(LEGACY, 0, remove_legacy_0);
	assert_self_removal_is_named(
		expect_bug_check((ULONG)KE_CALLBACK_RULE_VIOLATION, start_process, NULL),
		"PsSetCreateProcessNotifyRoutine");
}

static void ps_27_vf_20_self_removal_in_an_exit_call_does_not_hang(void **state)
{
	(void)state;
	struct actor child = actor_start("a.exe");
	assert_ntsuccess(as_ex(FALSE));
	on_call(EX, 0, remove_ex_0);
	assert_self_removal_is_named(
		expect_bug_check((ULONG)KE_CALLBACK_RULE_VIOLATION, exit_process, &child),
		"PsSetCreateProcessNotifyRoutineEx");
	assert_ntsuccess(as_ex(TRUE));
	actor_end(&child);
}

static void ps_67_vf_20_thread_routine_that_removes_itself_is_diagnosed(void **state)
{
	(void)state;
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(thread_routine(0)));
	on_call(THREAD, 0, remove_thread_0);
	assert_self_removal_is_named(
		expect_bug_check((ULONG)KE_CALLBACK_RULE_VIOLATION, start_process, NULL),
		"PsRemoveCreateThreadNotifyRoutine");
}

static void ps_77_vf_20_image_routine_that_removes_itself_is_diagnosed(void **state)
{
	(void)state;
	assert_ntsuccess(PsSetLoadImageNotifyRoutine(image_routine(0)));
	on_call(IMAGE, 0, remove_image_0);
	assert_self_removal_is_named(
		expect_bug_check((ULONG)KE_CALLBACK_RULE_VIOLATION, map_image, NULL),
		"PsRemoveLoadImageNotifyRoutine");
}

/* Another one may go: it is not waited for. */
static void ps_26_routine_may_remove_another(void **state)
{
	(void)state;
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(2), FALSE));
	assert_ntsuccess(as_ex(FALSE));
	on_call(EX, 2, remove_ex_0);
	struct actor child = actor_start("a.exe");
	assert_heard("ex2+");
	actor_end(&child);
	assert_heard("ex2-");
	assert_status(as_ex(TRUE), STATUS_PROCEDURE_NOT_FOUND);
}

/* ---- IRQL: checked where a driver's call arrives ------------------------------------------ */

struct at_irql {
	const char *export;
	KIRQL irql;
};

static void call_at_irql(void *argument)
{
	const struct at_irql *at = argument;
	NTSTATUS(NTAPI * call)(PVOID, PVOID, PVOID) = export_of(at->export);
	ke_set_irql(at->irql);
	call(NULL, (PVOID)(uintptr_t)TRUE, (PVOID)(uintptr_t)TRUE); /* none of them is registered */
	ke_set_irql(PASSIVE_LEVEL);
}

static void ps_04_vf_01_set_routines_above_passive_level_are_stopped(void **state)
{
	(void)state;
	static const char *const verified[] = {"PsSetCreateProcessNotifyRoutine",
					       "PsSetCreateThreadNotifyRoutine",
					       "PsSetLoadImageNotifyRoutine"};
	static const char *const policy[] = {
		"PsSetCreateProcessNotifyRoutineEx", "PsSetCreateProcessNotifyRoutineEx2",
		"PsSetCreateThreadNotifyRoutineEx", "PsSetLoadImageNotifyRoutineEx"};
	for (unsigned i = 0; i < 3; i++) {
		struct at_irql at = {verified[i], APC_LEVEL};
		const struct bug_check_seen *seen = expect_bug_check(
			KE_DRIVER_VERIFIER_DETECTED_VIOLATION, call_at_irql, &at);
		assert_int_equal(seen->parameter[0], 0x2001C);
		assert_non_null(strstr(seen->detail, verified[i]));
	}
	for (unsigned i = 0; i < 4; i++) {
		struct bug_check_seen seen;
		struct at_irql at = {policy[i], APC_LEVEL};
		run_for_bug_check(call_at_irql, &at, &seen);
		assert_true(seen.happened);
		assert_non_null(strstr(seen.detail, policy[i]));
	}
}

static void ps_04_vf_02_thread_and_image_removal_is_allowed_up_to_apc_level(void **state)
{
	(void)state;
	static const char *const names[] = {"PsRemoveCreateThreadNotifyRoutine",
					    "PsRemoveLoadImageNotifyRoutine"};
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(thread_routine(0)));
	assert_ntsuccess(PsSetLoadImageNotifyRoutine(image_routine(0)));
	NTSTATUS(NTAPI * remove_thread)(PCREATE_THREAD_NOTIFY_ROUTINE) = export_of(names[0]);
	NTSTATUS(NTAPI * remove_image)(PLOAD_IMAGE_NOTIFY_ROUTINE) = export_of(names[1]);
	ke_set_irql(APC_LEVEL);
	NTSTATUS thread = remove_thread(thread_routine(0)), image = remove_image(image_routine(0));
	ke_set_irql(PASSIVE_LEVEL);
	assert_ntsuccess(thread);
	assert_ntsuccess(image);
	for (unsigned i = 0; i < 2; i++) {
		struct bug_check_seen seen;
		struct at_irql at = {names[i], DISPATCH_LEVEL};
		run_for_bug_check(call_at_irql, &at, &seen);
		assert_true(seen.happened);
		assert_non_null(strstr(seen.detail, names[i]));
	}
}

static void ps_04_set_routines_work_through_the_export_at_passive_level(void **state)
{
	(void)state;
	NTSTATUS(NTAPI * set)
	(PCREATE_PROCESS_NOTIFY_ROUTINE, BOOLEAN) = export_of("PsSetCreateProcessNotifyRoutine");
	assert_ntsuccess(set(legacy_routine(0), FALSE));
	actor_live("a.exe");
	assert_heard("legacy0+ legacy0-");
	assert_ntsuccess(set(legacy_routine(0), TRUE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ps_10_removing_the_unknown_is_procedure_not_found),
		WORLD_TEST(ps_11_removal_matches_the_kind_too),
		WORLD_TEST(ps_26_vf_20_routine_that_removes_itself_is_diagnosed),
		WORLD_TEST(ps_27_vf_20_self_removal_in_an_exit_call_does_not_hang),
		WORLD_TEST(ps_67_vf_20_thread_routine_that_removes_itself_is_diagnosed),
		WORLD_TEST(ps_77_vf_20_image_routine_that_removes_itself_is_diagnosed),
		WORLD_TEST(ps_26_routine_may_remove_another),
		WORLD_TEST(ps_04_vf_01_set_routines_above_passive_level_are_stopped),
		WORLD_TEST(ps_04_vf_02_thread_and_image_removal_is_allowed_up_to_apc_level),
		WORLD_TEST(ps_04_set_routines_work_through_the_export_at_passive_level),
	};
	return cmocka_run_group_tests_name("ps/remove", tests, NULL, NULL);
}
