/* SPDX-License-Identifier: MIT */
/*
 * What a dispatch costs, per callback.
 *
 * Compared in the same rounds: a bare indirect call through an array of pointers;
 * the walk of ex/callback.c around the same call; the whole thread dispatch of
 * ps/, with the state that a routine is promised and the checks after it; and the
 * scheme that NT is known for, a fast reference: a pointer with a small count in
 * its low bits that is taken and given back by compare-and-exchange.
 */
#include "bench/measure.h"
#include "ex/callback.h"
#include "ke/callout.h"
#include "ps/notify.h"
#include <pthread.h>
#include <ringside/ringside.h>
#include <stdatomic.h>
#include <string.h>

#define MOST_ROUTINES 64
#define CALLS_PER_ROUND 400000u
#define ROUNDS 101

/* What a routine that does next to nothing does. Not shared between threads. */
static _Thread_local volatile uint64_t counter;

static VOID NTAPI routine(HANDLE process, HANDLE thread, BOOLEAN create)
{
	counter += (uint64_t)(uintptr_t)process + (uint64_t)(uintptr_t)thread + create;
}

static unsigned routines;
static PCREATE_THREAD_NOTIFY_ROUTINE volatile bare[MOST_ROUTINES];
static PETHREAD thread_of_round[2];

static void run_bare(void *argument, uint64_t iterations)
{
	(void)argument;
	for (uint64_t i = 0; i < iterations; i++)
		for (unsigned r = 0; r < routines; r++)
			bare[r]((HANDLE)4, (HANDLE)8, FALSE);
}

/* ---- Ours: the mechanism alone -------------------------------------------------- */

static struct ex_callback_list list = EX_CALLBACK_LIST_INIT;
static struct ex_callback entries[MOST_ROUTINES];

static int by_address(const struct ex_callback *a, const struct ex_callback *b)
{
	return (a > b) - (a < b);
}

static void run_walk(void *argument, uint64_t iterations)
{
	(void)argument;
	for (uint64_t i = 0; i < iterations; i++) {
		struct ex_walk walk;
		struct ex_callback *callback;
		ex_walk_begin(&walk, &list);
		while ((callback = ex_walk_next(&walk)))
			((PCREATE_THREAD_NOTIFY_ROUTINE)(uintptr_t)callback->routine)(
				(HANDLE)4, (HANDLE)8, FALSE);
		ex_walk_end(&walk);
	}
}

/* ---- Ours: the whole dispatch ------------------------------------------------------ */

static void run_dispatch(void *argument, uint64_t iterations)
{
	PETHREAD thread = argument;
	for (uint64_t i = 0; i < iterations; i++)
		ps_notify_thread_exit(thread);
}

/* ---- A fast reference ------------------------------------------------------------- */

#define FAST_REFERENCES 15u

struct block {
	_Atomic int64_t references; /* beyond the fast ones */
	PCREATE_THREAD_NOTIFY_ROUTINE routine;
} __attribute__((aligned(16)));

static struct block blocks[MOST_ROUTINES];
static _Atomic uintptr_t slots[MOST_ROUTINES];

static struct block *take(_Atomic uintptr_t *slot)
{
	uintptr_t value = atomic_load_explicit(slot, memory_order_relaxed);
	while (value & FAST_REFERENCES)
		if (atomic_compare_exchange_weak(slot, &value, value - 1))
			return (struct block *)(value & ~(uintptr_t)FAST_REFERENCES);
	struct block *block = (struct block *)value;
	if (block)
		atomic_fetch_add(&block->references, 1);
	return block;
}

static void give_back(_Atomic uintptr_t *slot, struct block *block)
{
	uintptr_t value = atomic_load_explicit(slot, memory_order_relaxed);
	while ((value & ~(uintptr_t)FAST_REFERENCES) == (uintptr_t)block &&
	       (value & FAST_REFERENCES) != FAST_REFERENCES)
		if (atomic_compare_exchange_weak(slot, &value, value + 1))
			return;
	atomic_fetch_sub(&block->references, 1);
}

static void run_fast_reference(void *argument, uint64_t iterations)
{
	(void)argument;
	for (uint64_t i = 0; i < iterations; i++)
		for (unsigned r = 0; r < routines; r++) {
			struct block *block = take(&slots[r]);
			if (!block)
				continue;
			block->routine((HANDLE)4, (HANDLE)8, FALSE);
			give_back(&slots[r], block);
		}
}

/* ---- One thread, two threads ---------------------------------------------------------- */

typedef void run(void *argument, uint64_t iterations);

struct racer {
	run *what;
	void *argument;
	uint64_t iterations;
	pthread_barrier_t *start;
	double result;
};

static void *race(void *argument)
{
	struct racer *racer = argument;
	rs_become(racer->argument);
	pthread_barrier_wait(racer->start);
	racer->result = bench_time(racer->what, racer->argument, racer->iterations);
	rs_become(NULL);
	return NULL;
}

/* Per iteration, with `threads` doing the same at once. */
static double measure(run *what, unsigned threads)
{
	uint64_t iterations = CALLS_PER_ROUND / routines;
	if (threads == 1)
		return bench_time(what, thread_of_round[0], iterations);
	pthread_barrier_t start;
	pthread_t id[2];
	struct racer racer[2];
	pthread_barrier_init(&start, NULL, 2);
	for (unsigned i = 0; i < 2; i++) {
		racer[i] = (struct racer){what, thread_of_round[i], iterations * 4, &start, 0};
		pthread_create(&id[i], NULL, race, &racer[i]);
	}
	for (unsigned i = 0; i < 2; i++)
		pthread_join(id[i], NULL);
	pthread_barrier_destroy(&start);
	return (racer[0].result + racer[1].result) / 2;
}

static int compare(unsigned threads)
{
	struct bench_series bare_ns = {0}, walk_ns = {0}, whole_ns = {0}, fast_ns = {0};
	struct bench_series walk = {0}, whole = {0}, fast = {0};
	unsigned rounds = threads == 1 ? ROUNDS : ROUNDS / 3;
	for (unsigned i = 0; i < rounds; i++) {
		double b = measure(run_bare, threads), w = measure(run_walk, threads);
		double d = measure(run_dispatch, threads), f = measure(run_fast_reference, threads);
		bench_note(&bare_ns, b / routines);
		bench_note(&walk_ns, w / routines);
		bench_note(&whole_ns, d / routines);
		bench_note(&fast_ns, f / routines);
		bench_note(&walk, w / b);
		bench_note(&whole, d / b);
		bench_note(&fast, f / w);
	}
	char what[80];
	int failed = 0;
	printf("%u routine%s, %u thread%s: bare %.2f ns, walk %.2f, whole dispatch %.2f, fast "
	       "reference %.2f\n",
	       routines, routines == 1 ? "" : "s", threads, threads == 1 ? "" : "s",
	       bench_median(&bare_ns), bench_median(&walk_ns), bench_median(&whole_ns),
	       bench_median(&fast_ns));
	snprintf(what, sizeof what, "walk / bare indirect call, %u routines, %u threads", routines,
		 threads);
	failed += bench_ratio(what, bench_median(&walk), "<=", 1.2);
	snprintf(what, sizeof what, "fast reference / walk, %u routines, %u threads", routines,
		 threads);
	failed += bench_ratio(what, bench_median(&fast), ">=", threads == 1 ? 2 : 4);
	printf("  %-62s %6.2f x\n", "whole dispatch, rule checks included / bare indirect call",
	       bench_median(&whole));
	return failed;
}

static void set_up(unsigned count)
{
	for (; routines < count; routines++) {
		bare[routines] = routine;
		blocks[routines].routine = routine;
		slots[routines] = (uintptr_t)&blocks[routines] | FAST_REFERENCES;
		entries[routines].routine = (const void *)routine;
		ex_add(&list, &entries[routines], by_address);
		PsSetCreateThreadNotifyRoutine(routine);
	}
}

int main(void)
{
	int failed = 0;
	PEPROCESS process;
	if (rs_boot(NULL) || rs_declare_program("bench.sys", true))
		return 1;
	struct rs_process_spec spec = {.image = "\\??\\C:\\bench.exe"};
	rs_create_process(&spec, &process);
	for (unsigned i = 0; i < 2; i++)
		rs_create_thread(process, &thread_of_round[i]);
	rs_become(thread_of_round[0]);
	printf("Dispatch, per callback (medians of %d rounds, ratios within a round)\n", ROUNDS);
	static const unsigned counts[] = {1, 8, 64};
	for (unsigned i = 0; i < 3; i++) {
		set_up(counts[i]);
		failed += compare(1);
		failed += compare(2);
	}
	return failed != 0;
}
