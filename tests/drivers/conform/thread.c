/* SPDX-License-Identifier: MIT */
/*
 * Thread routines that stay, of all three kinds, and one that is added twice.
 *
 * Clauses: PS-34, PS-39, PS-49, PS-58, PS-63, PS-66, PS-68 to PS-72, PS-84.
 */
#include "record.h"

static VOID CheckIds(HANDLE ProcessId, HANDLE ThreadId)
{
	PEPROCESS process;
	PETHREAD thread;

	CHECK("PS-63", ThreadId != NULL && ((ULONG_PTR)ThreadId & 3) == 0,
	      "a thread id is a multiple of 4 and not 0");
	CHECK("PS-63", !NT_SUCCESS(PsLookupProcessByProcessId(ThreadId, &process)),
	      "no process has the id of a thread");
	if (!NT_SUCCESS(PsLookupThreadByThreadId(ThreadId, &thread)))
		thread = NULL;
	CHECK("PS-39",
	      thread != NULL && PsGetThreadId(thread) == ThreadId &&
		      PsGetThreadProcessId(thread) == ProcessId,
	      "a thread id can be looked up inside (inferred)");
	if (thread != NULL)
		ObDereferenceObject(thread);
}

static VOID CheckIrql(BOOLEAN Create)
{
	KIRQL irql = KeGetCurrentIrql();

	CHECK("PS-68",
	      irql == PASSIVE_LEVEL || (Parameters.Observed && Create && irql == APC_LEVEL),
	      "IRQL is PASSIVE_LEVEL, or APC_LEVEL of a creation in the observed profile");
}

static VOID CheckCall(HANDLE ProcessId, HANDLE ThreadId, BOOLEAN Create)
{
	CheckIrql(Create);
	CHECK("PS-68", Create == TRUE || Create == FALSE, "Create is TRUE or FALSE");
	if (Create)
		CHECK("PS-69", PsGetCurrentThreadId() != ThreadId,
		      "a creation is told on the creating thread");
	else
		CHECK("PS-69",
		      PsGetCurrentThreadId() == ThreadId && PsGetCurrentProcessId() == ProcessId,
		      "an exit is told on the exiting thread");
	CheckIds(ProcessId, ThreadId);
}

/* The initial thread of a process made by one call. */
static VOID CheckInitial(RECORD *Record, HANDLE ThreadId)
{
	Record->InitialThread = ThreadId;
	if (!Record->Watched || Record->Role != RoleChild)
		return;
	CHECK("PS-84", Record->Creations == 1 && Record->CreatorThread == PsGetCurrentThreadId(),
	      "after the process its initial thread is told, on the same thread");
	CHECK("PS-84", Record->CreatorEvents == 0, "before the creator gets its handles");
}

static VOID All(HANDLE ProcessId, HANDLE ThreadId, BOOLEAN Create)
{
	RECORD *record = RecordOfId(ProcessId);

	CheckCall(ProcessId, ThreadId, Create);
	if (record == NULL)
		return;
	if (!Create) {
		InterlockedIncrement(&record->ThreadExits);
		record->LastExited = ThreadId;
	} else if (InterlockedIncrement(&record->ThreadCreates) == 1 && record->Creations != 0) {
		CheckInitial(record, ThreadId);
	}
}

static VOID Plain(HANDLE ProcessId, HANDLE ThreadId, BOOLEAN Create)
{
	RECORD *record = RecordOfId(ProcessId);

	CheckCall(ProcessId, ThreadId, Create);
	if (record != NULL && Create)
		InterlockedIncrement(&record->PlainCreates);
}

static VOID Twice(HANDLE ProcessId, HANDLE ThreadId, BOOLEAN Create)
{
	RECORD *record = RecordOfId(ProcessId);

	UNREFERENCED_PARAMETER(ThreadId);
	if (record != NULL && Create)
		InterlockedIncrement(&record->TwiceCreates);
}

static VOID Starts(HANDLE ProcessId, HANDLE ThreadId, BOOLEAN Create)
{
	RECORD *record = RecordOfId(ProcessId);

	CHECK("PS-70", PsGetCurrentThreadId() == ThreadId && PsGetCurrentProcessId() == ProcessId,
	      "NonSystem is called on the new thread");
	CHECK("PS-70", !PsIsSystemThread(PsGetCurrentThread()), "never for a system thread");
	CHECK("PS-71", Create, "and with Create TRUE");
	if (record == NULL)
		return;
	InterlockedIncrement(&record->Starts);
	if (record->Watched) {
		CHECK("PS-34", record->Creations == 1,
		      "when a thread of it begins to run, the process has been announced");
		CHECK("PS-49", !record->Vetoed, "and has not been refused");
	}
}

#define AS_EX(Routine) ((PVOID)(ULONG_PTR)(Routine))

NTSTATUS RegisterThreadRoutines(VOID)
{
	NTSTATUS status = PsSetCreateThreadNotifyRoutine(Plain);

	if (!NT_SUCCESS(status))
		return status;
	PsSetCreateThreadNotifyRoutineEx(PsCreateThreadNotifyNonSystem, AS_EX(Starts));
	PsSetCreateThreadNotifyRoutineEx(PsCreateThreadNotifySubsystems, AS_EX(All));
	PsSetCreateThreadNotifyRoutine(Twice);
	return PsSetCreateThreadNotifyRoutine(Twice);
}

VOID UnregisterThreadRoutines(VOID)
{
	CHECK_STATUS("PS-67", PsRemoveCreateThreadNotifyRoutine(Plain), STATUS_SUCCESS,
		     "a thread routine that was called is removed");
	CHECK_STATUS("PS-67", PsRemoveCreateThreadNotifyRoutine(Starts), STATUS_SUCCESS,
		     "and one of the NonSystem type");
	CHECK_STATUS("PS-67", PsRemoveCreateThreadNotifyRoutine(All), STATUS_SUCCESS,
		     "and one of the Subsystems type");
	CHECK_STATUS("PS-66", PsRemoveCreateThreadNotifyRoutine(Twice), STATUS_SUCCESS,
		     "one that was called twice is removed once (inferred)");
	CHECK_STATUS("PS-66", PsRemoveCreateThreadNotifyRoutine(Twice), STATUS_SUCCESS,
		     "and a second time (inferred)");
}
