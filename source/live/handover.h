/* SPDX-License-Identifier: MIT */
/*
 * Tasks that a debugger of the tree has instead of us.
 *
 * The first group is for threads that answer calls, the second for the tracer.
 */
#ifndef RINGSIDE_LIVE_HANDOVER_H
#define RINGSIDE_LIVE_HANDOVER_H

#include "source/live/calls.h"

/*
 * The caller may trace `tracee` (PTRACE_ATTACH, PTRACE_SEIZE), or the caller offers itself
 * to its parent (PTRACE_TRACEME: `tracee` is the caller): the task is detached, and then
 * the call goes on.
 */
struct live_answer live_hand_over(const struct live_notice *notice, struct live_task *tracee,
				  pid_t debugger);

/* A debugger does anything else to the task that we call `tid`, which is a good moment to
 * look at that: it may be new to us, or run another program than before. */
void live_look_at_tracee(pid_t tid, bool let_go);

/* A task that made a call: known to us afterwards, if there is memory, and with the program that
 * it runs. The task, borrowed, or NULL; takes the borrowed `task` over (NULL: not known). */
struct live_task *live_meet(pid_t tid, struct live_task *task);

/* By the thread that will be the tracer, before anybody answers calls. 0 or -errno. */
int live_open_handover(bool dies_with_us);

/* The task stopped, and is to be handed over: whether that happened, so that it is not ours any
 * more. */
bool live_yield_to_debugger(struct live_task *task);

/* The task stopped for another reason, and was resumed: that stop may have swallowed the one
 * that we wait for. */
void live_insist_on_handover(struct live_task *task);

/* The task is gone or forgotten: whoever waits for it goes on. */
void live_cancel_handover(struct live_task *task);

/* This process has ended, or is about to: what it traced may become ours again. */
void live_debugger_ended(const struct live_process *debugger);

/* How many tasks of the map a debugger has. */
unsigned live_foreign_tasks(void);

/* Nobody waits for the tracer any more, which goes away. */
void live_close_handover(void);

#endif
