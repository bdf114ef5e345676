/* SPDX-License-Identifier: MIT */
/* Spin locks, reader-writer spin locks and guarded mutexes: exclusion and IRQL. */
#include "ke/bugcheck.h"
#include "ke/guardedmutex.h"
#include "ke/processor.h"
#include "ke/spinlock.h"
#include "ke/thread.h"
#include "ke/time.h"
#include "support/bugcheck.h"
#include "support/parallel.h"
#include "support/world.h"

#define THREADS 4
#define ROUNDS 5000

static struct {
	KSPIN_LOCK spin;
	EX_SPIN_LOCK shared;
	KGUARDED_MUTEX guarded;
	unsigned long counter; /* not atomic: the lock makes it right */
	atomic_ulong seen;
} contest;

static void count_spinning(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		KIRQL old = KeAcquireSpinLockRaiseToDpc(&contest.spin);
		contest.counter++;
		KeReleaseSpinLock(&contest.spin, old);
	}
}

static void count_queued(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		KLOCK_QUEUE_HANDLE handle;
		KeAcquireInStackQueuedSpinLock(&contest.spin, &handle);
		contest.counter++;
		KeReleaseInStackQueuedSpinLock(&handle);
	}
}

static void count_exclusive(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		KIRQL old = ExAcquireSpinLockExclusive(&contest.shared);
		contest.counter++;
		ExReleaseSpinLockExclusive(&contest.shared, old);
		old = ExAcquireSpinLockShared(&contest.shared);
		atomic_store(&contest.seen, contest.counter); /* a race if a writer were inside */
		ExReleaseSpinLockShared(&contest.shared, old);
	}
}

static void count_guarded(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		KeAcquireGuardedMutex(&contest.guarded);
		contest.counter++;
		KeReleaseGuardedMutex(&contest.guarded);
	}
}

static void one_thread_at_a_time(void **state)
{
	(void)state;
	void (*const ways[])(void *) = {count_spinning, count_queued, count_exclusive,
					count_guarded};
	KeInitializeSpinLock(&contest.spin);
	KeInitializeGuardedMutex(&contest.guarded);
	for (unsigned way = 0; way < sizeof(ways) / sizeof(*ways); way++) {
		struct job job[THREADS];
		contest.counter = 0;
		for (int i = 0; i < THREADS; i++)
			job_start(&job[i], ways[way], NULL);
		for (int i = 0; i < THREADS; i++)
			job_join(&job[i]);
		assert_int_equal(contest.counter, THREADS * ROUNDS);
	}
}

static void wdk_irql_rises_and_returns(void **state)
{
	(void)state;
	KSPIN_LOCK lock = 0;
	EX_SPIN_LOCK shared = 0;
	KIRQL outer = KfRaiseIrql(APC_LEVEL);
	KIRQL old = KeAcquireSpinLockRaiseToDpc(&lock);
	assert_int_equal(old, APC_LEVEL);
	assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
	assert_false(KeTestSpinLock(&lock));
	assert_false(KeTryToAcquireSpinLockAtDpcLevel(&lock));
	KeReleaseSpinLock(&lock, old);
	assert_true(KeTestSpinLock(&lock));
	old = ExAcquireSpinLockShared(&shared);
	assert_true(ExTryConvertSharedSpinLockExclusive(&shared));
	assert_false(ExTryConvertSharedSpinLockExclusive(&shared));
	ExReleaseSpinLockExclusive(&shared, old);
	assert_int_equal(shared, 0);
	assert_int_equal(KeGetCurrentIrql(), APC_LEVEL);
	KfLowerIrql(outer);
}

static void readers_are_inside_together(void **state)
{
	(void)state;
	EX_SPIN_LOCK lock = 0;
	KIRQL old = ExAcquireSpinLockShared(&lock);
	ExAcquireSpinLockSharedAtDpcLevel(&lock);
	assert_false(ExTryConvertSharedSpinLockExclusive(&lock));
	ExReleaseSpinLockSharedFromDpcLevel(&lock);
	ExReleaseSpinLockShared(&lock, old);
}

static void guarded_mutex_keeps_all_apcs_out(void **state)
{
	(void)state;
	KGUARDED_MUTEX mutex;
	KeInitializeGuardedMutex(&mutex);
	KeAcquireGuardedMutex(&mutex);
	assert_true(KeAreAllApcsDisabled());
	assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
	assert_false(KeTryToAcquireGuardedMutex(&mutex));
	KeReleaseGuardedMutex(&mutex);
	assert_false(KeAreAllApcsDisabled());
	assert_true(KeTryToAcquireGuardedMutex(&mutex));
	KeReleaseGuardedMutex(&mutex);
}

static void interlocked_lists_tell_what_was_first(void **state)
{
	(void)state;
	KSPIN_LOCK lock = 0;
	LIST_ENTRY head = {&head, &head}, a, b;
	assert_null(ExInterlockedRemoveHeadList(&head, &lock));
	assert_null(ExInterlockedInsertTailList(&head, &a, &lock));
	assert_ptr_equal(ExInterlockedInsertTailList(&head, &b, &lock), &a);
	assert_ptr_equal(ExInterlockedRemoveHeadList(&head, &lock), &a);
	assert_ptr_equal(ExInterlockedInsertHeadList(&head, &a, &lock), &b);
	assert_ptr_equal(head.Flink, &a);
	ULONG number = 5;
	assert_int_equal(ExInterlockedAddUlong(&number, 2, &lock), 5);
	assert_int_equal(number, 7);
}

static void processors_are_numbered_below_their_count(void **state)
{
	(void)state;
	KAFFINITY mask;
	PROCESSOR_NUMBER number;
	ULONG count = KeQueryActiveProcessorCount(&mask);
	assert_in_range(count, 1, 64);
	assert_int_equal(__builtin_popcountll(mask), count);
	assert_int_equal(KeQueryActiveProcessorCountEx(1), 0);
	for (ULONG i = 0; i < count; i++) {
		KAFFINITY before = KeSetSystemAffinityThreadEx(1ull << i);
		assert_int_equal(KeGetCurrentProcessorNumberEx(&number), i);
		assert_int_equal(KeGetCurrentProcessorNumber(), i);
		assert_int_equal(number.Number, i);
		assert_int_equal(ke_processor()->pcr.number, i); /* as inline code reads it */
		KeRevertToUserAffinityThreadEx(before);
	}
	KAFFINITY_EX set;
	KeInitializeAffinityEx(&set);
	assert_int_equal(set.Bitmap[0], 0);
	for (ULONG i = 0; i <= count; i++)
		KeAddProcessorAffinityEx(&set, i);
	assert_int_equal(set.Bitmap[0], mask);
	assert_status(KeGetProcessorNumberFromIndex(count, &number), STATUS_INVALID_PARAMETER);
}

static void clocks_go_forward(void **state)
{
	(void)state;
	LARGE_INTEGER frequency, before = KeQueryPerformanceCounter(&frequency);
	KeStallExecutionProcessor(1000);
	assert_true(KeQueryPerformanceCounter(NULL).QuadPart - before.QuadPart >=
		    frequency.QuadPart / 1000);
}

/* ---- Mistakes ------------------------------------------------------------------------- */

static void release_exclusive_that_is_free(void *unused)
{
	(void)unused;
	EX_SPIN_LOCK lock = 0;
	ke_set_irql(DISPATCH_LEVEL);
	ExReleaseSpinLockExclusive(&lock, PASSIVE_LEVEL);
}

static void release_shared_that_is_free(void *unused)
{
	(void)unused;
	EX_SPIN_LOCK lock = 0;
	ke_set_irql(DISPATCH_LEVEL);
	ExReleaseSpinLockShared(&lock, PASSIVE_LEVEL);
}

static void release_guarded_that_is_free(void *unused)
{
	(void)unused;
	KGUARDED_MUTEX mutex;
	KeInitializeGuardedMutex(&mutex);
	KeReleaseGuardedMutex(&mutex);
}

static void vf_7_releasing_what_is_not_held(void **state)
{
	(void)state;
	assert_int_equal(expect_bug_check(0xC4, release_exclusive_that_is_free, NULL)->parameter[0],
			 0x40009);
	assert_int_equal(expect_bug_check(0xC4, release_shared_that_is_free, NULL)->parameter[0],
			 0x40009);
	expect_bug_check(KE_THREAD_NOT_MUTEX_OWNER, release_guarded_that_is_free, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(one_thread_at_a_time),
		WORLD_TEST(wdk_irql_rises_and_returns),
		WORLD_TEST(readers_are_inside_together),
		WORLD_TEST(guarded_mutex_keeps_all_apcs_out),
		WORLD_TEST(interlocked_lists_tell_what_was_first),
		WORLD_TEST(processors_are_numbered_below_their_count),
		WORLD_TEST(clocks_go_forward),
		WORLD_TEST(vf_7_releasing_what_is_not_held),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
