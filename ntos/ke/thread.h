/* SPDX-License-Identifier: MIT */
/*
 * Who is running: the processor, the current thread, IRQL and APC state.
 *
 * NT has processors that run threads. Here every host thread (a pthread) that
 * enters the kernel is a processor of its own: struct ke_processor holds what
 * NT keeps per processor, the IRQL first of all, and the GS base of the host
 * thread points to its KPCR part, because compiled drivers read the current
 * thread from gs:[0x188] (AB-2) and IRQL from CR8 (AB-3, emulated).
 *
 * A source makes a simulated thread current on its host thread with
 * ke_switch_thread; the same ETHREAD is never current on two host threads.
 */
#ifndef RINGSIDE_KE_THREAD_H
#define RINGSIDE_KE_THREAD_H

#include "ke/kernelstack.h"
#include "ex/mark.h"
#include "ke/dispatcher.h"
#include <ringside/nt.h>
#include <stdbool.h>
#include <stddef.h>

/* The head of every ETHREAD: what ke/ keeps of a thread. */
struct ke_thread {
	DISPATCHER_HEADER header; /* signalled when the thread has ended */

	/* Only the thread itself, while it is current, writes these. */
	union {
		struct {
			LONG kernel_apc_disable;  /* <= 0; KeEnterCriticalRegion takes one */
			LONG special_apc_disable; /* <= 0; KeEnterGuardedRegion takes one */
		};
		ULONG64 apc_disable; /* both */
	};
	PEPROCESS process;  /* whose thread this is */
	PEPROCESS attached; /* KeStackAttachProcess, or NULL */
	KPROCESSOR_MODE previous_mode;
	bool normal_apc; /* a normal kernel APC is under way */

	/* Written under the dispatcher lock. */
	atomic_bool apc_pending;                /* a kernel APC is queued; read without the lock */
	bool alerted[MaximumMode], apcs_closed; /* apcs_closed: it ends */
	LONG priority;
	struct ke_waiter *waiter; /* what it waits for, or NULL */
	LIST_ENTRY mutants;       /* KMUTANT.MutantListEntry, those it holds */
	LIST_ENTRY apcs[MaximumMode];
};

#define KE_SYSTEM_THREAD_PRIORITY 8

/* Fills in a zeroed one. */
void ke_init_thread(struct ke_thread *thread);

/* As NT lays out a KPCR where compiled code reads it. */
struct ke_pcr {
	UCHAR reserved0[0x18];
	void *self; /* 0x018 */
	void *prcb; /* 0x020: this + 0x180 */
	UCHAR reserved28[0x50 - 0x28];
	KIRQL irql; /* 0x050 */
	UCHAR reserved51[0x184 - 0x51];
	ULONG number;            /* 0x184: of a processor of the machine (processor.h) */
	PKTHREAD current_thread; /* 0x188 */
	UCHAR reserved190[0x1a4 - 0x190];
	ULONG prcb_number; /* 0x1a4: the same */
};
_Static_assert(offsetof(struct ke_pcr, number) == 0x184, "inline KeGetCurrentProcessorNumber");
_Static_assert(offsetof(struct ke_pcr, prcb_number) == 0x1a4, "PRCB.Number");
_Static_assert(offsetof(struct ke_pcr, irql) == 0x50, "AB-3: thunks compare gs:[0x50]");
_Static_assert(offsetof(struct ke_pcr, current_thread) == 0x188, "AB-2");

/* What the current thread is inside of, for reports and rule checks. */
struct ke_callout {
	struct ke_callout *outer;
	struct ke_processor *self;
	struct ke_thread *thread;
	const char *what;    /* "PsSetCreateProcessNotifyRoutineEx2 routine" */
	const void *routine; /* driver code */
	KIRQL irql;          /* state at entry, compared at return (VF-4, VF-5) */
	union {
		struct {
			LONG kernel_apc_disable, special_apc_disable;
		};
		ULONG64 apc_disable;
	};
};

/* One instruction of a driver that runs on a copy of the shared data page (step.c). */
struct ke_step {
	bool active;
	bool overwrites;  /* the instruction itself sets the register */
	unsigned reg;     /* which points into the copy, */
	ULONG64 distance; /* by this much off */
	ULONG64 rip;      /* where the instruction really is */
	unsigned length;
};

struct ke_processor {
	struct ke_pcr pcr;
	struct ex_marks marks;      /* the registrations this thread is inside */
	struct ke_callout *callout; /* innermost driver routine under way */
	void *guard;                /* innermost ke_guard frame (bugcheck.h) */
	bool helper;                /* a host thread of the kernel's own (helper.h) */
	struct ke_processor *next;  /* all of them; under the processor lock */
	void *alternate_stack;      /* where signal handlers run; its lowest page is a guard */
	PKTHREAD own_thread;        /* current while no source claims this host thread */
	void *shared_page;          /* for the copy; above the alternate stack, */
	void *scratch_page;         /* and for the instruction that reads it */
	struct ke_step step;
	struct ke_stack_limits stack; /* of the one in use: below it lies its guard */
	void *kernel_stack;           /* kernelstack.h; NULL: none */
};

extern _Thread_local struct ke_processor *ke_self __attribute__((tls_model("initial-exec")));

/* The processor of this host thread; the first call on a thread makes it and
 * makes the system thread current. Never NULL: without memory for it nothing can
 * go on, and the process ends with a message. */
struct ke_processor *ke_attach_host_thread(void);

/* The same for a host thread that is a given thread from the start (NULL: one of its
 * own). The caller holds a reference to it until ke_leave_thread, which puts a bare
 * one in its place. */
struct ke_processor *ke_attach_as(PKTHREAD thread);
void ke_leave_thread(void);

static inline struct ke_processor *ke_processor(void)
{
	struct ke_processor *self = ke_self;
	return __builtin_expect(self != NULL, 1) ? self : ke_attach_host_thread();
}

/* Calls `visit` for every host thread that has a processor, under the lock that
 * keeps them from going away. `visit` returns false to stop. Returns whether all
 * were visited. */
bool ke_visit_processors(bool (*visit)(struct ke_processor *, void *context), void *context);

/* The current thread, as gs:[0x188] has it. */
static inline PKTHREAD ke_current_thread(void)
{
	return ke_processor()->pcr.current_thread;
}

static inline struct ke_thread *ke_thread_of(PKTHREAD thread)
{
	return (struct ke_thread *)(void *)thread;
}

/* Makes `thread` current on this host thread and returns the one before. The
 * caller holds a reference to it while it is current. NULL means the host
 * thread's own: ps_system_thread for the first that asks after the boot, a
 * system thread of its own for each further one. */
PKTHREAD ke_switch_thread(PKTHREAD thread);

/* How host threads after the first get a thread of their own: ps/ sets both while
 * it boots. make returns a referenced thread of the System process, or NULL without
 * memory; release gives it back. Called at any IRQL without locks. Without
 * them such a thread is a bare ETHREAD that is not an object. */
extern PKTHREAD (*ke_make_own_thread)(void);
extern void (*ke_release_own_thread)(PKTHREAD thread);

/* At boot, once ps_system_thread exists: gives every host thread that is already
 * known a thread of its own. At shutdown, while the threads still exist: takes
 * them away again. No other host thread is in the kernel. */
void ke_claim_own_threads(void);
void ke_drop_own_threads(void);

/* Raises or lowers without NT's checks. Returns the old IRQL. */
static inline KIRQL ke_set_irql(KIRQL irql)
{
	struct ke_processor *self = ke_processor();
	KIRQL old = self->pcr.irql;
	self->pcr.irql = irql;
	return old;
}

/* Exports (documented by the WDK; IRQL limits stand in exports.def). */
KIRQL NTAPI KeGetCurrentIrql(void);
VOID NTAPI KfLowerIrql(KIRQL NewIrql);
KIRQL NTAPI KfRaiseIrql(KIRQL NewIrql);
VOID NTAPI KeLowerIrql(KIRQL NewIrql);
VOID NTAPI KeRaiseIrql(KIRQL NewIrql, PKIRQL OldIrql);
KIRQL NTAPI KeRaiseIrqlToDpcLevel(void);
PKTHREAD NTAPI KeGetCurrentThread(void);
VOID NTAPI KeEnterCriticalRegion(void);
VOID NTAPI KeLeaveCriticalRegion(void);
VOID NTAPI KeEnterGuardedRegion(void);
VOID NTAPI KeLeaveGuardedRegion(void);
BOOLEAN NTAPI KeAreApcsDisabled(void);
BOOLEAN NTAPI KeAreAllApcsDisabled(void);
KPROCESSOR_MODE NTAPI ExGetPreviousMode(void);

#endif
