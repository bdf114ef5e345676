/* SPDX-License-Identifier: MIT */
/*
 * A line for a person, while it is put together.
 *
 * Memory is the caller's and fixed, so that a line can be made in a signal
 * handler and on a driver's stack. A line has a limit of columns; what goes past
 * it is left out, and the last column shows that by "…". Colours take no columns
 * and are left out altogether unless the line is to have them.
 */
#ifndef RINGSIDE_SINK_LINE_H
#define RINGSIDE_SINK_LINE_H

#include <ringside/nt.h>
#include <stdbool.h>
#include <stddef.h>

enum sink_colour {
	SINK_PLAIN,
	SINK_DIM,
	SINK_BOLD,
	SINK_RED,
	SINK_GREEN,
	SINK_YELLOW,
	SINK_BLUE,
	SINK_MAGENTA,
	SINK_CYAN,
};

struct sink_line {
	char *text;
	size_t size, length;     /* bytes */
	unsigned columns, limit; /* of the present line; limit 0: none */
	bool full;               /* the rest of the present line is left out */
	bool colour;
};

/* Text that we wrote ourselves, in UTF-8; '\n' begins a new line. */
void sink_say(struct sink_line *line, const char *text);
void sink_sayf(struct sink_line *line, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Text from elsewhere: control characters are shown, not sent ("\x1b", and "␀" for
 * the NULs between a subsystem process's arguments). */
void sink_quote(struct sink_line *line, const char *text);
void sink_quote_counted(struct sink_line *line, const char *text, size_t length);
void sink_quote_utf16(struct sink_line *line, const UNICODE_STRING *text);

void sink_paint(struct sink_line *line, enum sink_colour colour);

/* Blanks up to that column, at least one. */
void sink_pad(struct sink_line *line, unsigned column);

#endif
