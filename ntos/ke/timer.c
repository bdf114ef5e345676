/* SPDX-License-Identifier: MIT */
/*
 * Timers: dispatcher objects that time signals.
 *
 * A timer that is set is in one unsorted list, under the dispatcher lock; the thread
 * of DPCs (dpc.c) sleeps until the first is due. Drivers set few timers, and a list that
 * holds both kinds of due time, on clocks that can move against each other, has no
 * order to keep.
 *
 * Pages: KeSetTimerEx, KeCancelTimer, bug check 0xC7.
 */
#include "ke/timer.h"
#include "clock.h"
#include "ke/list.h"

#define UNITS_PER_MILLISECOND 10000

static LIST_ENTRY set = {&set, &set};

static LONGLONG now_for(const KTIMER *timer)
{
	return (LONGLONG)(timer->Header.Signalling ? host_nt_time() : host_clock() / 100);
}

/* In units of 100 ns; at most 0 when it is due. */
static LONGLONG time_left(const KTIMER *timer)
{
	LONGLONG left;
	return __builtin_sub_overflow(timer->DueTime.QuadPart, now_for(timer), &left) ? INT64_MAX
										      : left;
}

/* ---- Under the lock -------------------------------------------------------------------- */

static void insert(PKTIMER timer)
{
	timer->Header.Reserved = true;
	list_add_last(&set, &timer->TimerListEntry);
}

static bool take_out(PKTIMER timer)
{
	if (!timer->Header.Reserved)
		return false;
	timer->Header.Reserved = false;
	list_remove(&timer->TimerListEntry);
	return true;
}

static void expire(PKTIMER timer)
{
	ULONG64 now = host_nt_time();
	take_out(timer);
	if (timer->Period) {
		/* From when it was due, so that periods do not drift; one that is late by
		 * more does not make up for it. */
		LONGLONG period = (LONGLONG)timer->Period * UNITS_PER_MILLISECOND;
		timer->DueTime.QuadPart += period;
		if (time_left(timer) <= 0)
			timer->DueTime.QuadPart = now_for(timer) + period;
		insert(timer);
	}
	timer->Header.SignalState = 1;
	ke_signal(&timer->Header);
	if (timer->Dpc)
		ke_queue_dpc(timer->Dpc, (PVOID)(uintptr_t)(ULONG)now,
			     (PVOID)(uintptr_t)(now >> 32));
}

bool ke_expire_timers(struct timespec *next)
{
	LONGLONG least = INT64_MAX;
	for (LIST_ENTRY *entry = set.Flink, *following; entry != &set; entry = following) {
		PKTIMER timer = LIST_OWNER(entry, KTIMER, TimerListEntry);
		following = entry->Flink;
		if (time_left(timer) <= 0)
			expire(timer);
	}
	for (LIST_ENTRY *entry = set.Flink; entry != &set; entry = entry->Flink) {
		LONGLONG left = time_left(LIST_OWNER(entry, KTIMER, TimerListEntry));
		if (left < least)
			least = left;
	}
	ULONG64 at = host_clock() / 100 + (least > 0 ? (ULONG64)least : 0);
	*next = (struct timespec){.tv_sec = (time_t)(at / 10000000),
				  .tv_nsec = (long)(at % 10000000 * 100)};
	return !list_empty(&set);
}

void ke_forget_timers(void)
{
	while (!list_empty(&set))
		take_out(LIST_OWNER(set.Flink, KTIMER, TimerListEntry));
}

/* ---- Exports ----------------------------------------------------------------------------- */

VOID NTAPI KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type)
{
	*Timer = (KTIMER){0};
	ke_init_header(&Timer->Header,
		       Type == NotificationTimer ? KE_NOTIFICATION_TIMER : KE_SYNCHRONIZATION_TIMER,
		       sizeof(*Timer), 0);
}

VOID NTAPI KeInitializeTimer(PKTIMER Timer)
{
	KeInitializeTimerEx(Timer, NotificationTimer);
}

/* When the time is up: units from now if negative, a system time otherwise. */
static void set_due_time(PKTIMER timer, LONGLONG due)
{
	timer->Header.Signalling = due > 0;
	timer->DueTime.QuadPart = due;
	if (due <= 0 &&
	    __builtin_sub_overflow((LONGLONG)(host_clock() / 100), due, &timer->DueTime.QuadPart))
		timer->DueTime.QuadPart = INT64_MAX;
}

BOOLEAN NTAPI KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc)
{
	ke_need_dpc_thread();
	ke_enter_dispatcher(&Timer->Header, "KeSetTimer");
	bool was_set = take_out(Timer);
	Timer->Header.SignalState = 0;
	Timer->Dpc = Dpc;
	Timer->Period = Period;
	set_due_time(Timer, DueTime.QuadPart);
	insert(Timer);
	if (time_left(Timer) <= 0)
		expire(Timer);
	ke_unlock_dispatcher();
	ke_wake_dpc_thread();
	return was_set;
}

BOOLEAN NTAPI KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc)
{
	return KeSetTimerEx(Timer, DueTime, 0, Dpc);
}

BOOLEAN NTAPI KeSetCoalescableTimer(PKTIMER Timer, LARGE_INTEGER DueTime, ULONG Period,
				    ULONG TolerableDelay, PKDPC Dpc)
{
	(void)TolerableDelay; /* exactness is within every tolerance */
	return KeSetTimerEx(Timer, DueTime, (LONG)Period, Dpc);
}

BOOLEAN NTAPI KeCancelTimer(PKTIMER Timer)
{
	ke_enter_dispatcher(&Timer->Header, "KeCancelTimer");
	bool was_set = take_out(Timer);
	ke_unlock_dispatcher();
	return was_set;
}

BOOLEAN NTAPI KeReadStateTimer(PKTIMER Timer)
{
	ke_enter_dispatcher(&Timer->Header, "KeReadStateTimer");
	bool state = Timer->Header.SignalState > 0;
	ke_unlock_dispatcher();
	return state;
}

static bool within(const void *address, const void *base, SIZE_T size)
{
	return (uintptr_t)address - (uintptr_t)base < size;
}

const void *ke_find_timer(const void *base, SIZE_T size)
{
	const void *found = NULL;
	ke_lock_dispatcher();
	for (LIST_ENTRY *entry = set.Flink; !found && entry != &set; entry = entry->Flink) {
		PKTIMER timer = LIST_OWNER(entry, KTIMER, TimerListEntry);
		const void *routine = timer->Dpc ? (const void *)timer->Dpc->DeferredRoutine : NULL;
		if (within(timer, base, size) || within(timer->Dpc, base, size) ||
		    within(routine, base, size))
			found = timer;
	}
	ke_unlock_dispatcher();
	return found;
}
