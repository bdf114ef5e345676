/* SPDX-License-Identifier: MIT */
/*
 * What triggers object callbacks, and what they are told, by handles that the driver
 * makes itself: to the System process and to the thread that runs DriverEntry.
 *
 * Clauses: OB-24, OB-26, OB-28, OB-29, OB-31, OB-35 to OB-43, OB-45, OB-46, OB-49, OB-58 to
 * OB-60, AB-22.
 */
#include "layers.h"

#define UPPER L"385960.7011"
#define LOWER L"385960.7010"
#define BETWEEN L"385960.70105"

static HANDLE DuplicateHandle(HANDLE Source, ACCESS_MASK Access, ULONG Options)
{
	HANDLE copy;

	return NT_SUCCESS(ZwDuplicateObject(NtCurrentProcess(), Source, NtCurrentProcess(), &copy,
					    Access, OBJ_KERNEL_HANDLE, Options))
		       ? copy
		       : NULL;
}

static VOID Close(HANDLE Handle)
{
	if (Handle != NULL)
		ZwClose(Handle);
}

/* ---- What triggers ------------------------------------------------------------------ */

static VOID CheckOpens(LAYER *Layer)
{
	HANDLE handle;

	Close(OpenSystem(SYNCHRONIZE, OBJ_KERNEL_HANDLE));
	CHECK("OB-24",
	      LayersWere("A<A>") && Layer->Pre.Operation == OB_OPERATION_HANDLE_CREATE &&
		      Layer->Pre.Object == (PVOID)PsInitialSystemProcess,
	      "ZwOpenProcess is a create event");
	CHECK("OB-37",
	      Layer->Pre.ObjectType == *PsProcessType &&
		      ObGetObjectType(Layer->Pre.Object) == Layer->Pre.ObjectType,
	      "of a process, ObjectType is *PsProcessType");
	CHECK("OB-29", Layer->Pre.KernelHandle && Layer->Post.KernelHandle,
	      "KernelHandle is 1 for a kernel handle");
	CHECK("AB-08", Layer->Pre.Flags == 1, "which is bit 0 of Flags, the others being 0");

	Close(OpenThisThread(SYNCHRONIZE, OBJ_KERNEL_HANDLE));
	CHECK("OB-24",
	      LayersWere("A<A>") && Layer->Pre.Operation == OB_OPERATION_HANDLE_CREATE &&
		      Layer->Pre.Object == (PVOID)PsGetCurrentThread(),
	      "ZwOpenThread is a create event");
	CHECK("OB-37", Layer->Pre.ObjectType == *PsThreadType,
	      "of a thread, ObjectType is *PsThreadType");

	if (NT_SUCCESS(ObOpenObjectByPointer(PsInitialSystemProcess, OBJ_KERNEL_HANDLE, NULL,
					     SYNCHRONIZE, *PsProcessType, KernelMode, &handle)))
		ZwClose(handle);
	CHECK("OB-24", LayersWere("A<A>"), "ObOpenObjectByPointer is a create event");

	Close(OpenSystem(SYNCHRONIZE, 0));
	CHECK("OB-29", LayersWere("A<A>") && !Layer->Pre.KernelHandle && !Layer->Post.KernelHandle,
	      "an open by the kernel without that attribute triggers with KernelHandle 0");
}

static VOID CheckDuplications(LAYER *Layer)
{
	HANDLE handle = OpenSystem(PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_VM_READ,
				   OBJ_KERNEL_HANDLE);
	OB_PRE_DUPLICATE_HANDLE_INFORMATION *told =
		&Layer->PreParameters.DuplicateHandleInformation;

	LayersWere("A<A>");
	Close(DuplicateHandle(handle, SYNCHRONIZE, 0));
	CHECK("OB-26",
	      LayersWere("A<A>") && Layer->Pre.Operation == OB_OPERATION_HANDLE_DUPLICATE &&
		      Layer->Pre.Object == (PVOID)PsInitialSystemProcess,
	      "ZwDuplicateObject of a process handle is a duplicate event");
	CHECK("OB-37", Layer->Post.Operation == OB_OPERATION_HANDLE_DUPLICATE,
	      "Operation has that one bit in the post call too");
	CHECK("OB-59",
	      told->SourceProcess == (PVOID)PsGetCurrentProcess() &&
		      told->TargetProcess == (PVOID)PsGetCurrentProcess(),
	      "it tells the source and the target process");
	CHECK("OB-59",
	      told->OriginalDesiredAccess == SYNCHRONIZE && told->DesiredAccess == SYNCHRONIZE,
	      "and what is asked for");

	Close(DuplicateHandle(handle, 0, DUPLICATE_SAME_ACCESS));
	CHECK("OB-60", LayersWere("A<A>") && told->OriginalDesiredAccess == RightsOf(handle),
	      "with SAME_ACCESS the original access is what the source has (inferred)");
	Layer->Remove = PROCESS_VM_READ;
	{
		HANDLE copy = DuplicateHandle(handle, 0, DUPLICATE_SAME_ACCESS);

		CHECK("OB-60", RightsOf(copy) == (RightsOf(handle) & ~PROCESS_VM_READ),
		      "so that the copy can have less than the source (inferred)");
		Close(copy);
	}
	Layer->Remove = 0;
	LayersWere("A<A>");
	Close(handle);

	Close(DuplicateHandle(NtCurrentProcess(), SYNCHRONIZE, 0));
	CHECK("OB-26", LayersWere("A<A>") && Layer->Pre.Object == (PVOID)PsGetCurrentProcess(),
	      "a pseudo-handle as source makes no difference (inferred)");
	Close(DuplicateHandle(NtCurrentThread(), SYNCHRONIZE, 0));
	CHECK("OB-26", LayersWere("A<A>") && Layer->Pre.Object == (PVOID)PsGetCurrentThread(),
	      "nor does that of a thread (inferred)");
}

static VOID CheckSilence(VOID)
{
	HANDLE handle = OpenSystem(PROCESS_ALL_ACCESS, OBJ_KERNEL_HANDLE);
	PEPROCESS process;
	PETHREAD thread;
	PVOID object;

	LayersWere("A<A>");
	if (handle != NULL && NT_SUCCESS(ObReferenceObjectByHandle(handle, 0, *PsProcessType,
								   KernelMode, &object, NULL)))
		ObDereferenceObject(object);
	ObReferenceObject(PsInitialSystemProcess);
	ObDereferenceObject(PsInitialSystemProcess);
	if (NT_SUCCESS(PsLookupProcessByProcessId(PsGetCurrentProcessId(), &process)))
		ObDereferenceObject(process);
	if (NT_SUCCESS(PsLookupThreadByThreadId(PsGetCurrentThreadId(), &thread)))
		ObDereferenceObject(thread);
	CHECK("OB-28", LayersWere(""), "references and look-ups cause no event (inferred)");
	if (NT_SUCCESS(ObReferenceObjectByHandle(NtCurrentProcess(), 0, *PsProcessType, KernelMode,
						 &object, NULL)))
		ObDereferenceObject(object);
	CHECK("OB-28", LayersWere(""), "using a pseudo-handle causes none (inferred)");
	Close(handle);
	CHECK("OB-28", LayersWere(""), "closing a handle causes none (inferred)");
}

/* ---- What is told --------------------------------------------------------------------- */

static VOID CheckInformation(LAYER *Layer)
{
	OB_PRE_CREATE_HANDLE_INFORMATION *told = &Layer->PreParameters.CreateHandleInformation;
	ACCESS_MASK rights;
	CHAR cookie;

	Layer->Cookie = &cookie;
	Layer->PreCalls = Layer->PostCalls = 0;
	rights = OpenAndClose(PROCESS_VM_READ | SYNCHRONIZE);
	LayersWere("A<A>");
	CHECK("OB-36", Layer->PreCalls == 1 && Layer->PostCalls == 1,
	      "both calls get the context of their registration");
	CHECK("OB-39", Layer->Pre.CallContext == NULL, "CallContext is NULL on entry to pre");
	CHECK("OB-39", Layer->Post.CallContext == &cookie, "what pre leaves there goes to post");
	CHECK("OB-49",
	      told->DesiredAccess == told->OriginalDesiredAccess &&
		      told->OriginalDesiredAccess == (PROCESS_VM_READ | SYNCHRONIZE),
	      "at the first pre call both masks are what was asked for");
	CHECK("OB-43", Layer->Post.ReturnStatus == STATUS_SUCCESS && Layer->Post.Parameters,
	      "post is told that the handle was made");
	CHECK("OB-45", Layer->PostParameters.CreateHandleInformation.GrantedAccess == rights,
	      "post is told the rights that it has");
	CHECK("OB-46", Layer->Irql == PASSIVE_LEVEL, "pre runs at PASSIVE_LEVEL");
	CHECK("OB-46", Layer->ApcsDisabled && !Layer->AllApcsDisabled,
	      "with normal kernel APCs off and special ones on");
	CHECK("OB-42",
	      Layer->Pre.Object == Layer->Post.Object &&
		      Layer->Pre.ObjectType == Layer->Post.ObjectType &&
		      Layer->Pre.Operation == Layer->Post.Operation,
	      "post is told of the same operation as pre");
	Layer->Cookie = NULL;

	CHECK("OB-40", OB_PREOP_SUCCESS == 0 && sizeof(OB_PREOP_CALLBACK_STATUS) == 4,
	      "OB_PREOP_SUCCESS is 0 of 32 bits");
	Layer->Result = (OB_PREOP_CALLBACK_STATUS)1;
	CHECK("OB-41", OpenAndClose(SYNCHRONIZE) == SYNCHRONIZE,
	      "another return value does not fail the operation (inferred)");
	Layer->Result = OB_PREOP_SUCCESS;
	LayersWere("A<A>");

	if (!Parameters.Invasive)
		return;
	Layer->PostWrites = TRUE;
	CHECK("OB-42", OpenAndClose(PROCESS_VM_READ) == PROCESS_VM_READ,
	      "what post writes has no effect on the handle");
	Layer->PostWrites = FALSE;
	LayersWere("A<A>");
}

/* The process that a callback is told is the one that look-ups find. */
static VOID CheckIdentity(LAYER *Layer)
{
	PEPROCESS found;

	Close(OpenSystem(SYNCHRONIZE, OBJ_KERNEL_HANDLE));
	LayersWere("A<A>");
	if (!NT_SUCCESS(PsLookupProcessByProcessId(PsGetProcessId(PsInitialSystemProcess), &found)))
		return;
	CHECK("AB-22", (PVOID)found == Layer->Pre.Object && found == PsInitialSystemProcess,
	      "a look-up, an object callback and PsInitialSystemProcess are one pointer");
	ObDereferenceObject(found);
}

/* ---- Several layers -------------------------------------------------------------------- */

static VOID CheckTwoLayers(LAYER *Upper)
{
	LAYER lower;
	CHAR one, two;

	LayerInitialise(&lower, 'B');
	if (!NT_SUCCESS(LayerRegister(&lower, LOWER)))
		return;
	Upper->Cookie = &one;
	lower.Cookie = &two;
	OpenAndClose(SYNCHRONIZE);
	CHECK("OB-38", LayersWere("A<B<B>A>"), "each pre call is followed by one post (inferred)");
	CHECK("OB-39", Upper->Post.CallContext == &one && lower.Post.CallContext == &two,
	      "the contexts of two registrations are kept apart");
	CHECK("OB-39", lower.Pre.CallContext == NULL, "the lower one is not shown the upper one's");
	Upper->Cookie = NULL;
	Upper->Result = (OB_PREOP_CALLBACK_STATUS)-1;
	OpenAndClose(SYNCHRONIZE);
	CHECK("OB-41", LayersWere("A<B<B>A>"),
	      "whatever pre returns, lower altitudes are called (inferred)");
	Upper->Result = OB_PREOP_SUCCESS;
	LayerUnregister(&lower);
}

static VOID CheckSelection(VOID)
{
	OB_OPERATION_REGISTRATION entry = {PsProcessType, OB_OPERATION_HANDLE_DUPLICATE, LayerPre,
					   NULL};
	LAYER layer;

	LayerInitialise(&layer, 'B');
	if (!NT_SUCCESS(LayerRegisterAs(&layer, LOWER, &entry, 1)))
		return;
	OpenAndClose(SYNCHRONIZE);
	CHECK("OB-35", LayersWere("A<A>"), "an entry for duplications hears no creation");
	Close(DuplicateHandle(NtCurrentProcess(), SYNCHRONIZE, 0));
	CHECK("OB-35", LayersWere("A<B<A>"), "but the duplication");
	Close(DuplicateHandle(NtCurrentThread(), SYNCHRONIZE, 0));
	CHECK("OB-35", LayersWere("A<A>"), "and nothing of another type");
	LayerUnregister(&layer);

	entry.Operations = OB_OPERATION_HANDLE_CREATE;
	entry.PreOperation = NULL;
	entry.PostOperation = LayerPost;
	layer.Post.CallContext = &layer;
	if (!NT_SUCCESS(LayerRegisterAs(&layer, LOWER, &entry, 1)))
		return;
	OpenAndClose(SYNCHRONIZE);
	CHECK("OB-39", LayersWere("A<B>A>") && layer.Post.CallContext == NULL,
	      "an entry without pre sees NULL (inferred)");
	Close(DuplicateHandle(NtCurrentProcess(), SYNCHRONIZE, 0));
	CHECK("OB-35", LayersWere("A<A>"), "an entry for creations hears no duplication");
	LayerUnregister(&layer);
}

/* ---- Calls inside calls ----------------------------------------------------------------- */

/* Opens a kernel handle from inside, unless it is for one that it is called. */
static VOID OpenInside(LAYER *Layer, POB_PRE_OPERATION_INFORMATION Information)
{
	UNREFERENCED_PARAMETER(Layer);
	if (!Information->KernelHandle)
		Close(OpenSystem(SYNCHRONIZE, OBJ_KERNEL_HANDLE));
}

static VOID CheckReentry(LAYER *Layer)
{
	Layer->Hook = OpenInside;
	Close(OpenSystem(SYNCHRONIZE, 0));
	Layer->Hook = NULL;
	CHECK("OB-31", LayersWere("A<A<A>A>"),
	      "a callback that opens a handle is called for it, itself included");
	CHECK("OB-31", !Layer->Post.KernelHandle && Layer->Pre.KernelHandle,
	      "and can tell its own by KernelHandle");
}

static LAYER Newcomer;

static VOID RegisterInside(LAYER *Layer, POB_PRE_OPERATION_INFORMATION Information)
{
	UNREFERENCED_PARAMETER(Information);
	Layer->Hook = NULL;
	LayerInitialise(&Newcomer, 'N');
	LayerRegister(&Newcomer, BETWEEN);
}

static VOID CheckLateRegistration(LAYER *Lowest)
{
	if (!Parameters.Invasive)
		return;
	Lowest->Hook = RegisterInside;
	OpenAndClose(SYNCHRONIZE);
	CHECK("OB-38", Newcomer.Handle != NULL && LayersWere("A<A>"),
	      "what is registered after its turn gets no post call of that operation (inferred)");
	OpenAndClose(SYNCHRONIZE);
	CHECK("OB-38", LayersWere("A<N<N>A>"), "but both calls of the next (inferred)");
	LayerUnregister(&Newcomer);
}

VOID CheckHandleOperations(VOID)
{
	LAYER layer;

	LayerInitialise(&layer, 'A');
	if (!NT_SUCCESS(LayerRegister(&layer, UPPER)))
		return;
	LayersBegin();
	CheckOpens(&layer);
	CheckDuplications(&layer);
	CheckSilence();
	CheckInformation(&layer);
	CheckIdentity(&layer);
	CheckTwoLayers(&layer);
	CheckSelection();
	CheckReentry(&layer);
	CheckLateRegistration(&layer);
	LayersEnd();
	LayerUnregister(&layer);
}
