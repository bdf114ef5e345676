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

#define IO_IGNORE_SHARE_ACCESS_CHECK 0x0800
#define SYNCHRONOUS (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT)

/* Options that exclude each other, or need what is not asked for (ZwCreateFile). */
static bool contradicts_itself(const struct io_open *open)
{
	ULONG options = open->options, disposition = open->disposition;
	bool folder = options & FILE_DIRECTORY_FILE;
	if ((options & SYNCHRONOUS) == SYNCHRONOUS)
		return true;
	if (folder && (options & FILE_NON_DIRECTORY_FILE ||
		       (disposition != FILE_CREATE && disposition != FILE_OPEN &&
			disposition != FILE_OPEN_IF)))
		return true;
	if (options & FILE_DELETE_ON_CLOSE &&
	    !(open->access & (DELETE | GENERIC_ALL | MAXIMUM_ALLOWED)))
		return true;
	return options & FILE_NO_INTERMEDIATE_BUFFERING && open->access & FILE_APPEND_DATA &&
	       !(open->access & FILE_WRITE_DATA);
}

static NTSTATUS check(const struct io_open *open)
{
	ULONG sync = open->options & SYNCHRONOUS;
	if (open->disposition > FILE_MAXIMUM_DISPOSITION || contradicts_itself(open))
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
	}
	result.Status = status;
	if (NT_SUCCESS(status))
		*told = result;
	return status;
}

static NTSTATUS begin(POBJECT_ATTRIBUTES attributes, struct io_open *open)
{
	PVOID root;
	if (!attributes || !attributes->ObjectName)
		return STATUS_INVALID_PARAMETER;
	open->name = attributes->ObjectName;
	open->attributes = attributes->Attributes;
	if (!attributes->RootDirectory)
		return STATUS_SUCCESS;
	NTSTATUS status = ob_reference_by_handle(attributes->RootDirectory, 0, IoFileObjectType,
						 open->mode, &root);
	if (NT_SUCCESS(status))
		open->root = root;
	return status;
}

static void end(const struct io_open *open)
{
	if (open->root)
		ob_dereference(open->root);
}

static NTSTATUS create(PHANDLE handle, POBJECT_ATTRIBUTES attributes, PIO_STATUS_BLOCK told,
		       struct io_open *open)
{
	NTSTATUS status = begin(attributes, open);
	if (NT_SUCCESS(status))
		status = open_file(open, handle, told);
	end(open);
	return status;
}

NTSTATUS io_open_attributes(POBJECT_ATTRIBUTES attributes, struct io_open *open, PFILE_OBJECT *file,
			    IO_STATUS_BLOCK *result)
{
	NTSTATUS status = begin(attributes, open);
	if (NT_SUCCESS(status))
		status = io_open_device(open, file, result);
	end(open);
	return status;
}

NTSTATUS NTAPI NtCreateFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
			    POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
			    PLARGE_INTEGER AllocationSize, ULONG FileAttributes, ULONG ShareAccess,
			    ULONG CreateDisposition, ULONG CreateOptions, PVOID EaBuffer,
			    ULONG EaLength)
{
	(void)AllocationSize;
	struct io_open open = {NULL,
			       NULL,
			       DesiredAccess,
			       0,
			       FileAttributes,
			       ShareAccess,
			       CreateDisposition,
			       CreateOptions,
			       EaBuffer,
			       EaLength,
			       ExGetPreviousMode(),
			       false,
			       NULL};
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
			       EaBuffer,       EaLength,    KernelMode,        NULL};
	return create(FileHandle, ObjectAttributes, IoStatusBlock, &open);
}

static NTSTATUS create_for_kernel(PHANDLE handle, POBJECT_ATTRIBUTES attributes,
				  PIO_STATUS_BLOCK told, struct io_open *open, ULONG type,
				  ULONG options)
{
	if (type) /* a named pipe or a mailslot, which no file system here has */
		return STATUS_NOT_SUPPORTED;
	/* IO_NO_PARAMETER_CHECKING aside, the caller is the kernel, as with ZwCreateFile. */
	open->mode = KernelMode;
	open->ignores_sharing = (options & IO_IGNORE_SHARE_ACCESS_CHECK) != 0;
	return create(handle, attributes, told, open);
}

NTSTATUS NTAPI IoCreateFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
			    POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
			    PLARGE_INTEGER AllocationSize, ULONG FileAttributes, ULONG ShareAccess,
			    ULONG Disposition, ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength,
			    ULONG CreateFileType, PVOID InternalParameters, ULONG Options)
{
	(void)AllocationSize;
	(void)InternalParameters;
	struct io_open open = {NULL,           NULL,        DesiredAccess, 0,
			       FileAttributes, ShareAccess, Disposition,   CreateOptions,
			       EaBuffer,       EaLength,    KernelMode,    NULL};
	return create_for_kernel(FileHandle, ObjectAttributes, IoStatusBlock, &open, CreateFileType,
				 Options);
}

NTSTATUS NTAPI IoCreateFileSpecifyDeviceObjectHint(
	PHANDLE FileHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
	PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
	ULONG ShareAccess, ULONG Disposition, ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength,
	ULONG CreateFileType, PVOID InternalParameters, ULONG Options, PVOID DeviceObject)
{
	(void)AllocationSize;
	(void)InternalParameters;
	struct io_open open = {NULL,           NULL,        DesiredAccess, 0,
			       FileAttributes, ShareAccess, Disposition,   CreateOptions,
			       EaBuffer,       EaLength,    KernelMode,    DeviceObject};
	return create_for_kernel(FileHandle, ObjectAttributes, IoStatusBlock, &open, CreateFileType,
				 Options);
}

struct create_context { /* IO_DRIVER_CREATE_CONTEXT */
	CSHORT size;
	PVOID extra_create_parameter, device_object_hint, transaction_parameters, silo_context;
};
_Static_assert(offsetof(struct create_context, device_object_hint) == 0x10, "ntddk.h");

NTSTATUS NTAPI IoCreateFileEx(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
			      POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
			      PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
			      ULONG ShareAccess, ULONG Disposition, ULONG CreateOptions,
			      PVOID EaBuffer, ULONG EaLength, ULONG CreateFileType,
			      PVOID InternalParameters, ULONG Options, PVOID DriverContext)
{
	const struct create_context *context = DriverContext;
	if (context && (context->extra_create_parameter || context->transaction_parameters))
		return STATUS_NOT_SUPPORTED;
	return IoCreateFileSpecifyDeviceObjectHint(
		FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, AllocationSize,
		FileAttributes, ShareAccess, Disposition, CreateOptions, EaBuffer, EaLength,
		CreateFileType, InternalParameters, Options,
		context ? context->device_object_hint : NULL);
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
