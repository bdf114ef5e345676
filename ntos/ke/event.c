// SPDX-License-Identifier: MIT
/*
 * Events. An event belongs to the driver that embeds it; nothing is kept of it
 * here.
 */
#include "ke/event.h"

VOID NTAPI KeInitializeEvent(PKEVENT Event, EVENT_TYPE Type, BOOLEAN State)
{
	Event->Header = (DISPATCHER_HEADER){
		.Type = (UCHAR)Type,
		.Size = sizeof(KEVENT) / sizeof(LONG),
		.SignalState = State != FALSE,
		.WaitListHead = {&Event->Header.WaitListHead, &Event->Header.WaitListHead},
	};
}
