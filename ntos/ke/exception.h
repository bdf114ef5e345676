/* SPDX-License-Identifier: MIT */
/* Windows exceptions, in the layout that drivers' handlers and bug checks show them. */
#ifndef RINGSIDE_KE_EXCEPTION_H
#define RINGSIDE_KE_EXCEPTION_H

#include <ringside/nt.h>
#include <stddef.h>

#define EXCEPTION_MAXIMUM_PARAMETERS 15

typedef struct _EXCEPTION_RECORD {
	NTSTATUS ExceptionCode;
	ULONG ExceptionFlags;
	struct _EXCEPTION_RECORD *ExceptionRecord;
	PVOID ExceptionAddress;
	ULONG NumberParameters;
	ULONG_PTR ExceptionInformation[EXCEPTION_MAXIMUM_PARAMETERS];
} EXCEPTION_RECORD, *PEXCEPTION_RECORD;
_Static_assert(sizeof(EXCEPTION_RECORD) == 0x98, "winnt.h");

#define CONTEXT_CONTROL_AND_INTEGER 0x100003 /* which parts of a CONTEXT are there */

typedef struct _CONTEXT {
	ULONG64 P1Home, P2Home, P3Home, P4Home, P5Home, P6Home;
	ULONG ContextFlags, MxCsr;
	USHORT SegCs, SegDs, SegEs, SegFs, SegGs, SegSs;
	ULONG EFlags;
	ULONG64 Dr0, Dr1, Dr2, Dr3, Dr6, Dr7;
	ULONG64 Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi, R8, R9, R10, R11, R12, R13, R14, R15;
	ULONG64 Rip;
	UCHAR FltSave[512];
	UCHAR VectorRegister[26][16];
	ULONG64 VectorControl, DebugControl;
	ULONG64 LastBranchToRip, LastBranchFromRip, LastExceptionToRip, LastExceptionFromRip;
} __attribute__((aligned(16))) CONTEXT, *PCONTEXT;
_Static_assert(offsetof(CONTEXT, Rax) == 0x78 && offsetof(CONTEXT, Rip) == 0xF8, "winnt.h");
_Static_assert(offsetof(CONTEXT, FltSave) == 0x100 && sizeof(CONTEXT) == 0x4D0, "winnt.h");

#endif
