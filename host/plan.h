/* SPDX-License-Identifier: MIT */
/* Inside of host/: every allocator asks whether it shall fail, and is counted. */
#ifndef RINGSIDE_HOST_PLAN_H
#define RINGSIDE_HOST_PLAN_H

#include <stdbool.h>

/* The failure plan's word on an allocation at that site (memory.h). */
bool host_shall_fail(const char *site);

/* One allocation more, or less, for host_live_allocations. */
void host_count(int change);

#endif
