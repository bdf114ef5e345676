/* SPDX-License-Identifier: MIT */
/*
 * A bug check ends the tree, when that was asked.
 *
 * The thread on which it happened kills every process of the map at once. A process
 * that is being born meanwhile is not in the map yet; but it cannot do anything before the
 * tracer or the notifier has heard of it, and both kill whomever they hear of then.
 */
#include "source/live/fate.h"
#include "ke/bugcheck.h"
#include <signal.h>
#include <stdatomic.h>

static atomic_bool kills;
static const struct live_task *spared;

static void end_tree(void)
{
	live_signal_all(SIGKILL, spared->process);
}

void live_set_fate(bool kill_on_bugcheck, const struct live_task *launcher)
{
	spared = launcher;
	atomic_store(&kills, kill_on_bugcheck);
	ke_when_crashed(kill_on_bugcheck ? end_tree : NULL);
}

void live_forget_fate(void)
{
	ke_when_crashed(NULL);
	atomic_store(&kills, false);
}

void live_end_straggler(pid_t tid)
{
	if (tid > 0 && ke_crashed() && atomic_load(&kills)) /* 0 would be our own group */
		kill(tid, SIGKILL);
}
