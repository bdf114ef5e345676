/* SPDX-License-Identifier: MIT */
/*
 * Calling a driver's routine: the state NT promises it, and what it must leave.
 *
 *	struct ke_callout c;
 *	ke_callout_begin(&c, "ObRegisterCallbacks pre routine", routine, PASSIVE_LEVEL);
 *	result = routine(...);
 *	ke_callout_end(&c, PASSIVE_LEVEL);
 *
 * begin enters a critical region (normal kernel APCs off, special ones on: PS-62,
 * PS-81, OB-46) and sets IRQL; end ends in a bug check when the routine
 * came back at another IRQL (VF-4) or with another APC-disable count (VF-5), and
 * puts the caller's state back. Both are inline: they are on the hottest path.
 */
#ifndef RINGSIDE_KE_CALLOUT_H
#define RINGSIDE_KE_CALLOUT_H

#include "ke/thread.h"

/* Reports the rule that the routine broke; `irql` is what it was called at. Does not
 * return. */
_Noreturn void ke_callout_violation(const struct ke_callout *callout, KIRQL irql);

static inline void ke_callout_begin(struct ke_callout *callout, const char *what,
				    const void *routine, KIRQL irql)
{
	struct ke_processor *self = ke_processor();
	struct ke_thread *thread = ke_thread_of(self->pcr.current_thread);
	callout->outer = self->callout;
	callout->what = what;
	callout->routine = routine;
	callout->irql = self->pcr.irql;
	callout->kernel_apc_disable = thread->kernel_apc_disable;
	callout->special_apc_disable = thread->special_apc_disable;
	thread->kernel_apc_disable--;
	self->pcr.irql = irql;
	self->callout = callout;
}

static inline void ke_callout_end(struct ke_callout *callout, KIRQL irql)
{
	struct ke_processor *self = ke_self;
	struct ke_thread *thread = ke_thread_of(self->pcr.current_thread);
	if (__builtin_expect(self->pcr.irql != irql ||
				     thread->kernel_apc_disable != callout->kernel_apc_disable - 1 ||
				     thread->special_apc_disable != callout->special_apc_disable,
			     0))
		ke_callout_violation(callout, irql);
	thread->kernel_apc_disable = callout->kernel_apc_disable;
	self->pcr.irql = callout->irql;
	self->callout = callout->outer;
}

#endif
