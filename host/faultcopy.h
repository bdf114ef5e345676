/* SPDX-License-Identifier: MIT */
/* Copying to and from memory that may not be there, at the speed of a copy. */
#ifndef RINGSIDE_HOST_FAULTCOPY_H
#define RINGSIDE_HOST_FAULTCOPY_H

#include "trap.h"

/* Copies `size` bytes upwards, or as many as could be read and written before an access
 * faulted; how many. Any thread, while traps are caught (host_catch_traps); not for
 * the handler of a fault, which has host_read and host_write. */
size_t host_copy(void *to, const void *from, size_t size);

/* Whether the trap is that of a copy; then makes it end there. For trap.c. */
bool host_end_copy(struct host_trap *trap);

#endif
