/* SPDX-License-Identifier: MIT */
/* Threads that drivers start. */
#ifndef RINGSIDE_PS_SYSTEMTHREAD_H
#define RINGSIDE_PS_SYSTEMTHREAD_H

#include <ringside/nt.h>

typedef VOID NTAPI KSTART_ROUTINE(PVOID StartContext);
typedef KSTART_ROUTINE *PKSTART_ROUTINE;

/*
 * The first routine of a system thread in [base, base + size) that still has not ended
 * after a short while, or NULL: a driver whose thread has said that it is done must
 * not be blamed for the thread's last instructions.
 */
const void *ps_find_system_thread(const void *base, SIZE_T size);

NTSTATUS NTAPI PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess,
				    POBJECT_ATTRIBUTES ObjectAttributes, HANDLE ProcessHandle,
				    PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine,
				    PVOID StartContext);
/* Does not return when it succeeds. INVALID_PARAMETER for a thread that is no system
 * thread. */
NTSTATUS NTAPI PsTerminateSystemThread(NTSTATUS ExitStatus);
BOOLEAN NTAPI PsIsThreadTerminating(PETHREAD Thread);
/* STATUS_PENDING while it has not ended. */
NTSTATUS NTAPI PsGetThreadExitStatus(PETHREAD Thread);

/* A priority is kept and told; what runs when is for Linux to say. */
LONG NTAPI KeSetPriorityThread(PKTHREAD Thread, LONG Priority);
LONG NTAPI KeQueryPriorityThread(PKTHREAD Thread);

#endif
