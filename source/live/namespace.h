/* SPDX-License-Identifier: MIT */
/* Process ids of a pid namespace, as we know them. */
#ifndef RINGSIDE_LIVE_NAMESPACE_H
#define RINGSIDE_LIVE_NAMESPACE_H

#include "source/live/task.h"
#include <stdbool.h>

/* What we call the task that `caller` calls `pid`; 0 when that is nobody of the
 * supervised tree. */
pid_t live_our_pid(struct live_task *caller, pid_t pid);

/* Whether kill(-1) of the caller means process `pid`, the caller itself apart: one that it
 * sees, and not the first of its namespace. In doubt no. */
bool live_is_one_of_all(struct live_task *caller, pid_t pid);

/* Whether the caller's users are ours, or those of process `pid`: the only ones over whom
 * its privileges, whatever they look like from here, can reach. In doubt no. */
bool live_shares_users(const struct live_task *caller, pid_t pid);

/* The process whose child the task is, as we call it, or 0. */
pid_t live_parent_of(pid_t tid);

/* The task that the caller's descriptor `fd` stands for, as we call it; 0 if it is
 * of another kind, and -1 when the task has ended. */
pid_t live_pid_of_descriptor(const struct live_task *caller, int fd);

#endif
