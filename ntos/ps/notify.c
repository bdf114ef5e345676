/* SPDX-License-Identifier: MIT */
/*
 * The calls to notify routines.
 *
 * Every dispatch is one walk over one list (ex/callback.c) on the thread that the
 * caller has made current, in slot order, mixing kinds as they lie (PS-13). Which
 * kinds hear of an event is a mask per event; a registration of NULL hears of
 * nothing (PS-14).
 *
 * Clauses: PS-29 to PS-33, PS-37, PS-40, PS-48 to PS-52, PS-57, PS-62, PS-68 to
 * PS-72, PS-75, PS-78 to PS-83, C-10, VF-4, VF-5, VF-23.
 */
#include "ps/notify.h"
#include "clock.h"
#include "ex/event.h"
#include "ke/callout.h"
#include "switches.h"
#include <string.h>

#define KIND(kind) (1u << (kind))

static void tell_returned(const struct ps_routine *routine, struct rs_event *event, ULONG64 began)
{
	event->type = RS_CALLBACK_RETURNED;
	event->callback.kind = routine->kind;
	event->callback.module = routine->module;
	event->callback.routine = routine->callback.routine;
	event->callback.duration = host_clock() - began;
	ex_tell(event);
}

/*
 * One event on its way through the routines, each of which is promised the same
 * state: enter, then for each routine next, the call and a check, then leave.
 *
 * Walk and `saved`, a copy of the callout as it began, are apart from the callout,
 * whose address is known elsewhere, so that both can live in registers: what is
 * put back at the end of one dispatch and read at the beginning of the next would
 * otherwise go through memory twice, which took longer than all the rest.
 */
static inline struct ke_callout enter(struct ex_walk *walk, struct ex_callback_list *list,
				      struct ke_callout *callout, KIRQL irql)
{
	ex_walk_begin(walk, list);
	ke_callout_begin(callout, NULL, NULL, irql);
	return *callout;
}

static inline struct ps_routine *next(struct ex_walk *walk, struct ke_callout *callout,
				      unsigned kinds)
{
	struct ps_routine *routine;
	while ((routine = (struct ps_routine *)ex_walk_next(walk))) {
		if (!(kinds >> routine->kind & 1) || !routine->callback.routine)
			continue;
		ke_callout_next(callout, routine->name, routine->callback.routine);
		return routine;
	}
	return NULL;
}

/* The walk ends first: at the end of the callout kernel APCs run that waited for it, and
 * they may remove routines, or wait for somebody who does. */
static inline void leave(struct ex_walk *walk, const struct ke_callout *saved, KIRQL irql)
{
	ex_walk_end(walk);
	ke_callout_end(saved, irql);
}

/* ---- Processes ------------------------------------------------------------------------ */

static unsigned process_kinds(PEPROCESS process)
{
	unsigned win32 = KIND(RS_PROCESS_LEGACY) | KIND(RS_PROCESS_EX);
	return KIND(RS_PROCESS_EX2) | (process->subsystem ? 0 : win32); /* PS-33 */
}

static void call_process_routine(const struct ps_routine *routine, PEPROCESS process,
				 PPS_CREATE_NOTIFY_INFO info)
{
	const void *code = routine->callback.routine;
	if (routine->kind == RS_PROCESS_LEGACY)
		((PCREATE_PROCESS_NOTIFY_ROUTINE)(uintptr_t)code)(
			(HANDLE)process->told_parent_id, (HANDLE)process->id, info != NULL);
	else
		((PCREATE_PROCESS_NOTIFY_ROUTINE_EX)(uintptr_t)code)(process, (HANDLE)process->id,
								     info);
}

/* VF-23: everything but CreationStatus is as it was. */
static void check_create_info(const struct ps_routine *routine, const PS_CREATE_NOTIFY_INFO *info,
			      PS_CREATE_NOTIFY_INFO *before)
{
	before->CreationStatus = info->CreationStatus;
	if (memcmp(info, before, offsetof(PS_CREATE_NOTIFY_INFO, CreationStatus)))
		ex_rule_broken("VF-23", routine->callback.routine,
			       "a create routine wrote more than CreationStatus");
}

void ps_notify_process_create(PEPROCESS process, PPS_CREATE_NOTIFY_INFO info,
			      const KLDR_DATA_TABLE_ENTRY **vetoed_by)
{
	struct ex_walk walk;
	struct ke_callout callout;
	struct ps_routine *routine;
	unsigned kinds = process_kinds(process);
	const struct ke_callout saved = enter(&walk, &ps_process_routines, &callout, PASSIVE_LEVEL);
	while ((routine = next(&walk, &callout, kinds))) {
		PS_CREATE_NOTIFY_INFO before;
		memcpy(&before, info, sizeof before); /* padding too: it is compared */
		ULONG64 began = ex_heard() ? host_clock() : 0;
		call_process_routine(routine, process, info);
		ke_callout_check(&saved, PASSIVE_LEVEL);
		struct rs_event event;
		event.callback.status_before = before.CreationStatus;
		event.callback.status_after = info->CreationStatus;
		if (info->CreationStatus != before.CreationStatus)
			*vetoed_by = NT_SUCCESS(info->CreationStatus) ? NULL : routine->module;
		check_create_info(routine, info, &before);
		if (began) {
			event.callback.create = true;
			event.callback.process_id = process->id;
			tell_returned(routine, &event, began);
		}
	}
	leave(&walk, &saved, PASSIVE_LEVEL);
}

void ps_notify_process_exit(PEPROCESS process)
{
	struct ex_walk walk;
	struct ke_callout callout;
	struct ps_routine *routine;
	unsigned kinds = process_kinds(process);
	const struct ke_callout saved = enter(&walk, &ps_process_routines, &callout, PASSIVE_LEVEL);
	while ((routine = next(&walk, &callout, kinds))) {
		ULONG64 began = ex_heard() ? host_clock() : 0;
		call_process_routine(routine, process, NULL);
		ke_callout_check(&saved, PASSIVE_LEVEL);
		if (began) {
			struct rs_event event = {.callback.process_id = process->id};
			tell_returned(routine, &event, began);
		}
	}
	leave(&walk, &saved, PASSIVE_LEVEL);
}

/* ---- Threads -------------------------------------------------------------------------------- */

static inline void call_thread_routine(const struct ps_routine *routine, PETHREAD thread,
				       BOOLEAN create)
{
	((PCREATE_THREAD_NOTIFY_ROUTINE)(uintptr_t)routine->callback.routine)(
		(HANDLE)thread->process->id, (HANDLE)thread->id, create);
}

/* The same when somebody listens; apart, so that nothing of it weighs on the other. */
static __attribute__((noinline)) void call_and_tell(const struct ps_routine *routine,
						    PETHREAD thread, BOOLEAN create, KIRQL irql)
{
	struct rs_event event = {.callback.create = create,
				 .callback.process_id = thread->process->id};
	ULONG64 began = host_clock();
	call_thread_routine(routine, thread, create);
	ke_callout_check(ke_processor()->callout, irql);
	tell_returned(routine, &event, began);
}

static void notify_thread(PETHREAD thread, unsigned kinds, BOOLEAN create, KIRQL irql)
{
	struct ex_walk walk;
	struct ke_callout callout;
	struct ps_routine *routine;
	const struct ke_callout saved = enter(&walk, &ps_thread_routines, &callout, irql);
	while ((routine = next(&walk, &callout, kinds))) {
		if (__builtin_expect(ex_heard(), 0))
			call_and_tell(routine, thread, create, irql);
		else
			call_thread_routine(routine, thread, create);
		ke_callout_check(&saved, irql);
	}
	leave(&walk, &saved, irql);
}

static unsigned thread_kinds(PETHREAD thread)
{
	return KIND(RS_THREAD_SUBSYSTEMS) | (thread->process->subsystem ? 0 : KIND(RS_THREAD));
}

void ps_notify_thread_create(PETHREAD thread)
{
	/* C-10: in the field, threads are created at APC_LEVEL too. */
	notify_thread(thread, thread_kinds(thread), TRUE,
		      ke_switches.thread_events_at_apc_level ? APC_LEVEL : PASSIVE_LEVEL);
}

void ps_notify_thread_starts(PETHREAD thread)
{
	if (!thread->process->subsystem)
		notify_thread(thread, KIND(RS_THREAD_NON_SYSTEM), TRUE, PASSIVE_LEVEL);
}

void ps_notify_thread_exit(PETHREAD thread)
{
	notify_thread(thread, thread_kinds(thread), FALSE, PASSIVE_LEVEL);
}

/* ---- Images ----------------------------------------------------------------------------------- */

/* AB-12, PS-82, PS-83: an IMAGE_INFO, inside an IMAGE_INFO_EX when there is a file. */
static void fill_image_info(const struct ps_image *image, IMAGE_INFO_EX *info)
{
	memset(info, 0, sizeof *info);
	info->Size = sizeof *info;
	info->FileObject = image->file;
	info->ImageInfo.ImageAddressingMode = IMAGE_ADDRESSING_MODE_32BIT;
	info->ImageInfo.SystemModeImage = image->process == NULL;
	info->ImageInfo.ExtendedInfoPresent = image->file != NULL;
	info->ImageInfo.ImageBase = image->base;
	info->ImageInfo.ImageSize = image->size;
}

static void call_image_routine(const struct ps_routine *routine, const struct ps_image *image)
{
	const void *code = routine->callback.routine;
	UNICODE_STRING name = image->name ? *image->name : (UNICODE_STRING){0};
	ULONG64 id = image->process ? image->process->id : 0;
	IMAGE_INFO_EX info, before;
	fill_image_info(image, &info);
	memcpy(&before, &info, sizeof before); /* padding too: it is compared */
	((PLOAD_IMAGE_NOTIFY_ROUTINE)(uintptr_t)code)(image->name ? &name : NULL, (HANDLE)id,
						      &info.ImageInfo);
	if (memcmp(&info, &before, sizeof info))
		ex_rule_broken("VF-23", code, "an image routine wrote to its information");
}

void ps_notify_image(const struct ps_image *image)
{
	struct ex_walk walk;
	struct ke_callout callout;
	struct ps_routine *routine;
	if (image->special_apcs_off) /* PS-81 */
		KeEnterGuardedRegion();
	const struct ke_callout saved = enter(&walk, &ps_image_routines, &callout, PASSIVE_LEVEL);
	while ((routine = next(&walk, &callout, KIND(RS_IMAGE)))) {
		if (image->foreign_architecture && !routine->foreign_images) /* PS-75 */
			continue;
		ULONG64 began = ex_heard() ? host_clock() : 0;
		call_image_routine(routine, image);
		ke_callout_check(&saved, PASSIVE_LEVEL);
		if (began) {
			struct rs_event event = {
				.callback.create = true,
				.callback.process_id = image->process ? image->process->id : 0};
			tell_returned(routine, &event, began);
		}
	}
	leave(&walk, &saved, PASSIVE_LEVEL);
	if (image->special_apcs_off)
		KeLeaveGuardedRegion();
}
