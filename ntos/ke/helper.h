/* SPDX-License-Identifier: MIT */
/*
 * Host threads that the kernel starts itself: one for each system thread, one for
 * DPCs and timers, some for work items. None exists before it is needed.
 */
#ifndef RINGSIDE_KE_HELPER_H
#define RINGSIDE_KE_HELPER_H

#include <ringside/nt.h>
#include <stdbool.h>

struct ke_helper_work {
	/* Runs on the new host thread, under a ke_guard: a bug check ends it, as does
	 * rs_shutdown when it sleeps in a wait. */
	void (*run)(void *argument);
	/* Then, in any case, when no thread of the simulated world is current any more. */
	void (*finish)(void *argument); /* may be NULL */
	void *argument;
	PKTHREAD thread; /* whom the host thread is; NULL: a thread of its own */
};

/* Starts one. False without memory or threads, or when the kernel is shutting down;
 * nothing is called then. Any IRQL. */
bool ke_start_helper(const struct ke_helper_work *work);

/* Whether the kernel shuts down: what a helper's loop looks at. */
bool ke_helpers_end(void);

/* Ends all of them: those in waits leave at once, `wake` wakes the loops. */
void ke_stop_helpers(void (*wake)(void));

/* Counts fork()s: in a child, helpers that the parent started are gone. */
unsigned ke_fork_count(void);

#endif
