/* SPDX-License-Identifier: MIT */
/*
 * One frame of a stack on which two worlds alternate, for exceptions and unwinds.
 *
 * A driver's frame is described by its module's .pdata, one of ours by its call frame
 * information. Two places of exception-entry.c are more than frames: at an entry the
 * stack goes on where an exception or an unwind began, and at a call of a handler it
 * matters what that handler is for. Nothing is kept.
 */
#include "rtl/exception.h"
#include "ke/dwarf.h"
#include <string.h>

extern const char rtl_entries[], rtl_entries_end[];
extern const char rtl_call_exception_handler_return[], rtl_call_unwind_handler_return[];

/* Where a call of a handler keeps its dispatcher context. */
#define DISPATCHER_OFFSET 40

static bool is_at(const CONTEXT *context, const char *place)
{
	return context->Rip == (uintptr_t)place;
}

static struct rtl_frame *frame_of_handler(const CONTEXT *context)
{
	DISPATCHER_CONTEXT *dispatcher = *(DISPATCHER_CONTEXT **)(context->Rsp + DISPATCHER_OFFSET);
	return (struct rtl_frame *)((char *)dispatcher - offsetof(struct rtl_frame, dispatcher));
}

/* What was interrupted by an exception, or by a call of an export that raises. */
static enum rtl_frame_kind look_at_entry(struct rtl_frame *frame)
{
	const struct ke_exception *exception = (const void *)frame->context.Rsp;
	frame->caller = exception->context;
	frame->caller_fault = exception->fault;
	return RTL_FRAME_OURS;
}

static enum rtl_frame_kind look_at_ours(struct rtl_frame *frame)
{
	return ke_unwind_elf(&frame->caller, frame->fault) ? RTL_FRAME_OURS : RTL_FRAME_END;
}

static enum rtl_frame_kind look_at_driver(struct rtl_frame *frame, const struct ldr_module *module,
					  ULONG wanted)
{
	struct rtl_image image = rtl_image_of(module);
	struct rtl_unwinding u = {.image = &image, .context = &frame->caller, .known = 0xFFFF};
	DISPATCHER_CONTEXT *dispatcher = &frame->dispatcher;
	ULONG rva = (ULONG)(frame->context.Rip - image.base);
	RUNTIME_FUNCTION function;
	/* A return address can lie behind its function's last byte. */
	ULONG64 entry = rtl_find_function(&image, rva - !frame->fault, &function);

	if (entry ? !rtl_unwind_function(&u, &function, rva, wanted)
		  : !frame->fault || !rtl_unwind_leaf(&u))
		return RTL_FRAME_END;
	*dispatcher = (DISPATCHER_CONTEXT){
		.ControlPc = frame->context.Rip,
		.ImageBase = image.base,
		.FunctionEntry = (PRUNTIME_FUNCTION)entry,
		.EstablisherFrame = u.establisher,
	};
	if (u.handler) {
		dispatcher->LanguageHandler = (PEXCEPTION_ROUTINE)(image.base + u.handler);
		dispatcher->HandlerData = (PVOID)(image.base + u.handler_data);
	}
	return RTL_FRAME_DRIVER;
}

/* After a call to where no code is, only the return address has been pushed. */
static enum rtl_frame_kind look_at_wild_call(struct rtl_frame *frame)
{
	struct rtl_unwinding u = {.context = &frame->caller};
	return frame->fault && rtl_unwind_leaf(&u) ? RTL_FRAME_OURS : RTL_FRAME_END;
}

/* The frame that the other unwind was at takes the place of all that it ran. */
static enum rtl_frame_kind look_at_collision(struct rtl_frame *frame, ULONG wanted)
{
	const struct rtl_frame *other = frame_of_handler(&frame->context);
	ULONG scope = other->dispatcher.ScopeIndex;
	frame->context = other->context;
	frame->fault = other->fault;
	if (rtl_look(frame, wanted) != RTL_FRAME_DRIVER)
		return RTL_FRAME_END;
	frame->dispatcher.ScopeIndex = scope;
	return RTL_FRAME_COLLIDED;
}

enum rtl_frame_kind rtl_look(struct rtl_frame *frame, ULONG wanted)
{
	const CONTEXT *context = &frame->context;
	const struct ldr_module *module = ldr_module_of((const void *)context->Rip);

	frame->caller = *context;
	frame->caller_fault = false;
	if (module && module->entry.ExceptionTable)
		return look_at_driver(frame, module, wanted);
	if (context->Rip >= (uintptr_t)rtl_entries && context->Rip < (uintptr_t)rtl_entries_end)
		return look_at_entry(frame);
	if (is_at(context, rtl_call_unwind_handler_return))
		return look_at_collision(frame, wanted);
	if (is_at(context, rtl_call_exception_handler_return)) {
		frame->dispatcher = frame_of_handler(context)->dispatcher;
		return look_at_ours(frame) == RTL_FRAME_OURS ? RTL_FRAME_NESTED : RTL_FRAME_END;
	}
	if (look_at_ours(frame) == RTL_FRAME_OURS)
		return RTL_FRAME_OURS;
	return module ? RTL_FRAME_END : look_at_wild_call(frame);
}
