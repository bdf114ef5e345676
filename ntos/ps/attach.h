/* SPDX-License-Identifier: MIT */
/* Threads that work in another process's address space and handle table. */
#ifndef RINGSIDE_PS_ATTACH_H
#define RINGSIDE_PS_ATTACH_H

#include <ringside/nt.h>
#include <stddef.h>

/* Opaque to drivers, which provide the memory. */
typedef struct _KAPC_STATE {
	LIST_ENTRY ApcListHead[2]; /* ours: [0] holds what was attached, and the thread */
	PEPROCESS Process;         /* to go back to; NULL: the thread's own, 1: nothing to do */
	UCHAR InProgressFlags;
	BOOLEAN KernelApcPending, UserApcPending;
} KAPC_STATE, *PKAPC_STATE;
_Static_assert(sizeof(KAPC_STATE) == 48, "ntifs.h");
_Static_assert(offsetof(KAPC_STATE, Process) == 0x20, "ntifs.h");

/*
 * Every attach is undone by its own detach, innermost first. PsGetCurrentProcess and
 * with it the handle table follow; PsGetCurrentProcessId does not. Bug check 0x5 for
 * KeAttachProcess of a thread that is attached elsewhere, 0x6 for a detach that does
 * not match.
 */
VOID NTAPI KeStackAttachProcess(PEPROCESS PROCESS, PKAPC_STATE ApcState);
VOID NTAPI KeUnstackDetachProcess(PKAPC_STATE ApcState);
VOID NTAPI KeAttachProcess(PEPROCESS Process);
VOID NTAPI KeDetachProcess(void);
BOOLEAN NTAPI KeIsAttachedProcess(void);

#endif
