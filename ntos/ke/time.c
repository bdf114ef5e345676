/* SPDX-License-Identifier: MIT */
/*
 * Clocks. Nothing is kept: Linux has them. Where NT has a coarse and a precise form, both
 * are precise; the coarse ones are read from the shared page (shared.c).
 */
#include "ke/time.h"
#include "clock.h"
#include <stddef.h>

#define PERFORMANCE_FREQUENCY 10000000
#define TICK 156250 /* 64 ticks a second, as shared.c has them */

LARGE_INTEGER NTAPI KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency)
{
	if (PerformanceFrequency)
		PerformanceFrequency->QuadPart = PERFORMANCE_FREQUENCY;
	return (LARGE_INTEGER){.QuadPart = (LONGLONG)(host_clock() / 100)};
}

VOID NTAPI KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime)
{
	CurrentTime->QuadPart = (LONGLONG)host_nt_time();
}

ULONG64 NTAPI KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp)
{
	*QpcTimeStamp = (ULONG64)KeQueryPerformanceCounter(NULL).QuadPart;
	return host_boot_clock() / 100;
}

ULONG64 NTAPI KeQueryUnbiasedInterruptTime(void)
{
	return host_clock() / 100;
}

ULONG NTAPI KeQueryTimeIncrement(void)
{
	return TICK;
}

VOID NTAPI KeStallExecutionProcessor(ULONG MicroSeconds)
{
	uint64_t end = host_clock() + MicroSeconds * 1000ull;
	while (host_clock() < end)
		__builtin_ia32_pause();
}
