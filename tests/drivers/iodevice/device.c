/* SPDX-License-Identifier: MIT */
/*
 * The driver of tests/io/driver.test.c, in the manner of Microsoft's samples: a device
 * with a symbolic link, a control code of each method, reads and writes, requests that
 * stay in a cancel-safe queue until another request or a DPC completes them, and a
 * filter of its own attached on top.
 */
#include <ntddk.h>

/* Of <ntifs.h>. */
NTKERNELAPI ULONG NTAPI IoGetRequestorProcessId(PIRP irp);
NTKERNELAPI NTSTATUS NTAPI ObQueryNameString(PVOID object, POBJECT_NAME_INFORMATION information,
					     ULONG length, PULONG needed);

#define CODE(n, method) CTL_CODE(0x8000, 0x800 + (n), method, FILE_ANY_ACCESS)
#define IOCTL_UPPER CODE(1, METHOD_BUFFERED)      /* input in capitals */
#define IOCTL_SUM_IN CODE(2, METHOD_IN_DIRECT)    /* information: the sum of "output" */
#define IOCTL_FILL_OUT CODE(3, METHOD_OUT_DIRECT) /* output filled with the first input byte */
#define IOCTL_COPY CODE(4, METHOD_NEITHER)        /* input to output */
#define IOCTL_WAIT CODE(5, METHOD_BUFFERED)       /* pending until IOCTL_RELEASE */
#define IOCTL_RELEASE CODE(6, METHOD_BUFFERED)    /* completes one that waits */
#define IOCTL_LATER CODE(7, METHOD_BUFFERED)      /* completed by a DPC */
#define IOCTL_WHO CODE(8, METHOD_BUFFERED)        /* the requestor's and the current process id */
#define IOCTL_SELF CODE(9, METHOD_BUFFERED)       /* asks itself IOCTL_UPPER and IOCTL_LATER */
#define IOCTL_LOCKED CODE(10, METHOD_BUFFERED)    /* remove lock and names */
#define IOCTL_TWICE CODE(20, METHOD_BUFFERED)     /* mistakes */
#define IOCTL_NO_LOCATION CODE(21, METHOD_BUFFERED)
#define IOCTL_FORGOTTEN CODE(22, METHOD_BUFFERED)
#define IOCTL_DELETE_TWICE CODE(23, METHOD_BUFFERED)
#define IOCTL_TOO_MUCH CODE(24, METHOD_BUFFERED)
#define IOCTL_CANCEL_SET CODE(25, METHOD_BUFFERED)
#define IOCTL_UNLOCKED CODE(26, METHOD_BUFFERED)
#define IOCTL_HIGH_IRQL CODE(27, METHOD_BUFFERED)

struct device {
	IO_CSQ csq;
	LIST_ENTRY queue;
	KSPIN_LOCK lock;
	KDPC dpc;
	PIRP later;
	IO_REMOVE_LOCK remove_lock;
	CHAR stored[64];
	ULONG stored_length;
};

struct filter {
	PDEVICE_OBJECT lower;
	ULONG seen;
};

static PDEVICE_OBJECT device_object, filter_object;
static UNICODE_STRING device_name = RTL_CONSTANT_STRING(L"\\Device\\RingsideIo");
static UNICODE_STRING link_name = RTL_CONSTANT_STRING(L"\\DosDevices\\RingsideIo");

static NTSTATUS complete(PIRP irp, NTSTATUS status, ULONG_PTR information)
{
	irp->IoStatus.Status = status;
	irp->IoStatus.Information = information;
	IoCompleteRequest(irp, IO_NO_INCREMENT);
	return status;
}

/* ---- The queue ------------------------------------------------------------------------- */

/* Annotated as the samples are: the headers have to know the word. */
_IRQL_requires_max_(DISPATCH_LEVEL) static VOID NTAPI insert(PIO_CSQ csq, PIRP irp)
{
	struct device *device = CONTAINING_RECORD(csq, struct device, csq);
	InsertTailList(&device->queue, &irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI remove(PIO_CSQ csq, PIRP irp)
{
	UNREFERENCED_PARAMETER(csq);
	RemoveEntryList(&irp->Tail.Overlay.ListEntry);
}

static PIRP NTAPI peek(PIO_CSQ csq, PIRP irp, PVOID context)
{
	struct device *device = CONTAINING_RECORD(csq, struct device, csq);
	PLIST_ENTRY next = irp ? irp->Tail.Overlay.ListEntry.Flink : device->queue.Flink;
	UNREFERENCED_PARAMETER(context);
	return next == &device->queue ? NULL : CONTAINING_RECORD(next, IRP, Tail.Overlay.ListEntry);
}

static VOID NTAPI acquire(PIO_CSQ csq, PKIRQL irql)
{
	*irql = KeAcquireSpinLockRaiseToDpc(&CONTAINING_RECORD(csq, struct device, csq)->lock);
}

static VOID NTAPI release(PIO_CSQ csq, KIRQL irql)
{
	KeReleaseSpinLock(&CONTAINING_RECORD(csq, struct device, csq)->lock, irql);
}

static VOID NTAPI complete_cancelled(PIO_CSQ csq, PIRP irp)
{
	UNREFERENCED_PARAMETER(csq);
	DbgPrint("cancelled\n");
	complete(irp, STATUS_CANCELLED, 0);
}

static VOID NTAPI complete_later(PKDPC dpc, PVOID context, PVOID a, PVOID b)
{
	struct device *device = context;
	UNREFERENCED_PARAMETER(dpc);
	UNREFERENCED_PARAMETER(a);
	UNREFERENCED_PARAMETER(b);
	RtlCopyMemory(device->later->AssociatedIrp.SystemBuffer, "later", 5);
	complete(device->later, STATUS_SUCCESS, 5);
}

/* ---- Control codes ----------------------------------------------------------------------- */

static NTSTATUS upper(PIRP irp, ULONG in, ULONG out)
{
	CHAR *text = irp->AssociatedIrp.SystemBuffer;
	if (out < in)
		return complete(irp, STATUS_BUFFER_TOO_SMALL, 0);
	for (ULONG i = 0; i < in; i++)
		if (text[i] >= 'a' && text[i] <= 'z')
			text[i] -= 'a' - 'A';
	return complete(irp, STATUS_SUCCESS, in);
}

static NTSTATUS sum_in(PIRP irp, ULONG out)
{
	const UCHAR *bytes = MmGetSystemAddressForMdlSafe(irp->MdlAddress, NormalPagePriority);
	ULONG sum = 0;
	if ((ULONG_PTR)bytes < 0x500000000000 || MmGetMdlByteCount(irp->MdlAddress) != out)
		return complete(irp, STATUS_UNSUCCESSFUL, 0);
	for (ULONG i = 0; i < out; i++)
		sum += bytes[i];
	return complete(irp, STATUS_SUCCESS, sum);
}

static NTSTATUS fill_out(PIRP irp, ULONG out)
{
	UCHAR *bytes = MmGetSystemAddressForMdlSafe(irp->MdlAddress, NormalPagePriority);
	if ((ULONG_PTR)bytes < 0x500000000000)
		return complete(irp, STATUS_UNSUCCESSFUL, 0);
	RtlFillMemory(bytes, out, *(UCHAR *)irp->AssociatedIrp.SystemBuffer);
	return complete(irp, STATUS_SUCCESS, out);
}

static NTSTATUS copy(PIRP irp, const IO_STACK_LOCATION *here)
{
	PVOID input = here->Parameters.DeviceIoControl.Type3InputBuffer;
	ULONG length = here->Parameters.DeviceIoControl.InputBufferLength;
	if ((ULONG_PTR)input >= 0x500000000000 || irp->RequestorMode != UserMode)
		return complete(irp, STATUS_UNSUCCESSFUL, 0);
	RtlCopyMemory(irp->UserBuffer, input, length);
	return complete(irp, STATUS_SUCCESS, length);
}

static NTSTATUS who(PIRP irp)
{
	ULONG_PTR *ids = irp->AssociatedIrp.SystemBuffer;
	ids[0] = IoGetRequestorProcessId(irp);
	ids[1] = (ULONG_PTR)PsGetCurrentProcessId();
	return complete(irp, STATUS_SUCCESS, 2 * sizeof(*ids));
}

static NTSTATUS ask(PDEVICE_OBJECT target, ULONG code, CHAR *text, ULONG length)
{
	KEVENT event;
	IO_STATUS_BLOCK result = {.Status = STATUS_UNSUCCESSFUL};
	KeInitializeEvent(&event, NotificationEvent, FALSE);
	PIRP irp = IoBuildDeviceIoControlRequest(code, target, text, length, text, length, FALSE,
						 &event, &result);
	if (!irp)
		return STATUS_INSUFFICIENT_RESOURCES;
	NTSTATUS status = IoCallDriver(target, irp);
	if (status == STATUS_PENDING) {
		KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
		status = result.Status;
	}
	return NT_SUCCESS(status) && result.Information != length ? STATUS_UNSUCCESSFUL : status;
}

static NTSTATUS ask_self(PIRP irp)
{
	PFILE_OBJECT file;
	PDEVICE_OBJECT top;
	CHAR text[] = "hello";
	NTSTATUS status = IoGetDeviceObjectPointer(&link_name, FILE_READ_DATA, &file, &top);
	if (!NT_SUCCESS(status))
		return complete(irp, status, 1);
	if (top != filter_object || file->DeviceObject != device_object)
		status = STATUS_UNSUCCESSFUL;
	if (NT_SUCCESS(status))
		status = ask(top, IOCTL_UPPER, text, 5);
	if (NT_SUCCESS(status) && RtlCompareMemory(text, "HELLO", 5) != 5)
		status = STATUS_UNSUCCESSFUL;
	if (NT_SUCCESS(status))
		status = ask(top, IOCTL_LATER, text, 5);
	if (NT_SUCCESS(status) && RtlCompareMemory(text, "later", 5) != 5)
		status = STATUS_UNSUCCESSFUL;
	ObDereferenceObject(file);
	return complete(irp, status, 0);
}

static NTSTATUS check_locked(PIRP irp, struct device *device)
{
	ULONG_PTR buffer[64];
	POBJECT_NAME_INFORMATION name = (PVOID)buffer;
	ULONG length;
	NTSTATUS status = IoAcquireRemoveLock(&device->remove_lock, irp);
	if (NT_SUCCESS(status)) {
		IoReleaseRemoveLock(&device->remove_lock, irp);
		status = ObQueryNameString(device_object, name, sizeof(buffer), &length);
	}
	if (NT_SUCCESS(status) && !RtlEqualUnicodeString(&name->Name, &device_name, FALSE))
		status = STATUS_UNSUCCESSFUL;
	return complete(irp, status, 0);
}

/* ---- Mistakes ------------------------------------------------------------------------------ */

static VOID NTAPI cancel_never(PDEVICE_OBJECT device, PIRP irp)
{
	UNREFERENCED_PARAMETER(device);
	IoReleaseCancelSpinLock(irp->CancelIrql);
}

static NTSTATUS mistake(PIRP irp, ULONG code)
{
	PMDL mdl;
	PDEVICE_OBJECT made;
	KIRQL irql;
	switch (code) {
	case IOCTL_TWICE:
		complete(irp, STATUS_SUCCESS, 0);
		return complete(irp, STATUS_SUCCESS, 0);
	case IOCTL_NO_LOCATION:
		IoSkipCurrentIrpStackLocation(irp);
		IoCallDriver(device_object, IoAllocateIrp(0, FALSE));
		return STATUS_SUCCESS;
	case IOCTL_FORGOTTEN:
		return STATUS_SUCCESS;
	case IOCTL_DELETE_TWICE:
		IoCreateDevice(device_object->DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE,
			       &made);
		IoDeleteDevice(made);
		IoDeleteDevice(made);
		return complete(irp, STATUS_SUCCESS, 0);
	case IOCTL_TOO_MUCH:
		return complete(irp, STATUS_SUCCESS, 100);
	case IOCTL_CANCEL_SET:
		IoSetCancelRoutine(irp, cancel_never);
		return complete(irp, STATUS_SUCCESS, 0);
	case IOCTL_UNLOCKED:
		mdl = IoAllocateMdl(irp, 8, FALSE, FALSE, NULL);
		MmUnlockPages(mdl);
		return complete(irp, STATUS_SUCCESS, 0);
	case IOCTL_HIGH_IRQL:
		KeRaiseIrql(DISPATCH_LEVEL, &irql);
		IoDeleteSymbolicLink(&link_name);
		KeLowerIrql(irql);
		return complete(irp, STATUS_SUCCESS, 0);
	default:
		return complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
	}
}

/* ---- Dispatch --------------------------------------------------------------------------------- */

static NTSTATUS control(struct device *device, PIRP irp)
{
	PIO_STACK_LOCATION here = IoGetCurrentIrpStackLocation(irp);
	ULONG in = here->Parameters.DeviceIoControl.InputBufferLength;
	ULONG out = here->Parameters.DeviceIoControl.OutputBufferLength;
	ULONG code = here->Parameters.DeviceIoControl.IoControlCode;
	switch (code) {
	case IOCTL_UPPER:
		return upper(irp, in, out);
	case IOCTL_SUM_IN:
		return sum_in(irp, out);
	case IOCTL_FILL_OUT:
		return fill_out(irp, out);
	case IOCTL_COPY:
		return copy(irp, here);
	case IOCTL_WAIT:
		IoCsqInsertIrp(&device->csq, irp, NULL);
		return STATUS_PENDING;
	case IOCTL_RELEASE: {
		PIRP waiting = IoCsqRemoveNextIrp(&device->csq, NULL);
		if (waiting)
			complete(waiting, STATUS_SUCCESS, 0);
		return complete(irp, waiting ? STATUS_SUCCESS : STATUS_NO_MORE_ENTRIES, 0);
	}
	case IOCTL_LATER:
		IoMarkIrpPending(irp);
		device->later = irp;
		KeInsertQueueDpc(&device->dpc, NULL, NULL);
		return STATUS_PENDING;
	case IOCTL_WHO:
		return who(irp);
	case IOCTL_SELF:
		return ask_self(irp);
	case IOCTL_LOCKED:
		return check_locked(irp, device);
	default:
		return mistake(irp, code);
	}
}

static NTSTATUS read_or_write(struct device *device, PIRP irp)
{
	PIO_STACK_LOCATION here = IoGetCurrentIrpStackLocation(irp);
	ULONG length = here->Parameters.Write.Length;
	if (here->MajorFunction == IRP_MJ_WRITE) {
		length = length < sizeof(device->stored) ? length : sizeof(device->stored);
		RtlCopyMemory(device->stored, irp->AssociatedIrp.SystemBuffer, length);
		device->stored_length = length;
	} else {
		length = length < device->stored_length ? length : device->stored_length;
		RtlCopyMemory(irp->AssociatedIrp.SystemBuffer, device->stored, length);
	}
	return complete(irp, STATUS_SUCCESS, length);
}

static NTSTATUS NTAPI count_completion(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
	struct filter *filter = context;
	if (device != filter_object)
		DbgPrint("completion routine: wrong device\n");
	if (irp->PendingReturned)
		IoMarkIrpPending(irp);
	filter->seen++;
	return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS pass_down(PDEVICE_OBJECT device, PIRP irp)
{
	struct filter *filter = device->DeviceExtension;
	IoCopyCurrentIrpStackLocationToNext(irp);
	IoSetCompletionRoutine(irp, count_completion, filter, TRUE, TRUE, TRUE);
	return IoCallDriver(filter->lower, irp);
}

static NTSTATUS NTAPI dispatch(PDEVICE_OBJECT device, PIRP irp)
{
	PIO_STACK_LOCATION here = IoGetCurrentIrpStackLocation(irp);
	if (device == filter_object)
		return pass_down(device, irp);
	switch (here->MajorFunction) {
	case IRP_MJ_CREATE:
		DbgPrint("create \"%wZ\"\n", &here->FileObject->FileName);
		here->FileObject->FsContext = device;
		return complete(irp, STATUS_SUCCESS, FILE_OPENED);
	case IRP_MJ_CLEANUP:
		DbgPrint("cleanup %s\n", here->FileObject->FsContext == device ? "ours" : "?");
		return complete(irp, STATUS_SUCCESS, 0);
	case IRP_MJ_CLOSE:
		DbgPrint("close\n");
		return complete(irp, STATUS_SUCCESS, 0);
	case IRP_MJ_SHUTDOWN:
		DbgPrint("shutdown\n");
		return complete(irp, STATUS_SUCCESS, 0);
	case IRP_MJ_READ:
	case IRP_MJ_WRITE:
		return read_or_write(device->DeviceExtension, irp);
	default:
		return control(device->DeviceExtension, irp);
	}
}

/* ---- Life ------------------------------------------------------------------------------------- */

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
	struct device *device = device_object->DeviceExtension;
	struct filter *filter = filter_object->DeviceExtension;
	UNREFERENCED_PARAMETER(driver);
	IoAcquireRemoveLock(&device->remove_lock, NULL);
	IoReleaseRemoveLockAndWait(&device->remove_lock, NULL);
	KeFlushQueuedDpcs();
	DbgPrint("filter saw %lu\n", filter->seen);
	IoDetachDevice(filter->lower);
	IoDeleteDevice(filter_object);
	IoDeleteSymbolicLink(&link_name);
	IoDeleteDevice(device_object);
}

static void init_device(struct device *device)
{
	InitializeListHead(&device->queue);
	KeInitializeSpinLock(&device->lock);
	KeInitializeDpc(&device->dpc, complete_later, device);
	IoInitializeRemoveLock(&device->remove_lock, 'iOiR', 0, 0);
	IoCsqInitialize(&device->csq, insert, remove, peek, acquire, release, complete_cancelled);
}

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	UNREFERENCED_PARAMETER(path);
	NTSTATUS status = IoCreateDevice(driver, sizeof(struct device), &device_name,
					 FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN, FALSE,
					 &device_object);
	if (!NT_SUCCESS(status))
		return status;
	device_object->Flags |= DO_BUFFERED_IO;
	init_device(device_object->DeviceExtension);
	for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
		driver->MajorFunction[i] = dispatch;
	driver->DriverUnload = unload;
	device_object->Flags &= ~DO_DEVICE_INITIALIZING;
	status = IoCreateSymbolicLink(&link_name, &device_name);
	if (NT_SUCCESS(status))
		status = IoCreateDevice(driver, sizeof(struct filter), NULL, FILE_DEVICE_UNKNOWN, 0,
					FALSE, &filter_object);
	if (!NT_SUCCESS(status))
		return status;
	struct filter *filter = filter_object->DeviceExtension;
	filter->lower = IoAttachDeviceToDeviceStack(filter_object, device_object);
	filter_object->Flags |= device_object->Flags & (DO_BUFFERED_IO | DO_DIRECT_IO);
	IoRegisterShutdownNotification(device_object);
	return STATUS_SUCCESS;
}
