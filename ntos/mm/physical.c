/* SPDX-License-Identifier: MIT */
/*
 * Physical addresses, and memory that is asked for by them.
 *
 * Physical and linear addresses are the same numbers here, so nothing has to be kept
 * for turning one into the other. Contiguous memory is whole pages of its own; a list
 * says how many, for freeing it.
 *
 * LOCK: blocks.lock, a leaf.
 *
 * Pages: MmGetPhysicalAddress, MmMapIoSpace, MmAllocateContiguousMemorySpecifyCache,
 * MmFreeContiguousMemory, MmAllocatePagesForMdlEx, MmFreePagesFromMdl.
 */
#include "mm/physical.h"
#include "ke/bugcheck.h"
#include "ke/list.h"
#include "memory.h"
#include "mm/probe.h"
#include "user.h"
#include <pthread.h>

#define PAGE_SIZE 4096ull

/* ---- Addresses ----------------------------------------------------------------------- */

PHYSICAL_ADDRESS NTAPI MmGetPhysicalAddress(PVOID BaseAddress)
{
	PHYSICAL_ADDRESS address = {.QuadPart = 0};
	if (MmIsAddressValid(BaseAddress))
		address.QuadPart = (LONGLONG)(uintptr_t)BaseAddress;
	return address;
}

PVOID NTAPI MmGetVirtualForPhysical(PHYSICAL_ADDRESS PhysicalAddress)
{
	PVOID address = (PVOID)(uintptr_t)PhysicalAddress.QuadPart;
	return MmIsAddressValid(address) ? address : NULL;
}

PVOID NTAPI MmMapIoSpace(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes, ULONG CacheType)
{
	PVOID address = (PVOID)(uintptr_t)PhysicalAddress.QuadPart;
	(void)CacheType;
	return NumberOfBytes && host_can_access(address, NumberOfBytes, false) ? address : NULL;
}

PVOID NTAPI MmMapIoSpaceEx(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes, ULONG Protect)
{
	return MmMapIoSpace(PhysicalAddress, NumberOfBytes, Protect);
}

/* Nothing was made for the mapping. */
VOID NTAPI MmUnmapIoSpace(PVOID BaseAddress, SIZE_T NumberOfBytes)
{
	(void)BaseAddress;
	(void)NumberOfBytes;
}

/* ---- Pages between limits ---------------------------------------------------------------- */

static SIZE_T whole_pages(SIZE_T size)
{
	return (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

static bool crosses(uintptr_t begin, SIZE_T size, ULONG64 boundary)
{
	return boundary && (begin / boundary) != (begin + size - 1) / boundary;
}

/* A driver's limits are nearly always that of what it can name. What cannot be had at the
 * one place that is offered is not searched for. */
static void *map_between(SIZE_T size, ULONG64 low, ULONG64 high, ULONG64 boundary)
{
	if (!size || size > whole_pages(size))
		return NULL;
	size = whole_pages(size);
	void *pages = host_map(size);
	uintptr_t begin = (uintptr_t)pages;
	if (!pages || (begin >= low && begin + size - 1 <= high && !crosses(begin, size, boundary)))
		return pages;
	host_unmap(pages, size);
	return NULL;
}

/* ---- Contiguous memory --------------------------------------------------------------------- */

struct block {
	LIST_ENTRY link;
	void *base;
	SIZE_T size;
};

static struct {
	pthread_mutex_t lock;
	LIST_ENTRY list;
} blocks = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.list = {&blocks.list, &blocks.list},
};

PVOID NTAPI MmAllocateContiguousMemorySpecifyCache(SIZE_T NumberOfBytes,
						   PHYSICAL_ADDRESS LowestAcceptableAddress,
						   PHYSICAL_ADDRESS HighestAcceptableAddress,
						   PHYSICAL_ADDRESS BoundaryAddressMultiple,
						   ULONG CacheType)
{
	(void)CacheType;
	struct block *block = host_alloc(sizeof(*block));
	if (!block)
		return NULL;
	block->size = whole_pages(NumberOfBytes);
	block->base = map_between(NumberOfBytes, (ULONG64)LowestAcceptableAddress.QuadPart,
				  (ULONG64)HighestAcceptableAddress.QuadPart,
				  (ULONG64)BoundaryAddressMultiple.QuadPart);
	void *base = block->base;
	if (!base) {
		host_free(block);
		return NULL;
	}
	pthread_mutex_lock(&blocks.lock);
	list_add_last(&blocks.list, &block->link);
	pthread_mutex_unlock(&blocks.lock);
	return base;
}

PVOID NTAPI MmAllocateContiguousMemory(SIZE_T NumberOfBytes,
				       PHYSICAL_ADDRESS HighestAcceptableAddress)
{
	const PHYSICAL_ADDRESS none = {.QuadPart = 0};
	return MmAllocateContiguousMemorySpecifyCache(NumberOfBytes, none, HighestAcceptableAddress,
						      none, 1);
}

/* Takes the block that begins there off the list, or gives NULL. */
static struct block *claim(const void *base)
{
	struct block *found = NULL;
	pthread_mutex_lock(&blocks.lock);
	for (LIST_ENTRY *link = blocks.list.Flink; link != &blocks.list && !found;
	     link = link->Flink) {
		struct block *block = LIST_OWNER(link, struct block, link);
		found = block->base == base ? block : NULL;
	}
	if (found)
		list_remove(&found->link);
	pthread_mutex_unlock(&blocks.lock);
	return found;
}

static void free_block(struct block *block)
{
	host_unmap(block->base, block->size);
	host_free(block);
}

VOID NTAPI MmFreeContiguousMemory(PVOID BaseAddress)
{
	struct block *block = claim(BaseAddress);
	if (!block)
		KE_BUG_CHECK(KE_BAD_POOL_CALLER, 0x60, (uintptr_t)BaseAddress, 0, 0,
			     "%p, which is not contiguous memory, was freed as such", BaseAddress);
	free_block(block);
}

VOID NTAPI MmFreeContiguousMemorySpecifyCache(PVOID BaseAddress, SIZE_T NumberOfBytes,
					      ULONG CacheType)
{
	(void)NumberOfBytes;
	(void)CacheType;
	MmFreeContiguousMemory(BaseAddress);
}

void mm_shutdown_contiguous(void)
{
	while (!list_empty(&blocks.list)) {
		struct block *block = LIST_OWNER(blocks.list.Flink, struct block, link);
		list_remove(&block->link);
		free_block(block);
	}
}

/* ---- Pages for a list ------------------------------------------------------------------------ */

PMDL NTAPI MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
				   PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes, ULONG CacheType,
				   ULONG Flags)
{
	(void)SkipBytes;
	(void)CacheType;
	(void)Flags; /* they are contiguous, zeroed and all there whatever is asked for */
	if (TotalBytes > UINT32_MAX - PAGE_SIZE)
		return NULL;
	void *pages = map_between(TotalBytes, (ULONG64)LowAddress.QuadPart,
				  (ULONG64)HighAddress.QuadPart, 0);
	if (!pages)
		return NULL;
	PMDL mdl = MmCreateMdl(NULL, pages, whole_pages(TotalBytes));
	if (!mdl) {
		host_unmap(pages, whole_pages(TotalBytes));
		return NULL;
	}
	mm_describe_pages(mdl);
	return mdl;
}

PMDL NTAPI MmAllocatePagesForMdl(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
				 PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes)
{
	return MmAllocatePagesForMdlEx(LowAddress, HighAddress, SkipBytes, TotalBytes, 1, 0);
}

VOID NTAPI MmFreePagesFromMdl(PMDL MemoryDescriptorList)
{
	PMDL mdl = MemoryDescriptorList;
	if (!(mdl->MdlFlags & MDL_PAGES_LOCKED) || mm_is_user(mdl->StartVa))
		KE_BUG_CHECK(KE_PFN_LIST_CORRUPT, 7, (uintptr_t)mdl, 0, 0,
			     "MmFreePagesFromMdl of a list without pages of its own");
	mdl->MdlFlags &= (CSHORT) ~(MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA);
	mdl->MappedSystemVa = NULL;
	host_unmap(mdl->StartVa, whole_pages(mdl->ByteCount));
}
