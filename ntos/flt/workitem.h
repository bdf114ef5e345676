/* SPDX-License-Identifier: MIT */
/* Work items that hold a filter or an instance while they are queued. */
#ifndef RINGSIDE_FLT_WORKITEM_H
#define RINGSIDE_FLT_WORKITEM_H

#include "ex/workitem.h"

typedef struct _FLT_GENERIC_WORKITEM *PFLT_GENERIC_WORKITEM;
typedef VOID NTAPI FLT_GENERIC_WORKITEM_ROUTINE(PFLT_GENERIC_WORKITEM FltWorkItem, PVOID FltObject,
						PVOID Context);

PFLT_GENERIC_WORKITEM NTAPI FltAllocateGenericWorkItem(void);
VOID NTAPI FltFreeGenericWorkItem(PFLT_GENERIC_WORKITEM FltWorkItem);
NTSTATUS NTAPI FltQueueGenericWorkItem(PFLT_GENERIC_WORKITEM FltWorkItem, PVOID FltObject,
				       FLT_GENERIC_WORKITEM_ROUTINE *WorkerRoutine, ULONG QueueType,
				       PVOID Context);

#endif
