/* SPDX-License-Identifier: MIT */
/*
 * User memory that drivers allocate in simulated processes.
 *
 * An allocation is a stretch of shared pages below the kernel's addresses and one byte a
 * page: its protection, or 0 while it is only reserved. `lock`, a leaf, protects the
 * list of all allocations. An allocation belongs to a process and goes at the latest with
 * it; the processes of this program share their addresses, so no two have one at the same
 * place.
 *
 * Pages: ZwAllocateVirtualMemory, ZwFreeVirtualMemory, NtProtectVirtualMemory.
 */
#include "mm/virtual.h"
#include "ke/list.h"
#include "memory.h"
#include "mm/copy.h"
#include "mm/section.h"
#include "ps/information.h"
#include "ps/process.h"
#include "user.h"
#include "mm/allocation.h"
#include <string.h>

#define GRANULARITY 0x10000ull
#define LOWEST GRANULARITY

static struct {
	pthread_mutex_t lock;
	LIST_ENTRY list;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER, .list = {&all.list, &all.list}};

void mm_lock_allocations(void)
{
	pthread_mutex_lock(&all.lock);
}

void mm_unlock_allocations(void)
{
	pthread_mutex_unlock(&all.lock);
}

struct mm_allocation *mm_find_allocation(PEPROCESS process, uintptr_t address)
{
	for (LIST_ENTRY *e = all.list.Flink; e != &all.list; e = e->Flink) {
		struct mm_allocation *a = LIST_OWNER(e, struct mm_allocation, link);
		if (a->process == process && address >= a->base && address - a->base < a->size)
			return a;
	}
	return NULL;
}

static void release(struct mm_allocation *a)
{
	list_remove(&a->link);
	host_unmap((void *)a->base, a->size);
	host_free(a);
}

void mm_forget_process(PEPROCESS process)
{
	mm_forget_views(process);
	mm_lock_allocations();
	for (LIST_ENTRY *e = all.list.Flink, *next; e != &all.list; e = next) {
		struct mm_allocation *a = LIST_OWNER(e, struct mm_allocation, link);
		next = e->Flink;
		if (a->process == process)
			release(a);
	}
	mm_unlock_allocations();
}

/* ---- Protections ------------------------------------------------------------------- */

/* What Linux calls it; -1 for no protection of NT's that private memory can have. */
static int host_protection(ULONG protect)
{
	switch (protect) {
	case PAGE_NOACCESS:
		return HOST_NONE;
	case PAGE_READONLY:
		return HOST_READ;
	case PAGE_READWRITE:
		return HOST_READ | HOST_WRITE;
	case PAGE_EXECUTE:
		return HOST_EXECUTE;
	case PAGE_EXECUTE_READ:
		return HOST_READ | HOST_EXECUTE;
	case PAGE_EXECUTE_READWRITE:
		return HOST_READ | HOST_WRITE | HOST_EXECUTE;
	default:
		return -1;
	}
}

/* Protection 0: no longer, or not yet, committed. */
static NTSTATUS set_pages(struct mm_allocation *a, uintptr_t begin, size_t size, UCHAR protect)
{
	int protection = protect ? host_protection(protect) : HOST_NONE;
	if (host_protect((void *)begin, size, (unsigned)protection))
		return STATUS_INSUFFICIENT_RESOURCES;
	memset(a->page + (begin - a->base) / MM_PAGE, protect, size / MM_PAGE);
	return STATUS_SUCCESS;
}

/* [*base, *base + *size) in whole pages. False when that is no user memory. */
static bool whole_pages(uintptr_t *base, size_t *size)
{
	uintptr_t begin = *base & ~(MM_PAGE - 1);
	if (*base >= MM_USER_END || *size > MM_USER_END - *base)
		return false;
	*size = (*base + *size + MM_PAGE - 1 - begin) & ~(MM_PAGE - 1);
	*base = begin;
	return true;
}

/* ---- Allocating ---------------------------------------------------------------------- */

struct stretch {
	uintptr_t base;
	size_t size;
	ULONG type, protect;
};

static NTSTATUS reserve(PEPROCESS process, struct stretch *s)
{
	s->base &= ~(GRANULARITY - 1);
	struct mm_allocation *a = host_alloc(sizeof *a + s->size / MM_PAGE);
	if (!a)
		return STATUS_INSUFFICIENT_RESOURCES;
	void *pages = s->base ? host_map_shared((void *)s->base, s->size)
			      : host_map_user(s->size, LOWEST, MM_USER_END);
	if (!pages) {
		host_free(a);
		return s->base ? STATUS_CONFLICTING_ADDRESSES : STATUS_NO_MEMORY;
	}
	a->process = process;
	a->base = s->base = (uintptr_t)pages;
	a->size = s->size;
	a->protect = s->protect;
	mm_lock_allocations();
	NTSTATUS status = set_pages(a, a->base, a->size,
				    s->type & MEM_COMMIT ? (UCHAR)s->protect : 0);
	list_add_last(&all.list, &a->link);
	if (!NT_SUCCESS(status))
		release(a);
	mm_unlock_allocations();
	return status;
}

static NTSTATUS commit(PEPROCESS process, const struct stretch *s)
{
	NTSTATUS status = STATUS_CONFLICTING_ADDRESSES;
	mm_lock_allocations();
	struct mm_allocation *a = mm_find_allocation(process, s->base);
	if (a && s->size <= a->size - (s->base - a->base))
		status = set_pages(a, s->base, s->size, (UCHAR)s->protect);
	mm_unlock_allocations();
	return status;
}

static NTSTATUS allocate(PEPROCESS process, struct stretch *s)
{
	if (!s->size || (s->type & ~(ULONG)(MEM_COMMIT | MEM_RESERVE | MEM_TOP_DOWN)) ||
	    !(s->type & (MEM_COMMIT | MEM_RESERVE)))
		return s->size ? STATUS_INVALID_PARAMETER_5 : STATUS_INVALID_PARAMETER_4;
	if (host_protection(s->protect) < 0)
		return STATUS_INVALID_PAGE_PROTECTION;
	if (!whole_pages(&s->base, &s->size))
		return STATUS_INVALID_PARAMETER_2;
	if (process->host_ops)
		return STATUS_NOT_SUPPORTED;
	if (s->base && !(s->type & MEM_RESERVE))
		return commit(process, s);
	return reserve(process, s);
}

struct caller {
	HANDLE handle;
	KPROCESSOR_MODE mode;
	PVOID *base;
	PSIZE_T size;
};

static NTSTATUS do_allocate(const struct caller *c, ULONG type, ULONG protect)
{
	void *process;
	struct stretch s = {(uintptr_t)*c->base, *c->size, type, protect};
	NTSTATUS status = ps_open_handle(c->handle, PROCESS_VM_OPERATION, PsProcessType, c->mode,
					 &process);
	if (!NT_SUCCESS(status))
		return status;
	status = allocate(process, &s);
	ob_dereference(process);
	if (NT_SUCCESS(status)) {
		*c->base = (PVOID)s.base;
		*c->size = s.size;
	}
	return status;
}

NTSTATUS NTAPI ZwAllocateVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, ULONG_PTR ZeroBits,
				       PSIZE_T RegionSize, ULONG AllocationType, ULONG Protect)
{
	if (ZeroBits) /* a limit from above that nothing here keeps */
		return STATUS_INVALID_PARAMETER_3;
	return do_allocate(&(struct caller){ProcessHandle, KernelMode, BaseAddress, RegionSize},
			   AllocationType, Protect);
}

NTSTATUS NTAPI NtAllocateVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, ULONG_PTR ZeroBits,
				       PSIZE_T RegionSize, ULONG AllocationType, ULONG Protect)
{
	if (ZeroBits)
		return STATUS_INVALID_PARAMETER_3;
	return do_allocate(
		&(struct caller){ProcessHandle, ExGetPreviousMode(), BaseAddress, RegionSize},
		AllocationType, Protect);
}

/* ---- Freeing --------------------------------------------------------------------------- */

/* Under the lock. A size of 0 means the whole allocation, from its base. */
static NTSTATUS free_stretch(struct mm_allocation *a, struct stretch *s)
{
	if (!a)
		return STATUS_MEMORY_NOT_ALLOCATED;
	bool whole = s->size == 0;
	if (whole && s->base != a->base)
		return STATUS_FREE_VM_NOT_AT_BASE;
	if (whole)
		s->size = a->size;
	if (s->size > a->size - (s->base - a->base))
		return STATUS_UNABLE_TO_FREE_VM;
	if (s->type == MEM_DECOMMIT)
		return set_pages(a, s->base, s->size, 0);
	if (s->base != a->base || s->size != a->size) /* splitting is not done */
		return STATUS_UNABLE_TO_FREE_VM;
	release(a);
	return STATUS_SUCCESS;
}

static NTSTATUS do_free(const struct caller *c, ULONG type)
{
	void *process;
	struct stretch s = {(uintptr_t)*c->base, *c->size, type, 0};
	if (type != MEM_DECOMMIT && type != MEM_RELEASE)
		return STATUS_INVALID_PARAMETER_4;
	if (!(s.size ? whole_pages(&s.base, &s.size) : s.base < MM_USER_END))
		return STATUS_INVALID_PARAMETER_2;
	NTSTATUS status = ps_open_handle(c->handle, PROCESS_VM_OPERATION, PsProcessType, c->mode,
					 &process);
	if (!NT_SUCCESS(status))
		return status;
	s.base &= ~(MM_PAGE - 1);
	mm_lock_allocations();
	status = ((PEPROCESS)process)->host_ops
			 ? STATUS_NOT_SUPPORTED
			 : free_stretch(mm_find_allocation(process, s.base), &s);
	mm_unlock_allocations();
	ob_dereference(process);
	if (NT_SUCCESS(status)) {
		*c->base = (PVOID)s.base;
		*c->size = s.size;
	}
	return status;
}

NTSTATUS NTAPI ZwFreeVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
				   ULONG FreeType)
{
	return do_free(&(struct caller){ProcessHandle, KernelMode, BaseAddress, RegionSize},
		       FreeType);
}

NTSTATUS NTAPI NtFreeVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
				   ULONG FreeType)
{
	return do_free(
		&(struct caller){ProcessHandle, ExGetPreviousMode(), BaseAddress, RegionSize},
		FreeType);
}

/* ---- Protecting ------------------------------------------------------------------------ */

/* Under the lock. All pages must be committed. */
static NTSTATUS protect_stretch(struct mm_allocation *a, const struct stretch *s, ULONG *old)
{
	if (!a || s->size > a->size - (s->base - a->base))
		return STATUS_CONFLICTING_ADDRESSES;
	const UCHAR *page = a->page + (s->base - a->base) / MM_PAGE;
	if (memchr(page, 0, s->size / MM_PAGE))
		return STATUS_NOT_COMMITTED;
	*old = page[0];
	return set_pages(a, s->base, s->size, (UCHAR)s->protect);
}

NTSTATUS NTAPI ZwProtectVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
				      ULONG NewProtect, PULONG OldProtect)
{
	void *process;
	ULONG old = 0;
	struct stretch s = {(uintptr_t)*BaseAddress, *RegionSize, 0, NewProtect};
	if (host_protection(NewProtect) < 0)
		return STATUS_INVALID_PAGE_PROTECTION;
	if (!s.size || !whole_pages(&s.base, &s.size))
		return STATUS_INVALID_PARAMETER_2;
	NTSTATUS status = ps_open_handle(ProcessHandle, PROCESS_VM_OPERATION, PsProcessType,
					 KernelMode, &process);
	if (!NT_SUCCESS(status))
		return status;
	mm_lock_allocations();
	status = ((PEPROCESS)process)->host_ops
			 ? STATUS_NOT_SUPPORTED
			 : protect_stretch(mm_find_allocation(process, s.base), &s, &old);
	mm_unlock_allocations();
	ob_dereference(process);
	if (NT_SUCCESS(status)) {
		*OldProtect = old;
		*BaseAddress = (PVOID)s.base;
		*RegionSize = s.size;
	}
	return status;
}
