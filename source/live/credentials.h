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
