/* SPDX-License-Identifier: MIT */
/*
 * The live source: a command and everything it starts, supervised, and told to
 * the kernel in ntos/ as NT processes, threads and handles. docs/live.md says
 * which Linux event becomes which NT event, and why.
 */
#ifndef RINGSIDE_LIVE_H
#define RINGSIDE_LIVE_H

#include <ringside/ringside.h>
#include <stdbool.h>

/* What becomes of the tree. */
enum live_fate {
	LIVE_KILL,    /* it ends */
	LIVE_RELEASE, /* it goes on, unsupervised */
};

/* Which images that live processes map are told. */
enum live_images {
	LIVE_IMAGES_AUTO, /* those of a new program, if an image routine is registered */
	LIVE_IMAGES_NONE,
	LIVE_IMAGES_MAIN, /* of a new program: its own and its interpreter's */
	LIVE_IMAGES_ALL,  /* and every file that is mapped executable later */
};

struct live_options {
	bool subsystem;             /* --present subsystem: pico processes; otherwise Win32 ones */
	enum live_fate on_exit;     /* when this process ends before the tree, or is killed */
	enum live_fate on_bugcheck; /* after a bug check */
	enum live_images images;
	bool proc_opens; /* opens of files in /proc are opens of their processes; costs */
	/* Told, as a line without its end, what supervision takes from the tree: that a set-id
	 * program runs without its privileges. From any thread. May be NULL. */
	void (*warn)(const char *line);
};

/*
 * Runs argv (argv[0] is looked up in PATH, as execvp(3) does) under supervision
 * until it and every process that came from it have ended. The command has this
 * process's standard files, terminal, environment and signal dispositions; while
 * it runs, this process ignores SIGINT, SIGQUIT and the terminal's stop signals.
 * `options` may be NULL.
 *
 * The calling thread becomes the tracer of the tree: children of its own that it
 * has from before are reaped along with it.
 *
 * The kernel must be booted; drivers are called on the calling thread and on others
 * that this function makes. SIGRTMAX - 1 and SIGRTMAX - 2 are its own meanwhile, and
 * SIGCHLD is blocked on the calling thread. One call at a time. After a bug check the tree is killed,
 * or runs on to its end without a driver being called; rs_crashed() tells.
 *
 * Returns 0 and *status as waitpid(2) gives it for the command; otherwise a
 * negative errno with a line in `error`, and nothing left running: -ENOENT no
 * such command, -EACCES it may not be executed or a driver refused it, -EPERM,
 * -ENOSYS a feature of the Linux kernel is missing (the line names it), -ENOMEM.
 */
int live_run(char *const argv[], const struct live_options *options, int *status,
	     struct rs_error *error);

#endif
