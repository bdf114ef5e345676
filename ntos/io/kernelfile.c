/* SPDX-License-Identifier: MIT */
/*
 * Requests that kernel components send to a file's driver by the file object: control
 * codes and extended attributes. Buffers are the kernel's. No state.
 *
 * Pages: FsRtlKernelFsControlFile, FsRtlQueryKernelEaFile, FsRtlSetKernelEaFile.
 */
#include "io/fileobject.h"
#include "io/irp.h"
#include "ob/object.h"

#define IRP_MN_KERNEL_CALL 0x04
#define SL_INDEX_SPECIFIED 0x04

/* Sends what `irp` has become and gives `top` back. */
static NTSTATUS send(PFILE_OBJECT file, PDEVICE_OBJECT top, PIRP irp, PULONG returned)
{
	IO_STATUS_BLOCK result;
	irp->Flags |= IRP_SYNCHRONOUS_API;
	io_link_to_file(irp, file);
	NTSTATUS status = io_send_and_wait(top, irp, &result);
	ob_dereference(top);
	if (returned)
		*returned = IO_ERROR(status) ? 0 : (ULONG)result.Information;
	return status;
}

static PIRP begin(PFILE_OBJECT file, UCHAR major, PDEVICE_OBJECT *top, NTSTATUS *status)
{
	*status = STATUS_INVALID_DEVICE_REQUEST;
	if (!file->DeviceObject)
		return NULL;
	*top = io_top_of_stack(file->DeviceObject);
	PIRP irp = io_build(*top, major, KernelMode);
	*status = STATUS_INSUFFICIENT_RESOURCES;
	if (irp)
		io_next_location(irp)->MinorFunction = IRP_MN_KERNEL_CALL;
	else
		ob_dereference(*top);
	return irp;
}

NTSTATUS NTAPI FsRtlKernelFsControlFile(PFILE_OBJECT FileObject, ULONG FsControlCode,
					PVOID InputBuffer, ULONG InputBufferLength,
					PVOID OutputBuffer, ULONG OutputBufferLength,
					PULONG RetOutputBufferSize)
{
	PDEVICE_OBJECT top;
	NTSTATUS status;
	PIRP irp = begin(FileObject, IRP_MJ_FILE_SYSTEM_CONTROL, &top, &status);
	if (!irp)
		return status;
	struct io_control control = {FsControlCode, InputBuffer, OutputBuffer, InputBufferLength,
				     OutputBufferLength};
	status = io_set_control(irp, &control);
	if (NT_SUCCESS(status))
		return send(FileObject, top, irp, RetOutputBufferSize);
	io_abandon(irp);
	ob_dereference(top);
	return status;
}

NTSTATUS NTAPI FsRtlQueryKernelEaFile(PFILE_OBJECT FileObject, PVOID ReturnedEaData, ULONG Length,
				      BOOLEAN ReturnSingleEntry, PVOID EaList, ULONG EaListLength,
				      PULONG EaIndex, BOOLEAN RestartScan, PULONG LengthReturned)
{
	PDEVICE_OBJECT top;
	NTSTATUS status;
	PIRP irp = begin(FileObject, IRP_MJ_QUERY_EA, &top, &status);
	if (!irp)
		return status;
	PIO_STACK_LOCATION next = io_next_location(irp);
	irp->UserBuffer = ReturnedEaData;
	next->Flags = (UCHAR)((RestartScan ? SL_RESTART_SCAN : 0) |
			      (ReturnSingleEntry ? SL_RETURN_SINGLE_ENTRY : 0) |
			      (EaIndex ? SL_INDEX_SPECIFIED : 0));
	next->Parameters.QueryEa.Length = Length;
	next->Parameters.QueryEa.EaList = EaList;
	next->Parameters.QueryEa.EaListLength = EaListLength;
	next->Parameters.QueryEa.EaIndex = EaIndex ? *EaIndex : 0;
	return send(FileObject, top, irp, LengthReturned);
}

NTSTATUS NTAPI FsRtlSetKernelEaFile(PFILE_OBJECT FileObject, PVOID EaBuffer, ULONG Length)
{
	PDEVICE_OBJECT top;
	NTSTATUS status;
	PIRP irp = begin(FileObject, IRP_MJ_SET_EA, &top, &status);
	if (!irp)
		return status;
	irp->UserBuffer = EaBuffer;
	io_next_location(irp)->Parameters.QueryEa.Length = Length;
	return send(FileObject, top, irp, NULL);
}
