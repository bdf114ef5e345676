/* SPDX-License-Identifier: MIT */
/* What drivers read off process and thread objects, and the few things done to them. */
#ifndef RINGSIDE_PS_ATTRIBUTE_H
#define RINGSIDE_PS_ATTRIBUTE_H

#include "ps/host.h"
#include <ringside/nt.h>

#define PS_NORMAL_PRIORITY 8

/* What it has used; zeros of a simulated one and of one that is gone. */
void ps_usage_of(PEPROCESS process, struct ps_host_usage *usage);
void ps_thread_usage_of(PETHREAD thread, struct ps_host_usage *usage);

/* As a handle with PROCESS_TERMINATE does it. NOT_SUPPORTED for a simulated process that
 * would end itself, ACCESS_DENIED for the System process, PROCESS_IS_TERMINATING. */
NTSTATUS ps_terminate(PEPROCESS process, NTSTATUS status);

/* A process that lives in this program has a PEB only if it was given one. */
PVOID NTAPI PsGetProcessPeb(PEPROCESS Process);
PVOID NTAPI PsGetProcessWow64Process(PEPROCESS Process);
PVOID NTAPI PsGetCurrentProcessWow64Process(void);
PVOID NTAPI PsGetProcessSectionBaseAddress(PEPROCESS Process);
PVOID NTAPI PsGetProcessDebugPort(PEPROCESS Process);
BOOLEAN NTAPI PsIsProcessBeingDebugged(PEPROCESS Process);
PVOID NTAPI PsGetProcessJob(PEPROCESS Process);
BOOLEAN NTAPI PsGetProcessExitProcessCalled(PEPROCESS Process);
LARGE_INTEGER NTAPI PsGetProcessExitTime(void);
ULONGLONG NTAPI PsGetProcessStartKey(PEPROCESS Process);

/* An APC of a native process stays as it is. In a WoW64 process it would have to be led to
 * 32-bit code that is not here: NOT_SUPPORTED. */
NTSTATUS NTAPI PsWrapApcWow64Thread(PVOID *ApcContext, PVOID *ApcRoutine);
ULONG NTAPI PsGetProcessSessionId(PEPROCESS Process);
ULONG NTAPI PsGetProcessSessionIdEx(PEPROCESS Process);
ULONG NTAPI PsGetCurrentProcessSessionId(void);
ULONG NTAPI PsGetThreadSessionId(PETHREAD Thread);
BOOLEAN NTAPI PsIsSystemProcess(PEPROCESS Process);
PVOID NTAPI PsGetThreadTeb(PETHREAD Thread);
PVOID NTAPI PsGetCurrentThreadTeb(void);
PVOID NTAPI PsGetThreadWin32Thread(PETHREAD Thread);
PVOID NTAPI PsGetProcessWin32Process(PEPROCESS Process);
PEPROCESS NTAPI PsGetCurrentThreadProcess(void);
HANDLE NTAPI PsGetCurrentThreadProcessId(void);
NTSTATUS NTAPI PsLookupProcessThreadByCid(PCLIENT_ID ClientId, PEPROCESS *Process,
					  PETHREAD *Thread);
/* A new file object for the image each time; OBJECT_NAME_NOT_FOUND when there is none. */
NTSTATUS NTAPI PsReferenceProcessFilePointer(PEPROCESS Process, PFILE_OBJECT *FileObject);

/* PS_PROTECTION: type in bits 0 to 2, audit 3, signer 4 to 7. */
UCHAR NTAPI PsGetProcessProtection(PEPROCESS Process);
BOOLEAN NTAPI PsIsProtectedProcess(PEPROCESS Process);
BOOLEAN NTAPI PsIsProtectedProcessLight(PEPROCESS Process);

/* A live process is stopped and continued as a whole. */
NTSTATUS NTAPI PsSuspendProcess(PEPROCESS Process);
NTSTATUS NTAPI PsResumeProcess(PEPROCESS Process);
NTSTATUS NTAPI ZwTerminateProcess(HANDLE ProcessHandle, NTSTATUS ExitStatus);
NTSTATUS NTAPI NtTerminateProcess(HANDLE ProcessHandle, NTSTATUS ExitStatus);

#endif
