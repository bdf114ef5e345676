/* SPDX-License-Identifier: MIT */
/* --missing: what becomes of calls of what is not here. */
#ifndef RINGSIDE_CLI_MISSING_H
#define RINGSIDE_CLI_MISSING_H

#include <ringside/ringside.h>

/* Of rs_options. */
struct missing_option {
	enum rs_missing what;
	NTSTATUS status;
};

/* bugcheck, fail, or status[=NTSTATUS]; false after a complaint. */
bool missing_read(struct missing_option *option, const char *text);

#endif
