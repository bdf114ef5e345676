/* SPDX-License-Identifier: MIT */
/* Timers. */
#ifndef RINGSIDE_KE_TIMER_H
#define RINGSIDE_KE_TIMER_H

#include "ke/dispatcher.h"
#include "ke/dpc.h"

typedef struct _KTIMER {
	DISPATCHER_HEADER Header; /* Reserved: set; Signalling: DueTime is a system time */
	LARGE_INTEGER DueTime;    /* in units of 100 ns, of the clock that Signalling says */
	LIST_ENTRY TimerListEntry;
	PKDPC Dpc;
	ULONG Processor;
	LONG Period; /* ms; 0: once */
} KTIMER, *PKTIMER;
_Static_assert(sizeof(KTIMER) == 64, "AB-17");
_Static_assert(offsetof(KTIMER, Dpc) == 48 && offsetof(KTIMER, Period) == 60, "AB-17");

typedef enum _TIMER_TYPE { NotificationTimer, SynchronizationTimer } TIMER_TYPE;

/* For the DPC thread, under the dispatcher lock: lets timers expire that are due. Returns
 * whether others are set, and when the next of them is due (CLOCK_MONOTONIC). */
bool ke_expire_timers(struct timespec *next);

/* At shutdown, under the lock: none is set any more. */
void ke_forget_timers(void);

/* A timer that is set and lies in [base, base + size), or whose DPC or the routine of
 * that does; or NULL. */
const void *ke_find_timer(const void *base, SIZE_T size);

VOID NTAPI KeInitializeTimer(PKTIMER Timer);
VOID NTAPI KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type);
/* Whether it was set before. */
BOOLEAN NTAPI KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc);
BOOLEAN NTAPI KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc);
BOOLEAN NTAPI KeSetCoalescableTimer(PKTIMER Timer, LARGE_INTEGER DueTime, ULONG Period,
				    ULONG TolerableDelay, PKDPC Dpc);
BOOLEAN NTAPI KeCancelTimer(PKTIMER Timer);
BOOLEAN NTAPI KeReadStateTimer(PKTIMER Timer);

#endif
