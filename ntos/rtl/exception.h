/* SPDX-License-Identifier: MIT */
/* Structured exceptions: finding a handler, and unwinding to it. */
#ifndef RINGSIDE_RTL_EXCEPTION_H
#define RINGSIDE_RTL_EXCEPTION_H

#include "rtl/unwind.h"

/* One row of what compilers write for __C_specific_handler. */
typedef struct _SCOPE_TABLE {
	ULONG Count;
	struct {
		ULONG BeginAddress, EndAddress;
		ULONG HandlerAddress; /* a filter, EXCEPTION_EXECUTE_HANDLER, or a __finally */
		ULONG JumpTarget;     /* the __except block; 0: this is a __finally */
	} ScopeRecord[];
} SCOPE_TABLE, *PSCOPE_TABLE;

/* What filters answer. */
#define EXCEPTION_EXECUTE_HANDLER 1
#define EXCEPTION_CONTINUE_SEARCH 0
#define EXCEPTION_CONTINUE_EXECUTION (-1)

typedef LONG NTAPI EXCEPTION_FILTER(PEXCEPTION_POINTERS ExceptionPointers, PVOID EstablisherFrame);
typedef VOID NTAPI TERMINATION_HANDLER(BOOLEAN AbnormalTermination, PVOID EstablisherFrame);

/* ---- Inside the kernel (exception-entry.c) ---------------------------------------- */

/* Where a thread goes on after a fault: rsp is at a struct ke_exception, which lies on
 * the stack below whatever was interrupted. Not a function. */
extern const char rtl_exception_entry[];

/* Loads all of a context and goes on there. */
_Noreturn void rtl_restore(const CONTEXT *context);

/* Call a driver's handler so that a walk over the stack recognizes the place. */
typedef EXCEPTION_DISPOSITION rtl_handler_call(EXCEPTION_RECORD *record, ULONG64 establisher,
					       CONTEXT *context, DISPATCHER_CONTEXT *dispatcher,
					       PEXCEPTION_ROUTINE handler);
rtl_handler_call rtl_call_exception_handler, rtl_call_unwind_handler;

/* ---- One frame (exception-frame.c) ------------------------------------------------ */

enum rtl_frame_kind {
	RTL_FRAME_END,      /* nothing describes it, or the stack cannot be read */
	RTL_FRAME_OURS,     /* kernel code: has no handlers */
	RTL_FRAME_NESTED,   /* an exception handler under way; dispatcher is its frame's */
	RTL_FRAME_COLLIDED, /* an unwind under way: goes on from the frame where it was */
	RTL_FRAME_DRIVER,   /* dispatcher is filled in; LanguageHandler may be NULL */
};

struct rtl_frame {
	CONTEXT context; /* in the frame */
	bool fault;      /* context.Rip is an instruction that runs, not a return address */
	CONTEXT caller;  /* after rtl_look: outside of it */
	bool caller_fault;
	DISPATCHER_CONTEXT dispatcher;
};

/* Fills in all but context and fault, with handlers of the kind that `wanted` says. */
enum rtl_frame_kind rtl_look(struct rtl_frame *frame, ULONG wanted);

/* ---- The two phases --------------------------------------------------------------- */

/* Looks for who handles it; does not return: execution goes on somewhere, or in a bug
 * check. */
_Noreturn void rtl_dispatch_exception(struct ke_exception *exception);

/* ---- Exports ---------------------------------------------------------------------- */

EXCEPTION_ROUTINE __C_specific_handler;
VOID NTAPI RtlUnwindEx(PVOID TargetFrame, PVOID TargetIp, PEXCEPTION_RECORD ExceptionRecord,
		       PVOID ReturnValue, PCONTEXT ContextRecord, PVOID HistoryTable);
VOID NTAPI _local_unwind(PVOID Frame, PVOID TargetIp);
VOID NTAPI RtlCaptureContext(PCONTEXT ContextRecord);
VOID NTAPI RtlRestoreContext(PCONTEXT ContextRecord, PEXCEPTION_RECORD ExceptionRecord);
VOID NTAPI RtlRaiseException(PEXCEPTION_RECORD ExceptionRecord);
VOID NTAPI RtlRaiseStatus(NTSTATUS Status);
VOID NTAPI ExRaiseStatus(NTSTATUS Status);
VOID NTAPI ExRaiseAccessViolation(void);
VOID NTAPI ExRaiseDatatypeMisalignment(void);

#endif
