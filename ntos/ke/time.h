/* SPDX-License-Identifier: MIT */
/* Reading clocks, in units of 100 ns if not said otherwise. */
#ifndef RINGSIDE_KE_TIME_H
#define RINGSIDE_KE_TIME_H

#include <ringside/nt.h>

/* 10 MHz, as the shared page says. `PerformanceFrequency` may be NULL. */
LARGE_INTEGER NTAPI KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency);
VOID NTAPI KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime);
ULONG64 NTAPI KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp);
ULONG64 NTAPI KeQueryUnbiasedInterruptTime(void); /* without the time asleep */
ULONG NTAPI KeQueryTimeIncrement(void);
VOID NTAPI KeStallExecutionProcessor(ULONG MicroSeconds);

#endif
