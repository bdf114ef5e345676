/* SPDX-License-Identifier: MIT */
/*
 * Process routines that stay, of all three kinds, in slots in this order:
 *
 *	a  First	Ex2	begins the record; opens the process
 *	b  Second	Ex	refuses those whose part it is
 *	c  Third	legacy
 *	d  Last		Ex2	lets one pass again; judges the order
 *	   Twice	Ex	added twice
 *	   Thrice	each	one address as legacy, Ex and Ex2
 *	   Late		legacy	added inside the first dispatch for a conform-child, and
 *				removed inside the first for a conform-orphan
 *
 * First is registered last, into the slot of a routine that has been removed.
 *
 * Clauses: PS-7, PS-8, PS-11 to PS-13, PS-24, PS-30 to PS-33, PS-36, PS-48, PS-50, PS-59, PS-87.
 */
#include "inflight.h"
#include "record.h"

volatile LONG LateState;

static volatile LONG TwiceAdded;

/* ---- Creation -------------------------------------------------------------------------- */

static VOID RememberName(RECORD *Record, PCUNICODE_STRING Image)
{
	UNICODE_STRING name;

	if (Image == NULL)
		return;
	name = LastComponent(Image);
	if (name.Length > sizeof(Record->Name))
		return;
	RtlCopyMemory(Record->Name, name.Buffer, name.Length);
	Record->NameLength = name.Length;
}

/* So that an object callback sees the process before Last does. */
static VOID OpenIt(PEPROCESS Process)
{
	HANDLE handle;

	if (NT_SUCCESS(ObOpenObjectByPointer(Process, OBJ_KERNEL_HANDLE, NULL, SYNCHRONIZE,
					     *PsProcessType, KernelMode, &handle)))
		ZwClose(handle);
}

static VOID Begin(RECORD *Record, PPS_CREATE_NOTIFY_INFO CreateInfo)
{
	CHECK("PS-36", InterlockedIncrement(&Record->Creations) == 1,
	      "a process is announced once");
	CHECK("PS-34", Record->Starts == 0, "no thread of it has begun to run");
	CHECK("PS-48", !NT_SUCCESS(CreateInfo->CreationStatus) ? !Parameters.Alone : TRUE,
	      "CreationStatus is a success for the first routine (inferred)");
	Record->Watched = Watching;
	Record->Subsystem = CreateInfo->IsSubsystemProcess ? TRUE : FALSE;
	Record->CreatorThread = PsGetCurrentThreadId();
	RememberName(Record, CreateInfo->ImageFileName);
}

static VOID First(PEPROCESS Process, HANDLE ProcessId, PPS_CREATE_NOTIFY_INFO CreateInfo)
{
	RECORD *record = RecordOf(Process);

	if (record == NULL)
		return;
	if (CreateInfo == NULL) {
		RecordCall(record, 'a');
		CheckExit(record, Process, ProcessId);
		return;
	}
	Begin(record, CreateInfo);
	RecordCall(record, 'a');
	CheckCreation(record, Process, ProcessId, CreateInfo);
	CheckCreationByRole(record, CreateInfo);
	if (record->Subsystem)
		CHECK("PS-33", record->Creations == 1, "Ex2 hears of a subsystem process");
	else
		CHECK("PS-33", record->Creations == 1, "Ex2 hears of a Win32 process");
	record->InDispatch = TRUE;
	if (record->Role == RoleChild && record->Watched) {
		NoteChild();
		OpenIt(Process);
	}
}

#define WARNING_STATUS ((NTSTATUS)0x80000005) /* STATUS_BUFFER_OVERFLOW */

static VOID Refuse(RECORD *Record, PPS_CREATE_NOTIFY_INFO CreateInfo)
{
	switch (Record->Role) {
	case RoleVeto:
		CreateInfo->CreationStatus = STATUS_ACCESS_DENIED;
		Record->Vetoed = TRUE;
		break;
	case RoleWarn:
		CreateInfo->CreationStatus = WARNING_STATUS;
		Record->Vetoed = TRUE;
		break;
	case RolePardon:
		CreateInfo->CreationStatus = STATUS_ACCESS_DENIED;
		break;
	default:
		break;
	}
}

static VOID Second(PEPROCESS Process, HANDLE ProcessId, PPS_CREATE_NOTIFY_INFO CreateInfo)
{
	RECORD *record = RecordOf(Process);

	if (record == NULL)
		return;
	RecordCall(record, 'b');
	CHECK("PS-32", Process == record->Process, "Ex is given the same process as Ex2");
	if (CreateInfo == NULL)
		return;
	InterlockedIncrement(&record->ExCalls);
	CHECK("PS-43", !CreateInfo->IsSubsystemProcess,
	      "IsSubsystemProcess is never set in an Ex call");
	CheckCreation(record, Process, ProcessId, CreateInfo);
	Refuse(record, CreateInfo);
}

/* ParentId and ProcessId are numbers, there is no status to store to. */
static VOID Third(HANDLE ParentId, HANDLE ProcessId, BOOLEAN Create)
{
	RECORD *record = RecordOfId(ProcessId);

	if (record == NULL)
		return;
	RecordCall(record, 'c');
	if (Create) {
		InterlockedIncrement(&record->LegacyCalls);
		record->ParentTold = ParentId;
		CHECK("PS-31", Create == TRUE && record->Creations == 1,
		      "Create is TRUE for a creation");
		CHECK("PS-62",
		      KeGetCurrentIrql() == PASSIVE_LEVEL && KeAreApcsDisabled() &&
			      !KeAreAllApcsDisabled(),
		      "legacy routines too run in a critical region");
	} else if (record->LegacyCalls != 0) {
		CHECK("PS-31", PsGetCurrentProcessId() == ProcessId,
		      "Create is FALSE for an exit, with the id of the creation");
		CHECK("PS-59", record->ParentTold == ParentId,
		      "the parent id on exit is the one of the creation (inferred)");
	}
}

static VOID Late(HANDLE ParentId, HANDLE ProcessId, BOOLEAN Create)
{
	RECORD *record = RecordOfId(ProcessId);

	UNREFERENCED_PARAMETER(ParentId);
	if (record != NULL && Create)
		InterlockedIncrement(&record->LateCalls);
}

/* A routine may add another. Whether that one is called in this dispatch is open; in the
 * next it is (exit.c). */
static VOID AddLate(VOID)
{
	if (InterlockedCompareExchange(&LateState, LateAdded, LateAbsent) == LateAbsent)
		CHECK_STATUS("PS-30", PsSetCreateProcessNotifyRoutine(Late, FALSE), STATUS_SUCCESS,
			     "a routine can be added inside a dispatch (inferred)");
}

/* It waits for its calls in flight; on this thread there is none. */
static VOID RemoveLate(VOID)
{
	if (InterlockedCompareExchange(&LateState, LateRemoved, LateAdded) == LateAdded)
		CHECK_STATUS("PS-24", PsSetCreateProcessNotifyRoutine(Late, TRUE), STATUS_SUCCESS,
			     "a routine can be removed inside another's call (inferred)");
}

static VOID EndDispatch(RECORD *Record, PPS_CREATE_NOTIFY_INFO CreateInfo)
{
	if (Record->Subsystem)
		CHECK("PS-13", RecordCallsWere(Record, "ad"),
		      "of a subsystem process, the Ex2 routines are called in slot order");
	else
		CHECK("PS-13", RecordCallsWere(Record, "abcd"),
		      "slots are visited in ascending order, mixing kinds as they lie");
	CHECK("PS-12", Record->Order[0] == 'a',
	      "the last routine added took the lowest free slot, so it was the first to be called");
	Record->OrderLength = 0;
	if (Record->Role == RoleChild && Record->Watched)
		CHECK("PS-87", Record->OpenedInDispatch,
		      "an object callback saw the process before this create routine");
	Record->InDispatch = FALSE;

	if (Record->Role == RoleVeto)
		CHECK_STATUS("PS-50", CreateInfo->CreationStatus, STATUS_ACCESS_DENIED,
			     "a later slot is called all the same and sees the veto");
	if (Record->Role == RolePardon)
		CreateInfo->CreationStatus = STATUS_SUCCESS;
	if (Record->Role == RoleChild && Record->Watched)
		AddLate();
	if (Record->Role == RoleOrphan && Record->Watched)
		RemoveLate();
}

static VOID Last(PEPROCESS Process, HANDLE ProcessId, PPS_CREATE_NOTIFY_INFO CreateInfo)
{
	RECORD *record = RecordOf(Process);

	if (record == NULL)
		return;
	RecordCall(record, 'd');
	if (CreateInfo != NULL) {
		CheckCreation(record, Process, ProcessId, CreateInfo);
		EndDispatch(record, CreateInfo);
		return;
	}
	if (record->Watched)
		CHECK("PS-13", RecordCallsWere(record, record->Subsystem ? "ad" : "abcd"),
		      "slots are visited in ascending order for exits too");
	RecordEnd(record);
}

static VOID Twice(PEPROCESS Process, HANDLE ProcessId, PPS_CREATE_NOTIFY_INFO CreateInfo)
{
	RECORD *record = RecordOfId(ProcessId);

	UNREFERENCED_PARAMETER(Process);
	if (record != NULL && CreateInfo != NULL)
		InterlockedIncrement(&record->TwiceCalls);
}

/* Called as any kind: what the first and the third argument are it cannot know. */
static VOID Thrice(PVOID Unknown, HANDLE ProcessId, PVOID Unknown2)
{
	RECORD *record = RecordOfId(ProcessId);

	UNREFERENCED_PARAMETER(Unknown);
	UNREFERENCED_PARAMETER(Unknown2);
	if (record != NULL)
		InterlockedIncrement(&record->ThriceCalls);
}

/* ---- Registration ------------------------------------------------------------------------ */

#define AS_LEGACY(Routine) ((PCREATE_PROCESS_NOTIFY_ROUTINE)(ULONG_PTR)(Routine))
#define AS_EX(Routine) ((PCREATE_PROCESS_NOTIFY_ROUTINE_EX)(ULONG_PTR)(Routine))
#define AS_EX2(Routine) PsCreateProcessNotifySubsystems, ((PVOID)(ULONG_PTR)(Routine))

NTSTATUS RegisterProcessRoutines(VOID)
{
	NTSTATUS status;

	status = PsSetCreateProcessNotifyRoutine(AS_LEGACY(Slot(0)), FALSE);
	if (!NT_SUCCESS(status))
		return status;
	PsSetCreateProcessNotifyRoutineEx(Second, FALSE);
	PsSetCreateProcessNotifyRoutine(Third, FALSE);
	PsSetCreateProcessNotifyRoutineEx2(AS_EX2(Last), FALSE);
	PsSetCreateProcessNotifyRoutineEx(Twice, FALSE);
	TwiceAdded = NT_SUCCESS(PsSetCreateProcessNotifyRoutineEx(Twice, FALSE)) ? 2 : 1;
	PsSetCreateProcessNotifyRoutineEx2(AS_EX2(Twice), TRUE); /* not how it was added */
	PsSetCreateProcessNotifyRoutine(AS_LEGACY(Thrice), FALSE);
	PsSetCreateProcessNotifyRoutineEx(AS_EX(Thrice), FALSE);
	PsSetCreateProcessNotifyRoutineEx2(AS_EX2(Thrice), FALSE);
	RegisterBusyRoutines();
	PsSetCreateProcessNotifyRoutine(AS_LEGACY(Slot(0)), TRUE);
	return PsSetCreateProcessNotifyRoutineEx2(AS_EX2(First), FALSE);
}

VOID UnregisterProcessRoutines(VOID)
{
	CHECK_STATUS("PS-02", PsSetCreateProcessNotifyRoutineEx2(AS_EX2(First), TRUE),
		     STATUS_SUCCESS, "an Ex2 routine that was called is removed");
	CHECK_STATUS("PS-01", PsSetCreateProcessNotifyRoutineEx(Second, TRUE), STATUS_SUCCESS,
		     "an Ex routine that was called is removed");
	CHECK_STATUS("PS-01", PsSetCreateProcessNotifyRoutine(Third, TRUE), STATUS_SUCCESS,
		     "a legacy routine that was called is removed");
	PsSetCreateProcessNotifyRoutineEx2(AS_EX2(Last), TRUE);
	while (TwiceAdded != 0) {
		PsSetCreateProcessNotifyRoutineEx(Twice, TRUE);
		TwiceAdded--;
	}
	PsSetCreateProcessNotifyRoutine(AS_LEGACY(Thrice), TRUE);
	PsSetCreateProcessNotifyRoutineEx(AS_EX(Thrice), TRUE);
	PsSetCreateProcessNotifyRoutineEx2(AS_EX2(Thrice), TRUE);
	UnregisterBusyRoutines();
	if (LateState == LateAdded)
		PsSetCreateProcessNotifyRoutine(Late, TRUE);
	CheckExitsAtTheEnd();
}
