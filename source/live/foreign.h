/* SPDX-License-Identifier: MIT */
/* Tasks that a debugger has: their ends, and whether they can be ours again. */
#ifndef RINGSIDE_LIVE_FOREIGN_H
#define RINGSIDE_LIVE_FOREIGN_H

#include <stdbool.h>
#include <sys/types.h>

/* The thread that watches starts with the first task. 0 or -errno. */
int live_open_following(void);
void live_close_following(void);

/* Watches a task for its end, and no more. By the tracer. False: it has ended already,
 * or there is no memory. */
bool live_follow(pid_t tid);
void live_unfollow(pid_t tid);

/* The task's debugger has let go, or is about to: it is to be tried until the task is ours
 * again. */
void live_await_return(pid_t tid);
bool live_is_returning(pid_t tid);

/* Whether single threads can be watched (Linux 6.9), or processes only. */
bool live_follows_threads(void);

/* What the watch does when it sees something: requests to the tracer (handover.c). */
void live_tell_foreign_end(pid_t tid, int status);
void live_try_to_reclaim(pid_t tid);

#endif
