/* SPDX-License-Identifier: MIT */
/*
 * Image routines that stay: the plain form, Ex with flags 0, and Ex that hears of images
 * of a foreign architecture as well.
 *
 * Names that play a part: conform-foreign.dll is of a foreign architecture,
 * conform-data.dll is mapped without execution, and conform-after.dll is mapped after that
 * by the same process.
 *
 * Clauses: PS-75, PS-76, PS-78 to PS-83, PS-86, AB-12.
 */
#include "record.h"

#define IO_TYPE_OF_FILES 5

static volatile LONG PlainCalls, ExCalls, ForeignCalls;
static volatile LONG ForeignToPlain;
static volatile LONG DataMapped;

static VOID CheckContext(VOID)
{
	CHECK("PS-81", KeGetCurrentIrql() == PASSIVE_LEVEL,
	      "an image routine runs at PASSIVE_LEVEL");
	CHECK("PS-81", KeAreApcsDisabled(), "with normal kernel APCs off");
	if (KeAreAllApcsDisabled())
		CHECK("PS-81", KeAreApcsDisabled(), "sometimes with special ones off as well");
	else
		CHECK("PS-81", KeAreApcsDisabled(), "sometimes with special ones on");
}

static VOID CheckInfo(HANDLE ProcessId, PIMAGE_INFO Info)
{
	CHECK("PS-78", Info->ImageBase != NULL && Info->ImageSize != 0, "an image has been mapped");
	CHECK("PS-82", Info->ImageAddressingMode == 3, "ImageAddressingMode is 3");
	CHECK("PS-82", !Info->ImageMappedToAllPids && !Info->MachineTypeMismatch,
	      "ImageMappedToAllPids and MachineTypeMismatch are 0");
	CHECK("PS-82",
	      Info->ImageSelector == 0 && Info->ImageSectionNumber == 0 && Info->Reserved == 0,
	      "ImageSelector, ImageSectionNumber and reserved bits are 0");
	if (Info->SystemModeImage) {
		CHECK("PS-79", ProcessId == NULL, "of a driver, ProcessId is 0");
		CHECK("PS-78", *(PUSHORT)Info->ImageBase == 0x5A4D, "it is there to be read");
		CHECK("AB-12", Info->Properties & 0x100, "SystemModeImage is bit 8 of Properties");
	} else {
		CHECK("PS-79", ProcessId != NULL && ProcessId == PsGetCurrentProcessId(),
		      "of a user image, ProcessId is the mapping process");
	}
	if (Info->ExtendedInfoPresent) {
		PIMAGE_INFO_EX extended = CONTAINING_RECORD(Info, IMAGE_INFO_EX, ImageInfo);

		CHECK("PS-83", extended->Size == sizeof(*extended),
		      "with ExtendedInfoPresent it lies in an IMAGE_INFO_EX");
		CHECK("PS-83",
		      extended->FileObject != NULL &&
			      extended->FileObject->Type == IO_TYPE_OF_FILES,
		      "which has the file object");
	}
}

/* The first two images of a process that was announced to us. */
static VOID CheckStart(RECORD *Record, PUNICODE_STRING Name)
{
	LONG number = InterlockedIncrement(&Record->Images);
	UNICODE_STRING image;

	if (!Record->Watched || Record->Subsystem || number > 2 || Record->NameLength == 0)
		return;
	CHECK("PS-86", Record->Creations == 1, "images follow the announcement of the process");
	CHECK("PS-86", PsGetCurrentThreadId() == Record->InitialThread,
	      "the first ones are told on its initial thread");
	image.Buffer = Record->Name;
	image.Length = image.MaximumLength = Record->NameLength;
	if (number == 1)
		CHECK("PS-86", EndsWithString(Name, &image), "the executable comes first");
	else
		CHECK("PS-86", EndsWith(Name, L"\\ntdll.dll"), "then ntdll");
}

/* ---- Routines ------------------------------------------------------------------------- */

static VOID Plain(PUNICODE_STRING Name, HANDLE ProcessId, PIMAGE_INFO Info)
{
	RECORD *record = ProcessId != NULL ? RecordOfId(ProcessId) : NULL;

	InterlockedIncrement(&PlainCalls);
	CheckContext();
	CheckInfo(ProcessId, Info);
	if (record != NULL)
		CheckStart(record, Name);
	if (Name == NULL)
		CHECK("PS-78", Info->ImageBase != NULL, "an image without a name is told too");
	if (EndsWith(Name, L"\\conform-foreign.dll"))
		InterlockedIncrement(&ForeignToPlain);
	if (EndsWith(Name, L"\\conform-data.dll"))
		InterlockedIncrement(&DataMapped);
	if (EndsWith(Name, L"\\conform-after.dll"))
		CHECK("PS-80", DataMapped == 0,
		      "what is mapped without execution has not been told");
}

static VOID Ex(PUNICODE_STRING Name, HANDLE ProcessId, PIMAGE_INFO Info)
{
	UNREFERENCED_PARAMETER(Name);
	UNREFERENCED_PARAMETER(ProcessId);
	UNREFERENCED_PARAMETER(Info);
	InterlockedIncrement(&ExCalls);
}

static VOID Foreign(PUNICODE_STRING Name, HANDLE ProcessId, PIMAGE_INFO Info)
{
	UNREFERENCED_PARAMETER(ProcessId);
	UNREFERENCED_PARAMETER(Info);
	InterlockedIncrement(&ForeignCalls);
	if (EndsWith(Name, L"\\conform-foreign.dll"))
		CHECK("PS-75", ForeignToPlain == 0,
		      "a foreign image is told to routines with flag bit 0 alone");
}

NTSTATUS RegisterImageRoutines(VOID)
{
	NTSTATUS status = PsSetLoadImageNotifyRoutine(Plain);

	if (!NT_SUCCESS(status))
		return status;
	PsSetLoadImageNotifyRoutineEx(Ex, 0);
	return PsSetLoadImageNotifyRoutineEx(Foreign, PS_IMAGE_NOTIFY_CONFLICTING_ARCHITECTURE);
}

/* On a live system an image may have come between two registrations or removals. */
static VOID CheckCounts(VOID)
{
	if (PlainCalls == 0)
		return;
	CHECK("PS-76", Parameters.Alone ? ExCalls == PlainCalls : ExCalls != 0,
	      "the plain form and Ex with flags 0 heard of the same images");
	CHECK("PS-75", ForeignCalls >= ExCalls, "flag bit 0 does not lessen what is told");
}

VOID UnregisterImageRoutines(VOID)
{
	CHECK_STATUS("PS-77", PsRemoveLoadImageNotifyRoutine(Plain), STATUS_SUCCESS,
		     "an image routine that was called is removed");
	CHECK_STATUS("PS-77", PsRemoveLoadImageNotifyRoutine(Ex), STATUS_SUCCESS,
		     "and one of the Ex form");
	CHECK_STATUS("PS-77", PsRemoveLoadImageNotifyRoutine(Foreign), STATUS_SUCCESS,
		     "and one with a flag");
	CheckCounts();
}
