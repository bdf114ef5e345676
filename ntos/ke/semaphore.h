/* SPDX-License-Identifier: MIT */
/* Semaphores. */
#ifndef RINGSIDE_KE_SEMAPHORE_H
#define RINGSIDE_KE_SEMAPHORE_H

#include "ke/dispatcher.h"

typedef struct _KSEMAPHORE {
	DISPATCHER_HEADER Header; /* SignalState is the count */
	LONG Limit;
} KSEMAPHORE, *PKSEMAPHORE;
_Static_assert(sizeof(KSEMAPHORE) == 32, "AB-17");

VOID NTAPI KeInitializeSemaphore(PKSEMAPHORE Semaphore, LONG Count, LONG Limit);
/* The count before. Beyond the limit: the exception STATUS_SEMAPHORE_LIMIT_EXCEEDED. */
LONG NTAPI KeReleaseSemaphore(PKSEMAPHORE Semaphore, LONG Increment, LONG Adjustment, BOOLEAN Wait);
LONG NTAPI KeReadStateSemaphore(PKSEMAPHORE Semaphore);

#endif
