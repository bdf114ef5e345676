/* SPDX-License-Identifier: MIT */
/*
 * Memory for those who may write where they should not: apart from the memory of this
 * program, and with nothing in it that the allocator itself has to trust.
 */
#ifndef RINGSIDE_HOST_ARENA_H
#define RINGSIDE_HOST_ARENA_H

#include "memory.h"

/* Memory of any content, aligned to a power of two between 16 and a page, or NULL. Fails on
 * demand like host_alloc. A block of less than a page lies within one. */
#define host_arena_alloc(size, alignment) host_arena_alloc_at((size), (alignment), HOST_HERE)
void *host_arena_alloc_at(size_t size, size_t alignment, const char *site);

/* Both as they were asked for. */
void host_arena_free(void *memory, size_t size, size_t alignment);

#endif
