/* SPDX-License-Identifier: MIT */
/*
 * Exceptions that code raises.
 *
 * Each function here gets the struct ke_exception that its entry in exception-entry.c has
 * made: the context is the caller's, whose arguments are still in the registers.
 *
 * Reference: RtlRaiseException, ExRaiseStatus and their relatives.
 */
#include "ke/raise.h"
#include "rtl/exception.h"
#include <ringside/ringside.h>
#include <stdio.h>
#include <string.h>

/* Called from there only. */
_Noreturn void rtl_raise_record(struct ke_exception *exception);
_Noreturn void rtl_raise_rtl_status(struct ke_exception *exception);
_Noreturn void rtl_raise_ex_status(struct ke_exception *exception);
_Noreturn void rtl_raise_access_violation(struct ke_exception *exception);
_Noreturn void rtl_raise_misalignment(struct ke_exception *exception);
_Noreturn void rtl_raise_for_kernel(struct ke_exception *exception);

/* What the entry has not written. */
static void prepare(struct ke_exception *exception)
{
	CONTEXT *context = &exception->context;
	memset(context, 0, offsetof(CONTEXT, ContextFlags));
	memset(&context->Dr0, 0, offsetof(CONTEXT, Rax) - offsetof(CONTEXT, Dr0));
	memset(context->VectorRegister, 0, sizeof(*context) - offsetof(CONTEXT, VectorRegister));
	memset(&exception->record, 0, sizeof(exception->record));
	exception->fault = exception->in_driver = false;
	exception->record.ExceptionAddress = (PVOID)context->Rip;
}

static _Noreturn void raise_status(struct ke_exception *exception, NTSTATUS status,
				   const char *what)
{
	const char *name = rs_status_name(status);
	prepare(exception);
	exception->record.ExceptionCode = status;
	exception->record.ExceptionFlags = EXCEPTION_NONCONTINUABLE;
	snprintf(exception->sentence, sizeof(exception->sentence), "%s (%s%s0x%X)", what,
		 name ? name : "", name ? ", " : "", (unsigned)status);
	rtl_dispatch_exception(exception);
}

_Noreturn void rtl_raise_record(struct ke_exception *exception)
{
	EXCEPTION_RECORD record = *(const EXCEPTION_RECORD *)exception->context.Rcx;
	const char *name = rs_status_name(record.ExceptionCode);
	prepare(exception);
	record.ExceptionAddress = exception->record.ExceptionAddress;
	exception->record = record;
	snprintf(exception->sentence, sizeof(exception->sentence),
		 "RtlRaiseException was called (%s%s0x%X)", name ? name : "", name ? ", " : "",
		 (unsigned)record.ExceptionCode);
	rtl_dispatch_exception(exception);
}

_Noreturn void rtl_raise_rtl_status(struct ke_exception *exception)
{
	raise_status(exception, (NTSTATUS)exception->context.Rcx, "RtlRaiseStatus was called");
}

_Noreturn void rtl_raise_ex_status(struct ke_exception *exception)
{
	raise_status(exception, (NTSTATUS)exception->context.Rcx, "ExRaiseStatus was called");
}

_Noreturn void rtl_raise_access_violation(struct ke_exception *exception)
{
	raise_status(exception, STATUS_ACCESS_VIOLATION, "ExRaiseAccessViolation was called");
}

_Noreturn void rtl_raise_misalignment(struct ke_exception *exception)
{
	raise_status(exception, STATUS_DATATYPE_MISALIGNMENT,
		     "ExRaiseDatatypeMisalignment was called");
}

/* ke_raise_status, a function of our own convention. */
_Noreturn void rtl_raise_for_kernel(struct ke_exception *exception)
{
	raise_status(exception, (NTSTATUS)exception->context.Rdi,
		     (const char *)exception->context.Rsi);
}

VOID NTAPI RtlRestoreContext(PCONTEXT ContextRecord, PEXCEPTION_RECORD ExceptionRecord)
{
	(void)ExceptionRecord; /* only C++ and longjmp need it */
	rtl_restore(ContextRecord);
}
