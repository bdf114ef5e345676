/* SPDX-License-Identifier: MIT */
/* The allocations of mm/virtual.c, for who describes them (mm/virtual-query.c). */
#ifndef RINGSIDE_MM_ALLOCATION_H
#define RINGSIDE_MM_ALLOCATION_H

#include <ringside/nt.h>
#include <stddef.h>

#define MM_PAGE ((uintptr_t)4096)

struct mm_allocation {
	LIST_ENTRY link;
	PEPROCESS process; /* not referenced: it takes its allocations along */
	uintptr_t base;
	size_t size;
	ULONG protect; /* as first asked for */
	UCHAR page[];  /* protection of each; 0: reserved */
};

/* Everything below, and an allocation itself, is under this lock. */
void mm_lock_allocations(void);
void mm_unlock_allocations(void);

/* The one of `process` that `address` lies in, or NULL. */
struct mm_allocation *mm_find_allocation(PEPROCESS process, uintptr_t address);

#endif
