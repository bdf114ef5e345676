/* SPDX-License-Identifier: MIT */
/* TraceLogging: events that carry the description of their own fields. */
#ifndef RINGSIDE_ETW_DECODE_H
#define RINGSIDE_ETW_DECODE_H

#include "etw/text.h"
#include <ringside/event.h>

#define ETW_MAX_FIELDS 128
#define ETW_MAX_TEXT 32768

/* Large: not for a stack. */
struct etw_decoded {
	const char *name;
	unsigned count;
	struct rs_trace_field field[ETW_MAX_FIELDS];
	char text[ETW_MAX_TEXT];
};

/* Neither needs to be what it should: false if the description is damaged or of a kind that
 * is not known, if it does not fit the payload exactly, or if there is too much of it. What
 * *out points to is in it and in `metadata`. */
bool etw_decode(const void *metadata, size_t metadata_size, const void *payload,
		size_t payload_size, struct etw_decoded *out);

/* One value of those types, as text; and how many bytes an element of an array of
 * characters has, or 0. */
enum {
	ETW_IN_NULL,
	ETW_IN_UNICODE,
	ETW_IN_ANSI,
	ETW_IN_INT8,
	ETW_IN_UINT8,
	ETW_IN_INT16,
	ETW_IN_UINT16,
	ETW_IN_INT32,
	ETW_IN_UINT32,
	ETW_IN_INT64,
	ETW_IN_UINT64,
	ETW_IN_FLOAT,
	ETW_IN_DOUBLE,
	ETW_IN_BOOL32,
	ETW_IN_BINARY,
	ETW_IN_GUID,
	ETW_IN_POINTER, /* no header makes it, decoders know it */
	ETW_IN_FILETIME,
	ETW_IN_SYSTEMTIME,
	ETW_IN_SID,
	ETW_IN_HEX32,
	ETW_IN_HEX64,
	ETW_IN_COUNTED_UNICODE,
	ETW_IN_COUNTED_ANSI,
	ETW_IN_STRUCT,
	ETW_IN_COUNTED_BINARY,
	ETW_IN_TYPES
};
bool etw_put_value(struct etw_text *text, UCHAR in, UCHAR out, struct etw_bytes *data);
bool etw_put_binary(struct etw_text *text, UCHAR out, struct etw_bytes *data);
bool etw_is_number(UCHAR in, UCHAR out);
unsigned etw_character_size(UCHAR in, UCHAR out);
void etw_put_characters(struct etw_text *text, const UCHAR *bytes, size_t size, unsigned width);

#endif
