/* SPDX-License-Identifier: MIT */
/*
 * The records of processes.
 *
 * They stay until unload, so a pointer to one is good for as long as any callback can
 * run; that of an ended process is only not found any more. The lock protects the list;
 * a record's fields are written by the one thread that its process is created or ends
 * on, and counted by any.
 */
#include "record.h"

static LIST_ENTRY Records;
static FAST_MUTEX Lock;

volatile BOOLEAN Watching;

VOID InitialiseRecords(VOID)
{
	InitializeListHead(&Records);
	ExInitializeFastMutex(&Lock);
}

VOID FreeRecords(VOID)
{
	while (!IsListEmpty(&Records))
		ExFreePoolWithTag(CONTAINING_RECORD(RemoveHeadList(&Records), RECORD, Link),
				  CONFORM_TAG);
}

/* ---- Parts --------------------------------------------------------------------------- */

/* What a process is called by itself ends here. */
#define SHORT_NAME_LENGTH 14

static BOOLEAN IsCalled(PCSTR Name, PCSTR Role)
{
	static const CHAR prefix[] = "conform-";
	ULONG i = 0;
	PCSTR part;

	for (part = prefix; *part != '\0'; part++, i++) {
		if (Name[i] != *part)
			return FALSE;
	}
	for (part = Role; *part != '\0'; part++, i++) {
		if (Name[i] != *part)
			return FALSE;
	}
	return i == SHORT_NAME_LENGTH || Name[i] == '.' || Name[i] == '\0';
}

ROLE RoleOf(PEPROCESS Process)
{
	PCSTR name = PsGetProcessImageFileName(Process);

#define CONFORM_ROLE_TEST(Name, Text)                                                              \
	if (IsCalled(name, Text))                                                                  \
		return Role##Name;
	CONFORM_ROLES(CONFORM_ROLE_TEST)
#undef CONFORM_ROLE_TEST
	return RoleNone;
}

/* ---- Finding ---------------------------------------------------------------------------- */

/* Under the lock. */
static RECORD *Find(HANDLE ProcessId)
{
	PLIST_ENTRY link;

	for (link = Records.Flink; link != &Records; link = link->Flink) {
		RECORD *record = CONTAINING_RECORD(link, RECORD, Link);

		if (record->ProcessId == ProcessId && !record->Ended)
			return record;
	}
	return NULL;
}

RECORD *RecordOfId(HANDLE ProcessId)
{
	RECORD *record;

	ExAcquireFastMutex(&Lock);
	record = Find(ProcessId);
	ExReleaseFastMutex(&Lock);
	return record;
}

RECORD *RecordOfRole(ROLE Role)
{
	RECORD *found = NULL;
	PLIST_ENTRY link;

	ExAcquireFastMutex(&Lock);
	for (link = Records.Flink; link != &Records && found == NULL; link = link->Flink) {
		RECORD *record = CONTAINING_RECORD(link, RECORD, Link);

		if (record->Role == Role && !record->Ended)
			found = record;
	}
	ExReleaseFastMutex(&Lock);
	return found;
}

static RECORD *NewRecord(PEPROCESS Process)
{
	RECORD *record = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*record), CONFORM_TAG);

	if (record == NULL)
		return NULL;
	RtlZeroMemory(record, sizeof(*record));
	record->ProcessId = PsGetProcessId(Process);
	record->Process = Process;
	record->Role = RoleOf(Process);
	return record;
}

RECORD *RecordOf(PEPROCESS Process)
{
	RECORD *record;

	ExAcquireFastMutex(&Lock);
	record = Find(PsGetProcessId(Process));
	if (record == NULL) {
		record = NewRecord(Process);
		if (record != NULL)
			InsertTailList(&Records, &record->Link);
	}
	ExReleaseFastMutex(&Lock);
	return record;
}

VOID RecordEnd(RECORD *Record)
{
	ExAcquireFastMutex(&Lock);
	Record->Ended = TRUE;
	ExReleaseFastMutex(&Lock);
}

/* ---- Order -------------------------------------------------------------------------------- */

VOID RecordCall(RECORD *Record, CHAR Letter)
{
	if (Record->OrderLength < sizeof(Record->Order))
		Record->Order[Record->OrderLength++] = Letter;
}

BOOLEAN RecordCallsWere(RECORD *Record, PCSTR Letters)
{
	ULONG i;

	for (i = 0; i < Record->OrderLength && Letters[i] == Record->Order[i]; i++)
		;
	return i == Record->OrderLength && Letters[i] == '\0';
}
