/* SPDX-License-Identifier: MIT */
/*
 * Device stacks: which device sees the requests for which.
 *
 * AttachedDevice points up, AttachedTo down; both under the device lock. A request enters
 * at the top, and needs one stack location for every device from there down.
 */
#include "io/device.h"
#include "io/file.h"
#include "io/lock.h"
#include "ke/bugcheck.h"
#include "ob/object.h"

/* Under the lock. */
static PDEVICE_OBJECT top_of(PDEVICE_OBJECT device)
{
	while (device->AttachedDevice)
		device = device->AttachedDevice;
	return device;
}

PDEVICE_OBJECT io_top_of_stack(PDEVICE_OBJECT device)
{
	pthread_mutex_lock(&io_device_lock);
	PDEVICE_OBJECT top = top_of(device);
	ob_reference(top);
	pthread_mutex_unlock(&io_device_lock);
	return top;
}

bool io_is_in_stack(PDEVICE_OBJECT device, const DEVICE_OBJECT *one)
{
	pthread_mutex_lock(&io_device_lock);
	while (device && device != one)
		device = device->AttachedDevice;
	pthread_mutex_unlock(&io_device_lock);
	return device != NULL;
}

static PDEVICE_OBJECT attach(PDEVICE_OBJECT source, PDEVICE_OBJECT target, PDEVICE_OBJECT *told)
{
	pthread_mutex_lock(&io_device_lock);
	PDEVICE_OBJECT top = top_of(target);
	if (io_extra(top)->deleted || top->Flags & DO_DEVICE_INITIALIZING) {
		top = NULL;
	} else {
		source->StackSize = (CCHAR)(top->StackSize + 1);
		source->AlignmentRequirement = top->AlignmentRequirement;
		source->SectorSize = top->SectorSize;
		io_extra(source)->AttachedTo = top;
		if (told)
			*told = top; /* before a request can come through */
		top->AttachedDevice = source;
	}
	pthread_mutex_unlock(&io_device_lock);
	return top;
}

PDEVICE_OBJECT NTAPI IoAttachDeviceToDeviceStack(PDEVICE_OBJECT SourceDevice,
						 PDEVICE_OBJECT TargetDevice)
{
	return attach(SourceDevice, TargetDevice, NULL);
}

NTSTATUS NTAPI IoAttachDeviceToDeviceStackSafe(PDEVICE_OBJECT SourceDevice,
					       PDEVICE_OBJECT TargetDevice,
					       PDEVICE_OBJECT *AttachedToDeviceObject)
{
	return attach(SourceDevice, TargetDevice, AttachedToDeviceObject) ? STATUS_SUCCESS
									  : STATUS_NO_SUCH_DEVICE;
}

NTSTATUS NTAPI IoAttachDevice(PDEVICE_OBJECT SourceDevice, PUNICODE_STRING TargetDevice,
			      PDEVICE_OBJECT *AttachedDevice)
{
	PFILE_OBJECT file;
	PDEVICE_OBJECT target;
	NTSTATUS status = IoGetDeviceObjectPointer(TargetDevice, FILE_READ_ATTRIBUTES, &file,
						   &target);
	if (!NT_SUCCESS(status))
		return status;
	status = IoAttachDeviceToDeviceStackSafe(SourceDevice, target, AttachedDevice);
	ob_dereference(file);
	return status;
}

VOID NTAPI IoDetachDevice(PDEVICE_OBJECT TargetDevice)
{
	pthread_mutex_lock(&io_device_lock);
	PDEVICE_OBJECT above = TargetDevice->AttachedDevice;
	TargetDevice->AttachedDevice = NULL;
	if (above)
		io_extra(above)->AttachedTo = NULL;
	pthread_mutex_unlock(&io_device_lock);
	if (!above)
		KE_BUG_CHECK(KE_CALLBACK_RULE_VIOLATION, (uintptr_t)TargetDevice, 0, 0, 0,
			     "IoDetachDevice from a device that has none attached");
}

PDEVICE_OBJECT NTAPI IoGetAttachedDevice(PDEVICE_OBJECT DeviceObject)
{
	pthread_mutex_lock(&io_device_lock);
	PDEVICE_OBJECT top = top_of(DeviceObject);
	pthread_mutex_unlock(&io_device_lock);
	return top;
}

PDEVICE_OBJECT NTAPI IoGetAttachedDeviceReference(PDEVICE_OBJECT DeviceObject)
{
	return io_top_of_stack(DeviceObject);
}

PDEVICE_OBJECT NTAPI IoGetLowerDeviceObject(PDEVICE_OBJECT DeviceObject)
{
	pthread_mutex_lock(&io_device_lock);
	PDEVICE_OBJECT below = io_extra(DeviceObject)->AttachedTo;
	if (below)
		ob_reference(below);
	pthread_mutex_unlock(&io_device_lock);
	return below;
}

PDEVICE_OBJECT NTAPI IoGetDeviceAttachmentBaseRef(PDEVICE_OBJECT DeviceObject)
{
	pthread_mutex_lock(&io_device_lock);
	PDEVICE_OBJECT base = DeviceObject;
	while (io_extra(base)->AttachedTo)
		base = io_extra(base)->AttachedTo;
	ob_reference(base);
	pthread_mutex_unlock(&io_device_lock);
	return base;
}

PDEVICE_OBJECT NTAPI IoGetRelatedDeviceObject(PFILE_OBJECT FileObject)
{
	return FileObject->DeviceObject ? IoGetAttachedDevice(FileObject->DeviceObject) : NULL;
}

NTSTATUS NTAPI IoEnumerateDeviceObjectList(PDRIVER_OBJECT DriverObject,
					   PDEVICE_OBJECT *DeviceObjectList,
					   ULONG DeviceObjectListSize,
					   PULONG ActualNumberDeviceObjects)
{
	ULONG room = DeviceObjectListSize / sizeof(PDEVICE_OBJECT), count = 0;
	pthread_mutex_lock(&io_device_lock);
	for (PDEVICE_OBJECT device = DriverObject->DeviceObject; device;
	     device = device->NextDevice)
		count++;
	*ActualNumberDeviceObjects = count;
	PDEVICE_OBJECT device = DriverObject->DeviceObject;
	for (ULONG i = 0; i < count && i < room; i++, device = device->NextDevice) {
		ob_reference(device);
		DeviceObjectList[i] = device;
	}
	pthread_mutex_unlock(&io_device_lock);
	return count <= room ? STATUS_SUCCESS : STATUS_BUFFER_TOO_SMALL;
}
