/* SPDX-License-Identifier: MIT */
/*
 * Host threads of the kernel's own.
 *
 * Each is a record in a list until it has been joined; one that has ended is joined
 * by the next that is started, or at shutdown. `table.lock` protects the list; it is a
 * leaf.
 *
 * They take no asynchronous signals: those belong to the program around the kernel.
 * The processor's exceptions stay, because drivers run here.
 *
 * At shutdown a helper that sleeps in a wait leaves it for good, one that runs is
 * waited for. A driver's loop that never waits cannot be ended; the process would
 * be left with driver code running in unmapped memory, so it ends, loudly.
 */
#include "ke/helper.h"
#include "ke/bugcheck.h"
#include "ke/dispatcher.h"
#include "ke/thread.h"
#include "memory.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 10 /* seconds */

struct helper {
	struct helper *next;
	pthread_t thread;
	struct ke_helper_work work;
	bool ended;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct helper *first;
	unsigned running;
	bool closed; /* nobody may start any more */
} table = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static atomic_bool ending;
static atomic_uint forks;

static void lock_before_fork(void)
{
	pthread_mutex_lock(&table.lock);
}

static void unlock_in_parent(void)
{
	pthread_mutex_unlock(&table.lock);
}

/* Their threads were not copied; their records are given up, as joining is undefined. */
static void forget_in_child(void)
{
	table.first = NULL;
	table.running = 0;
	pthread_cond_init(&table.changed, NULL);
	pthread_mutex_unlock(&table.lock);
	atomic_fetch_add(&forks, 1);
}

static void protect_against_fork(void)
{
	pthread_atfork(lock_before_fork, unlock_in_parent, forget_in_child);
}

unsigned ke_fork_count(void)
{
	return atomic_load(&forks);
}

bool ke_helpers_end(void)
{
	return atomic_load(&ending);
}

/* After a crash nobody may come to join it: then it goes by itself. */
static void end(struct helper *self)
{
	pthread_mutex_lock(&table.lock);
	self->ended = true;
	table.running--;
	if (ke_crashed()) {
		struct helper **link = &table.first;
		while (*link != self)
			link = &(*link)->next;
		*link = self->next;
		pthread_detach(pthread_self());
		host_free(self);
	}
	pthread_cond_broadcast(&table.changed);
	pthread_mutex_unlock(&table.lock);
}

static void *run(void *argument)
{
	struct helper *self = argument;
	struct ke_processor *processor = ke_attach_as(self->work.thread);
	processor->helper = true;
	ke_guard(self->work.run, self->work.argument);
	if (self->work.thread)
		ke_leave_thread();
	if (self->work.finish)
		self->work.finish(self->work.argument);
	end(self);
	return NULL;
}

/* The records of those that have ended. Under the lock. */
static struct helper *take_ended(void)
{
	struct helper *ended = NULL, **link = &table.first;
	while (*link) {
		struct helper *helper = *link;
		if (!helper->ended) {
			link = &helper->next;
			continue;
		}
		*link = helper->next;
		helper->next = ended;
		ended = helper;
	}
	return ended;
}

static void join(struct helper *helper)
{
	while (helper) {
		struct helper *next = helper->next;
		pthread_join(helper->thread, NULL);
		host_free(helper);
		helper = next;
	}
}

static bool start(struct helper *helper)
{
	sigset_t all, before;
	sigfillset(&all);
	static const int exceptions[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
	for (unsigned i = 0; i < sizeof(exceptions) / sizeof(*exceptions); i++)
		sigdelset(&all, exceptions[i]);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool started = pthread_create(&helper->thread, NULL, run, helper) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

bool ke_start_helper(const struct ke_helper_work *work)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, protect_against_fork);
	struct helper *helper = host_alloc(sizeof(*helper));
	if (!helper)
		return false;
	helper->work = *work;
	pthread_mutex_lock(&table.lock);
	struct helper *ended = take_ended();
	bool started = !table.closed && start(helper); /* it ends under the same lock */
	if (started) {
		helper->next = table.first;
		table.first = helper;
		table.running++;
	}
	pthread_mutex_unlock(&table.lock);
	join(ended);
	if (!started)
		host_free(helper);
	return started;
}

/* Under the lock, which is given up meanwhile. */
static bool all_end_in_time(void)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE;
	while (table.running)
		if (pthread_cond_timedwait(&table.changed, &table.lock, &until) == ETIMEDOUT)
			return table.running == 0;
	return true;
}

void ke_stop_helpers(void (*wake)(void))
{
	pthread_mutex_lock(&table.lock);
	table.closed = true;
	pthread_mutex_unlock(&table.lock);
	atomic_store(&ending, true);
	ke_end_sleepers(true);
	wake();
	pthread_mutex_lock(&table.lock);
	bool all = all_end_in_time();
	struct helper *ended = take_ended();
	table.closed = false;
	pthread_mutex_unlock(&table.lock);
	if (!all) {
		fputs("ringside: a driver's thread neither waits nor ends; the process ends "
		      "under it\n",
		      stderr);
		_exit(125);
	}
	join(ended);
	atomic_store(&ending, false);
	ke_let_sleep();
}
