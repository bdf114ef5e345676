/* SPDX-License-Identifier: MIT */
/* --ioctl, --read, --write and --port: what is asked of drivers before COMMAND runs. */
#ifndef RINGSIDE_CLI_REQUEST_H
#define RINGSIDE_CLI_REQUEST_H

#include "sink/sink.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum request_kind { REQUEST_IOCTL, REQUEST_READ, REQUEST_WRITE, REQUEST_PORT };

struct request {
	enum request_kind kind;
	const char *device; /* or port, as given */
	uint32_t code;      /* of a REQUEST_IOCTL */
	char *input;        /* NULL: none */
	size_t input_size, output_size;
	char *context; /* what a REQUEST_PORT connects with; NULL: nothing */
	size_t context_size;
};

struct requests {
	struct request *all;
	size_t count;
};

/* Reads an option's argument, which it cuts into words, and appends it; false after a
 * complaint. */
bool request_read(struct requests *requests, enum request_kind kind, char *text);
void requests_free(struct requests *requests);

/*
 * Carries them out in order, as a process that was there before the drivers, and reports
 * each. Its devices stay open, and requests that a driver keeps stay pending, until
 * requests_end, which cancels them. NULL without memory, after a complaint, or without
 * requests.
 */
struct request_run *requests_begin(const struct requests *requests, struct sink *sink);
void requests_end(struct request_run *run);

#endif
