/* SPDX-License-Identifier: MIT */
/*
 * A driver with the commonest mistake: it uses a pointer without looking. The first
 * process that is created after it was loaded shows it.
 */
#include <ntddk.h>

static LONG *NobodyAllocatedThis;

static VOID OnProcess(HANDLE ParentId, HANDLE ProcessId, BOOLEAN Create)
{
	UNREFERENCED_PARAMETER(ParentId);
	UNREFERENCED_PARAMETER(ProcessId);

	if (Create)
		++*(volatile LONG *)NobodyAllocatedThis;
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
	UNREFERENCED_PARAMETER(DriverObject);

	PsSetCreateProcessNotifyRoutine(OnProcess, TRUE);
}

NTSTATUS
DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
	UNREFERENCED_PARAMETER(RegistryPath);

	DriverObject->DriverUnload = Unload;
	return PsSetCreateProcessNotifyRoutine(OnProcess, FALSE);
}
