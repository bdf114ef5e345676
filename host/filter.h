/* SPDX-License-Identifier: MIT */
/*
 * Asking another program: what it reads is written first, then it runs, then what it
 * wrote is read. Allocates nothing and takes no lock, so that a report which is made in
 * a signal handler can ask.
 */
#ifndef RINGSIDE_HOST_FILTER_H
#define RINGSIDE_HOST_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host_filter {
	int input, output; /* files in memory */
	uint64_t read;     /* of the output */
};

/* 0 or -errno. */
int host_filter_open(struct host_filter *filter);
void host_filter_close(struct host_filter *filter);

/* Appends to what the program will read. */
bool host_filter_put(struct host_filter *filter, const char *text);

/*
 * Runs the first of `programs` (names for PATH, or paths; NULL ends them) that is there,
 * with arguments argv[1] and so on, and waits for it; after so many milliseconds it is
 * ended. Its standard error is dropped. Returns its exit status, -ENOENT when there is none of the
 * programs, another -errno when it was ended or could not be started.
 */
int host_filter_run(struct host_filter *filter, const char *const *programs, char *argv[],
		    unsigned patience);

/* The next line of what it wrote, without its newline, cut to fit. False at the end. */
bool host_filter_get(struct host_filter *filter, char *line, size_t size);

#endif
