/* SPDX-License-Identifier: MIT */
/*
 * Registrations come and go while other threads dispatch: everything is counted.
 *
 * Dispatchers call the thread-exit routines in a loop. Two registrars register and
 * unregister routines of their own in rounds. Two permanent routines, in the
 * lowest slot and in one behind the others', must be called exactly once by every
 * dispatch; a temporary one never after its removal returned, and exactly once by a
 * dispatch that began after its registration had returned and ended before its
 * removal began.
 */
#include "ps/notify.h"
#include "support/world.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define DISPATCHES 500000ull
#define ROUNDS 500u
#else
#define DISPATCHES 6000000ull
#define ROUNDS 1500u
#endif
#define DISPATCHERS 2
#define REGISTRARS 2

static _Thread_local struct {
	unsigned first, last, temporary[REGISTRARS];
} seen;

static struct {
	_Atomic bool may_be_called; /* from before registration until removal returned */
	_Atomic uint64_t stable;    /* the round, while surely registered; else 0 */
	_Atomic uint64_t late, calls;
} temporary[REGISTRARS];

static _Atomic bool stop;
static _Atomic uint64_t lost, twice, dispatches, checked;

static VOID NTAPI first_routine(HANDLE process, HANDLE thread, BOOLEAN create)
{
	(void)process, (void)thread, (void)create;
	seen.first++;
}

static VOID NTAPI last_routine(HANDLE process, HANDLE thread, BOOLEAN create)
{
	(void)process, (void)thread, (void)create;
	seen.last++;
}

static void temporary_called(unsigned i)
{
	if (!atomic_load(&temporary[i].may_be_called))
		atomic_fetch_add(&temporary[i].late, 1);
	seen.temporary[i]++;
}

static VOID NTAPI temporary0(HANDLE process, HANDLE thread, BOOLEAN create)
{
	(void)process, (void)thread, (void)create;
	temporary_called(0);
}

static VOID NTAPI temporary1(HANDLE process, HANDLE thread, BOOLEAN create)
{
	(void)process, (void)thread, (void)create;
	temporary_called(1);
}

static const PCREATE_THREAD_NOTIFY_ROUTINE temporary_routine[REGISTRARS] = {temporary0, temporary1};

static void dispatch_once(PETHREAD thread)
{
	uint64_t before[REGISTRARS];
	for (unsigned i = 0; i < REGISTRARS; i++)
		before[i] = atomic_load(&temporary[i].stable);
	seen.first = seen.last = 0;
	for (unsigned i = 0; i < REGISTRARS; i++)
		seen.temporary[i] = 0;
	ps_notify_thread_exit(thread);
	if (seen.first != 1 || seen.last != 1)
		atomic_fetch_add(seen.first == 0 || seen.last == 0 ? &lost : &twice, 1);
	for (unsigned i = 0; i < REGISTRARS; i++) {
		if (seen.temporary[i] > 1)
			atomic_fetch_add(&twice, 1);
		if (!before[i] || before[i] != atomic_load(&temporary[i].stable))
			continue;
		atomic_fetch_add_explicit(&checked, 1, memory_order_relaxed);
		if (seen.temporary[i] != 1)
			atomic_fetch_add(&lost, 1);
	}
}

static void *dispatcher(void *argument)
{
	struct actor *actor = argument;
	uint64_t done = 0;
	rs_become(actor->thread);
	while (done < DISPATCHES || !atomic_load_explicit(&stop, memory_order_relaxed)) {
		dispatch_once(actor->thread);
		done++;
	}
	atomic_fetch_add(&dispatches, done);
	rs_become(NULL);
	return NULL;
}

static void *registrar(void *argument)
{
	unsigned i = (unsigned)(uintptr_t)argument;
	for (uint64_t round = 1; round <= ROUNDS; round++) {
		atomic_store(&temporary[i].may_be_called, true);
		if (PsSetCreateThreadNotifyRoutine(temporary_routine[i]) != STATUS_SUCCESS)
			abort();
		atomic_store(&temporary[i].stable, round);
		for (unsigned pause = 0; pause < round % 7; pause++)
			sched_yield();
		atomic_store(&temporary[i].stable, 0);
		if (PsRemoveCreateThreadNotifyRoutine(temporary_routine[i]) != STATUS_SUCCESS)
			abort();
		atomic_store(&temporary[i].may_be_called, false);
	}
	return NULL;
}

static void ps_22_ps_24_ps_30_no_call_is_lost_doubled_or_late_under_stress(void **state)
{
	(void)state;
	pthread_t dispatchers[DISPATCHERS], registrars[REGISTRARS];
	struct actor actors[DISPATCHERS];
	for (unsigned i = 0; i < DISPATCHERS; i++)
		actors[i] = actor_start("\\??\\C:\\stress.exe");
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(first_routine));
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(last_routine));
	for (uintptr_t i = 0; i < REGISTRARS; i++)
		pthread_create(&registrars[i], NULL, registrar, (void *)i);
	for (unsigned i = 0; i < DISPATCHERS; i++)
		pthread_create(&dispatchers[i], NULL, dispatcher, &actors[i]);
	for (unsigned i = 0; i < REGISTRARS; i++)
		pthread_join(registrars[i], NULL);
	atomic_store(&stop, true);
	for (unsigned i = 0; i < DISPATCHERS; i++)
		pthread_join(dispatchers[i], NULL);

	print_message("%llu dispatches against %u rounds, %llu of them checked for a temporary "
		      "routine\n",
		      (unsigned long long)dispatches, ROUNDS * REGISTRARS,
		      (unsigned long long)checked);
	assert_int_equal(lost, 0);
	assert_int_equal(twice, 0);
	for (unsigned i = 0; i < REGISTRARS; i++)
		assert_int_equal(temporary[i].late, 0);
	assert_true(dispatches >= DISPATCHERS * DISPATCHES);
	assert_true(checked > 0);
	assert_ntsuccess(PsRemoveCreateThreadNotifyRoutine(first_routine));
	assert_ntsuccess(PsRemoveCreateThreadNotifyRoutine(last_routine));
	for (unsigned i = 0; i < DISPATCHERS; i++)
		actor_end(&actors[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ps_22_ps_24_ps_30_no_call_is_lost_doubled_or_late_under_stress),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
