/* SPDX-License-Identifier: MIT */
/*
 * What can be waited for, and the one lock under which that happens.
 *
 * Events, mutexes, semaphores, timers, threads and processes all begin with a
 * DISPATCHER_HEADER. Signalling an object hands it directly to those that wait for
 * it (dispatcher.c); waiting is wait.c.
 */
#ifndef RINGSIDE_KE_DISPATCHER_H
#define RINGSIDE_KE_DISPATCHER_H

#include <pthread.h>
#include <ringside/nt.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* DISPATCHER_HEADER.Type, as NT numbers them. */
enum ke_object_type {
	KE_NOTIFICATION_EVENT = 0,
	KE_SYNCHRONIZATION_EVENT = 1,
	KE_MUTANT = 2,
	KE_PROCESS = 3,
	KE_SEMAPHORE = 5,
	KE_THREAD = 6,
	KE_NOTIFICATION_TIMER = 8,
	KE_SYNCHRONIZATION_TIMER = 9,
};

/* The head of every object that can be waited for (AB-17). */
typedef struct _DISPATCHER_HEADER {
	UCHAR Type;       /* enum ke_object_type */
	UCHAR Signalling; /* of a timer: its due time is a system time */
	UCHAR Size;       /* in LONGs */
	UCHAR Reserved;   /* of a timer: it is set */
	/* Under the dispatcher lock: */
	LONG SignalState;        /* > 0: signalled */
	LIST_ENTRY WaitListHead; /* struct ke_wait_block.link, first come first served */
} DISPATCHER_HEADER, *PDISPATCHER_HEADER;
_Static_assert(sizeof(DISPATCHER_HEADER) == 24, "AB-17");
_Static_assert(offsetof(DISPATCHER_HEADER, WaitListHead) == 8, "AB-17");

static inline void ke_init_header(DISPATCHER_HEADER *header, enum ke_object_type type, size_t size,
				  LONG state)
{
	*header = (DISPATCHER_HEADER){
		.Type = (UCHAR)type,
		.Size = (UCHAR)(size / sizeof(LONG)),
		.SignalState = state,
		.WaitListHead = {&header->WaitListHead, &header->WaitListHead},
	};
}

/* ---- Inside ke/ ------------------------------------------------------------------ */

struct ke_thread;
struct ke_waiter;

struct ke_wait_block {
	LIST_ENTRY link;
	struct ke_waiter *waiter;
	DISPATCHER_HEADER *object;
};

enum ke_waiter_state { KE_ASLEEP, KE_WOKEN, KE_ENDED };

/* A thread that waits; on its own stack. Under the dispatcher lock, but for state. */
struct ke_waiter {
	_Atomic int state; /* futex */
	NTSTATUS status;   /* of the wait, once woken */
	struct ke_thread *thread;
	struct ke_wait_block *block;
	ULONG count;
	bool all, alertable, helper; /* helper: on a host thread of the kernel's own */
	KPROCESSOR_MODE mode;
	KIRQL irql;            /* that it waits at */
	LONG critical_regions; /* that the mutexes it was handed bring along */
	LIST_ENTRY sleeper;    /* see ke_sleeper_begins */
};

/* How a waiter is told that a kernel APC wants its thread; never leaves wait.c. */
#define KE_STATUS_KERNEL_APC 0x100

/* A leaf: nothing else is taken inside it. Nothing of a driver's is called under it,
 * nor touched but headers that ke_enter_dispatcher has seen. */
void ke_lock_dispatcher(void);
void ke_unlock_dispatcher(void);

/* For a host thread that crashes: gives the lock back if it has it. */
void ke_drop_dispatcher(void);

/* Gives the lock up until `changed` is signalled, or until `at` (CLOCK_MONOTONIC; NULL:
 * for ever). */
void ke_wait_in_dispatcher(pthread_cond_t *changed, const struct timespec *at);

/* Takes the lock for an object that a driver named. An object that was never
 * initialized, or has been freed, ends in a bug check; so does a bad pointer,
 * before the lock is taken. */
void ke_enter_dispatcher(DISPATCHER_HEADER *object, const char *caller);

/* Everything below is under the lock. */

/* Hands a signalled object to those that wait for it, until it is used up. */
void ke_signal(DISPATCHER_HEADER *object);

/* Whether what `waiter` waits for is there. If so it is now the waiter's, which is not
 * woken by that. */
bool ke_satisfy(struct ke_waiter *waiter);

/* Lets a waiter wait, and ends its wait with a status. */
void ke_enlist(struct ke_waiter *waiter);
void ke_wake(struct ke_waiter *waiter, NTSTATUS status);

/* ---- Ends of the world ------------------------------------------------------------- */

/* A waiter that is about to sleep, and one that is not any more: those asleep when the
 * kernel crashes, or when it shuts down and the host thread is one of the kernel's
 * own, find KE_ENDED in their state. False: that has happened already. */
bool ke_sleeper_begins(struct ke_waiter *waiter);
void ke_sleeper_ends(struct ke_waiter *waiter);
void ke_end_sleepers(bool only_helpers);
void ke_let_sleep(void); /* after a shutdown: helpers may sleep again */

/* For a waiter that found KE_ENDED: takes it out of all lists and leaves the kernel for
 * good, by the innermost ke_guard. */
_Noreturn void ke_abandon_wait(struct ke_waiter *waiter);

/* Signals that a thread or a process has ended. Takes the lock. */
void ke_signal_end(DISPATCHER_HEADER *object);

#endif
