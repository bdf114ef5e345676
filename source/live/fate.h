/* SPDX-License-Identifier: MIT */
/* The end of the tree after a bug check, for --on-bugcheck=kill. */
#ifndef RINGSIDE_LIVE_FATE_H
#define RINGSIDE_LIVE_FATE_H

#include "source/live/task.h"
#include <stdbool.h>

/* Whether a bug check kills the tree, from now on. `launcher` stands for this process,
 * which is not of the tree. */
void live_set_fate(bool kill_on_bugcheck, const struct live_task *launcher);

/* From now on it does not. */
void live_forget_fate(void);

/* After a bug check that kills the tree, kills this task too; otherwise nothing. For
 * every task that is heard of: it may be younger than the bug check. */
void live_end_straggler(pid_t tid);

#endif
