/* SPDX-License-Identifier: MIT */
/* No state: the helpers of the decoder. A reader never passes its end. */
#include "etw/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void etw_put(struct etw_text *text, const void *bytes, size_t count)
{
	if (text->full || count > text->size - text->used) {
		text->full = true;
		return;
	}
	if (count)
		memcpy(text->text + text->used, bytes, count);
	text->used += count;
}

void etw_putf(struct etw_text *text, const char *format, ...)
{
	char piece[80];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(piece, sizeof(piece), format, arguments);
	va_end(arguments);
	etw_put(text, piece, length < (int)sizeof(piece) ? (size_t)length : sizeof(piece) - 1);
}

const UCHAR *etw_take(struct etw_bytes *bytes, size_t size)
{
	const UCHAR *at = bytes->at;
	if (etw_left(bytes) < size)
		return NULL;
	bytes->at += size;
	return at;
}

bool etw_take_u8(struct etw_bytes *bytes, UCHAR *value)
{
	const UCHAR *at = etw_take(bytes, 1);
	if (at)
		*value = *at;
	return at != NULL;
}

bool etw_take_u16(struct etw_bytes *bytes, USHORT *value)
{
	const UCHAR *at = etw_take(bytes, sizeof(*value));
	if (at)
		memcpy(value, at, sizeof(*value));
	return at != NULL;
}

const char *etw_take_string(struct etw_bytes *bytes)
{
	const UCHAR *end = etw_left(bytes) ? memchr(bytes->at, 0, etw_left(bytes)) : NULL;
	return end ? (const char *)etw_take(bytes, (size_t)(end - bytes->at) + 1) : NULL;
}

void etw_guid_to_text(const GUID *guid, char text[ETW_GUID_TEXT])
{
	const UCHAR *d = guid->Data4;
	snprintf(text, ETW_GUID_TEXT, "{%08X-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X}",
		 guid->Data1, guid->Data2, guid->Data3, d[0], d[1], d[2], d[3], d[4], d[5], d[6],
		 d[7]);
}
