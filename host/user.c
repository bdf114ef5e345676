/* SPDX-License-Identifier: MIT */
/*
 * User memory: shared anonymous mappings at low addresses.
 *
 * Free places are found by trying, from where the last search ended. Linux tells of an
 * occupied one itself (MAP_FIXED_NOREPLACE), so nothing is kept of what is mapped and
 * two threads that search at once only make each other try again.
 */
#include "user.h"
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE_SIZE ((uintptr_t)4096)
#define GAP PAGE_SIZE /* left free after every mapping: an overrun faults */
#define ATTEMPTS 4096
#define VIEW_STEP ((uintptr_t)0x10000)

#ifndef MADV_POPULATE_READ /* Linux 5.14 */
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

static uintptr_t whole_pages(size_t size)
{
	return (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

void *host_map_user_at(size_t size, uintptr_t low, uintptr_t high, const char *site)
{
	static _Atomic uintptr_t next;
	uintptr_t wanted = whole_pages(size ? size : 1);
	if (wanted < size || wanted + GAP > high - low)
		return NULL;
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		uintptr_t place = atomic_fetch_add(&next, wanted + GAP);
		if (place < low || place > high - wanted) {
			atomic_store(&next, low);
			continue;
		}
		void *pages = host_map_shared_at((void *)place, wanted, site);
		if (pages)
			return pages;
	}
	return NULL;
}

void *host_map_user_file_at(size_t size, uintptr_t low, uintptr_t high, int fd, uint64_t offset,
			    bool shared, const char *site)
{
	static _Atomic uintptr_t next, searched; /* searched: where `next` began */
	uintptr_t wanted = (size + VIEW_STEP - 1) & ~(VIEW_STEP - 1);
	if (wanted < size || wanted > high - low)
		return NULL;
	if (atomic_exchange(&searched, low) != low)
		atomic_store(&next, low);
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		uintptr_t place = atomic_fetch_add(&next, wanted + VIEW_STEP);
		if (place < low || place > high - wanted) {
			atomic_store(&next, low);
			continue;
		}
		void *pages = host_map_file_at((void *)place, size, fd, offset, shared, site);
		if (pages)
			return pages;
	}
	return NULL;
}

static bool populate(uintptr_t begin, uintptr_t end, int advice)
{
	return madvise((void *)begin, end - begin, advice) == 0;
}

bool host_can_access(const void *from, size_t size, bool write)
{
	uintptr_t begin = (uintptr_t)from & ~(PAGE_SIZE - 1);
	uintptr_t end = (uintptr_t)from + size;
	if (!size)
		return true;
	if (end < begin || end > UINTPTR_MAX - PAGE_SIZE)
		return false;
	return populate(begin, whole_pages(end), write ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
}

size_t host_write(void *to, const void *from, size_t size)
{
	struct iovec local = {.iov_base = (void *)(uintptr_t)from, .iov_len = size};
	struct iovec remote = {.iov_base = to, .iov_len = size};
	long count = syscall(SYS_process_vm_writev, (long)getpid(), &local, 1L, &remote, 1L, 0L);
	return count > 0 ? (size_t)count : 0;
}
