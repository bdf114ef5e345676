/* SPDX-License-Identifier: MIT */
/* Process ids of a pid namespace, as we know them. */
#ifndef RINGSIDE_LIVE_NAMESPACE_H
#define RINGSIDE_LIVE_NAMESPACE_H

#include "source/live/task.h"

/* What we call the task that `caller` calls `pid`; 0 when that is nobody of the
 * supervised tree. */
pid_t live_our_pid(struct live_task *caller, pid_t pid);

#endif
