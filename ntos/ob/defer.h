/* SPDX-License-Identifier: MIT */
/* Deleting objects later (defer.c), and what that shares with object.c. */
#ifndef RINGSIDE_OB_DEFER_H
#define RINGSIDE_OB_DEFER_H

#include "ob/object.h"

/* Takes a reference away, which may be the last; how many are left. */
LONGLONG ob_drop_reference(void *body);

/* Deletes what has no reference left: now, or on a worker. */
void ob_delete(struct ob_header *header);
void ob_delete_later(struct ob_header *header);

#endif
