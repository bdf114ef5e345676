/* SPDX-License-Identifier: MIT */
/* Which file an execve would run, as its caller sees the file system. */
#ifndef RINGSIDE_LIVE_IMAGE_H
#define RINGSIDE_LIVE_IMAGE_H

#include "source/live/name.h"
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The arguments of execve or execveat, fetched from the caller. */
struct live_exec {
	pid_t tid, pid; /* thread and process that calls */
	bool estranged; /* as in struct live_process */
	int directory;  /* AT_FDCWD or a descriptor of the caller's */
	int flags;      /* AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW */
	char path[PATH_MAX];
	struct live_arguments arguments;
};

/* By what a running program is known again. */
struct live_file {
	bool native; /* the kernel itself can run it, no registered program */
	uint64_t device, inode;
};

/* The program that will run. */
struct live_image {
	char opened[PATH_MAX];  /* the absolute name used for the open */
	char located[PATH_MAX]; /* the same file without symbolic links */
	bool exact;             /* `opened` is the name that was used, not one found later */
	bool set_id;            /* it runs as its owner or group */
	struct live_file file;
};

/*
 * Finds the image, following #! lines as the kernel does: the image is the
 * interpreter, and exec->arguments become those that it will get. Returns 0, or
 * the negative errno with which the call will fail.
 */
int live_find_image(struct live_exec *exec, struct live_image *image);

/* The image and arguments that process `pid` runs now, from /proc. 0 or -errno. */
int live_running_image(pid_t pid, struct live_image *image, struct live_arguments *arguments);

/* The arguments alone. 0 or -ENOMEM. */
int live_running_arguments(pid_t pid, struct live_arguments *arguments);

/* Whether process `pid` runs this image, as far as can be known: of a program that
 * a registered interpreter runs nothing can. A file that cannot be looked at is not it. */
bool live_runs_image(pid_t pid, const struct live_file *image);

#endif
