/* SPDX-License-Identifier: MIT */
/*
 * Exceptions that nobody handled.
 *
 * Where an exception came up says which frame of Windows finds it at last: the base of
 * a system thread (0x7E), the system service that a user thread called (0x3B), or none, in
 * what runs at DISPATCH_LEVEL on a borrowed thread (0x1E). Nothing is kept here.
 *
 * Clauses: VF-14, VF-21 for the codes; the bug-check reference for the parameters.
 */
#include "ke/exception.h"
#include "ke/bugcheck.h"
#include "ke/stackwalk.h"
#include "ke/thread.h"
#include <string.h>

static ULONG code_of(const struct ke_processor *self)
{
	const struct ke_thread *thread = ke_thread_of(self->pcr.current_thread);
	if (self->pcr.irql >= DISPATCH_LEVEL)
		return KE_KMODE_EXCEPTION_NOT_HANDLED;
	return thread->previous_mode == UserMode ? KE_SYSTEM_SERVICE_EXCEPTION
						 : KE_SYSTEM_THREAD_EXCEPTION_NOT_HANDLED;
}

_Noreturn void ke_unhandled_exception(struct ke_exception *exception)
{
	EXCEPTION_RECORD *record = &exception->record;
	ULONG64 at = (uintptr_t)record->ExceptionAddress;
	struct ke_frame frame = {.pc = exception->fault ? at : exception->context.Rip,
				 .known = 0xFFFF};
	struct ke_bug_check check = {.code = code_of(ke_processor()),
				     .parameter = {(ULONG)record->ExceptionCode, at},
				     .from = &frame};

	memcpy(frame.reg, &exception->context.Rax, sizeof(frame.reg));
	if (exception->in_driver)
		check.address = record->ExceptionAddress;
	switch (check.code) {
	case KE_KMODE_EXCEPTION_NOT_HANDLED:
		check.parameter[2] = record->ExceptionInformation[0];
		check.parameter[3] = record->ExceptionInformation[1];
		break;
	case KE_SYSTEM_SERVICE_EXCEPTION:
		check.parameter[2] = (uintptr_t)&exception->context;
		break;
	default:
		check.parameter[2] = (uintptr_t)record;
		check.parameter[3] = (uintptr_t)&exception->context;
	}
	ke_bug_check(&check, "%s", exception->sentence);
}
