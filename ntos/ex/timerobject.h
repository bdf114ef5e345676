/* SPDX-License-Identifier: MIT */
/* Timers that the system allocates: the routines ExXxxTimer. */
#ifndef RINGSIDE_EX_TIMEROBJECT_H
#define RINGSIDE_EX_TIMEROBJECT_H

#include "ex/workitem.h"
#include "ke/timer.h"

typedef struct _EX_TIMER *PEX_TIMER;

/* At DISPATCH_LEVEL, when the timer expires. */
typedef VOID NTAPI EXT_CALLBACK(PEX_TIMER Timer, PVOID Context);
typedef EXT_CALLBACK *PEXT_CALLBACK;
typedef VOID NTAPI EXT_DELETE_CALLBACK(PVOID Context);
typedef EXT_DELETE_CALLBACK *PEXT_DELETE_CALLBACK;

#define EX_TIMER_HIGH_RESOLUTION 0x4
#define EX_TIMER_NO_WAKE 0x8
#define EX_TIMER_NOTIFICATION 0x80000000u

typedef struct _EXT_DELETE_PARAMETERS {
	ULONG Version, Reserved;
	PEXT_DELETE_CALLBACK DeleteCallback; /* called when the timer is gone; may be NULL */
	PVOID DeleteContext;
} EXT_DELETE_PARAMETERS, *PEXT_DELETE_PARAMETERS;
_Static_assert(sizeof(EXT_DELETE_PARAMETERS) == 24, "wdm.h");

/* A timer that is set and whose callback lies in [base, base + size), or NULL. */
const void *ex_find_timer(const void *base, SIZE_T size);

void ex_shutdown_timers(void);

/* A KTIMER comes first, so that it can be waited for. NULL without memory. */
PEX_TIMER NTAPI ExAllocateTimer(PEXT_CALLBACK Callback, PVOID CallbackContext, ULONG Attributes);
/* Whether it was set before; times in units of 100 ns. */
BOOLEAN NTAPI ExSetTimer(PEX_TIMER Timer, LONGLONG DueTime, LONGLONG Period, PVOID Parameters);
BOOLEAN NTAPI ExCancelTimer(PEX_TIMER Timer, PVOID Parameters);
BOOLEAN NTAPI ExDeleteTimer(PEX_TIMER Timer, BOOLEAN Cancel, BOOLEAN Wait,
			    PEXT_DELETE_PARAMETERS Parameters);
VOID NTAPI ExQueryTimerResolution(PULONG MaximumTime, PULONG MinimumTime, PULONG CurrentTime);

#endif
