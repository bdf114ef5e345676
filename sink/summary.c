/* SPDX-License-Identifier: MIT */
#include "sink/summary.h"
#include "sink/names.h"

enum { LABEL = 2, VALUE = 14 };

/* The table of callbacks: where its columns begin when no driver's name needs more. */
enum { DRIVER = 2, KIND = 18, CALLS = 52, MEDIAN = 64, LONGEST = 76 };

static void begin_row(struct sink_line *line, const char *label)
{
	sink_say(line, "\n");
	sink_pad(line, LABEL);
	sink_paint(line, SINK_DIM);
	sink_say(line, label);
	sink_paint(line, SINK_PLAIN);
	sink_pad(line, VALUE);
}

static void say_name(struct sink_line *line, const struct sink_name *name)
{
	UNICODE_STRING string = sink_name_string(name);
	if (string.Length)
		sink_quote_utf16(line, &string);
	else
		sink_say(line, "(unknown)");
}

static void say_command(struct sink_line *line, const struct sink_outcome *outcome)
{
	if (!outcome->ran)
		return;
	begin_row(line, "command");
	sink_say_wait_status(line, outcome->wait_status);
	sink_say(line, " after ");
	sink_say_duration(line, outcome->elapsed);
}

static void say_counts(struct sink_line *line, const struct sink_tally *tally)
{
	begin_row(line, "processes");
	sink_sayf(line, "%lu created, %lu refused, %lu exited", (unsigned long)tally->processes,
		  (unsigned long)tally->vetoes, (unsigned long)tally->exits);
	begin_row(line, "handles");
	sink_sayf(line, "%lu opened or duplicated, %lu of them lost rights",
		  (unsigned long)tally->handles, (unsigned long)tally->stripped);
	if (tally->rules) {
		begin_row(line, "rules");
		sink_paint(line, SINK_YELLOW);
		sink_sayf(line, "%lu broken", (unsigned long)tally->rules);
		sink_paint(line, SINK_PLAIN);
	}
	if (!tally->bug_checks)
		return;
	begin_row(line, "");
	sink_paint(line, SINK_RED);
	sink_say(line, "ended by a bug check: what came after it, no driver saw");
	sink_paint(line, SINK_PLAIN);
}

static void say_deed(struct sink_line *line, const struct sink_deed *deed)
{
	begin_row(line, deed->veto ? "refused" : "stripped");
	sink_sayf(line, "%lu × ", (unsigned long)deed->count);
	sink_paint(line, deed->veto ? SINK_RED : SINK_YELLOW);
	if (deed->veto) {
		say_name(line, &deed->image);
	} else {
		sink_say_rights(line, deed->type, deed->rights);
		sink_sayf(line, " on a %s of ", sink_type_name(deed->type));
		say_name(line, &deed->image);
	}
	sink_paint(line, SINK_PLAIN);
	sink_say(line, " by ");
	say_name(line, &deed->driver);
	if (deed->veto) {
		sink_say(line, " with ");
		sink_say_status(line, deed->status);
	}
}

static void say_missing(struct sink_line *line, const struct sink_missing *missing)
{
	begin_row(line, "missing");
	sink_sayf(line, "%lu × ", (unsigned long)missing->calls);
	sink_paint(line, SINK_YELLOW);
	sink_quote(line, missing->name);
	sink_paint(line, SINK_PLAIN);
	sink_say(line, " called by ");
	say_name(line, &missing->driver);
}

static void say_right_aligned(struct sink_line *line, unsigned column, const char *text,
			      unsigned width)
{
	while (line->columns + width < column && !line->full)
		sink_say(line, " ");
	sink_say(line, text);
}

static void say_time(struct sink_line *line, unsigned column, const char *before, ULONG64 time)
{
	char text[64];
	struct sink_line cell = {.text = text, .size = sizeof(text)};
	sink_say(&cell, before);
	sink_say_duration(&cell, time);
	text[cell.length] = '\0';
	say_right_aligned(line, column, text, cell.columns);
}

static void say_number(struct sink_line *line, unsigned column, ULONG64 number)
{
	char text[64];
	struct sink_line cell = {.text = text, .size = sizeof(text)};
	sink_sayf(&cell, "%lu", (unsigned long)number);
	text[cell.length] = '\0';
	say_right_aligned(line, column, text, cell.columns);
}

/* By how much the columns behind the name move for the longest name. */
static unsigned shift_for_names(const struct sink_tally *tally)
{
	unsigned longest = 0;
	for (const struct sink_callbacks *at = tally->callbacks; at; at = at->next) {
		char text[4 * SINK_NAME_UNITS + 64];
		struct sink_line cell = {.text = text, .size = sizeof(text)};
		say_name(&cell, &at->driver);
		longest = cell.columns > longest ? cell.columns : longest;
	}
	return longest > KIND - DRIVER - 2 ? longest - (KIND - DRIVER - 2) : 0;
}

static void say_callbacks_head(struct sink_line *line, unsigned shift)
{
	sink_say(line, "\n\n");
	sink_pad(line, DRIVER);
	sink_paint(line, SINK_DIM);
	sink_say(line, "callbacks");
	say_right_aligned(line, shift + CALLS, "calls", 5);
	say_right_aligned(line, shift + MEDIAN, "median", 6);
	say_right_aligned(line, shift + LONGEST, "longest", 7);
	sink_paint(line, SINK_PLAIN);
}

static void say_callbacks(struct sink_line *line, struct sink_callbacks *callbacks, unsigned shift)
{
	sink_say(line, "\n");
	sink_pad(line, DRIVER);
	say_name(line, &callbacks->driver);
	sink_pad(line, shift + KIND);
	sink_say(line, sink_kind_name(callbacks->kind));
	if (sink_kind_has_phases(callbacks->kind))
		sink_say(line, callbacks->create ? ", create" : ", exit");
	say_number(line, shift + CALLS, callbacks->time.count);
	say_time(line, shift + MEDIAN, sink_series_is_exact(&callbacks->time) ? "" : "≈ ",
		 sink_series_median(&callbacks->time));
	say_time(line, shift + LONGEST, "", callbacks->time.longest);
}

/* A driver that could not be loaded, say: the complaint is all that there is to say. */
static bool nothing_began(const struct sink_tally *tally, const struct sink_outcome *outcome)
{
	return !outcome->ran && !tally->processes && !tally->rules && !tally->bug_checks &&
	       !tally->callbacks && !tally->missing;
}

void sink_say_summary(struct sink_line *line, struct sink_tally *tally,
		      const struct sink_outcome *outcome)
{
	if (nothing_began(tally, outcome))
		return;
	say_command(line, outcome);
	say_counts(line, tally);
	for (const struct sink_deed *deed = tally->deeds; deed; deed = deed->next)
		say_deed(line, deed);
	if (tally->other_deeds) {
		begin_row(line, "");
		sink_sayf(line, "and %lu of other kinds", (unsigned long)tally->other_deeds);
	}
	for (const struct sink_missing *missing = tally->missing; missing; missing = missing->next)
		say_missing(line, missing);
	unsigned shift = shift_for_names(tally);
	if (tally->callbacks)
		say_callbacks_head(line, shift);
	for (struct sink_callbacks *at = tally->callbacks; at; at = at->next)
		say_callbacks(line, at, shift);
	sink_say(line, "\n");
}
