/* SPDX-License-Identifier: MIT */
/*
 * Sinks: what happened in the kernel, written down for a person or a program.
 *
 * A sink is a listener (<ringside/event.h>) that writes to a file descriptor,
 * each event with one write(2), from whatever threads they come. It also keeps
 * count for a summary at the end.
 *
 *	struct sink *sink = sink_open(&sink_text, &options);
 *	sink_begin(sink, &run);
 *	rs_listen(sink_hear, sink);
 *	...
 *	rs_unlisten(sink_hear, sink);
 *	sink_end(sink, &outcome);
 *	sink_close(sink);
 */
#ifndef RINGSIDE_SINK_SINK_H
#define RINGSIDE_SINK_SINK_H

#include <ringside/event.h>
#include <stdbool.h>
#include <stdint.h>

enum sink_detail {
	SINK_QUIET,   /* bug checks alone */
	SINK_NORMAL,  /* what a person wants to see; JSON has every event */
	SINK_VERBOSE, /* every event */
};

struct sink_options {
	int fd; /* stays the caller's */
	enum sink_detail detail;
	bool colour;    /* text only */
	unsigned width; /* columns to keep a line in; 0: no limit. Text only */
};

/* What is about to be run. */
struct sink_run {
	const char *version, *profile, *present;
	char *const *command; /* as argv; NULL: none */
};

/* How it ended. */
struct sink_outcome {
	bool ran;         /* whether there was a command and it was started */
	int wait_status;  /* as waitpid(2) gives it, if it ran */
	uint64_t elapsed; /* ns from its start to its end */
	bool crashed;     /* a bug check ended the kernel */
};

struct sink;
struct sink_form;
extern const struct sink_form sink_text; /* lines for a person */
extern const struct sink_form sink_json; /* one object a line: docs/events.md */

/* NULL without memory. */
struct sink *sink_open(const struct sink_form *form, const struct sink_options *options);
void sink_close(struct sink *sink);

/* An rs_listener; the context is the sink. */
void sink_hear(void *sink, const struct rs_event *event);

void sink_begin(struct sink *sink, const struct sink_run *run);
void sink_end(struct sink *sink, const struct sink_outcome *outcome);

/* The first errno of a failed write, or 0. Later writes are not tried. */
int sink_error(const struct sink *sink);

#endif
