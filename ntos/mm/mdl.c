/* SPDX-License-Identifier: MIT */
/*
 * Memory descriptor lists.
 *
 * The driver that owns an MDL keeps other threads away from it, so nothing is locked
 * here. A list from IoAllocateMdl is a pool block, as drivers free some of
 * them with ExFreePool.
 *
 * How pages are seen:
 *	kernel memory		at the address that it has
 *	user memory		mapped again when it is locked; unmapped by MmUnlockPages
 *	part of such a list	inside the mapping of its source, which must outlive it
 *
 * What the documentation forbids and would corrupt a real system ends in a bug check:
 * unlocking what is not locked (0x4E), mapping it, freeing a list that is locked.
 */
#include "mm/mdl.h"
#include "ex/pool.h"
#include "ke/bugcheck.h"
#include "ke/raise.h"
#include "ps/attach.h"
#include "ps/process.h"
#include "user.h"

#define PAGE_SIZE 4096ull
#define PAGE_SHIFT 12
#define MDL_TAG 0x206C644D /* 'Mdl ' */

/* MappedSystemVa is a mapping of its own. Ours, in a bit that is NT's to use. */
#define MDL_IS_MAPPING 0x4000

static ULONG64 *pages_of(PMDL mdl)
{
	return (ULONG64 *)(mdl + 1);
}

static char *address_of(const MDL *mdl)
{
	return (char *)((uintptr_t)mdl->StartVa + mdl->ByteOffset); /* NULL too is described */
}

static SIZE_T page_count(const void *base, SIZE_T length)
{
	return (((uintptr_t)base & (PAGE_SIZE - 1)) + length + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

static void number_pages(PMDL mdl, const void *seen_at)
{
	SIZE_T count = page_count(address_of(mdl), mdl->ByteCount);
	for (SIZE_T i = 0; i < count; i++)
		pages_of(mdl)[i] = ((uintptr_t)seen_at >> PAGE_SHIFT) + i;
}

/* ---- Making --------------------------------------------------------------------------- */

SIZE_T NTAPI MmSizeOfMdl(PVOID Base, SIZE_T Length)
{
	return sizeof(MDL) + page_count(Base, Length) * sizeof(ULONG64);
}

static void init(PMDL mdl, PVOID base, SIZE_T length)
{
	*mdl = (MDL){
		.Size = (CSHORT)MmSizeOfMdl(base, length),
		.StartVa = (PVOID)((uintptr_t)base & ~(PAGE_SIZE - 1)),
		.ByteOffset = (ULONG)((uintptr_t)base & (PAGE_SIZE - 1)),
		.ByteCount = (ULONG)length,
	};
}

PMDL NTAPI MmCreateMdl(PMDL MemoryDescriptorList, PVOID Base, SIZE_T Length)
{
	PMDL mdl = MemoryDescriptorList;
	if (!mdl)
		mdl = ex_allocate_pool(__builtin_return_address(0), NonPagedPoolNx,
				       MmSizeOfMdl(Base, Length), MDL_TAG);
	if (mdl)
		init(mdl, Base, Length);
	return mdl;
}

static void append(PIRP irp, PMDL mdl, bool secondary)
{
	PMDL *link = &irp->MdlAddress;
	while (secondary && *link)
		link = &(*link)->Next;
	*link = mdl;
}

PMDL NTAPI IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer,
			 BOOLEAN ChargeQuota, PIRP Irp)
{
	(void)ChargeQuota;
	if (Length > 0x7FFFFFFF)
		return NULL;
	PMDL mdl = ex_allocate_pool((const void *)IoAllocateMdl, NonPagedPoolNx,
				    MmSizeOfMdl(VirtualAddress, Length), MDL_TAG);
	if (!mdl)
		return NULL;
	init(mdl, VirtualAddress, Length);
	mdl->MdlFlags = MDL_ALLOCATED_FIXED_SIZE;
	if (Irp)
		append(Irp, mdl, SecondaryBuffer);
	return mdl;
}

VOID NTAPI IoFreeMdl(PMDL Mdl)
{
	if (Mdl->MdlFlags & MDL_PAGES_LOCKED)
		KE_BUG_CHECK(KE_PROCESS_HAS_LOCKED_PAGES, 0, (uintptr_t)Mdl->Process, 1,
			     (uintptr_t)Mdl, "IoFreeMdl of a list whose pages are still locked");
	ex_free_pool(__builtin_return_address(0), Mdl);
}

void mm_free_mdls(PMDL mdl)
{
	while (mdl) {
		PMDL next = mdl->Next;
		if (mdl->MdlFlags & MDL_PAGES_LOCKED)
			MmUnlockPages(mdl);
		IoFreeMdl(mdl);
		mdl = next;
	}
}

VOID NTAPI MmBuildMdlForNonPagedPool(PMDL MemoryDescriptorList)
{
	PMDL mdl = MemoryDescriptorList;
	mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
	mdl->MappedSystemVa = address_of(mdl);
	mdl->Process = NULL;
	number_pages(mdl, mdl->StartVa);
}

/* ---- Locking ---------------------------------------------------------------------------- */

static NTSTATUS lock_user(PMDL mdl)
{
	SIZE_T size = page_count(address_of(mdl), mdl->ByteCount) * PAGE_SIZE;
	char *seen_at = host_map_again(mdl->StartVa, size);
	if (!seen_at)
		return STATUS_INSUFFICIENT_RESOURCES;
	mdl->Process = PsGetCurrentProcess();
	mdl->MappedSystemVa = seen_at + mdl->ByteOffset;
	mdl->MdlFlags |= MDL_IS_MAPPING;
	number_pages(mdl, seen_at);
	return STATUS_SUCCESS;
}

NTSTATUS mm_lock_pages(PMDL mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation)
{
	bool write = operation != IoReadAccess;
	NTSTATUS status = STATUS_SUCCESS;
	if (!mm_may_access(address_of(mdl), mdl->ByteCount, write, mode) ||
	    !host_can_access(address_of(mdl), mdl->ByteCount, write))
		return STATUS_ACCESS_VIOLATION;
	if (mm_is_user(mdl->StartVa))
		status = lock_user(mdl);
	else
		number_pages(mdl, mdl->StartVa);
	if (NT_SUCCESS(status))
		mdl->MdlFlags |= (CSHORT)(MDL_PAGES_LOCKED | (write ? MDL_WRITE_OPERATION : 0));
	return status;
}

void mm_describe_pages(PMDL mdl)
{
	number_pages(mdl, mdl->StartVa);
	mdl->MdlFlags |= MDL_PAGES_LOCKED;
}

static void check_unlocked(PMDL mdl)
{
	if (mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL | MDL_PARTIAL))
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0xB8, (uintptr_t)mdl,
			     (USHORT)mdl->MdlFlags, 0,
			     "MmProbeAndLockPages of a list that is locked or built already");
}

VOID NTAPI MmProbeAndLockPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode,
			       LOCK_OPERATION Operation)
{
	check_unlocked(MemoryDescriptorList);
	NTSTATUS status = mm_lock_pages(MemoryDescriptorList, AccessMode, Operation);
	if (!NT_SUCCESS(status))
		ke_raise_status(status, "MmProbeAndLockPages of memory that cannot be accessed");
}

/* The exception comes when the thread is back where it was. */
VOID NTAPI MmProbeAndLockProcessPages(PMDL MemoryDescriptorList, PEPROCESS Process,
				      KPROCESSOR_MODE AccessMode, LOCK_OPERATION Operation)
{
	KAPC_STATE state;
	check_unlocked(MemoryDescriptorList);
	KeStackAttachProcess(Process, &state);
	NTSTATUS status = mm_lock_pages(MemoryDescriptorList, AccessMode, Operation);
	KeUnstackDetachProcess(&state);
	if (!NT_SUCCESS(status))
		ke_raise_status(status,
				"MmProbeAndLockProcessPages of memory that cannot be accessed");
}

static void drop_mapping(PMDL mdl)
{
	SIZE_T size = page_count(address_of(mdl), mdl->ByteCount) * PAGE_SIZE;
	if (mdl->MdlFlags & MDL_IS_MAPPING)
		host_unmap((char *)mdl->MappedSystemVa - mdl->ByteOffset, size);
	mdl->MdlFlags &= (CSHORT) ~(MDL_IS_MAPPING | MDL_MAPPED_TO_SYSTEM_VA);
	mdl->MappedSystemVa = NULL;
}

VOID NTAPI MmUnlockPages(PMDL MemoryDescriptorList)
{
	PMDL mdl = MemoryDescriptorList;
	if (!(mdl->MdlFlags & MDL_PAGES_LOCKED))
		KE_BUG_CHECK(KE_PFN_LIST_CORRUPT, 7, pages_of(mdl)[0], 0, 0,
			     "MmUnlockPages of a list whose pages are not locked");
	drop_mapping(mdl);
	mdl->Process = NULL;
	mdl->MdlFlags &= (CSHORT) ~(MDL_PAGES_LOCKED | MDL_WRITE_OPERATION);
}

/* ---- Mapping -------------------------------------------------------------------------- */

static bool has_pages(const MDL *mdl)
{
	return (mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_PARTIAL | MDL_SOURCE_IS_NONPAGED_POOL)) !=
	       0;
}

/* Only pages of user memory can be shown to users: they are shared ones. */
static PVOID map_for_user(PMDL mdl)
{
	if (mm_is_user(mdl->StartVa))
		return address_of(mdl);
	ke_raise_status(STATUS_INSUFFICIENT_RESOURCES,
			"mapping kernel memory into user memory is not implemented");
}

PVOID NTAPI MmMapLockedPagesSpecifyCache(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode,
					 ULONG CacheType, PVOID RequestedAddress,
					 ULONG BugCheckOnFailure, ULONG Priority)
{
	PMDL mdl = MemoryDescriptorList;
	(void)CacheType;
	(void)RequestedAddress;
	(void)BugCheckOnFailure;
	(void)Priority;
	if (!has_pages(mdl))
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0xB9, (uintptr_t)mdl,
			     (USHORT)mdl->MdlFlags, 0, "mapping a list whose pages are not locked");
	if (AccessMode != KernelMode)
		return map_for_user(mdl);
	if (!(mdl->MdlFlags & MDL_IS_MAPPING) && !(mdl->MdlFlags & MDL_PARTIAL))
		mdl->MappedSystemVa = address_of(mdl);
	mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
	if (mdl->MdlFlags & MDL_PARTIAL)
		mdl->MdlFlags |= MDL_PARTIAL_HAS_BEEN_MAPPED;
	return mdl->MappedSystemVa;
}

PVOID NTAPI MmMapLockedPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode)
{
	return MmMapLockedPagesSpecifyCache(MemoryDescriptorList, AccessMode, 0, NULL, TRUE, 0);
}

VOID NTAPI MmUnmapLockedPages(PVOID BaseAddress, PMDL MemoryDescriptorList)
{
	PMDL mdl = MemoryDescriptorList;
	if (mm_is_user(BaseAddress))
		return; /* the user's own address: nothing was made for it */
	if (!(mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA))
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0xBA, (uintptr_t)mdl,
			     (USHORT)mdl->MdlFlags, 0,
			     "MmUnmapLockedPages of a list that is not mapped");
	mdl->MdlFlags &= (CSHORT) ~(MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED);
}

/* ---- Part of another --------------------------------------------------------------------- */

VOID NTAPI IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress, ULONG Length)
{
	SIZE_T offset = (SIZE_T)((char *)VirtualAddress - address_of(SourceMdl));
	SIZE_T length = Length ? Length : SourceMdl->ByteCount - offset;
	CSHORT size = TargetMdl->Size, kept = TargetMdl->MdlFlags & MDL_ALLOCATED_FIXED_SIZE;
	if (offset > SourceMdl->ByteCount || length > SourceMdl->ByteCount - offset)
		KE_BUG_CHECK(KE_TARGET_MDL_TOO_SMALL, 0, 0, 0, 0,
			     "IoBuildPartialMdl of more than its source describes");
	if ((SIZE_T)size < MmSizeOfMdl(VirtualAddress, length))
		KE_BUG_CHECK(KE_TARGET_MDL_TOO_SMALL, 0, 0, 0, 0,
			     "IoBuildPartialMdl into a list that is too small");
	init(TargetMdl, VirtualAddress, length);
	TargetMdl->Size = size;
	TargetMdl->Process = SourceMdl->Process;
	TargetMdl->MdlFlags = (CSHORT)(kept | MDL_PARTIAL |
				       (SourceMdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL));
	char *seen_at = SourceMdl->MappedSystemVa ? SourceMdl->MappedSystemVa
						  : address_of(SourceMdl);
	TargetMdl->MappedSystemVa = seen_at + offset;
	number_pages(TargetMdl, TargetMdl->MappedSystemVa);
}
