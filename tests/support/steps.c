/* SPDX-License-Identifier: MIT */
#include "support/steps.h"
#include "ke/thread.h"
#include "support/parallel.h"
#include <signal.h>
#include <stdint.h>
#include <time.h>
#include <ucontext.h>

#define TRAP_FLAG 0x100

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#else
#define THREAD_SANITIZER 0
#endif

/* AddressSanitizer makes eight instructions of one, and the time is quadratic. */
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define STRIDE 7
#else
#define STRIDE 1
#endif

static struct {
	const struct steps *steps;
	unsigned wanted, count; /* count: of the working thread alone */
	bool reached, over;
	struct gate stopped, go_on;           /* the worker stands at the instruction */
	struct gate work, worked, act, acted; /* one run of each thread's part */
	atomic_bool has_acted;
} run;

/* On the working thread, after each of its instructions. */
static void on_step(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	if (++run.count < run.wanted)
		return;
	ucontext_t *interrupted = context;
	interrupted->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
	run.reached = true;
	gate_open(&run.stopped);
	gate_wait(&run.go_on);
}

void steps_begin(void)
{
	if (run.reached)
		return;
	__asm__ volatile("sub $128, %%rsp\n\t" /* the red zone */
			 "pushfq\n\t"
			 "orl %0, (%%rsp)\n\t"
			 "popfq\n\t"
			 "lea 128(%%rsp), %%rsp"
			 :
			 : "i"(TRAP_FLAG)
			 : "memory", "cc");
}

void steps_end(void)
{
	__asm__ volatile("sub $128, %%rsp\n\t"
			 "pushfq\n\t"
			 "andl %0, (%%rsp)\n\t"
			 "popfq\n\t"
			 "lea 128(%%rsp), %%rsp"
			 :
			 : "i"(~TRAP_FLAG)
			 : "memory", "cc");
}

static void work(void *unused)
{
	(void)unused;
	ke_processor(); /* joining the kernel is no part of it */
	while (gate_wait(&run.work) && !run.over) {
		run.steps->work();
		if (!run.reached)
			gate_open(&run.stopped);
		gate_open(&run.worked);
	}
}

static void act(void *unused)
{
	(void)unused;
	while (gate_wait(&run.act) && !run.over) {
		run.steps->act();
		atomic_store(&run.has_acted, true);
		gate_open(&run.acted);
	}
}

/* Whether the act ends by itself: at once, or within the moment that a busy machine
 * needs. Too little patience makes a run less sharp, not wrong. */
static bool act_ends(void)
{
	for (unsigned i = 0; i < 40; i++) {
		if (atomic_load(&run.has_acted))
			return true;
		nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
	}
	return false;
}

/* False when the work has fewer instructions. */
static bool run_stopped_at(unsigned instruction, unsigned *waited)
{
	run.wanted = instruction;
	run.count = 0;
	run.reached = false;
	atomic_store(&run.has_acted, false);
	run.steps->prepare();
	gate_open(&run.work);
	gate_wait(&run.stopped);
	bool reached = run.reached;
	gate_open(&run.act);
	*waited += !act_ends();
	if (reached)
		gate_open(&run.go_on);
	gate_wait(&run.acted);
	gate_wait(&run.worked);
	return reached;
}

unsigned run_at_every_instruction(const struct steps *steps, unsigned *waited)
{
	struct sigaction step = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO}, before;
	struct gate *gates[] = {&run.stopped, &run.go_on, &run.work,
				&run.worked,  &run.act,   &run.acted};
	struct job worker, actor;
	*waited = 0;
	if (THREAD_SANITIZER)
		return 0;
	for (unsigned i = 0; i < 6; i++)
		gate_init(gates[i]);
	run.steps = steps;
	run.over = false;
	sigaction(SIGTRAP, &step, &before);
	job_start(&worker, work, NULL);
	job_start(&actor, act, NULL);
	unsigned places = 0;
	while (run_stopped_at(1 + places * STRIDE, waited))
		places++;
	run.over = true;
	gate_open(&run.work);
	gate_open(&run.act);
	job_join(&worker);
	job_join(&actor);
	sigaction(SIGTRAP, &before, NULL);
	return places;
}
