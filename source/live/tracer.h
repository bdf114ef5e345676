/* SPDX-License-Identifier: MIT */
/* Following tasks with ptrace, on the thread that calls these. */
#ifndef RINGSIDE_LIVE_TRACER_H
#define RINGSIDE_LIVE_TRACER_H

#include "source/live/task.h"

/* Takes a child of this thread under supervision: seized, placed, told as a fork
 * of `launcher`. Whether the kernel kills the whole tree when this process dies is
 * settled here. 0 or -errno. */
int live_seize(struct live_task *launcher, pid_t child, bool dies_with_us);

/* Follows everything until `command` and all others have ended; its status as
 * waitpid gives it. */
int live_trace(struct live_task *launcher, pid_t command);

#endif
