/* SPDX-License-Identifier: MIT */
/* Driver files: reading them, and saying what is wrong with them. */
#ifndef RINGSIDE_LDR_FILE_H
#define RINGSIDE_LDR_FILE_H

#include "ldr/driver.h"
#include "ldr/pe.h"

struct ldr_file {
	const char *path;
	void *bytes; /* the reader's, given back with host_free */
	size_t size;
};

/* Reads all of file->path. False with *error when it cannot be read or is no regular
 * file. */
bool ldr_read_file(struct ldr_file *file, struct ldr_error *error);

/* Make the line "PATH: ..." and "PATH: offset 0x...: ...", and return false. */
bool ldr_fail(struct ldr_error *error, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool ldr_fail_at(struct ldr_error *error, const char *path, const struct pe_error *why);

#endif
