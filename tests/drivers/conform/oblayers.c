/* SPDX-License-Identifier: MIT */
/*
 * Layers of object callbacks. One thread at a time uses them, the one that runs
 * DriverEntry; calls on other threads return before they touch anything.
 */
#include "layers.h"

#define TRACE_SIZE 64

static PVOID volatile TestThread;
static CHAR Trace[TRACE_SIZE];
static ULONG TraceLength;

VOID LayersBegin(VOID)
{
	TraceLength = 0;
	TestThread = PsGetCurrentThread();
}

VOID LayersEnd(VOID)
{
	TestThread = NULL;
}

static BOOLEAN IsOurs(VOID)
{
	return TestThread == (PVOID)PsGetCurrentThread();
}

static VOID Note(CHAR Letter, CHAR What)
{
	if (TraceLength + 2 > TRACE_SIZE)
		return;
	Trace[TraceLength++] = Letter;
	Trace[TraceLength++] = What;
}

BOOLEAN LayersWere(PCSTR Expected)
{
	SIZE_T length = strlen(Expected);
	BOOLEAN same = length == TraceLength && RtlCompareMemory(Trace, Expected, length) == length;

	if (!same)
		ConformPrint("note: heard \"%.*s\", not \"%s\"\n", (int)TraceLength, Trace,
			     Expected);
	TraceLength = 0;
	return same;
}

BOOLEAN LayersHave(CHAR What, PCSTR Letters)
{
	ULONG i;

	for (i = 0; i < TraceLength; i += 2) {
		if (Trace[i + 1] != What)
			continue;
		if (Trace[i] != *Letters)
			return FALSE;
		Letters++;
	}
	return *Letters == '\0';
}

/* ---- Callbacks --------------------------------------------------------------------- */

OB_PREOP_CALLBACK_STATUS LayerPre(PVOID RegistrationContext,
				  POB_PRE_OPERATION_INFORMATION Information)
{
	LAYER *layer = RegistrationContext;
	PACCESS_MASK desired = &Information->Parameters->CreateHandleInformation.DesiredAccess;

	if (!IsOurs())
		return OB_PREOP_SUCCESS;
	Note(layer->Letter, '<');
	layer->PreCalls++;
	layer->Pre = *Information;
	if (Information->Operation == OB_OPERATION_HANDLE_CREATE)
		layer->PreParameters.CreateHandleInformation =
			Information->Parameters->CreateHandleInformation;
	else
		layer->PreParameters = *Information->Parameters;
	layer->Irql = KeGetCurrentIrql();
	layer->ApcsDisabled = KeAreApcsDisabled();
	layer->AllApcsDisabled = KeAreAllApcsDisabled();

	*desired = (*desired & ~layer->Remove) | layer->Add;
	Information->CallContext = layer->Cookie;
	if (layer->Hook != NULL)
		layer->Hook(layer, Information);
	return layer->Result;
}

VOID LayerPost(PVOID RegistrationContext, POB_POST_OPERATION_INFORMATION Information)
{
	LAYER *layer = RegistrationContext;

	if (!IsOurs())
		return;
	Note(layer->Letter, '>');
	layer->PostCalls++;
	layer->Post = *Information;
	if (Information->Parameters != NULL)
		layer->PostParameters = *Information->Parameters;
	if (!layer->PostWrites || Information->Parameters == NULL)
		return;
	Information->Parameters->CreateHandleInformation.GrantedAccess = 0;
	Information->ReturnStatus = STATUS_UNSUCCESSFUL;
	Information->Parameters = NULL;
}

/* ---- Registration -------------------------------------------------------------------- */

VOID LayerInitialise(LAYER *Layer, CHAR Letter)
{
	RtlZeroMemory(Layer, sizeof(*Layer));
	Layer->Letter = Letter;
}

NTSTATUS LayerRegisterAs(LAYER *Layer, PCWSTR Altitude, OB_OPERATION_REGISTRATION *Entries,
			 USHORT Count)
{
	OB_CALLBACK_REGISTRATION registration;

	registration.Version = OB_FLT_REGISTRATION_VERSION;
	registration.OperationRegistrationCount = Count;
	RtlInitUnicodeString(&registration.Altitude, Altitude);
	registration.RegistrationContext = Layer;
	registration.OperationRegistration = Entries;
	return ObRegisterCallbacks(&registration, &Layer->Handle);
}

NTSTATUS LayerRegister(LAYER *Layer, PCWSTR Altitude)
{
	OB_OPERATION_REGISTRATION entries[2];
	ULONG i;

	entries[0].ObjectType = PsProcessType;
	entries[1].ObjectType = PsThreadType;
	for (i = 0; i < RTL_NUMBER_OF(entries); i++) {
		entries[i].Operations = OB_OPERATION_HANDLE_CREATE | OB_OPERATION_HANDLE_DUPLICATE;
		entries[i].PreOperation = LayerPre;
		entries[i].PostOperation = LayerPost;
	}
	return LayerRegisterAs(Layer, Altitude, entries, RTL_NUMBER_OF(entries));
}

VOID LayerUnregister(LAYER *Layer)
{
	if (Layer->Handle != NULL)
		ObUnRegisterCallbacks(Layer->Handle);
	Layer->Handle = NULL;
}

/* ---- Operations ------------------------------------------------------------------------ */

HANDLE OpenSystem(ACCESS_MASK Access, ULONG Attributes)
{
	OBJECT_ATTRIBUTES attributes;
	CLIENT_ID id;
	HANDLE handle;

	InitializeObjectAttributes(&attributes, NULL, Attributes, NULL, NULL);
	id.UniqueProcess = PsGetProcessId(PsInitialSystemProcess);
	id.UniqueThread = NULL;
	return NT_SUCCESS(ZwOpenProcess(&handle, Access, &attributes, &id)) ? handle : NULL;
}

HANDLE OpenThisThread(ACCESS_MASK Access, ULONG Attributes)
{
	OBJECT_ATTRIBUTES attributes;
	CLIENT_ID id;
	HANDLE handle;

	InitializeObjectAttributes(&attributes, NULL, Attributes, NULL, NULL);
	id.UniqueProcess = PsGetCurrentProcessId();
	id.UniqueThread = PsGetCurrentThreadId();
	return NT_SUCCESS(ZwOpenThread(&handle, Access, &attributes, &id)) ? handle : NULL;
}

/* What no handle has: the caller expects something else. */
#define NO_RIGHTS_KNOWN 0xFFFFFFFFu

ACCESS_MASK RightsOf(HANDLE Handle)
{
	OBJECT_HANDLE_INFORMATION information;
	PVOID object;

	if (Handle == NULL || !NT_SUCCESS(ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode,
								    &object, &information)))
		return NO_RIGHTS_KNOWN;
	ObDereferenceObject(object);
	return information.GrantedAccess;
}

static ACCESS_MASK RightsOfAndClose(HANDLE Handle)
{
	ACCESS_MASK rights = RightsOf(Handle);

	if (Handle != NULL)
		ZwClose(Handle);
	return rights;
}

ACCESS_MASK OpenAndClose(ACCESS_MASK Access)
{
	return RightsOfAndClose(OpenSystem(Access, OBJ_KERNEL_HANDLE));
}

ACCESS_MASK OpenAndCloseThread(ACCESS_MASK Access)
{
	return RightsOfAndClose(OpenThisThread(Access, OBJ_KERNEL_HANDLE));
}
