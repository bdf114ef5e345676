/* SPDX-License-Identifier: MIT */
/* How long drivers keep the threads that tell them about the tree. */
#ifndef RINGSIDE_LIVE_WATCH_H
#define RINGSIDE_LIVE_WATCH_H

#include "ke/thread.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* One of those threads. */
struct live_watched {
	/* Set before live_watch. */
	struct ke_processor *processor;         /* the thread's own */
	void (*relieve)(struct live_watched *); /* it is kept: somebody must stand in for it */

	_Atomic unsigned turn; /* odd: it is telling, so a driver may keep it */
	_Atomic pid_t about;   /* the task that it tells of */

	/* The watch's own. */
	struct live_watched *next;
	unsigned seen, ticks;
	const void *routine;
	uint64_t since, shown; /* when it was found; after how long it was last told */
};

/* Whether the watch sleeps, because nobody has told anything for a while. */
extern atomic_bool live_watch_sleeps;
void live_wake_watch(void);

/* Around everything that can call a driver. A store, a load and no call: the watch
 * looks from outside. */
static inline void live_watch_enter(struct live_watched *self, pid_t about)
{
	atomic_store_explicit(&self->about, about, memory_order_relaxed);
	atomic_fetch_add(&self->turn, 1); /* before the load: or both sides would miss each other */
	if (atomic_load(&live_watch_sleeps))
		live_wake_watch();
}

static inline void live_watch_leave(struct live_watched *self)
{
	atomic_fetch_add_explicit(&self->turn, 1, memory_order_release);
}

/* Whether it is still where the watch found it. */
static inline bool live_is_kept(const struct live_watched *watched)
{
	return atomic_load(&watched->turn) == watched->seen && watched->seen % 2;
}

/* Watches the calling thread, until it says live_unwatch. */
void live_watch(struct live_watched *self);
void live_unwatch(struct live_watched *self);

/* Before the first and after the last. 0 or -errno. */
int live_start_watch(void);
void live_stop_watch(void);

#endif
