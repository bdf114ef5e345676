/* SPDX-License-Identifier: MIT */
/* The requests to files of the volume, as minifilters see them. */
#ifndef RINGSIDE_FLT_REQUEST_H
#define RINGSIDE_FLT_REQUEST_H

#include <stdbool.h>

/* From now on, or no longer. */
void flt_watch_volume(bool watch);

#endif
