/* SPDX-License-Identifier: MIT */
/* Windows exceptions, in the layout that drivers' handlers and bug checks show them. */
#ifndef RINGSIDE_KE_EXCEPTION_H
#define RINGSIDE_KE_EXCEPTION_H

#include <ringside/nt.h>
#include <stdbool.h>
#include <stddef.h>

#define EXCEPTION_MAXIMUM_PARAMETERS 15

/* EXCEPTION_RECORD.ExceptionFlags */
#define EXCEPTION_NONCONTINUABLE 0x1
#define EXCEPTION_UNWINDING 0x2
#define EXCEPTION_EXIT_UNWIND 0x4
#define EXCEPTION_STACK_INVALID 0x8
#define EXCEPTION_NESTED_CALL 0x10
#define EXCEPTION_TARGET_UNWIND 0x20
#define EXCEPTION_COLLIDED_UNWIND 0x40
#define EXCEPTION_UNWIND 0x66

typedef struct _EXCEPTION_RECORD {
	NTSTATUS ExceptionCode;
	ULONG ExceptionFlags;
	struct _EXCEPTION_RECORD *ExceptionRecord;
	PVOID ExceptionAddress;
	ULONG NumberParameters;
	ULONG_PTR ExceptionInformation[EXCEPTION_MAXIMUM_PARAMETERS];
} EXCEPTION_RECORD, *PEXCEPTION_RECORD;
_Static_assert(sizeof(EXCEPTION_RECORD) == 0x98, "winnt.h");

/* Which parts of a CONTEXT are there. */
#define CONTEXT_CONTROL 0x100001
#define CONTEXT_INTEGER 0x100002
#define CONTEXT_CONTROL_AND_INTEGER 0x100003
#define CONTEXT_FLOATING_POINT 0x100008
#define CONTEXT_FULL 0x10000B

typedef struct _M128A {
	ULONG64 Low;
	LONG64 High;
} __attribute__((aligned(16))) M128A, *PM128A;

/* What fxsave writes. */
typedef struct _XMM_SAVE_AREA32 {
	UCHAR Control[24]; /* the x87 unit's state */
	ULONG MxCsr, MxCsr_Mask;
	M128A FloatRegisters[8];
	M128A XmmRegisters[16];
	UCHAR Reserved4[96];
} XMM_SAVE_AREA32, *PXMM_SAVE_AREA32;
_Static_assert(sizeof(XMM_SAVE_AREA32) == 512, "fxsave");
_Static_assert(offsetof(XMM_SAVE_AREA32, XmmRegisters) == 0xA0, "fxsave");

typedef struct _CONTEXT {
	ULONG64 P1Home, P2Home, P3Home, P4Home, P5Home, P6Home;
	ULONG ContextFlags, MxCsr;
	USHORT SegCs, SegDs, SegEs, SegFs, SegGs, SegSs;
	ULONG EFlags;
	ULONG64 Dr0, Dr1, Dr2, Dr3, Dr6, Dr7;
	/* In the order in which instructions number them. */
	ULONG64 Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi, R8, R9, R10, R11, R12, R13, R14, R15;
	ULONG64 Rip;
	XMM_SAVE_AREA32 FltSave;
	M128A VectorRegister[26];
	ULONG64 VectorControl, DebugControl;
	ULONG64 LastBranchToRip, LastBranchFromRip, LastExceptionToRip, LastExceptionFromRip;
} __attribute__((aligned(16))) CONTEXT, *PCONTEXT;
_Static_assert(offsetof(CONTEXT, ContextFlags) == 0x30 && offsetof(CONTEXT, MxCsr) == 0x34 &&
		       offsetof(CONTEXT, SegCs) == 0x38 && offsetof(CONTEXT, EFlags) == 0x44,
	       "winnt.h");
_Static_assert(offsetof(CONTEXT, Rax) == 0x78 && offsetof(CONTEXT, Rsp) == 0x98 &&
		       offsetof(CONTEXT, Rip) == 0xF8,
	       "winnt.h");
_Static_assert(offsetof(CONTEXT, FltSave) == 0x100 && sizeof(CONTEXT) == 0x4D0, "winnt.h");

static inline ULONG64 *ke_context_register(CONTEXT *context, unsigned number)
{
	return (ULONG64 *)((char *)context + offsetof(CONTEXT, Rax)) + number;
}

typedef struct _EXCEPTION_POINTERS {
	PEXCEPTION_RECORD ExceptionRecord;
	PCONTEXT ContextRecord;
} EXCEPTION_POINTERS, *PEXCEPTION_POINTERS;

/*
 * An exception on its way: on the stack below the code that it interrupted (rtl/
 * exception.c). A stack walk that comes to it goes on with `context`.
 */
struct ke_exception {
	CONTEXT context; /* first: assembly code counts on it */
	EXCEPTION_RECORD record;
	bool fault;         /* context.Rip is the instruction, not a return address */
	bool in_driver;     /* it came up in a driver's own code */
	char sentence[256]; /* for the report when nobody handles it */
};

/* The bug check of an exception that nobody handled: its code says where the exception
 * came up. */
_Noreturn void ke_unhandled_exception(struct ke_exception *exception);

#endif
