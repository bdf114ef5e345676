/* SPDX-License-Identifier: MIT */
/*
 * Sending requests down and completing them.
 *
 * A request carries its own state, and whoever has it owns it, so nothing is locked.
 * Going down, each driver gets the next stack location; going up, each location is
 * emptied before the completion routine that was set in it is called, with the device
 * of the one above, whose driver set it. When no location is left, io_finish ends the request,
 * on the thread that completed it: NT does that part in an APC of the thread that
 * asked, which makes no difference that a driver could see, since user memory here is
 * the same in every process.
 */
#include "ex/event.h"
#include "ex/pool.h"
#include "io/driver.h"
#include "io/file.h"
#include "io/irp.h"
#include "ke/callout.h"
#include "ke/bugcheck.h"
#include "mm/mdl.h"
#include "ob/object.h"
#include <string.h>

/* ---- Calling driver routines at the IRQL and in the region that the caller is in --------- */

static void begin_call(struct ke_callout *callout, const char *what, const void *routine)
{
	ke_callout_begin(callout, what, routine, ke_processor()->pcr.irql);
	callout->thread->kernel_apc_disable++;
}

static void end_call(struct ke_callout *callout)
{
	callout->thread->kernel_apc_disable--;
	ke_callout_end(callout, callout->irql);
}

/* ---- Down ---------------------------------------------------------------------------- */

static const char *dispatch_name(UCHAR major)
{
	static const char *const names[IRP_MJ_MAXIMUM_FUNCTION + 1] = {
		[IRP_MJ_CREATE] = "IRP_MJ_CREATE routine",
		[IRP_MJ_CLOSE] = "IRP_MJ_CLOSE routine",
		[IRP_MJ_READ] = "IRP_MJ_READ routine",
		[IRP_MJ_WRITE] = "IRP_MJ_WRITE routine",
		[IRP_MJ_QUERY_INFORMATION] = "IRP_MJ_QUERY_INFORMATION routine",
		[IRP_MJ_SET_INFORMATION] = "IRP_MJ_SET_INFORMATION routine",
		[IRP_MJ_QUERY_VOLUME_INFORMATION] = "IRP_MJ_QUERY_VOLUME_INFORMATION routine",
		[IRP_MJ_DIRECTORY_CONTROL] = "IRP_MJ_DIRECTORY_CONTROL routine",
		[IRP_MJ_FLUSH_BUFFERS] = "IRP_MJ_FLUSH_BUFFERS routine",
		[IRP_MJ_DEVICE_CONTROL] = "IRP_MJ_DEVICE_CONTROL routine",
		[IRP_MJ_INTERNAL_DEVICE_CONTROL] = "IRP_MJ_INTERNAL_DEVICE_CONTROL routine",
		[IRP_MJ_SHUTDOWN] = "IRP_MJ_SHUTDOWN routine",
		[IRP_MJ_CLEANUP] = "IRP_MJ_CLEANUP routine",
		[IRP_MJ_POWER] = "IRP_MJ_POWER routine",
		[IRP_MJ_PNP] = "IRP_MJ_PNP routine",
	};
	return names[major] ? names[major] : "dispatch routine";
}

static PIO_STACK_LOCATION step_down(PIRP irp, PDEVICE_OBJECT device)
{
	if (irp->Type != IO_TYPE_IRP)
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_IOMANAGER_VIOLATION, 3, (uintptr_t)irp, 0, 0,
			     "IoCallDriver with what is no IRP, or not any more");
	if (!device || device->Type != IO_TYPE_DEVICE)
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_IOMANAGER_VIOLATION, 4, (uintptr_t)device, 0, 0,
			     "IoCallDriver for what is no device object");
	if (--irp->CurrentLocation <= 0)
		KE_BUG_CHECK(KE_NO_MORE_IRP_STACK_LOCATIONS, (uintptr_t)irp, 0, 0, 0,
			     "IoCallDriver with a request that has no stack location left");
	PIO_STACK_LOCATION location = --irp->Tail.CurrentStackLocation;
	location->DeviceObject = device;
	if (location->MajorFunction > IRP_MJ_MAXIMUM_FUNCTION)
		KE_BUG_CHECK(KE_INCONSISTENT_IRP, (uintptr_t)irp, 0, 0, 0,
			     "IoCallDriver with major function 0x%x", location->MajorFunction);
	return location;
}

NTSTATUS NTAPI IofCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
	PIO_STACK_LOCATION location = step_down(Irp, DeviceObject);
	UCHAR major = location->MajorFunction;
	PDRIVER_DISPATCH routine = DeviceObject->DriverObject->MajorFunction[major];
	if (io_is_of_the_house(routine))
		return routine(DeviceObject, Irp); /* no driver's, to be watched and blamed */
	struct ke_callout callout;
	begin_call(&callout, dispatch_name(major), (const void *)routine);
	NTSTATUS status = routine(DeviceObject, Irp);
	end_call(&callout);
	return status;
}

/* ---- Up -------------------------------------------------------------------------------- */

static bool wants_to_know(const IRP *irp, UCHAR control)
{
	if (NT_SUCCESS(irp->IoStatus.Status) ? control & SL_INVOKE_ON_SUCCESS
					     : control & SL_INVOKE_ON_ERROR)
		return true;
	return irp->Cancel && control & SL_INVOKE_ON_CANCEL;
}

static NTSTATUS call_completion(PIRP irp, PIO_COMPLETION_ROUTINE routine, PVOID context)
{
	/* Whoever set the routine is one above; the sender itself has no location. */
	bool sender = irp->CurrentLocation == irp->StackCount + 1;
	PDEVICE_OBJECT device = sender ? NULL : irp->Tail.CurrentStackLocation->DeviceObject;
	struct ke_callout callout;
	begin_call(&callout, "completion routine", (const void *)routine);
	NTSTATUS status = routine(device, irp, context);
	end_call(&callout);
	return status;
}

static void empty(PIO_STACK_LOCATION location)
{
	location->MinorFunction = location->Flags = location->Control = 0;
	memset(&location->Parameters, 0, sizeof(location->Parameters));
	location->FileObject = NULL;
}

/* False: a completion routine has taken the request back. */
static bool step_up(PIRP irp)
{
	PIO_STACK_LOCATION location = irp->Tail.CurrentStackLocation;
	UCHAR control = location->Control;
	PIO_COMPLETION_ROUTINE routine = location->CompletionRoutine;
	PVOID context = location->Context;
	irp->PendingReturned = (control & SL_PENDING_RETURNED) != 0;
	irp->CurrentLocation++;
	irp->Tail.CurrentStackLocation++;
	empty(location);
	if (routine && wants_to_know(irp, control))
		return call_completion(irp, routine, context) != STATUS_MORE_PROCESSING_REQUIRED;
	/* Without a routine to do it, the mark goes up with the request. */
	if (irp->PendingReturned && irp->CurrentLocation <= irp->StackCount)
		irp->Tail.CurrentStackLocation->Control |= SL_PENDING_RETURNED;
	return true;
}

static void check_completion(PIRP irp)
{
	if (irp->Type != IO_TYPE_IRP || irp->CurrentLocation > irp->StackCount + 1)
		KE_BUG_CHECK(KE_MULTIPLE_IRP_COMPLETE_REQUESTS, (uintptr_t)irp, 0, 0, 0,
			     "IoCompleteRequest of a request that is complete already");
	if (irp->IoStatus.Status == STATUS_PENDING || irp->IoStatus.Status == -1)
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_IOMANAGER_VIOLATION, 6, irp->IoStatus.Status,
			     (uintptr_t)irp, 0, "IoCompleteRequest with the status 0x%x",
			     (unsigned)irp->IoStatus.Status);
	if (irp->CancelRoutine)
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_IOMANAGER_VIOLATION, 7,
			     (uintptr_t)irp->CancelRoutine, (uintptr_t)irp, 0,
			     "IoCompleteRequest of a request whose cancel routine is still set");
}

VOID NTAPI IofCompleteRequest(PIRP Irp, CCHAR PriorityBoost)
{
	(void)PriorityBoost;
	check_completion(Irp);
	while (Irp->CurrentLocation <= Irp->StackCount)
		if (!step_up(Irp))
			return;
	io_finish(Irp);
}

NTSTATUS NTAPI IoSetCompletionRoutineEx(PDEVICE_OBJECT DeviceObject, PIRP Irp,
					PIO_COMPLETION_ROUTINE CompletionRoutine, PVOID Context,
					BOOLEAN InvokeOnSuccess, BOOLEAN InvokeOnError,
					BOOLEAN InvokeOnCancel)
{
	/* The reference by which NT keeps the driver loaded is not needed: a driver
	 * whose routine is missing when it is called is reported anyway. */
	(void)DeviceObject;
	PIO_STACK_LOCATION next = io_next_location(Irp);
	next->CompletionRoutine = CompletionRoutine;
	next->Context = Context;
	next->Control = (UCHAR)((InvokeOnSuccess ? SL_INVOKE_ON_SUCCESS : 0) |
				(InvokeOnError ? SL_INVOKE_ON_ERROR : 0) |
				(InvokeOnCancel ? SL_INVOKE_ON_CANCEL : 0));
	return STATUS_SUCCESS;
}

/* ---- The end --------------------------------------------------------------------------- */

static void copy_out(PIRP irp)
{
	ULONG_PTR size = irp->IoStatus.Information;
	struct io_packet *packet = io_packet_of(irp);
	if (!(irp->Flags & IRP_INPUT_OPERATION) || IO_ERROR(irp->IoStatus.Status) || !size)
		return;
	if (size > packet->room) {
		ex_rule_broken("wdk",
			       ke_processor()->callout ? ke_processor()->callout->routine : NULL,
			       "a request was completed with an Information of %llu, but its "
			       "output buffer has %u bytes: NT would copy beyond both buffers",
			       (unsigned long long)size, packet->room);
		size = packet->room;
	}
	if (!mm_copy_to(irp->UserBuffer, irp->AssociatedIrp.SystemBuffer, size))
		irp->IoStatus.Status = STATUS_ACCESS_VIOLATION;
}

static void free_buffers(PIRP irp)
{
	if (irp->Flags & IRP_BUFFERED_IO)
		copy_out(irp);
	if (irp->Flags & IRP_DEALLOCATE_BUFFER)
		ex_free_pool((const void *)io_finish, irp->AssociatedIrp.SystemBuffer);
	irp->Flags &= ~(ULONG)(IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER);
	irp->AssociatedIrp.SystemBuffer = NULL;
	mm_free_mdls(irp->MdlAddress);
	irp->MdlAddress = NULL;
}

/* Who gets told, and how; kept apart from the request, which is gone by then. */
struct ending {
	IO_STATUS_BLOCK result, *told;
	PKEVENT event;
	PFILE_OBJECT file;  /* referenced, or NULL */
	void *event_object; /* referenced, or NULL */
	bool silent, waited_for;
};

static struct ending ending_of(PIRP irp)
{
	struct io_packet *packet = io_packet_of(irp);
	struct ending ending = {
		.result = irp->IoStatus,
		.told = irp->UserIosb,
		.event = irp->UserEvent,
		.file = packet->file,
		.event_object = packet->event,
		.waited_for = packet->waited_for,
		.silent = IO_ERROR(irp->IoStatus.Status) && !irp->PendingReturned &&
			  !packet->waited_for,
	};
	packet->event = NULL;
	return ending;
}

/* The moment the sender learns of it, its status block and event may be gone. */
static void tell_sender(const struct ending *ending)
{
	if (ending->silent)
		return;
	if (ending->told)
		mm_copy_to(ending->told, &ending->result, sizeof(ending->result));
	if (ending->file) {
		ending->file->FinalStatus = ending->result.Status;
		if (!ending->event_object)
			KeSetEvent((PKEVENT)(void *)ending->file->Event, 0, FALSE);
	}
	if (ending->event)
		KeSetEvent(ending->event, 0, FALSE);
}

/* The master of associated requests ends with the last of them. */
static void finish_associated(PIRP irp)
{
	PIRP master = irp->AssociatedIrp.MasterIrp;
	bool last = __atomic_sub_fetch(&master->AssociatedIrp.IrpCount, 1, __ATOMIC_ACQ_REL) == 0;
	mm_free_mdls(irp->MdlAddress);
	irp->MdlAddress = NULL;
	IoFreeIrp(irp);
	if (last)
		IofCompleteRequest(master, 0);
}

static void release(PIRP irp)
{
	io_unlink_from_file(io_packet_of(irp));
	IoFreeIrp(irp);
}

/* The last reference to a file sends a request of its own, at PASSIVE_LEVEL. */
static void release_ending(const struct ending *ending)
{
	if (ending->event_object)
		ob_dereference(ending->event_object);
	if (ending->file)
		io_dereference_file(ending->file);
}

void io_finish(PIRP irp)
{
	if (irp->Flags & IRP_ASSOCIATED_IRP) {
		finish_associated(irp);
		return;
	}
	bool ours = irp->AllocationFlags & IO_IRP_IS_OURS;
	if (!ours || !io_packet_of(irp)->threaded)
		KE_BUG_CHECK(KE_CALLBACK_RULE_VIOLATION, (uintptr_t)irp, 0, 0, 0,
			     "a request that a driver allocated was completed to its end: its "
			     "completion routine has to return STATUS_MORE_PROCESSING_REQUIRED");
	free_buffers(irp);
	struct ending ending = ending_of(irp);
	release(irp);
	/* Whoever waits has the file too, and may go on to close it as soon as it is told. */
	if (ending.waited_for && ending.file) {
		ending.file->FinalStatus = ending.result.Status;
		KeSetEvent((PKEVENT)(void *)ending.file->Event, 0, FALSE);
		ob_dereference(ending.file);
		ending.file = NULL;
	}
	tell_sender(&ending);
	release_ending(&ending);
}

void io_abandon(PIRP irp)
{
	irp->Flags &= ~(ULONG)IRP_INPUT_OPERATION;
	free_buffers(irp);
	struct ending ending = ending_of(irp);
	release(irp);
	release_ending(&ending);
}
