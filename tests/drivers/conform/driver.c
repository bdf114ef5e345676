/* SPDX-License-Identifier: MIT */
/*
 * Entry and unload.
 *
 * First come the checks that need nobody else: they register, ask and remove, and leave
 * nothing. Then the callbacks are registered that stay until unload and check what they
 * are called for; the object callbacks last and unregistered first, since they use the
 * records that the process routines keep.
 */
#include "conform.h"
#include "record.h"

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD ConformUnload;

PDRIVER_OBJECT ThisDriver;

static MODULE_ENTRY *ThisModule(VOID)
{
	return (MODULE_ENTRY *)ThisDriver->DriverSection;
}

VOID ForgetIntegrity(VOID)
{
	ThisModule()->Flags &= ~MODULE_INTEGRITY_FORCED;
}

VOID RecallIntegrity(VOID)
{
	ThisModule()->Flags |= MODULE_INTEGRITY_FORCED;
}

PVOID AddressInNoModule(VOID)
{
	return ExAllocatePoolWithTag(NonPagedPoolNx, 64, CONFORM_TAG);
}

VOID FreeAddressInNoModule(PVOID Address)
{
	if (Address != NULL)
		ExFreePoolWithTag(Address, CONFORM_TAG);
}

PVOID FindExport(PCWSTR Name)
{
	UNICODE_STRING name;

	RtlInitUnicodeString(&name, Name);
	return MmGetSystemRoutineAddress(&name);
}

static NTSTATUS RegisterAll(VOID)
{
	NTSTATUS status;

	status = RegisterProcessRoutines();
	if (!NT_SUCCESS(status))
		return status;
	status = RegisterThreadRoutines();
	if (!NT_SUCCESS(status))
		goto UnregisterProcesses;
	status = RegisterImageRoutines();
	if (!NT_SUCCESS(status))
		goto UnregisterThreads;
	status = RegisterObjectCallbacks();
	if (!NT_SUCCESS(status))
		goto UnregisterImages;
	return STATUS_SUCCESS;

UnregisterImages:
	UnregisterImageRoutines();
UnregisterThreads:
	UnregisterThreadRoutines();
UnregisterProcesses:
	UnregisterProcessRoutines();
	return status;
}

NTSTATUS
DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
	NTSTATUS status;

	ThisDriver = DriverObject;
	ConformReadParameters(RegistryPath);
	ConformPrint("profile %s%s%s\n", Parameters.Observed ? "observed" : "documented",
		     Parameters.Alone ? ", alone" : "", Parameters.Invasive ? ", invasive" : "");

	CheckBinaryInterface();
	CheckDriverObject(RegistryPath);
	CheckProcessRegistration();
	CheckThreadRegistration();
	CheckImageRegistration();
	CheckObjectRegistration();
	CheckAltitudes();
	CheckHandleOperations();
	CheckAccessMasks();
	CheckRemovalInFlight();

	InitialiseRecords();
	status = RegisterAll();
	if (!NT_SUCCESS(status)) {
		ConformPrint("cannot stay: 0x%08lX\n", status);
		FreeRecords();
		ConformSummarise();
		return status;
	}
	Watching = TRUE;
	DriverObject->DriverUnload = ConformUnload;
	ConformPrint("waiting for something to happen\n");
	return STATUS_SUCCESS;
}

VOID ConformUnload(PDRIVER_OBJECT DriverObject)
{
	UNREFERENCED_PARAMETER(DriverObject);

	UnregisterObjectCallbacks();
	UnregisterImageRoutines();
	UnregisterThreadRoutines();
	UnregisterProcessRoutines();
	FreeRecords();
	ConformSummarise();
}
