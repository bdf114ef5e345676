/* SPDX-License-Identifier: MIT */
/*
 * Physical memory, as far as there is any.
 *
 * A page's physical address is where it lies in this process, which is also what the page
 * numbers of MDLs say: so addresses can be turned into each other, compared, and mapped.
 * A page that is mapped twice has two. There are no devices behind other addresses.
 */
#ifndef RINGSIDE_MM_PHYSICAL_H
#define RINGSIDE_MM_PHYSICAL_H

#include "mm/mdl.h"

typedef LARGE_INTEGER PHYSICAL_ADDRESS;

/* 0 for an address with no memory behind it. */
PHYSICAL_ADDRESS NTAPI MmGetPhysicalAddress(PVOID BaseAddress);

/* NULL for one. */
PVOID NTAPI MmGetVirtualForPhysical(PHYSICAL_ADDRESS PhysicalAddress);

/* NULL unless all of it is memory of this process. */
PVOID NTAPI MmMapIoSpace(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes, ULONG CacheType);
PVOID NTAPI MmMapIoSpaceEx(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes, ULONG Protect);
VOID NTAPI MmUnmapIoSpace(PVOID BaseAddress, SIZE_T NumberOfBytes);

/* Whole pages; NULL without memory between those limits. Freeing something else is bug
 * check 0xC2. */
PVOID NTAPI MmAllocateContiguousMemory(SIZE_T NumberOfBytes,
				       PHYSICAL_ADDRESS HighestAcceptableAddress);
PVOID NTAPI MmAllocateContiguousMemorySpecifyCache(SIZE_T NumberOfBytes,
						   PHYSICAL_ADDRESS LowestAcceptableAddress,
						   PHYSICAL_ADDRESS HighestAcceptableAddress,
						   PHYSICAL_ADDRESS BoundaryAddressMultiple,
						   ULONG CacheType);
VOID NTAPI MmFreeContiguousMemory(PVOID BaseAddress);
VOID NTAPI MmFreeContiguousMemorySpecifyCache(PVOID BaseAddress, SIZE_T NumberOfBytes,
					      ULONG CacheType);

/* A list of new pages, which MmMapLockedPages maps, MmFreePagesFromMdl frees, and
 * ExFreePool after that. NULL as above. */
PMDL NTAPI MmAllocatePagesForMdl(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
				 PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes);
PMDL NTAPI MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
				   PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes, ULONG CacheType,
				   ULONG Flags);
VOID NTAPI MmFreePagesFromMdl(PMDL MemoryDescriptorList);

/* Frees what drivers have left of contiguous memory. */
void mm_shutdown_contiguous(void);

#endif
