/* SPDX-License-Identifier: MIT */
/*
 * What the first Ex2 routine finds when a process has ended: the creation's dispatch and
 * all calls for threads are over, so the counts must be right.
 *
 * Clauses: PS-7, PS-8, PS-11, PS-24, PS-30, PS-33, PS-36, PS-49, PS-51, PS-52, PS-54, PS-56 to
 * PS-58, PS-60 to PS-62, PS-66, PS-72.
 */
#include "record.h"

volatile LONG EmptyOpened, EmptyExits;

static VOID CheckContext(PEPROCESS Process, HANDLE ProcessId)
{
	CHECK("PS-57", PsGetCurrentProcess() == Process && PsGetCurrentProcessId() == ProcessId,
	      "the current process is the exiting one");
	CHECK("PS-62", KeGetCurrentIrql() == PASSIVE_LEVEL,
	      "an exit routine runs at PASSIVE_LEVEL");
	CHECK("PS-62", KeAreApcsDisabled() && !KeAreAllApcsDisabled(),
	      "it too with normal kernel APCs off and special ones on");
}

static VOID CheckKinds(RECORD *Record)
{
	if (Record->Subsystem) {
		CHECK("PS-33", Record->LegacyCalls == 0 && Record->ExCalls == 0,
		      "legacy and Ex routines heard nothing of a subsystem process");
		CHECK("PS-08", Record->ThriceCalls == 1,
		      "of one address in three kinds only Ex2's did (inferred)");
	} else {
		CHECK("PS-33", Record->LegacyCalls == 1 && Record->ExCalls == 1,
		      "legacy and Ex routines heard of a Win32 process");
		CHECK("PS-08", Record->ThriceCalls == 3,
		      "one address in three kinds was called three times (inferred)");
		CHECK("PS-07", Record->TwiceCalls == (Parameters.Observed ? 2 : 1),
		      "a routine added twice is called twice only in the observed profile");
		CHECK("PS-11", Record->TwiceCalls != 0,
		      "a removal of the wrong kind has not stopped a routine's calls");
	}
}

static VOID CheckLate(RECORD *Record)
{
	static PVOID volatile origin;

	if (LateState == LateRemoved && Record->Role == RoleMute)
		CHECK("PS-24", Record->LateCalls == 0, "once removed it is not (inferred)");
	if (LateState != LateAdded || Record->Role != RoleChild)
		return;
	if (InterlockedCompareExchangePointer(&origin, Record, NULL) == NULL)
		CHECK("PS-30", Record->LateCalls <= 1,
		      "in that dispatch it is called or not, never twice (inferred)");
	else
		CHECK("PS-30", Record->LateCalls == 1, "in a later one it is called (inferred)");
}

static VOID CheckThreads(RECORD *Record)
{
	CHECK("PS-56", Record->ThreadCreates == Record->ThreadExits && Record->ThreadExits != 0,
	      "all its threads have ended");
	CHECK("PS-58", Record->LastExited == PsGetCurrentThreadId(),
	      "the exit of its last thread has been told before (inferred)");
	if (Record->ThreadCreates > 1)
		CHECK("PS-36", Record->Creations == 1, "however many threads followed");
	if (Record->Subsystem) {
		CHECK("PS-72", Record->PlainCreates == 0 && Record->ThreadCreates != 0,
		      "threads of subsystem processes are told to Ex routines alone");
	} else {
		CHECK("PS-72", Record->PlainCreates == Record->ThreadCreates,
		      "threads of Win32 processes are told to Ex routines for all subsystems too");
		CHECK("PS-66", Record->TwiceCreates == 2 * Record->PlainCreates,
		      "a thread routine added twice was called twice (inferred)");
	}
}

static VOID CheckVerdict(RECORD *Record)
{
	switch (Record->Role) {
	case RoleVeto:
		CHECK("PS-49", Record->Starts == 0, "no thread of a refused process has run");
		CHECK("PS-53", Record->CreatorEvents == 0, "its creator was given no handle to it");
		CHECK("PS-54", PsGetCurrentProcessId() == Record->ProcessId,
		      "a refused process still ends, on its own thread (inferred)");
		break;
	case RoleWarn:
		CHECK("PS-52", Record->Starts == 0,
		      "a status of warning severity refuses as well (inferred)");
		break;
	case RolePardon:
		CHECK("PS-51", Record->Starts != 0,
		      "what the last routine stored counted: it ran (inferred)");
		break;
	default:
		break;
	}
}

/* A process that was never announced: it was there before us, or never had a thread. */
static VOID CheckUnannounced(RECORD *Record, HANDLE ProcessId)
{
	if (Record->Role == RoleEmpty) {
		InterlockedIncrement(&EmptyExits);
		return;
	}
	CHECK("PS-61", PsGetCurrentProcessId() == ProcessId,
	      "the exit of a process is told whose creation was not seen (inferred)");
}

VOID CheckExit(RECORD *Record, PEPROCESS Process, HANDLE ProcessId)
{
	CHECK("PS-32", Process == Record->Process && PsGetProcessId(Process) == ProcessId,
	      "an exit has no CreateInfo and the same process");
	if (Record->Role != RoleEmpty)
		CheckContext(Process, ProcessId);
	if (Record->Creations == 0) {
		CheckUnannounced(Record, ProcessId);
		return;
	}
	if (!Record->Watched)
		return;
	CheckKinds(Record);
	CheckLate(Record);
	CheckVerdict(Record);
	if (!Record->Vetoed)
		CheckThreads(Record);
}

VOID CheckExitsAtTheEnd(VOID)
{
	if (EmptyOpened != 0)
		CHECK("PS-60", Parameters.Observed ? EmptyExits == 0 : EmptyExits != 0,
		      "the end of a process without threads is told only in the documented "
		      "profile");
}
