/* SPDX-License-Identifier: MIT */
/*
 * Memory below the kernel's: what a driver takes for user memory.
 *
 * It is shared, so that its pages can be mapped at a second place too (host_map_again),
 * which is how a driver sees a user's buffer among the system's addresses.
 */
#ifndef RINGSIDE_HOST_USER_H
#define RINGSIDE_HOST_USER_H

#include "memory.h"

/* Zeroed shared pages at a free place in [low, high); NULL when there is none. Unmapped
 * with host_unmap. */
#define host_map_user(size, low, high) host_map_user_at((size), (low), (high), HOST_HERE)
void *host_map_user_at(size_t size, uintptr_t low, uintptr_t high, const char *site);

/* Pages of a file, as host_map_file has them, at a free place in [low, high) that begins at a
 * multiple of 64 KiB; NULL when there is none. Unmapped with host_unmap. */
#define host_map_user_file(size, low, high, fd, offset, shared)                                    \
	host_map_user_file_at((size), (low), (high), (fd), (offset), (shared), HOST_HERE)
void *host_map_user_file_at(size_t size, uintptr_t low, uintptr_t high, int fd, uint64_t offset,
			    bool shared, const char *site);

/* Whether all of [from, from + size) can be read, or also written; brings it in. */
bool host_can_access(const void *from, size_t size, bool write);

/* Copies up to `size` bytes to memory that may not be there; how many were written. */
size_t host_write(void *to, const void *from, size_t size);

#endif
