/* SPDX-License-Identifier: MIT */
/*
 * NtCreateFile and its relatives: from a name to a handle.
 *
 * The device is asked first; its file object gets a handle only when it said yes. A
 * handle that cannot be made takes the open back, as NT does, with cleanup and close.
 */
#include "io/file.h"
#include "ke/thread.h"
#include "ob/handle.h"
#include "ps/process.h"

#define INVALID_OPTIONS (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT)

static NTSTATUS check(const struct io_open *open)
{
	ULONG sync = open->options & INVALID_OPTIONS;
	if (open->disposition > FILE_MAXIMUM_DISPOSITION || sync == INVALID_OPTIONS)
		return STATUS_INVALID_PARAMETER;
	/* A file that waits for its requests must be one that can be waited for. */
	if (sync && !(open->access & (SYNCHRONIZE | GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE |
				      GENERIC_ALL | MAXIMUM_ALLOWED)))
		return STATUS_INVALID_PARAMETER;
	return STATUS_SUCCESS;
}

static NTSTATUS make_handle(const struct io_open *open, PFILE_OBJECT file, PHANDLE handle)
{
	struct ob_handle_request request = {
		.operation = OB_OPERATION_HANDLE_CREATE,
		.object = file,
		.table_of = PsGetCurrentProcess(),
		.desired = open->access,
		.attributes = open->attributes,
		.mode = open->mode,
	};
	NTSTATUS status = ob_make_handle(&request, handle, NULL);
	if (NT_SUCCESS(status))
		file->Flags |= FO_HANDLE_CREATED;
	return status;
}

static NTSTATUS open_file(const struct io_open *open, PHANDLE handle, PIO_STATUS_BLOCK told)
{
	PFILE_OBJECT file;
	IO_STATUS_BLOCK result = {0};
	NTSTATUS status = check(open);
	if (!NT_SUCCESS(status))
		return status;
	status = io_open_device(open, &file, &result);
	if (NT_SUCCESS(status)) {
		NTSTATUS made = make_handle(open, file, handle);
		ob_dereference(file);
		if (!NT_SUCCESS(made))
			return made;
	} else if (io_open_elsewhere) {
		status = io_open_elsewhere(open, status, handle, &result);
	}
	result.Status = status;
	if (NT_SUCCESS(status))
		*told = result;
	return status;
}

static NTSTATUS create(PHANDLE handle, POBJECT_ATTRIBUTES attributes, PIO_STATUS_BLOCK told,
		       struct io_open *open)
{
	if (!attributes || !attributes->ObjectName)
		return STATUS_INVALID_PARAMETER;
	open->name = attributes->ObjectName;
	open->attributes = attributes->Attributes;
	if (attributes->RootDirectory) {
		PVOID root;
		NTSTATUS status = ob_reference_by_handle(attributes->RootDirectory, 0,
							 IoFileObjectType, open->mode, &root);
		if (!NT_SUCCESS(status))
			return status;
		open->root = root;
	}
	NTSTATUS status = open_file(open, handle, told);
	if (open->root)
		ob_dereference(open->root);
	return status;
}

NTSTATUS NTAPI NtCreateFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
			    POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
			    PLARGE_INTEGER AllocationSize, ULONG FileAttributes, ULONG ShareAccess,
			    ULONG CreateDisposition, ULONG CreateOptions, PVOID EaBuffer,
			    ULONG EaLength)
{
	(void)AllocationSize;
	struct io_open open = {NULL,           NULL,        DesiredAccess,      0,
			       FileAttributes, ShareAccess, CreateDisposition,  CreateOptions,
			       EaBuffer,       EaLength,    ExGetPreviousMode()};
	return create(FileHandle, ObjectAttributes, IoStatusBlock, &open);
}

NTSTATUS NTAPI ZwCreateFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
			    POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
			    PLARGE_INTEGER AllocationSize, ULONG FileAttributes, ULONG ShareAccess,
			    ULONG CreateDisposition, ULONG CreateOptions, PVOID EaBuffer,
			    ULONG EaLength)
{
	(void)AllocationSize;
	struct io_open open = {NULL,           NULL,        DesiredAccess,     0,
			       FileAttributes, ShareAccess, CreateDisposition, CreateOptions,
			       EaBuffer,       EaLength,    KernelMode};
	return create(FileHandle, ObjectAttributes, IoStatusBlock, &open);
}

NTSTATUS NTAPI IoCreateFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
			    POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
			    PLARGE_INTEGER AllocationSize, ULONG FileAttributes, ULONG ShareAccess,
			    ULONG Disposition, ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength,
			    ULONG CreateFileType, PVOID InternalParameters, ULONG Options)
{
	(void)CreateFileType;
	(void)InternalParameters;
	(void)Options;
	return ZwCreateFile(FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock,
			    AllocationSize, FileAttributes, ShareAccess, Disposition, CreateOptions,
			    EaBuffer, EaLength);
}

NTSTATUS NTAPI NtOpenFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
			  POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
			  ULONG ShareAccess, ULONG OpenOptions)
{
	return NtCreateFile(FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, NULL, 0,
			    ShareAccess, FILE_OPEN, OpenOptions, NULL, 0);
}

NTSTATUS NTAPI ZwOpenFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
			  POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
			  ULONG ShareAccess, ULONG OpenOptions)
{
	return ZwCreateFile(FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, NULL, 0,
			    ShareAccess, FILE_OPEN, OpenOptions, NULL, 0);
}
