/* SPDX-License-Identifier: MIT */
/* What the kernel makes of an executable file when it looks at its first bytes. */
#ifndef RINGSIDE_LIVE_FORMAT_H
#define RINGSIDE_LIVE_FORMAT_H

#include <stdbool.h>
#include <sys/stat.h>

#define LIVE_HEAD_SIZE 256 /* how much of a file the kernel looks at */

enum live_kind {
	LIVE_NATIVE, /* it runs it itself */
	LIVE_SCRIPT, /* a #! line */
	LIVE_FOREIGN /* perhaps a program is registered for it (binfmt_misc) */
};

struct live_format {
	enum live_kind kind;
	char head[LIVE_HEAD_SIZE];
	char *interpreter, *argument; /* of a script, in head; argument may be NULL */
};

/* Looks at the file that `fd` (O_PATH will do) and its `status` stand for. 0, or the
 * negative errno with which an exec of it fails. `permitted`: it was found that somebody
 * with our own identity may execute it. Any thread. */
int live_look_inside(int fd, const struct stat *status, bool permitted, struct live_format *format);

/* Whether it is known that the file, which has not changed since, is a native program that
 * we ourselves may execute. */
bool live_is_known_program(const struct stat *status);

#endif
