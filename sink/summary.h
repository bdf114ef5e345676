/* SPDX-License-Identifier: MIT */
/* The last lines of a report for a person. */
#ifndef RINGSIDE_SINK_SUMMARY_H
#define RINGSIDE_SINK_SUMMARY_H

#include "sink/line.h"
#include "sink/sink.h"
#include "sink/tally.h"

void sink_say_summary(struct sink_line *line, struct sink_tally *tally,
		      const struct sink_outcome *outcome);

#endif
