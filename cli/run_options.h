/* SPDX-License-Identifier: MIT */
/* The command line of `ringside run`. */
#ifndef RINGSIDE_CLI_RUN_OPTIONS_H
#define RINGSIDE_CLI_RUN_OPTIONS_H

#include <ringside/ringside.h>
#include "cli/missing.h"
#include "cli/request.h"
#include "sink/sink.h"
#include "source/live/live.h"

/* --param: a value for one driver's Parameters key or for every driver's. */
struct run_parameter {
	const char *driver; /* NULL: every driver */
	const char *name;
	const char **values; /* the comma-separated words */
	size_t count;
};

struct run_options {
	char **drivers; /* paths, into argv */
	size_t driver_count;
	struct run_parameter *parameters;
	size_t parameter_count;
	struct run_parameter *altitudes; /* --altitude: the name is the number */
	size_t altitude_count;
	const char **traces; /* --trace: GUIDs and names; NULL: every provider */
	size_t trace_count;
	struct requests requests; /* --ioctl, --read, --write and --port, in order */
	char **command;           /* COMMAND and its arguments, as argv */
	const char *root;         /* --root, or NULL for / */
	const char *output;       /* -o, or NULL for standard error */
	enum sink_detail detail;
	enum rs_profile profile;
	struct missing_option missing;
	bool json, root_write;
	bool tree; /* --tree */
	struct live_options live;
};

/*
 * Reads argv, which it reorders and cuts into words. Returns -1 when there is a
 * run to do; otherwise the exit status, after help or a complaint.
 */
int run_options_read(struct run_options *options, int argc, char *argv[]);

void run_options_free(struct run_options *options);

/* Whether `parameter` is meant for the driver file at `path`: its base name, with or
 * without ".sys", in any case. */
bool run_parameter_is_for(const struct run_parameter *parameter, const char *path);

#endif
