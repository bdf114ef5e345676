/* SPDX-License-Identifier: MIT */
/* Waiting for a report of any traced task, however many there are. */
#ifndef RINGSIDE_LIVE_AWAIT_H
#define RINGSIDE_LIVE_AWAIT_H

#include <stdbool.h>
#include <sys/types.h>

/* So many tasks are too many to be looked through at every report. */
#define LIVE_MANY 100u

/*
 * As waitpid(-1, status, ...) for the calling thread's tracees, `tasks` of them. Returns
 * 0 when there was nothing and `patient` is false. SIGCHLD is blocked on every
 * thread that can block it; where it is not, reports come a little later.
 */
pid_t live_await(int *status, unsigned tasks, bool patient);

/* A child of a tracee was born and will report. */
void live_expect(pid_t child);

#endif
