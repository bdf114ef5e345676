/* SPDX-License-Identifier: MIT */
/*
 * One-word answers about processes and threads. No state of its own.
 *
 * Linux processes have no PEB and threads no TEB; NT says NULL for processes without user
 * mode, and drivers are prepared for that. Sessions are NT's usual two: 0 for the System
 * process, 1 for who is logged on.
 */
#include "ps/attribute.h"
#include "ob/object.h"
#include "ps/file.h"
#include "ps/process.h"

/* What there is of a 32-bit process here is that it is one: its PEB lies on a page that
 * is never mapped. */
#define NO_PEB32 ((PVOID)0x1000)

void ps_usage_of(PEPROCESS process, struct ps_host_usage *usage)
{
	*usage = (struct ps_host_usage){0};
	if (process->host_ops)
		process->host_ops->usage(process->host_id, usage);
}

void ps_thread_usage_of(PETHREAD thread, struct ps_host_usage *usage)
{
	PEPROCESS process = thread->process;
	*usage = (struct ps_host_usage){0};
	if (process->host_ops)
		process->host_ops->thread_usage(process->host_id, thread->host_id, usage);
}

PVOID NTAPI PsGetProcessPeb(PEPROCESS Process)
{
	return Process->peb;
}

PVOID NTAPI PsGetProcessWow64Process(PEPROCESS Process)
{
	return Process->wow64 ? NO_PEB32 : NULL;
}

PVOID NTAPI PsGetCurrentProcessWow64Process(void)
{
	return PsGetProcessWow64Process(PsGetCurrentProcess());
}

ULONGLONG NTAPI PsGetProcessStartKey(PEPROCESS Process)
{
	return Process->start_key;
}

NTSTATUS NTAPI PsWrapApcWow64Thread(PVOID *ApcContext, PVOID *ApcRoutine)
{
	(void)ApcContext;
	(void)ApcRoutine;
	return PsGetCurrentProcess()->wow64 ? STATUS_NOT_SUPPORTED : STATUS_SUCCESS;
}

PVOID NTAPI PsGetProcessSectionBaseAddress(PEPROCESS Process)
{
	ULONG64 base;
	if (!Process->host_ops || Process->host_ops->image_base(Process->host_id, &base))
		return Process->section_base;
	return (PVOID)ps_shown_address(base);
}

/* There are no debuggers. */
PVOID NTAPI PsGetProcessDebugPort(PEPROCESS Process)
{
	(void)Process;
	return NULL;
}

BOOLEAN NTAPI PsIsProcessBeingDebugged(PEPROCESS Process)
{
	return PsGetProcessDebugPort(Process) != NULL;
}

PVOID NTAPI PsGetProcessJob(PEPROCESS Process)
{
	return Process->job;
}

BOOLEAN NTAPI PsGetProcessExitProcessCalled(PEPROCESS Process)
{
	pthread_mutex_lock(&Process->lock);
	BOOLEAN exiting = Process->exiting;
	pthread_mutex_unlock(&Process->lock);
	return exiting;
}

LARGE_INTEGER NTAPI PsGetProcessExitTime(void)
{
	return PsGetCurrentProcess()->exit_time;
}

ULONG NTAPI PsGetProcessSessionId(PEPROCESS Process)
{
	return Process->session;
}

/* The System process is in no session. */
ULONG NTAPI PsGetProcessSessionIdEx(PEPROCESS Process)
{
	return Process->system ? (ULONG)-1 : Process->session;
}

ULONG NTAPI PsGetCurrentProcessSessionId(void)
{
	return PsGetCurrentProcess()->session;
}

ULONG NTAPI PsGetThreadSessionId(PETHREAD Thread)
{
	return Thread->process->session;
}

BOOLEAN NTAPI PsIsSystemProcess(PEPROCESS Process)
{
	return Process->system;
}

PVOID NTAPI PsGetThreadTeb(PETHREAD Thread)
{
	(void)Thread;
	return NULL;
}

PVOID NTAPI PsGetCurrentThreadTeb(void)
{
	return PsGetThreadTeb(ke_current_thread());
}

/* Nobody here has windows. */
PVOID NTAPI PsGetThreadWin32Thread(PETHREAD Thread)
{
	(void)Thread;
	return NULL;
}

PVOID NTAPI PsGetProcessWin32Process(PEPROCESS Process)
{
	(void)Process;
	return NULL;
}

PEPROCESS NTAPI PsGetCurrentThreadProcess(void)
{
	return ke_current_thread()->process;
}

HANDLE NTAPI PsGetCurrentThreadProcessId(void)
{
	return (HANDLE)ke_current_thread()->process->id;
}

NTSTATUS NTAPI PsLookupProcessThreadByCid(PCLIENT_ID ClientId, PEPROCESS *Process, PETHREAD *Thread)
{
	PETHREAD found = ps_find_thread((ULONG64)ClientId->UniqueThread);
	if (!found)
		return STATUS_INVALID_CID;
	if (found->process->id != (ULONG64)ClientId->UniqueProcess) {
		ob_dereference(found);
		return STATUS_INVALID_CID;
	}
	if (Process) {
		ob_reference(found->process);
		*Process = found->process;
	}
	*Thread = found;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI PsReferenceProcessFilePointer(PEPROCESS Process, PFILE_OBJECT *FileObject)
{
	if (Process->system || !Process->native_image.Length)
		return STATUS_OBJECT_NAME_NOT_FOUND;
	PFILE_OBJECT file = ps_create_file_object(&Process->native_image);
	if (!file)
		return STATUS_INSUFFICIENT_RESOURCES;
	*FileObject = file;
	return STATUS_SUCCESS;
}
