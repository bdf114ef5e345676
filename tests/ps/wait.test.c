/* SPDX-License-Identifier: MIT */
/*
 * Removal while routines are being called: PS-22, PS-23, PS-25, PS-28 to PS-30, PS-67, PS-77.
 */
#include "support/parallel.h"
#include "support/record.h"

/* One way to register, with an event that calls what is registered. */
struct subject {
	enum family family;
	NTSTATUS (*add)(void);
	NTSTATUS (*remove)(void);
	bool (*provoke)(void);
};

static NTSTATUS add_legacy(void)
{
	return PsSetCreateProcessNotifyRoutine(legacy_routine(0), FALSE);
}

static NTSTATUS remove_legacy(void)
{
	return PsSetCreateProcessNotifyRoutine(legacy_routine(0), TRUE);
}

static NTSTATUS add_ex(void)
{
	return PsSetCreateProcessNotifyRoutineEx(ex_routine(0), FALSE);
}

static NTSTATUS remove_ex(void)
{
	return PsSetCreateProcessNotifyRoutineEx(ex_routine(0), TRUE);
}

static NTSTATUS add_ex2(void)
{
	return PsSetCreateProcessNotifyRoutineEx2(0, (PVOID)(uintptr_t)ex_routine(0), FALSE);
}

static NTSTATUS remove_ex2(void)
{
	return PsSetCreateProcessNotifyRoutineEx2(0, (PVOID)(uintptr_t)ex_routine(0), TRUE);
}

static NTSTATUS add_thread(void)
{
	return PsSetCreateThreadNotifyRoutine(thread_routine(0));
}

static NTSTATUS add_thread_ex(void)
{
	return PsSetCreateThreadNotifyRoutineEx(PsCreateThreadNotifySubsystems,
						(PVOID)(uintptr_t)thread_routine(0));
}

static NTSTATUS remove_thread(void)
{
	return PsRemoveCreateThreadNotifyRoutine(thread_routine(0));
}

static NTSTATUS add_image(void)
{
	return PsSetLoadImageNotifyRoutine(image_routine(0));
}

static NTSTATUS remove_image(void)
{
	return PsRemoveLoadImageNotifyRoutine(image_routine(0));
}

/* No assertions: this runs on threads of its own too. */
static bool run_process(void)
{
	struct rs_process_spec spec = {.image = "a.exe"};
	PEPROCESS process;
	PETHREAD thread;
	if (!NT_SUCCESS(rs_create_user_process(&spec, &process, &thread, NULL, NULL)))
		return false;
	rs_exit_process(process, STATUS_SUCCESS);
	rs_release(thread);
	rs_release(process);
	return true;
}

static bool load_image(void)
{
	return NT_SUCCESS(rs_map_image(&(struct rs_image_spec){.size = 4096}));
}

static const struct subject subject_legacy = {LEGACY, add_legacy, remove_legacy, run_process},
			    subject_ex = {EX, add_ex, remove_ex, run_process},
			    subject_ex2 = {EX, add_ex2, remove_ex2, run_process},
			    subject_thread = {THREAD, add_thread, remove_thread, run_process},
			    subject_thread_ex = {THREAD, add_thread_ex, remove_thread, run_process},
			    subject_image = {IMAGE, add_image, remove_image, load_image};

/* ---- A routine that stays inside ------------------------------------------------------- */

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

static void provoke_job(void *argument)
{
	const struct subject *subject = argument;
	subject->provoke();
}

struct removal {
	const struct subject *subject;
	NTSTATUS status;
};

static void remove_job(void *argument)
{
	struct removal *removal = argument;
	removal->status = removal->subject->remove();
}

static bool is_skipped(void *argument)
{
	const struct subject *subject = argument;
	unsigned before = count_heard(subject->family);
	return subject->provoke() && count_heard(subject->family) == before;
}

static void check_removal_waits(const struct subject *subject)
{
	struct removal removal = {subject, STATUS_PENDING};
	struct job caller, remover;
	gate_init(&inside);
	gate_init(&go_on);
	atomic_store(&shall_block, true);
	on_call(subject->family, 0, block_once);
	assert_ntsuccess(subject->add());
	job_start(&caller, provoke_job, (void *)(uintptr_t)subject);
	assert_true(gate_wait(&inside));
	job_start(&remover, remove_job, &removal);
	/* PS-25: the slot is empty although the remover still waits. */
	assert_true(eventually(is_skipped, (void *)(uintptr_t)subject));
	assert_true(job_is_stuck(&remover));
	gate_open(&go_on);
	job_join(&remover);
	job_join(&caller);
	assert_ntsuccess(removal.status);
	assert_true(is_skipped((void *)(uintptr_t)subject));
	assert_status(subject->remove(), STATUS_PROCEDURE_NOT_FOUND);
}

static void ps_22_ps_25_ex_removal_waits_with_its_slot_emptied_inferred(void **state)
{
	(void)state;
	check_removal_waits(&subject_ex);
}

static void ps_22_ps_25_ex2_removal_waits_with_its_slot_emptied_inferred(void **state)
{
	(void)state;
	check_removal_waits(&subject_ex2);
}

static void ps_23_ps_25_legacy_removal_waits_too_inferred(void **state)
{
	(void)state;
	check_removal_waits(&subject_legacy);
}

static void ps_67_thread_removal_waits(void **state)
{
	(void)state;
	check_removal_waits(&subject_thread);
}

static void ps_67_thread_ex_removal_waits(void **state)
{
	(void)state;
	check_removal_waits(&subject_thread_ex);
}

static void ps_77_image_removal_waits(void **state)
{
	(void)state;
	check_removal_waits(&subject_image);
}

/* The wait is for that routine alone. */
static void ps_22_removal_does_not_wait_for_other_routines(void **state)
{
	(void)state;
	struct job caller;
	gate_init(&inside);
	gate_init(&go_on);
	atomic_store(&shall_block, true);
	on_call(EX, 0, block_once);
	assert_ntsuccess(add_ex());
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(1), FALSE));
	assert_ntsuccess(add_image());
	job_start(&caller, provoke_job, (void *)(uintptr_t)&subject_ex);
	assert_true(gate_wait(&inside));
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(1), TRUE));
	assert_ntsuccess(remove_image());
	assert_false(atomic_load(&caller.done));
	gate_open(&go_on);
	job_join(&caller);
	assert_heard("ex0+ ex0-");
}

/* ---- Two removers ----------------------------------------------------------------------------- */

static pthread_barrier_t start_line;

static void race_to_remove(void *argument)
{
	pthread_barrier_wait(&start_line);
	remove_job(argument);
}

static void ps_28_of_two_removers_one_succeeds_inferred(void **state)
{
	(void)state;
	static const struct subject *const subjects[] = {&subject_ex, &subject_thread,
							 &subject_image};
	pthread_barrier_init(&start_line, NULL, 2);
	for (unsigned round = 0; round < 90; round++) {
		const struct subject *subject = subjects[round % 3];
		struct removal removal[2] = {{.subject = subject}, {.subject = subject}};
		struct job job[2];
		assert_ntsuccess(subject->add());
		for (unsigned i = 0; i < 2; i++)
			job_start(&job[i], race_to_remove, &removal[i]);
		for (unsigned i = 0; i < 2; i++)
			job_join(&job[i]);
		unsigned winner = removal[0].status == STATUS_SUCCESS ? 0 : 1;
		assert_ntsuccess(removal[winner].status);
		assert_status(removal[!winner].status, STATUS_PROCEDURE_NOT_FOUND);
	}
	pthread_barrier_destroy(&start_line);
}

/* The loser need not wait for the call; what matters is that it does not succeed. */
static void ps_28_second_remover_during_a_call_fails_inferred(void **state)
{
	(void)state;
	struct removal removal = {&subject_ex, STATUS_PENDING};
	struct job caller, remover;
	gate_init(&inside);
	gate_init(&go_on);
	atomic_store(&shall_block, true);
	on_call(EX, 0, block_once);
	assert_ntsuccess(add_ex());
	job_start(&caller, provoke_job, (void *)(uintptr_t)&subject_ex);
	assert_true(gate_wait(&inside));
	job_start(&remover, remove_job, &removal);
	assert_true(eventually(is_skipped, (void *)(uintptr_t)&subject_ex));
	assert_status(remove_ex(), STATUS_PROCEDURE_NOT_FOUND);
	assert_true(job_is_stuck(&remover));
	gate_open(&go_on);
	job_join(&remover);
	job_join(&caller);
	assert_ntsuccess(removal.status);
}

/* ---- Calls at the same time ------------------------------------------------------------------------ */

static atomic_uint within;
static atomic_bool met;

static bool both_are_within(void *unused)
{
	(void)unused;
	return atomic_load(&within) == 2 || atomic_load(&met);
}

static void wait_for_the_other(struct call *call)
{
	if (!call->create)
		return;
	atomic_fetch_add(&within, 1);
	if (eventually(both_are_within, NULL))
		atomic_store(&met, true);
	atomic_fetch_sub(&within, 1);
}

static void ps_29_one_routine_can_be_in_flight_on_two_threads_inferred(void **state)
{
	(void)state;
	struct job caller[2];
	on_call(EX, 0, wait_for_the_other);
	atomic_store(&met, false);
	assert_ntsuccess(add_ex());
	for (unsigned i = 0; i < 2; i++)
		job_start(&caller[i], provoke_job, (void *)(uintptr_t)&subject_ex);
	for (unsigned i = 0; i < 2; i++)
		job_join(&caller[i]);
	assert_true(atomic_load(&met));
	assert_int_equal(count_heard(EX), 4);
}

static void add_ex_1(struct call *call)
{
	if (call->create)
		PsSetCreateProcessNotifyRoutineEx(ex_routine(1), FALSE);
}

static void ps_30_routine_added_during_a_dispatch_counts_from_the_next_inferred(void **state)
{
	(void)state;
	assert_ntsuccess(add_ex());
	on_call(EX, 0, add_ex_1);
	struct actor child = actor_start("a.exe");
	assert_in_range(count_heard(EX), 1, 2); /* both conform */
	assert_heard(count_heard(EX) == 1 ? "ex0+" : "ex0+ ex1+");
	actor_end(&child);
	assert_heard("ex0- ex1-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ps_22_ps_25_ex_removal_waits_with_its_slot_emptied_inferred),
		WORLD_TEST(ps_22_ps_25_ex2_removal_waits_with_its_slot_emptied_inferred),
		WORLD_TEST(ps_23_ps_25_legacy_removal_waits_too_inferred),
		WORLD_TEST(ps_67_thread_removal_waits),
		WORLD_TEST(ps_67_thread_ex_removal_waits),
		WORLD_TEST(ps_77_image_removal_waits),
		WORLD_TEST(ps_22_removal_does_not_wait_for_other_routines),
		WORLD_TEST(ps_28_of_two_removers_one_succeeds_inferred),
		WORLD_TEST(ps_28_second_remover_during_a_call_fails_inferred),
		WORLD_TEST(ps_29_one_routine_can_be_in_flight_on_two_threads_inferred),
		WORLD_TEST(ps_30_routine_added_during_a_dispatch_counts_from_the_next_inferred),
	};
	return cmocka_run_group_tests_name("ps/wait", tests, NULL, NULL);
}
