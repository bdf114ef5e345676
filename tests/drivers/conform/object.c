/* SPDX-License-Identifier: MIT */
/*
 * Object callbacks that stay: Upper, with pre and post for both operations on processes,
 * threads and desktops; Lower, with post alone for creations of handles to processes and
 * threads.
 *
 * Upper leaves a description of the operation in CallContext, which its post routine
 * compares and frees; how many are under way is counted.
 *
 * Clauses: OB-6, OB-26, OB-29, OB-30, OB-32, OB-35 to OB-39, OB-43 to OB-49, OB-53, OB-54,
 * OB-59, OB-62, PS-35, PS-55, PS-60, PS-84, PS-85, PS-87, AB-9, AB-22.
 */
#include "record.h"

#define UPPER_ALTITUDE L"385960.8001"
#define LOWER_ALTITUDE L"385960.8000"

typedef struct _OPERATION {
	PVOID Object;
	PVOID Thread;
	OB_OPERATION Operation;
	ACCESS_MASK Original, Left;
	ACCESS_MASK Retained;
	BOOLEAN Stripped;
} OPERATION;

static PVOID UpperHandle, LowerHandle;
static CHAR UpperContext, LowerContext;
static volatile LONG UnderWay;

/* ---- Which process ----------------------------------------------------------------------- */

/* Of a process or a thread; NULL of a desktop, or without memory. */
static RECORD *RecordOfObject(PVOID Object, POBJECT_TYPE Type)
{
	if (Type == *PsProcessType)
		return RecordOf((PEPROCESS)Object);
	if (Type == *PsThreadType)
		return RecordOfId(PsGetThreadProcessId((PETHREAD)Object));
	return NULL;
}

/* A fork of a process that plays the same part. */
static BOOLEAN IsClone(PEPROCESS Process)
{
	BOOLEAN clone = FALSE;
	PEPROCESS parent;

	if (NT_SUCCESS(PsLookupProcessByProcessId(PsGetProcessInheritedFromUniqueProcessId(Process),
						  &parent))) {
		clone = (BOOLEAN)(RoleOf(parent) == RoleClone);
		ObDereferenceObject(parent);
	}
	return clone;
}

static VOID NoteOpener(RECORD *Record)
{
	HANDLE opener = PsGetCurrentProcessId();

	if (Record->FirstOpener == NULL)
		Record->FirstOpener = opener;
	if (Record->LastOpener != opener) {
		Record->LastOpener = opener;
		Record->OpensByLast = 0;
	}
	Record->OpensByLast++;
	if (Record->Creations == 0)
		Record->OpenedBefore = TRUE;
	if (Record->InDispatch)
		Record->OpenedInDispatch = TRUE;
}

/* ---- Pre: checks of any operation ---------------------------------------------------------- */

static VOID CheckContext(VOID)
{
	KIRQL irql = KeGetCurrentIrql();

	CHECK("OB-46", KeAreApcsDisabled(), "object callbacks run with normal kernel APCs off");
	CHECK("OB-46",
	      Parameters.Observed ? irql <= APC_LEVEL
				  : irql == PASSIVE_LEVEL && !KeAreAllApcsDisabled(),
	      "at PASSIVE_LEVEL with special ones on, or in the observed profile at APC_LEVEL");
}

static VOID CheckPreInformation(PVOID Context, POB_PRE_OPERATION_INFORMATION Information)
{
	POBJECT_TYPE type = Information->ObjectType;

	CHECK("OB-36", Context == &UpperContext, "pre gets the context of its registration");
	CHECK("OB-37",
	      type == *PsProcessType || type == *PsThreadType || type == *ExDesktopObjectType,
	      "ObjectType is one of those registered for");
	CHECK("OB-37", ObGetObjectType(Information->Object) == type, "and is that of the object");
	CHECK("OB-37",
	      Information->Operation == OB_OPERATION_HANDLE_CREATE ||
		      Information->Operation == OB_OPERATION_HANDLE_DUPLICATE,
	      "Operation has exactly one bit");
	CHECK("AB-08", (Information->Flags & ~1u) == 0, "the other bits of Flags are 0");
	CHECK("OB-39", Information->CallContext == NULL, "CallContext is NULL on entry");
	if (type == *ExDesktopObjectType)
		CHECK("OB-06", Information->Object != NULL, "handles to desktops trigger");
}

static VOID CheckMasks(POB_PRE_OPERATION_INFORMATION Information)
{
	OB_PRE_CREATE_HANDLE_INFORMATION *told = &Information->Parameters->CreateHandleInformation;
	ACCESS_MASK original = told->OriginalDesiredAccess;

	CHECK("OB-47", !(original & 0xF2000000),
	      "no generic right and no MAXIMUM_ALLOWED reaches a callback");
	if (Information->ObjectType == *PsProcessType)
		CHECK("OB-48",
		      (!(original & PROCESS_QUERY_INFORMATION) ||
		       (original & PROCESS_QUERY_LIMITED_INFORMATION)) &&
			      (!(original & PROCESS_SET_INFORMATION) ||
			       (original & PROCESS_SET_LIMITED_INFORMATION)),
		      "0x400 never arrives without 0x1000, nor 0x200 without 0x2000");
	CHECK("OB-51", !(told->DesiredAccess & ~original),
	      "DesiredAccess has nothing that was not asked for");
	if (Parameters.Alone)
		CHECK("OB-49", told->DesiredAccess == original,
		      "the highest altitude is shown what was asked for");
	if (Information->Operation == OB_OPERATION_HANDLE_DUPLICATE) {
		OB_PRE_DUPLICATE_HANDLE_INFORMATION *both =
			&Information->Parameters->DuplicateHandleInformation;

		CHECK("OB-59",
		      ObGetObjectType(both->SourceProcess) == *PsProcessType &&
			      ObGetObjectType(both->TargetProcess) == *PsProcessType,
		      "a duplication has a source and a target process");
	}
}

/* ---- Pre: by the part that the process plays -------------------------------------------------- */

/* A handle that the creator gets with the process. */
static VOID CheckCreatorsHandle(RECORD *Record, POB_PRE_OPERATION_INFORMATION Information)
{
	if (!Record->Watched || Record->Starts != 0 || Information->KernelHandle ||
	    Record->CreatorThread != PsGetCurrentThreadId())
		return;
	Record->CreatorEvents++;
	if (Record->Role != RoleChild)
		return;
	CHECK("PS-84", Record->Creations == 1 && Record->ThreadCreates == 1,
	      "the creator's handles come after process and thread have been told");
	CHECK("OB-24", Information->Operation == OB_OPERATION_HANDLE_CREATE,
	      "they are told as creations");
	CHECK("OB-32",
	      Information->Parameters->CreateHandleInformation.OriginalDesiredAccess == 0x1FFFFF,
	      "and as opens for all access, typically");
}

static VOID CheckProcessByRole(RECORD *Record, POB_PRE_OPERATION_INFORMATION Information)
{
	ACCESS_MASK original =
		Information->Parameters->CreateHandleInformation.OriginalDesiredAccess;

	if (Record->Creations != 0)
		CHECK("AB-22", Record->Process == Information->Object,
		      "an object callback is given the pointer that the create routine was given");
	switch (Record->Role) {
	case RoleClone:
		if (IsClone((PEPROCESS)Information->Object))
			CHECK("PS-55", Record->Creations == 0, "a clone has not been announced");
		break;
	case RoleEmpty:
		InterlockedIncrement(&EmptyOpened);
		break;
	case RoleFort:
		CHECK("OB-30", !(original & PROCESS_TERMINATE),
		      "what security refuses does not get as far as the callbacks");
		break;
	default:
		break;
	}
}

/* Whether it is the opener's doing, who asked for a kernel handle from user mode. */
static BOOLEAN IsByOpener(POB_PRE_OPERATION_INFORMATION Information)
{
	if (RoleOf(PsGetCurrentProcess()) != RoleOpener || ExGetPreviousMode() != UserMode)
		return FALSE;
	CHECK("OB-29", !Information->KernelHandle, "user mode cannot ask for a kernel handle");
	if (Information->Operation == OB_OPERATION_HANDLE_DUPLICATE) {
		OB_PRE_DUPLICATE_HANDLE_INFORMATION *both =
			&Information->Parameters->DuplicateHandleInformation;

		CHECK("OB-26", Information->Operation == OB_OPERATION_HANDLE_DUPLICATE,
		      "a duplication in user mode triggers");
		CHECK("OB-59",
		      both->SourceProcess == (PVOID)PsGetCurrentProcess() &&
			      both->TargetProcess != both->SourceProcess,
		      "a handle duplicated for another process tells which");
	}
	return TRUE;
}

/* Takes everything that can be taken. */
static VOID Strip(POB_PRE_OPERATION_INFORMATION Information, OPERATION *Operation)
{
	Information->Parameters->CreateHandleInformation.DesiredAccess = 0;
	Operation->Left = 0;
	Operation->Stripped = TRUE;
}

static ACCESS_MASK RetainedBy(POBJECT_TYPE Type)
{
	return Type == *PsProcessType  ? PROCESS_RETAINED
	       : Type == *PsThreadType ? THREAD_RETAINED
				       : 0;
}

static OB_PREOP_CALLBACK_STATUS UpperPre(PVOID RegistrationContext,
					 POB_PRE_OPERATION_INFORMATION Information)
{
	RECORD *record = RecordOfObject(Information->Object, Information->ObjectType);
	OPERATION *operation;

	CheckContext();
	CheckPreInformation(RegistrationContext, Information);
	CheckMasks(Information);
	if (record != NULL) {
		if (Information->ObjectType == *PsProcessType) {
			NoteOpener(record);
			CheckProcessByRole(record, Information);
		}
		CheckCreatorsHandle(record, Information);
	}

	operation = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*operation), CONFORM_TAG);
	if (operation == NULL)
		return OB_PREOP_SUCCESS;
	InterlockedIncrement(&UnderWay);
	operation->Object = Information->Object;
	operation->Thread = PsGetCurrentThread();
	operation->Operation = Information->Operation;
	operation->Original =
		Information->Parameters->CreateHandleInformation.OriginalDesiredAccess;
	operation->Left = Information->Parameters->CreateHandleInformation.DesiredAccess;
	operation->Retained = RetainedBy(Information->ObjectType);
	operation->Stripped = FALSE;
	if (record != NULL && record->Role == RoleTarget && IsByOpener(Information))
		Strip(Information, operation);
	Information->CallContext = operation;
	return OB_PREOP_SUCCESS;
}

/* ---- Post ---------------------------------------------------------------------------------- */

static VOID CheckGranted(OPERATION *Operation, POB_POST_OPERATION_INFORMATION Information)
{
	ACCESS_MASK granted = Information->Parameters->CreateHandleInformation.GrantedAccess;

	CHECK("OB-52", !(granted & ~Operation->Original),
	      "nothing is granted that was not asked for (inferred)");
	if (Parameters.Alone)
		CHECK("OB-52",
		      granted == ((Operation->Left | Operation->Retained) & Operation->Original),
		      "what was left, and what is retained, of what was asked for (inferred)");
	if (!Operation->Stripped)
		return;
	if (Information->ObjectType == *PsProcessType)
		CHECK("OB-53", granted == (Operation->Original & PROCESS_RETAINED),
		      "of a process that loses everything, 0x101000 remain");
	else
		CHECK("OB-54", granted == (Operation->Original & THREAD_RETAINED),
		      "of a thread that loses everything, 0x101800 remain (inferred)");
}

static VOID CheckFailure(POB_POST_OPERATION_INFORMATION Information)
{
	CHECK("OB-43", !NT_SUCCESS(Information->ReturnStatus),
	      "a failed operation has its post call, with the status");
	CHECK("OB-44",
	      Parameters.Observed
		      ? Information->Parameters != NULL &&
				Information->Parameters->CreateHandleInformation.GrantedAccess == 0
		      : Information->Parameters == NULL,
	      "on failure Parameters is NULL, or tells 0 in the observed profile (inferred)");
}

static VOID UpperPost(PVOID RegistrationContext, POB_POST_OPERATION_INFORMATION Information)
{
	OPERATION *operation = Information->CallContext;

	CheckContext();
	CHECK("OB-36", RegistrationContext == &UpperContext,
	      "post gets the context of its registration");
	if (operation == NULL)
		return;
	CHECK("OB-38", operation->Thread == (PVOID)PsGetCurrentThread(),
	      "post runs on the thread of its pre (inferred)");
	CHECK("OB-42",
	      operation->Object == Information->Object &&
		      operation->Operation == Information->Operation,
	      "and tells of the same operation");
	CHECK("AB-09", (Information->Flags & ~1u) == 0, "the other bits of its Flags are 0");
	if (NT_SUCCESS(Information->ReturnStatus)) {
		CHECK("OB-43", Information->Parameters != NULL,
		      "of a successful operation Parameters can be read");
		CheckGranted(operation, Information);
	} else {
		CheckFailure(Information);
	}
	ExFreePoolWithTag(operation, CONFORM_TAG);
	InterlockedDecrement(&UnderWay);
}

static VOID LowerPost(PVOID RegistrationContext, POB_POST_OPERATION_INFORMATION Information)
{
	CHECK("OB-36", RegistrationContext == &LowerContext,
	      "an entry with post alone gets its context too");
	CHECK("OB-35", Information->Operation == OB_OPERATION_HANDLE_CREATE,
	      "and is called for its operation alone");
	CHECK("OB-35",
	      Information->ObjectType == *PsProcessType || Information->ObjectType == *PsThreadType,
	      "and for its types alone");
	CHECK("OB-39", Information->CallContext == NULL,
	      "and sees no CallContext of others (inferred)");
}

/* ---- Registration ------------------------------------------------------------------------------ */

static NTSTATUS Register(PCWSTR Altitude, PVOID Context, OB_OPERATION_REGISTRATION *Entries,
			 USHORT Count, PVOID *Handle)
{
	OB_CALLBACK_REGISTRATION registration;

	registration.Version = OB_FLT_REGISTRATION_VERSION;
	registration.OperationRegistrationCount = Count;
	RtlInitUnicodeString(&registration.Altitude, Altitude);
	registration.RegistrationContext = Context;
	registration.OperationRegistration = Entries;
	return ObRegisterCallbacks(&registration, Handle);
}

NTSTATUS RegisterObjectCallbacks(VOID)
{
	OB_OPERATION_REGISTRATION entries[3];
	NTSTATUS status;
	ULONG i;

	entries[0].ObjectType = PsProcessType;
	entries[1].ObjectType = PsThreadType;
	entries[2].ObjectType = ExDesktopObjectType;
	for (i = 0; i < RTL_NUMBER_OF(entries); i++) {
		entries[i].Operations = OB_OPERATION_HANDLE_CREATE;
		entries[i].PreOperation = NULL;
		entries[i].PostOperation = LowerPost;
	}
	status = Register(LOWER_ALTITUDE, &LowerContext, entries, 2, &LowerHandle);
	if (!NT_SUCCESS(status))
		return status;
	for (i = 0; i < RTL_NUMBER_OF(entries); i++) {
		entries[i].Operations = OB_OPERATION_HANDLE_CREATE | OB_OPERATION_HANDLE_DUPLICATE;
		entries[i].PreOperation = UpperPre;
		entries[i].PostOperation = UpperPost;
	}
	status = Register(UPPER_ALTITUDE, &UpperContext, entries, 3, &UpperHandle);
	if (!NT_SUCCESS(status))
		ObUnRegisterCallbacks(LowerHandle);
	return status;
}

VOID UnregisterObjectCallbacks(VOID)
{
	ObUnRegisterCallbacks(UpperHandle);
	ObUnRegisterCallbacks(LowerHandle);
	CHECK("OB-38", UnderWay == 0, "each pre call has been followed by its post (inferred)");
	CHECK("OB-62", UnderWay == 0,
	      "once unregistering has returned, no operation is between pre and post");
}
