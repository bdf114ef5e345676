/* SPDX-License-Identifier: MIT */
/*
 * What a summary tells: counts, who refused and stripped what, and how long the
 * callbacks of each driver took.
 */
#ifndef RINGSIDE_SINK_TALLY_H
#define RINGSIDE_SINK_TALLY_H

#include "sink/series.h"
#include <ringside/event.h>

#define SINK_NAME_UNITS 64

/* A name kept after its owner is gone, cut when it is too long. */
struct sink_name {
	WCHAR units[SINK_NAME_UNITS];
	USHORT length; /* bytes */
};

/* The callbacks of one kind, of one driver. */
struct sink_callbacks {
	struct sink_name driver;
	enum rs_callback_kind kind;
	bool create; /* kinds with phases only */
	struct sink_series time;
	struct sink_callbacks *next;
};

/* A driver's interference with one image: a creation refused with `status`, or
 * `rights` taken from openers. */
struct sink_deed {
	struct sink_name driver, image;
	bool veto;
	NTSTATUS status;
	POBJECT_TYPE type;
	ACCESS_MASK rights;
	uint64_t count;
	struct sink_deed *next;
};

/* The calls of one driver for a name that is not here. */
struct sink_missing {
	struct sink_name driver;
	char name[96]; /* "ntoskrnl.exe!ExFoo", cut when it is too long */
	uint64_t calls;
	struct sink_missing *next;
};

/* Starts zeroed. */
struct sink_tally {
	uint64_t processes, exits, vetoes;
	uint64_t threads, images;
	uint64_t handles, stripped; /* handle operations, and those that lost rights */
	uint64_t rules;             /* broken, without a bug check */
	uint64_t bug_checks;
	uint64_t other_deeds;             /* not in the list, which is bounded */
	struct sink_callbacks *callbacks; /* in the order of their first call */
	struct sink_deed *deeds;
	struct sink_missing *missing; /* likewise */
};

void sink_tally_add(struct sink_tally *tally, const struct rs_event *event);
void sink_tally_free(struct sink_tally *tally);

/* What the operation's callbacks took away. */
ACCESS_MASK sink_stripped_rights(const struct rs_event *event);

UNICODE_STRING sink_name_string(const struct sink_name *name);

#endif
