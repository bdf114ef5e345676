/* SPDX-License-Identifier: MIT */
/*
 * The protected processes: a list of their ids.
 *
 * There are few of them and the list is looked at on every handle, so a count
 * that is read without the lock answers most questions. A fast mutex guards the
 * list: it can be taken up to APC_LEVEL, where object callbacks may be, and what
 * it guards can be paged.
 */
#include "warden.h"

typedef struct _PROTECTED_PROCESS {
	LIST_ENTRY Link;
	HANDLE ProcessId;
} PROTECTED_PROCESS, *PPROTECTED_PROCESS;

static FAST_MUTEX Lock;
static LIST_ENTRY Processes; /* Lock */
static volatile LONG Count;  /* written under Lock */

static PPROTECTED_PROCESS Find(HANDLE ProcessId);

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, WardenInitializeProtected)
#pragma alloc_text(PAGE, Find)
#pragma alloc_text(PAGE, WardenProtect)
#pragma alloc_text(PAGE, WardenUnprotect)
#pragma alloc_text(PAGE, WardenIsProtected)
#pragma alloc_text(PAGE, WardenFreeProtected)
#endif

VOID WardenInitializeProtected(VOID)
{
	ExInitializeFastMutex(&Lock);
	InitializeListHead(&Processes);
}

/* Lock is held. */
static PPROTECTED_PROCESS Find(HANDLE ProcessId)
{
	PLIST_ENTRY link;

	PAGED_CODE();

	for (link = Processes.Flink; link != &Processes; link = link->Flink) {
		PPROTECTED_PROCESS process = CONTAINING_RECORD(link, PROTECTED_PROCESS, Link);

		if (process->ProcessId == ProcessId)
			return process;
	}
	return NULL;
}

NTSTATUS
WardenProtect(HANDLE ProcessId)
{
	PPROTECTED_PROCESS process;

	PAGED_CODE();

	process = ExAllocatePoolUninitialized(PagedPool, sizeof(*process), WARDEN_TAG);
	if (process == NULL)
		return STATUS_INSUFFICIENT_RESOURCES;
	process->ProcessId = ProcessId;

	ExAcquireFastMutex(&Lock);
	InsertTailList(&Processes, &process->Link);
	Count++;
	ExReleaseFastMutex(&Lock);
	return STATUS_SUCCESS;
}

/* Whether it was protected. */
BOOLEAN
WardenUnprotect(HANDLE ProcessId)
{
	PPROTECTED_PROCESS process;

	PAGED_CODE();

	if (Count == 0)
		return FALSE;

	ExAcquireFastMutex(&Lock);
	process = Find(ProcessId);
	if (process != NULL) {
		RemoveEntryList(&process->Link);
		Count--;
	}
	ExReleaseFastMutex(&Lock);

	if (process == NULL)
		return FALSE;
	ExFreePoolWithTag(process, WARDEN_TAG);
	return TRUE;
}

/*
 * A process is entered before it runs and before anybody has a handle to it, so a
 * count of zero is never too old an answer.
 */
BOOLEAN
WardenIsProtected(HANDLE ProcessId)
{
	BOOLEAN found;

	PAGED_CODE();

	if (Count == 0)
		return FALSE;

	ExAcquireFastMutex(&Lock);
	found = Find(ProcessId) != NULL;
	ExReleaseFastMutex(&Lock);
	return found;
}

/* Nobody is left who could look at the list. */
VOID WardenFreeProtected(VOID)
{
	PAGED_CODE();

	while (!IsListEmpty(&Processes)) {
		PLIST_ENTRY link = RemoveHeadList(&Processes);

		ExFreePoolWithTag(CONTAINING_RECORD(link, PROTECTED_PROCESS, Link), WARDEN_TAG);
	}
	Count = 0;
}
