/* SPDX-License-Identifier: MIT */
/*
 * Deferred procedure calls: one queue, one host thread that works it off.
 *
 * The same thread lets timers expire, since what a timer does is done at DPC time on NT
 * too. It is a processor like every other host thread; its IRQL is DISPATCH_LEVEL in a
 * DPC's routine and PASSIVE_LEVEL in that of a threaded one. For a DPC with a target
 * processor the host thread moves to that one.
 *
 * The queue is under the dispatcher lock. A DPC is the driver's again before its
 * routine is called: the routine may queue it anew or free it.
 *
 * Pages: KeInitializeDpc, KeInsertQueueDpc, KeFlushQueuedDpcs.
 */
#include "ke/dpc.h"
#include "ke/bugcheck.h"
#include "ke/callout.h"
#include "ke/dispatcher.h"
#include "ke/helper.h"
#include "ke/list.h"
#include "ke/processor.h"
#include "ke/timer.h"
#include <stdio.h>
#include <unistd.h>

enum { TYPE_DPC = 19, TYPE_THREADED_DPC = 24 };

static LIST_ENTRY queue = {&queue, &queue};
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER; /* something to do, or done */
static PKDEFERRED_ROUTINE active;                         /* the routine that runs */
static const void *active_dpc;
static struct ke_processor *worker; /* who runs it */
static bool started;
static unsigned started_in; /* ke_fork_count() */

/* ---- The thread ---------------------------------------------------------------------- */

/* Under the lock. */
static PKDPC dequeue(LIST_ENTRY *entry)
{
	PKDPC dpc = LIST_OWNER(entry, KDPC, DpcListEntry);
	list_remove(entry);
	dpc->DpcData = NULL;
	return dpc;
}

static void call(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2, KIRQL irql)
{
	struct ke_callout callout;
	PKDEFERRED_ROUTINE routine = active;
	ke_call_begin(&callout, "DPC routine", (const void *)routine, irql);
	routine(dpc, context, argument1, argument2);
	ke_call_end(&callout, irql);
}

/* With the lock, which is given up for the call. */
static void run_first(void)
{
	PKDPC dpc = dequeue(queue.Flink);
	PVOID context = dpc->DeferredContext, argument1 = dpc->SystemArgument1;
	PVOID argument2 = dpc->SystemArgument2;
	USHORT number = dpc->Number;
	KIRQL irql = dpc->Type == TYPE_THREADED_DPC ? PASSIVE_LEVEL : DISPATCH_LEVEL;
	active = dpc->DeferredRoutine;
	active_dpc = dpc;
	ke_unlock_dispatcher();
	if (number)
		ke_move_to_processor(number - 1u);
	call(dpc, context, argument1, argument2, irql);
	if (number)
		ke_move_to_any_processor();
	ke_lock_dispatcher();
	active = NULL;
	pthread_cond_broadcast(&changed);
}

static void work(void *unused)
{
	(void)unused;
	ke_lock_dispatcher();
	worker = ke_processor();
	while (!ke_helpers_end() && !ke_crashed()) {
		struct timespec at;
		bool more = ke_expire_timers(&at);
		if (list_empty(&queue))
			ke_wait_in_dispatcher(&changed, more ? &at : NULL);
		else
			run_first();
	}
	ke_unlock_dispatcher();
}

/* What is queued now never runs: the memory belongs to drivers that go away. */
static void finish(void *unused)
{
	(void)unused;
	ke_lock_dispatcher();
	while (!list_empty(&queue))
		dequeue(queue.Flink);
	ke_forget_timers();
	started = false;
	worker = NULL;
	pthread_cond_broadcast(&changed); /* whoever waits for DPCs */
	ke_unlock_dispatcher();
}

void ke_need_dpc_thread(void)
{
	ke_lock_dispatcher();
	unsigned now = ke_fork_count();
	bool there = started && started_in == now;
	if (!there && started) {
		pthread_cond_init(&changed, NULL); /* whoever waited stayed in the parent */
		active = NULL;
	}
	started = true;
	started_in = now;
	ke_unlock_dispatcher();
	if (there || ke_start_helper(&(struct ke_helper_work){work, finish, NULL, NULL}))
		return;
	ke_lock_dispatcher();
	started = false;
	ke_unlock_dispatcher();
	if (ke_helpers_end())
		return; /* nothing that is queued now would run */
	fputs("ringside: no memory for the thread of DPCs and timers\n", stderr);
	_exit(125);
}

void ke_wake_dpc_thread(void)
{
	ke_lock_dispatcher(); /* it does not look and then sleep */
	pthread_cond_broadcast(&changed);
	ke_unlock_dispatcher();
}

/* ---- The queue ------------------------------------------------------------------------- */

bool ke_queue_dpc(PKDPC dpc, PVOID argument1, PVOID argument2)
{
	if (dpc->DpcData)
		return false;
	dpc->DpcData = dpc;
	dpc->SystemArgument1 = argument1;
	dpc->SystemArgument2 = argument2;
	if (dpc->Importance == HighImportance)
		list_add_first(&queue, &dpc->DpcListEntry);
	else
		list_add_last(&queue, &dpc->DpcListEntry);
	pthread_cond_broadcast(&changed);
	return true;
}

static void check(const KDPC *dpc, const char *caller)
{
	UCHAR type = *(const volatile UCHAR *)&dpc->Type; /* a bad pointer faults here */
	if (type != TYPE_DPC && type != TYPE_THREADED_DPC)
		KE_BUG_CHECK(KE_CALLBACK_RULE_VIOLATION, dpc, type, 0, 0,
			     "%s was given memory that is no initialized DPC (type 0x%x)", caller,
			     type);
}

static void initialize(PKDPC dpc, UCHAR type, PKDEFERRED_ROUTINE routine, PVOID context)
{
	*dpc = (KDPC){.Type = type,
		      .Importance = MediumImportance,
		      .DeferredRoutine = routine,
		      .DeferredContext = context};
}

VOID NTAPI KeInitializeDpc(PKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext)
{
	initialize(Dpc, TYPE_DPC, DeferredRoutine, DeferredContext);
}

VOID NTAPI KeInitializeThreadedDpc(PKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine,
				   PVOID DeferredContext)
{
	initialize(Dpc, TYPE_THREADED_DPC, DeferredRoutine, DeferredContext);
}

BOOLEAN NTAPI KeInsertQueueDpc(PKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2)
{
	check(Dpc, "KeInsertQueueDpc");
	ke_need_dpc_thread();
	ke_lock_dispatcher();
	bool queued = ke_queue_dpc(Dpc, SystemArgument1, SystemArgument2);
	ke_unlock_dispatcher();
	return queued;
}

/* Until `dpc` (NULL: nothing) is neither queued nor running. With the lock. */
static void wait_until_done(const void *dpc)
{
	if (worker == ke_processor())
		return; /* the DPC itself asks: NT would hang here */
	while ((active && (!dpc || active_dpc == dpc)) || (!dpc && !list_empty(&queue))) {
		if (ke_crashed() || ke_helpers_end()) {
			ke_unlock_dispatcher();
			ke_leave();
		}
		ke_wait_in_dispatcher(&changed, NULL);
	}
}

BOOLEAN NTAPI KeRemoveQueueDpcEx(PKDPC Dpc, BOOLEAN WaitIfActive)
{
	check(Dpc, "KeRemoveQueueDpc");
	ke_lock_dispatcher();
	bool queued = Dpc->DpcData != NULL;
	if (queued)
		dequeue(&Dpc->DpcListEntry);
	if (WaitIfActive)
		wait_until_done(Dpc);
	ke_unlock_dispatcher();
	return queued;
}

BOOLEAN NTAPI KeRemoveQueueDpc(PKDPC Dpc)
{
	return KeRemoveQueueDpcEx(Dpc, FALSE);
}

VOID NTAPI KeFlushQueuedDpcs(void)
{
	ke_lock_dispatcher();
	wait_until_done(NULL);
	ke_unlock_dispatcher();
}

VOID NTAPI KeSetImportanceDpc(PKDPC Dpc, KDPC_IMPORTANCE Importance)
{
	check(Dpc, "KeSetImportanceDpc");
	Dpc->Importance = (UCHAR)Importance;
}

VOID NTAPI KeSetTargetProcessorDpc(PKDPC Dpc, CCHAR Number)
{
	check(Dpc, "KeSetTargetProcessorDpc");
	Dpc->Number = (USHORT)((UCHAR)Number + 1);
}

NTSTATUS NTAPI KeSetTargetProcessorDpcEx(PKDPC Dpc, PPROCESSOR_NUMBER ProcNumber)
{
	check(Dpc, "KeSetTargetProcessorDpcEx");
	ULONG index = KeGetProcessorIndexFromNumber(ProcNumber);
	if (index >= ke_count_processors())
		return STATUS_INVALID_PARAMETER;
	Dpc->Number = (USHORT)(index + 1);
	return STATUS_SUCCESS;
}

/* ---- What an unloaded driver left --------------------------------------------------------- */

static bool within(const void *address, const void *base, SIZE_T size)
{
	return (uintptr_t)address - (uintptr_t)base < size;
}

const void *ke_find_dpc(const void *base, SIZE_T size, const void **dpc)
{
	const void *found = NULL;
	ke_lock_dispatcher();
	if (active && within((const void *)active, base, size)) {
		found = (const void *)active;
		*dpc = active_dpc;
	}
	for (LIST_ENTRY *entry = queue.Flink; !found && entry != &queue; entry = entry->Flink) {
		PKDPC queued = LIST_OWNER(entry, KDPC, DpcListEntry);
		if (!within(queued, base, size) &&
		    !within((const void *)queued->DeferredRoutine, base, size))
			continue;
		found = (const void *)queued->DeferredRoutine;
		*dpc = queued;
	}
	ke_unlock_dispatcher();
	return found;
}
