/* SPDX-License-Identifier: MIT */
#include "sink/lanes.h"
#include <stdlib.h>

#define NO_LANE SIZE_MAX

static bool is_used(const struct sink_lanes *lanes, size_t lane)
{
	return lane < lanes->count && lanes->lane[lane].process != 0;
}

static size_t find(const struct sink_lanes *lanes, uint64_t process)
{
	for (size_t lane = 0; lane < lanes->count; lane++)
		if (process && lanes->lane[lane].process == process)
			return lane;
	return NO_LANE;
}

static size_t first_free_right_of(const struct sink_lanes *lanes, size_t parent)
{
	size_t lane = parent == NO_LANE ? 0 : parent + 1;
	while (is_used(lanes, lane))
		lane++;
	return lane;
}

static void take(struct sink_lanes *lanes, size_t lane, struct sink_lane process)
{
	if (lane == lanes->capacity) {
		size_t capacity = lanes->capacity ? 2 * lanes->capacity : SINK_LANES_SHOWN;
		struct sink_lane *all = realloc(lanes->lane, capacity * sizeof(*all));
		if (!all)
			return; /* it goes without a lane */
		lanes->lane = all;
		lanes->capacity = capacity;
	}
	if (lane >= lanes->count)
		lanes->count = lane + 1;
	lanes->lane[lane] = process;
}

static void give_back(struct sink_lanes *lanes, size_t lane)
{
	lanes->lane[lane] = (struct sink_lane){0};
	while (lanes->count && !lanes->lane[lanes->count - 1].process)
		lanes->count--;
}

/* What stands in a lane's column when a branch goes from lane `from` to lane `to`
 * and ends there in `mark`; both NO_LANE: no branch. */
static const char *glyph(const struct sink_lanes *lanes, size_t lane, size_t from, size_t to,
			 const char *mark)
{
	bool used = is_used(lanes, lane);
	if (lane == to)
		return mark;
	if (lane == from)
		return "├";
	if (from != NO_LANE && lane > from && lane < to)
		return used ? "┼" : "─";
	return used ? "│" : " ";
}

static void draw(const struct sink_lanes *lanes, struct sink_line *line, size_t from, size_t to,
		 const char *mark)
{
	static const enum sink_colour colour[] = {SINK_CYAN, SINK_GREEN, SINK_YELLOW, SINK_BLUE,
						  SINK_MAGENTA};
	size_t last = to != NO_LANE && to >= lanes->count ? to + 1 : lanes->count;
	for (size_t lane = 0; lane < last && lane < SINK_LANES_SHOWN; lane++) {
		bool crossed = from != NO_LANE && lane > from && lane < to;
		sink_paint(line, colour[(crossed ? to : lane) % 5]);
		sink_say(line, glyph(lanes, lane, from, to, mark));
	}
	if (last > SINK_LANES_SHOWN)
		sink_say(line, "»");
	sink_paint(line, SINK_PLAIN);
}

void sink_lanes_draw(const struct sink_lanes *lanes, struct sink_line *line)
{
	draw(lanes, line, NO_LANE, NO_LANE, "");
}

void sink_lanes_begin(struct sink_lanes *lanes, struct sink_line *line, uint64_t parent,
		      struct sink_lane process)
{
	size_t from = find(lanes, parent), to = first_free_right_of(lanes, from);
	draw(lanes, line, from, to, from == NO_LANE ? "╷" : "╮");
	take(lanes, to, process);
}

void sink_lanes_refuse(struct sink_lanes *lanes, struct sink_line *line, uint64_t parent)
{
	size_t from = find(lanes, parent);
	draw(lanes, line, from, first_free_right_of(lanes, from), "✗");
}

bool sink_lanes_end(struct sink_lanes *lanes, struct sink_line *line, uint64_t process)
{
	size_t lane = find(lanes, process);
	if (lane == NO_LANE)
		return false;
	draw(lanes, line, NO_LANE, lane, "╵");
	give_back(lanes, lane);
	return true;
}

bool sink_lanes_succeeded(const struct sink_lanes *lanes, struct sink_lane process)
{
	for (size_t lane = 0; process.host && lane < lanes->count; lane++)
		if (lanes->lane[lane].host == process.host &&
		    lanes->lane[lane].process != process.process)
			return true;
	return false;
}

bool sink_lanes_has(const struct sink_lanes *lanes, uint64_t process)
{
	return find(lanes, process) != NO_LANE;
}

void sink_lanes_free(struct sink_lanes *lanes)
{
	free(lanes->lane);
}
