/* SPDX-License-Identifier: MIT */
/*
 * Rules about where a driver does something, not what it does: Windows lets it pass, and
 * the machine is slower for it or hangs one day.
 *
 * VF-15: a process, thread or image routine or an object callback holds up whoever
 * caused its event. It should not call the registry, block, or talk to user mode.
 * Drivers do so in every event, so each routine is told of each deed once; that is kept
 * in a table to which entries are only added, without a lock. When it is full the rest
 * goes untold.
 *
 * VF-9: with special kernel APCs off, no I/O completes in this thread; each call is told
 * of once.
 *
 * VF-3: a driver should not register while it handles IRP_MJ_POWER.
 */
#include "ex/restraint.h"
#include "ex/event.h"
#include "ke/callout.h"
#include <stdatomic.h>
#include <string.h>

#define TOLD 256 /* a power of two */

static _Atomic uintptr_t told[TOLD];

/* False when it was there already, or there is no room. */
static bool add(uintptr_t key)
{
	size_t place = (key ^ key >> 12) % TOLD;
	for (size_t i = 0; i < TOLD; i++) {
		uintptr_t empty = 0;
		if (atomic_compare_exchange_strong(&told[(place + i) % TOLD], &empty, key))
			return true;
		if (empty == key)
			return false;
	}
	return false;
}

void ex_shutdown_restraint(void)
{
	for (size_t i = 0; i < TOLD; i++)
		atomic_store_explicit(&told[i], 0, memory_order_relaxed);
}

static bool begins(const char *text, const char *with)
{
	return text && strncmp(text, with, strlen(with)) == 0;
}

/* Registry callbacks, work items and the like are not restrained. */
static bool is_notification(const struct ke_callout *callout)
{
	return begins(callout->what, "Ps") || begins(callout->what, "ObRegisterCallbacks");
}

void ex_restrain(const char *deed)
{
	if (!ex_heard())
		return;
	const struct ke_callout *callout = ke_processor()->callout;
	if (callout && is_notification(callout) &&
	    add((uintptr_t)callout->routine ^ (uintptr_t)deed << 20))
		ex_rule_broken("VF-15", callout->routine,
			       "a routine of %s %s: whoever caused the event waits for it",
			       callout->what, deed);
}

void ex_check_special_apcs(const char *call, const void *caller)
{
	if (ex_heard() && add((uintptr_t)caller))
		ex_rule_broken(
			"VF-9", caller,
			"%s is called with special kernel APCs off, and what it waits for may "
			"never come (Driver Verifier: 0xC4/0xE6)",
			call);
}

void ex_check_registering(const char *call)
{
	for (const struct ke_callout *c = ke_processor()->callout; c; c = c->outer)
		if (begins(c->what, "IRP_MJ_POWER"))
			ex_rule_broken("VF-3", c->routine, "%s while IRP_MJ_POWER is handled",
				       call);
}
