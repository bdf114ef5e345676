/* SPDX-License-Identifier: MIT */
/*
 * Callbacks that last.
 *
 * A thread that tells drivers something counts its turn up before and after. The
 * watch is a thread that looks at those counts every few milliseconds: one that is
 * odd, and the same as at the last look, is kept by a driver. Then somebody else has
 * to do the thread's work (`relieve`), so that other processes do not wait; and
 * after a second, and again and again, the routine is told to the listeners
 * (RS_CALLBACK_LASTS), while it lasts.
 *
 * So a callback that is quick, as nearly all are, costs two additions to a counter. No clock
 * is read and nobody is woken. When nothing was told for a while the watch sleeps
 * until somebody wakes it: both write their own word before they read the other's, so one of
 * them sees the other.
 *
 * `lock` protects the list and what the watch knows. Nobody is told while it is held.
 * The locks of those who are relieved are taken inside it.
 */
#include "source/live/watch.h"
#include "clock.h"
#include "ex/event.h"
#include "ke/callout.h"
#include "ldr/module.h"
#include <pthread.h>
#include <signal.h>
#include <time.h>

#define TICK 10                 /* ms */
#define KEPT 2u                 /* ticks after which a thread is relieved */
#define FIRST_SHOWN 1000000000u /* ns; then after three times as long, and so on */
#define QUIET 50u               /* ticks without anything told after which the watch sleeps */

atomic_bool live_watch_sleeps;

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	struct live_watched *first;
	bool started, ended;
} watch = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

void live_wake_watch(void)
{
	pthread_mutex_lock(&watch.lock);
	atomic_store(&live_watch_sleeps, false);
	pthread_cond_signal(&watch.changed);
	pthread_mutex_unlock(&watch.lock);
}

void live_watch(struct live_watched *self)
{
	pthread_mutex_lock(&watch.lock);
	self->next = watch.first;
	watch.first = self;
	pthread_mutex_unlock(&watch.lock);
}

void live_unwatch(struct live_watched *self)
{
	pthread_mutex_lock(&watch.lock);
	struct live_watched **link = &watch.first;
	while (*link && *link != self)
		link = &(*link)->next;
	if (*link)
		*link = self->next;
	pthread_mutex_unlock(&watch.lock);
}

/* ---- Looking --------------------------------------------------------------------------- */

/* Whether the thread has moved since the last look, or is about to. */
static bool look(struct live_watched *w)
{
	unsigned turn = atomic_load(&w->turn);
	bool moved = turn != w->seen;
	w->ticks = moved ? 0 : w->ticks + 1;
	w->seen = turn;
	if (moved || !(turn % 2)) {
		w->routine = NULL;
		return moved;
	}
	if (w->ticks == KEPT)
		w->relieve(w);
	return true;
}

/* What keeps the thread. What is seen from outside can be out of date, so a routine counts
 * from the look after the one that found it. */
static bool due(struct live_watched *w, struct rs_event *event)
{
	struct ke_callout callout;
	uint64_t now = host_clock();
	if (w->ticks < KEPT || !live_is_kept(w) || !ke_peek_callout(w->processor, &callout))
		return false;
	if (callout.routine != w->routine) {
		w->routine = callout.routine;
		w->since = now;
		w->shown = 0;
	}
	uint64_t lasted = now - w->since;
	if (!w->routine || lasted < (w->shown ? w->shown * 3 : FIRST_SHOWN))
		return false;
	w->shown = lasted;
	struct ldr_module *module = ldr_module_of(w->routine);
	*event = (struct rs_event){.type = RS_CALLBACK_LASTS};
	event->lasting.module = module ? &module->entry : NULL;
	event->lasting.routine = w->routine;
	event->lasting.duration = lasted;
	event->lasting.host_id = (ULONG64)atomic_load(&w->about);
	return true;
}

static bool look_at_all(void)
{
	bool busy = false;
	for (struct live_watched *w = watch.first; w; w = w->next)
		busy |= look(w);
	return busy;
}

/* Telling happens without the lock, and then the list may be another. */
static void show_due(void)
{
	struct rs_event event;
	struct live_watched *w = watch.first;
	while (w) {
		if (!due(w, &event)) {
			w = w->next;
			continue;
		}
		pthread_mutex_unlock(&watch.lock);
		if (ex_heard())
			ex_tell(&event);
		pthread_mutex_lock(&watch.lock);
		w = watch.first;
	}
}

/* ---- The thread ------------------------------------------------------------------------ */

static void nap(void)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += TICK * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_cond_timedwait(&watch.changed, &watch.lock, &until);
}

static void sleep_until_woken(void)
{
	atomic_store(&live_watch_sleeps, true);
	if (look_at_all())
		atomic_store(&live_watch_sleeps, false);
	while (atomic_load(&live_watch_sleeps) && !watch.ended)
		pthread_cond_wait(&watch.changed, &watch.lock);
}

static void *keep_watch(void *unused)
{
	unsigned quiet = 0;
	pthread_mutex_lock(&watch.lock);
	while (!watch.ended) {
		quiet = look_at_all() ? 0 : quiet + 1;
		show_due();
		if (quiet < QUIET) {
			nap();
		} else {
			sleep_until_woken();
			quiet = 0;
		}
	}
	pthread_mutex_unlock(&watch.lock);
	return unused;
}

int live_start_watch(void)
{
	sigset_t all, before;
	watch.ended = false;
	atomic_store(&live_watch_sleeps, false);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&watch.thread, NULL, keep_watch, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	watch.started = !error;
	return -error;
}

void live_stop_watch(void)
{
	if (!watch.started)
		return;
	pthread_mutex_lock(&watch.lock);
	watch.ended = true;
	pthread_cond_signal(&watch.changed);
	pthread_mutex_unlock(&watch.lock);
	pthread_join(watch.thread, NULL);
	watch.started = false;
}
