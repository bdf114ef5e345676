/* SPDX-License-Identifier: MIT */
/*
 * Processes: who may start, and who is protected from then on.
 *
 * The routine runs at PASSIVE_LEVEL with normal kernel APCs disabled, on creation
 * on the creating thread, before the new process has run an instruction. It is
 * registered with Ex2, so it hears of the processes of every subsystem; those of
 * the Windows Subsystem for Linux version 1 would be hidden from Ex. Windows 10 1703
 * has Ex2, so importing it keeps the driver off anything older.
 */
#include "warden.h"

static VOID OnProcess(PEPROCESS Process, HANDLE ProcessId, PPS_CREATE_NOTIFY_INFO CreateInfo);
static VOID OnCreate(HANDLE ProcessId, PPS_CREATE_NOTIFY_INFO CreateInfo);
static VOID OnExit(HANDLE ProcessId);

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, WardenRegisterProcessNotify)
#pragma alloc_text(PAGE, WardenUnregisterProcessNotify)
#pragma alloc_text(PAGE, OnProcess)
#pragma alloc_text(PAGE, OnCreate)
#pragma alloc_text(PAGE, OnExit)
#endif

static VOID OnCreate(HANDLE ProcessId, PPS_CREATE_NOTIFY_INFO CreateInfo)
{
	PCUNICODE_STRING image = CreateInfo->ImageFileName;

	PAGED_CODE();

	InterlockedIncrement(&WardenCounters.ProcessesCreated);

	/*
	 * Ids are used again. If the exit of the process that had this one has
	 * escaped us, its protection must not pass to the newcomer.
	 */
	WardenUnprotect(ProcessId);

	/* Another driver has refused it; its reason stands. */
	if (!NT_SUCCESS(CreateInfo->CreationStatus))
		return;

	if (WardenIsDenied(image)) {
		CreateInfo->CreationStatus = STATUS_ACCESS_DENIED;
		InterlockedIncrement(&WardenCounters.ProcessesDenied);
		WardenLog(DPFLTR_WARNING_LEVEL, "denied %wZ to process %lu", image,
			  HandleToUlong(CreateInfo->CreatingThreadId.UniqueProcess));
		return;
	}

	if (WardenShallProtect(image)) {
		NTSTATUS status = WardenProtect(ProcessId);

		if (!NT_SUCCESS(status)) {
			/* It was promised protection: better not at all than without. */
			CreateInfo->CreationStatus = status;
			WardenLog(DPFLTR_ERROR_LEVEL, "cannot protect %wZ: 0x%08lX", image, status);
			return;
		}
		InterlockedIncrement(&WardenCounters.ProcessesProtected);
		WardenLog(DPFLTR_INFO_LEVEL, "protecting %wZ, process %lu", image,
			  HandleToUlong(ProcessId));
	}
}

/* Also called for processes that were there before us, and for denied ones. */
static VOID OnExit(HANDLE ProcessId)
{
	PAGED_CODE();

	if (WardenUnprotect(ProcessId))
		WardenLog(DPFLTR_INFO_LEVEL, "protected process %lu has ended",
			  HandleToUlong(ProcessId));
}

static VOID OnProcess(PEPROCESS Process, HANDLE ProcessId, PPS_CREATE_NOTIFY_INFO CreateInfo)
{
	UNREFERENCED_PARAMETER(Process);
	PAGED_CODE();

	if (CreateInfo != NULL)
		OnCreate(ProcessId, CreateInfo);
	else
		OnExit(ProcessId);
}

/* STATUS_ACCESS_DENIED means that the image was linked without /INTEGRITYCHECK. */
NTSTATUS
WardenRegisterProcessNotify(VOID)
{
	return PsSetCreateProcessNotifyRoutineEx2(PsCreateProcessNotifySubsystems,
						  (PVOID)(ULONG_PTR)OnProcess, FALSE);
}

/* Returns when no call is in flight any more. */
VOID WardenUnregisterProcessNotify(VOID)
{
	PAGED_CODE();

	PsSetCreateProcessNotifyRoutineEx2(PsCreateProcessNotifySubsystems,
					   (PVOID)(ULONG_PTR)OnProcess, TRUE);
}
