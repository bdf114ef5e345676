/* SPDX-License-Identifier: MIT */
/* What is mapped where in a process, as Linux tells it. */
#ifndef RINGSIDE_HOST_MAPS_H
#define RINGSIDE_HOST_MAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* One stretch of pages of one mapping, or the gap up to the next. */
struct host_region {
	uint64_t base, size;
	bool mapped, read, write, execute;
	bool shared, file; /* file: of a file, whose name is `path` */
	char path[512];
};

/* The stretch that `address` lies in, of that process. 0 or -errno. */
int host_find_region(pid_t pid, uint64_t address, struct host_region *region);

#endif
