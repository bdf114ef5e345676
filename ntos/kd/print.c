/* SPDX-License-Identifier: MIT */
/*
 * Printing: format into a buffer on the stack, turn it into UTF-8, tell it.
 *
 * Nothing is kept and nothing locked. A thunk jumps to the routines below, so their
 * return address lies in the driver that printed; each takes it itself, before any
 * further call.
 */
#include "kd/print.h"
#include "ex/event.h"
#include "ke/thread.h"
#include "ldr/module.h"
#include "rtl/codepage.h"
#include "rtl/format.h"
#include <string.h>

#define PRINT_LIMIT 512 /* bytes that one call transmits */

struct message {
	const void *caller;
	ULONG component, level;
	const char *prefix;
};

/* A routine whose last act is to print may jump here instead of calling: the return
 * address is then that of whoever called the routine, and the routine under way
 * tells whose it is. */
static struct ldr_module *printer(const struct message *message)
{
	struct ldr_module *module = ldr_module_of(message->caller);
	const struct ke_callout *callout = ke_processor()->callout;
	return module || !callout ? module : ldr_module_of(callout->routine);
}

static void tell(const struct message *message, const char *text, size_t length)
{
	char utf8[3 * PRINT_LIMIT + 1];
	struct ldr_module *module = printer(message);
	if (length && text[length - 1] == '\n')
		length--;
	rtl_printed_to_utf8(text, length, utf8, sizeof(utf8));
	struct rs_event event = {.type = RS_DEBUG_PRINT};
	event.print.module = module ? &module->entry : NULL;
	event.print.component = message->component;
	event.print.level = message->level;
	event.print.text = utf8;
	ex_tell(&event);
}

static ULONG print(const struct message *message, const char *format, __builtin_ms_va_list args)
{
	char text[PRINT_LIMIT];
	if (!ex_heard())
		return STATUS_SUCCESS;
	size_t prefix = strnlen(message->prefix, PRINT_LIMIT);
	memcpy(text, message->prefix, prefix);
	size_t length = prefix + rtl_format(text + prefix, PRINT_LIMIT - prefix, format, args);
	tell(message, text, length < PRINT_LIMIT ? length : PRINT_LIMIT);
	return length > PRINT_LIMIT ? (ULONG)STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

ULONG NTAPI DbgPrint(PCSTR Format, ...)
{
	struct message message = {__builtin_return_address(0), DPFLTR_DEFAULT_ID, DPFLTR_INFO_LEVEL,
				  ""};
	__builtin_ms_va_list args;
	__builtin_ms_va_start(args, Format);
	ULONG status = print(&message, Format, args);
	__builtin_ms_va_end(args);
	return status;
}

/* Would return STATUS_BREAKPOINT after a ^C in the debugger; nobody types one. */
ULONG NTAPI DbgPrintReturnControlC(PCSTR Format, ...)
{
	struct message message = {__builtin_return_address(0), DPFLTR_DEFAULT_ID, DPFLTR_INFO_LEVEL,
				  ""};
	__builtin_ms_va_list args;
	__builtin_ms_va_start(args, Format);
	ULONG status = print(&message, Format, args);
	__builtin_ms_va_end(args);
	return status;
}

ULONG NTAPI DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...)
{
	struct message message = {__builtin_return_address(0), ComponentId, Level, ""};
	__builtin_ms_va_list args;
	__builtin_ms_va_start(args, Format);
	ULONG status = print(&message, Format, args);
	__builtin_ms_va_end(args);
	return status;
}

ULONG NTAPI vDbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, __builtin_ms_va_list arglist)
{
	struct message message = {__builtin_return_address(0), ComponentId, Level, ""};
	return print(&message, Format, arglist);
}

ULONG NTAPI vDbgPrintExWithPrefix(PCSTR Prefix, ULONG ComponentId, ULONG Level, PCSTR Format,
				  __builtin_ms_va_list arglist)
{
	struct message message = {__builtin_return_address(0), ComponentId, Level, Prefix};
	return print(&message, Format, arglist);
}
