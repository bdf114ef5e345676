/* SPDX-License-Identifier: MIT */
#include "memory.h"
#include "plan.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Of tests alone; helpers that a test left running ask it while it is changed. */
static host_failure_plan *_Atomic failure_plan;
static _Atomic uint64_t live;

void host_fail_allocations(host_failure_plan *plan)
{
	atomic_store_explicit(&failure_plan, plan, memory_order_release);
}

uint64_t host_live_allocations(void)
{
	return atomic_load_explicit(&live, memory_order_relaxed);
}

bool host_shall_fail(const char *site)
{
	host_failure_plan *plan = atomic_load_explicit(&failure_plan, memory_order_acquire);
	return plan && plan(site);
}

void host_count(int change)
{
	atomic_fetch_add_explicit(&live, (uint64_t)change, memory_order_relaxed);
}

static void *counted(void *memory)
{
	if (memory)
		host_count(1);
	return memory;
}

void *host_alloc_at(size_t size, const char *site)
{
	return host_shall_fail(site) ? NULL : counted(calloc(1, size ? size : 1));
}

void *host_alloc_aligned_at(size_t size, size_t alignment, const char *site)
{
	if (host_shall_fail(site))
		return NULL;
	void *memory = NULL;
	if (posix_memalign(&memory, alignment, size ? size : 1))
		return NULL;
	memset(memory, 0, size);
	return counted(memory);
}

void host_free(void *memory)
{
	if (!memory)
		return;
	host_count(-1);
	free(memory);
}

#define LATE 64

static void *_Atomic late[LATE];

void host_free_later(void *memory)
{
	static atomic_uint next;
	unsigned place = atomic_fetch_add_explicit(&next, 1, memory_order_relaxed) % LATE;
	host_free(atomic_exchange_explicit(&late[place], memory, memory_order_acq_rel));
}

void host_free_late(void)
{
	for (unsigned i = 0; i < LATE; i++)
		host_free(atomic_exchange_explicit(&late[i], NULL, memory_order_acq_rel));
}

void *host_map_at(size_t size, const char *site)
{
	if (host_shall_fail(site))
		return NULL;
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return counted(pages == MAP_FAILED ? NULL : pages);
}

void *host_map_below_at(const void *address, size_t size, size_t reach, const char *site)
{
	const uintptr_t step = 1 << 16;
	uintptr_t ceiling = (uintptr_t)address & ~(step - 1);
	uintptr_t lowest = (uintptr_t)address > reach ? (uintptr_t)address - reach : step;
	size_t room = (size + step - 1) & ~(step - 1);
	if (host_shall_fail(site))
		return NULL;
	for (uintptr_t at = ceiling - room; at >= lowest && at < ceiling; at -= step) {
		void *wanted = (void *)at;
		void *pages = mmap(
			wanted, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
		if (pages == wanted)
			return counted(pages);
		if (pages != MAP_FAILED)
			munmap(pages, size);
	}
	return NULL;
}

void *host_map_shared_at(void *place, size_t size, const char *site)
{
	if (host_shall_fail(site))
		return NULL;
	void *pages = mmap(place, size, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	return counted(pages == MAP_FAILED ? NULL : pages);
}

void *host_map_again_at(void *pages, size_t size, const char *site)
{
	if (host_shall_fail(site))
		return NULL;
	/* From a length of 0 Linux makes a second mapping and keeps the first. */
	void *second = mremap(pages, 0, size, MREMAP_MAYMOVE);
	return counted(second == MAP_FAILED ? NULL : second);
}

void *host_map_file_at(void *place, size_t size, int fd, uint64_t offset, bool shared,
		       const char *site)
{
	bool writable = !shared || (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR;
	if (host_shall_fail(site))
		return NULL;
	void *pages = mmap(place, size, PROT_READ | (writable ? PROT_WRITE : 0),
			   (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_NORESERVE |
				   (place ? MAP_FIXED_NOREPLACE : 0),
			   fd, (off_t)offset);
	return counted(pages == MAP_FAILED ? NULL : pages);
}

void host_unmap(void *pages, size_t size)
{
	if (!pages)
		return;
	host_count(-1);
	munmap(pages, size);
}

int host_protect(void *pages, size_t size, unsigned protection)
{
	int flags = (protection & HOST_READ ? PROT_READ : 0) |
		    (protection & HOST_WRITE ? PROT_WRITE : 0) |
		    (protection & HOST_EXECUTE ? PROT_EXEC : 0);
	return mprotect(pages, size, flags) ? -errno : 0;
}
