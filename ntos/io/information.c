/* SPDX-License-Identifier: MIT */
/*
 * Information about open files: from a handle, or a file object, to the file's driver.
 *
 * A class is a row: its number, how long a buffer must be, and the right that it takes. What
 * the I/O manager knows itself is answered here: the rights of the handle, its mode, the
 * position, the alignment, the kind of device. For everything else a request goes to the
 * device, with a system buffer, and is waited for. No state of its own.
 *
 * Pages: ZwQueryInformationFile, ZwSetInformationFile, ZwQueryVolumeInformationFile.
 */
#include "io/information.h"
#include "io/file.h"
#include "io/filter.h"
#include "ke/thread.h"
#include "mm/mdl.h"
#include "ob/handle.h"
#include "ps/process.h"
#include <string.h>

struct class
{
	ULONG number, least;
	ACCESS_MASK access;
};

static const struct class queried[] = {
	{FileBasicInformation, sizeof(FILE_BASIC_INFORMATION), FILE_READ_ATTRIBUTES},
	{FileStandardInformation, sizeof(FILE_STANDARD_INFORMATION), 0},
	{FileInternalInformation, 8, 0},
	{FileEaInformation, 4, 0},
	{FileAccessInformation, 4, 0},
	{FileNameInformation, 8, 0},
	{FilePositionInformation, 8, 0},
	{FileModeInformation, 4, 0},
	{FileAlignmentInformation, 4, 0},
	{FileAllInformation, sizeof(FILE_ALL_INFORMATION), FILE_READ_ATTRIBUTES},
	{FileStreamInformation, 32, 0},
	{FileNetworkOpenInformation, sizeof(FILE_NETWORK_OPEN_INFORMATION), FILE_READ_ATTRIBUTES},
	{FileAttributeTagInformation, 8, FILE_READ_ATTRIBUTES},
	{FileNormalizedNameInformation, 8, 0},
	{FileIsRemoteDeviceInformation, 1, 0},
	{FileIdInformation, sizeof(FILE_ID_INFORMATION), 0},
	{0},
};

static const struct class set[] = {
	{FileBasicInformation, sizeof(FILE_BASIC_INFORMATION), FILE_WRITE_ATTRIBUTES},
	{FileRenameInformation, 24, DELETE},
	{FileRenameInformationEx, 24, DELETE},
	{FileLinkInformation, 24, 0},
	{FileDispositionInformation, 1, DELETE},
	{FileDispositionInformationEx, 4, DELETE},
	{FilePositionInformation, 8, 0},
	{FileAllocationInformation, 8, FILE_WRITE_DATA},
	{FileEndOfFileInformation, 8, FILE_WRITE_DATA},
	{0},
};

static const struct class queried_of_volumes[] = {
	{FileFsVolumeInformation, 24, 0},
	{FileFsSizeInformation, sizeof(FILE_FS_SIZE_INFORMATION), 0},
	{FileFsDeviceInformation, sizeof(FILE_FS_DEVICE_INFORMATION), 0},
	{FileFsAttributeInformation, 16, 0},
	{FileFsFullSizeInformation, sizeof(FILE_FS_FULL_SIZE_INFORMATION), 0},
	{0},
};

struct question {
	const struct class *table;
	UCHAR major;
	ULONG number;
	PVOID buffer;
	ULONG length;
	KPROCESSOR_MODE mode;
	PFILE_OBJECT file; /* referenced */
	ACCESS_MASK granted;
};

/* ---- What the I/O manager knows -------------------------------------------------------------- */

static ULONG mode_of(const FILE_OBJECT *file)
{
	ULONG mode = 0;
	if (file->Flags & FO_SYNCHRONOUS_IO)
		mode |= file->Flags & FO_ALERTABLE_IO ? FILE_SYNCHRONOUS_IO_ALERT
						      : FILE_SYNCHRONOUS_IO_NONALERT;
	if (file->Flags & FO_NO_INTERMEDIATE_BUFFERING)
		mode |= FILE_NO_INTERMEDIATE_BUFFERING;
	if (file->Flags & FO_WRITE_THROUGH)
		mode |= FILE_WRITE_THROUGH;
	if (file->Flags & FO_SEQUENTIAL_ONLY)
		mode |= FILE_SEQUENTIAL_ONLY;
	if (file->Flags & FO_DELETE_ON_CLOSE)
		mode |= FILE_DELETE_ON_CLOSE;
	return mode;
}

static NTSTATUS put(const struct question *q, const void *answer, ULONG size,
		    IO_STATUS_BLOCK *result)
{
	if (!mm_may_access(q->buffer, size, true, q->mode) || !mm_copy_to(q->buffer, answer, size))
		return STATUS_ACCESS_VIOLATION;
	result->Information = size;
	return STATUS_SUCCESS;
}

#define FILE_READ_ONLY_DEVICE 0x2
#define FILE_DEVICE_IS_MOUNTED 0x20

static NTSTATUS put_device(const struct question *q, IO_STATUS_BLOCK *result)
{
	const DEVICE_OBJECT *device = q->file->DeviceObject;
	FILE_FS_DEVICE_INFORMATION answer = {device->DeviceType, device->Characteristics};
	if (device == io_volume())
		answer.Characteristics |= FILE_DEVICE_IS_MOUNTED;
	return put(q, &answer, sizeof(answer), result);
}

/* False: the device has to be asked. */
static bool answer_here(const struct question *q, NTSTATUS *status, IO_STATUS_BLOCK *result)
{
	ULONG answer;
	if (q->major == IRP_MJ_QUERY_VOLUME_INFORMATION) {
		if (q->number != FileFsDeviceInformation)
			return false;
		*status = put_device(q, result);
		return true;
	}
	switch (q->number) {
	case FilePositionInformation:
		*status = put(q, &q->file->CurrentByteOffset, 8, result);
		return true;
	case FileAccessInformation:
		answer = q->granted;
		break;
	case FileModeInformation:
		answer = mode_of(q->file);
		break;
	case FileAlignmentInformation:
		answer = q->file->DeviceObject->AlignmentRequirement;
		break;
	default:
		return false;
	}
	*status = put(q, &answer, sizeof(answer), result);
	return true;
}

static NTSTATUS set_position(const struct question *q)
{
	LARGE_INTEGER position;
	if (!mm_may_access(q->buffer, sizeof(position), false, q->mode) ||
	    !mm_copy_from(&position, q->buffer, sizeof(position)))
		return STATUS_ACCESS_VIOLATION;
	if (position.QuadPart < 0)
		return STATUS_INVALID_PARAMETER;
	q->file->CurrentByteOffset = position;
	return STATUS_SUCCESS;
}

static bool set_here(const struct question *q, NTSTATUS *status)
{
	if (q->number != FilePositionInformation)
		return false;
	*status = set_position(q);
	return true;
}

/* ---- Asking the device -------------------------------------------------------------------------- */

/* In FileAllInformation, which the file system completes. */
static void fill_in_ours(const struct question *q, FILE_ALL_INFORMATION *all)
{
	all->AccessFlags = q->granted;
	all->CurrentByteOffset = q->file->CurrentByteOffset;
	all->Mode = mode_of(q->file);
	all->AlignmentRequirement = q->file->DeviceObject->AlignmentRequirement;
}

static NTSTATUS ask_device(const struct question *q, PDEVICE_OBJECT top, IO_STATUS_BLOCK *result)
{
	bool sets = q->major == IRP_MJ_SET_INFORMATION;
	PIRP irp = io_build(top, q->major, q->mode);
	if (!irp)
		return STATUS_INSUFFICIENT_RESOURCES;
	NTSTATUS status = io_set_information(irp, q->buffer, q->length, sets);
	if (!NT_SUCCESS(status)) {
		io_abandon(irp);
		return status;
	}
	PIO_STACK_LOCATION next = io_next_location(irp);
	next->Parameters.QueryFile.Length = q->length;
	next->Parameters.QueryFile.FileInformationClass = q->number;
	if (q->table == queried && q->number == FileAllInformation)
		fill_in_ours(q, irp->AssociatedIrp.SystemBuffer);
	irp->Flags |= IRP_SYNCHRONOUS_API;
	io_link_to_file(irp, q->file);
	return io_send_and_wait(top, irp, result);
}

static NTSTATUS answer(const struct question *q, IO_STATUS_BLOCK *result)
{
	NTSTATUS status;
	bool sets = q->major == IRP_MJ_SET_INFORMATION;
	if (!q->file->DeviceObject)
		return STATUS_INVALID_DEVICE_REQUEST;
	if (sets ? set_here(q, &status) : answer_here(q, &status, result))
		return status;
	PDEVICE_OBJECT top = io_top_of_stack(q->file->DeviceObject);
	status = ask_device(q, top, result);
	ob_dereference(top);
	return status;
}

/* ---- The calls ---------------------------------------------------------------------------------------- */

static NTSTATUS check(const struct question *q, ACCESS_MASK *access)
{
	const struct class *row = q->table;
	while (row->number && row->number != q->number)
		row++;
	if (!row->number)
		return STATUS_INVALID_INFO_CLASS;
	if (q->length < row->least)
		return STATUS_INFO_LENGTH_MISMATCH;
	*access = row->access;
	return STATUS_SUCCESS;
}

static NTSTATUS find_file(struct question *q, HANDLE handle, ACCESS_MASK access)
{
	struct ob_handle found;
	NTSTATUS status = ob_resolve_handle(PsGetCurrentProcess(), handle, q->mode, &found);
	if (!NT_SUCCESS(status))
		return status;
	if (ob_header_of(found.object)->type != IoFileObjectType)
		status = STATUS_OBJECT_TYPE_MISMATCH;
	else if (q->mode == UserMode && access & ~found.granted)
		status = STATUS_ACCESS_DENIED;
	if (!NT_SUCCESS(status)) {
		ob_dereference(found.object);
		return status;
	}
	q->file = found.object;
	q->granted = found.granted;
	return STATUS_SUCCESS;
}

static NTSTATUS ask(struct question *q, HANDLE handle, PIO_STATUS_BLOCK told)
{
	ACCESS_MASK access;
	IO_STATUS_BLOCK result = {0};
	NTSTATUS status = check(q, &access);
	if (NT_SUCCESS(status))
		status = find_file(q, handle, access);
	if (!NT_SUCCESS(status))
		return status;
	status = answer(q, &result);
	ob_dereference(q->file);
	result.Status = status;
	if (!IO_ERROR(status) && !(mm_may_access(told, sizeof(*told), true, q->mode) &&
				   mm_copy_to(told, &result, sizeof(result))))
		return STATUS_ACCESS_VIOLATION;
	return status;
}

NTSTATUS NTAPI NtQueryInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock,
				      PVOID FileInformation, ULONG Length,
				      ULONG FileInformationClass)
{
	struct question q = {
		queried, IRP_MJ_QUERY_INFORMATION, FileInformationClass, FileInformation,
		Length,  ExGetPreviousMode()};
	return ask(&q, FileHandle, IoStatusBlock);
}

NTSTATUS NTAPI ZwQueryInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock,
				      PVOID FileInformation, ULONG Length,
				      ULONG FileInformationClass)
{
	struct question q = {
		queried,   IRP_MJ_QUERY_INFORMATION, FileInformationClass, FileInformation, Length,
		KernelMode};
	return ask(&q, FileHandle, IoStatusBlock);
}

NTSTATUS NTAPI NtSetInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock,
				    PVOID FileInformation, ULONG Length, ULONG FileInformationClass)
{
	struct question q = {set,    IRP_MJ_SET_INFORMATION, FileInformationClass, FileInformation,
			     Length, ExGetPreviousMode()};
	return ask(&q, FileHandle, IoStatusBlock);
}

NTSTATUS NTAPI ZwSetInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock,
				    PVOID FileInformation, ULONG Length, ULONG FileInformationClass)
{
	struct question q = {
		set,       IRP_MJ_SET_INFORMATION, FileInformationClass, FileInformation, Length,
		KernelMode};
	return ask(&q, FileHandle, IoStatusBlock);
}

NTSTATUS NTAPI NtQueryVolumeInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock,
					    PVOID FsInformation, ULONG Length,
					    ULONG FsInformationClass)
{
	struct question q = {queried_of_volumes,
			     IRP_MJ_QUERY_VOLUME_INFORMATION,
			     FsInformationClass,
			     FsInformation,
			     Length,
			     ExGetPreviousMode()};
	return ask(&q, FileHandle, IoStatusBlock);
}

NTSTATUS NTAPI ZwQueryVolumeInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock,
					    PVOID FsInformation, ULONG Length,
					    ULONG FsInformationClass)
{
	struct question q = {queried_of_volumes,
			     IRP_MJ_QUERY_VOLUME_INFORMATION,
			     FsInformationClass,
			     FsInformation,
			     Length,
			     KernelMode};
	return ask(&q, FileHandle, IoStatusBlock);
}

/* ---- Of a file object ------------------------------------------------------------------------------------- */

static NTSTATUS ask_of(struct question *q, PULONG returned)
{
	ACCESS_MASK ignored;
	IO_STATUS_BLOCK result = {0};
	NTSTATUS status = check(q, &ignored);
	if (!NT_SUCCESS(status))
		return status;
	status = answer(q, &result);
	if (returned)
		*returned = (ULONG)result.Information;
	return status;
}

NTSTATUS NTAPI IoQueryFileInformation(PFILE_OBJECT FileObject, ULONG FileInformationClass,
				      ULONG Length, PVOID FileInformation, PULONG ReturnedLength)
{
	struct question q = {queried,
			     IRP_MJ_QUERY_INFORMATION,
			     FileInformationClass,
			     FileInformation,
			     Length,
			     KernelMode,
			     FileObject};
	return ask_of(&q, ReturnedLength);
}

NTSTATUS NTAPI IoSetInformation(PFILE_OBJECT FileObject, ULONG FileInformationClass, ULONG Length,
				PVOID FileInformation)
{
	struct question q = {set,
			     IRP_MJ_SET_INFORMATION,
			     FileInformationClass,
			     FileInformation,
			     Length,
			     KernelMode,
			     FileObject};
	return ask_of(&q, NULL);
}

NTSTATUS NTAPI IoQueryVolumeInformation(PFILE_OBJECT FileObject, ULONG FsInformationClass,
					ULONG Length, PVOID FsInformation, PULONG ReturnedLength)
{
	struct question q = {queried_of_volumes,
			     IRP_MJ_QUERY_VOLUME_INFORMATION,
			     FsInformationClass,
			     FsInformation,
			     Length,
			     KernelMode,
			     FileObject};
	return ask_of(&q, ReturnedLength);
}

NTSTATUS NTAPI FsRtlGetFileSize(PFILE_OBJECT FileObject, PLARGE_INTEGER FileSize)
{
	FILE_STANDARD_INFORMATION information;
	NTSTATUS status = IoQueryFileInformation(FileObject, FileStandardInformation,
						 sizeof(information), &information, NULL);
	if (NT_SUCCESS(status) && information.Directory)
		status = STATUS_FILE_IS_A_DIRECTORY;
	if (NT_SUCCESS(status))
		*FileSize = information.EndOfFile;
	return status;
}
