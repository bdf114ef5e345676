/* SPDX-License-Identifier: MIT */
/*
 * The part that all forms of report share: one lock around everything, so that
 * events come out whole and in one order, and one buffer, so that telling an
 * event needs no memory: a bug check can be told from a signal handler that
 * interrupted a driver anywhere. A thread that comes back in while it is inside
 * (a fault of our own in here) is turned away by the lock instead of hanging.
 */
#include "sink/form.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct sink *sink_open(const struct sink_form *form, const struct sink_options *options)
{
	struct sink *sink = calloc(1, sizeof(*sink));
	pthread_mutexattr_t attributes;
	if (!sink)
		return NULL;
	sink->form = form;
	sink->options = *options;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&sink->lock, &attributes);
	pthread_mutexattr_destroy(&attributes);
	return sink;
}

void sink_close(struct sink *sink)
{
	if (!sink)
		return;
	pthread_mutex_destroy(&sink->lock);
	sink_tally_free(&sink->tally);
	sink_lanes_free(&sink->lanes);
	free(sink);
}

void sink_hear(void *context, const struct rs_event *event)
{
	struct sink *sink = context;
	if (pthread_mutex_lock(&sink->lock) != 0)
		return;
	if (!sink->start)
		sink->start = event->time;
	sink_tally_add(&sink->tally, event);
	if (sink->options.detail != SINK_QUIET || event->type == RS_BUG_CHECK)
		sink->form->event(sink, event);
	pthread_mutex_unlock(&sink->lock);
}

void sink_begin(struct sink *sink, const struct sink_run *run)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	pthread_mutex_lock(&sink->lock);
	sink->start = (ULONG64)now.tv_sec * 1000000000u + (ULONG64)now.tv_nsec;
	if (sink->options.detail != SINK_QUIET)
		sink->form->begin(sink, run);
	pthread_mutex_unlock(&sink->lock);
}

void sink_end(struct sink *sink, const struct sink_outcome *outcome)
{
	pthread_mutex_lock(&sink->lock);
	if (sink->options.detail != SINK_QUIET)
		sink->form->end(sink, outcome);
	pthread_mutex_unlock(&sink->lock);
}

int sink_error(const struct sink *sink)
{
	return sink->error;
}

void sink_write(struct sink *sink, const char *bytes, size_t length)
{
	while (length && !sink->error) {
		ssize_t written = write(sink->options.fd, bytes, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0) {
			sink->error = errno;
			return;
		}
		bytes += written;
		length -= (size_t)written;
	}
}
