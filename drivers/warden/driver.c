/* SPDX-License-Identifier: MIT */
/*
 * Entry and unload.
 *
 * What is set up first is taken down last: callbacks may come from the moment of
 * their registration until the call that removes them has returned, and in that
 * time they use the configuration and the set of protected processes.
 */
#include "warden.h"

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(PAGE, WardenUnload)
#endif

WARDEN_COUNTERS WardenCounters;

NTSTATUS
DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
	NTSTATUS status;

	status = WardenReadConfiguration(RegistryPath);
	if (!NT_SUCCESS(status)) {
		WardenLog(DPFLTR_ERROR_LEVEL, "cannot read the configuration: 0x%08lX", status);
		return status;
	}

	WardenInitializeProtected();

	status = WardenRegisterProcessNotify();
	if (!NT_SUCCESS(status)) {
		WardenLog(DPFLTR_ERROR_LEVEL, "cannot watch processes: 0x%08lX", status);
		goto FreeConfiguration;
	}

	status = WardenRegisterObjectCallbacks();
	if (!NT_SUCCESS(status)) {
		WardenLog(DPFLTR_ERROR_LEVEL, "cannot watch handles: 0x%08lX", status);
		goto UnregisterProcessNotify;
	}

	DriverObject->DriverUnload = WardenUnload;
	WardenLog(DPFLTR_INFO_LEVEL, "on duty at altitude %ws", WARDEN_ALTITUDE);
	return STATUS_SUCCESS;

UnregisterProcessNotify:
	WardenUnregisterProcessNotify();
	WardenFreeProtected(); /* processes may have been created meanwhile */
FreeConfiguration:
	WardenFreeConfiguration();
	return status;
}

VOID WardenUnload(PDRIVER_OBJECT DriverObject)
{
	UNREFERENCED_PARAMETER(DriverObject);
	PAGED_CODE();

	WardenUnregisterObjectCallbacks();
	WardenUnregisterProcessNotify();
	WardenFreeProtected();
	WardenFreeConfiguration();

	WardenLog(DPFLTR_INFO_LEVEL,
		  "off duty: %ld processes seen, %ld denied, %ld protected, %ld handles stripped",
		  WardenCounters.ProcessesCreated, WardenCounters.ProcessesDenied,
		  WardenCounters.ProcessesProtected, WardenCounters.HandlesStripped);
}
