/* SPDX-License-Identifier: MIT */
/*
 * Warnings, each once a run.
 *
 * Without CAP_SYS_ADMIN the kernel takes our filter only with NO_NEW_PRIVS, under which a
 * set-user-id program runs as its caller. Such a program then fails in ways that say nothing of
 * the reason, so the reason is said when the first one is executed.
 */
#include "source/live/warn.h"
#include "source/live/remote.h"
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static void (*warn)(const char *line);
static atomic_bool warned;

void live_warn_to(void (*to)(const char *line))
{
	warn = to;
	atomic_store(&warned, false);
}

void live_warn_of_lost_privileges(pid_t tid, const struct live_image *image)
{
	char text[4096], line[PATH_MAX + 256];
	if (!warn || live_read_proc(tid, "status", text, sizeof text) < 0 ||
	    !strstr(text, "\nNoNewPrivs:\t1") || atomic_exchange(&warned, true))
		return;
	snprintf(
		line, sizeof line,
		"%s runs without its set-user-id or set-group-id privileges: without CAP_SYS_ADMIN "
		"supervision needs NO_NEW_PRIVS; run ringside as root to keep them",
		image->opened);
	warn(line);
}
