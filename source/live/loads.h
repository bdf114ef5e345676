/* SPDX-License-Identifier: MIT */
/* Images that live processes map: image notify routines (PS-78, PS-86). */
#ifndef RINGSIDE_LIVE_LOADS_H
#define RINGSIDE_LIVE_LOADS_H

#include "source/live/live.h"
#include "source/live/task.h"

/* Which are told from now on. */
void live_tell_images(enum live_images which);

/* Whether those of a new program are. */
bool live_wants_images(void);

/* `task` runs a new program and has not run an instruction of it: its image, then those that
 * came with it (the interpreter, ld.so). */
void live_tell_program(struct live_task *task);

/* `task` has mapped the file at `address`, executable. */
void live_tell_mapping(struct live_task *task, uint64_t address);

#endif
