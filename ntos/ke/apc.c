/* SPDX-License-Identifier: MIT */
/*
 * Asynchronous procedure calls.
 *
 * Kernel APCs run in their thread as soon as its state allows: special ones below
 * APC_LEVEL outside guarded regions, normal ones also outside critical regions and not
 * inside each other. They are looked for when IRQL is lowered by a call, when a region is
 * left, around waits, and when one is queued to the current thread itself. A thread
 * that sleeps is woken for them and waits on afterwards. What neither runs nor
 * waits here, a thread of a Linux process between two callbacks, gets them the
 * next time it is current and does one of these.
 *
 * User APCs are queued and go back with their thread's end: nothing here can run code in
 * a Linux process.
 *
 * The queues are under the dispatcher lock. apc_pending says, without it, that a look
 * may be worth it. An APC belongs to the driver again as soon as it is out of the queue:
 * its kernel routine may free it.
 *
 * Pages: types of APCs, disabling APCs.
 */
#include "ke/apc.h"
#include "ex/pool.h"
#include "ke/bugcheck.h"
#include "ke/callout.h"
#include "ke/list.h"
#include "ps/process.h"

#define TYPE_APC 18

VOID NTAPI KeInitializeApc(PKAPC Apc, PKTHREAD Thread, ULONG Environment,
			   PKKERNEL_ROUTINE KernelRoutine, PKRUNDOWN_ROUTINE RundownRoutine,
			   PKNORMAL_ROUTINE NormalRoutine, KPROCESSOR_MODE ApcMode,
			   PVOID NormalContext)
{
	*Apc = (KAPC){
		.Type = TYPE_APC,
		.Size = sizeof(*Apc),
		.Thread = Thread,
		.KernelRoutine = KernelRoutine,
		.RundownRoutine = RundownRoutine,
		.NormalRoutine = NormalRoutine,
		.NormalContext = NormalRoutine ? NormalContext : NULL,
		.ApcStateIndex = (CCHAR)Environment,
		.ApcMode = NormalRoutine ? ApcMode : KernelMode,
	};
}

/* ---- The queues, under the dispatcher lock --------------------------------------------- */

static bool is_special(const LIST_ENTRY *entry)
{
	return !LIST_OWNER(entry, KAPC, ApcListEntry)->NormalRoutine;
}

/* Special ones stand before normal ones, each kind in order of arrival. */
static void enqueue(PKAPC apc, struct ke_thread *thread)
{
	LIST_ENTRY *head = &thread->apcs[apc->ApcMode], *before = head;
	if (!apc->NormalRoutine) {
		before = head->Flink;
		while (before != head && is_special(before))
			before = before->Flink;
	}
	list_add_last(before, &apc->ApcListEntry);
	apc->Inserted = TRUE;
	if (apc->ApcMode == KernelMode)
		atomic_store_explicit(&thread->apc_pending, true, memory_order_relaxed);
}

static PKAPC dequeue(struct ke_thread *thread, KPROCESSOR_MODE mode)
{
	LIST_ENTRY *head = &thread->apcs[mode];
	if (list_empty(head))
		return NULL;
	PKAPC apc = LIST_OWNER(head->Flink, KAPC, ApcListEntry);
	list_remove(&apc->ApcListEntry);
	apc->Inserted = FALSE;
	if (mode == KernelMode)
		atomic_store_explicit(&thread->apc_pending, !list_empty(head),
				      memory_order_relaxed);
	return apc;
}

bool ke_apc_is_due(const struct ke_thread *thread, KIRQL irql)
{
	const LIST_ENTRY *head = &thread->apcs[KernelMode];
	if (list_empty(head) || irql >= APC_LEVEL || thread->special_apc_disable)
		return false;
	return is_special(head->Flink) || (!thread->kernel_apc_disable && !thread->normal_apc);
}

/* The thread that has just been given one need not be asked where it runs: it finds
 * the APC itself. Only sleep is interrupted. */
static void wake_for_apc(struct ke_thread *thread)
{
	struct ke_waiter *waiter = thread->waiter;
	if (waiter && ke_apc_is_due(thread, waiter->irql))
		ke_wake(waiter, KE_STATUS_KERNEL_APC);
}

BOOLEAN NTAPI KeInsertQueueApc(PKAPC Apc, PVOID SystemArgument1, PVOID SystemArgument2,
			       LONG Increment)
{
	(void)Increment;
	struct ke_thread *thread = ke_thread_of(Apc->Thread);
	ke_enter_dispatcher(&thread->header, "KeInsertQueueApc");
	bool queued = !Apc->Inserted && !thread->apcs_closed;
	if (queued) {
		Apc->SystemArgument1 = SystemArgument1;
		Apc->SystemArgument2 = SystemArgument2;
		enqueue(Apc, thread);
		wake_for_apc(thread);
	}
	ke_unlock_dispatcher();
	if (queued && thread == ke_thread_of(ke_current_thread()))
		ke_check_apcs();
	return queued;
}

/* ---- Delivery, in the thread ------------------------------------------------------------- */

struct delivery {
	PKNORMAL_ROUTINE routine;
	PVOID context, argument1, argument2;
};

/* At APC_LEVEL from before to after the call, so that its end does not deliver the
 * next one in the middle of this. */
static void call_kernel_routine(PKAPC apc, struct delivery *d)
{
	struct ke_callout callout;
	KIRQL before = ke_set_irql(APC_LEVEL);
	ke_call_begin(&callout, "kernel APC's kernel routine", (const void *)apc->KernelRoutine,
		      APC_LEVEL);
	apc->KernelRoutine(apc, &d->routine, &d->context, &d->argument1, &d->argument2);
	ke_call_end(&callout, APC_LEVEL);
	ke_set_irql(before);
}

static void call_normal_routine(const struct delivery *d, struct ke_thread *thread)
{
	struct ke_callout callout;
	thread->normal_apc = true;
	ke_call_begin(&callout, "kernel APC's normal routine", (const void *)d->routine,
		      PASSIVE_LEVEL);
	d->routine(d->context, d->argument1, d->argument2);
	ke_call_end(&callout, PASSIVE_LEVEL);
	thread->normal_apc = false;
}

void ke_deliver_apcs(void)
{
	struct ke_processor *self = ke_processor();
	struct ke_thread *thread = ke_thread_of(self->pcr.current_thread);
	for (;;) {
		ke_lock_dispatcher();
		PKAPC apc = ke_apc_is_due(thread, self->pcr.irql) ? dequeue(thread, KernelMode)
								  : NULL;
		ke_unlock_dispatcher();
		if (!apc)
			return;
		struct delivery d = {apc->NormalRoutine, apc->NormalContext, apc->SystemArgument1,
				     apc->SystemArgument2};
		bool normal = d.routine != NULL;
		call_kernel_routine(apc, &d);
		if (normal && d.routine)
			call_normal_routine(&d, thread);
	}
}

/* ---- The end of a thread ------------------------------------------------------------------ */

static PKAPC take_any(struct ke_thread *thread)
{
	ke_lock_dispatcher();
	thread->apcs_closed = true;
	PKAPC apc = dequeue(thread, UserMode);
	if (!apc)
		apc = dequeue(thread, KernelMode);
	ke_unlock_dispatcher();
	return apc;
}

/* One without a rundown routine was allocated from pool, and is freed for its driver. */
static void run_down(PKAPC apc)
{
	struct ke_callout callout;
	PKRUNDOWN_ROUTINE routine = apc->RundownRoutine;
	if (!routine) {
		ExFreePool(apc);
		return;
	}
	ke_call_begin(&callout, "APC's rundown routine", (const void *)routine, PASSIVE_LEVEL);
	routine(apc);
	ke_call_end(&callout, PASSIVE_LEVEL);
}

void ke_run_down_apcs(struct ke_thread *thread)
{
	PKAPC apc;
	ke_deliver_apcs();
	while ((apc = take_any(thread)))
		run_down(apc);
}
