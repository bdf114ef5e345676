/* SPDX-License-Identifier: MIT */
/* Who a task is to Linux: whom it may signal, what it may execute. */
#ifndef RINGSIDE_LIVE_CREDENTIALS_H
#define RINGSIDE_LIVE_CREDENTIALS_H

#include "source/live/task.h"
#include <stdbool.h>
#include <sys/types.h>

/* Whether Linux lets `caller` send `signal` to process `target`, supervised or not.
 * In doubt yes: Linux itself is asked in the end, and a no here would be no
 * callback. */
bool live_may_signal(const struct live_task *caller, pid_t target, int signal);

/* Linux's rules for one task that acts on another. */
enum live_permission {
	LIVE_ANYBODY,      /* none */
	LIVE_INSPECTS,     /* ptrace access: memory, descriptors */
	LIVE_SCHEDULES,    /* nice values, policies, processors */
	LIVE_SCHEDULES_IO, /* I/O priority */
	LIVE_LIMITS,       /* resource limits */
};

/* Whether Linux lets `caller` do that to `target`. In doubt yes. */
bool live_permits(const struct live_task *caller, const struct live_process *target,
		  enum live_permission permission);

/* Whether the real user of process `pid` is `user`; 0 means the caller's own. */
bool live_is_user(const struct live_task *caller, uid_t user, pid_t pid);

/* What live_assume_identity changed. */
struct live_identity {
	bool changed;
	uid_t user;
	gid_t group;
};

/* Gives the calling host thread the file-system user and group of task `tid`, so
 * that access checks answer for that task, and takes them back. The supplementary
 * groups stay ours. */
void live_assume_identity(pid_t tid, struct live_identity *saved);
void live_restore_identity(const struct live_identity *saved);

#endif
