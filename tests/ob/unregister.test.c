/* SPDX-License-Identifier: MIT */
/*
 * ObUnRegisterCallbacks: OB-61 to OB-64, VF-20, VF-21, and what OB-38 promises while
 * others come and go.
 */
#include "ke/bugcheck.h"
#include "support/bugcheck.h"
#include "support/parallel.h"
#include "support/record.h"
#include <string.h>

static bool open_and_close(void)
{
	HANDLE handle;
	NTSTATUS status = ObOpenObjectByPointer(PsInitialSystemProcess, OBJ_KERNEL_HANDLE, NULL,
						PROCESS_ALL_ACCESS, PsProcessType, KernelMode,
						&handle);
	return NT_SUCCESS(status) && NT_SUCCESS(ZwClose(handle));
}

static void open_job(void *unused)
{
	(void)unused;
	open_and_close();
}

static void unregister_job(void *handle)
{
	ObUnRegisterCallbacks(handle);
}

static void ob_61_unregistered_callbacks_are_not_called(void **state)
{
	(void)state;
	VOID(NTAPI * unregister)(PVOID) = ObUnRegisterCallbacks; /* returns nothing */
	PVOID handle = watch('A', "2000", PROCESSES | THREADS), other = watch('B', "1000", 0);
	assert_true(open_and_close());
	assert_heard("A< B< B> A>");
	unregister(handle);
	assert_true(open_and_close());
	assert_heard("B< B>");
	unregister(other);
	assert_true(open_and_close());
	assert_heard("");
}

/* ---- Waiting --------------------------------------------------------------------------------- */

static struct gate inside, go_on;
static atomic_bool shall_block;

static void block_once(struct call *call)
{
	(void)call;
	if (!atomic_exchange(&shall_block, false))
		return;
	gate_open(&inside);
	gate_wait(&go_on);
}

static bool is_skipped(void *unused)
{
	(void)unused;
	unsigned before = count_heard(PRE) + count_heard(POST);
	return open_and_close() && count_heard(PRE) + count_heard(POST) == before;
}

/* Blocks a thread in the given callback of A, unregisters A meanwhile. */
static void check_wait_for(enum family family, unsigned watched)
{
	PVOID handle = watch('A', "1000", watched);
	struct job caller, remover;
	gate_init(&inside);
	gate_init(&go_on);
	atomic_store(&shall_block, true);
	on_call(family, 'A', block_once);
	job_start(&caller, open_job, NULL);
	assert_true(gate_wait(&inside));
	job_start(&remover, unregister_job, handle);
	assert_true(eventually(is_skipped, NULL)); /* no new call begins */
	assert_true(job_is_stuck(&remover));
	gate_open(&go_on);
	job_join(&remover);
	job_join(&caller);
	assert_true(is_skipped(NULL));
}

static void ob_62_unregistering_waits_for_a_pre_call(void **state)
{
	(void)state;
	check_wait_for(PRE, 0);
	assert_true(count_heard(PRE) == count_heard(POST)); /* OB-38: it got its post */
}

static void ob_62_unregistering_waits_for_a_pre_call_without_post(void **state)
{
	(void)state;
	check_wait_for(PRE, PRE_ONLY);
}

static void ob_62_unregistering_waits_for_a_post_call(void **state)
{
	(void)state;
	check_wait_for(POST, 0);
}

static void ob_62_unregistering_waits_for_a_post_call_without_pre(void **state)
{
	(void)state;
	check_wait_for(POST, POST_ONLY);
}

static atomic_bool unregistered, post_after_unregistration;

static void note_late_post(struct call *call)
{
	(void)call;
	if (atomic_load(&unregistered))
		atomic_store(&post_after_unregistration, true);
}

static void unregister_and_say_so(void *handle)
{
	ObUnRegisterCallbacks(handle);
	atomic_store(&unregistered, true);
}

static bool a_is_skipped(void *unused)
{
	(void)unused;
	unsigned before = count_heard(PRE);
	return open_and_close() && count_heard(PRE) == before + 1; /* B alone */
}

/* A's pre has returned, its post has not begun: the thread is inside B's. */
static void
ob_62_ob_38_unregistering_waits_across_the_gap_between_pre_and_post_inferred(void **state)
{
	(void)state;
	PVOID handle = watch('A', "2000", 0);
	struct job caller, remover;
	watch('B', "1000", 0);
	gate_init(&inside);
	gate_init(&go_on);
	atomic_store(&shall_block, true);
	atomic_store(&unregistered, false);
	atomic_store(&post_after_unregistration, false);
	on_call(PRE, 'B', block_once);
	on_call(POST, 'A', note_late_post);
	job_start(&caller, open_job, NULL);
	assert_true(gate_wait(&inside));
	assert_heard("A< B<");
	job_start(&remover, unregister_and_say_so, handle);
	assert_true(eventually(a_is_skipped, NULL));
	assert_true(job_is_stuck(&remover));
	assert_false(atomic_load(&unregistered));
	record_reset_heard();
	gate_open(&go_on);
	job_join(&remover);
	job_join(&caller);
	assert_heard("B> A>");
	assert_true(atomic_load(&unregistered));
	assert_false(atomic_load(&post_after_unregistration));
}

static void ob_62_other_registrations_are_not_waited_for(void **state)
{
	(void)state;
	PVOID handle = watch('A', "1000", 0);
	struct job caller;
	watch('B', "2000", 0);
	gate_init(&inside);
	gate_init(&go_on);
	atomic_store(&shall_block, true);
	on_call(PRE, 'B', block_once);
	job_start(&caller, open_job, NULL);
	assert_true(gate_wait(&inside));
	ObUnRegisterCallbacks(handle); /* its turn has not come yet, and will not */
	assert_false(atomic_load(&caller.done));
	gate_open(&go_on);
	job_join(&caller);
	assert_heard("B< B>");
}

/* ---- Many at once ------------------------------------------------------------------------------ */

static struct {
	atomic_bool registered, stop;
	atomic_uint calls, late, unmatched;
} storm;

/* How many pre calls of this thread still await their post. */
static _Thread_local int owed;
/* CallContext is the thread and its count, so that pairs must match. */

static OB_PREOP_CALLBACK_STATUS NTAPI storm_pre(PVOID context, POB_PRE_OPERATION_INFORMATION info)
{
	(void)context;
	storm.late += !atomic_load(&storm.registered);
	storm.unmatched += info->CallContext != NULL;
	info->CallContext = (PVOID)((uintptr_t)pthread_self() + (unsigned)++owed);
	return OB_PREOP_SUCCESS;
}

static VOID NTAPI storm_post(PVOID context, POB_POST_OPERATION_INFORMATION info)
{
	(void)context;
	storm.unmatched += info->CallContext !=
			   (PVOID)((uintptr_t)pthread_self() + (unsigned)owed--);
	storm.late += !atomic_load(&storm.registered);
	storm.calls++;
}

static void open_until_stopped(void *unused)
{
	(void)unused;
	while (!atomic_load(&storm.stop))
		open_and_close();
	if (owed)
		storm.unmatched++;
}

static bool called_since(void *calls)
{
	return atomic_load(&storm.calls) > *(unsigned *)calls;
}

static void ob_38_ob_62_pairs_match_while_registrations_come_and_go_inferred(void **state)
{
	(void)state;
	struct job caller[3];
	OB_OPERATION_REGISTRATION entry = {&PsProcessType, OB_OPERATION_HANDLE_CREATE, storm_pre,
					   storm_post};
	OB_CALLBACK_REGISTRATION registration = {0x0100, 1, USTR_INIT(u"1000"), NULL, &entry};
	atomic_store(&storm.stop, false);
	for (unsigned i = 0; i < 3; i++)
		job_start(&caller[i], open_until_stopped, NULL);
	NTSTATUS status = STATUS_SUCCESS;
	bool called = true;
	for (unsigned round = 0; round < 150 && NT_SUCCESS(status) && called; round++) {
		PVOID handle;
		unsigned calls = atomic_load(&storm.calls);
		atomic_store(&storm.registered, true);
		status = ObRegisterCallbacks(&registration, &handle);
		if (round % 4) /* now and then at once */
			called = eventually(called_since, &calls);
		if (NT_SUCCESS(status))
			ObUnRegisterCallbacks(handle);
		atomic_store(&storm.registered, false);
	}
	atomic_store(&storm.stop, true);
	for (unsigned i = 0; i < 3; i++)
		job_join(&caller[i]);
	assert_ntsuccess(status);
	assert_true(called);
	assert_int_equal(atomic_load(&storm.late), 0);
	assert_int_equal(atomic_load(&storm.unmatched), 0);
}

/* ---- From inside --------------------------------------------------------------------------------- */

static PVOID own_handle;

static void unregister_itself(struct call *call)
{
	(void)call;
	ObUnRegisterCallbacks(own_handle);
}

static void assert_diagnosed(void)
{
	const struct bug_check_seen *seen = expect_bug_check((ULONG)KE_CALLBACK_RULE_VIOLATION,
							     open_job, NULL);
	assert_int_equal(seen->parameter[0], 20);
	assert_int_equal(seen->parameter[1], own_handle);
	assert_non_null(strstr(seen->detail, "ObUnRegisterCallbacks"));
	assert_non_null(strstr(seen->detail, "VF-20"));
	assert_string_equal(seen->module, "test.sys");
}

static void ob_63_vf_20_unregistering_from_inside_is_diagnosed_inferred(void **state)
{
	(void)state;
	own_handle = watch('A', "2000", 0);
	on_call(PRE, 'A', unregister_itself);
	assert_diagnosed();
	on_call(PRE, 'A', NULL);
	on_call(POST, 'A', unregister_itself);
	assert_diagnosed();
	ObUnRegisterCallbacks(own_handle);
	own_handle = watch('C', "2000", PRE_ONLY);
	on_call(PRE, 'C', unregister_itself);
	assert_diagnosed();
}

/* In another's callback, but between one's own pre and post. */
static void ob_63_vf_20_unregistering_in_the_gap_is_diagnosed_inferred(void **state)
{
	(void)state;
	own_handle = watch('A', "2000", 0);
	watch('B', "1000", 0);
	on_call(PRE, 'B', unregister_itself);
	assert_diagnosed();
}

/* ---- What is no handle -------------------------------------------------------------------------------- */

static void unregister_twice(void *handle)
{
	ObUnRegisterCallbacks(handle);
	ObUnRegisterCallbacks(handle);
}

static void ob_64_vf_21_what_is_no_live_handle_is_bug_check_7e(void **state)
{
	(void)state;
	static char no_handle[256];
	PVOID handle = watch('A', "1000", 0);
	const struct bug_check_seen *seen = expect_bug_check(KE_SYSTEM_THREAD_EXCEPTION_NOT_HANDLED,
							     unregister_twice, handle);
	assert_int_equal((uint32_t)seen->parameter[0], 0xC0000005);
	assert_non_null(strstr(seen->detail, "VF-21"));
	seen = expect_bug_check(KE_SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, unregister_job, NULL);
	assert_int_equal((uint32_t)seen->parameter[0], 0xC0000005);
	seen = expect_bug_check(KE_SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, unregister_job, no_handle);
	assert_int_equal((uint32_t)seen->parameter[0], 0xC0000005);
	expect_no_bug_check(unregister_job, handle); /* once is right */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ob_61_unregistered_callbacks_are_not_called),
		WORLD_TEST(ob_62_unregistering_waits_for_a_pre_call),
		WORLD_TEST(ob_62_unregistering_waits_for_a_pre_call_without_post),
		WORLD_TEST(ob_62_unregistering_waits_for_a_post_call),
		WORLD_TEST(ob_62_unregistering_waits_for_a_post_call_without_pre),
		WORLD_TEST(
			ob_62_ob_38_unregistering_waits_across_the_gap_between_pre_and_post_inferred),
		WORLD_TEST(ob_62_other_registrations_are_not_waited_for),
		WORLD_TEST(ob_38_ob_62_pairs_match_while_registrations_come_and_go_inferred),
		WORLD_TEST(ob_63_vf_20_unregistering_from_inside_is_diagnosed_inferred),
		WORLD_TEST(ob_63_vf_20_unregistering_in_the_gap_is_diagnosed_inferred),
		WORLD_TEST(ob_64_vf_21_what_is_no_live_handle_is_bug_check_7e),
	};
	return cmocka_run_group_tests_name("ob/unregister", tests, NULL, NULL);
}
