/* SPDX-License-Identifier: MIT */
/*
 * Driver objects.
 *
 * One object holds all that a DRIVER_OBJECT points to: its extension and the
 * buffers of its names. The driver writes its own routines into it during
 * DriverEntry, before anybody else looks at it; so nothing is locked. The loader
 * holds a reference until the driver is unloaded, and its name in \Driver another. Clauses: AB-13, AB-14.
 */
#include "io/driver.h"
#include "io/irp.h"
#include "ob/directory.h"
#include <string.h>

#define IO_TYPE_DRIVER 4
#define DRVO_LEGACY_DRIVER 0x2
#define DRVO_INITIALIZED 0x10

static const UNICODE_STRING drivers = {sizeof(u"\\Driver\\") - sizeof(WCHAR), 0,
				       (PWSTR)(uintptr_t)u"\\Driver\\"},
			    file_systems = {sizeof(u"\\FileSystem\\") - sizeof(WCHAR), 0,
					    (PWSTR)(uintptr_t)u"\\FileSystem\\"};

static const UNICODE_STRING hardware_database = {
	.Length = sizeof(u"\\REGISTRY\\MACHINE\\HARDWARE\\DESCRIPTION\\SYSTEM") - sizeof(WCHAR),
	.MaximumLength = sizeof(u"\\REGISTRY\\MACHINE\\HARDWARE\\DESCRIPTION\\SYSTEM"),
	.Buffer = (PWSTR)u"\\REGISTRY\\MACHINE\\HARDWARE\\DESCRIPTION\\SYSTEM",
};

struct driver_body {
	DRIVER_OBJECT driver; /* first: what the rest of the world sees */
	DRIVER_EXTENSION extension;
	UNICODE_STRING hardware_database;
	WCHAR names[]; /* \Driver\NAME, of which ServiceKeyName is the tail */
};

/* What NT puts where a driver has no routine of its own. */
static NTSTATUS NTAPI invalid_device_request(struct _DEVICE_OBJECT *device, struct _IRP *irp)
{
	(void)device;
	irp->IoStatus = (IO_STATUS_BLOCK){.Status = STATUS_INVALID_DEVICE_REQUEST};
	IofCompleteRequest(irp, 0);
	return STATUS_INVALID_DEVICE_REQUEST;
}

static void set_names(struct driver_body *body, PCUNICODE_STRING folder, PCUNICODE_STRING name)
{
	DRIVER_OBJECT *driver = &body->driver;
	memcpy(body->names, folder->Buffer, folder->Length);
	memcpy((char *)body->names + folder->Length, name->Buffer, name->Length);
	driver->DriverName.Buffer = body->names;
	driver->DriverName.Length = (USHORT)(folder->Length + name->Length);
	driver->DriverName.MaximumLength = (USHORT)(driver->DriverName.Length + sizeof(WCHAR));
	body->extension.ServiceKeyName.Buffer = (PWSTR)(void *)((char *)body->names +
								folder->Length);
	body->extension.ServiceKeyName.Length = name->Length;
	body->extension.ServiceKeyName.MaximumLength = (USHORT)(name->Length + sizeof(WCHAR));
	body->hardware_database = hardware_database;
	driver->HardwareDatabase = &body->hardware_database;
}

static PDRIVER_OBJECT create(PCUNICODE_STRING folder, PCUNICODE_STRING name,
			     PKLDR_DATA_TABLE_ENTRY section, PDRIVER_INITIALIZE entry_point)
{
	struct driver_body *body = ob_create(
		IoDriverObjectType, sizeof(*body) + folder->Length + name->Length + sizeof(WCHAR));
	if (!body)
		return NULL;
	DRIVER_OBJECT *driver = &body->driver;
	driver->Type = IO_TYPE_DRIVER;
	driver->Size = sizeof(*driver);
	driver->DriverStart = section->DllBase;
	driver->DriverSize = section->SizeOfImage;
	driver->DriverSection = section;
	driver->DriverExtension = &body->extension;
	driver->DriverInit = entry_point;
	body->extension.DriverObject = driver;
	set_names(body, folder, name);
	for (int i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
		driver->MajorFunction[i] = invalid_device_request;
	/* Of two drivers of one name the second is found by nobody. */
	ob_insert(driver, NULL, &driver->DriverName, true);
	return driver;
}

PDRIVER_OBJECT io_create_driver(PCUNICODE_STRING name, PKLDR_DATA_TABLE_ENTRY section,
				PDRIVER_INITIALIZE entry_point)
{
	return create(&drivers, name, section, entry_point);
}

PDRIVER_OBJECT io_create_file_system(PCUNICODE_STRING name, PKLDR_DATA_TABLE_ENTRY section)
{
	return create(&file_systems, name, section, NULL);
}

void io_driver_started(PDRIVER_OBJECT driver)
{
	driver->Flags |= DRVO_INITIALIZED;
	io_devices_initialized(driver);
	if (!driver->DriverExtension->AddDevice)
		driver->Flags |= DRVO_LEGACY_DRIVER;
	/* A slot that the driver emptied would be called all the same. */
	for (int i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) {
		if (!driver->MajorFunction[i])
			driver->MajorFunction[i] = invalid_device_request;
	}
}

void io_delete_driver(PDRIVER_OBJECT driver)
{
	io_delete_devices_left(driver);
	ob_remove(driver);
	ob_dereference(driver);
}
