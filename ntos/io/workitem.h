/* SPDX-License-Identifier: MIT */
/* Work items that hold their device or driver object while they are queued. */
#ifndef RINGSIDE_IO_WORKITEM_H
#define RINGSIDE_IO_WORKITEM_H

#include "ex/workitem.h"

typedef struct _IO_WORKITEM *PIO_WORKITEM; /* opaque: drivers ask for its size */

typedef VOID NTAPI IO_WORKITEM_ROUTINE(struct _DEVICE_OBJECT *DeviceObject, PVOID Context);
typedef IO_WORKITEM_ROUTINE *PIO_WORKITEM_ROUTINE;
typedef VOID NTAPI IO_WORKITEM_ROUTINE_EX(PVOID IoObject, PVOID Context, PIO_WORKITEM IoWorkItem);
typedef IO_WORKITEM_ROUTINE_EX *PIO_WORKITEM_ROUTINE_EX;

/* The driver's routine that a queued item will call. */
const void *io_driver_routine(const WORK_QUEUE_ITEM *item);

PIO_WORKITEM NTAPI IoAllocateWorkItem(struct _DEVICE_OBJECT *DeviceObject);
VOID NTAPI IoFreeWorkItem(PIO_WORKITEM IoWorkItem);
ULONG NTAPI IoSizeofWorkItem(void);
VOID NTAPI IoInitializeWorkItem(PVOID IoObject, PIO_WORKITEM IoWorkItem);
VOID NTAPI IoUninitializeWorkItem(PIO_WORKITEM IoWorkItem);
VOID NTAPI IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine,
			   ULONG QueueType, PVOID Context);
VOID NTAPI IoQueueWorkItemEx(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine,
			     ULONG QueueType, PVOID Context);

#endif
