/* SPDX-License-Identifier: MIT */
/* Reading what a supervised task's system call points to. */
#ifndef RINGSIDE_LIVE_REMOTE_H
#define RINGSIDE_LIVE_REMOTE_H

#include "source/live/name.h"
#include <stdint.h>
#include <sys/types.h>

/* Copies `size` bytes at `address` of task `tid`. 0, -EFAULT when they are not
 * all there, -EPERM when the kernel does not let us look, -ESRCH. */
int live_read(pid_t tid, uint64_t address, void *buffer, size_t size);

/* Copies a NUL-terminated string of at most size - 1 bytes. Its length, or as
 * above, or -ENAMETOOLONG. */
ssize_t live_read_string(pid_t tid, uint64_t address, char *buffer, size_t size);

/*
 * Copies what an execve points to: the path, as above, and the argument vector (a
 * NULL-terminated array of pointers of pointer_size bytes), as much of it as a
 * UNICODE_STRING can show. Address 0 is an empty vector. 0 or as above, or -ENOMEM.
 */
int live_read_command(pid_t tid, uint64_t path, char *text, size_t size, uint64_t vector,
		      unsigned pointer_size, struct live_arguments *arguments);

/* Puts `text` in front of the arguments. 0 or -ENOMEM. */
int live_prepend_argument(struct live_arguments *arguments, const char *text);

/* Takes the first argument away, if there is one. */
void live_drop_argument(struct live_arguments *arguments);

/* A file of /proc/TID whole, NUL-terminated, cut at size - 1. Its length or
 * -errno. */
ssize_t live_read_proc(pid_t tid, const char *file, char *buffer, size_t size);

#endif
