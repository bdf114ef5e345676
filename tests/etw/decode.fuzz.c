/* SPDX-License-Identifier: MIT */
/* Any bytes as the description of an event and its payload: the first byte parts them. */
#include "etw/decode.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

static bool is_within(const char *at, const void *begin, size_t size)
{
	return at >= (const char *)begin && at < (const char *)begin + size &&
	       memchr(at, 0, size - (size_t)(at - (const char *)begin));
}

/* Everything that is told ends in NUL inside of what it points into. */
static void check(const struct etw_decoded *out, const void *metadata, size_t size)
{
	REQUIRE(is_within(out->name, metadata, size));
	REQUIRE(out->count <= ETW_MAX_FIELDS);
	for (unsigned i = 0; i < out->count; i++) {
		const struct rs_trace_field *field = &out->field[i];
		REQUIRE(is_within(field->name, metadata, size) ||
			is_within(field->name, out->text, sizeof(out->text)));
		REQUIRE(is_within(field->value, out->text, sizeof(out->text)));
		REQUIRE(!field->is_number || strspn(field->value, "-0123456789"));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || data[0] >= size)
		return 0;
	size_t metadata_size = data[0], payload_size = size - 1 - metadata_size;
	uint8_t *metadata = malloc(metadata_size + 1), *payload = malloc(payload_size + 1);
	struct etw_decoded *out = malloc(sizeof(*out));
	REQUIRE(metadata && payload && out);
	/* At the ends of their blocks, so that a byte too many is seen. */
	memcpy(metadata + 1, data + 1, metadata_size);
	memcpy(payload + 1, data + 1 + metadata_size, payload_size);
	if (metadata_size >= 2) {
		metadata[1] = (uint8_t)metadata_size;
		metadata[2] = 0;
	}
	if (etw_decode(metadata + 1, metadata_size, payload + 1, payload_size, out))
		check(out, metadata + 1, metadata_size);
	free(out);
	free(payload);
	free(metadata);
	return 0;
}
