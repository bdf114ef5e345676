/* SPDX-License-Identifier: MIT */
/*
 * The driver object that DriverEntry got, and the module entry behind it.
 *
 * Clauses: AB-13, AB-14.
 */
#include "conform.h"

#define AT(Type, Field, Offset) (FIELD_OFFSET(Type, Field) == (Offset))
#define IO_TYPE_OF_DRIVERS 4

static VOID CheckObject(VOID)
{
	PUCHAR base = ThisDriver->DriverStart;
	ULONG header = *(PULONG)(base + 0x3C);
	BOOLEAN routines = TRUE;
	ULONG i;

	CHECK("AB-13",
	      sizeof(DRIVER_OBJECT) == 336 && AT(DRIVER_OBJECT, DeviceObject, 8) &&
		      AT(DRIVER_OBJECT, Flags, 0x10) && AT(DRIVER_OBJECT, DriverStart, 0x18) &&
		      AT(DRIVER_OBJECT, DriverSize, 0x20) &&
		      AT(DRIVER_OBJECT, DriverSection, 0x28) &&
		      AT(DRIVER_OBJECT, DriverExtension, 0x30) &&
		      AT(DRIVER_OBJECT, DriverName, 0x38) &&
		      AT(DRIVER_OBJECT, DriverUnload, 0x68) &&
		      AT(DRIVER_OBJECT, MajorFunction, 0x70),
	      "DRIVER_OBJECT");
	CHECK("AB-13",
	      ThisDriver->Type == IO_TYPE_OF_DRIVERS && ThisDriver->Size == sizeof(DRIVER_OBJECT),
	      "it says its type and size");
	CHECK("AB-13",
	      base[0] == 'M' && base[1] == 'Z' && (PUCHAR)(ULONG_PTR)CheckObject > base &&
		      (PUCHAR)(ULONG_PTR)CheckObject < base + ThisDriver->DriverSize,
	      "DriverStart and DriverSize are where this image is");
	CHECK("AB-13", ThisDriver->DriverSize == *(PULONG)(base + header + 0x50),
	      "DriverSize is the SizeOfImage of its header");
	CHECK("AB-13", ThisDriver->DriverExtension->DriverObject == ThisDriver,
	      "DriverExtension points back");
	CHECK("AB-13", EndsWith(&ThisDriver->DriverName, L"\\conform"),
	      "DriverName ends with the name of the service");
	CHECK("AB-13", ThisDriver->DeviceObject == NULL && ThisDriver->DriverUnload == NULL,
	      "there is no device and no unload routine yet");
	for (i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
		routines = (BOOLEAN)(ThisDriver->MajorFunction[i] != NULL && routines);
	CHECK("AB-13", routines && IRP_MJ_MAXIMUM_FUNCTION == 27,
	      "each of 28 major functions has a routine");
}

static VOID CheckModule(VOID)
{
	MODULE_ENTRY *entry = ThisDriver->DriverSection;

	CHECK("AB-14", AT(MODULE_ENTRY, Flags, 0x68), "Flags lies at 0x68 of the module entry");
	CHECK("AB-14",
	      entry->DllBase == ThisDriver->DriverStart &&
		      entry->SizeOfImage == ThisDriver->DriverSize,
	      "DriverSection points to the module entry of this image");
	CHECK("AB-14", EndsWith(&entry->BaseDllName, L"conform.sys"), "which has its file name");
	CHECK("AB-14", (entry->Flags & MODULE_INTEGRITY_FORCED) != 0,
	      "bit 0x20 of Flags says that it has FORCE_INTEGRITY");
	CHECK("AB-14",
	      entry->InLoadOrderLinks.Flink->Blink == &entry->InLoadOrderLinks &&
		      entry->InLoadOrderLinks.Blink->Flink == &entry->InLoadOrderLinks,
	      "it is linked with those of other modules");
}

VOID CheckDriverObject(PUNICODE_STRING RegistryPath)
{
	CheckObject();
	CheckModule();
	CHECK("AB-06", EndsWith(RegistryPath, L"\\conform"),
	      "the RegistryPath ends with the name of the service");
}
