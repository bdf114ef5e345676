/* SPDX-License-Identifier: MIT */
/* Threads of the driver's own, and removals while calls are in flight. */
#ifndef CONFORM_INFLIGHT_H
#define CONFORM_INFLIGHT_H

#include "conform.h"

/* Long enough to be sure that something waits; what must happen may take longer. */
#define A_WHILE 50
#define FOR_EVER 10000

/* Starts a system thread: the object, referenced; NULL when it cannot be. */
PVOID StartThread(PKSTART_ROUTINE Routine, PVOID Context);

/* Waits for its end and gives the reference back. NULL is allowed. */
VOID JoinThread(PVOID Thread);

/* Whether the event is signalled within so many milliseconds. */
BOOLEAN Happens(PKEVENT Event, LONG Milliseconds);

/* Process routines that are removed while they run (busy.c). */
NTSTATUS RegisterBusyRoutines(VOID);
VOID UnregisterBusyRoutines(VOID);

/* A conform-child has been announced. */
VOID NoteChild(VOID);

#endif
