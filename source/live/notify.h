/* SPDX-License-Identifier: MIT */
/* The thread that answers seccomp notifications. */
#ifndef RINGSIDE_LIVE_NOTIFY_H
#define RINGSIDE_LIVE_NOTIFY_H

struct live_notifier;

/* Starts it on a listener, which then belongs to it. NULL with *error set to a
 * negative errno. */
struct live_notifier *live_start_notifier(int listener, int *error);

/* Ends it, when nobody who could notify is left, and frees it. */
void live_stop_notifier(struct live_notifier *notifier);

#endif
