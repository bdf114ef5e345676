/* SPDX-License-Identifier: MIT */
/* Work items: routines that run later, on a thread of the System process. */
#ifndef RINGSIDE_EX_WORKITEM_H
#define RINGSIDE_EX_WORKITEM_H

#include "ke/thread.h"

typedef VOID NTAPI WORKER_THREAD_ROUTINE(PVOID Parameter);
typedef WORKER_THREAD_ROUTINE *PWORKER_THREAD_ROUTINE;

/* Initialised inline by drivers: Flink NULL, the routine and its parameter. */
typedef struct _WORK_QUEUE_ITEM {
	LIST_ENTRY List; /* under the queue's lock; Flink not NULL: queued */
	PWORKER_THREAD_ROUTINE WorkerRoutine;
	PVOID Parameter;
} WORK_QUEUE_ITEM, *PWORK_QUEUE_ITEM;
_Static_assert(sizeof(WORK_QUEUE_ITEM) == 32, "AB-17");
_Static_assert(offsetof(WORK_QUEUE_ITEM, WorkerRoutine) == 16, "AB-17");

/* Queues an item; `caller` is told of in the report of one that is queued already
 * (bug check 0xE4). */
void ex_queue_work(PWORK_QUEUE_ITEM item, const char *caller);

/* Calls a driver's routine as a worker does; what it must leave as it was is IRQL (bug
 * check 0xE1) and the APC state (VF-5). */
struct ex_worker_call {
	struct ke_callout callout;
	const void *item;
};
void ex_begin_worker_call(struct ex_worker_call *call, const void *routine, const void *item);
void ex_end_worker_call(struct ex_worker_call *call);

/* A routine in [base, base + size) that is queued or runs, or NULL. One that runs gets a
 * short while to end. */
const void *ex_find_work(const void *base, SIZE_T size);

/* At shutdown: lets the workers see that it is. */
void ex_wake_workers(void);

VOID NTAPI ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, ULONG QueueType);

#endif
