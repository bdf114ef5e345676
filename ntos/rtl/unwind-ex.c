/* SPDX-License-Identifier: MIT */
/*
 * The second phase of an exception: leaving all frames up to a target.
 *
 * The walk begins at the caller of RtlUnwindEx, goes out through the kernel's own frames
 * of the first phase and comes to those that were interrupted. Every driver function with
 * a termination handler has it called; at the target frame execution goes on at the
 * target address, with the registers that the frame's function had.
 *
 * A __finally can itself raise. The unwind that its handler begins passes the call of the
 * first unwind's handler: they have collided, and the second takes over at the scope
 * where the first one was.
 *
 * Reference: RtlUnwindEx.
 */
#include "ke/raise.h"
#include "rtl/exception.h"

struct unwind {
	EXCEPTION_RECORD *record;
	ULONG64 target_frame, target_ip, value;
	struct rtl_frame frame;
};

static void call_handler(struct unwind *unwind, bool collided)
{
	DISPATCHER_CONTEXT *dispatcher = &unwind->frame.dispatcher;
	EXCEPTION_RECORD *record = unwind->record;

	if (!dispatcher->LanguageHandler)
		return;
	if (collided)
		record->ExceptionFlags |= EXCEPTION_COLLIDED_UNWIND;
	dispatcher->TargetIp = unwind->target_ip;
	dispatcher->ContextRecord = &unwind->frame.context;
	if (rtl_call_unwind_handler(record, dispatcher->EstablisherFrame, &unwind->frame.context,
				    dispatcher,
				    dispatcher->LanguageHandler) != ExceptionContinueSearch)
		ke_raise_status(STATUS_INVALID_DISPOSITION, "a termination handler returned no "
							    "valid disposition");
	record->ExceptionFlags &= ~(ULONG)EXCEPTION_COLLIDED_UNWIND;
}

static _Noreturn void arrive(struct unwind *unwind)
{
	CONTEXT *context = &unwind->frame.context;
	context->Rax = unwind->value;
	context->Rip = unwind->target_ip;
	rtl_restore(context);
}

static void leave_driver_frame(struct unwind *unwind, bool collided)
{
	ULONG64 establisher = unwind->frame.dispatcher.EstablisherFrame;
	if (unwind->target_frame && establisher > unwind->target_frame)
		ke_raise_status(STATUS_INVALID_UNWIND_TARGET, "an unwind missed its target");
	if (establisher == unwind->target_frame)
		unwind->record->ExceptionFlags |= EXCEPTION_TARGET_UNWIND;
	call_handler(unwind, collided);
	if (establisher == unwind->target_frame)
		arrive(unwind);
}

static _Noreturn void unwind_all(struct unwind *unwind)
{
	struct rtl_frame *frame = &unwind->frame;
	for (;;) {
		enum rtl_frame_kind kind = rtl_look(frame, UNW_FLAG_UHANDLER);
		if (kind == RTL_FRAME_END)
			ke_raise_status(STATUS_BAD_STACK, "an unwind came to the stack's end");
		if (kind == RTL_FRAME_DRIVER || kind == RTL_FRAME_COLLIDED)
			leave_driver_frame(unwind, kind == RTL_FRAME_COLLIDED);
		frame->context = frame->caller;
		frame->fault = frame->caller_fault;
	}
}

static _Noreturn void begin(struct ke_exception *call, EXCEPTION_RECORD *record, ULONG64 value)
{
	EXCEPTION_RECORD own = {.ExceptionCode = STATUS_UNWIND,
				.ExceptionAddress = (PVOID)call->context.Rip};
	struct unwind unwind = {.record = record ? record : &own,
				.target_frame = call->context.Rcx,
				.target_ip = call->context.Rdx,
				.value = value,
				.frame = {.context = call->context}};
	call->fault = false;
	unwind.record->ExceptionFlags |= EXCEPTION_UNWINDING;
	if (!unwind.target_frame)
		unwind.record->ExceptionFlags |= EXCEPTION_EXIT_UNWIND;
	unwind_all(&unwind);
}

/* RtlUnwindEx and RtlUnwind, whose arguments are among these. */
_Noreturn void rtl_unwind_ex(struct ke_exception *call);
_Noreturn void rtl_unwind_ex(struct ke_exception *call)
{
	begin(call, (EXCEPTION_RECORD *)call->context.R8, call->context.R9);
}

/* A jump out of a __try block that has a __finally. */
_Noreturn void rtl_unwind_local(struct ke_exception *call);
_Noreturn void rtl_unwind_local(struct ke_exception *call)
{
	begin(call, NULL, 0);
}
