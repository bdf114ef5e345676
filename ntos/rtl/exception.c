/* SPDX-License-Identifier: MIT */
/*
 * The first phase of an exception: who handles it?
 *
 * From the place where it came up outwards, every driver function that has a handler is
 * asked, on the stack of whatever is asking. A handler that takes the exception
 * unwinds to its own frame (unwind-ex.c) and does not come back here; one that has
 * mended things lets the interrupted code go on.
 *
 * The search ends where the routine that the kernel called ends: as on Windows, what
 * leaves a callback or a thread's routine is handled by nobody, and the frames of
 * ours outside of it hold what only they can give back. Within a routine, frames of ours
 * are exports that a driver called; they are passed through, so none of them may touch
 * a caller's memory or raise with a lock held.
 *
 * Clauses: VF-14; "Structured exception handling" and "x64 exception handling".
 */
#include "rtl/exception.h"
#include "ke/raise.h"
#include "ke/thread.h"

static bool has_left_routine(const struct rtl_frame *frame)
{
	const struct ke_callout *callout = ke_processor()->callout;
	return callout && frame->context.Rsp > (uintptr_t)callout;
}

struct search {
	struct ke_exception *exception;
	struct rtl_frame frame;
	ULONG64 nested; /* the frame whose handler was under way; 0: none */
};

/* True when the interrupted code is to go on. */
static bool ask(struct search *search)
{
	struct rtl_frame *frame = &search->frame;
	EXCEPTION_RECORD *record = &search->exception->record;
	DISPATCHER_CONTEXT *dispatcher = &frame->dispatcher;

	if (!dispatcher->LanguageHandler)
		return false;
	dispatcher->ContextRecord = &frame->caller;
	EXCEPTION_DISPOSITION disposition = rtl_call_exception_handler(
		record, dispatcher->EstablisherFrame, &search->exception->context, dispatcher,
		dispatcher->LanguageHandler);
	if (search->nested && dispatcher->EstablisherFrame >= search->nested) {
		record->ExceptionFlags &= ~(ULONG)EXCEPTION_NESTED_CALL;
		search->nested = 0;
	}
	switch (disposition) {
	case ExceptionContinueExecution:
		if (record->ExceptionCode == STATUS_NONCONTINUABLE_EXCEPTION)
			ke_unhandled_exception(search->exception); /* without end otherwise */
		if (record->ExceptionFlags & EXCEPTION_NONCONTINUABLE)
			ke_raise_status(STATUS_NONCONTINUABLE_EXCEPTION,
					"a handler wanted to go on after an exception that allows "
					"no going on");
		return true;
	case ExceptionContinueSearch:
		return false;
	default:
		ke_raise_status(STATUS_INVALID_DISPOSITION, "an exception handler returned no "
							    "valid disposition");
	}
}

static void note_nested(struct search *search)
{
	ULONG64 establisher = search->frame.dispatcher.EstablisherFrame;
	search->exception->record.ExceptionFlags |= EXCEPTION_NESTED_CALL;
	if (establisher > search->nested)
		search->nested = establisher;
}

/* Whether somebody said that the interrupted code is to go on. */
static bool search_handlers(struct search *search)
{
	struct rtl_frame *frame = &search->frame;
	while (!has_left_routine(frame)) {
		switch (rtl_look(frame, UNW_FLAG_EHANDLER)) {
		case RTL_FRAME_END:
			return false;
		case RTL_FRAME_OURS:
			break;
		case RTL_FRAME_NESTED:
			note_nested(search);
			break;
		case RTL_FRAME_COLLIDED:
		case RTL_FRAME_DRIVER:
			if (ask(search))
				return true;
		}
		frame->context = frame->caller;
		frame->fault = frame->caller_fault;
	}
	return false;
}

_Noreturn void rtl_dispatch_exception(struct ke_exception *exception)
{
	struct search search = {
		.exception = exception,
		.frame = {.context = exception->context, .fault = exception->fault}};
	if (search_handlers(&search))
		rtl_restore(&exception->context);
	ke_unhandled_exception(exception);
}
