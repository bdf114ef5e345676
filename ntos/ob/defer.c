/* SPDX-License-Identifier: MIT */
/*
 * Objects that are deleted later.
 *
 * The last reference can be given back where the deletion must not happen: above
 * PASSIVE_LEVEL, or with a lock held that the deletion takes. Such objects, which nobody
 * refers to any more, wait on a stack of headers. Whoever puts the first one there queues
 * the work item, which takes them all at once; so the item is never queued twice.
 *
 * No lock: the stack is one atomic pointer, and only a taker of the whole reads links.
 *
 * Page: ObDereferenceObjectDeferDelete.
 */
#include "ob/defer.h"
#include "ex/workitem.h"

static struct ob_header *_Atomic dead;

void ob_delete_deferred(void)
{
	struct ob_header *header = atomic_exchange_explicit(&dead, NULL, memory_order_acquire);
	while (header) {
		struct ob_header *next = header->next_dead;
		ob_delete(header);
		header = next;
	}
}

static VOID NTAPI delete_dead(PVOID unused)
{
	(void)unused;
	ob_delete_deferred();
}

/* The item is the worker's no more before its routine takes the objects, so it can be
 * queued again while that runs. */
void ob_delete_later(struct ob_header *header)
{
	static WORK_QUEUE_ITEM item = {.WorkerRoutine = delete_dead};
	struct ob_header *first = atomic_load_explicit(&dead, memory_order_relaxed);
	do
		header->next_dead = first;
	while (!atomic_compare_exchange_weak_explicit(&dead, &first, header, memory_order_release,
						      memory_order_relaxed));
	if (!first)
		ex_queue_work(&item, "ObDereferenceObjectDeferDelete");
}

void ob_dereference_deferred(void *body)
{
	if (ob_drop_reference(body) == 0)
		ob_delete_later(ob_header_of(body));
}

VOID NTAPI ObDereferenceObjectDeferDelete(PVOID Object)
{
	ob_dereference_deferred(Object);
}

VOID NTAPI ObDereferenceObjectDeferDeleteWithTag(PVOID Object, ULONG Tag)
{
	(void)Tag; /* for the debugger's traces */
	ob_dereference_deferred(Object);
}
