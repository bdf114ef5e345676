/* SPDX-License-Identifier: MIT */
/* Events: the dispatcher objects that drivers embed and wait for. */
#ifndef RINGSIDE_KE_EVENT_H
#define RINGSIDE_KE_EVENT_H

#include "ke/dispatcher.h"

typedef enum _EVENT_TYPE { NotificationEvent, SynchronizationEvent } EVENT_TYPE;

typedef struct _KEVENT {
	DISPATCHER_HEADER Header;
} KEVENT, *PKEVENT;
_Static_assert(sizeof(KEVENT) == 24, "AB-17");

VOID NTAPI KeInitializeEvent(PKEVENT Event, EVENT_TYPE Type, BOOLEAN State);

/* Those that return a LONG return the state before: 0 for not signalled. Increment and
 * Wait say how NT should schedule, which Linux decides here. */
LONG NTAPI KeSetEvent(PKEVENT Event, LONG Increment, BOOLEAN Wait);
LONG NTAPI KeResetEvent(PKEVENT Event);
VOID NTAPI KeClearEvent(PKEVENT Event);
LONG NTAPI KePulseEvent(PKEVENT Event, LONG Increment, BOOLEAN Wait);
LONG NTAPI KeReadStateEvent(PKEVENT Event);

#endif
