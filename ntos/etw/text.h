/* SPDX-License-Identifier: MIT */
/* Text put together in fixed memory, and bytes that are read up to their end. */
#ifndef RINGSIDE_ETW_TEXT_H
#define RINGSIDE_ETW_TEXT_H

#include <ringside/nt.h>
#include <stdbool.h>
#include <stddef.h>

/* What has no room is left out, and `full` says so. */
struct etw_text {
	char *text;
	size_t size, used;
	bool full;
};

void etw_put(struct etw_text *text, const void *bytes, size_t count);
void etw_putf(struct etw_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct etw_bytes {
	const UCHAR *at, *end;
};

static inline size_t etw_left(const struct etw_bytes *bytes)
{
	return (size_t)(bytes->end - bytes->at);
}

/* The next `size` bytes, which are then behind it; NULL if there are fewer. */
const UCHAR *etw_take(struct etw_bytes *bytes, size_t size);
bool etw_take_u8(struct etw_bytes *bytes, UCHAR *value);
bool etw_take_u16(struct etw_bytes *bytes, USHORT *value);

/* A string up to its NUL, which must be there. */
const char *etw_take_string(struct etw_bytes *bytes);

#define ETW_GUID_TEXT 39
void etw_guid_to_text(const GUID *guid, char text[ETW_GUID_TEXT]);

#endif
