/* SPDX-License-Identifier: MIT */
/*
 * __C_specific_handler: __try, __except and __finally of C.
 *
 * Compilers name it as the handler of every function with a __try and write a table of
 * the guarded ranges, inner ones first. In the search it runs the filters around the
 * place, in an unwind the __finally blocks; the dispatcher context remembers how far it
 * got, so that a second exception out of such a block goes on behind it.
 *
 * Reference: "Structured exception handling (C/C++)" of Microsoft's compiler.
 */
#include "rtl/exception.h"

struct scopes {
	const SCOPE_TABLE *table;
	DISPATCHER_CONTEXT *dispatcher;
	ULONG pc;
};

static bool contains(const struct scopes *s, ULONG i, ULONG pc)
{
	return pc >= s->table->ScopeRecord[i].BeginAddress &&
	       pc < s->table->ScopeRecord[i].EndAddress;
}

static EXCEPTION_DISPOSITION search(const struct scopes *s, EXCEPTION_RECORD *record, PVOID frame,
				    CONTEXT *context)
{
	char *base = (char *)s->dispatcher->ImageBase;
	EXCEPTION_POINTERS pointers = {record, context};

	for (ULONG i = s->dispatcher->ScopeIndex; i < s->table->Count; i++) {
		ULONG handler = s->table->ScopeRecord[i].HandlerAddress;
		ULONG target = s->table->ScopeRecord[i].JumpTarget;
		LONG answer = EXCEPTION_EXECUTE_HANDLER;
		if (!contains(s, i, s->pc) || !target)
			continue;
		if (handler != EXCEPTION_EXECUTE_HANDLER)
			answer = ((EXCEPTION_FILTER *)(void *)(base + handler))(&pointers, frame);
		if (answer < 0)
			return ExceptionContinueExecution;
		if (answer > 0)
			RtlUnwindEx(frame, base + target, record,
				    (PVOID)(ULONG64)(ULONG)record->ExceptionCode,
				    s->dispatcher->ContextRecord, s->dispatcher->HistoryTable);
	}
	return ExceptionContinueSearch;
}

/* Whether the unwind ends inside the block that scope `i` guards. Compilers cut a block
 * into several ranges, which have the rest of the row in common. */
static bool stays_inside(const struct scopes *s, ULONG i, ULONG target)
{
	for (ULONG j = 0; j < s->table->Count; j++) {
		if (contains(s, j, target) &&
		    s->table->ScopeRecord[j].HandlerAddress ==
			    s->table->ScopeRecord[i].HandlerAddress &&
		    s->table->ScopeRecord[j].JumpTarget == s->table->ScopeRecord[i].JumpTarget)
			return true;
	}
	return false;
}

static void unwind(const struct scopes *s, const EXCEPTION_RECORD *record, PVOID frame)
{
	char *base = (char *)s->dispatcher->ImageBase;
	ULONG target = (ULONG)(s->dispatcher->TargetIp - s->dispatcher->ImageBase);
	bool ends_here = record->ExceptionFlags & EXCEPTION_TARGET_UNWIND;

	for (ULONG i = s->dispatcher->ScopeIndex; i < s->table->Count; i++) {
		if (!contains(s, i, s->pc))
			continue;
		if (ends_here && stays_inside(s, i, target))
			return;
		if (s->table->ScopeRecord[i].JumpTarget) {
			if (ends_here && s->table->ScopeRecord[i].JumpTarget == target)
				return;
			continue;
		}
		s->dispatcher->ScopeIndex = i + 1;
		((TERMINATION_HANDLER *)(void *)(base + s->table->ScopeRecord[i].HandlerAddress))(
			true, frame);
	}
}

EXCEPTION_DISPOSITION NTAPI __C_specific_handler(PEXCEPTION_RECORD ExceptionRecord,
						 PVOID EstablisherFrame, PCONTEXT ContextRecord,
						 PDISPATCHER_CONTEXT DispatcherContext)
{
	struct scopes s = {
		.table = DispatcherContext->HandlerData,
		.dispatcher = DispatcherContext,
		.pc = (ULONG)(DispatcherContext->ControlPc - DispatcherContext->ImageBase)};
	if (!(ExceptionRecord->ExceptionFlags & EXCEPTION_UNWIND))
		return search(&s, ExceptionRecord, EstablisherFrame, ContextRecord);
	unwind(&s, ExceptionRecord, EstablisherFrame);
	return ExceptionContinueSearch;
}
