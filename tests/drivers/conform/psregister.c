/* SPDX-License-Identifier: MIT */
/*
 * Registration and removal of process routines, as far as statuses tell. Nothing is
 * left registered. The routines are those of slots.c, which do nothing.
 *
 * Clauses: PS-1 to PS-8, PS-10, PS-11, PS-14 to PS-20.
 */
#include "conform.h"

static NTSTATUS Legacy(PVOID Routine, BOOLEAN Remove)
{
	return PsSetCreateProcessNotifyRoutine((PCREATE_PROCESS_NOTIFY_ROUTINE)(ULONG_PTR)Routine,
					       Remove);
}

static NTSTATUS Ex(PVOID Routine, BOOLEAN Remove)
{
	return PsSetCreateProcessNotifyRoutineEx(
		(PCREATE_PROCESS_NOTIFY_ROUTINE_EX)(ULONG_PTR)Routine, Remove);
}

static NTSTATUS Ex2(PVOID Routine, BOOLEAN Remove)
{
	return PsSetCreateProcessNotifyRoutineEx2(PsCreateProcessNotifySubsystems, Routine, Remove);
}

static NTSTATUS Ex2OfType(ULONG Type, PVOID Routine, BOOLEAN Remove)
{
	return PsSetCreateProcessNotifyRoutineEx2((PSCREATEPROCESSNOTIFYTYPE)Type, Routine, Remove);
}

typedef NTSTATUS (*FAMILY)(PVOID Routine, BOOLEAN Remove);
static const FAMILY Families[] = {Legacy, Ex, Ex2};

static VOID CheckAddAndRemove(VOID)
{
	CHECK_STATUS("PS-01", Legacy(Slot(0), FALSE), STATUS_SUCCESS,
		     "FALSE adds a legacy routine");
	CHECK_STATUS("PS-01", Legacy(Slot(0), TRUE), STATUS_SUCCESS, "TRUE removes it");
	CHECK_STATUS("PS-01", Ex(Slot(0), FALSE), STATUS_SUCCESS, "FALSE adds an Ex routine");
	CHECK_STATUS("PS-01", Ex(Slot(0), TRUE), STATUS_SUCCESS, "TRUE removes an Ex routine");
	CHECK_STATUS("PS-02", Ex2(Slot(0), FALSE), STATUS_SUCCESS,
		     "Ex2 of the type for subsystems adds a routine");
	CHECK_STATUS("PS-02", Ex2(Slot(0), TRUE), STATUS_SUCCESS, "and removes it");
}

static VOID CheckNames(VOID)
{
	CHECK("PS-03", FindExport(L"PsSetCreateProcessNotifyRoutineEx"),
	      "PsSetCreateProcessNotifyRoutineEx is found at run time");
	CHECK("PS-03", FindExport(L"PsSetCreateProcessNotifyRoutineEx2"),
	      "PsSetCreateProcessNotifyRoutineEx2 is found at run time");
	CHECK("PS-03", FindExport(L"PsSetCreateThreadNotifyRoutineEx"),
	      "PsSetCreateThreadNotifyRoutineEx is found at run time");
	CHECK("PS-03", FindExport(L"PsSetLoadImageNotifyRoutineEx"),
	      "PsSetLoadImageNotifyRoutineEx is found at run time");
	CHECK("PS-03", !FindExport(L"PsSetCreateProcessNotifyRoutineEx3"),
	      "a name that no version has is not found");
}

/* Adds a routine a second time by the same call. */
static VOID CheckDuplicates(VOID)
{
	static const NTSTATUS expected[] = {STATUS_INVALID_PARAMETER, STATUS_SUCCESS};
	ULONG i;

	for (i = 0; i < RTL_NUMBER_OF(Families); i++) {
		NTSTATUS second, removed, again;

		Families[i](Slot(0), FALSE);
		second = Families[i](Slot(0), FALSE);
		removed = Families[i](Slot(0), TRUE);
		again = Families[i](Slot(0), TRUE);
		CHECK_STATUS("PS-07", second, expected[Parameters.Observed],
			     "a routine is added twice only in the observed profile");
		CHECK_STATUS("PS-07", removed, STATUS_SUCCESS, "one removal succeeds");
		CHECK_STATUS("PS-07", again,
			     Parameters.Observed ? STATUS_SUCCESS : STATUS_PROCEDURE_NOT_FOUND,
			     "a second one as often as the routine was accepted");
	}
}

static VOID CheckKinds(VOID)
{
	ULONG i, j;

	CHECK_STATUS("PS-08", Legacy(Slot(0), FALSE), STATUS_SUCCESS,
		     "an address as a legacy routine (inferred)");
	CHECK_STATUS("PS-08", Ex(Slot(0), FALSE), STATUS_SUCCESS,
		     "and as an Ex routine (inferred)");
	CHECK_STATUS("PS-08", Ex2(Slot(0), FALSE), STATUS_SUCCESS,
		     "and as an Ex2 routine (inferred)");
	for (i = 0; i < RTL_NUMBER_OF(Families); i++)
		CHECK_STATUS("PS-08", Families[i](Slot(0), TRUE), STATUS_SUCCESS,
			     "each is removed for itself (inferred)");

	for (i = 0; i < RTL_NUMBER_OF(Families); i++)
		CHECK_STATUS("PS-10", Families[i](Slot(0), TRUE), STATUS_PROCEDURE_NOT_FOUND,
			     "removing what is not registered is PROCEDURE_NOT_FOUND");
	for (i = 0; i < RTL_NUMBER_OF(Families); i++) {
		Families[i](Slot(1), FALSE);
		for (j = 0; j < RTL_NUMBER_OF(Families); j++) {
			if (j != i)
				CHECK_STATUS("PS-11", Families[j](Slot(1), TRUE),
					     STATUS_PROCEDURE_NOT_FOUND,
					     "removal by the call of another kind finds nothing");
		}
		CHECK_STATUS("PS-11", Families[i](Slot(1), TRUE), STATUS_SUCCESS,
			     "and leaves it to the call of its own kind");
	}
}

/* Invasive: should something start or end meanwhile, Windows may call it. */
static VOID CheckNull(VOID)
{
	if (!Parameters.Invasive)
		return;
	CHECK_STATUS("PS-14", Legacy(NULL, FALSE), STATUS_SUCCESS, "NULL can be added as legacy");
	CHECK_STATUS("PS-14", Legacy(NULL, TRUE), STATUS_SUCCESS, "and removed");
	CHECK_STATUS("PS-14", Legacy(NULL, TRUE), STATUS_PROCEDURE_NOT_FOUND, "but once");
}

static BOOLEAN HeaderHasForceIntegrity(VOID)
{
	PUCHAR base = ThisDriver->DriverStart;
	ULONG header = *(PULONG)(base + 0x3C);

	return (*(PUSHORT)(base + header + 0x5E) & 0x0080) != 0;
}

static VOID CheckIntegrity(VOID)
{
	CHECK("PS-15",
	      HeaderHasForceIntegrity() && Ex(Slot(0), FALSE) == STATUS_SUCCESS &&
		      Ex(Slot(0), TRUE) == STATUS_SUCCESS,
	      "an image with FORCE_INTEGRITY may register Ex routines");

	ForgetIntegrity();
	CHECK_STATUS("PS-15", Ex(Slot(0), FALSE), STATUS_ACCESS_DENIED,
		     "without it Ex is ACCESS_DENIED");
	CHECK_STATUS("PS-15", Ex2(Slot(0), FALSE), STATUS_ACCESS_DENIED,
		     "without it Ex2 is ACCESS_DENIED");
	CHECK("PS-16", HeaderHasForceIntegrity() && Ex(Slot(0), FALSE) == STATUS_ACCESS_DENIED,
	      "what the header says does not help when the module entry's bit is clear");
	CHECK_STATUS("PS-18", Legacy(Slot(0), FALSE), STATUS_SUCCESS,
		     "legacy does not need FORCE_INTEGRITY");
	CHECK_STATUS("PS-18", Legacy(Slot(0), TRUE), STATUS_SUCCESS, "nor does its removal");
	CHECK("PS-20", Ex2OfType(1, Slot(0), FALSE) != STATUS_ACCESS_DENIED,
	      "Ex2's type is tested before integrity (inferred)");

	RecallIntegrity();
	CHECK_STATUS("PS-16", Ex(Slot(0), FALSE), STATUS_SUCCESS,
		     "a driver that sets the bit in its own DriverSection may register");
	ForgetIntegrity();
	CHECK_STATUS("PS-20", Ex(Slot(0), FALSE), STATUS_ACCESS_DENIED,
		     "integrity is tested before duplicates (inferred)");
	CHECK_STATUS("PS-20", Ex(Slot(0), TRUE), STATUS_SUCCESS,
		     "removal is not tested for integrity (inferred)");
	CHECK_STATUS("PS-20", Ex(Slot(0), TRUE), STATUS_PROCEDURE_NOT_FOUND,
		     "nor when there is nothing to remove (inferred)");
	RecallIntegrity();
}

static VOID CheckPlace(VOID)
{
	PVOID nowhere = AddressInNoModule();

	if (nowhere == NULL)
		return;
	CHECK_STATUS("PS-17", Ex(nowhere, FALSE), STATUS_ACCESS_DENIED,
		     "Ex of an address in no module is ACCESS_DENIED");
	CHECK_STATUS("PS-17", Ex2(nowhere, FALSE), STATUS_ACCESS_DENIED,
		     "Ex2 of an address in no module is ACCESS_DENIED");
	CHECK_STATUS("PS-17", Legacy(nowhere, FALSE), STATUS_ACCESS_DENIED,
		     "legacy of an address in no module is ACCESS_DENIED");
	CHECK_STATUS("PS-20", Ex(nowhere, TRUE), STATUS_PROCEDURE_NOT_FOUND,
		     "removing it is PROCEDURE_NOT_FOUND (inferred)");
	FreeAddressInNoModule(nowhere);
}

static VOID CheckUnknownType(VOID)
{
	NTSTATUS expected = Parameters.Observed ? STATUS_NOT_SUPPORTED : STATUS_INVALID_PARAMETER;

	CHECK_STATUS("PS-19", Ex2OfType(1, Slot(0), FALSE), expected,
		     "Ex2 of type 1 fails as the profile says");
	CHECK_STATUS("PS-19", Ex2OfType(0x7FFFFFFF, Slot(0), FALSE), expected,
		     "and so does a far larger one");
	Ex2(Slot(0), FALSE);
	CHECK_STATUS("PS-20", Ex2OfType(1, Slot(0), TRUE), expected,
		     "the type is tested on removal as well (inferred)");
	CHECK_STATUS("PS-20", Ex2(Slot(0), TRUE), STATUS_SUCCESS,
		     "which then removes nothing (inferred)");
}

/* Fills the table with all three kinds in turn. Others may have slots in it, and may
 * take or leave one at any time. */
static VOID CheckCapacity(VOID)
{
	NTSTATUS status = STATUS_SUCCESS;
	ULONG count = 0;
	ULONG i;

	while (count < SLOTS) {
		status = Families[count % 3](Slot(count), FALSE);
		if (!NT_SUCCESS(status))
			break;
		count++;
	}
	ConformPrint("note: %lu process routines fit\n", count);
	CHECK("PS-05", Parameters.Alone ? count == 64 : count != 0 && count <= 64,
	      "the three families share 64 slots");
	CHECK_STATUS("PS-06", status, STATUS_INVALID_PARAMETER,
		     "a full table is INVALID_PARAMETER, not INSUFFICIENT_RESOURCES");
	for (i = 0; i < RTL_NUMBER_OF(Families); i++)
		CHECK_STATUS("PS-06", Families[i](Slot(SLOTS - 1 - i), FALSE),
			     STATUS_INVALID_PARAMETER, "and is so for each family");
	if (count > 1) {
		Families[1](Slot(1), TRUE);
		CHECK_STATUS("PS-05", Families[0](Slot(1), FALSE), STATUS_SUCCESS,
			     "the slot of an Ex routine serves a legacy one");
		Families[0](Slot(1), TRUE);
	}
	for (i = 0; i < count; i++) {
		if (i != 1)
			CHECK_STATUS("PS-05", Families[i % 3](Slot(i), TRUE), STATUS_SUCCESS,
				     "each is removed from a full table");
	}
}

VOID CheckProcessRegistration(VOID)
{
	CHECK("PS-04", KeGetCurrentIrql() == PASSIVE_LEVEL,
	      "DriverEntry may set routines: it runs at PASSIVE_LEVEL");
	CheckAddAndRemove();
	CheckNames();
	CheckDuplicates();
	CheckKinds();
	CheckNull();
	CheckIntegrity();
	CheckPlace();
	CheckUnknownType();
	CheckCapacity();
}
