/* SPDX-License-Identifier: MIT */
/*
 * What is at an address of a process: ZwQueryVirtualMemory.
 *
 * Memory that a driver allocated is described by its allocation; all other memory by what
 * Linux says is mapped there, in a live process or in this program. Linux has no
 * allocations, so there each mapping is its own.
 *
 * Pages: ZwQueryVirtualMemory, MEMORY_BASIC_INFORMATION.
 */
#include "mm/allocation.h"
#include "mm/copy.h"
#include "mm/section.h"
#include "mm/virtual.h"
#include "ps/host.h"
#include "ps/information.h"
#include "ps/process.h"
#include "rtl/utf.h"
#include "maps.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool describe_allocation(PEPROCESS process, uintptr_t address,
				MEMORY_BASIC_INFORMATION *information)
{
	mm_lock_allocations();
	const struct mm_allocation *a = mm_find_allocation(process, address);
	if (a) {
		size_t first = (address - a->base) / MM_PAGE, last = first + 1;
		while (last < a->size / MM_PAGE && a->page[last] == a->page[first])
			last++;
		*information = (MEMORY_BASIC_INFORMATION){
			.BaseAddress = (PVOID)(a->base + first * MM_PAGE),
			.AllocationBase = (PVOID)a->base,
			.AllocationProtect = a->protect,
			.RegionSize = (last - first) * MM_PAGE,
			.State = a->page[first] ? MEM_COMMIT : MEM_RESERVE,
			.Protect = a->page[first],
			.Type = MEM_PRIVATE,
		};
	}
	mm_unlock_allocations();
	return a != NULL;
}

static ULONG protection_of(const struct host_region *region)
{
	static const ULONG table[8] = {
		PAGE_NOACCESS, PAGE_READONLY,     PAGE_READWRITE,         PAGE_READWRITE,
		PAGE_EXECUTE,  PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE, PAGE_EXECUTE_READWRITE};
	return table[region->read + 2 * region->write + 4 * region->execute];
}

/* The stretch around `address`; false when it is no user address. */
static bool find_region(PEPROCESS process, uintptr_t address, struct host_region *region)
{
	if (address >= MM_USER_END)
		return false;
	return process->host_ops ? !process->host_ops->region(process->host_id,
							      ps_host_address(address), region)
				 : !host_find_region(getpid(), address, region);
}

/* A gap is cut at the end of what is shown contiguously. */
static void describe_region(const struct host_region *region, uintptr_t address, bool live,
			    MEMORY_BASIC_INFORMATION *information)
{
	uintptr_t base = live ? ps_shown_address(region->base) : region->base;
	uintptr_t page = address & ~(MM_PAGE - 1);
	uintptr_t end = live ? ps_shown_address(region->base + region->size - 1) + 1
			     : region->base + region->size;
	if (end > MM_USER_END)
		end = MM_USER_END;
	*information = (MEMORY_BASIC_INFORMATION){.BaseAddress = (PVOID)page,
						  .RegionSize = end - page,
						  .State = MEM_FREE,
						  .Protect = PAGE_NOACCESS};
	if (!region->mapped)
		return;
	information->AllocationBase = (PVOID)base;
	information->State = MEM_COMMIT;
	information->Protect = information->AllocationProtect = protection_of(region);
	information->Type = region->file     ? region->execute ? MEM_IMAGE : MEM_MAPPED
			    : region->shared ? MEM_MAPPED
					     : MEM_PRIVATE;
}

/* Of a view Linux knows the pages, and the section what they belong to. Views lie in this
 * program's memory, whoever's process it is. */
static bool describe_view(PEPROCESS process, uintptr_t address,
			  MEMORY_BASIC_INFORMATION *information)
{
	struct mm_view_shown view;
	struct host_region region;
	if (!mm_find_view(process, address, &view) || host_find_region(getpid(), address, &region))
		return false;
	describe_region(&region, address, false, information);
	information->AllocationBase = (PVOID)view.base;
	information->AllocationProtect = view.protect;
	information->Type = view.image ? MEM_IMAGE : MEM_MAPPED;
	return true;
}

static NTSTATUS query_basic(PEPROCESS process, uintptr_t address, struct ps_caller *caller)
{
	MEMORY_BASIC_INFORMATION information;
	struct host_region region;
	if (caller->length < sizeof information)
		return STATUS_INFO_LENGTH_MISMATCH;
	if (!describe_allocation(process, address, &information) &&
	    !describe_view(process, address, &information)) {
		if (!find_region(process, address, &region))
			return STATUS_INVALID_PARAMETER;
		describe_region(&region, address, process->host_ops != NULL, &information);
	}
	return ps_answer(caller, &information, sizeof information);
}

/* As the names of images have it. */
static NTSTATUS query_file(PEPROCESS process, uintptr_t address, struct ps_caller *caller)
{
	struct host_region region;
	UNICODE_STRING name;
	char text[sizeof region.path + 32];
	NTSTATUS status = mm_view_name(process, address, &name);
	if (NT_SUCCESS(status)) {
		status = ps_answer_text(caller, &name);
		rtl_free_string(&name);
		return status;
	}
	if (status != STATUS_NOT_MAPPED_VIEW)
		return status;
	if (!find_region(process, address, &region))
		return STATUS_INVALID_PARAMETER;
	if (!region.mapped)
		return STATUS_INVALID_ADDRESS;
	if (!region.file)
		return STATUS_FILE_INVALID;
	snprintf(text, sizeof text, "\\Device\\HarddiskVolume1%s", region.path);
	for (char *c = text; *c; c++)
		if (*c == '/')
			*c = '\\';
	if (rtl_from_utf8(text, &name))
		return STATUS_INSUFFICIENT_RESOURCES;
	status = ps_answer_text(caller, &name);
	rtl_free_string(&name);
	return status;
}

static NTSTATUS query(HANDLE handle, PVOID address, ULONG what, KPROCESSOR_MODE mode,
		      struct ps_caller *caller)
{
	void *process;
	if (what != MemoryBasicInformation && what != MemoryMappedFilenameInformation)
		return STATUS_INVALID_INFO_CLASS;
	NTSTATUS status = ps_open_handle(handle, PROCESS_QUERY_INFORMATION, PsProcessType, mode,
					 &process);
	if (!NT_SUCCESS(status))
		return status;
	status = what == MemoryBasicInformation ? query_basic(process, (uintptr_t)address, caller)
						: query_file(process, (uintptr_t)address, caller);
	ob_dereference(process);
	return status;
}

NTSTATUS NTAPI ZwQueryVirtualMemory(HANDLE ProcessHandle, PVOID BaseAddress,
				    ULONG MemoryInformationClass, PVOID MemoryInformation,
				    SIZE_T MemoryInformationLength, PSIZE_T ReturnLength)
{
	struct ps_caller caller = {MemoryInformation, MemoryInformationLength, NULL, ReturnLength};
	return query(ProcessHandle, BaseAddress, MemoryInformationClass, KernelMode, &caller);
}

NTSTATUS NTAPI NtQueryVirtualMemory(HANDLE ProcessHandle, PVOID BaseAddress,
				    ULONG MemoryInformationClass, PVOID MemoryInformation,
				    SIZE_T MemoryInformationLength, PSIZE_T ReturnLength)
{
	struct ps_caller caller = {MemoryInformation, MemoryInformationLength, NULL, ReturnLength};
	return query(ProcessHandle, BaseAddress, MemoryInformationClass, ExGetPreviousMode(),
		     &caller);
}
