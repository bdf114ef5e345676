/* SPDX-License-Identifier: MIT */
/*
 * I/O work items: a work item (ex/workitem.c) that refers to a device or driver
 * object from the moment it is queued until its routine has returned.
 *
 * Allocated ones come from pool in the driver's name, so that one it forgets is reported
 * when it unloads. Freeing one that is queued is bug check 0xE4.
 *
 * Pages: IoAllocateWorkItem, IoQueueWorkItemEx.
 */
#include "io/workitem.h"
#include "ex/pool.h"
#include "ke/bugcheck.h"
#include "ob/object.h"

#define TAG 0x69576F49 /* IoWi */

struct _IO_WORKITEM {
	WORK_QUEUE_ITEM item;
	void *object;
	PIO_WORKITEM_ROUTINE routine;
	PIO_WORKITEM_ROUTINE_EX routine_ex; /* or this one */
	PVOID context;
};

static void NTAPI run(PVOID parameter)
{
	/* The routine may free the work item. */
	struct _IO_WORKITEM work = *(PIO_WORKITEM)parameter;
	struct ex_worker_call call;
	ex_begin_worker_call(&call, io_driver_routine(&work.item), parameter);
	if (work.routine_ex)
		work.routine_ex(work.object, work.context, parameter);
	else
		work.routine(work.object, work.context);
	ex_end_worker_call(&call);
	ob_dereference(work.object);
}

const void *io_driver_routine(const WORK_QUEUE_ITEM *item)
{
	const struct _IO_WORKITEM *work = (const void *)item;
	if (item->WorkerRoutine != run)
		return (const void *)item->WorkerRoutine;
	return work->routine_ex ? (const void *)work->routine_ex : (const void *)work->routine;
}

VOID NTAPI IoInitializeWorkItem(PVOID IoObject, PIO_WORKITEM IoWorkItem)
{
	*IoWorkItem = (struct _IO_WORKITEM){.object = IoObject};
	IoWorkItem->item.WorkerRoutine = run;
	IoWorkItem->item.Parameter = IoWorkItem;
}

static void check_idle(PIO_WORKITEM work, const char *caller)
{
	if (work->item.List.Flink)
		KE_BUG_CHECK(KE_WORKER_INVALID, 0, work, 0, 0, "%s of a work item that is queued",
			     caller);
}

VOID NTAPI IoUninitializeWorkItem(PIO_WORKITEM IoWorkItem)
{
	check_idle(IoWorkItem, "IoUninitializeWorkItem");
}

PIO_WORKITEM NTAPI IoAllocateWorkItem(struct _DEVICE_OBJECT *DeviceObject)
{
	PIO_WORKITEM work = ex_allocate_pool(__builtin_return_address(0), NonPagedPoolNx,
					     sizeof(*work), TAG);
	if (work)
		IoInitializeWorkItem(DeviceObject, work);
	return work;
}

VOID NTAPI IoFreeWorkItem(PIO_WORKITEM IoWorkItem)
{
	check_idle(IoWorkItem, "IoFreeWorkItem");
	ex_free_pool(__builtin_return_address(0), IoWorkItem);
}

ULONG NTAPI IoSizeofWorkItem(void)
{
	return sizeof(struct _IO_WORKITEM);
}

static void queue(PIO_WORKITEM work, PIO_WORKITEM_ROUTINE routine,
		  PIO_WORKITEM_ROUTINE_EX routine_ex, PVOID context, const char *caller)
{
	if (work->item.WorkerRoutine != run)
		KE_BUG_CHECK(KE_WORKER_INVALID, 2, work, 0, 0,
			     "%s of memory that is no initialized work item", caller);
	if (!work->item.List.Flink) { /* or ex_queue_work reports it */
		work->routine = routine;
		work->routine_ex = routine_ex;
		work->context = context;
		ob_reference(work->object);
	}
	ex_queue_work(&work->item, caller);
}

VOID NTAPI IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine,
			   ULONG QueueType, PVOID Context)
{
	(void)QueueType;
	queue(IoWorkItem, WorkerRoutine, NULL, Context, "IoQueueWorkItem");
}

VOID NTAPI IoQueueWorkItemEx(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine,
			     ULONG QueueType, PVOID Context)
{
	(void)QueueType;
	queue(IoWorkItem, NULL, WorkerRoutine, Context, "IoQueueWorkItemEx");
}
