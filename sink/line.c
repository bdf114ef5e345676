/* SPDX-License-Identifier: MIT */
#include "sink/line.h"
#include "rtl/utf.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The end of the buffer is kept for what closes a line: "…", a colour's end and
 * the newline. */
#define RESERVE 16

static bool has_room(const struct sink_line *line, size_t length)
{
	return line->length + length + RESERVE <= line->size;
}

static void put_bytes(struct sink_line *line, const char *bytes, size_t length)
{
	memcpy(line->text + line->length, bytes, length);
	line->length += length;
}

static void new_line(struct sink_line *line)
{
	if (line->length < line->size)
		put_bytes(line, "\n", 1);
	line->columns = 0;
	line->full = false;
}

static void cut(struct sink_line *line)
{
	static const char ellipsis[] = "…";
	if (line->length + sizeof(ellipsis) + RESERVE / 2 <= line->size)
		put_bytes(line, ellipsis, sizeof(ellipsis) - 1);
	line->columns++;
	line->full = true;
}

/* One column for every character: wide and combining ones are not worth a locale. */
static void put_character(struct sink_line *line, uint32_t character)
{
	char bytes[4];
	size_t length = rtl_encode_utf8(character, bytes);
	if (line->full)
		return;
	if (!has_room(line, length) || (line->limit && line->columns + 1 >= line->limit)) {
		cut(line);
		return;
	}
	put_bytes(line, bytes, length);
	line->columns++;
}

void sink_say(struct sink_line *line, const char *text)
{
	uint32_t character;
	for (size_t left = strlen(text), taken; left; text += taken, left -= taken) {
		taken = rtl_decode_utf8(text, left, &character);
		if (character == '\n')
			new_line(line);
		else
			put_character(line, character);
	}
}

void sink_sayf(struct sink_line *line, const char *format, ...)
{
	char text[256];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	sink_say(line, text);
}

/* C1 controls (0x80 to 0x9F) steer some terminals as escape sequences do. */
static void quote_character(struct sink_line *line, uint32_t character)
{
	if (character == 0)
		put_character(line, 0x2400);
	else if (character < 0x20 || (character >= 0x7F && character < 0xA0))
		sink_sayf(line, "\\x%02x", character);
	else
		put_character(line, character);
}

void sink_quote_counted(struct sink_line *line, const char *text, size_t length)
{
	uint32_t character;
	for (size_t taken; length; text += taken, length -= taken) {
		taken = rtl_decode_utf8(text, length, &character);
		quote_character(line, character);
	}
}

void sink_quote(struct sink_line *line, const char *text)
{
	sink_quote_counted(line, text, strlen(text));
}

void sink_quote_utf16(struct sink_line *line, const UNICODE_STRING *text)
{
	const WCHAR *at = text->Buffer;
	uint32_t character;
	for (size_t left = text->Length / sizeof(WCHAR), taken; left; at += taken, left -= taken) {
		taken = rtl_decode_utf16(at, left, &character);
		quote_character(line, character);
	}
}

void sink_paint(struct sink_line *line, enum sink_colour colour)
{
	static const char *const sequence[] = {
		[SINK_PLAIN] = "\x1b[0m", [SINK_DIM] = "\x1b[2m",      [SINK_BOLD] = "\x1b[1m",
		[SINK_RED] = "\x1b[31m",  [SINK_GREEN] = "\x1b[32m",   [SINK_YELLOW] = "\x1b[33m",
		[SINK_BLUE] = "\x1b[34m", [SINK_MAGENTA] = "\x1b[35m", [SINK_CYAN] = "\x1b[36m",
	};
	size_t length = strlen(sequence[colour]);
	/* A colour may not be turned on where there is no room to turn it off. */
	if (line->colour &&
	    (colour == SINK_PLAIN ? line->length + length < line->size : has_room(line, length)))
		put_bytes(line, sequence[colour], length);
}

void sink_pad(struct sink_line *line, unsigned column)
{
	do
		sink_say(line, " ");
	while (line->columns < column && !line->full);
}
