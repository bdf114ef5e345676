/* SPDX-License-Identifier: MIT */
/* Asynchronous procedure calls: routines that run in a given thread. */
#ifndef RINGSIDE_KE_APC_H
#define RINGSIDE_KE_APC_H

#include "ke/thread.h"

struct _KAPC;
typedef VOID NTAPI KNORMAL_ROUTINE(PVOID NormalContext, PVOID SystemArgument1,
				   PVOID SystemArgument2);
typedef KNORMAL_ROUTINE *PKNORMAL_ROUTINE;
typedef VOID NTAPI KKERNEL_ROUTINE(struct _KAPC *Apc, PKNORMAL_ROUTINE *NormalRoutine,
				   PVOID *NormalContext, PVOID *SystemArgument1,
				   PVOID *SystemArgument2);
typedef KKERNEL_ROUTINE *PKKERNEL_ROUTINE;
typedef VOID NTAPI KRUNDOWN_ROUTINE(struct _KAPC *Apc);
typedef KRUNDOWN_ROUTINE *PKRUNDOWN_ROUTINE;

typedef struct _KAPC {
	UCHAR Type;
	UCHAR SpareByte0;
	UCHAR Size;
	UCHAR SpareByte1;
	ULONG SpareLong0;
	PKTHREAD Thread;
	LIST_ENTRY ApcListEntry; /* dispatcher lock, as Inserted */
	PKKERNEL_ROUTINE KernelRoutine;
	PKRUNDOWN_ROUTINE RundownRoutine;
	PKNORMAL_ROUTINE NormalRoutine; /* NULL: a special kernel APC */
	PVOID NormalContext;
	PVOID SystemArgument1, SystemArgument2;
	CCHAR ApcStateIndex;
	KPROCESSOR_MODE ApcMode;
	BOOLEAN Inserted;
} KAPC, *PKAPC;
_Static_assert(sizeof(KAPC) == 88, "AB-17");
_Static_assert(offsetof(KAPC, NormalRoutine) == 48 && offsetof(KAPC, Inserted) == 82, "AB-17");

/* Runs the kernel APCs of the current thread that its state allows now. No lock held. */
void ke_deliver_apcs(void);

/* To be asked of the current thread wherever they may have become allowed. */
static inline void ke_check_apcs_of(const struct ke_thread *thread)
{
	if (__builtin_expect(atomic_load_explicit(&thread->apc_pending, memory_order_relaxed), 0))
		ke_deliver_apcs();
}

static inline void ke_check_apcs(void)
{
	ke_check_apcs_of(ke_thread_of(ke_current_thread()));
}

/* Whether one may run in `thread`, which waits or is current, at `irql`. Under the
 * dispatcher lock. */
bool ke_apc_is_due(const struct ke_thread *thread, KIRQL irql);

/* A thread has ended, and is still current: what is queued to it is given back. */
void ke_run_down_apcs(struct ke_thread *thread);

/* Environment: what address space; looked at by nobody here. */
VOID NTAPI KeInitializeApc(PKAPC Apc, PKTHREAD Thread, ULONG Environment,
			   PKKERNEL_ROUTINE KernelRoutine, PKRUNDOWN_ROUTINE RundownRoutine,
			   PKNORMAL_ROUTINE NormalRoutine, KPROCESSOR_MODE ApcMode,
			   PVOID NormalContext);
BOOLEAN NTAPI KeInsertQueueApc(PKAPC Apc, PVOID SystemArgument1, PVOID SystemArgument2,
			       LONG Increment);

#endif
