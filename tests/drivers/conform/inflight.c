/* SPDX-License-Identifier: MIT */
/*
 * Removal while calls are in flight, of what a driver can provoke itself: object callbacks by
 * opening a handle, thread routines by starting a thread. Process routines are in busy.c.
 *
 * A thread provokes a call, which says that it is inside and waits to be let go. Meanwhile
 * another thread removes, and must wait. That it does is believed after a while; whatever
 * must happen is waited for longer, so that a slow machine fails no check.
 *
 * Clauses: OB-62, PS-29, PS-67.
 */
#include "inflight.h"
#include "layers.h"

#define UPPER L"385960.7031"
#define LOWER L"385960.7030"

/* ---- Threads --------------------------------------------------------------------------- */

PVOID StartThread(PKSTART_ROUTINE Routine, PVOID Context)
{
	OBJECT_ATTRIBUTES attributes;
	PVOID thread = NULL;
	HANDLE handle;

	InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
	if (!NT_SUCCESS(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, &attributes, NULL, NULL,
					     Routine, Context)))
		return NULL;
	if (!NT_SUCCESS(ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, *PsThreadType,
						  KernelMode, &thread, NULL)))
		thread = NULL;
	ZwClose(handle);
	return thread;
}

VOID JoinThread(PVOID Thread)
{
	if (Thread == NULL)
		return;
	KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
	ObDereferenceObject(Thread);
}

BOOLEAN Happens(PKEVENT Event, LONG Milliseconds)
{
	LARGE_INTEGER timeout;

	timeout.QuadPart = -10000ll * Milliseconds;
	return KeWaitForSingleObject(Event, Executive, KernelMode, FALSE, &timeout) ==
	       STATUS_SUCCESS;
}

/* ---- A call that stays ------------------------------------------------------------------- */

/* One at a time: who is to stay inside, and who removes. */
static PVOID volatile Provoker; /* the thread on which calls stay */
static volatile LONG Inside, Passed;
static KEVENT Entered, Leave, Removed;

static VOID Reset(VOID)
{
	Provoker = NULL;
	Inside = Passed = 0;
	KeInitializeEvent(&Entered, NotificationEvent, FALSE);
	KeInitializeEvent(&Leave, NotificationEvent, FALSE);
	KeInitializeEvent(&Removed, NotificationEvent, FALSE);
}

/* In a callback. */
static VOID Stay(VOID)
{
	if (Provoker != (PVOID)PsGetCurrentThread())
		return;
	InterlockedIncrement(&Inside);
	KeSetEvent(&Entered, IO_NO_INCREMENT, FALSE);
	Happens(&Leave, FOR_EVER);
}

/* ---- Object callbacks ------------------------------------------------------------------------ */

static OB_PREOP_CALLBACK_STATUS StayingPre(PVOID RegistrationContext,
					   POB_PRE_OPERATION_INFORMATION Information)
{
	UNREFERENCED_PARAMETER(RegistrationContext);
	UNREFERENCED_PARAMETER(Information);
	Stay();
	return OB_PREOP_SUCCESS;
}

static OB_PREOP_CALLBACK_STATUS PassingPre(PVOID RegistrationContext,
					   POB_PRE_OPERATION_INFORMATION Information)
{
	UNREFERENCED_PARAMETER(RegistrationContext);
	UNREFERENCED_PARAMETER(Information);
	return OB_PREOP_SUCCESS;
}

static VOID PassingPost(PVOID RegistrationContext, POB_POST_OPERATION_INFORMATION Information)
{
	UNREFERENCED_PARAMETER(RegistrationContext);
	UNREFERENCED_PARAMETER(Information);
	if (Provoker == (PVOID)PsGetCurrentThread())
		InterlockedIncrement(&Passed);
}

static VOID OpenSomething(PVOID Context)
{
	UNREFERENCED_PARAMETER(Context);
	Provoker = PsGetCurrentThread();
	OpenAndClose(SYNCHRONIZE);
	PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID Unregister(PVOID Layer)
{
	LayerUnregister(Layer);
	KeSetEvent(&Removed, IO_NO_INCREMENT, FALSE);
	PsTerminateSystemThread(STATUS_SUCCESS);
}

static NTSTATUS RegisterRoutines(LAYER *Layer, PCWSTR Altitude, POB_PRE_OPERATION_CALLBACK Pre,
				 POB_POST_OPERATION_CALLBACK Post)
{
	OB_OPERATION_REGISTRATION entry = {PsProcessType, OB_OPERATION_HANDLE_CREATE, Pre, Post};

	LayerInitialise(Layer, 'A');
	return LayerRegisterAs(Layer, Altitude, &entry, 1);
}

static VOID CheckUnregistering(VOID)
{
	PVOID opener, remover;
	LAYER layer;

	Reset();
	if (!NT_SUCCESS(RegisterRoutines(&layer, UPPER, StayingPre, PassingPost)))
		return;
	opener = StartThread(OpenSomething, NULL);
	if (opener != NULL && Happens(&Entered, FOR_EVER)) {
		remover = StartThread(Unregister, &layer);
		CHECK("OB-62", remover != NULL && !Happens(&Removed, A_WHILE),
		      "unregistering waits for a call in flight");
		KeSetEvent(&Leave, IO_NO_INCREMENT, FALSE);
		CHECK("OB-62", Happens(&Removed, FOR_EVER) && Passed == 1,
		      "and returns when the operation has had its post call");
		JoinThread(remover);
	}
	KeSetEvent(&Leave, IO_NO_INCREMENT, FALSE);
	JoinThread(opener);
	LayerUnregister(&layer);
}

/* The operation stays in a lower layer's pre; the upper one has been passed and waits for
 * its post. */
static VOID CheckTheGap(VOID)
{
	PVOID opener, remover;
	LAYER upper, lower;

	Reset();
	if (!NT_SUCCESS(RegisterRoutines(&upper, UPPER, PassingPre, PassingPost)))
		return;
	if (NT_SUCCESS(RegisterRoutines(&lower, LOWER, StayingPre, NULL))) {
		opener = StartThread(OpenSomething, NULL);
		if (opener != NULL && Happens(&Entered, FOR_EVER)) {
			remover = StartThread(Unregister, &upper);
			CHECK("OB-62", remover != NULL && !Happens(&Removed, A_WHILE),
			      "unregistering waits between pre and post, when no call is in "
			      "flight");
			KeSetEvent(&Leave, IO_NO_INCREMENT, FALSE);
			CHECK("OB-62", Happens(&Removed, FOR_EVER) && Passed == 1,
			      "until the post call has been made");
			JoinThread(remover);
		}
		KeSetEvent(&Leave, IO_NO_INCREMENT, FALSE);
		JoinThread(opener);
		LayerUnregister(&lower);
	}
	LayerUnregister(&upper);
}

/* ---- Thread routines ----------------------------------------------------------------------------- */

static VOID End(PVOID Context)
{
	UNREFERENCED_PARAMETER(Context);
	PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID StartAnother(PVOID Context)
{
	UNREFERENCED_PARAMETER(Context);
	JoinThread(StartThread(End, NULL));
	PsTerminateSystemThread(STATUS_SUCCESS);
}

/* For the threads that these two start. */
static PVOID volatile Starters[2];

static VOID StayingRoutine(HANDLE ProcessId, HANDLE ThreadId, BOOLEAN Create)
{
	PVOID self = PsGetCurrentThread();

	UNREFERENCED_PARAMETER(ProcessId);
	UNREFERENCED_PARAMETER(ThreadId);
	if (!Create || (self != Starters[0] && self != Starters[1]))
		return;
	if (InterlockedIncrement(&Inside) == 2)
		KeSetEvent(&Entered, IO_NO_INCREMENT, FALSE);
	Happens(&Leave, FOR_EVER);
}

static VOID BeStarter(PVOID Number)
{
	Starters[(ULONG_PTR)Number] = PsGetCurrentThread();
	StartAnother(NULL);
}

static VOID RemoveRoutine(PVOID Status)
{
	*(NTSTATUS *)Status = PsRemoveCreateThreadNotifyRoutine(StayingRoutine);
	KeSetEvent(&Removed, IO_NO_INCREMENT, FALSE);
	PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID CheckThreadRemoval(VOID)
{
	NTSTATUS status = STATUS_PENDING;
	PVOID starters[2], remover;

	Reset();
	if (!NT_SUCCESS(PsSetCreateThreadNotifyRoutine(StayingRoutine)))
		return;
	starters[0] = StartThread(BeStarter, (PVOID)0);
	starters[1] = StartThread(BeStarter, (PVOID)1);
	CHECK("PS-29", Happens(&Entered, FOR_EVER),
	      "one routine is in flight on two threads at once (inferred)");
	remover = StartThread(RemoveRoutine, &status);
	CHECK("PS-67", remover != NULL && !Happens(&Removed, A_WHILE),
	      "removal waits while calls are in flight");
	KeSetEvent(&Leave, IO_NO_INCREMENT, FALSE);
	CHECK("PS-67", Happens(&Removed, FOR_EVER) && status == STATUS_SUCCESS,
	      "and succeeds when they have returned");
	JoinThread(remover);
	JoinThread(starters[0]);
	JoinThread(starters[1]);
	if (remover == NULL)
		PsRemoveCreateThreadNotifyRoutine(StayingRoutine);
}

VOID CheckRemovalInFlight(VOID)
{
	CheckUnregistering();
	CheckTheGap();
	CheckThreadRemoval();
}
