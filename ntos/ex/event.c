/* SPDX-License-Identifier: MIT */
/*
 * Listeners: a small fixed array, changed only while nothing happens (see
 * rs_listen), so that telling needs no lock.
 */
#include "ex/event.h"
#include "clock.h"
#include "ldr/module.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define MAX_LISTENERS 8

static struct {
	rs_listener *call;
	void *context;
} listener[MAX_LISTENERS];

unsigned ex_listeners;

int rs_listen(rs_listener *call, void *context)
{
	if (ex_listeners == MAX_LISTENERS)
		return -ENOSPC;
	listener[ex_listeners].call = call;
	listener[ex_listeners].context = context;
	ex_listeners++;
	return 0;
}

void rs_unlisten(rs_listener *call, void *context)
{
	for (unsigned i = 0; i < ex_listeners; i++) {
		if (listener[i].call != call || listener[i].context != context)
			continue;
		ex_listeners--;
		for (; i < ex_listeners; i++)
			listener[i] = listener[i + 1];
		return;
	}
}

void ex_tell(struct rs_event *event)
{
	event->time = host_wall_clock();
	for (unsigned i = 0; i < ex_listeners; i++)
		listener[i].call(listener[i].context, event);
}

void ex_rule_broken(const char *clause, const void *routine, const char *format, ...)
{
	if (!ex_heard())
		return;
	char text[256];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	struct ldr_module *module = ldr_module_of(routine);
	struct rs_event event = {.type = RS_RULE_BROKEN};
	event.rule.clause = clause;
	event.rule.text = text;
	event.rule.module = module ? &module->entry : NULL;
	event.rule.routine = routine;
	ex_tell(&event);
}
