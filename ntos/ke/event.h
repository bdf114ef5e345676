/* SPDX-License-Identifier: MIT */
/* Events: the dispatcher objects that drivers embed and wait for. */
#ifndef RINGSIDE_KE_EVENT_H
#define RINGSIDE_KE_EVENT_H

#include <ringside/nt.h>

typedef enum _EVENT_TYPE { NotificationEvent, SynchronizationEvent } EVENT_TYPE;

/* The head of every object that can be waited for (AB-17). */
typedef struct _DISPATCHER_HEADER {
	UCHAR Type; /* of an event: its EVENT_TYPE */
	UCHAR Signalling;
	UCHAR Size; /* in LONGs */
	UCHAR Reserved;
	LONG SignalState;
	LIST_ENTRY WaitListHead;
} DISPATCHER_HEADER;

typedef struct _KEVENT {
	DISPATCHER_HEADER Header;
} KEVENT, *PKEVENT;
_Static_assert(sizeof(KEVENT) == 24, "AB-17");

VOID NTAPI KeInitializeEvent(PKEVENT Event, EVENT_TYPE Type, BOOLEAN State);

#endif
