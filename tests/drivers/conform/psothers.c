/* SPDX-License-Identifier: MIT */
/*
 * Registration and removal of thread and image routines, as far as statuses tell. Nothing
 * is left registered.
 *
 * Clauses: PS-4, PS-14, PS-64 to PS-67, PS-73 to PS-77.
 */
#include "conform.h"

/* ---- Threads ------------------------------------------------------------------ */

static NTSTATUS Thread(PVOID Routine)
{
	return PsSetCreateThreadNotifyRoutine((PCREATE_THREAD_NOTIFY_ROUTINE)(ULONG_PTR)Routine);
}

static NTSTATUS ThreadEx(ULONG Type, PVOID Routine)
{
	return PsSetCreateThreadNotifyRoutineEx((PSCREATETHREADNOTIFYTYPE)Type, Routine);
}

static NTSTATUS RemoveThread(PVOID Routine)
{
	return PsRemoveCreateThreadNotifyRoutine((PCREATE_THREAD_NOTIFY_ROUTINE)(ULONG_PTR)Routine);
}

static VOID CheckThreadCalls(VOID)
{
	KIRQL irql;
	NTSTATUS status;

	CHECK_STATUS("PS-64", Thread(Slot(0)), STATUS_SUCCESS, "a thread routine is added");
	CHECK_STATUS("PS-66", Thread(Slot(0)), STATUS_SUCCESS,
		     "the same can be added again (inferred)");
	CHECK_STATUS("PS-66", RemoveThread(Slot(0)), STATUS_SUCCESS,
		     "it needs a removal (inferred)");
	CHECK_STATUS("PS-66", RemoveThread(Slot(0)), STATUS_SUCCESS, "and another (inferred)");
	CHECK_STATUS("PS-67", RemoveThread(Slot(0)), STATUS_PROCEDURE_NOT_FOUND,
		     "removing what is not registered is PROCEDURE_NOT_FOUND");

	CHECK_STATUS("PS-70", ThreadEx(PsCreateThreadNotifyNonSystem, Slot(0)), STATUS_SUCCESS,
		     "Ex of the type for user threads is accepted");
	CHECK_STATUS("PS-67", RemoveThread(Slot(0)), STATUS_SUCCESS, "the one removal serves it");
	CHECK_STATUS("PS-72", ThreadEx(PsCreateThreadNotifySubsystems, Slot(0)), STATUS_SUCCESS,
		     "Ex of the type for subsystems is accepted");
	CHECK_STATUS("PS-67", RemoveThread(Slot(0)), STATUS_SUCCESS, "and this one");
	CHECK_STATUS("PS-73", ThreadEx(2, Slot(0)), STATUS_INVALID_PARAMETER,
		     "Ex of another type is INVALID_PARAMETER (inferred)");

	Thread(Slot(0));
	KeRaiseIrql(APC_LEVEL, &irql);
	status = RemoveThread(Slot(0));
	KeLowerIrql(irql);
	CHECK_STATUS("PS-04", status, STATUS_SUCCESS, "a thread routine is removed at APC_LEVEL");

	if (!Parameters.Invasive)
		return;
	CHECK_STATUS("PS-14", Thread(NULL), STATUS_SUCCESS, "NULL is accepted for threads");
	CHECK_STATUS("PS-14", RemoveThread(NULL), STATUS_SUCCESS, "can be removed");
	CHECK_STATUS("PS-14", RemoveThread(NULL), STATUS_PROCEDURE_NOT_FOUND, "but once");
}

static NTSTATUS AddThreadOfSomeKind(ULONG Number)
{
	switch (Number % 3) {
	case 0:
		return Thread(Slot(Number));
	case 1:
		return ThreadEx(PsCreateThreadNotifyNonSystem, Slot(Number));
	default:
		return ThreadEx(PsCreateThreadNotifySubsystems, Slot(Number));
	}
}

static VOID CheckThreadCapacity(VOID)
{
	NTSTATUS status = STATUS_SUCCESS;
	ULONG count = 0;
	ULONG i;

	while (count < SLOTS) {
		status = AddThreadOfSomeKind(count);
		if (!NT_SUCCESS(status))
			break;
		count++;
	}
	ConformPrint("note: %lu thread routines fit\n", count);
	CHECK("PS-65", Parameters.Alone ? count == 64 : count != 0 && count <= 64,
	      "the thread table has 64 slots");
	CHECK_STATUS("PS-64", status, STATUS_INSUFFICIENT_RESOURCES,
		     "a full thread table is INSUFFICIENT_RESOURCES");
	for (i = 0; i < count; i++)
		CHECK_STATUS("PS-67", RemoveThread(Slot(i)), STATUS_SUCCESS,
			     "removal of each from a full table");
}

VOID CheckThreadRegistration(VOID)
{
	CheckThreadCalls();
	CheckThreadCapacity();
}

/* ---- Images --------------------------------------------------------------------- */

static NTSTATUS Image(PVOID Routine)
{
	return PsSetLoadImageNotifyRoutine((PLOAD_IMAGE_NOTIFY_ROUTINE)(ULONG_PTR)Routine);
}

static NTSTATUS ImageEx(PVOID Routine, ULONG_PTR Flags)
{
	return PsSetLoadImageNotifyRoutineEx((PLOAD_IMAGE_NOTIFY_ROUTINE)(ULONG_PTR)Routine, Flags);
}

static NTSTATUS RemoveImage(PVOID Routine)
{
	return PsRemoveLoadImageNotifyRoutine((PLOAD_IMAGE_NOTIFY_ROUTINE)(ULONG_PTR)Routine);
}

static VOID CheckImageCalls(VOID)
{
	KIRQL irql;
	NTSTATUS status;

	CHECK_STATUS("PS-74", Image(Slot(0)), STATUS_SUCCESS, "an image routine is added");
	CHECK_STATUS("PS-77", RemoveImage(Slot(0)), STATUS_SUCCESS, "and removed");
	CHECK_STATUS("PS-77", RemoveImage(Slot(0)), STATUS_PROCEDURE_NOT_FOUND,
		     "removing what is not registered is PROCEDURE_NOT_FOUND");

	CHECK_STATUS("PS-76", ImageEx(Slot(0), 0), STATUS_SUCCESS, "Ex with flags 0 is accepted");
	CHECK_STATUS("PS-76", RemoveImage(Slot(0)), STATUS_SUCCESS,
		     "the one removal serves Ex too");
	CHECK_STATUS("PS-75", ImageEx(Slot(0), PS_IMAGE_NOTIFY_CONFLICTING_ARCHITECTURE),
		     STATUS_SUCCESS, "flag bit 0 is accepted");
	CHECK_STATUS("PS-75", RemoveImage(Slot(0)), STATUS_SUCCESS, "and removed");
	CHECK_STATUS("PS-75", ImageEx(Slot(0), 2), STATUS_INVALID_PARAMETER_2,
		     "flag bit 1 is INVALID_PARAMETER_2");
	CHECK_STATUS("PS-75", ImageEx(Slot(0), 3), STATUS_INVALID_PARAMETER_2, "also beside bit 0");
	CHECK_STATUS("PS-75", ImageEx(Slot(0), (ULONG_PTR)1 << 32), STATUS_INVALID_PARAMETER_2,
		     "and so is one beyond the low 32 bits");

	Image(Slot(0));
	KeRaiseIrql(APC_LEVEL, &irql);
	status = RemoveImage(Slot(0));
	KeLowerIrql(irql);
	CHECK_STATUS("PS-04", status, STATUS_SUCCESS, "an image routine is removed at APC_LEVEL");

	if (!Parameters.Invasive)
		return;
	CHECK_STATUS("PS-14", Image(NULL), STATUS_SUCCESS, "NULL is accepted for images");
	CHECK_STATUS("PS-14", RemoveImage(NULL), STATUS_SUCCESS, "and can be removed");
	CHECK_STATUS("PS-14", RemoveImage(NULL), STATUS_PROCEDURE_NOT_FOUND, "once only");
}

static VOID CheckImageCapacity(VOID)
{
	NTSTATUS status = STATUS_SUCCESS;
	ULONG count = 0;
	ULONG i;

	while (count < SLOTS) {
		status = count % 2 ? ImageEx(Slot(count), 0) : Image(Slot(count));
		if (!NT_SUCCESS(status))
			break;
		count++;
	}
	ConformPrint("note: %lu image routines fit\n", count);
	CHECK("PS-74", Parameters.Alone ? count == 64 : count != 0 && count <= 64,
	      "the image table has 64 slots");
	CHECK_STATUS("PS-74", status, STATUS_INSUFFICIENT_RESOURCES,
		     "a full image table is INSUFFICIENT_RESOURCES");
	CHECK_STATUS("PS-76", ImageEx(Slot(SLOTS - 1), 0), STATUS_INSUFFICIENT_RESOURCES,
		     "full for Ex too: it is one table");
	for (i = 0; i < count; i++)
		CHECK_STATUS("PS-77", RemoveImage(Slot(i)), STATUS_SUCCESS,
			     "removal of each from a full table");
}

VOID CheckImageRegistration(VOID)
{
	CheckImageCalls();
	CheckImageCapacity();
}
