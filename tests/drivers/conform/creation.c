/* SPDX-License-Identifier: MIT */
/*
 * What Ex and Ex2 routines are told of a creation.
 *
 * Clauses: PS-32, PS-35, PS-37 to PS-39, PS-41 to PS-48, PS-62, PS-63, PS-84, PS-85, OB-27,
 * AB-11, AB-21, AB-22.
 */
#include "record.h"

#define IO_TYPE_OF_FILES 5

static VOID CheckIds(PEPROCESS Process, HANDLE ProcessId)
{
	PEPROCESS found;
	PETHREAD thread;

	CHECK("PS-63", ProcessId != NULL && ((ULONG_PTR)ProcessId & 3) == 0,
	      "a process id is a multiple of 4 and not 0");
	CHECK("PS-63", !NT_SUCCESS(PsLookupThreadByThreadId(ProcessId, &thread)),
	      "no thread has the id of a process");
	if (!NT_SUCCESS(PsLookupProcessByProcessId(ProcessId, &found)))
		found = NULL;
	CHECK("PS-39", found == Process, "a process id can be looked up inside (inferred)");
	if (found == NULL)
		return;
	CHECK("AB-22", found == Process && PsGetProcessId(Process) == ProcessId,
	      "an Ex call and a look-up give one pointer");
	ObDereferenceObject(found);
}

static VOID CheckContext(PEPROCESS Process, HANDLE ProcessId, PPS_CREATE_NOTIFY_INFO CreateInfo)
{
	CHECK("PS-37", PsGetCurrentProcess() != Process && PsGetCurrentProcessId() != ProcessId,
	      "the current process is not the new one");
	CHECK("PS-38",
	      CreateInfo->CreatingThreadId.UniqueProcess == PsGetCurrentProcessId() &&
		      CreateInfo->CreatingThreadId.UniqueThread == PsGetCurrentThreadId(),
	      "CreatingThreadId is the client id of the current thread");
	CHECK("PS-62", KeGetCurrentIrql() == PASSIVE_LEVEL,
	      "a create routine runs at PASSIVE_LEVEL");
	CHECK("PS-62", KeAreApcsDisabled() && !KeAreAllApcsDisabled(),
	      "with normal kernel APCs off and special ones on");
}

/* A counted string in order. */
static BOOLEAN IsCounted(PCUNICODE_STRING Text)
{
	return Text->Length % sizeof(WCHAR) == 0 && Text->MaximumLength >= Text->Length &&
	       (Text->Buffer != NULL || Text->Length == 0);
}

static BOOLEAN HasNulInside(PCUNICODE_STRING Text)
{
	ULONG i;

	for (i = 0; i + 1 < Text->Length / sizeof(WCHAR); i++) {
		if (Text->Buffer[i] == L'\0')
			return TRUE;
	}
	return FALSE;
}

static VOID CheckWin32Names(PPS_CREATE_NOTIFY_INFO CreateInfo)
{
	PCUNICODE_STRING image = CreateInfo->ImageFileName;
	PFILE_OBJECT file = CreateInfo->FileObject;
	UNICODE_STRING name;

	if (CreateInfo->FileOpenNameAvailable)
		CHECK("PS-42", image != NULL && image->Length > 2 && image->Buffer[0] == L'\\',
		      "with FileOpenNameAvailable the whole name is there");
	if (file == NULL || image == NULL)
		return;
	name = LastComponent(image);
	CHECK("AB-21", file->Type == IO_TYPE_OF_FILES && EndsWithString(&file->FileName, &name),
	      "FileName of the file object names the same file");
}

static VOID CheckSubsystemNames(RECORD *Record, PPS_CREATE_NOTIFY_INFO CreateInfo)
{
	if (CreateInfo->ImageFileName != NULL)
		CHECK("PS-43",
		      CreateInfo->ImageFileName->Length > 2 &&
			      CreateInfo->ImageFileName->Buffer[0] == L'/',
		      "a Linux process has a Linux path");
	else
		CHECK("PS-43", CreateInfo->IsSubsystemProcess,
		      "a subsystem process may have no name");
	if (Record->Role == RolePico && CreateInfo->CommandLine != NULL)
		CHECK("PS-43", HasNulInside(CreateInfo->CommandLine),
		      "its arguments are separated by NULs");
}

static VOID CheckFields(RECORD *Record, PPS_CREATE_NOTIFY_INFO CreateInfo)
{
	CHECK("PS-41", CreateInfo->Size == 0x48, "Size is 0x48");
	CHECK("AB-11", CreateInfo->Size == sizeof(*CreateInfo), "which is that of the structure");
	CHECK("PS-48", CreateInfo->Reserved == 0, "reserved bits of Flags are 0 (inferred)");
	if (CreateInfo->ImageFileName != NULL)
		CHECK("PS-47", IsCounted(CreateInfo->ImageFileName),
		      "the image's name is a counted string (inferred)");
	if (CreateInfo->CommandLine != NULL)
		CHECK("PS-47", IsCounted(CreateInfo->CommandLine),
		      "the command line is a counted string (inferred)");
	if (CreateInfo->IsSubsystemProcess)
		CheckSubsystemNames(Record, CreateInfo);
	else
		CheckWin32Names(CreateInfo);
}

VOID CheckCreation(RECORD *Record, PEPROCESS Process, HANDLE ProcessId,
		   PPS_CREATE_NOTIFY_INFO CreateInfo)
{
	CHECK("PS-32", Process != NULL && PsGetProcessId(Process) == ProcessId,
	      "a routine is given the process and its id");
	CheckContext(Process, ProcessId, CreateInfo);
	CheckIds(Process, ProcessId);
	CheckFields(Record, CreateInfo);
}

/* ---- By the part that the process plays -------------------------------------------------- */

static VOID CheckParent(RECORD *Record, PPS_CREATE_NOTIFY_INFO CreateInfo)
{
	HANDLE parent = CreateInfo->ParentProcessId;
	HANDLE creator = CreateInfo->CreatingThreadId.UniqueProcess;
	HANDLE inherited = PsGetProcessInheritedFromUniqueProcessId(Record->Process);

	if (parent != NULL)
		CHECK("PS-44", parent == inherited,
		      "ParentProcessId names the process inherited from");
	if (Record->Role == RoleFoster)
		CHECK("PS-44", parent != creator && parent == inherited,
		      "which may be another than the creator");
	if (Record->Role == RoleOrphan)
		CHECK("PS-45",
		      Parameters.Observed ? parent == inherited && parent != NULL : parent == NULL,
		      "without handle inheritance it is NULL only in the documented profile");
	if (Record->Role == RoleChild)
		CHECK("PS-45", parent == inherited && parent != NULL,
		      "with handle inheritance it is told in both");
}

/* The process object was made, and opened, by one process, its first thread by another. */
static VOID CheckSplit(RECORD *Record, PPS_CREATE_NOTIFY_INFO CreateInfo)
{
	CHECK("PS-35", Record->OpenedBefore && Record->Creations == 1,
	      "the process object existed before its first thread caused this call");
	CHECK("PS-85", Record->OpenedBefore,
	      "the object callback for its handle came before the creation");
	CHECK("PS-38", Record->FirstOpener != CreateInfo->CreatingThreadId.UniqueProcess,
	      "CreatingThreadId names who inserts the first thread");
}

/* What its parent opened inheritably is a handle of the heir's by now. */
static VOID CheckHeir(PPS_CREATE_NOTIFY_INFO CreateInfo)
{
	RECORD *target = RecordOfRole(RoleTarget);

	if (target == NULL || target->LastOpener != CreateInfo->CreatingThreadId.UniqueProcess)
		return;
	CHECK("OB-27", target->OpensByLast == 1,
	      "an inherited handle causes no event beside that of its origin (inferred)");
}

VOID CheckCreationByRole(RECORD *Record, PPS_CREATE_NOTIFY_INFO CreateInfo)
{
	if (CreateInfo->IsSubsystemProcess)
		return;
	CheckParent(Record, CreateInfo);
	switch (Record->Role) {
	case RoleChild:
		CHECK("PS-42",
		      CreateInfo->FileOpenNameAvailable &&
			      EndsWith(CreateInfo->ImageFileName, L"\\conform-child.exe"),
		      "the name is the one that was opened");
		CHECK("PS-46", CreateInfo->CommandLine != NULL, "its command line is there");
		CHECK("PS-84", !Record->OpenedBefore,
		      "of a process made by one call, the creation is told before any handle");
		break;
	case RoleMute:
		CHECK("PS-46", CreateInfo->CommandLine == NULL,
		      "CommandLine is NULL when there is none");
		break;
	case RoleSplit:
		CheckSplit(Record, CreateInfo);
		break;
	case RoleHeir:
		CheckHeir(CreateInfo);
		break;
	default:
		break;
	}
}
