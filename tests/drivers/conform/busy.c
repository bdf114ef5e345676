/* SPDX-License-Identifier: MIT */
/*
 * Process routines that are removed while they run: during its first call for a
 * conform-child, each starts two threads that remove it and watches them. One must find
 * nothing, since the slot is emptied first, and the other wait until the call has returned.
 *
 * Clauses: PS-22 to PS-25, PS-28.
 */
#include "inflight.h"
#include "record.h"

typedef struct _BUSY BUSY;

typedef struct _REMOVER {
	BUSY *Busy;
	PVOID Thread;
	volatile NTSTATUS Status; /* PENDING until its removal has returned */
} REMOVER;

struct _BUSY {
	NTSTATUS (*Remove)(VOID);
	volatile LONG Calls; /* for a conform-child */
	volatile LONG Returned;
	KEVENT OneReturned, BothReturned;
	REMOVER Removers[2];
};

static BUSY Ex, Legacy;
static volatile LONG Children;

static VOID RemoveIt(PVOID Context)
{
	REMOVER *remover = Context;
	BUSY *busy = remover->Busy;

	remover->Status = busy->Remove();
	if (InterlockedIncrement(&busy->Returned) == 1)
		KeSetEvent(&busy->OneReturned, IO_NO_INCREMENT, FALSE);
	else
		KeSetEvent(&busy->BothReturned, IO_NO_INCREMENT, FALSE);
	PsTerminateSystemThread(STATUS_SUCCESS);
}

/* How many of the two removals have returned with this status. */
static ULONG CountStatus(BUSY *Busy, NTSTATUS Status)
{
	return (Busy->Removers[0].Status == Status) + (Busy->Removers[1].Status == Status);
}

/* In the call. Returns whether a removal still waited when the other had come back. */
static BOOLEAN BeRemoved(BUSY *Busy)
{
	ULONG i;

	for (i = 0; i < RTL_NUMBER_OF(Busy->Removers); i++) {
		Busy->Removers[i].Busy = Busy;
		Busy->Removers[i].Status = STATUS_PENDING;
	}
	for (i = 0; i < RTL_NUMBER_OF(Busy->Removers); i++)
		Busy->Removers[i].Thread = StartThread(RemoveIt, &Busy->Removers[i]);
	if (!Happens(&Busy->OneReturned, FOR_EVER))
		return FALSE;
	return (BOOLEAN)(!Happens(&Busy->BothReturned, A_WHILE) &&
			 CountStatus(Busy, STATUS_PENDING) == 1);
}

static BOOLEAN IsFirst(BUSY *Busy, HANDLE ProcessId)
{
	RECORD *record = RecordOfId(ProcessId);

	return (BOOLEAN)(record != NULL && record->Role == RoleChild && record->Watched &&
			 InterlockedIncrement(&Busy->Calls) == 1);
}

static VOID BusyEx(PEPROCESS Process, HANDLE ProcessId, PPS_CREATE_NOTIFY_INFO CreateInfo)
{
	UNREFERENCED_PARAMETER(Process);
	if (CreateInfo == NULL || !IsFirst(&Ex, ProcessId))
		return;
	CHECK("PS-22", BeRemoved(&Ex), "removal of an Ex routine waits while a call is in flight");
	CHECK("PS-25", CountStatus(&Ex, STATUS_PROCEDURE_NOT_FOUND) == 1,
	      "its slot is empty meanwhile (inferred)");
}

static VOID BusyLegacy(HANDLE ParentId, HANDLE ProcessId, BOOLEAN Create)
{
	UNREFERENCED_PARAMETER(ParentId);
	if (!Create || !IsFirst(&Legacy, ProcessId))
		return;
	CHECK("PS-23", BeRemoved(&Legacy),
	      "removal of a legacy routine waits while a call is in flight (inferred)");
	CHECK("PS-25", CountStatus(&Legacy, STATUS_PROCEDURE_NOT_FOUND) == 1,
	      "a legacy routine's slot is empty meanwhile too (inferred)");
}

static NTSTATUS RemoveEx(VOID)
{
	return PsSetCreateProcessNotifyRoutineEx(BusyEx, TRUE);
}

static NTSTATUS RemoveLegacy(VOID)
{
	return PsSetCreateProcessNotifyRoutine(BusyLegacy, TRUE);
}

static VOID Initialise(BUSY *Busy, NTSTATUS (*Remove)(VOID))
{
	Busy->Remove = Remove;
	KeInitializeEvent(&Busy->OneReturned, NotificationEvent, FALSE);
	KeInitializeEvent(&Busy->BothReturned, NotificationEvent, FALSE);
}

NTSTATUS RegisterBusyRoutines(VOID)
{
	NTSTATUS status;

	Initialise(&Ex, RemoveEx);
	Initialise(&Legacy, RemoveLegacy);
	status = PsSetCreateProcessNotifyRoutineEx(BusyEx, FALSE);
	if (NT_SUCCESS(status))
		status = PsSetCreateProcessNotifyRoutine(BusyLegacy, FALSE);
	return status;
}

VOID NoteChild(VOID)
{
	InterlockedIncrement(&Children);
}

static VOID Finish(BUSY *Busy)
{
	if (Busy->Calls == 0) {
		Busy->Remove();
		return;
	}
	JoinThread(Busy->Removers[0].Thread);
	JoinThread(Busy->Removers[1].Thread);
	CHECK("PS-22", CountStatus(Busy, STATUS_SUCCESS) == 1,
	      "removal succeeds when the call has returned");
	CHECK("PS-28",
	      CountStatus(Busy, STATUS_SUCCESS) == 1 &&
		      CountStatus(Busy, STATUS_PROCEDURE_NOT_FOUND) == 1,
	      "of two removers one succeeds and the other finds nothing (inferred)");
	if (Children > 1)
		CHECK("PS-24", Busy->Calls == 1,
		      "a routine is not called for a process that comes after it (inferred)");
}

VOID UnregisterBusyRoutines(VOID)
{
	Finish(&Ex);
	Finish(&Legacy);
}
