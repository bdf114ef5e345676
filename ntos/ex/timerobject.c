/* SPDX-License-Identifier: MIT */
/*
 * Timers that the system allocates: a kernel timer, its DPC, and a place in a list.
 *
 * A timer passed by a driver is looked up in the list before it is touched, so one that was
 * deleted already is told from one that lives. Deleting cancels, waits for the callback
 * that may be running, and frees; a caller that does not want to wait leaves the rest to a
 * worker. The list's lock is a leaf.
 *
 * Where the page says that the routine bug checks, it does not say with what.
 *
 * Pages: ExAllocateTimer, ExSetTimer, ExCancelTimer, ExDeleteTimer.
 */
#include "ex/timerobject.h"
#include "ke/bugcheck.h"
#include "ke/callout.h"
#include "ke/list.h"
#include "memory.h"
#include <pthread.h>

#define UNITS_PER_MILLISECOND 10000

/* The clock's tick, and what it can be made: those of most PCs. */
#define SLOWEST_TICK 156250
#define FASTEST_TICK 5000

struct _EX_TIMER {
	KTIMER timer; /* first */
	KDPC dpc;
	PEXT_CALLBACK callback;
	PVOID context;
	ULONG attributes;
	WORK_QUEUE_ITEM deletion;
	EXT_DELETE_PARAMETERS after;
	/* Under the lock. */
	LIST_ENTRY link;
	bool deleted;
};

static struct {
	pthread_mutex_t lock;
	LIST_ENTRY timers;
} all = {PTHREAD_MUTEX_INITIALIZER, {&all.timers, &all.timers}};

static PEX_TIMER timer_of(LIST_ENTRY *link)
{
	return LIST_OWNER(link, struct _EX_TIMER, link);
}

/* `deleting`: from now on it is no timer any more. */
static void require_timer(PEX_TIMER timer, bool deleting, const char *what)
{
	pthread_mutex_lock(&all.lock);
	LIST_ENTRY *link = all.timers.Flink;
	while (link != &all.timers && timer_of(link) != timer)
		link = link->Flink;
	bool found = link != &all.timers && !timer->deleted;
	if (found && deleting)
		timer->deleted = true;
	pthread_mutex_unlock(&all.lock);
	if (!found)
		KE_BUG_CHECK(KE_CALLBACK_RULE_VIOLATION, timer, 0, 0, 0,
			     "%s was called for what is no timer of ExAllocateTimer, or was "
			     "deleted",
			     what);
}

static VOID NTAPI expired(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
	(void)dpc;
	(void)argument1;
	(void)argument2;
	PEX_TIMER timer = context;
	struct ke_callout callout;
	ke_call_begin(&callout, "ExTimerCallback routine", (const void *)timer->callback,
		      DISPATCH_LEVEL);
	timer->callback(timer, timer->context);
	ke_call_end(&callout, DISPATCH_LEVEL);
}

PEX_TIMER NTAPI ExAllocateTimer(PEXT_CALLBACK Callback, PVOID CallbackContext, ULONG Attributes)
{
	ULONG both = EX_TIMER_HIGH_RESOLUTION | EX_TIMER_NO_WAKE;
	if ((Attributes & both) == both)
		KE_BUG_CHECK(KE_CALLBACK_RULE_VIOLATION, Attributes, 0, 0, 0,
			     "ExAllocateTimer was asked for a timer of high resolution that does "
			     "not wake the processor");
	PEX_TIMER timer = host_alloc(sizeof(*timer));
	if (!timer)
		return NULL;
	KeInitializeTimerEx(&timer->timer, Attributes & EX_TIMER_NOTIFICATION
						   ? NotificationTimer
						   : SynchronizationTimer);
	KeInitializeDpc(&timer->dpc, expired, timer);
	timer->callback = Callback;
	timer->context = CallbackContext;
	timer->attributes = Attributes;
	pthread_mutex_lock(&all.lock);
	list_add_last(&all.timers, &timer->link);
	pthread_mutex_unlock(&all.lock);
	return timer;
}

BOOLEAN NTAPI ExSetTimer(PEX_TIMER Timer, LONGLONG DueTime, LONGLONG Period, PVOID Parameters)
{
	(void)Parameters; /* how much later would do: exactness is within every tolerance */
	LARGE_INTEGER due = {.QuadPart = DueTime};
	require_timer(Timer, false, "ExSetTimer");
	if (Timer->attributes & EX_TIMER_HIGH_RESOLUTION && DueTime >= 0)
		KE_BUG_CHECK(KE_CALLBACK_RULE_VIOLATION, Timer, DueTime, 0, 0,
			     "ExSetTimer was given an absolute time for a timer of high "
			     "resolution");
	LONG period = (LONG)((Period + UNITS_PER_MILLISECOND - 1) / UNITS_PER_MILLISECOND);
	return KeSetTimerEx(&Timer->timer, due, period, Timer->callback ? &Timer->dpc : NULL);
}

BOOLEAN NTAPI ExCancelTimer(PEX_TIMER Timer, PVOID Parameters)
{
	(void)Parameters;
	require_timer(Timer, false, "ExCancelTimer");
	return KeCancelTimer(&Timer->timer);
}

/* ---- Deleting --------------------------------------------------------------------------- */

static void free_timer(PEX_TIMER timer)
{
	pthread_mutex_lock(&all.lock);
	list_remove(&timer->link);
	pthread_mutex_unlock(&all.lock);
	host_free(timer);
}

static VOID NTAPI finish(PVOID argument)
{
	PEX_TIMER timer = argument;
	EXT_DELETE_PARAMETERS after = timer->after;
	KeFlushQueuedDpcs();
	free_timer(timer);
	if (!after.DeleteCallback)
		return;
	struct ke_callout callout;
	KIRQL irql = ke_processor()->pcr.irql;
	ke_call_begin(&callout, "ExTimerDeleteCallback routine", (const void *)after.DeleteCallback,
		      irql);
	after.DeleteCallback(after.DeleteContext);
	ke_call_end(&callout, irql);
}

BOOLEAN NTAPI ExDeleteTimer(PEX_TIMER Timer, BOOLEAN Cancel, BOOLEAN Wait,
			    PEXT_DELETE_PARAMETERS Parameters)
{
	KIRQL irql = ke_processor()->pcr.irql;
	if (Wait && !Cancel)
		KE_BUG_CHECK(KE_CALLBACK_RULE_VIOLATION, Timer, 0, 0, 0,
			     "ExDeleteTimer was to wait for a timer without cancelling it");
	if (Wait && irql > APC_LEVEL)
		KE_BUG_CHECK(KE_IRQL_NOT_LESS_OR_EQUAL, Timer, irql, 0, 0,
			     "ExDeleteTimer was to wait above APC_LEVEL");
	require_timer(Timer, true, "ExDeleteTimer");
	if (Parameters)
		Timer->after = *Parameters;
	BOOLEAN was_set = KeCancelTimer(&Timer->timer);
	if (Wait) {
		finish(Timer);
	} else {
		Timer->deletion = (WORK_QUEUE_ITEM){.WorkerRoutine = finish, .Parameter = Timer};
		ex_queue_work(&Timer->deletion, "ExDeleteTimer");
	}
	return Cancel && was_set;
}

/* ---- The rest ------------------------------------------------------------------------------ */

const void *ex_find_timer(const void *base, SIZE_T size)
{
	const void *found = NULL;
	pthread_mutex_lock(&all.lock);
	for (LIST_ENTRY *link = all.timers.Flink; link != &all.timers && !found;
	     link = link->Flink) {
		PEX_TIMER timer = timer_of(link);
		if ((uintptr_t)timer->callback - (uintptr_t)base < size)
			found = ke_find_timer(&timer->timer, sizeof(timer->timer));
	}
	pthread_mutex_unlock(&all.lock);
	return found;
}

void ex_shutdown_timers(void)
{
	while (all.timers.Flink != &all.timers)
		free_timer(timer_of(all.timers.Flink));
}

VOID NTAPI ExQueryTimerResolution(PULONG MaximumTime, PULONG MinimumTime, PULONG CurrentTime)
{
	*MaximumTime = *CurrentTime = SLOWEST_TICK;
	*MinimumTime = FASTEST_TICK;
}
