/* SPDX-License-Identifier: MIT */
/*
 * Control requests, reads and writes through a handle.
 *
 * One path for all of them: the file and the event are referenced, the request is built
 * for the top of the device's stack and linked into the file, then sent. A synchronous
 * file waits here and tells the caller itself; for any other the end of the request
 * tells, whenever that is (complete.c). APC routines are refused.
 */
#include "io/file.h"
#include "io/irp.h"
#include "ke/event.h"
#include "ke/thread.h"
#include "mm/mdl.h"
#include "ob/handle.h"
#include "ps/process.h"

#define EVENT_MODIFY_STATE 0x2
#define USE_FILE_POSITION (-2ll)
#define WRITE_TO_END (-1ll)

struct sending {
	HANDLE handle, event_handle;
	PVOID apc_routine, apc_context;
	PIO_STATUS_BLOCK told;
	KPROCESSOR_MODE mode;
	UCHAR major;
	ACCESS_MASK access; /* that the handle has to have */
	union {
		struct io_control control;
		struct {
			struct io_transfer transfer;
			const LARGE_INTEGER *offset;
			ULONG key;
		};
	};
	/* Found on the way. */
	PFILE_OBJECT file;  /* referenced */
	PVOID event;        /* referenced, or NULL */
	PDEVICE_OBJECT top; /* referenced */
};

/* ---- What the handles are --------------------------------------------------------------- */

static NTSTATUS find_objects(struct sending *s)
{
	PVOID object;
	NTSTATUS status = ob_reference_by_handle(s->handle, s->access, IoFileObjectType, s->mode,
						 &object);
	/* What may only be appended to may be written, too. */
	if (status == STATUS_ACCESS_DENIED && s->major == IRP_MJ_WRITE)
		status = ob_reference_by_handle(s->handle, FILE_APPEND_DATA, IoFileObjectType,
						s->mode, &object);
	if (!NT_SUCCESS(status))
		return status;
	s->file = object;
	if (s->event_handle)
		status = ob_reference_by_handle(s->event_handle, EVENT_MODIFY_STATE,
						ExEventObjectType, s->mode, &s->event);
	if (NT_SUCCESS(status) && !s->file->DeviceObject)
		status = STATUS_INVALID_DEVICE_REQUEST;
	if (NT_SUCCESS(status))
		s->top = io_top_of_stack(s->file->DeviceObject);
	return status;
}

static void release_objects(struct sending *s)
{
	if (s->top)
		ob_dereference(s->top);
	if (s->event)
		ob_dereference(s->event);
	if (s->file)
		ob_dereference(s->file);
}

/* ---- The request --------------------------------------------------------------------------- */

static bool is_synchronous(const struct sending *s)
{
	return (s->file->Flags & FO_SYNCHRONOUS_IO) != 0;
}

static NTSTATUS set_position(struct sending *s, PIO_STACK_LOCATION next)
{
	next->Parameters.Read.Length = s->transfer.length;
	next->Parameters.Read.Key = s->key;
	bool current = !s->offset || (s->offset->HighPart == -1 &&
				      s->offset->LowPart == (ULONG)USE_FILE_POSITION);
	if (current && !is_synchronous(s))
		return STATUS_INVALID_PARAMETER;
	next->Parameters.Read.ByteOffset = current ? s->file->CurrentByteOffset : *s->offset;
	LONGLONG offset = next->Parameters.Read.ByteOffset.QuadPart;
	if (offset < 0 && !(s->transfer.write && offset == WRITE_TO_END))
		return STATUS_INVALID_PARAMETER;
	return STATUS_SUCCESS;
}

static NTSTATUS set_parameters(struct sending *s, PIRP irp)
{
	if (s->major == IRP_MJ_DEVICE_CONTROL || s->major == IRP_MJ_FILE_SYSTEM_CONTROL)
		return io_set_control(irp, &s->control);
	if (s->major == IRP_MJ_FLUSH_BUFFERS)
		return STATUS_SUCCESS;
	NTSTATUS status = set_position(s, io_next_location(irp));
	return NT_SUCCESS(status) ? io_set_transfer(irp, s->top, &s->transfer) : status;
}

static PIRP build(struct sending *s, NTSTATUS *status)
{
	PIRP irp = io_build(s->top, s->major, s->mode);
	*status = STATUS_INSUFFICIENT_RESOURCES;
	if (!irp)
		return NULL;
	irp->UserApcContext = s->apc_context;
	*status = set_parameters(s, irp);
	if (NT_SUCCESS(*status)) {
		io_link_to_file(irp, s->file);
		return irp;
	}
	io_abandon(irp);
	return NULL;
}

static NTSTATUS send_synchronously(struct sending *s, PIRP irp)
{
	IO_STATUS_BLOCK result;
	irp->Flags |= IRP_SYNCHRONOUS_API;
	NTSTATUS status = io_send_and_wait(s->top, irp, &result);
	if (!IO_ERROR(status) && !mm_copy_to(s->told, &result, sizeof(result)))
		status = STATUS_ACCESS_VIOLATION;
	if (s->event && !IO_ERROR(status))
		KeSetEvent(s->event, 0, FALSE);
	return status;
}

static NTSTATUS send(struct sending *s, PIRP irp)
{
	if (is_synchronous(s))
		return send_synchronously(s, irp);
	irp->UserIosb = s->told;
	irp->UserEvent = s->event;
	if (s->event) {
		ob_reference(s->event);
		io_packet_of(irp)->event = s->event;
	}
	return IofCallDriver(s->top, irp);
}

/* ---- Fast I/O ---------------------------------------------------------------------------------- */

struct fast_io_dispatch { /* FAST_IO_DISPATCH, as far as FastIoDeviceControl */
	ULONG size;
	PVOID others[9];
	BOOLEAN(NTAPI *device_control)
	(PFILE_OBJECT file, BOOLEAN wait, PVOID input, ULONG input_length, PVOID output,
	 ULONG output_length, ULONG code, PIO_STATUS_BLOCK result, PDEVICE_OBJECT device);
};
_Static_assert(offsetof(struct fast_io_dispatch, device_control) == 0x50, "wdm.h");

/* A driver may answer a control request without an IRP. */
static bool answered_fast(struct sending *s, NTSTATUS *status)
{
	const struct fast_io_dispatch *fast = s->top->DriverObject->FastIoDispatch;
	IO_STATUS_BLOCK result = {0};
	if (s->major != IRP_MJ_DEVICE_CONTROL || !fast ||
	    fast->size <= offsetof(struct fast_io_dispatch, device_control) ||
	    !fast->device_control)
		return false;
	const struct io_control *c = &s->control;
	if (!fast->device_control(s->file, TRUE, c->input, c->input_length, c->output,
				  c->output_length, c->code, &result, s->top))
		return false;
	*status = result.Status;
	if (!mm_copy_to(s->told, &result, sizeof(result)))
		*status = STATUS_ACCESS_VIOLATION;
	if (s->event)
		KeSetEvent(s->event, 0, FALSE);
	return true;
}

static NTSTATUS request(struct sending *s)
{
	NTSTATUS status = STATUS_NOT_SUPPORTED;
	if (!s->apc_routine)
		status = find_objects(s);
	if (NT_SUCCESS(status)) {
		KeClearEvent((PKEVENT)(void *)s->file->Event);
		if (s->event)
			KeClearEvent(s->event);
		if (!answered_fast(s, &status)) {
			PIRP irp = build(s, &status);
			if (irp)
				status = send(s, irp);
		}
	}
	release_objects(s);
	return status;
}

/* ---- The calls ----------------------------------------------------------------------------------- */

static NTSTATUS control(struct sending *s, UCHAR major)
{
	ULONG access = s->control.code >> 14 & 3;
	s->major = major;
	s->access = (access & FILE_READ_ACCESS ? FILE_READ_DATA : 0) |
		    (access & FILE_WRITE_ACCESS ? FILE_WRITE_DATA : 0);
	return request(s);
}

NTSTATUS NTAPI NtDeviceIoControlFile(HANDLE FileHandle, HANDLE Event, PVOID ApcRoutine,
				     PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock,
				     ULONG IoControlCode, PVOID InputBuffer,
				     ULONG InputBufferLength, PVOID OutputBuffer,
				     ULONG OutputBufferLength)
{
	struct sending s = {FileHandle, Event,         ApcRoutine,
			    ApcContext, IoStatusBlock, ExGetPreviousMode()};
	s.control = (struct io_control){IoControlCode, InputBuffer, OutputBuffer, InputBufferLength,
					OutputBufferLength};
	return control(&s, IRP_MJ_DEVICE_CONTROL);
}

NTSTATUS NTAPI ZwDeviceIoControlFile(HANDLE FileHandle, HANDLE Event, PVOID ApcRoutine,
				     PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock,
				     ULONG IoControlCode, PVOID InputBuffer,
				     ULONG InputBufferLength, PVOID OutputBuffer,
				     ULONG OutputBufferLength)
{
	struct sending s = {FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, KernelMode};
	s.control = (struct io_control){IoControlCode, InputBuffer, OutputBuffer, InputBufferLength,
					OutputBufferLength};
	return control(&s, IRP_MJ_DEVICE_CONTROL);
}

NTSTATUS NTAPI NtFsControlFile(HANDLE FileHandle, HANDLE Event, PVOID ApcRoutine, PVOID ApcContext,
			       PIO_STATUS_BLOCK IoStatusBlock, ULONG FsControlCode,
			       PVOID InputBuffer, ULONG InputBufferLength, PVOID OutputBuffer,
			       ULONG OutputBufferLength)
{
	struct sending s = {FileHandle, Event,         ApcRoutine,
			    ApcContext, IoStatusBlock, ExGetPreviousMode()};
	s.control = (struct io_control){FsControlCode, InputBuffer, OutputBuffer, InputBufferLength,
					OutputBufferLength};
	return control(&s, IRP_MJ_FILE_SYSTEM_CONTROL);
}

NTSTATUS NTAPI ZwFsControlFile(HANDLE FileHandle, HANDLE Event, PVOID ApcRoutine, PVOID ApcContext,
			       PIO_STATUS_BLOCK IoStatusBlock, ULONG FsControlCode,
			       PVOID InputBuffer, ULONG InputBufferLength, PVOID OutputBuffer,
			       ULONG OutputBufferLength)
{
	struct sending s = {FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, KernelMode};
	s.control = (struct io_control){FsControlCode, InputBuffer, OutputBuffer, InputBufferLength,
					OutputBufferLength};
	return control(&s, IRP_MJ_FILE_SYSTEM_CONTROL);
}

static NTSTATUS transfer(struct sending *s, PVOID buffer, ULONG length, PLARGE_INTEGER offset,
			 const ULONG *key, bool write)
{
	s->major = write ? IRP_MJ_WRITE : IRP_MJ_READ;
	s->access = write ? FILE_WRITE_DATA : FILE_READ_DATA;
	s->transfer = (struct io_transfer){buffer, length, write};
	s->offset = offset;
	s->key = key ? *key : 0;
	return request(s);
}

NTSTATUS NTAPI NtReadFile(HANDLE FileHandle, HANDLE Event, PVOID ApcRoutine, PVOID ApcContext,
			  PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length,
			  PLARGE_INTEGER ByteOffset, PULONG Key)
{
	struct sending s = {FileHandle, Event,         ApcRoutine,
			    ApcContext, IoStatusBlock, ExGetPreviousMode()};
	return transfer(&s, Buffer, Length, ByteOffset, Key, false);
}

NTSTATUS NTAPI ZwReadFile(HANDLE FileHandle, HANDLE Event, PVOID ApcRoutine, PVOID ApcContext,
			  PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length,
			  PLARGE_INTEGER ByteOffset, PULONG Key)
{
	struct sending s = {FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, KernelMode};
	return transfer(&s, Buffer, Length, ByteOffset, Key, false);
}

NTSTATUS NTAPI NtWriteFile(HANDLE FileHandle, HANDLE Event, PVOID ApcRoutine, PVOID ApcContext,
			   PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length,
			   PLARGE_INTEGER ByteOffset, PULONG Key)
{
	struct sending s = {FileHandle, Event,         ApcRoutine,
			    ApcContext, IoStatusBlock, ExGetPreviousMode()};
	return transfer(&s, Buffer, Length, ByteOffset, Key, true);
}

NTSTATUS NTAPI ZwWriteFile(HANDLE FileHandle, HANDLE Event, PVOID ApcRoutine, PVOID ApcContext,
			   PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length,
			   PLARGE_INTEGER ByteOffset, PULONG Key)
{
	struct sending s = {FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, KernelMode};
	return transfer(&s, Buffer, Length, ByteOffset, Key, true);
}

static NTSTATUS flush(HANDLE handle, PIO_STATUS_BLOCK told, KPROCESSOR_MODE mode)
{
	struct sending s = {handle, NULL, NULL, NULL, told, mode, IRP_MJ_FLUSH_BUFFERS};
	NTSTATUS status = find_objects(&s);
	PIRP irp = NT_SUCCESS(status) ? build(&s, &status) : NULL;
	if (irp)
		status = send_synchronously(&s, irp);
	release_objects(&s);
	return status;
}

NTSTATUS NTAPI NtFlushBuffersFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock)
{
	return flush(FileHandle, IoStatusBlock, ExGetPreviousMode());
}

NTSTATUS NTAPI ZwFlushBuffersFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock)
{
	return flush(FileHandle, IoStatusBlock, KernelMode);
}

static NTSTATUS cancel(HANDLE handle, PIO_STATUS_BLOCK only, PIO_STATUS_BLOCK told,
		       KPROCESSOR_MODE mode)
{
	PVOID object;
	NTSTATUS status = ob_reference_by_handle(handle, 0, IoFileObjectType, mode, &object);
	if (!NT_SUCCESS(status))
		return status;
	PFILE_OBJECT file = object;
	if (!file->DeviceObject || !io_cancel_requests(file, only))
		status = STATUS_NOT_FOUND;
	ob_dereference(file);
	*told = (IO_STATUS_BLOCK){.Status = status};
	return status;
}

NTSTATUS NTAPI NtCancelIoFileEx(HANDLE FileHandle, PIO_STATUS_BLOCK IoRequestToCancel,
				PIO_STATUS_BLOCK IoStatusBlock)
{
	return cancel(FileHandle, IoRequestToCancel, IoStatusBlock, ExGetPreviousMode());
}

NTSTATUS NTAPI ZwCancelIoFileEx(HANDLE FileHandle, PIO_STATUS_BLOCK IoRequestToCancel,
				PIO_STATUS_BLOCK IoStatusBlock)
{
	return cancel(FileHandle, IoRequestToCancel, IoStatusBlock, KernelMode);
}
