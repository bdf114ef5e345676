/* SPDX-License-Identifier: MIT */
/* Deferred procedure calls. */
#ifndef RINGSIDE_KE_DPC_H
#define RINGSIDE_KE_DPC_H

#include <ringside/nt.h>
#include <stdbool.h>
#include <stddef.h>

struct _KDPC;
struct _PROCESSOR_NUMBER;
typedef VOID NTAPI KDEFERRED_ROUTINE(struct _KDPC *Dpc, PVOID DeferredContext,
				     PVOID SystemArgument1, PVOID SystemArgument2);
typedef KDEFERRED_ROUTINE *PKDEFERRED_ROUTINE;

typedef struct _KDPC {
	UCHAR Type;
	UCHAR Importance;
	USHORT Number; /* processor + 1; 0: any */
	/* Under the dispatcher lock: */
	LIST_ENTRY DpcListEntry;
	PKDEFERRED_ROUTINE DeferredRoutine;
	PVOID DeferredContext;
	PVOID SystemArgument1, SystemArgument2;
	PVOID DpcData; /* not NULL: queued */
} KDPC, *PKDPC;
_Static_assert(sizeof(KDPC) == 64, "AB-17");
_Static_assert(offsetof(KDPC, DeferredRoutine) == 24 && offsetof(KDPC, DpcData) == 56, "AB-17");

typedef enum _KDPC_IMPORTANCE {
	LowImportance,
	MediumImportance,
	HighImportance,
	MediumHighImportance
} KDPC_IMPORTANCE;

/* The host thread of DPCs and timers, from the first that somebody needs to the
 * shutdown. Not under the dispatcher lock. */
void ke_need_dpc_thread(void);

/* Lets it look again. */
void ke_wake_dpc_thread(void);

/* Under the dispatcher lock: queues a DPC unless it is queued. */
bool ke_queue_dpc(PKDPC dpc, PVOID argument1, PVOID argument2);

/* What lies in, or belongs to code in, [base, base + size): a DPC that is queued or whose
 * routine runs. Returns the DPC's routine, or NULL. */
const void *ke_find_dpc(const void *base, SIZE_T size, const void **dpc);

VOID NTAPI KeInitializeDpc(PKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext);
VOID NTAPI KeInitializeThreadedDpc(PKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine,
				   PVOID DeferredContext);
BOOLEAN NTAPI KeInsertQueueDpc(PKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2);
BOOLEAN NTAPI KeRemoveQueueDpc(PKDPC Dpc);
BOOLEAN NTAPI KeRemoveQueueDpcEx(PKDPC Dpc, BOOLEAN WaitIfActive);
VOID NTAPI KeFlushQueuedDpcs(void);
VOID NTAPI KeSetImportanceDpc(PKDPC Dpc, KDPC_IMPORTANCE Importance);
VOID NTAPI KeSetTargetProcessorDpc(PKDPC Dpc, CCHAR Number);
NTSTATUS NTAPI KeSetTargetProcessorDpcEx(PKDPC Dpc, struct _PROCESSOR_NUMBER *ProcNumber);

#endif
