/* SPDX-License-Identifier: MIT */
/* Linux names and arguments, written as NT writes them. */
#ifndef RINGSIDE_LIVE_NAME_H
#define RINGSIDE_LIVE_NAME_H

#include <ringside/nt.h>
#include <stddef.h>
#include <stdint.h>

/* Arguments as /proc/PID/cmdline has them: `count` strings, each ended by a NUL,
 * in `size` bytes. */
struct live_arguments {
	char *text; /* host_alloc */
	size_t size;
	unsigned count;
};

/* No more bytes of arguments can be shown: three make a UTF-16 unit. */
#define LIVE_MOST_ARGUMENTS (3 * 32768)

/* Equal for equal arguments. */
uint64_t live_hash_arguments(const struct live_arguments *arguments);

/*
 * All of these make *out a string of its own, given back with rtl_free_string,
 * and return 0, -ENOMEM or -ENAMETOOLONG (paths only; command lines are cut at
 * what a UNICODE_STRING can hold). *out is untouched on failure.
 */

/* "/usr/bin/sleep" as the name in an open: \??\Z:\usr\bin\sleep. */
int live_open_name(const char *path, UNICODE_STRING *out);

/* The same as the name of a located file: \Device\HarddiskVolume1\usr\bin\sleep. */
int live_native_name(const char *path, UNICODE_STRING *out);

/* The Linux path as it is: what a pico process has as its image. */
int live_pico_name(const char *path, UNICODE_STRING *out);

/* A command line that CommandLineToArgvW splits into these arguments again. */
int live_command_line(const struct live_arguments *arguments, UNICODE_STRING *out);

/* The arguments with NULs between them: what a pico process has as command line. */
int live_pico_command_line(const struct live_arguments *arguments, UNICODE_STRING *out);

#endif
