/* SPDX-License-Identifier: MIT */
/* Sections: memory of the paging file, of a file, or of an image, and views of it. */
#ifndef RINGSIDE_MM_SECTION_H
#define RINGSIDE_MM_SECTION_H

#include "ldr/pe.h"
#include <ringside/io.h>

#define SECTION_QUERY 0x1
#define SECTION_MAP_WRITE 0x2
#define SECTION_MAP_READ 0x4
#define SECTION_MAP_EXECUTE 0x8
#define SECTION_ALL_ACCESS 0xF001F

#define SEC_FILE 0x800000
#define SEC_IMAGE 0x1000000
#define SEC_RESERVE 0x4000000
#define SEC_COMMIT 0x8000000
#define SEC_NOCACHE 0x10000000
#define SEC_IMAGE_NO_EXECUTE (SEC_IMAGE | SEC_NOCACHE)

/* The body of a section object; constant. */
struct mm_section {
	ULONG attributes, protect;
	ULONG64 size;      /* bytes; of an image whole pages */
	int memory;        /* a descriptor of what is mapped: the file, or memory of its own */
	PFILE_OBJECT file; /* referenced, or NULL: backed by the paging file */
	struct pe *image;  /* the headers of an image, whose `memory` is its layout; or NULL */
};

/* What is asked for when one is made. */
struct mm_section_wish {
	ULONG64 size; /* 0: the file's */
	ULONG protect, attributes;
	PFILE_OBJECT file; /* or NULL */
};

/* A new section with one reference. INVALID_PAGE_PROTECTION, INVALID_PARAMETER_6 (attributes),
 * INVALID_PARAMETER_4 (no size), INVALID_FILE_FOR_SECTION, MAPPED_FILE_SIZE_ZERO,
 * SECTION_TOO_BIG, INVALID_IMAGE_NOT_MZ, INVALID_IMAGE_FORMAT, ... */
NTSTATUS mm_create_section(const struct mm_section_wish *wish, struct mm_section **section);

/* Lays the image out that the file of `fd` is; fills in `memory`, `image` and `size`. */
NTSTATUS mm_lay_out_image(int fd, struct mm_section *section);

/* Makes the section of a known DLL, \KnownDlls\NAME, if the root has such a file and there is
 * none yet: from then on it has that name. False: there is nothing new. */
bool mm_know_dll(POBJECT_ATTRIBUTES attributes);

/* Gives the type of sections its methods; 0. */
int mm_boot_sections(void);

/* ---- Views -------------------------------------------------------------------------------- */

/* A view as it is asked for, and then as it is. */
struct mm_view_wish {
	PEPROCESS process; /* NULL: the system's addresses */
	PVOID base;        /* NULL: anywhere */
	SIZE_T size;       /* 0: to the end */
	ULONG64 offset;
	ULONG protect;
};

/* IMAGE_NOT_AT_BASE is a success. INVALID_VIEW_SIZE, SECTION_PROTECTION,
 * CONFLICTING_ADDRESSES, NO_MEMORY; NOT_SUPPORTED for the memory of a live process, except
 * for PAGE_READONLY in the current one, which the driver sees and the process does not. */
NTSTATUS mm_map_view(struct mm_section *section, struct mm_view_wish *view);

/* The view that `address` lies in. NOT_MAPPED_VIEW. */
NTSTATUS mm_unmap_view(PEPROCESS process, const void *address);

/* A process is deleted: what it still has mapped goes; or all that is left, at shutdown. */
void mm_forget_views(PEPROCESS process);
void mm_forget_all_views(void);

/* What ZwQueryVirtualMemory shows of a view; false if `address` is in none. */
struct mm_view_shown {
	uintptr_t base;
	SIZE_T size;
	ULONG protect;
	bool image;
};
bool mm_find_view(PEPROCESS process, uintptr_t address, struct mm_view_shown *shown);

/* How many views write the file with that SectionObjectPointer. */
ULONG mm_count_writing_views(const void *section_pointers);

/* The file of the view that `address` lies in (rtl_free_string). NOT_MAPPED_VIEW; FILE_INVALID
 * when it has none. */
NTSTATUS mm_view_name(PEPROCESS process, uintptr_t address, UNICODE_STRING *name);

/* ---- Exports: PASSIVE_LEVEL ------------------------------------------------------------------ */

typedef struct _SECTION_BASIC_INFORMATION {
	PVOID BaseAddress;
	ULONG AllocationAttributes;
	LARGE_INTEGER MaximumSize;
} SECTION_BASIC_INFORMATION;
_Static_assert(sizeof(SECTION_BASIC_INFORMATION) == 24, "phnt");

enum section_inherit { ViewShare = 1, ViewUnmap = 2 };

NTSTATUS NTAPI NtCreateSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess,
			       POBJECT_ATTRIBUTES ObjectAttributes, PLARGE_INTEGER MaximumSize,
			       ULONG SectionPageProtection, ULONG AllocationAttributes,
			       HANDLE FileHandle);
NTSTATUS NTAPI ZwCreateSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess,
			       POBJECT_ATTRIBUTES ObjectAttributes, PLARGE_INTEGER MaximumSize,
			       ULONG SectionPageProtection, ULONG AllocationAttributes,
			       HANDLE FileHandle);
NTSTATUS NTAPI MmCreateSection(PVOID *SectionObject, ACCESS_MASK DesiredAccess,
			       POBJECT_ATTRIBUTES ObjectAttributes, PLARGE_INTEGER MaximumSize,
			       ULONG SectionPageProtection, ULONG AllocationAttributes,
			       HANDLE FileHandle, PFILE_OBJECT FileObject);
/* Of an open file that there need not be a handle to; the section is referenced too. */
NTSTATUS NTAPI FsRtlCreateSectionForDataScan(PHANDLE SectionHandle, PVOID *SectionObject,
					     PLARGE_INTEGER SectionFileSize,
					     PFILE_OBJECT FileObject, ACCESS_MASK DesiredAccess,
					     POBJECT_ATTRIBUTES ObjectAttributes,
					     PLARGE_INTEGER MaximumSize,
					     ULONG SectionPageProtection,
					     ULONG AllocationAttributes, ULONG Flags);
/* Of a SECTION_OBJECT_POINTERS: opens, sections and views that can change the file. */
ULONG NTAPI MmDoesFileHaveUserWritableReferences(PVOID SectionPointer);
NTSTATUS NTAPI NtOpenSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess,
			     POBJECT_ATTRIBUTES ObjectAttributes);
NTSTATUS NTAPI ZwOpenSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess,
			     POBJECT_ATTRIBUTES ObjectAttributes);
NTSTATUS NTAPI ZwQuerySection(HANDLE SectionHandle, ULONG SectionInformationClass,
			      PVOID SectionInformation, SIZE_T SectionInformationLength,
			      PSIZE_T ReturnLength);

/* Addresses and offsets are rounded down to 64 KiB. For live processes see mm_map_view. */
NTSTATUS NTAPI NtMapViewOfSection(HANDLE SectionHandle, HANDLE ProcessHandle, PVOID *BaseAddress,
				  ULONG_PTR ZeroBits, SIZE_T CommitSize,
				  PLARGE_INTEGER SectionOffset, PSIZE_T ViewSize,
				  ULONG InheritDisposition, ULONG AllocationType,
				  ULONG Win32Protect);
NTSTATUS NTAPI ZwMapViewOfSection(HANDLE SectionHandle, HANDLE ProcessHandle, PVOID *BaseAddress,
				  ULONG_PTR ZeroBits, SIZE_T CommitSize,
				  PLARGE_INTEGER SectionOffset, PSIZE_T ViewSize,
				  ULONG InheritDisposition, ULONG AllocationType,
				  ULONG Win32Protect);
NTSTATUS NTAPI MmMapViewOfSection(PVOID SectionObject, PEPROCESS Process, PVOID *BaseAddress,
				  ULONG_PTR ZeroBits, SIZE_T CommitSize,
				  PLARGE_INTEGER SectionOffset, PSIZE_T ViewSize,
				  ULONG InheritDisposition, ULONG AllocationType,
				  ULONG Win32Protect);
NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE ProcessHandle, PVOID BaseAddress);
NTSTATUS NTAPI ZwUnmapViewOfSection(HANDLE ProcessHandle, PVOID BaseAddress);
NTSTATUS NTAPI MmUnmapViewOfSection(PEPROCESS Process, PVOID BaseAddress);
NTSTATUS NTAPI MmMapViewInSystemSpace(PVOID Section, PVOID *MappedBase, PSIZE_T ViewSize);
NTSTATUS NTAPI MmMapViewInSystemSpaceEx(PVOID Section, PVOID *MappedBase, PSIZE_T ViewSize,
					PLARGE_INTEGER SectionOffset, ULONG_PTR Flags);
NTSTATUS NTAPI MmMapViewInSessionSpace(PVOID Section, PVOID *MappedBase, PSIZE_T ViewSize);
/* Bug check 0xD7 when there is no view there. */
NTSTATUS NTAPI MmUnmapViewInSystemSpace(PVOID MappedBase);
NTSTATUS NTAPI MmUnmapViewInSessionSpace(PVOID MappedBase);

#endif
