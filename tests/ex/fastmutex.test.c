/* SPDX-License-Identifier: MIT */
/* Fast mutexes: exclusion, IRQL, and the mistakes that end in a bug check. */
#include "ex/fastmutex.h"
#include "ke/bugcheck.h"
#include "ke/thread.h"
#include "support/world.h"
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static FAST_MUTEX mutex;

/* As the WDK inlines it. */
static void initialize(void)
{
	mutex.Count = 1;
	mutex.Owner = NULL;
	mutex.Contention = 0;
	KeInitializeEvent(&mutex.Event, SynchronizationEvent, FALSE);
}

static void ab_17_initialized_event_has_nt_layout(void **state)
{
	(void)state;
	const struct {
		UCHAR type, signalling, size, reserved;
		LONG state;
		LIST_ENTRY waiters;
	} *raw = (const void *)&mutex.Event;
	memset(&mutex.Event, 0x55, sizeof(mutex.Event));
	KeInitializeEvent(&mutex.Event, SynchronizationEvent, TRUE);
	assert_int_equal(raw->type, 1);
	assert_int_equal(raw->size, 6);
	assert_int_equal(raw->state, 1);
	assert_ptr_equal(raw->waiters.Flink, &raw->waiters);
	assert_ptr_equal(raw->waiters.Blink, &raw->waiters);
}

static void ab_18_acquiring_raises_to_apc_level_and_releasing_goes_back(void **state)
{
	(void)state;
	initialize();
	ExAcquireFastMutex(&mutex);
	assert_int_equal(KeGetCurrentIrql(), APC_LEVEL);
	assert_ptr_equal(mutex.Owner, KeGetCurrentThread());
	assert_int_equal(mutex.OldIrql, PASSIVE_LEVEL);
	ExReleaseFastMutex(&mutex);
	assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
	assert_null(mutex.Owner);
	assert_int_equal(mutex.Count, 1);

	ke_set_irql(APC_LEVEL);
	ExAcquireFastMutex(&mutex);
	ExReleaseFastMutex(&mutex);
	assert_int_equal(KeGetCurrentIrql(), APC_LEVEL);
	ke_set_irql(PASSIVE_LEVEL);
}

static void *try_elsewhere(void *unused)
{
	(void)unused;
	BOOLEAN got = ExTryToAcquireFastMutex(&mutex);
	KIRQL irql = KeGetCurrentIrql();
	if (got)
		ExReleaseFastMutex(&mutex);
	return (void *)(uintptr_t)(got << 8 | irql);
}

static uintptr_t try_on_another_thread(void)
{
	pthread_t thread;
	void *result;
	assert_int_equal(pthread_create(&thread, NULL, try_elsewhere, NULL), 0);
	pthread_join(thread, &result);
	return (uintptr_t)result;
}

static void wdk_trying_fails_at_the_old_irql_while_held(void **state)
{
	(void)state;
	initialize();
	ExAcquireFastMutex(&mutex);
	assert_int_equal(try_on_another_thread(), PASSIVE_LEVEL);
	ExReleaseFastMutex(&mutex);
	assert_int_equal(try_on_another_thread(), 1 << 8 | APC_LEVEL);
}

#define THREADS 4
#define ROUNDS 50000

static unsigned long counter; /* not atomic: the mutex is what makes it right */

static void *count(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		ExAcquireFastMutex(&mutex);
		unsigned long seen = counter;
		if (i % 64 == 0)
			sched_yield(); /* somebody shall have to wait */
		counter = seen + 1;
		ExReleaseFastMutex(&mutex);
	}
	return NULL;
}

static void one_thread_at_a_time(void **state)
{
	(void)state;
	pthread_t threads[THREADS];
	initialize();
	counter = 0;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(counter, THREADS * ROUNDS);
	assert_int_equal(mutex.Count, 1);
	assert_true(mutex.Contention > 0);
}

/* ---- Mistakes ---------------------------------------------------------------------- */

static ULONG code;
static ULONG64 parameter;

static void hear(void *context, const struct rs_event *event)
{
	(void)context;
	if (event->type == RS_BUG_CHECK) {
		code = event->bug_check.code;
		parameter = event->bug_check.parameter[0];
	}
}

/* A bug check is for ever, so each mistake is made in a process of its own; its exit
 * status says whether the bug check was the right one. */
static int make(void (*mistake)(void *), ULONG expected, ULONG64 first)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		if (rs_boot(NULL) || rs_listen(hear, NULL))
			_exit(2);
		initialize();
		if (ke_guard(mistake, NULL))
			_exit(3);
		_exit(code == expected && (!first || parameter == first) ? 0 : 4);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void acquire_at_dispatch(void *unused)
{
	(void)unused;
	ke_set_irql(DISPATCH_LEVEL);
	ExAcquireFastMutex(&mutex);
}

static void try_at_dispatch(void *unused)
{
	(void)unused;
	ke_set_irql(DISPATCH_LEVEL);
	ExTryToAcquireFastMutex(&mutex);
}

static void release_at_passive(void *unused)
{
	(void)unused;
	ExAcquireFastMutex(&mutex);
	ke_set_irql(PASSIVE_LEVEL);
	ExReleaseFastMutex(&mutex);
}

static void acquire_twice(void *unused)
{
	(void)unused;
	ExAcquireFastMutex(&mutex);
	ExAcquireFastMutex(&mutex);
}

static void release_free(void *unused)
{
	(void)unused;
	ke_set_irql(APC_LEVEL);
	ExReleaseFastMutex(&mutex);
}

static void *acquire_only(void *unused)
{
	(void)unused;
	ExAcquireFastMutex(&mutex);
	return NULL;
}

static void release_of_another(void *unused)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, acquire_only, unused) == 0)
		pthread_join(thread, NULL);
	release_free(NULL);
}

static void vf_11_irql_is_checked(void **state)
{
	(void)state;
	assert_int_equal(make(acquire_at_dispatch, 0xC4, 0x33), 0);
	assert_int_equal(make(try_at_dispatch, 0xC4, 0x33), 0);
	assert_int_equal(make(release_at_passive, 0xC4, 0x34), 0);
}

static void holding_is_checked(void **state)
{
	(void)state;
	assert_int_equal(make(acquire_twice, (ULONG)KE_CALLBACK_RULE_VIOLATION, 0), 0);
	assert_int_equal(make(release_free, KE_THREAD_NOT_MUTEX_OWNER, 0), 0);
	assert_int_equal(make(release_of_another, KE_THREAD_NOT_MUTEX_OWNER, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vf_11_irql_is_checked),
		cmocka_unit_test(holding_is_checked),
		WORLD_TEST(ab_17_initialized_event_has_nt_layout),
		WORLD_TEST(ab_18_acquiring_raises_to_apc_level_and_releasing_goes_back),
		WORLD_TEST(wdk_trying_fails_at_the_old_irql_while_held),
		WORLD_TEST(one_thread_at_a_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
