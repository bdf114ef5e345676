/* SPDX-License-Identifier: MIT */
/*
 * Section objects: making, opening, asking about them.
 *
 * A section is a descriptor that views are mapped from: memory without a name for one that
 * the paging file backs, the file itself for one of a file, and for an image memory in
 * which its sections lie as its headers say. It never changes. It holds its file
 * object, as NT's control area does.
 *
 * A protection is one bit of what the section allows its views; the tables below are the
 * pages' words about which goes with which.
 *
 * Pages: ZwCreateSection, ZwOpenSection; CreateFileMapping for SEC_ flags.
 */
#include "mm/section.h"
#include "io/file.h"
#include "io/volume.h"
#include "ke/thread.h"
#include "memory.h"
#include "mm/virtual.h"
#include "ob/directory.h"
#include "ob/handle.h"
#include "ps/information.h"
#include "ps/process.h"
#include <string.h>

#define MOST_BYTES ((ULONG64)1 << 40)

/* ---- What may be asked for ---------------------------------------------------------------- */

static bool is_protection(ULONG protect)
{
	switch (protect & ~0x700u) { /* without PAGE_GUARD, PAGE_NOCACHE, PAGE_WRITECOMBINE */
	case PAGE_READONLY:
	case PAGE_READWRITE:
	case PAGE_WRITECOPY:
	case PAGE_EXECUTE:
	case PAGE_EXECUTE_READ:
	case PAGE_EXECUTE_READWRITE:
	case PAGE_EXECUTE_WRITECOPY:
		return protect <= PAGE_EXECUTE_WRITECOPY;
	default:
		return false;
	}
}

static bool is_kind(ULONG attributes)
{
	switch (attributes & ~(ULONG)SEC_FILE) {
	case SEC_COMMIT:
	case SEC_RESERVE:
	case SEC_COMMIT | SEC_NOCACHE:
	case SEC_RESERVE | SEC_NOCACHE:
	case SEC_IMAGE:
	case SEC_IMAGE_NO_EXECUTE:
		return true;
	default:
		return false;
	}
}

static NTSTATUS check(const struct mm_section_wish *wish)
{
	if (!is_kind(wish->attributes))
		return STATUS_INVALID_PARAMETER_6;
	if (!is_protection(wish->protect))
		return STATUS_INVALID_PAGE_PROTECTION;
	if (!wish->file && wish->attributes & SEC_IMAGE)
		return STATUS_INVALID_FILE_FOR_SECTION;
	if (!wish->file && !wish->size)
		return STATUS_INVALID_PARAMETER_4;
	return wish->size > MOST_BYTES ? STATUS_SECTION_TOO_BIG : STATUS_SUCCESS;
}

static bool writes(ULONG protect)
{
	return protect == PAGE_READWRITE || protect == PAGE_EXECUTE_READWRITE;
}

/* ---- What it is made of --------------------------------------------------------------------- */

static NTSTATUS use_paging_file(struct mm_section *section, ULONG64 size)
{
	section->memory = host_open_memory(size);
	if (section->memory < 0)
		return STATUS_COMMITMENT_LIMIT;
	section->size = size;
	return STATUS_SUCCESS;
}

static NTSTATUS use_file(struct mm_section *section, const struct mm_section_wish *wish, int fd)
{
	struct host_file_info info;
	int error = host_file_info(fd, &info);
	section->memory = fd;
	section->size = wish->size ? wish->size : info.size;
	if (error)
		return volume_status(error);
	if (!section->size)
		return STATUS_MAPPED_FILE_SIZE_ZERO;
	if (section->size <= info.size)
		return STATUS_SUCCESS;
	return writes(wish->protect) ? volume_status(host_set_size(fd, section->size))
				     : STATUS_SECTION_TOO_BIG;
}

static NTSTATUS use_image(struct mm_section *section, int fd)
{
	NTSTATUS status = mm_lay_out_image(fd, section);
	host_close(fd);
	return status;
}

static NTSTATUS fill(struct mm_section *section, const struct mm_section_wish *wish)
{
	int fd;
	if (!wish->file)
		return use_paging_file(section, wish->size);
	bool image = wish->attributes & SEC_IMAGE;
	NTSTATUS status = io_file_for_section(wish->file, !image && writes(wish->protect), image,
					      &fd);
	if (!NT_SUCCESS(status))
		return status;
	ob_reference(section->file = wish->file);
	return image ? use_image(section, fd) : use_file(section, wish, fd);
}

NTSTATUS mm_create_section(const struct mm_section_wish *wish, struct mm_section **section)
{
	NTSTATUS status = check(wish);
	if (!NT_SUCCESS(status))
		return status;
	struct mm_section *made = ob_create(MmSectionObjectType, sizeof(*made));
	if (!made)
		return STATUS_INSUFFICIENT_RESOURCES;
	made->memory = -1;
	made->attributes = wish->attributes | (wish->file ? SEC_FILE : 0);
	made->protect = wish->protect;
	status = fill(made, wish);
	if (NT_SUCCESS(status))
		*section = made;
	else
		ob_dereference(made);
	return status;
}

static void delete_section(void *body)
{
	struct mm_section *section = body;
	if (section->memory >= 0)
		host_close(section->memory);
	if (section->file) {
		bool image = section->attributes & SEC_IMAGE;
		io_section_is_gone(section->file, !image && writes(section->protect), image);
		ob_dereference(section->file);
	}
	host_free(section->image);
}

int mm_boot_sections(void)
{
	MmSectionObjectType->delete_body = delete_section;
	return 0;
}

/* ---- Creating -------------------------------------------------------------------------------- */

/* The rights to the file that its user needs for such a section. */
static ACCESS_MASK rights_for(const struct mm_section_wish *wish)
{
	ACCESS_MASK rights = FILE_READ_DATA;
	if (wish->attributes & SEC_IMAGE)
		return FILE_EXECUTE;
	if (writes(wish->protect))
		rights |= FILE_WRITE_DATA;
	return wish->protect >= PAGE_EXECUTE ? rights | FILE_EXECUTE : rights;
}

static NTSTATUS create(struct mm_section_wish *wish, HANDLE handle, KPROCESSOR_MODE mode,
		       struct mm_section **section)
{
	PVOID file = NULL;
	NTSTATUS status = STATUS_SUCCESS;
	if (handle) {
		status = ob_reference_by_handle(handle, rights_for(wish), IoFileObjectType, mode,
						&file);
		wish->file = file;
	}
	if (NT_SUCCESS(status))
		status = mm_create_section(wish, section);
	if (file)
		ob_dereference(file);
	return status;
}

static ULONG64 size_of(const LARGE_INTEGER *size)
{
	return size ? (ULONG64)size->QuadPart : 0;
}

NTSTATUS NTAPI NtCreateSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess,
			       POBJECT_ATTRIBUTES ObjectAttributes, PLARGE_INTEGER MaximumSize,
			       ULONG SectionPageProtection, ULONG AllocationAttributes,
			       HANDLE FileHandle)
{
	struct mm_section *section;
	KPROCESSOR_MODE mode = ExGetPreviousMode();
	struct mm_section_wish wish = {size_of(MaximumSize), SectionPageProtection,
				       AllocationAttributes};
	NTSTATUS status = create(&wish, FileHandle, mode, &section);
	return NT_SUCCESS(status)
		       ? ob_publish(section, DesiredAccess, ObjectAttributes, mode, SectionHandle)
		       : status;
}

NTSTATUS NTAPI ZwCreateSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess,
			       POBJECT_ATTRIBUTES ObjectAttributes, PLARGE_INTEGER MaximumSize,
			       ULONG SectionPageProtection, ULONG AllocationAttributes,
			       HANDLE FileHandle)
{
	struct mm_section *section;
	struct mm_section_wish wish = {size_of(MaximumSize), SectionPageProtection,
				       AllocationAttributes};
	NTSTATUS status = create(&wish, FileHandle, KernelMode, &section);
	return NT_SUCCESS(status) ? ob_publish(section, DesiredAccess, ObjectAttributes, KernelMode,
					       SectionHandle)
				  : status;
}

NTSTATUS NTAPI MmCreateSection(PVOID *SectionObject, ACCESS_MASK DesiredAccess,
			       POBJECT_ATTRIBUTES ObjectAttributes, PLARGE_INTEGER MaximumSize,
			       ULONG SectionPageProtection, ULONG AllocationAttributes,
			       HANDLE FileHandle, PFILE_OBJECT FileObject)
{
	(void)DesiredAccess; /* there is no handle that would have it */
	(void)ObjectAttributes;
	struct mm_section *section;
	struct mm_section_wish wish = {size_of(MaximumSize), SectionPageProtection,
				       AllocationAttributes, FileObject};
	NTSTATUS status = create(&wish, FileHandle, KernelMode, &section);
	if (NT_SUCCESS(status))
		*SectionObject = section;
	return status;
}

NTSTATUS NTAPI FsRtlCreateSectionForDataScan(PHANDLE SectionHandle, PVOID *SectionObject,
					     PLARGE_INTEGER SectionFileSize,
					     PFILE_OBJECT FileObject, ACCESS_MASK DesiredAccess,
					     POBJECT_ATTRIBUTES ObjectAttributes,
					     PLARGE_INTEGER MaximumSize,
					     ULONG SectionPageProtection,
					     ULONG AllocationAttributes, ULONG Flags)
{
	(void)MaximumSize;
	(void)Flags;
	struct mm_section *section;
	struct mm_section_wish wish = {0, SectionPageProtection, AllocationAttributes, FileObject};
	if (SectionPageProtection != PAGE_READONLY && SectionPageProtection != PAGE_READWRITE)
		return STATUS_INVALID_PARAMETER_8;
	if ((AllocationAttributes & ~(ULONG)SEC_FILE) != SEC_COMMIT)
		return STATUS_INVALID_PARAMETER_9;
	NTSTATUS status = mm_create_section(&wish, &section);
	if (!NT_SUCCESS(status))
		return status == STATUS_MAPPED_FILE_SIZE_ZERO ? STATUS_END_OF_FILE : status;
	LARGE_INTEGER size = {.QuadPart = (LONGLONG)section->size};
	ob_reference(section);
	status = ob_publish(section, DesiredAccess, ObjectAttributes, KernelMode, SectionHandle);
	if (!NT_SUCCESS(status)) {
		ob_dereference(section);
		return status;
	}
	*SectionObject = section;
	if (SectionFileSize)
		*SectionFileSize = size;
	return status;
}

ULONG NTAPI MmDoesFileHaveUserWritableReferences(PVOID SectionPointer)
{
	return io_writers_of(SectionPointer) + mm_count_writing_views(SectionPointer);
}

/* ---- Opening and asking ------------------------------------------------------------------------- */

static NTSTATUS open_section(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes,
			     KPROCESSOR_MODE mode)
{
	NTSTATUS status = ObOpenObjectByName(attributes, MmSectionObjectType, mode, NULL, access,
					     NULL, handle);
	if (status == STATUS_OBJECT_NAME_NOT_FOUND && mm_know_dll(attributes))
		status = ObOpenObjectByName(attributes, MmSectionObjectType, mode, NULL, access,
					    NULL, handle);
	return status;
}

NTSTATUS NTAPI NtOpenSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess,
			     POBJECT_ATTRIBUTES ObjectAttributes)
{
	return open_section(SectionHandle, DesiredAccess, ObjectAttributes, ExGetPreviousMode());
}

NTSTATUS NTAPI ZwOpenSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess,
			     POBJECT_ATTRIBUTES ObjectAttributes)
{
	return open_section(SectionHandle, DesiredAccess, ObjectAttributes, KernelMode);
}

NTSTATUS NTAPI ZwQuerySection(HANDLE SectionHandle, ULONG SectionInformationClass,
			      PVOID SectionInformation, SIZE_T SectionInformationLength,
			      PSIZE_T ReturnLength)
{
	struct ps_caller caller = {SectionInformation, SectionInformationLength, NULL,
				   ReturnLength};
	void *object;
	if (SectionInformationClass != 0) /* SectionBasicInformation */
		return STATUS_INVALID_INFO_CLASS;
	if (SectionInformationLength < sizeof(SECTION_BASIC_INFORMATION))
		return STATUS_INFO_LENGTH_MISMATCH;
	NTSTATUS status = ob_reference_by_handle(SectionHandle, SECTION_QUERY, MmSectionObjectType,
						 KernelMode, &object);
	if (!NT_SUCCESS(status))
		return status;
	const struct mm_section *section = object;
	SECTION_BASIC_INFORMATION answer = {
		NULL, section->attributes, {.QuadPart = (LONGLONG)section->size}};
	ob_dereference(object);
	return ps_answer(&caller, &answer, sizeof(answer));
}
