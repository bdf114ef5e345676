/* SPDX-License-Identifier: MIT */
/*
 * Handles: what others may do to a protected process and its threads.
 *
 * A handle to a protected process can still be opened, with fewer rights: whoever
 * only wants to look is not disturbed, and whoever wants to harm finds out when
 * trying. The pre-operation routine takes the rights away, the post-operation
 * routine reports what came of it.
 *
 * Both run in the context of whoever opens the handle, at PASSIVE_LEVEL or
 * APC_LEVEL.
 */
#include "warden.h"

/*
 * The rights that the documentation lets a driver remove from a handle to a
 * process. DUP_HANDLE and CREATE_PROCESS are among them because they lead to full
 * access by a detour, SET_QUOTA because a job can end its processes. Reading
 * memory and querying are not: tools that show processes go on working.
 */
#define PROCESS_RIGHTS_TAKEN                                                                       \
	(PROCESS_TERMINATE | PROCESS_CREATE_THREAD | PROCESS_VM_OPERATION | PROCESS_VM_WRITE |     \
	 PROCESS_DUP_HANDLE | PROCESS_CREATE_PROCESS | PROCESS_SET_QUOTA |                         \
	 PROCESS_SET_INFORMATION | PROCESS_SUSPEND_RESUME)

/* And to a thread. What resumes a new thread (THREAD_RESUME) cannot be removed. */
#define THREAD_RIGHTS_TAKEN                                                                        \
	(THREAD_TERMINATE | THREAD_SUSPEND_RESUME | THREAD_SET_CONTEXT | THREAD_SET_INFORMATION |  \
	 THREAD_SET_THREAD_TOKEN)

static PVOID RegistrationHandle;

static OB_PREOP_CALLBACK_STATUS BeforeHandle(PVOID RegistrationContext,
					     POB_PRE_OPERATION_INFORMATION Information);
static VOID AfterHandle(PVOID RegistrationContext, POB_POST_OPERATION_INFORMATION Information);

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, WardenRegisterObjectCallbacks)
#pragma alloc_text(PAGE, WardenUnregisterObjectCallbacks)
#pragma alloc_text(PAGE, BeforeHandle)
#pragma alloc_text(PAGE, AfterHandle)
#endif

/* The process that the handle gives access to. */
static HANDLE TargetOf(PVOID Object, POBJECT_TYPE ObjectType)
{
	return ObjectType == *PsProcessType ? PsGetProcessId((PEPROCESS)Object)
					    : PsGetThreadProcessId((PETHREAD)Object);
}

/*
 * The process that will have the handle. An open makes it in the current process; a
 * duplicate can be made by one process for another, and it is the other that
 * counts.
 */
static HANDLE HolderOf(POB_PRE_OPERATION_INFORMATION Information)
{
	if (Information->Operation == OB_OPERATION_HANDLE_CREATE)
		return PsGetCurrentProcessId();
	return PsGetProcessId(
		(PEPROCESS)Information->Parameters->DuplicateHandleInformation.TargetProcess);
}

static PCSTR NameOf(POBJECT_TYPE ObjectType)
{
	return ObjectType == *PsProcessType ? "process" : "a thread of process";
}

static OB_PREOP_CALLBACK_STATUS BeforeHandle(PVOID RegistrationContext,
					     POB_PRE_OPERATION_INFORMATION Information)
{
	HANDLE target, holder;
	PACCESS_MASK desired;
	ACCESS_MASK taken;

	UNREFERENCED_PARAMETER(RegistrationContext);
	PAGED_CODE();

	/* Kernel handles are out of reach for user mode, and drivers need them. */
	if (Information->KernelHandle)
		return OB_PREOP_SUCCESS;

	target = TargetOf(Information->Object, Information->ObjectType);
	holder = HolderOf(Information);
	if (target == holder || !WardenIsProtected(target))
		return OB_PREOP_SUCCESS;

	desired = Information->Operation == OB_OPERATION_HANDLE_CREATE
			  ? &Information->Parameters->CreateHandleInformation.DesiredAccess
			  : &Information->Parameters->DuplicateHandleInformation.DesiredAccess;
	taken = *desired & (Information->ObjectType == *PsProcessType ? PROCESS_RIGHTS_TAKEN
								      : THREAD_RIGHTS_TAKEN);
	if (taken == 0)
		return OB_PREOP_SUCCESS;

	WardenLog(DPFLTR_INFO_LEVEL, "process %lu wants 0x%06lX of %s %lu: taking 0x%06lX",
		  HandleToUlong(holder), *desired, NameOf(Information->ObjectType),
		  HandleToUlong(target), taken);
	*desired &= ~taken;
	InterlockedIncrement(&WardenCounters.HandlesStripped);

	/* For the post routine. It is a number, so there is nothing to free. */
	Information->CallContext = (PVOID)(ULONG_PTR)taken;
	return OB_PREOP_SUCCESS;
}

static VOID AfterHandle(PVOID RegistrationContext, POB_POST_OPERATION_INFORMATION Information)
{
	ULONG target;
	ACCESS_MASK granted;

	UNREFERENCED_PARAMETER(RegistrationContext);
	PAGED_CODE();

	if (Information->CallContext == NULL)
		return;

	target = HandleToUlong(TargetOf(Information->Object, Information->ObjectType));

	/* Parameters are valid only if the operation succeeded. */
	if (!NT_SUCCESS(Information->ReturnStatus)) {
		WardenLog(DPFLTR_INFO_LEVEL, "no handle to %s %lu after all: 0x%08lX",
			  NameOf(Information->ObjectType), target, Information->ReturnStatus);
		return;
	}

	granted = Information->Operation == OB_OPERATION_HANDLE_CREATE
			  ? Information->Parameters->CreateHandleInformation.GrantedAccess
			  : Information->Parameters->DuplicateHandleInformation.GrantedAccess;
	WardenLog(DPFLTR_INFO_LEVEL, "the handle to %s %lu got 0x%06lX",
		  NameOf(Information->ObjectType), target, granted);
}

/*
 * Everything that is passed is copied, so it may live on the stack. Failure with
 * STATUS_FLT_INSTANCE_ALTITUDE_COLLISION means that another driver stands at this
 * altitude, STATUS_ACCESS_DENIED that the image was linked without /INTEGRITYCHECK.
 */
NTSTATUS
WardenRegisterObjectCallbacks(VOID)
{
	OB_OPERATION_REGISTRATION entries[2];
	OB_CALLBACK_REGISTRATION registration;
	ULONG i;

	entries[0].ObjectType = PsProcessType;
	entries[1].ObjectType = PsThreadType;
	for (i = 0; i < RTL_NUMBER_OF(entries); i++) {
		entries[i].Operations = OB_OPERATION_HANDLE_CREATE | OB_OPERATION_HANDLE_DUPLICATE;
		entries[i].PreOperation = BeforeHandle;
		entries[i].PostOperation = AfterHandle;
	}

	registration.Version = OB_FLT_REGISTRATION_VERSION;
	registration.OperationRegistrationCount = RTL_NUMBER_OF(entries);
	RtlInitUnicodeString(&registration.Altitude, WARDEN_ALTITUDE);
	registration.RegistrationContext = NULL;
	registration.OperationRegistration = entries;

	return ObRegisterCallbacks(&registration, &RegistrationHandle);
}

/* Returns when no call is in flight any more. */
VOID WardenUnregisterObjectCallbacks(VOID)
{
	PAGED_CODE();

	ObUnRegisterCallbacks(RegistrationHandle);
	RegistrationHandle = NULL;
}
