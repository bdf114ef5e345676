/* SPDX-License-Identifier: MIT */
/* Waiting. */
#ifndef RINGSIDE_KE_WAIT_H
#define RINGSIDE_KE_WAIT_H

#include "ke/dispatcher.h"

typedef enum _WAIT_TYPE { WaitAll, WaitAny } WAIT_TYPE;

#define THREAD_WAIT_OBJECTS 3
#define MAXIMUM_WAIT_OBJECTS 64

/* Object is any dispatcher object. Timeout: NULL for ever, 0 only a look, negative from
 * now, positive a system time; in units of 100 ns. Results: WAIT_0 (plus the object's
 * index), TIMEOUT, ALERTED. */
NTSTATUS NTAPI KeWaitForSingleObject(PVOID Object, ULONG WaitReason, KPROCESSOR_MODE WaitMode,
				     BOOLEAN Alertable, PLARGE_INTEGER Timeout);
NTSTATUS NTAPI KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType,
					ULONG WaitReason, KPROCESSOR_MODE WaitMode,
					BOOLEAN Alertable, PLARGE_INTEGER Timeout,
					PVOID WaitBlockArray);
NTSTATUS NTAPI KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
				      PLARGE_INTEGER Interval);

/* Alerts end alertable waits of their mode, or of kernel mode any; the next one if
 * none is under way. They return whether an alert was pending before. */
NTSTATUS NTAPI ZwYieldExecution(void);
BOOLEAN NTAPI KeAlertThread(PKTHREAD Thread, KPROCESSOR_MODE AlertMode);
BOOLEAN NTAPI KeTestAlertThread(KPROCESSOR_MODE AlertMode);

#endif
