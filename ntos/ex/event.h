/* SPDX-License-Identifier: MIT */
/* The kernel's side of <ringside/event.h>: telling the listeners. */
#ifndef RINGSIDE_EX_EVENT_H
#define RINGSIDE_EX_EVENT_H

#include <ringside/event.h>

extern unsigned ex_listeners;

/* Whether anybody listens: nothing is measured or collected otherwise. */
static inline bool ex_heard(void)
{
	return __builtin_expect(ex_listeners != 0, 0);
}

/* Tells every listener; fills in the time. */
void ex_tell(struct rs_event *event);

#endif
