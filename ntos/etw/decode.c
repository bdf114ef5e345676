/* SPDX-License-Identifier: MIT */
/*
 * The fields of a TraceLogging event.
 *
 * An event's metadata is its size (16 bits, of all of it), tags (bytes, the last without
 * bit 7), its name and a description of each field: name, in-type, out-type if bit 7 of
 * the in-type is set, tags if bit 7 of the out-type is. Bits 5 and 6 of the in-type make
 * an array: its length is a constant behind the description (1) or stands before the
 * values in the payload (2); 3 is a type of the provider's own, whose description and
 * values are counted bytes. A structure's out-type is the number of fields that belong to
 * it. Strings end in NUL and nothing is aligned.
 *
 * All of it comes from a driver. Nothing is read beyond the ends that are given, nesting
 * is bounded, and so are the steps, because an array of empty structures costs no bytes.
 *
 * Facts: TraceLoggingProvider.h and its documentation, "Provider Traits".
 */
#include "etw/decode.h"
#include <string.h>

enum { TYPE = 0x1F, ARRAY = 0x60, CONSTANT = 0x20, VARIABLE = 0x40, CHAIN = 0x80 };

#define MAX_DEPTH 8
#define MAX_STEPS 8192

struct work {
	struct etw_bytes meta, data;
	struct etw_decoded *out;
	struct etw_text text;
	unsigned steps;
	bool skipping; /* the description alone: of a structure in an array of none */
};

struct field {
	const char *name;
	UCHAR in, out, array;
	USHORT count;
};

/* Of which only the end counts. */
static bool skip_tags(struct etw_bytes *meta)
{
	UCHAR tag = CHAIN;
	while (tag & CHAIN)
		if (!etw_take_u8(meta, &tag))
			return false;
	return true;
}

static bool read_count(struct work *work, struct field *field)
{
	field->count = 1;
	switch (field->array) {
	case CONSTANT:
		return etw_take_u16(&work->meta, &field->count);
	case VARIABLE:
		return work->skipping || etw_take_u16(&work->data, &field->count);
	case ARRAY:
		return etw_take_u16(&work->meta, &field->count) &&
		       etw_take(&work->meta, field->count);
	default:
		return true;
	}
}

static bool read_field(struct work *work, struct field *field)
{
	UCHAR in;
	*field = (struct field){.name = etw_take_string(&work->meta)};
	if (!field->name || !etw_take_u8(&work->meta, &in))
		return false;
	field->in = in & TYPE;
	field->array = in & ARRAY;
	if (in & CHAIN && !etw_take_u8(&work->meta, &field->out))
		return false;
	if (field->out & CHAIN && !skip_tags(&work->meta))
		return false;
	field->out &= (UCHAR)~CHAIN;
	return field->in < ETW_IN_TYPES && read_count(work, field);
}

/* ---- Values ------------------------------------------------------------------------------ */

static bool put_elements(struct work *work, const struct field *field)
{
	etw_put(&work->text, "[", 1);
	for (unsigned i = 0; i < field->count; i++) {
		if (i)
			etw_put(&work->text, ", ", 2);
		if (work->text.full ||
		    !etw_put_value(&work->text, field->in, field->out, &work->data))
			return false;
	}
	etw_put(&work->text, "]", 1);
	return true;
}

static bool put_characters(struct work *work, const struct field *field, unsigned width)
{
	size_t size = (size_t)field->count * width;
	const UCHAR *bytes = etw_take(&work->data, size);
	if (bytes)
		etw_put_characters(&work->text, bytes, size, width);
	return bytes != NULL;
}

static bool put_values(struct work *work, const struct field *field)
{
	unsigned width = etw_character_size(field->in, field->out);
	if (field->array == ARRAY)
		return etw_put_binary(&work->text, 0, &work->data);
	if (!field->array)
		return etw_put_value(&work->text, field->in, field->out, &work->data);
	return width ? put_characters(work, field, width) : put_elements(work, field);
}

static const char *put_name(struct work *work, const char *prefix, const char *name)
{
	const char *start = work->text.text + work->text.used;
	etw_put(&work->text, prefix, strlen(prefix));
	etw_put(&work->text, name, strlen(name) + 1);
	return start;
}

static bool decode_value(struct work *work, const struct field *field, const char *prefix)
{
	if (work->skipping)
		return true;
	if (work->out->count == ETW_MAX_FIELDS)
		return false;
	struct rs_trace_field *slot = &work->out->field[work->out->count++];
	slot->name = *prefix ? put_name(work, prefix, field->name) : field->name;
	slot->value = work->text.text + work->text.used;
	slot->is_number = !field->array && etw_is_number(field->in, field->out);
	bool fits = put_values(work, field);
	etw_put(&work->text, "", 1);
	return fits && !work->text.full;
}

/* ---- Structures -------------------------------------------------------------------------- */

static bool decode_fields(struct work *work, const char *prefix, unsigned count, unsigned depth);

/* "Outer." or "Outer[3].", before the names of what is inside. */
static const char *put_prefix(struct work *work, const struct field *field, const char *prefix,
			      unsigned index)
{
	const char *start = work->text.text + work->text.used;
	etw_put(&work->text, prefix, strlen(prefix));
	etw_put(&work->text, field->name, strlen(field->name));
	if (field->array)
		etw_putf(&work->text, "[%u]", index);
	etw_put(&work->text, ".", 2);
	return work->text.full ? NULL : start;
}

/* Each element reads the same descriptions again. */
static bool decode_elements(struct work *work, const struct field *field, const char *prefix,
			    unsigned depth)
{
	const UCHAR *descriptions = work->meta.at;
	for (unsigned i = 0; i < field->count; i++) {
		const char *inner = put_prefix(work, field, prefix, i);
		work->meta.at = descriptions;
		if (!inner || !decode_fields(work, inner, field->out, depth + 1))
			return false;
	}
	return true;
}

static bool decode_structure(struct work *work, const struct field *field, const char *prefix,
			     unsigned depth)
{
	if (depth == MAX_DEPTH || field->array == ARRAY)
		return false;
	if (field->count && !work->skipping)
		return decode_elements(work, field, prefix, depth);
	bool skipping = work->skipping;
	work->skipping = true;
	bool read = decode_fields(work, prefix, field->out, depth + 1);
	work->skipping = skipping;
	return read;
}

static bool decode_fields(struct work *work, const char *prefix, unsigned count, unsigned depth)
{
	struct field field;
	if (++work->steps > MAX_STEPS)
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (++work->steps > MAX_STEPS || !read_field(work, &field))
			return false;
		if (!(field.in == ETW_IN_STRUCT ? decode_structure(work, &field, prefix, depth)
						: decode_value(work, &field, prefix)))
			return false;
	}
	return true;
}

/* Its size and tags, and its name. */
static bool read_event(struct work *work, size_t metadata_size)
{
	USHORT size;
	if (!etw_take_u16(&work->meta, &size) || size != metadata_size || !skip_tags(&work->meta))
		return false;
	work->out->name = etw_take_string(&work->meta);
	return work->out->name != NULL;
}

bool etw_decode(const void *metadata, size_t metadata_size, const void *payload,
		size_t payload_size, struct etw_decoded *out)
{
	if (!metadata_size)
		return false;
	struct work work = {
		.meta = {metadata, (const UCHAR *)metadata + metadata_size},
		.data = {payload, (const UCHAR *)payload + payload_size},
		.out = out,
		.text = {.text = out->text, .size = sizeof(out->text)},
	};
	out->count = 0;
	if (!read_event(&work, metadata_size))
		return false;
	while (etw_left(&work.meta))
		if (!decode_fields(&work, "", 1, 0))
			return false;
	return etw_left(&work.data) == 0;
}
