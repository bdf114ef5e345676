/* SPDX-License-Identifier: MIT */
/* Inside of sink/: what a form of report fills in, and what it may use. */
#ifndef RINGSIDE_SINK_FORM_H
#define RINGSIDE_SINK_FORM_H

#include "sink/lanes.h"
#include "sink/line.h"
#include "sink/sink.h"
#include "sink/tally.h"
#include <pthread.h>

/* All are called with the sink's lock held. */
struct sink_form {
	void (*begin)(struct sink *sink, const struct sink_run *run);
	void (*event)(struct sink *sink, const struct rs_event *event);
	void (*end)(struct sink *sink, const struct sink_outcome *outcome);
};

#define SINK_BUFFER 16384

struct sink {
	/* Fixed. */
	const struct sink_form *form;
	struct sink_options options;

	/* Under the lock. */
	pthread_mutex_t lock;
	int error;
	ULONG64 start; /* time of the first event, or of begin */
	struct sink_tally tally;
	struct sink_lanes lanes;
	bool head_shown;
	uint64_t missing;         /* lines that could not be written, since the last that was */
	char buffer[SINK_BUFFER]; /* the event being written */
};

/* Writes all of it, or notes why not. */
void sink_write(struct sink *sink, const char *bytes, size_t length);

#endif
