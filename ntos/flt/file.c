/* SPDX-License-Identifier: MIT */
/*
 * Files of minifilters' own: opened, read, written and asked as anybody else's, but seen only
 * by the instances below the one that is named (flt_begin_below). Reads and writes are
 * complete when these return; a callback for later is called before that.
 *
 * Pages: FltCreateFileEx, FltReadFile, FltQueryInformationFile and those beside.
 */
#include "flt/file.h"
#include "ex/pool.h"
#include "flt/operation.h"
#include "io/file.h"
#include "io/information.h"
#include "io/irp.h"
#include "io/volume.h"
#include "ke/callout.h"
#include "ob/handle.h"

/* Offsets that are none. */
#define TO_END_OF_FILE (-1)   /* FILE_WRITE_TO_END_OF_FILE */
#define USE_FILE_POINTER (-2) /* FILE_USE_FILE_POINTER_POSITION */

/* ---- Opening ------------------------------------------------------------------------------ */

NTSTATUS NTAPI FltCreateFile(PFLT_FILTER Filter, PFLT_INSTANCE Instance, PHANDLE FileHandle,
			     ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
			     PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER AllocationSize,
			     ULONG FileAttributes, ULONG ShareAccess, ULONG CreateDisposition,
			     ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength, ULONG Flags)
{
	(void)Filter;
	PFLT_INSTANCE before = flt_begin_below(Instance);
	NTSTATUS status = IoCreateFile(FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock,
				       AllocationSize, FileAttributes, ShareAccess,
				       CreateDisposition, CreateOptions, EaBuffer, EaLength, 0,
				       NULL, Flags);
	flt_begin_below(before);
	return status;
}

NTSTATUS NTAPI FltCreateFileEx(PFLT_FILTER Filter, PFLT_INSTANCE Instance, PHANDLE FileHandle,
			       PFILE_OBJECT *FileObject, ACCESS_MASK DesiredAccess,
			       POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
			       PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
			       ULONG ShareAccess, ULONG CreateDisposition, ULONG CreateOptions,
			       PVOID EaBuffer, ULONG EaLength, ULONG Flags)
{
	PVOID file;
	NTSTATUS status = FltCreateFile(Filter, Instance, FileHandle, DesiredAccess,
					ObjectAttributes, IoStatusBlock, AllocationSize,
					FileAttributes, ShareAccess, CreateDisposition,
					CreateOptions, EaBuffer, EaLength, Flags);
	if (!NT_SUCCESS(status) || !FileObject)
		return status;
	NTSTATUS found = ob_reference_by_handle(*FileHandle, 0, IoFileObjectType, KernelMode,
						&file);
	if (!NT_SUCCESS(found)) {
		ZwClose(*FileHandle);
		return found;
	}
	*FileObject = file;
	return status;
}

NTSTATUS NTAPI FltClose(HANDLE FileHandle)
{
	return ZwClose(FileHandle);
}

/* ---- Reading and writing ---------------------------------------------------------------------- */

struct transfer {
	PFLT_INSTANCE instance;
	PFILE_OBJECT file;
	LARGE_INTEGER offset;
	ULONG flags;
	struct io_transfer buffer;
	IO_STATUS_BLOCK result;
};

static NTSTATUS set_offset(struct transfer *t, const LARGE_INTEGER *offset)
{
	if (offset && offset->QuadPart != USE_FILE_POINTER)
		t->offset = *offset;
	else if (t->file->Flags & FO_SYNCHRONOUS_IO)
		t->offset = t->file->CurrentByteOffset;
	else
		return STATUS_INVALID_PARAMETER;
	bool to_end = t->buffer.write && t->offset.QuadPart == TO_END_OF_FILE;
	return t->offset.QuadPart >= 0 || to_end ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

static NTSTATUS send(struct transfer *t)
{
	PDEVICE_OBJECT device = t->file->DeviceObject;
	PIRP irp = io_build(device, t->buffer.write ? IRP_MJ_WRITE : IRP_MJ_READ, KernelMode);
	if (!irp)
		return STATUS_INSUFFICIENT_RESOURCES;
	NTSTATUS status = io_set_transfer(irp, device, &t->buffer);
	if (!NT_SUCCESS(status)) {
		io_abandon(irp);
		return status;
	}
	PIO_STACK_LOCATION next = io_next_location(irp);
	next->Parameters.Read.Length = t->buffer.length;
	next->Parameters.Read.ByteOffset = t->offset;
	irp->Flags |= (t->flags & FLTFL_IO_OPERATION_NON_CACHED ? IRP_NOCACHE : 0) |
		      (t->flags & FLTFL_IO_OPERATION_PAGING ? IRP_PAGING_IO : 0);
	io_link_to_file(irp, t->file);
	PFLT_INSTANCE before = flt_begin_below(t->instance);
	status = io_send_and_wait(device, irp, &t->result);
	flt_begin_below(before);
	return status;
}

static void tell(const struct transfer *t, NTSTATUS status,
		 FLT_COMPLETED_ASYNC_IO_CALLBACK *callback, PVOID context)
{
	FLT_IO_PARAMETER_BLOCK iopb = {.MajorFunction = t->buffer.write ? IRP_MJ_WRITE
									: IRP_MJ_READ,
				       .TargetFileObject = t->file,
				       .TargetInstance = t->instance};
	FLT_CALLBACK_DATA data = {.Flags = FLTFL_CALLBACK_DATA_IRP_OPERATION |
					   FLTFL_CALLBACK_DATA_GENERATED_IO,
				  .Thread = ke_current_thread(),
				  .Iopb = &iopb,
				  .IoStatus = t->result};
	data.IoStatus.Status = status;
	FLT_CALL(callback, "minifilter's callback of an asynchronous request",
		 callback(&data, context));
}

static NTSTATUS carry_out(struct transfer *t, const LARGE_INTEGER *offset, PULONG moved,
			  FLT_COMPLETED_ASYNC_IO_CALLBACK *callback, PVOID context)
{
	LARGE_INTEGER position = t->file->CurrentByteOffset;
	NTSTATUS status = t->file->DeviceObject ? set_offset(t, offset) : STATUS_INVALID_PARAMETER;
	if (!NT_SUCCESS(status))
		return status;
	status = send(t);
	if (t->flags & FLTFL_IO_OPERATION_DO_NOT_UPDATE_BYTE_OFFSET)
		t->file->CurrentByteOffset = position;
	if (callback)
		tell(t, status, callback, context);
	else if (moved)
		*moved = (ULONG)t->result.Information;
	return status;
}

NTSTATUS NTAPI FltReadFile(PFLT_INSTANCE InitiatingInstance, PFILE_OBJECT FileObject,
			   PLARGE_INTEGER ByteOffset, ULONG Length, PVOID Buffer, ULONG Flags,
			   PULONG BytesRead, FLT_COMPLETED_ASYNC_IO_CALLBACK *CallbackRoutine,
			   PVOID CallbackContext)
{
	struct transfer t = {.instance = InitiatingInstance,
			     .file = FileObject,
			     .flags = Flags,
			     .buffer = {Buffer, Length, false}};
	return carry_out(&t, ByteOffset, BytesRead, CallbackRoutine, CallbackContext);
}

NTSTATUS NTAPI FltWriteFile(PFLT_INSTANCE InitiatingInstance, PFILE_OBJECT FileObject,
			    PLARGE_INTEGER ByteOffset, ULONG Length, PVOID Buffer, ULONG Flags,
			    PULONG BytesWritten, FLT_COMPLETED_ASYNC_IO_CALLBACK *CallbackRoutine,
			    PVOID CallbackContext)
{
	struct transfer t = {.instance = InitiatingInstance,
			     .file = FileObject,
			     .flags = Flags,
			     .buffer = {Buffer, Length, true}};
	return carry_out(&t, ByteOffset, BytesWritten, CallbackRoutine, CallbackContext);
}

PVOID NTAPI FltAllocatePoolAlignedWithTag(PFLT_INSTANCE Instance, int PoolType,
					  SIZE_T NumberOfBytes, ULONG Tag)
{
	(void)Instance;
	return ex_allocate_pool(__builtin_return_address(0), (POOL_TYPE)PoolType, NumberOfBytes,
				Tag);
}

VOID NTAPI FltFreePoolAlignedWithTag(PFLT_INSTANCE Instance, PVOID Buffer, ULONG Tag)
{
	(void)Instance;
	(void)Tag;
	ex_free_pool(__builtin_return_address(0), Buffer);
}

/* ---- Information --------------------------------------------------------------------------------- */

NTSTATUS NTAPI FltQueryInformationFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
				       PVOID FileInformation, ULONG Length,
				       ULONG FileInformationClass, PULONG LengthReturned)
{
	PFLT_INSTANCE before = flt_begin_below(Instance);
	NTSTATUS status = IoQueryFileInformation(FileObject, FileInformationClass, Length,
						 FileInformation, LengthReturned);
	flt_begin_below(before);
	return status;
}

NTSTATUS NTAPI FltSetInformationFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
				     PVOID FileInformation, ULONG Length,
				     ULONG FileInformationClass)
{
	PFLT_INSTANCE before = flt_begin_below(Instance);
	NTSTATUS status = IoSetInformation(FileObject, FileInformationClass, Length,
					   FileInformation);
	flt_begin_below(before);
	return status;
}

NTSTATUS NTAPI FltQueryVolumeInformationFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
					     PVOID FsInformation, ULONG Length,
					     ULONG FsInformationClass, PULONG LengthReturned)
{
	PFLT_INSTANCE before = flt_begin_below(Instance);
	NTSTATUS status = IoQueryVolumeInformation(FileObject, FsInformationClass, Length,
						   FsInformation, LengthReturned);
	flt_begin_below(before);
	return status;
}

/* Of the volume as it is opened by its name. */
NTSTATUS NTAPI FltQueryVolumeInformation(PFLT_INSTANCE Instance, PIO_STATUS_BLOCK Iosb,
					 PVOID FsInformation, ULONG Length,
					 ULONG FsInformationClass)
{
	OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes),
					.ObjectName = &Instance->volume->name,
					.Attributes = OBJ_KERNEL_HANDLE};
	IO_STATUS_BLOCK result;
	HANDLE handle;
	NTSTATUS status = FltCreateFile(Instance->filter, Instance, &handle,
					FILE_READ_ATTRIBUTES | SYNCHRONIZE, &attributes, &result,
					NULL, 0, FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN,
					FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0, 0);
	if (!NT_SUCCESS(status))
		return status;
	PFLT_INSTANCE before = flt_begin_below(Instance);
	status = ZwQueryVolumeInformationFile(handle, Iosb, FsInformation, Length,
					      FsInformationClass);
	flt_begin_below(before);
	ZwClose(handle);
	return status;
}

NTSTATUS NTAPI FltIsDirectory(PFILE_OBJECT FileObject, PFLT_INSTANCE Instance, PBOOLEAN IsDirectory)
{
	FILE_STANDARD_INFORMATION information;
	NTSTATUS status = FltQueryInformationFile(Instance, FileObject, &information,
						  sizeof(information), FileStandardInformation,
						  NULL);
	if (NT_SUCCESS(status))
		*IsDirectory = information.Directory;
	return status;
}

NTSTATUS NTAPI FltIsVolumeWritable(PVOID FltObject, PBOOLEAN IsWritable)
{
	if (!NT_SUCCESS(flt_check_kind(FltObject, FLT_VOLUME_KIND)) &&
	    !NT_SUCCESS(flt_check_kind(FltObject, FLT_INSTANCE_KIND)))
		return STATUS_INVALID_PARAMETER;
	*IsWritable = volume.writable;
	return STATUS_SUCCESS;
}
