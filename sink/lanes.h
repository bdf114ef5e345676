/* SPDX-License-Identifier: MIT */
/*
 * The process tree as it grows, drawn beside the lines of a report: every live
 * process has a lane, a column of its own, from its creation to its exit.
 *
 *	╷            a process whose parent is not shown
 *	├╮           a child
 *	├┼╮          another one, to the right of the first
 *	││├╮         a child's child
 *	│││╵         ... which exits
 *	├┼┼✗         refused by a driver
 *
 * A child is always to the right of its parent. Lanes past SINK_LANES_SHOWN are
 * kept but drawn as one "»".
 */
#ifndef RINGSIDE_SINK_LANES_H
#define RINGSIDE_SINK_LANES_H

#include "sink/line.h"
#include <stddef.h>
#include <stdint.h>

#define SINK_LANES_SHOWN 24

struct sink_lane {
	uint64_t process; /* NT id; 0 for a free lane */
	uint64_t host;    /* Linux pid, or 0 */
};

/* Starts zeroed. */
struct sink_lanes {
	struct sink_lane *lane;
	size_t count, capacity;
};

/* Draws the lanes as they are: a line about something else. */
void sink_lanes_draw(const struct sink_lanes *lanes, struct sink_line *line);

/* Draws the line of a process that begins below `parent`, is refused there, or
 * ends, and opens or closes its lane. end is false, and has drawn nothing, for a
 * process that has no lane. */
void sink_lanes_begin(struct sink_lanes *lanes, struct sink_line *line, uint64_t parent,
		      struct sink_lane process);
void sink_lanes_refuse(struct sink_lanes *lanes, struct sink_line *line, uint64_t parent);
bool sink_lanes_end(struct sink_lanes *lanes, struct sink_line *line, uint64_t process);

/* Whether a process other than `process` has that pid: what it executed. */
bool sink_lanes_succeeded(const struct sink_lanes *lanes, struct sink_lane process);

bool sink_lanes_has(const struct sink_lanes *lanes, uint64_t process);

void sink_lanes_free(struct sink_lanes *lanes);

#endif
