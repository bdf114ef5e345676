/* SPDX-License-Identifier: MIT */
/*
 * Listeners: a small fixed array, changed only while nothing happens (see
 * rs_listen), so that telling needs no lock.
 */
#include "ex/event.h"
#include "clock.h"
#include <errno.h>

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
