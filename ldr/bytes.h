/* SPDX-License-Identifier: MIT */
/* Bytes of a file, at any place: of one that is open, or of one in memory. */
#ifndef RINGSIDE_LDR_BYTES_H
#define RINGSIDE_LDR_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ldr_bytes {
	const void *memory; /* or NULL, and then */
	int fd;
	uint64_t size;
};

/* Opens a regular file. Allocates nothing. */
bool ldr_open_bytes(struct ldr_bytes *bytes, const char *path);
void ldr_close_bytes(struct ldr_bytes *bytes);

/* All of them, or false. */
bool ldr_read_bytes(const struct ldr_bytes *bytes, uint64_t offset, void *to, size_t size);

/* Text that ends with a NUL or after size - 1 characters, made printable. False if it does
 * not begin in the file. */
bool ldr_read_text(const struct ldr_bytes *bytes, uint64_t offset, char *text, size_t size);

#endif
