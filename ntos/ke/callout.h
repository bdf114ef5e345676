/* SPDX-License-Identifier: MIT */
/*
 * Calling a driver's routine: the state NT promises it, and what it must leave.
 *
 *	struct ke_callout c;
 *	ke_callout_begin(&c, "ObRegisterCallbacks pre routine", routine, PASSIVE_LEVEL);
 *	result = routine(...);
 *	ke_callout_end(&c, PASSIVE_LEVEL);
 *
 * A dispatch to several routines begins once, and for each of them says
 * ke_callout_next before the call and ke_callout_check after it.
 *
 * begin enters a critical region (normal kernel APCs off, special ones on: PS-62,
 * PS-81, OB-46) and sets IRQL; end ends in a bug check when the routine
 * came back at another IRQL (VF-4) or with another APC-disable count (VF-5),
 * puts the caller's state back, and lets kernel APCs run that waited for it. Both are inline: they are on the hottest path.
 */
#ifndef RINGSIDE_KE_CALLOUT_H
#define RINGSIDE_KE_CALLOUT_H

#include "ke/apc.h"

/* Reports the rule that the innermost routine broke; `irql` is what it was called at.
 * Does not return. */
_Noreturn void ke_callout_violation(KIRQL irql);

/* What another host thread, which does not end meanwhile, seems to be inside of. False:
 * nothing. It may have left it in this moment; nothing that `seen` points to may be looked into. */
bool ke_peek_callout(const struct ke_processor *processor, struct ke_callout *seen);

/* One critical region more. Both counts are read and written as one, always: a
 * processor has to wait when a load spans what smaller stores have just written. */
static inline ULONG64 ke_inside_region(ULONG64 apc_disable)
{
	return (apc_disable & 0xFFFFFFFF00000000) | (ULONG)(apc_disable - 1);
}

static inline void ke_callout_begin(struct ke_callout *callout, const char *what,
				    const void *routine, KIRQL irql)
{
	struct ke_processor *self = ke_processor();
	struct ke_thread *thread = ke_thread_of(self->pcr.current_thread);
	callout->outer = self->callout;
	callout->self = self;
	callout->thread = thread;
	callout->what = what;
	callout->routine = routine;
	callout->irql = self->pcr.irql;
	callout->apc_disable = thread->apc_disable;
	thread->apc_disable = ke_inside_region(callout->apc_disable);
	self->pcr.irql = irql;
	self->callout = callout;
}

/* What the routine must have left as it was. */
static inline void ke_callout_check(const struct ke_callout *callout, KIRQL irql)
{
	const struct ke_thread *thread = callout->thread;
	if (__builtin_expect(
		    (callout->self->pcr.irql != irql) |
			    (thread->apc_disable != ke_inside_region(callout->apc_disable)),
		    0))
		ke_callout_violation(irql);
}

/* Between the routines of one dispatch: the state stays, the routine changes. */
static inline void ke_callout_next(struct ke_callout *callout, const char *what,
				   const void *routine)
{
	callout->what = what;
	callout->routine = routine;
}

static inline void ke_callout_end(const struct ke_callout *callout, KIRQL irql)
{
	ke_callout_check(callout, irql);
	callout->thread->apc_disable = callout->apc_disable;
	callout->self->pcr.irql = callout->irql;
	callout->self->callout = callout->outer;
	ke_check_apcs_of(callout->thread);
}

/* The same for routines that are not notified but simply run (DriverEntry, a system
 * thread, a DPC): they are in no critical region. */
static inline void ke_call_begin(struct ke_callout *callout, const char *what, const void *routine,
				 KIRQL irql)
{
	ke_callout_begin(callout, what, routine, irql);
	callout->thread->kernel_apc_disable++;
}

static inline void ke_call_end(struct ke_callout *callout, KIRQL irql)
{
	callout->thread->kernel_apc_disable--;
	ke_callout_end(callout, irql);
}

#endif
