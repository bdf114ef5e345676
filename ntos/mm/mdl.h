/* SPDX-License-Identifier: MIT */
/*
 * Memory descriptor lists: a buffer by its pages.
 *
 * Kernel memory is always there, so locking it only marks the list. User memory is
 * locked by bringing it in and mapping it a second time above the line, which is where
 * drivers then see it: MappedSystemVa. Page numbers are those of that place.
 */
#ifndef RINGSIDE_MM_MDL_H
#define RINGSIDE_MM_MDL_H

#include <ringside/io.h>
#include <stdbool.h>

#define MM_KERNEL_BEGIN 0x500000000000ull /* user addresses are below */

static inline bool mm_is_user(const void *address)
{
	return (uintptr_t)address < MM_KERNEL_BEGIN;
}

typedef enum _LOCK_OPERATION { IoReadAccess, IoWriteAccess, IoModifyAccess } LOCK_OPERATION;

/* Whether a caller of that mode may have this range read, or written, on its behalf. */
bool mm_may_access(const void *address, SIZE_T size, bool write, KPROCESSOR_MODE mode);

/* Copies to or from memory that is the caller's: false when it is not there. */
bool mm_copy_from(void *to, const void *from, SIZE_T size);
bool mm_copy_to(void *to, const void *from, SIZE_T size);

/* MmProbeAndLockPages with a status for an exception: ACCESS_VIOLATION, or
 * INSUFFICIENT_RESOURCES. */
NTSTATUS mm_lock_pages(PMDL mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation);

/* Marks a new list, whose kernel memory belongs to it, as locked. */
void mm_describe_pages(PMDL mdl);

/* Unlocks and frees a chain of them. */
void mm_free_mdls(PMDL mdl);

/* Exports. */
PMDL NTAPI IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer,
			 BOOLEAN ChargeQuota, PIRP Irp);
VOID NTAPI IoFreeMdl(PMDL Mdl);
VOID NTAPI IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress, ULONG Length);
SIZE_T NTAPI MmSizeOfMdl(PVOID Base, SIZE_T Length);
PMDL NTAPI MmCreateMdl(PMDL MemoryDescriptorList, PVOID Base, SIZE_T Length);
VOID NTAPI MmBuildMdlForNonPagedPool(PMDL MemoryDescriptorList);
VOID NTAPI MmProbeAndLockPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode,
			       LOCK_OPERATION Operation);
/* The same for memory of that process. */
VOID NTAPI MmProbeAndLockProcessPages(PMDL MemoryDescriptorList, PEPROCESS Process,
				      KPROCESSOR_MODE AccessMode, LOCK_OPERATION Operation);
VOID NTAPI MmUnlockPages(PMDL MemoryDescriptorList);
PVOID NTAPI MmMapLockedPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode);
PVOID NTAPI MmMapLockedPagesSpecifyCache(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode,
					 ULONG CacheType, PVOID RequestedAddress,
					 ULONG BugCheckOnFailure, ULONG Priority);
VOID NTAPI MmUnmapLockedPages(PVOID BaseAddress, PMDL MemoryDescriptorList);

#endif
