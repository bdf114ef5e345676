/* SPDX-License-Identifier: MIT */
/*
 * What drivers ask of processes and threads. No state of its own.
 *
 * Clauses: PS-39, PS-44, AB-22.
 */
#include "ob/object.h"
#include "ps/process.h"
#include <string.h>

PEPROCESS NTAPI PsGetCurrentProcess(void)
{
	struct ke_thread *thread = ke_thread_of(ke_current_thread());
	return thread->attached ? thread->attached : thread->process;
}

/* The id of the thread's own process, wherever it is attached: so NT has it. */
HANDLE NTAPI PsGetCurrentProcessId(void)
{
	return (HANDLE)ke_current_thread()->process->id;
}

HANDLE NTAPI PsGetCurrentThreadId(void)
{
	return (HANDLE)ke_current_thread()->id;
}

HANDLE NTAPI PsGetProcessId(PEPROCESS Process)
{
	return (HANDLE)Process->id;
}

HANDLE NTAPI PsGetThreadId(PETHREAD Thread)
{
	return (HANDLE)Thread->id;
}

HANDLE NTAPI PsGetThreadProcessId(PETHREAD Thread)
{
	return (HANDLE)Thread->process->id;
}

PEPROCESS NTAPI PsGetThreadProcess(PETHREAD Thread)
{
	return Thread->process;
}

PEPROCESS NTAPI IoThreadToProcess(PETHREAD Thread)
{
	return Thread->process;
}

HANDLE NTAPI PsGetProcessInheritedFromUniqueProcessId(PEPROCESS Process)
{
	return (HANDLE)Process->parent_id;
}

PCHAR NTAPI PsGetProcessImageFileName(PEPROCESS Process)
{
	return Process->short_name;
}

LONGLONG NTAPI PsGetProcessCreateTimeQuadPart(PEPROCESS Process)
{
	return Process->create_time.QuadPart;
}

NTSTATUS NTAPI PsGetProcessExitStatus(PEPROCESS Process)
{
	return Process->exiting ? Process->exit_status : STATUS_PENDING;
}

BOOLEAN NTAPI PsIsSystemThread(PETHREAD Thread)
{
	return Thread->system;
}

NTSTATUS NTAPI PsLookupProcessByProcessId(HANDLE ProcessId, PEPROCESS *Process)
{
	PEPROCESS found = ps_find_process((ULONG64)ProcessId);
	if (!found)
		return STATUS_INVALID_PARAMETER;
	*Process = found;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI PsLookupThreadByThreadId(HANDLE ThreadId, PETHREAD *Thread)
{
	PETHREAD found = ps_find_thread((ULONG64)ThreadId);
	if (!found)
		return STATUS_INVALID_PARAMETER;
	*Thread = found;
	return STATUS_SUCCESS;
}
