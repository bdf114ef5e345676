/* SPDX-License-Identifier: MIT */
/*
 * Work items and the worker threads.
 *
 * One queue for all types, in order of arrival. Workers are host threads of the System
 * process; one more is started when an item is queued and none is idle, up to MOST, so
 * that an item that waits for another makes progress. They stay until shutdown.
 *
 * `queue.lock`, a leaf, protects the queue and the list of what runs. An item is its
 * driver's again before its routine is called, which may queue or free it.
 *
 * Clauses: AB-17, VF-5. Pages: ExQueueWorkItem, bug checks 0xE1 and 0xE4.
 */
#include "ex/workitem.h"
#include "io/workitem.h"
#include "ke/bugcheck.h"
#include "ke/callout.h"
#include "ke/helper.h"
#include "ke/list.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define MOST 16
#define LAST_INSTRUCTIONS 500000000 /* ns that a routine may take when its driver unloads */

/* What a worker is inside of. Not on its stack, which a shutdown may cut. */
struct running {
	LIST_ENTRY link;
	const void *routine;
};
static _Thread_local struct running current; /* routine NULL: not in the list */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t queued, done;
	LIST_ENTRY items, running;
	unsigned length, workers, idle;
	unsigned fork_count; /* that `workers` belongs to */
} queue = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.queued = PTHREAD_COND_INITIALIZER,
	.done = PTHREAD_COND_INITIALIZER,
	.items = {&queue.items, &queue.items},
	.running = {&queue.running, &queue.running},
};

/* ---- A call ------------------------------------------------------------------------------- */

void ex_begin_worker_call(struct ex_worker_call *call, const void *routine, const void *item)
{
	call->item = item;
	ke_call_begin(&call->callout, "work item", routine, PASSIVE_LEVEL);
}

static _Noreturn void apc_state_changed(const struct ke_callout *callout)
{
	LONG kernel = callout->thread->kernel_apc_disable - callout->kernel_apc_disable;
	LONG special = callout->thread->special_apc_disable - callout->special_apc_disable;
	struct ke_bug_check what = {
		.code = KE_APC_INDEX_MISMATCH,
		.address = callout->routine,
		.parameter = {(uintptr_t)callout->routine, 0,
			      (ULONG)(USHORT)special << 16 | (USHORT)kernel, 1},
	};
	ke_bug_check(&what, "a work item returned with %d critical and %d guarded regions too many",
		     -kernel, -special);
}

void ex_end_worker_call(struct ex_worker_call *call)
{
	struct ke_callout *callout = &call->callout;
	KIRQL irql = callout->self->pcr.irql;
	if (irql != PASSIVE_LEVEL) {
		struct ke_bug_check what = {
			.code = KE_WORKER_THREAD_RETURNED_AT_BAD_IRQL,
			.address = callout->routine,
			.parameter = {(uintptr_t)callout->routine, irql, (uintptr_t)call->item,
				      (uintptr_t)call->item},
		};
		ke_bug_check(&what, "a work item returned at IRQL %u", irql);
	}
	if (callout->thread->kernel_apc_disable != callout->kernel_apc_disable ||
	    callout->thread->special_apc_disable != callout->special_apc_disable)
		apc_state_changed(callout);
	ke_call_end(callout, PASSIVE_LEVEL);
}

/* ---- Workers --------------------------------------------------------------------------------- */

/* Under the lock. */
static void runs_nothing(void)
{
	if (!current.routine)
		return;
	list_remove(&current.link);
	current.routine = NULL;
	pthread_cond_broadcast(&queue.done);
}

/* With the lock, which is given up for the call. */
static void run_first(void)
{
	PWORK_QUEUE_ITEM item = LIST_OWNER(queue.items.Flink, WORK_QUEUE_ITEM, List);
	PWORKER_THREAD_ROUTINE routine = item->WorkerRoutine;
	PVOID parameter = item->Parameter;
	current.routine = io_driver_routine(item);
	list_remove(&item->List);
	queue.length--;
	item->List.Flink = NULL;
	list_add_last(&queue.running, &current.link);
	pthread_mutex_unlock(&queue.lock);

	struct ex_worker_call call;
	ex_begin_worker_call(&call, (const void *)routine, item);
	routine(parameter);
	ex_end_worker_call(&call);

	pthread_mutex_lock(&queue.lock);
	runs_nothing();
}

static void work(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&queue.lock);
	while (!ke_helpers_end() && !ke_crashed()) {
		if (!list_empty(&queue.items)) {
			run_first();
			continue;
		}
		queue.idle++;
		pthread_cond_wait(&queue.queued, &queue.lock);
		queue.idle--;
	}
	pthread_mutex_unlock(&queue.lock);
}

/* The last one empties the queue: the items lie in drivers that go away. */
static void finish(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&queue.lock);
	runs_nothing();
	if (--queue.workers == 0) {
		while (!list_empty(&queue.items)) {
			LIST_ENTRY *entry = queue.items.Flink;
			list_remove(entry);
			entry->Flink = NULL;
		}
		queue.length = 0;
	}
	pthread_mutex_unlock(&queue.lock);
}

/* In the child of a fork, the parent's workers are not there. */
static void forget_parent(void)
{
	if (queue.fork_count == ke_fork_count())
		return;
	queue.fork_count = ke_fork_count();
	queue.workers = queue.idle = 0;
	list_init(&queue.running);
	pthread_cond_init(&queue.queued, NULL);
	pthread_cond_init(&queue.done, NULL);
}

static void start_worker(void)
{
	if (ke_start_helper(&(struct ke_helper_work){work, finish, NULL, NULL}))
		return;
	pthread_mutex_lock(&queue.lock);
	bool alone = --queue.workers == 0;
	pthread_mutex_unlock(&queue.lock);
	if (!alone || ke_helpers_end())
		return; /* those that are there will do it, or nobody any more */
	fputs("ringside: no memory for a worker thread\n", stderr);
	_exit(125);
}

void ex_queue_work(PWORK_QUEUE_ITEM item, const char *caller)
{
	pthread_mutex_lock(&queue.lock);
	forget_parent();
	bool was_queued = item->List.Flink != NULL;
	if (!was_queued) {
		list_add_last(&queue.items, &item->List);
		queue.length++;
	}
	bool more = !was_queued && queue.idle < queue.length && queue.workers < MOST;
	queue.workers += more;
	pthread_cond_signal(&queue.queued);
	pthread_mutex_unlock(&queue.lock);
	if (was_queued)
		KE_BUG_CHECK(KE_WORKER_INVALID, 1, item, 0, 0,
			     "%s of a work item that is queued, or was never initialized", caller);
	if (more)
		start_worker();
}

VOID NTAPI ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, ULONG QueueType)
{
	(void)QueueType;                               /* only how soon NT runs it */
	(void)*(volatile PVOID *)&WorkItem->Parameter; /* a bad pointer faults here */
	ex_queue_work(WorkItem, "ExQueueWorkItem");
}

void ex_wake_workers(void)
{
	pthread_mutex_lock(&queue.lock);
	pthread_cond_broadcast(&queue.queued);
	pthread_mutex_unlock(&queue.lock);
}

/* ---- What an unloaded driver left -------------------------------------------------------------- */

static bool within(const void *address, const void *base, SIZE_T size)
{
	return (uintptr_t)address - (uintptr_t)base < size;
}

/* Under the lock. */
static const void *find(const void *base, SIZE_T size)
{
	for (LIST_ENTRY *entry = queue.items.Flink; entry != &queue.items; entry = entry->Flink) {
		const void *routine = io_driver_routine(LIST_OWNER(entry, WORK_QUEUE_ITEM, List));
		if (within(routine, base, size))
			return routine;
	}
	for (LIST_ENTRY *entry = queue.running.Flink; entry != &queue.running;
	     entry = entry->Flink) {
		const void *routine = LIST_OWNER(entry, struct running, link)->routine;
		if (within(routine, base, size))
			return routine;
	}
	return NULL;
}

const void *ex_find_work(const void *base, SIZE_T size)
{
	struct timespec until;
	const void *found;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += LAST_INSTRUCTIONS;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&queue.lock);
	while ((found = find(base, size)) &&
	       pthread_cond_timedwait(&queue.done, &queue.lock, &until) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&queue.lock);
	return found;
}
