/* SPDX-License-Identifier: MIT */
/*
 * What a driver's routine may not leave behind: another IRQL (VF-4) or another
 * APC-disable count (VF-5). The comparison itself is inline in callout.h.
 */
#include "ke/callout.h"
#include "ke/bugcheck.h"

/* How bug check 0xC8 says that the wrong IRQL came from a routine called out to. */
#define IRQL_AFTER_CALLOUT 2

_Noreturn void ke_callout_violation(KIRQL irql)
{
	const struct ke_processor *self = ke_processor();
	const struct ke_callout *callout = self->callout;
	const struct ke_thread *thread = ke_thread_of(self->pcr.current_thread);
	struct ke_bug_check check = {.address = callout->routine};
	ULONG left = self->pcr.irql;

	if (left != irql) {
		check.code = KE_IRQL_UNEXPECTED_VALUE;
		check.parameter[0] = left << 16 | (ULONG)irql << 8 | IRQL_AFTER_CALLOUT;
		check.parameter[1] = (uintptr_t)callout->routine;
		ke_bug_check(&check, "%s was called at IRQL %u and returned at IRQL %u",
			     callout->what, irql, left);
	}
	/* The counts as they would be without the callout's own critical region, which
	 * is what Windows finds at the end of the system call. */
	LONG kernel = thread->kernel_apc_disable - (callout->kernel_apc_disable - 1);
	LONG special = thread->special_apc_disable - callout->special_apc_disable;
	check.code = KE_APC_INDEX_MISMATCH;
	check.parameter[0] = (uintptr_t)callout->routine;
	check.parameter[2] = (ULONG)(USHORT)special << 16 | (USHORT)kernel;
	ke_bug_check(&check, "%s returned with %d critical and %d guarded regions too many",
		     callout->what, -kernel, -special);
}

/* The callout is on the other thread's stack, which stays mapped; what stands there can be
 * something else by now, which is noticed by its processor. */
__attribute__((no_sanitize("address", "thread"))) bool
ke_peek_callout(const struct ke_processor *processor, struct ke_callout *seen)
{
	struct ke_callout *const volatile *innermost = &processor->callout;
	const volatile struct ke_callout *callout = *innermost;
	if (!callout)
		return false;
	seen->what = callout->what;
	seen->routine = callout->routine;
	seen->self = callout->self;
	return seen->self == processor && *innermost == callout;
}
