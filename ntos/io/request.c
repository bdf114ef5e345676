/* SPDX-License-Identifier: MIT */
/*
 * Requests of the I/O manager's own making: their buffers, and waiting for them.
 *
 * The requests of a file under way are linked into its IrpList, so that they can be
 * cancelled; the list's lock is a leaf. Whoever finds a request there holds its packet,
 * so that the IRP stays readable while it is being completed elsewhere.
 *
 * A buffered request has one system buffer for input and output, out of the pool: what
 * the sender did not give of it holds the pool's fresh bytes, and an overrun is found
 * when it is freed.
 */
#include "ex/pool.h"
#include "io/irp.h"
#include "ke/bugcheck.h"
#include "ke/list.h"
#include "ke/wait.h"
#include "mm/mdl.h"
#include "ob/object.h"
#include <pthread.h>

#define EXECUTIVE 0           /* KWAIT_REASON */
#define BUFFER_TAG 0x20206F49 /* 'Io  ' */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- Of a file ------------------------------------------------------------------------- */

void io_link_to_file(PIRP irp, PFILE_OBJECT file)
{
	ob_reference(file);
	io_packet_of(irp)->file = file;
	io_next_location(irp)->FileObject = file;
	irp->Tail.OriginalFileObject = file;
	pthread_mutex_lock(&lock);
	list_add_last(&file->IrpList, &irp->ThreadListEntry);
	pthread_mutex_unlock(&lock);
}

void io_unlink_from_file(struct io_packet *packet)
{
	if (!packet->file)
		return;
	pthread_mutex_lock(&lock);
	list_remove(&packet->irp.ThreadListEntry);
	list_init(&packet->irp.ThreadListEntry);
	packet->file = NULL;
	pthread_mutex_unlock(&lock);
}

/* The first request not yet told to cancel, its packet referenced. */
static struct io_packet *find_uncancelled(PFILE_OBJECT file, PIO_STATUS_BLOCK only)
{
	struct io_packet *found = NULL;
	pthread_mutex_lock(&lock);
	for (LIST_ENTRY *link = file->IrpList.Flink; link != &file->IrpList && !found;
	     link = link->Flink) {
		PIRP irp = LIST_OWNER(link, IRP, ThreadListEntry);
		if (!irp->Cancel && (!only || irp->UserIosb == only))
			found = io_packet_of(irp);
	}
	if (found)
		atomic_fetch_add(&found->references, 1);
	pthread_mutex_unlock(&lock);
	return found;
}

ULONG io_cancel_requests(PFILE_OBJECT file, PIO_STATUS_BLOCK only)
{
	struct io_packet *packet;
	ULONG count = 0;
	while ((packet = find_uncancelled(file, only))) {
		io_cancel(&packet->irp);
		io_release_packet(packet);
		count++;
	}
	return count;
}

/* ---- Sending ---------------------------------------------------------------------------- */

static void wait_for(PKEVENT event)
{
	KeWaitForSingleObject(event, EXECUTIVE, KernelMode, FALSE, NULL);
}

static _Noreturn void blame_forgetful(PDEVICE_OBJECT device, UCHAR major, PIRP irp, NTSTATUS status)
{
	struct ke_bug_check what = {
		.code = (ULONG)KE_CALLBACK_RULE_VIOLATION,
		.parameter = {(uintptr_t)irp, (ULONG)status},
		.address = (const void *)device->DriverObject->MajorFunction[major],
	};
	ke_bug_check(&what,
		     "a dispatch routine returned 0x%x without having completed the request: only "
		     "STATUS_PENDING allows that",
		     (unsigned)status);
}

NTSTATUS io_send_and_wait(PDEVICE_OBJECT device, PIRP irp, IO_STATUS_BLOCK *result)
{
	KEVENT event;
	KeInitializeEvent(&event, NotificationEvent, FALSE);
	*result = (IO_STATUS_BLOCK){0};
	irp->UserIosb = result;
	irp->UserEvent = &event;
	io_packet_of(irp)->waited_for = true;
	UCHAR major = io_next_location(irp)->MajorFunction;
	NTSTATUS status = IofCallDriver(device, irp);
	if (status == STATUS_PENDING) {
		wait_for(&event);
		return result->Status;
	}
	/* Its end would write to this frame when it is long gone. */
	if (!KeReadStateEvent(&event))
		blame_forgetful(device, major, irp, status);
	return status;
}

BOOLEAN NTAPI IoForwardIrpSynchronously(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
	if (Irp->CurrentLocation <= 1)
		return FALSE;
	KEVENT event;
	KeInitializeEvent(&event, NotificationEvent, FALSE);
	PIO_STACK_LOCATION mine = Irp->Tail.CurrentStackLocation, next = io_next_location(Irp);
	*next = *mine;
	next->Control = 0;
	IoSetCompletionRoutineEx(NULL, Irp, io_signal_and_stop, &event, TRUE, TRUE, TRUE);
	if (IofCallDriver(DeviceObject, Irp) == STATUS_PENDING)
		wait_for(&event);
	return TRUE;
}

NTSTATUS NTAPI io_signal_and_stop(PDEVICE_OBJECT device, PIRP irp, PVOID event)
{
	(void)device;
	if (irp->PendingReturned)
		KeSetEvent(event, 0, FALSE);
	return STATUS_MORE_PROCESSING_REQUIRED;
}

/* ---- Buffers ---------------------------------------------------------------------------- */

static NTSTATUS set_system_buffer(PIRP irp, ULONG size, const void *input, ULONG input_size)
{
	if (!size)
		return STATUS_SUCCESS;
	char *buffer = ex_allocate_pool((const void *)io_set_control, NonPagedPoolNx, size,
					BUFFER_TAG);
	if (!buffer)
		return STATUS_INSUFFICIENT_RESOURCES;
	irp->AssociatedIrp.SystemBuffer = buffer;
	irp->Flags |= IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER;
	if (!mm_may_access(input, input_size, false, irp->RequestorMode) ||
	    !mm_copy_from(buffer, input, input_size))
		return STATUS_ACCESS_VIOLATION;
	return STATUS_SUCCESS;
}

static NTSTATUS set_mdl(PIRP irp, PVOID buffer, ULONG length, LOCK_OPERATION operation)
{
	if (!length)
		return STATUS_SUCCESS;
	PMDL mdl = IoAllocateMdl(buffer, length, FALSE, FALSE, irp);
	return mdl ? mm_lock_pages(mdl, irp->RequestorMode, operation)
		   : STATUS_INSUFFICIENT_RESOURCES;
}

static void set_output(PIRP irp, PVOID buffer, ULONG length)
{
	irp->UserBuffer = buffer;
	io_packet_of(irp)->room = length;
	if (length)
		irp->Flags |= IRP_INPUT_OPERATION;
}

static NTSTATUS set_buffered_control(PIRP irp, const struct io_control *control)
{
	ULONG in = control->input_length, out = control->output_length;
	if (!mm_may_access(control->output, out, true, irp->RequestorMode))
		return STATUS_ACCESS_VIOLATION;
	set_output(irp, control->output, out);
	return set_system_buffer(irp, in > out ? in : out, control->input, in);
}

static NTSTATUS set_direct_control(PIRP irp, const struct io_control *control)
{
	NTSTATUS status = set_system_buffer(irp, control->input_length, control->input,
					    control->input_length);
	if (!NT_SUCCESS(status))
		return status;
	return set_mdl(irp, control->output, control->output_length,
		       (control->code & 3) == METHOD_IN_DIRECT ? IoReadAccess : IoWriteAccess);
}

NTSTATUS io_set_control(PIRP irp, const struct io_control *control)
{
	PIO_STACK_LOCATION next = io_next_location(irp);
	next->Parameters.DeviceIoControl.IoControlCode = control->code;
	next->Parameters.DeviceIoControl.InputBufferLength = control->input_length;
	next->Parameters.DeviceIoControl.OutputBufferLength = control->output_length;
	switch (control->code & 3) {
	case METHOD_BUFFERED:
		return set_buffered_control(irp, control);
	case METHOD_NEITHER:
		next->Parameters.DeviceIoControl.Type3InputBuffer = control->input;
		irp->UserBuffer = control->output;
		return STATUS_SUCCESS;
	default:
		return set_direct_control(irp, control);
	}
}

NTSTATUS io_set_information(PIRP irp, PVOID buffer, ULONG length, bool set)
{
	if (set)
		return set_system_buffer(irp, length, buffer, length);
	if (!mm_may_access(buffer, length, true, irp->RequestorMode))
		return STATUS_ACCESS_VIOLATION;
	set_output(irp, buffer, length);
	return set_system_buffer(irp, length, NULL, 0);
}

static NTSTATUS set_buffered_transfer(PIRP irp, const struct io_transfer *transfer)
{
	if (transfer->write)
		return set_system_buffer(irp, transfer->length, transfer->buffer, transfer->length);
	if (!mm_may_access(transfer->buffer, transfer->length, true, irp->RequestorMode))
		return STATUS_ACCESS_VIOLATION;
	set_output(irp, transfer->buffer, transfer->length);
	return set_system_buffer(irp, transfer->length, NULL, 0);
}

NTSTATUS io_set_transfer(PIRP irp, PDEVICE_OBJECT device, const struct io_transfer *transfer)
{
	irp->Flags |= transfer->write ? IRP_WRITE_OPERATION : IRP_READ_OPERATION;
	if (device->Flags & DO_BUFFERED_IO)
		return set_buffered_transfer(irp, transfer);
	if (device->Flags & DO_DIRECT_IO)
		return set_mdl(irp, transfer->buffer, transfer->length,
			       transfer->write ? IoReadAccess : IoWriteAccess);
	irp->UserBuffer = transfer->buffer;
	return STATUS_SUCCESS;
}

/* ---- For drivers -------------------------------------------------------------------------- */

static PIRP build(PDEVICE_OBJECT device, ULONG major, PKEVENT event, PIO_STATUS_BLOCK result)
{
	PIRP irp = io_build(device, (UCHAR)major, KernelMode);
	if (irp) {
		irp->UserEvent = event;
		irp->UserIosb = result;
	}
	return irp;
}

static PIRP checked(PIRP irp, NTSTATUS status)
{
	if (NT_SUCCESS(status))
		return irp;
	io_abandon(irp);
	return NULL;
}

PIRP NTAPI IoBuildDeviceIoControlRequest(ULONG IoControlCode, PDEVICE_OBJECT DeviceObject,
					 PVOID InputBuffer, ULONG InputBufferLength,
					 PVOID OutputBuffer, ULONG OutputBufferLength,
					 BOOLEAN InternalDeviceIoControl, PKEVENT Event,
					 PIO_STATUS_BLOCK IoStatusBlock)
{
	PIRP irp = build(DeviceObject,
			 InternalDeviceIoControl ? IRP_MJ_INTERNAL_DEVICE_CONTROL
						 : IRP_MJ_DEVICE_CONTROL,
			 Event, IoStatusBlock);
	if (!irp)
		return NULL;
	struct io_control control = {IoControlCode, InputBuffer, OutputBuffer, InputBufferLength,
				     OutputBufferLength};
	return checked(irp, io_set_control(irp, &control));
}

static PIRP build_transfer(PDEVICE_OBJECT device, ULONG major, const struct io_transfer *transfer,
			   const LARGE_INTEGER *offset, PKEVENT event, PIO_STATUS_BLOCK result)
{
	PIRP irp = build(device, major, event, result);
	if (!irp)
		return NULL;
	if (major != IRP_MJ_READ && major != IRP_MJ_WRITE)
		return irp;
	PIO_STACK_LOCATION next = io_next_location(irp);
	next->Parameters.Read.Length = transfer->length;
	if (offset)
		next->Parameters.Read.ByteOffset = *offset;
	return checked(irp, io_set_transfer(irp, device, transfer));
}

PIRP NTAPI IoBuildSynchronousFsdRequest(ULONG MajorFunction, PDEVICE_OBJECT DeviceObject,
					PVOID Buffer, ULONG Length, PLARGE_INTEGER StartingOffset,
					PKEVENT Event, PIO_STATUS_BLOCK IoStatusBlock)
{
	struct io_transfer transfer = {Buffer, Length, MajorFunction == IRP_MJ_WRITE};
	return build_transfer(DeviceObject, MajorFunction, &transfer, StartingOffset, Event,
			      IoStatusBlock);
}

PIRP NTAPI IoBuildAsynchronousFsdRequest(ULONG MajorFunction, PDEVICE_OBJECT DeviceObject,
					 PVOID Buffer, ULONG Length, PLARGE_INTEGER StartingOffset,
					 PIO_STATUS_BLOCK IoStatusBlock)
{
	struct io_transfer transfer = {Buffer, Length, MajorFunction == IRP_MJ_WRITE};
	PIRP irp = build_transfer(DeviceObject, MajorFunction, &transfer, StartingOffset, NULL,
				  IoStatusBlock);
	if (irp) /* its sender frees it in a completion routine */
		io_packet_of(irp)->threaded = false;
	return irp;
}
