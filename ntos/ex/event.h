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

/* A driver broke a rule that Windows lets pass (VF, "policy"): reported, nothing
 * else. `routine` is the driver code that did. */
void ex_rule_broken(const char *clause, const void *routine, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
