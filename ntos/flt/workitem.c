/* SPDX-License-Identifier: MIT */
/*
 * Generic work items: from pool in the driver's name, so that one it forgets is reported when
 * it unloads. Its filter or instance cannot go from the moment one is queued until its
 * routine has returned.
 *
 * Pages: FltAllocateGenericWorkItem, FltQueueGenericWorkItem.
 */
#include "flt/workitem.h"
#include "ex/pool.h"
#include "flt/flt.h"
#include "ke/bugcheck.h"

#define TAG 0x69576C46 /* "FlWi" */

struct _FLT_GENERIC_WORKITEM {
	WORK_QUEUE_ITEM item;
	struct flt_object *object;
	FLT_GENERIC_WORKITEM_ROUTINE *routine;
	PVOID context;
};

static VOID NTAPI run(PVOID parameter)
{
	/* The routine may free the work item. */
	struct _FLT_GENERIC_WORKITEM work = *(PFLT_GENERIC_WORKITEM)parameter;
	struct ex_worker_call call;
	ex_begin_worker_call(&call, (const void *)work.routine, parameter);
	work.routine(parameter, work.object, work.context);
	ex_end_worker_call(&call);
	flt_dereference(work.object);
}

PFLT_GENERIC_WORKITEM NTAPI FltAllocateGenericWorkItem(void)
{
	PFLT_GENERIC_WORKITEM work = ex_allocate_pool(__builtin_return_address(0), NonPagedPoolNx,
						      sizeof(*work), TAG);
	if (work)
		*work = (struct _FLT_GENERIC_WORKITEM){.object = NULL};
	return work;
}

VOID NTAPI FltFreeGenericWorkItem(PFLT_GENERIC_WORKITEM FltWorkItem)
{
	if (FltWorkItem->item.List.Flink)
		KE_BUG_CHECK(KE_WORKER_INVALID, 0, (uintptr_t)FltWorkItem, 0, 0,
			     "FltFreeGenericWorkItem of a work item that is queued");
	ex_free_pool(__builtin_return_address(0), FltWorkItem);
}

NTSTATUS NTAPI FltQueueGenericWorkItem(PFLT_GENERIC_WORKITEM FltWorkItem, PVOID FltObject,
				       FLT_GENERIC_WORKITEM_ROUTINE *WorkerRoutine, ULONG QueueType,
				       PVOID Context)
{
	(void)QueueType;
	PFLT_GENERIC_WORKITEM work = FltWorkItem;
	if (!work->item.List.Flink) { /* or ex_queue_work reports it */
		if (!flt_reference(FltObject))
			return STATUS_FLT_DELETING_OBJECT;
		work->object = FltObject;
		work->routine = WorkerRoutine;
		work->context = Context;
		work->item.WorkerRoutine = run;
		work->item.Parameter = work;
	}
	ex_queue_work(&work->item, "FltQueueGenericWorkItem");
	return STATUS_SUCCESS;
}
