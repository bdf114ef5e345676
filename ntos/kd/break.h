/* SPDX-License-Identifier: MIT */
/*
 * Stopping on purpose, and whether a debugger is there: none ever is.
 *
 * Without one, NT answers a breakpoint in kernel code with bug check 0x1E and
 * STATUS_BREAKPOINT; so does this.
 */
#ifndef RINGSIDE_KD_BREAK_H
#define RINGSIDE_KD_BREAK_H

#include <ringside/nt.h>

/* Exported data. Drivers read these through pointers (KdDebuggerEnabled is declared
 * to them as PBOOLEAN, being the address in the import table). */
extern BOOLEAN KdDebuggerEnabled;    /* FALSE */
extern BOOLEAN KdDebuggerNotPresent; /* TRUE */
extern ULONG InitSafeBootMode;       /* 0: not in safe mode */

BOOLEAN NTAPI KdRefreshDebuggerNotPresent(void);
VOID NTAPI DbgBreakPoint(void);
VOID NTAPI DbgBreakPointWithStatus(ULONG Status);
VOID NTAPI KeBugCheck(ULONG BugCheckCode);
VOID NTAPI KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR BugCheckParameter1,
			ULONG_PTR BugCheckParameter2, ULONG_PTR BugCheckParameter3,
			ULONG_PTR BugCheckParameter4);

#endif
