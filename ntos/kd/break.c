/* SPDX-License-Identifier: MIT */
/*
 * Breakpoints and bug checks that a driver asks for. The blame is the caller's, whose
 * address is the return address of each routine. The data never changes.
 */
#include "kd/break.h"
#include "ke/bugcheck.h"

BOOLEAN KdDebuggerEnabled = FALSE;
BOOLEAN KdDebuggerNotPresent = TRUE;
ULONG InitSafeBootMode = 0;

BOOLEAN NTAPI KdRefreshDebuggerNotPresent(void)
{
	return KdDebuggerNotPresent;
}

static _Noreturn void stop_at(const void *caller, ULONG status)
{
	struct ke_bug_check bug = {
		.code = (ULONG)KE_KMODE_EXCEPTION_NOT_HANDLED,
		.parameter = {(ULONG)STATUS_BREAKPOINT, (uintptr_t)caller, status, 0},
		.address = caller};
	ke_bug_check(&bug, "the driver ran into a breakpoint of its own, and no debugger is there");
}

VOID NTAPI DbgBreakPoint(void)
{
	stop_at(__builtin_return_address(0), 0);
}

VOID NTAPI DbgBreakPointWithStatus(ULONG Status)
{
	stop_at(__builtin_return_address(0), Status);
}

VOID NTAPI KeBugCheck(ULONG BugCheckCode)
{
	struct ke_bug_check bug = {.code = BugCheckCode, .address = __builtin_return_address(0)};
	ke_bug_check(&bug, "the driver called KeBugCheck");
}

VOID NTAPI KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR BugCheckParameter1,
			ULONG_PTR BugCheckParameter2, ULONG_PTR BugCheckParameter3,
			ULONG_PTR BugCheckParameter4)
{
	struct ke_bug_check bug = {.code = BugCheckCode,
				   .parameter = {BugCheckParameter1, BugCheckParameter2,
						 BugCheckParameter3, BugCheckParameter4},
				   .address = __builtin_return_address(0)};
	ke_bug_check(&bug, "the driver called KeBugCheckEx");
}
