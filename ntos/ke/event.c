/* SPDX-License-Identifier: MIT */
/*
 * Events. An event belongs to the driver that embeds it; nothing is kept of it
 * here. Its state and its waiters are under the dispatcher lock.
 */
#include "ke/event.h"

VOID NTAPI KeInitializeEvent(PKEVENT Event, EVENT_TYPE Type, BOOLEAN State)
{
	ke_init_header(&Event->Header,
		       Type == NotificationEvent ? KE_NOTIFICATION_EVENT : KE_SYNCHRONIZATION_EVENT,
		       sizeof(*Event), State != FALSE);
}

/* Stores a state and returns the one before. */
static LONG change(PKEVENT event, LONG state, const char *caller)
{
	ke_enter_dispatcher(&event->Header, caller);
	LONG before = event->Header.SignalState;
	event->Header.SignalState = state;
	ke_signal(&event->Header);
	ke_unlock_dispatcher();
	return before;
}

LONG NTAPI KeSetEvent(PKEVENT Event, LONG Increment, BOOLEAN Wait)
{
	(void)Increment;
	(void)Wait;
	return change(Event, 1, "KeSetEvent");
}

LONG NTAPI KeResetEvent(PKEVENT Event)
{
	return change(Event, 0, "KeResetEvent");
}

VOID NTAPI KeClearEvent(PKEVENT Event)
{
	change(Event, 0, "KeClearEvent");
}

LONG NTAPI KePulseEvent(PKEVENT Event, LONG Increment, BOOLEAN Wait)
{
	(void)Increment;
	(void)Wait;
	ke_enter_dispatcher(&Event->Header, "KePulseEvent");
	LONG before = Event->Header.SignalState;
	Event->Header.SignalState = 1;
	ke_signal(&Event->Header);
	Event->Header.SignalState = 0;
	ke_unlock_dispatcher();
	return before;
}

LONG NTAPI KeReadStateEvent(PKEVENT Event)
{
	ke_enter_dispatcher(&Event->Header, "KeReadStateEvent");
	LONG state = Event->Header.SignalState;
	ke_unlock_dispatcher();
	return state;
}
