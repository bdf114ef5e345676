/* SPDX-License-Identifier: MIT */
/*
 * Who outlives this process: the keeper of the listener, for --on-exit=release, and
 * the buffers of notifications that it must be able to read.
 */
#ifndef RINGSIDE_LIVE_KEEPER_H
#define RINGSIDE_LIVE_KEEPER_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Makes the memory that is shared with a keeper. Before everything else here. 0 or
 * -errno. */
int live_open_shared_memory(void);

/* A buffer for SECCOMP_IOCTL_NOTIF_RECV that a keeper sees too: what was received into
 * it and not answered when this process died, the keeper answers. Zeroed. NULL: there
 * are no more, or `size` is too much. Any thread. */
struct seccomp_notif *live_new_request(size_t size);

/* Gives it back, when what it holds was answered. NULL is nothing. */
void live_free_request(struct seccomp_notif *request);

/*
 * Starts a keeper for `listener`, as a child of the calling thread. When this process is
 * gone, however it went, the keeper lets every call go on, or kills
 * whoever calls (`kills`), until no task is under the filter any more. 0 or -errno.
 * There is at most one; another call does nothing.
 */
int live_start_keeper(int listener, bool kills);

/* A process that the keeper must kill when it kills, or no longer. */
void live_doom(pid_t pid, bool doomed);

/* The keeper's process, or 0. */
pid_t live_keeper(void);

/* Somebody has killed the keeper, and its thread has reaped it. */
void live_keeper_died(void);

/* Ends the keeper, and gives the shared memory back: nothing is supervised any more. By the
 * thread that started it. */
void live_stop_keeper(void);

#endif
