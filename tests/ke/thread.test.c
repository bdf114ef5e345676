/* SPDX-License-Identifier: MIT */
/* Processors, IRQL and APC state. */
#include "ke/thread.h"
#include "ke/callout.h"
#include "ps/process.h"
#include "support/bugcheck.h"
#include <ringside/ringside.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
/* last: needs what is above */
#include <cmocka.h>

static void *gs_pointer(unsigned offset)
{
	void *value;
	__asm__ volatile("mov %%gs:(%1), %0" : "=r"(value) : "r"((uint64_t)offset));
	return value;
}

static KIRQL gs_irql(void)
{
	KIRQL irql;
	__asm__ volatile("movb %%gs:0x50, %0" : "=q"(irql));
	return irql;
}

static bool count_processor(struct ke_processor *processor, void *count)
{
	(void)processor;
	++*(unsigned *)count;
	return true;
}

static unsigned processors(void)
{
	unsigned count = 0;
	assert_true(ke_visit_processors(count_processor, &count));
	return count;
}

static void ab_2_gs_shows_the_current_thread(void **state)
{
	(void)state;
	struct _ETHREAD other = {0};
	assert_ptr_equal(gs_pointer(0x188), KeGetCurrentThread());
	assert_ptr_equal(gs_pointer(0x18), &ke_processor()->pcr);
	assert_ptr_equal(gs_pointer(0x20), (char *)&ke_processor()->pcr + 0x180);
	PKTHREAD before = ke_switch_thread(&other);
	assert_ptr_equal(gs_pointer(0x188), &other);
	assert_ptr_equal(ke_switch_thread(NULL), &other);
	assert_ptr_equal(KeGetCurrentThread(), before);
}

static void ab_3_gs_shows_the_irql_to_thunks(void **state)
{
	(void)state;
	KIRQL old;
	KeRaiseIrql(DISPATCH_LEVEL, &old);
	assert_int_equal(old, PASSIVE_LEVEL);
	assert_int_equal(gs_irql(), DISPATCH_LEVEL);
	KeLowerIrql(old);
	assert_int_equal(gs_irql(), PASSIVE_LEVEL);
}

static void booting_thread_is_the_system_thread(void **state)
{
	(void)state;
	assert_ptr_equal(KeGetCurrentThread(), ps_system_thread);
	assert_ptr_equal(ke_thread_of(KeGetCurrentThread())->process, PsInitialSystemProcess);
}

struct host_thread_result {
	PKTHREAD thread;
	PEPROCESS process;
	unsigned processors;
	KIRQL irql;
	bool gs_agrees;
};

static void *enter_kernel(void *argument)
{
	struct host_thread_result *result = argument;
	KfRaiseIrql(APC_LEVEL);
	result->thread = KeGetCurrentThread();
	result->process = ke_thread_of(result->thread)->process;
	result->gs_agrees = gs_pointer(0x188) == (void *)result->thread;
	result->irql = KeGetCurrentIrql();
	result->processors = processors();
	return NULL;
}

static void each_host_thread_is_a_processor_while_it_lives(void **state)
{
	(void)state;
	struct host_thread_result result;
	pthread_t thread;
	unsigned before = processors();

	assert_int_equal(pthread_create(&thread, NULL, enter_kernel, &result), 0);
	pthread_join(thread, NULL);
	assert_int_equal(result.processors, before + 1);
	assert_int_equal(result.irql, APC_LEVEL);
	assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
	assert_true(result.gs_agrees);
	assert_int_equal(processors(), before);
}

static void no_two_host_threads_share_a_thread(void **state)
{
	(void)state;
	struct host_thread_result result;
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, enter_kernel, &result), 0);
	pthread_join(thread, NULL);
	assert_ptr_not_equal(result.thread, KeGetCurrentThread());
	assert_ptr_equal(result.process, PsInitialSystemProcess);
}

/* Two host threads call out at once; were the APC counts shared, either would find
 * the other's and take it for a broken rule. */
static void *call_out_often(void *unused)
{
	(void)unused;
	for (int i = 0; i < 200000; i++) {
		struct ke_callout callout;
		ke_callout_begin(&callout, "test", (void *)call_out_often, PASSIVE_LEVEL);
		ke_callout_end(&callout, PASSIVE_LEVEL);
	}
	return NULL;
}

static void vf_5_host_threads_have_apc_counts_of_their_own(void **state)
{
	(void)state;
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, call_out_often, NULL), 0);
	call_out_often(NULL);
	pthread_join(thread, NULL);
	assert_false(rs_crashed());
}

static void *wait_at_barrier(void *barrier)
{
	ke_processor();
	pthread_barrier_wait(barrier);
	pthread_barrier_wait(barrier);
	return NULL;
}

static bool is_own(struct ke_processor *processor, void *unused)
{
	(void)unused;
	return processor == ke_self;
}

static void forked_child_keeps_only_its_own_processor(void **state)
{
	(void)state;
	pthread_barrier_t barrier;
	pthread_t thread;
	int status;
	pthread_barrier_init(&barrier, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, wait_at_barrier, &barrier), 0);
	pthread_barrier_wait(&barrier);
	assert_int_equal(processors(), 2);

	pid_t child = fork();
	if (!child) {
		bool right = processors() == 1 && ke_visit_processors(is_own, NULL) &&
			     gs_pointer(0x188) == (void *)KeGetCurrentThread();
		_exit(right ? 0 : 1);
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(processors(), 2);
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&barrier);
}

static bool stop_visiting(struct ke_processor *processor, void *context)
{
	(void)processor, (void)context;
	return false;
}

static void visiting_stops_when_told(void **state)
{
	(void)state;
	assert_false(ke_visit_processors(stop_visiting, NULL));
}

/* ---- Rules ------------------------------------------------------------------------- */

static void raise_to_a_lower_irql(void *unused)
{
	(void)unused;
	KfRaiseIrql(DISPATCH_LEVEL);
	KfRaiseIrql(APC_LEVEL);
}

static void lower_to_a_higher_irql(void *unused)
{
	(void)unused;
	KfRaiseIrql(APC_LEVEL);
	KfLowerIrql(DISPATCH_LEVEL);
}

static void raise_beyond_high_level(void *unused)
{
	(void)unused;
	KfRaiseIrql(HIGH_LEVEL + 1);
}

static void vf_raising_irql_to_a_lower_one_is_c4_30(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(0xC4, raise_to_a_lower_irql, NULL);
	assert_int_equal(seen->parameter[0], 0x30);
	assert_int_equal(seen->parameter[1], DISPATCH_LEVEL);
	assert_int_equal(seen->parameter[2], APC_LEVEL);
	assert_int_equal(seen->irql, DISPATCH_LEVEL);
	seen = expect_bug_check(0xC4, raise_beyond_high_level, NULL);
	assert_int_equal(seen->parameter[0], 0x30);
}

static void vf_lowering_irql_to_a_higher_one_is_c4_31(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(0xC4, lower_to_a_higher_irql, NULL);
	assert_int_equal(seen->parameter[0], 0x31);
	assert_int_equal(seen->parameter[1], APC_LEVEL);
	assert_int_equal(seen->parameter[2], DISPATCH_LEVEL);
}

static void leave_critical_region_twice(void *unused)
{
	(void)unused;
	KeEnterCriticalRegion();
	KeLeaveCriticalRegion();
	KeLeaveCriticalRegion();
}

static void leave_guarded_region_twice(void *unused)
{
	(void)unused;
	KeEnterGuardedRegion();
	KeLeaveGuardedRegion();
	KeLeaveGuardedRegion();
}

static void vf_6_leaving_a_region_not_entered_is_c4(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check(0xC4, leave_critical_region_twice,
							     NULL);
	assert_int_equal(seen->parameter[0], 0x3E);
	seen = expect_bug_check(0xC4, leave_guarded_region_twice, NULL);
	assert_int_equal(seen->parameter[0], 0x4000E);
}

static void ps_62_apc_questions_follow_regions_and_irql(void **state)
{
	(void)state;
	assert_false(KeAreApcsDisabled());
	assert_false(KeAreAllApcsDisabled());
	KeEnterCriticalRegion();
	KeEnterCriticalRegion();
	KeLeaveCriticalRegion();
	assert_true(KeAreApcsDisabled());
	assert_false(KeAreAllApcsDisabled());
	KeLeaveCriticalRegion();
	KeEnterGuardedRegion();
	assert_true(KeAreApcsDisabled());
	assert_true(KeAreAllApcsDisabled());
	KeLeaveGuardedRegion();
	KIRQL old = KfRaiseIrql(APC_LEVEL);
	assert_true(KeAreApcsDisabled());
	assert_true(KeAreAllApcsDisabled());
	KfLowerIrql(old);
	assert_false(KeAreApcsDisabled());
}

static void ps_62_callout_is_a_critical_region(void **state)
{
	(void)state;
	struct ke_callout callout;
	ke_callout_begin(&callout, "test", (void *)processors, PASSIVE_LEVEL);
	assert_true(KeAreApcsDisabled());
	assert_false(KeAreAllApcsDisabled());
	ke_callout_end(&callout, PASSIVE_LEVEL);
	assert_false(KeAreApcsDisabled());
}

static int boot(void **state)
{
	(void)state;
	return rs_boot(NULL);
}

static int shut_down(void **state)
{
	(void)state;
	rs_shutdown();
	return 0;
}

/* Before the boot and after the shutdown the library is callable all the same. */
static void kernel_that_is_not_up_has_a_current_thread(void **state)
{
	(void)state;
	assert_non_null(KeGetCurrentThread());
	KeEnterCriticalRegion();
	assert_true(KeAreApcsDisabled());
	KeLeaveCriticalRegion();
	assert_int_equal(ExGetPreviousMode(), KernelMode);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(rs_boot(NULL), 0);
		assert_ptr_equal(KeGetCurrentThread(), ps_system_thread);
		rs_shutdown();
		assert_non_null(KeGetCurrentThread());
		assert_ptr_not_equal(KeGetCurrentThread(), ps_system_thread);
	}
}

int main(void)
{
	const struct CMUnitTest down[] = {
		cmocka_unit_test(kernel_that_is_not_up_has_a_current_thread),
	};
	const struct CMUnitTest up[] = {
		cmocka_unit_test(ab_2_gs_shows_the_current_thread),
		cmocka_unit_test(ab_3_gs_shows_the_irql_to_thunks),
		cmocka_unit_test(booting_thread_is_the_system_thread),
		cmocka_unit_test(each_host_thread_is_a_processor_while_it_lives),
		cmocka_unit_test(no_two_host_threads_share_a_thread),
		cmocka_unit_test(vf_5_host_threads_have_apc_counts_of_their_own),
		cmocka_unit_test(forked_child_keeps_only_its_own_processor),
		cmocka_unit_test(visiting_stops_when_told),
		cmocka_unit_test(vf_raising_irql_to_a_lower_one_is_c4_30),
		cmocka_unit_test(vf_lowering_irql_to_a_higher_one_is_c4_31),
		cmocka_unit_test(vf_6_leaving_a_region_not_entered_is_c4),
		cmocka_unit_test(ps_62_apc_questions_follow_regions_and_irql),
		cmocka_unit_test(ps_62_callout_is_a_critical_region),
	};
	int failed = cmocka_run_group_tests_name("kernel down", down, NULL, NULL);
	failed += cmocka_run_group_tests_name("kernel up", up, boot, shut_down);
	return failed;
}
