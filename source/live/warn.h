/* SPDX-License-Identifier: MIT */
/* What supervision takes from the tree and a person should know. */
#ifndef RINGSIDE_LIVE_WARN_H
#define RINGSIDE_LIVE_WARN_H

#include "source/live/image.h"

/* Whom warnings go to from now on, a line each; NULL: nobody. */
void live_warn_to(void (*warn)(const char *line));

/* `tid` is about to execute a set-id program, which may run without its privileges. Says so
 * once. */
void live_warn_of_lost_privileges(pid_t tid, const struct live_image *image);

#endif
