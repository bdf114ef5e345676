/* SPDX-License-Identifier: MIT */
/* Process, thread and image notify routines: registration and dispatch. */
#ifndef RINGSIDE_PS_NOTIFY_H
#define RINGSIDE_PS_NOTIFY_H

#include "ps/process.h"

#define PS_NOTIFY_SLOTS 64 /* per table: PS-5, PS-65, PS-74 */

/* Dispatches. Each runs on the current thread, which the caller has made the one
 * that the contract names. */
struct rs_event;
void ps_notify_process_create(PEPROCESS process, PPS_CREATE_NOTIFY_INFO info,
			      const KLDR_DATA_TABLE_ENTRY **vetoed_by);
void ps_notify_process_exit(PEPROCESS process);
void ps_notify_thread_create(PETHREAD thread);
void ps_notify_thread_starts(PETHREAD thread);
void ps_notify_thread_exit(PETHREAD thread);
void ps_notify_image(const struct ps_image *image);

/* Live registrations whose routine lies in [base, base+size) (VF-17). */
void ps_find_registrations(const void *base, SIZE_T size,
			   void (*found)(void *context, const void *routine), void *context);

void ps_shutdown_notify(void);

NTSTATUS NTAPI PsSetCreateProcessNotifyRoutine(PCREATE_PROCESS_NOTIFY_ROUTINE NotifyRoutine,
					       BOOLEAN Remove);
NTSTATUS NTAPI PsSetCreateProcessNotifyRoutineEx(PCREATE_PROCESS_NOTIFY_ROUTINE_EX NotifyRoutine,
						 BOOLEAN Remove);
NTSTATUS NTAPI PsSetCreateProcessNotifyRoutineEx2(PSCREATEPROCESSNOTIFYTYPE NotifyType,
						  PVOID NotifyInformation, BOOLEAN Remove);
NTSTATUS NTAPI PsSetCreateThreadNotifyRoutine(PCREATE_THREAD_NOTIFY_ROUTINE NotifyRoutine);
NTSTATUS NTAPI PsSetCreateThreadNotifyRoutineEx(PSCREATETHREADNOTIFYTYPE NotifyType,
						PVOID NotifyInformation);
NTSTATUS NTAPI PsRemoveCreateThreadNotifyRoutine(PCREATE_THREAD_NOTIFY_ROUTINE NotifyRoutine);
NTSTATUS NTAPI PsSetLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine);
NTSTATUS NTAPI PsSetLoadImageNotifyRoutineEx(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine,
					     ULONG_PTR Flags);
NTSTATUS NTAPI PsRemoveLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine);

#endif
