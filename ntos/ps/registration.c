/* SPDX-License-Identifier: MIT */
/*
 * The three tables of notify routines and the calls that change them.
 *
 * Each table has 64 slots and is a callback list ordered by slot; a newcomer takes
 * the lowest free one (PS-12). The three process families share one table and keep
 * apart by kind (PS-5, PS-11); so do the thread and the image forms in theirs.
 *
 * LOCK: each list's own. It is not held while a removal waits (PS-25: the slot is
 * emptied first), nor while the listeners are told.
 *
 * Clauses: PS-1 to PS-28, PS-64 to PS-67, PS-73 to PS-77, C-1, C-2, VF-17, VF-20.
 */
#include "ex/event.h"
#include "ex/restraint.h"
#include "ke/bugcheck.h"
#include "ldr/module.h"
#include "ps/notify.h"
#include "switches.h"

struct ex_callback_list ps_process_routines = EX_CALLBACK_LIST_INIT;
struct ex_callback_list ps_thread_routines = EX_CALLBACK_LIST_INIT;
struct ex_callback_list ps_image_routines = EX_CALLBACK_LIST_INIT;

const char *ps_kind_name(enum rs_callback_kind kind)
{
	static const char *const name[RS_CALLBACK_KINDS] = {
		[RS_PROCESS_LEGACY] = "PsSetCreateProcessNotifyRoutine",
		[RS_PROCESS_EX] = "PsSetCreateProcessNotifyRoutineEx",
		[RS_PROCESS_EX2] = "PsSetCreateProcessNotifyRoutineEx2",
		[RS_THREAD] = "PsSetCreateThreadNotifyRoutine",
		[RS_THREAD_NON_SYSTEM] = "PsSetCreateThreadNotifyRoutineEx(NonSystem)",
		[RS_THREAD_SUBSYSTEMS] = "PsSetCreateThreadNotifyRoutineEx(Subsystems)",
		[RS_IMAGE] = "PsSetLoadImageNotifyRoutine",
		[RS_OBJECT_PRE] = "ObRegisterCallbacks pre",
		[RS_OBJECT_POST] = "ObRegisterCallbacks post",
		[RS_REGISTRY] = "CmRegisterCallback",
		[RS_FILE_PRE] = "FltRegisterFilter pre",
		[RS_FILE_POST] = "FltRegisterFilter post",
	};
	return name[kind];
}

/* ---- The table, under its lock ----------------------------------------------------- */

static int by_slot(const struct ex_callback *a, const struct ex_callback *b)
{
	unsigned x = ((const struct ps_routine *)a)->slot, y = ((const struct ps_routine *)b)->slot;
	return (x > y) - (x < y);
}

/* The first routine, in slot order, that `wanted` accepts. */
static struct ps_routine *find(struct ex_callback_list *list,
			       bool (*wanted)(const struct ps_routine *, const void *),
			       const void *context)
{
	uint32_t place = 0;
	struct ps_routine *routine;
	while ((routine = (struct ps_routine *)ex_each(list, &place)))
		if (wanted(routine, context))
			return routine;
	return NULL;
}

struct wanted {
	const void *routine;
	unsigned kinds; /* bit per rs_callback_kind */
};

static bool matches(const struct ps_routine *routine, const void *context)
{
	const struct wanted *wanted = context;
	return routine->callback.routine == wanted->routine && (wanted->kinds >> routine->kind & 1);
}

static bool has_slot(const struct ps_routine *routine, const void *context)
{
	return routine->slot == *(const unsigned *)context;
}

static unsigned lowest_free_slot(struct ex_callback_list *list)
{
	unsigned slot = 0;
	while (slot < PS_NOTIFY_SLOTS && find(list, has_slot, &slot))
		slot++;
	return slot;
}

/* ---- Adding -------------------------------------------------------------------------- */

/* Where the routine's code must be. */
enum code {
	CODE_ANYWHERE,       /* thread and image forms: no such test is documented */
	CODE_IN_MODULE,      /* legacy: PS-17, PS-18; or NULL: PS-14 */
	CODE_WITH_INTEGRITY, /* Ex and Ex2: PS-15 */
};

struct addition {
	struct ex_callback_list *list;
	const void *routine;
	enum rs_callback_kind kind;
	enum code code;
	bool refuses_twice; /* PS-7 */
	bool foreign_images;
	NTSTATUS full; /* what a full table means: PS-6, PS-64 */
};

static bool code_is_acceptable(const struct addition *add)
{
	switch (add->code) {
	case CODE_WITH_INTEGRITY:
		return ldr_integrity_forced(add->routine);
	case CODE_IN_MODULE:
		return !add->routine || ldr_module_of(add->routine);
	case CODE_ANYWHERE:
		break;
	}
	return true;
}

static NTSTATUS publish(const struct addition *add, struct ps_routine *made)
{
	struct wanted same = {add->routine, 1u << add->kind};
	if (add->refuses_twice && find(add->list, matches, &same))
		return STATUS_INVALID_PARAMETER;
	made->slot = lowest_free_slot(add->list);
	if (made->slot == PS_NOTIFY_SLOTS)
		return add->full;
	return ex_add(add->list, &made->callback, by_slot) == EX_ADDED
		       ? STATUS_SUCCESS
		       : STATUS_INSUFFICIENT_RESOURCES;
}

static void tell(enum rs_event_type type, const char *call, const void *routine, NTSTATUS status)
{
	if (!ex_heard())
		return;
	struct ldr_module *module = ldr_module_of(routine);
	struct rs_event event = {.type = type};
	event.registration.routine = call;
	event.registration.module = module ? &module->entry : NULL;
	event.registration.address = routine;
	event.registration.status = status;
	ex_tell(&event);
}

static NTSTATUS make_and_publish(const struct addition *add)
{
	if (!code_is_acceptable(add))
		return STATUS_ACCESS_DENIED;
	struct ps_routine *made = host_alloc(sizeof *made);
	if (!made)
		return STATUS_INSUFFICIENT_RESOURCES; /* PS-9 */
	struct ldr_module *module = ldr_module_of(add->routine);
	made->callback.routine = add->routine;
	made->kind = add->kind;
	made->name = ps_kind_name(add->kind);
	made->foreign_images = add->foreign_images;
	made->module = module ? &module->entry : NULL;
	pthread_mutex_lock(&add->list->lock);
	NTSTATUS status = publish(add, made);
	pthread_mutex_unlock(&add->list->lock);
	if (!NT_SUCCESS(status))
		host_free(made);
	return status;
}

static NTSTATUS add_routine(const struct addition *add)
{
	ex_check_registering(ps_kind_name(add->kind));
	NTSTATUS status = make_and_publish(add);
	tell(RS_REGISTERED, ps_kind_name(add->kind), add->routine, status);
	return status;
}

/* ---- Removing -------------------------------------------------------------------------- */

static NTSTATUS remove_routine(struct ex_callback_list *list, const void *address, unsigned kinds,
			       const char *call)
{
	struct wanted wanted = {address, kinds};
	pthread_mutex_lock(&list->lock);
	struct ps_routine *routine = find(list, matches, &wanted);
	bool inside = routine && ex_inside(&routine->callback);
	if (routine && !inside)
		ex_unpublish(list, &routine->callback);
	pthread_mutex_unlock(&list->lock);
	if (inside)
		KE_BUG_CHECK(KE_CALLBACK_RULE_VIOLATION, 20, (uintptr_t)address, 0, 0,
			     "%s was called to remove a routine from inside that routine: it "
			     "would wait for itself for ever (VF-20, PS-26)",
			     call);
	if (routine) {
		ex_drain(&routine->callback);
		host_free(routine);
	}
	NTSTATUS status = routine ? STATUS_SUCCESS : STATUS_PROCEDURE_NOT_FOUND; /* PS-10 */
	tell(RS_UNREGISTERED, call, address, status);
	return status;
}

/* ---- The calls ---------------------------------------------------------------------------- */

static NTSTATUS set_process_routine(const void *routine, enum rs_callback_kind kind, BOOLEAN remove)
{
	if (remove)
		return remove_routine(&ps_process_routines, routine, 1u << kind,
				      ps_kind_name(kind));
	return add_routine(&(struct addition){
		.list = &ps_process_routines,
		.routine = routine,
		.kind = kind,
		.code = kind == RS_PROCESS_LEGACY ? CODE_IN_MODULE : CODE_WITH_INTEGRITY,
		.refuses_twice = !ke_switches.duplicate_routine_accepted,
		.full = STATUS_INVALID_PARAMETER,
	});
}

NTSTATUS NTAPI PsSetCreateProcessNotifyRoutine(PCREATE_PROCESS_NOTIFY_ROUTINE NotifyRoutine,
					       BOOLEAN Remove)
{
	return set_process_routine((const void *)NotifyRoutine, RS_PROCESS_LEGACY, Remove);
}

NTSTATUS NTAPI PsSetCreateProcessNotifyRoutineEx(PCREATE_PROCESS_NOTIFY_ROUTINE_EX NotifyRoutine,
						 BOOLEAN Remove)
{
	return set_process_routine((const void *)NotifyRoutine, RS_PROCESS_EX, Remove);
}

NTSTATUS NTAPI PsSetCreateProcessNotifyRoutineEx2(PSCREATEPROCESSNOTIFYTYPE NotifyType,
						  PVOID NotifyInformation, BOOLEAN Remove)
{
	if (NotifyType != PsCreateProcessNotifySubsystems) /* first of all: PS-20 */
		return ke_switches.ex2_unknown_type_not_supported ? STATUS_NOT_SUPPORTED
								  : STATUS_INVALID_PARAMETER;
	return set_process_routine(NotifyInformation, RS_PROCESS_EX2, Remove);
}

static NTSTATUS add_thread_routine(const void *routine, enum rs_callback_kind kind)
{
	return add_routine(&(struct addition){
		.list = &ps_thread_routines,
		.routine = routine,
		.kind = kind,
		.full = STATUS_INSUFFICIENT_RESOURCES,
	});
}

NTSTATUS NTAPI PsSetCreateThreadNotifyRoutine(PCREATE_THREAD_NOTIFY_ROUTINE NotifyRoutine)
{
	return add_thread_routine((const void *)NotifyRoutine, RS_THREAD);
}

NTSTATUS NTAPI PsSetCreateThreadNotifyRoutineEx(PSCREATETHREADNOTIFYTYPE NotifyType,
						PVOID NotifyInformation)
{
	switch (NotifyType) {
	case PsCreateThreadNotifyNonSystem:
		return add_thread_routine(NotifyInformation, RS_THREAD_NON_SYSTEM);
	case PsCreateThreadNotifySubsystems:
		return add_thread_routine(NotifyInformation, RS_THREAD_SUBSYSTEMS);
	}
	return STATUS_INVALID_PARAMETER; /* PS-73 */
}

NTSTATUS NTAPI PsRemoveCreateThreadNotifyRoutine(PCREATE_THREAD_NOTIFY_ROUTINE NotifyRoutine)
{
	return remove_routine(&ps_thread_routines, (const void *)NotifyRoutine, ~0u,
			      "PsRemoveCreateThreadNotifyRoutine");
}

NTSTATUS NTAPI PsSetLoadImageNotifyRoutineEx(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine,
					     ULONG_PTR Flags)
{
	if (Flags & ~(ULONG_PTR)PS_IMAGE_NOTIFY_CONFLICTING_ARCHITECTURE)
		return STATUS_INVALID_PARAMETER_2;
	return add_routine(&(struct addition){
		.list = &ps_image_routines,
		.routine = (const void *)NotifyRoutine,
		.kind = RS_IMAGE,
		.foreign_images = Flags != 0,
		.full = STATUS_INSUFFICIENT_RESOURCES,
	});
}

NTSTATUS NTAPI PsSetLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine)
{
	return PsSetLoadImageNotifyRoutineEx(NotifyRoutine, 0); /* PS-76 */
}

NTSTATUS NTAPI PsRemoveLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine)
{
	return remove_routine(&ps_image_routines, (const void *)NotifyRoutine, ~0u,
			      "PsRemoveLoadImageNotifyRoutine");
}

/* ---- Leftovers ------------------------------------------------------------------------------ */

static struct ex_callback_list *const lists[] = {&ps_process_routines, &ps_thread_routines,
						 &ps_image_routines};

static bool any(const struct ps_routine *routine, const void *context)
{
	(void)routine;
	(void)context;
	return true;
}

struct search {
	const void *base;
	SIZE_T size;
	void (*found)(void *context, const void *routine);
	void *context;
};

static bool report_if_within(const struct ps_routine *routine, const void *context)
{
	const struct search *search = context;
	const void *address = routine->callback.routine;
	if ((uintptr_t)address - (uintptr_t)search->base < search->size)
		search->found(search->context, address);
	return false;
}

void ps_find_registrations(const void *base, SIZE_T size,
			   void (*found)(void *context, const void *routine), void *context)
{
	struct search search = {base, size, found, context};
	for (unsigned i = 0; i < 3; i++) {
		pthread_mutex_lock(&lists[i]->lock);
		find(lists[i], report_if_within, &search);
		pthread_mutex_unlock(&lists[i]->lock);
	}
}

void ps_shutdown_notify(void)
{
	for (unsigned i = 0; i < 3; i++) {
		struct ps_routine *routine;
		while ((routine = find(lists[i], any, NULL))) {
			ex_unpublish(lists[i], &routine->callback);
			host_free(routine);
		}
		ex_free_list(lists[i]);
	}
}
