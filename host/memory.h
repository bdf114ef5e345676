/* SPDX-License-Identifier: MIT */
/*
 * Memory from Linux, with every failure on demand.
 *
 * All allocation of ntos/ and ldr/ goes through here, so that a test can fail
 * the n-th one, or every one of a call site, and see what the kernel makes of
 * it. The call site is named by the macro.
 */
#ifndef RINGSIDE_HOST_MEMORY_H
#define RINGSIDE_HOST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_SITE_(line) #line
#define HOST_SITE(line) HOST_SITE_(line)
#define HOST_HERE __FILE__ ":" HOST_SITE(__LINE__)

/* Zeroed memory, 16-byte aligned, or NULL. Freed with host_free. */
#define host_alloc(size) host_alloc_at((size), HOST_HERE)
void *host_alloc_at(size_t size, const char *site);
void host_free(void *memory);

/* Frees a block some other such blocks later, so that who uses it again by mistake finds
 * what was left in it, and not somebody else's memory. host_free_late frees them all: at
 * shutdown. */
void host_free_later(void *memory);
void host_free_late(void);

/* The usable size of what host_alloc returned is at least what was asked for;
 * this is the same with a power-of-two alignment above 16. */
#define host_alloc_aligned(size, alignment) host_alloc_aligned_at((size), (alignment), HOST_HERE)
void *host_alloc_aligned_at(size_t size, size_t alignment, const char *site);

/* Whole zeroed pages, readable and writable; size in bytes, rounded up. NULL on
 * failure. */
#define host_map(size) host_map_at((size), HOST_HERE)
void *host_map_at(size_t size, const char *site);
void host_unmap(void *pages, size_t size);

/* The same at the highest free place that ends below `address` and begins at most
 * `reach` bytes below it. NULL when there is none. */
#define host_map_below(address, size, reach)                                                       \
	host_map_below_at((address), (size), (reach), HOST_HERE)
void *host_map_below_at(const void *address, size_t size, size_t reach, const char *site);

/* Zeroed pages at exactly that place that can be mapped again, and such pages at a second
 * place, where Linux chooses. Unmapped with host_unmap, each by itself. NULL on failure. */
#define host_map_shared(place, size) host_map_shared_at((place), (size), HOST_HERE)
void *host_map_shared_at(void *place, size_t size, const char *site);
#define host_map_again(pages, size) host_map_again_at((pages), (size), HOST_HERE)
void *host_map_again_at(void *pages, size_t size, const char *site);

/* Pages of an open file from `offset` on, readable, and writable unless the file is shared and
 * was not opened for that: stores reach a shared file and stay here otherwise. `place` NULL:
 * Linux chooses. Unmapped with host_unmap. NULL on failure. */
#define host_map_file(place, size, fd, offset, shared)                                             \
	host_map_file_at((place), (size), (fd), (offset), (shared), HOST_HERE)
void *host_map_file_at(void *place, size_t size, int fd, uint64_t offset, bool shared,
		       const char *site);

enum host_protection { HOST_NONE = 0, HOST_READ = 1, HOST_WRITE = 2, HOST_EXECUTE = 4 };

/* Sets the protection of whole pages: a combination of the above. 0 or -errno. */
int host_protect(void *pages, size_t size, unsigned protection);

/*
 * Failure on demand. The plan is consulted at every allocation with the call
 * site ("ntos/ob/handle.c:41"); true makes that one fail. NULL: none fails.
 * Set it while no other thread allocates.
 */
typedef bool host_failure_plan(const char *site);
void host_fail_allocations(host_failure_plan *plan);

/* How many allocations and mappings are alive: leaks show as a difference. */
uint64_t host_live_allocations(void);

#endif
