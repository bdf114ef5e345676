/* SPDX-License-Identifier: MIT */
/* The life of opens, for io/volume-create.c. */
#ifndef RINGSIDE_IO_VOLUME_NODE_H
#define RINGSIDE_IO_VOLUME_NODE_H

#include "io/volume.h"

/* An open of what was found, whose descriptor it takes over (-1 then); NULL without memory. */
struct volume_open *volume_make_open(struct volume_found *found);
void volume_free_open(struct volume_open *open);

/* Begins to count, with the rights and the sharing that the file object says.
 * SHARING_VIOLATION, DELETE_PENDING. */
NTSTATUS volume_join(struct volume_open *open, PFILE_OBJECT file);

/* Ends it, and removes a file that was to be deleted if it was the last; harmless when it
 * never began. */
void volume_leave(struct volume_open *open, PFILE_OBJECT file);

#endif
