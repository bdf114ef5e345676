/* SPDX-License-Identifier: MIT */
/*
 * ZwMapViewOfSection and its relatives: from what a caller asks for to a view. No state.
 *
 * An image that is mapped into a process is told to the image routines, unless it is one
 * that nobody executes (PS-78, PS-80); a system call does it, so special kernel APCs are
 * off in them (PS-81).
 *
 * Pages: ZwMapViewOfSection, ZwUnmapViewOfSection, MmMapViewInSystemSpace.
 */
#include "io/file.h"
#include "ke/bugcheck.h"
#include "ke/thread.h"
#include "mm/copy.h"
#include "mm/mdl.h"
#include "mm/section.h"
#include "mm/virtual.h"
#include "ob/object.h"
#include "ps/information.h"
#include "ps/process.h"
#include "rtl/utf.h"

#define GRANULARITY 0x10000ull
#define MEM_LARGE_PAGES 0x20000000

/* The in-out parameters of a mapping, and what goes with them. */
struct mapping {
	PVOID *base;
	PLARGE_INTEGER offset; /* or NULL */
	PSIZE_T size;
	ULONG_PTR zero_bits;
	SIZE_T commit;
	ULONG inherit, type, protect;
	KPROCESSOR_MODE mode;
};

/* ---- Parameters ------------------------------------------------------------------------------ */

static NTSTATUS read_parameters(const struct mapping *m, struct mm_view_wish *view)
{
	LARGE_INTEGER offset = {0};
	if (!mm_may_access(m->base, sizeof(PVOID), true, m->mode) ||
	    !mm_may_access(m->size, sizeof(SIZE_T), true, m->mode) ||
	    !mm_copy_from(&view->base, m->base, sizeof(PVOID)) ||
	    !mm_copy_from(&view->size, m->size, sizeof(SIZE_T)))
		return STATUS_ACCESS_VIOLATION;
	if (m->offset && (!mm_may_access(m->offset, sizeof(offset), true, m->mode) ||
			  !mm_copy_from(&offset, m->offset, sizeof(offset))))
		return STATUS_ACCESS_VIOLATION;
	/* Rounded down, and the view with them grows at its beginning. */
	view->base = (PVOID)((uintptr_t)view->base & ~(GRANULARITY - 1));
	view->offset = (ULONG64)offset.QuadPart & ~(GRANULARITY - 1);
	if (view->size)
		view->size += (ULONG64)offset.QuadPart - view->offset;
	view->protect = m->protect;
	return STATUS_SUCCESS;
}

static NTSTATUS check_parameters(const struct mapping *m, const struct mm_view_wish *view)
{
	if ((uintptr_t)view->base >= MM_USER_END)
		return STATUS_INVALID_PARAMETER_3;
	if (m->zero_bits) /* a limit from above that nothing here keeps */
		return STATUS_INVALID_PARAMETER_4;
	if (view->size && m->commit > view->size)
		return STATUS_INVALID_PARAMETER_5;
	if (m->inherit != ViewShare && m->inherit != ViewUnmap)
		return STATUS_INVALID_PARAMETER_8;
	if (m->type & ~(ULONG)(MEM_RESERVE | MEM_TOP_DOWN | MEM_LARGE_PAGES))
		return STATUS_INVALID_PARAMETER_9;
	return STATUS_SUCCESS;
}

static bool write_answer(const struct mapping *m, const struct mm_view_wish *view)
{
	LARGE_INTEGER offset = {.QuadPart = (LONGLONG)view->offset};
	return mm_copy_to(m->base, &view->base, sizeof(PVOID)) &&
	       mm_copy_to(m->size, &view->size, sizeof(SIZE_T)) &&
	       (!m->offset || mm_copy_to(m->offset, &offset, sizeof(offset)));
}

/* ---- Mapping --------------------------------------------------------------------------------------- */

static void tell_image(const struct mm_section *section, const struct mm_view_wish *view)
{
	UNICODE_STRING name;
	if (!section->image || !NT_SUCCESS(io_file_name(section->file, &name)))
		return;
	ps_load_image(&(struct ps_image){
		.process = view->process,
		.name = &name,
		.base = view->base,
		.size = view->size,
		.file = section->file,
		.no_execute = (section->attributes & SEC_IMAGE_NO_EXECUTE) == SEC_IMAGE_NO_EXECUTE,
		.special_apcs_off = true,
	});
	rtl_free_string(&name);
}

static NTSTATUS map(struct mm_section *section, PEPROCESS process, const struct mapping *m)
{
	struct mm_view_wish view = {.process = process};
	NTSTATUS status = read_parameters(m, &view);
	if (NT_SUCCESS(status))
		status = check_parameters(m, &view);
	if (NT_SUCCESS(status))
		status = mm_map_view(section, &view);
	if (!NT_SUCCESS(status))
		return status;
	if (!write_answer(m, &view)) {
		mm_unmap_view(process, view.base);
		return STATUS_ACCESS_VIOLATION;
	}
	tell_image(section, &view);
	return status;
}

static ACCESS_MASK rights_for(ULONG protect)
{
	if (protect == PAGE_READWRITE || protect == PAGE_EXECUTE_READWRITE)
		return SECTION_MAP_READ | SECTION_MAP_WRITE;
	return protect >= PAGE_EXECUTE ? SECTION_MAP_READ | SECTION_MAP_EXECUTE : SECTION_MAP_READ;
}

static NTSTATUS map_handles(HANDLE section_handle, HANDLE process_handle, const struct mapping *m)
{
	void *section, *process;
	NTSTATUS status = ob_reference_by_handle(section_handle, rights_for(m->protect),
						 MmSectionObjectType, m->mode, &section);
	if (!NT_SUCCESS(status))
		return status;
	status = ps_open_handle(process_handle, PROCESS_VM_OPERATION, PsProcessType, m->mode,
				&process);
	if (NT_SUCCESS(status)) {
		status = map(section, process, m);
		ob_dereference(process);
	}
	ob_dereference(section);
	return status;
}

NTSTATUS NTAPI NtMapViewOfSection(HANDLE SectionHandle, HANDLE ProcessHandle, PVOID *BaseAddress,
				  ULONG_PTR ZeroBits, SIZE_T CommitSize,
				  PLARGE_INTEGER SectionOffset, PSIZE_T ViewSize,
				  ULONG InheritDisposition, ULONG AllocationType,
				  ULONG Win32Protect)
{
	struct mapping m = {BaseAddress,    SectionOffset, ViewSize,
			    ZeroBits,       CommitSize,    InheritDisposition,
			    AllocationType, Win32Protect,  ExGetPreviousMode()};
	return map_handles(SectionHandle, ProcessHandle, &m);
}

NTSTATUS NTAPI ZwMapViewOfSection(HANDLE SectionHandle, HANDLE ProcessHandle, PVOID *BaseAddress,
				  ULONG_PTR ZeroBits, SIZE_T CommitSize,
				  PLARGE_INTEGER SectionOffset, PSIZE_T ViewSize,
				  ULONG InheritDisposition, ULONG AllocationType,
				  ULONG Win32Protect)
{
	struct mapping m = {BaseAddress,        SectionOffset,  ViewSize,     ZeroBits,  CommitSize,
			    InheritDisposition, AllocationType, Win32Protect, KernelMode};
	return map_handles(SectionHandle, ProcessHandle, &m);
}

NTSTATUS NTAPI MmMapViewOfSection(PVOID SectionObject, PEPROCESS Process, PVOID *BaseAddress,
				  ULONG_PTR ZeroBits, SIZE_T CommitSize,
				  PLARGE_INTEGER SectionOffset, PSIZE_T ViewSize,
				  ULONG InheritDisposition, ULONG AllocationType,
				  ULONG Win32Protect)
{
	struct mapping m = {BaseAddress,        SectionOffset,  ViewSize,     ZeroBits,  CommitSize,
			    InheritDisposition, AllocationType, Win32Protect, KernelMode};
	return map(SectionObject, Process, &m);
}

/* ---- Unmapping --------------------------------------------------------------------------------------- */

static NTSTATUS unmap(HANDLE handle, PVOID address, KPROCESSOR_MODE mode)
{
	void *process;
	NTSTATUS status = ps_open_handle(handle, PROCESS_VM_OPERATION, PsProcessType, mode,
					 &process);
	if (!NT_SUCCESS(status))
		return status;
	status = mm_unmap_view(process, address);
	ob_dereference(process);
	return status;
}

NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE ProcessHandle, PVOID BaseAddress)
{
	return unmap(ProcessHandle, BaseAddress, ExGetPreviousMode());
}

NTSTATUS NTAPI ZwUnmapViewOfSection(HANDLE ProcessHandle, PVOID BaseAddress)
{
	return unmap(ProcessHandle, BaseAddress, KernelMode);
}

NTSTATUS NTAPI MmUnmapViewOfSection(PEPROCESS Process, PVOID BaseAddress)
{
	return mm_unmap_view(Process, BaseAddress);
}

/* ---- In the system's addresses -------------------------------------------------------------------------- */

/* As much as the section allows; Windows has no parameter for it. */
static ULONG widest(const struct mm_section *section)
{
	switch (section->protect & 0xFF) {
	case PAGE_READWRITE:
	case PAGE_EXECUTE_READWRITE:
		return PAGE_READWRITE;
	case PAGE_WRITECOPY:
	case PAGE_EXECUTE_WRITECOPY:
		return PAGE_WRITECOPY;
	default:
		return PAGE_READONLY;
	}
}

static NTSTATUS map_for_system(struct mm_section *section, PVOID *base, PSIZE_T size,
			       PLARGE_INTEGER offset)
{
	struct mm_view_wish view = {.size = *size, .protect = widest(section)};
	if (offset) {
		view.offset = (ULONG64)offset->QuadPart & ~(GRANULARITY - 1);
		view.size += view.size ? (ULONG64)offset->QuadPart - view.offset : 0;
	}
	NTSTATUS status = mm_map_view(section, &view);
	if (!NT_SUCCESS(status))
		return status;
	*base = view.base;
	*size = view.size;
	if (offset)
		offset->QuadPart = (LONGLONG)view.offset;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI MmMapViewInSystemSpace(PVOID Section, PVOID *MappedBase, PSIZE_T ViewSize)
{
	return map_for_system(Section, MappedBase, ViewSize, NULL);
}

NTSTATUS NTAPI MmMapViewInSystemSpaceEx(PVOID Section, PVOID *MappedBase, PSIZE_T ViewSize,
					PLARGE_INTEGER SectionOffset, ULONG_PTR Flags)
{
	if (Flags) /* all of them are about running out of something that does not run out here */
		return STATUS_INVALID_PARAMETER_5;
	return map_for_system(Section, MappedBase, ViewSize, SectionOffset);
}

NTSTATUS NTAPI MmMapViewInSessionSpace(PVOID Section, PVOID *MappedBase, PSIZE_T ViewSize)
{
	return map_for_system(Section, MappedBase, ViewSize, NULL);
}

static NTSTATUS unmap_for_system(PVOID base)
{
	NTSTATUS status = mm_unmap_view(NULL, base);
	if (!NT_SUCCESS(status))
		KE_BUG_CHECK(KE_DRIVER_UNMAPPING_INVALID_VIEW, (uintptr_t)base, 1, 0, 0,
			     "a view of the system's at %p was to be unmapped, where there is none",
			     base);
	return status;
}

NTSTATUS NTAPI MmUnmapViewInSystemSpace(PVOID MappedBase)
{
	return unmap_for_system(MappedBase);
}

NTSTATUS NTAPI MmUnmapViewInSessionSpace(PVOID MappedBase)
{
	return unmap_for_system(MappedBase);
}
