/* SPDX-License-Identifier: MIT */
/* Following tasks with ptrace, on the thread that calls these. */
#ifndef RINGSIDE_LIVE_TRACER_H
#define RINGSIDE_LIVE_TRACER_H

#include "source/live/task.h"

/* Takes a child of this thread under supervision: seized, placed, told as a fork
 * of `launcher`. Whether the kernel kills the whole tree when this process dies is
 * settled here. 0 or -errno. */
int live_seize(struct live_task *launcher, pid_t child, bool dies_with_us);

/* For tasks that come back from a debugger, or were born under one (handover.c). The tracer's
 * lock is held (deputy.h). */
int live_seize_again(pid_t tid); /* 0 or -errno */

/* Who made a task, or the process whose thread it is, as /proc has it; 0: unknown. */
pid_t live_origin(pid_t tid, bool *thread);

/* Puts a task that runs already into the map and tells of it. `origin` made it (NULL: the
 * launcher), or is a thread of its process. Borrowed, or NULL without memory. */
struct live_task *live_admit_stranger(struct live_task *origin, pid_t tid, bool thread);

/* Whether everything has ended, and the tracer need not wait any more. */
bool live_is_over(void);

/* It has ended, and is forgotten. */
void live_end_task(struct live_task *task, int status);

/* Follows everything until `command` and all others have ended; its status as
 * waitpid gives it. */
int live_trace(struct live_task *launcher, pid_t command);

#endif
