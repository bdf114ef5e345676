/* SPDX-License-Identifier: MIT */
/*
 * Process, thread and image notify routines.
 *
 * The tables and their registration calls are in ps/registration.c, the calls to
 * the routines in ps/notify.c.
 */
#ifndef RINGSIDE_PS_NOTIFY_H
#define RINGSIDE_PS_NOTIFY_H

#include "ex/callback.h"
#include "ps/process.h"
#include <ringside/event.h>

#define PS_NOTIFY_SLOTS 64 /* per table: PS-5, PS-65, PS-74 */

/* One registered routine. callback.routine is NULL for a registration of NULL
 * (PS-14), which is never called. */
struct ps_routine {
	struct ex_callback callback; /* first */
	enum rs_callback_kind kind;
	const char *name; /* ps_kind_name(kind) */
	unsigned slot;
	bool foreign_images; /* PS_IMAGE_NOTIFY_CONFLICTING_ARCHITECTURE */
	const KLDR_DATA_TABLE_ENTRY *module;
};

extern struct ex_callback_list ps_process_routines, ps_thread_routines, ps_image_routines;

/* The call that registers a kind: "PsSetCreateProcessNotifyRoutineEx2". */
const char *ps_kind_name(enum rs_callback_kind kind);

/* Dispatches, each on the current thread, which the caller has made the one that
 * the contract names. *vetoed_by becomes the module that stored the status left
 * in CreationStatus, or NULL when that is SUCCESS. */
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

/* Frees what is still registered, uncalled. */
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
