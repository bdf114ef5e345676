/* SPDX-License-Identifier: MIT */
/*
 * Requests: IRPs from the I/O manager's side.
 *
 * A request that the I/O manager builds belongs to a thread, which NT waits for or
 * cancels; here it is linked into its file object instead. Its end (io/complete.c)
 * copies, unlocks, tells and frees. A request from IoAllocateIrp is the driver's, whose
 * completion routine has to keep it from getting there.
 */
#ifndef RINGSIDE_IO_IRP_H
#define RINGSIDE_IO_IRP_H

#include "io/device.h"
#include "ke/event.h"
#include <stdatomic.h>

/* In front of every IRP that IoAllocateIrp made. */
struct io_packet {
	_Atomic LONG references; /* IoFreeIrp gives back one */
	bool threaded;           /* built by the I/O manager, which ends it */
	bool waited_for;         /* UserIosb and UserEvent are of somebody who waits: always told */
	ULONG room;              /* what UserBuffer takes */
	PFILE_OBJECT file;       /* referenced, or NULL: whose list it is in */
	void *event;             /* the object behind UserEvent, referenced, or NULL */
	LIST_ENTRY old;          /* freed, and kept a while to recognize a second completion */
	IRP irp;
};
_Static_assert(offsetof(struct io_packet, irp) % 16 == 0, "IRPs are 16-byte aligned");

#define IO_IRP_IS_OURS 0x80 /* AllocationFlags: struct io_packet is in front */

static inline struct io_packet *io_packet_of(PIRP irp)
{
	return (struct io_packet *)(void *)((char *)irp - offsetof(struct io_packet, irp));
}

static inline PIO_STACK_LOCATION io_next_location(PIRP irp)
{
	return irp->Tail.CurrentStackLocation - 1;
}

#define IO_ERROR(status) ((ULONG)(status) >> 30 == 3)

/* One that the I/O manager ends, for `device`; NULL without memory. */
PIRP io_build(PDEVICE_OBJECT device, UCHAR major, KPROCESSOR_MODE mode);

/* Puts it among the requests of that file, referencing it; `location` gets it too. */
void io_link_to_file(PIRP irp, PFILE_OBJECT file);
void io_unlink_from_file(struct io_packet *packet);

/* Gives the buffers of a request back that was never sent, and the request. */
void io_abandon(PIRP irp);

/* Sends it and waits until it is complete. The status and the information that it was
 * completed with, or the status that the driver returned. */
NTSTATUS io_send_and_wait(PDEVICE_OBJECT device, PIRP irp, IO_STATUS_BLOCK *result);

/* Cancels all requests of a file, or the one with that status block. How many. */
ULONG io_cancel_requests(PFILE_OBJECT file, PIO_STATUS_BLOCK only);

/* Tells a driver to cancel it, if it has said how. Whether it had. */
bool io_cancel(PIRP irp);

/* A completion routine: sets the event, and the request is the sender's again. */
NTSTATUS NTAPI io_signal_and_stop(PDEVICE_OBJECT device, PIRP irp, PVOID event);

/* The end of a request that has run out of stack locations. */
void io_finish(PIRP irp);

/* Sets the buffers of a control request, a read or a write up. ACCESS_VIOLATION,
 * INSUFFICIENT_RESOURCES. */
struct io_transfer {
	PVOID buffer;
	ULONG length;
	bool write; /* the driver reads the buffer */
};
NTSTATUS io_set_transfer(PIRP irp, PDEVICE_OBJECT device, const struct io_transfer *transfer);
struct io_control {
	ULONG code;
	PVOID input, output;
	ULONG input_length, output_length;
};
NTSTATUS io_set_control(PIRP irp, const struct io_control *control);

/* Of information that is asked for, or set. */
NTSTATUS io_set_information(PIRP irp, PVOID buffer, ULONG length, bool set);

/* Gives a reference back. */
void io_release_packet(struct io_packet *packet);
void io_free_old_packets(void); /* at shutdown */

/* Exports. */
PIRP NTAPI IoAllocateIrp(CCHAR StackSize, BOOLEAN ChargeQuota);
PIRP NTAPI IoAllocateIrpEx(PDEVICE_OBJECT DeviceObject, CCHAR StackSize, BOOLEAN ChargeQuota);
VOID NTAPI IoInitializeIrp(PIRP Irp, USHORT PacketSize, CCHAR StackSize);
VOID NTAPI IoReuseIrp(PIRP Irp, NTSTATUS Iostatus);
VOID NTAPI IoFreeIrp(PIRP Irp);
PIRP NTAPI IoMakeAssociatedIrp(PIRP Irp, CCHAR StackSize);
NTSTATUS NTAPI IofCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp);
VOID NTAPI IofCompleteRequest(PIRP Irp, CCHAR PriorityBoost);
PIRP NTAPI IoBuildDeviceIoControlRequest(ULONG IoControlCode, PDEVICE_OBJECT DeviceObject,
					 PVOID InputBuffer, ULONG InputBufferLength,
					 PVOID OutputBuffer, ULONG OutputBufferLength,
					 BOOLEAN InternalDeviceIoControl, PKEVENT Event,
					 PIO_STATUS_BLOCK IoStatusBlock);
PIRP NTAPI IoBuildSynchronousFsdRequest(ULONG MajorFunction, PDEVICE_OBJECT DeviceObject,
					PVOID Buffer, ULONG Length, PLARGE_INTEGER StartingOffset,
					PKEVENT Event, PIO_STATUS_BLOCK IoStatusBlock);
PIRP NTAPI IoBuildAsynchronousFsdRequest(ULONG MajorFunction, PDEVICE_OBJECT DeviceObject,
					 PVOID Buffer, ULONG Length, PLARGE_INTEGER StartingOffset,
					 PIO_STATUS_BLOCK IoStatusBlock);
NTSTATUS NTAPI IoSetCompletionRoutineEx(PDEVICE_OBJECT DeviceObject, PIRP Irp,
					PIO_COMPLETION_ROUTINE CompletionRoutine, PVOID Context,
					BOOLEAN InvokeOnSuccess, BOOLEAN InvokeOnError,
					BOOLEAN InvokeOnCancel);
BOOLEAN NTAPI IoForwardIrpSynchronously(PDEVICE_OBJECT DeviceObject, PIRP Irp);
BOOLEAN NTAPI IoCancelIrp(PIRP Irp);
VOID NTAPI IoAcquireCancelSpinLock(PKIRQL Irql);
VOID NTAPI IoReleaseCancelSpinLock(KIRQL Irql);
PEPROCESS NTAPI IoGetRequestorProcess(PIRP Irp);
ULONG NTAPI IoGetRequestorProcessId(PIRP Irp);
BOOLEAN NTAPI IoIs32bitProcess(PIRP Irp);

#endif
