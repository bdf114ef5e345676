/* SPDX-License-Identifier: MIT */
/*
 * The tracer's lock, and who traces while a driver keeps the tracer.
 *
 * All of the tracer's state belongs to the thread that holds the lock. It is held all the
 * time but while waiting for a report and while telling:
 *
 *	live_begin_telling(tid);
 *	...anything that can call a driver...
 *	live_end_telling();
 */
#ifndef RINGSIDE_LIVE_DEPUTY_H
#define RINGSIDE_LIVE_DEPUTY_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * The calling thread is the tracer from now on, and holds the lock. `step` handles
 * one report if there is any, without waiting, on whatever thread, and says whether there
 * was one.
 */
void live_begin_tracing(bool (*step)(void));

/* No report will come any more. Gives the lock back; deputies end. */
void live_end_tracing(void);

/* `tid`: whom it is about. */
void live_begin_telling(pid_t tid);
void live_end_telling(void);

/* The tracer, to wait for a report. False: it must not wait long, because a deputy has
 * a report in hand. */
bool live_begin_waiting(void);
void live_pause_waiting(void); /* for a moment: there was nothing */
void live_end_waiting(void);

/*
 * Another thread that has something to do with the tracer's state, or with ptrace: it holds
 * the lock then, but while telling. Guests keep each other out, also then. False: nothing
 * is traced any more. For the same thread, not nested.
 */
bool live_begin_visit(void);
void live_end_visit(void);

/* ptrace(2), done by the thread that may do it. The lock is held. */
long live_ptrace(int request, pid_t tid, unsigned long address, unsigned long data);

#endif
