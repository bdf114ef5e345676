/* SPDX-License-Identifier: MIT */
/*
 * ObRegisterCallbacks and ObUnRegisterCallbacks.
 *
 * A registration is one allocation: its altitude and context, and an entry for
 * each OB_OPERATION_REGISTRATION, which hangs in the callback list of its object
 * type, highest altitude first. All registrations are on one list, so that a
 * handle can be told from a stale or invented one without looking behind it.
 *
 * LOCKS: registration_lock serialises both calls and protects the list; the
 * lists' own locks are taken inside it. Neither is held while a removal waits
 * for calls in flight, or while the listeners are told.
 *
 * Clauses: OB-1 to OB-23, OB-61 to OB-64, VF-18, VF-20, VF-21.
 */
#include "ex/event.h"
#include "ex/restraint.h"
#include "ke/bugcheck.h"
#include "ldr/module.h"
#include "ob/altitude.h"
#include "ob/callbacks.h"
#include "switches.h"
#include <string.h>

static LIST_ENTRY registrations = {&registrations, &registrations};
static pthread_mutex_t registration_lock = PTHREAD_MUTEX_INITIALIZER;

USHORT NTAPI ObGetFilterVersion(void)
{
	return OB_FLT_REGISTRATION_VERSION;
}

/* ---- Checks, in the order of OB-23 ------------------------------------------ */

static NTSTATUS check_header(const OB_CALLBACK_REGISTRATION *asked)
{
	bool version = ke_switches.ob_version_high_byte
			       ? (asked->Version >> 8) == (OB_FLT_REGISTRATION_VERSION >> 8)
			       : asked->Version == OB_FLT_REGISTRATION_VERSION;
	if (!version || asked->OperationRegistrationCount == 0)
		return STATUS_INVALID_PARAMETER;
	if (ke_switches.altitude_must_be_numeric && !ob_altitude_is_numeric(&asked->Altitude))
		return STATUS_INVALID_PARAMETER;
	return STATUS_SUCCESS;
}

static NTSTATUS check_operation(const OB_OPERATION_REGISTRATION *asked)
{
	if (!asked->ObjectType || !*asked->ObjectType ||
	    !((*asked->ObjectType)->ObjectTypeFlags & OB_SUPPORTS_OBJECT_CALLBACKS))
		return STATUS_INVALID_PARAMETER;
	if (!asked->Operations || (asked->Operations & ~OB_OPERATIONS))
		return STATUS_INVALID_PARAMETER;
	if (!asked->PreOperation && !asked->PostOperation)
		return STATUS_INVALID_PARAMETER;
	if (asked->PreOperation && !ldr_integrity_forced((const void *)asked->PreOperation))
		return STATUS_ACCESS_DENIED;
	if (asked->PostOperation && !ldr_integrity_forced((const void *)asked->PostOperation))
		return STATUS_ACCESS_DENIED;
	return STATUS_SUCCESS;
}

static NTSTATUS check(const OB_CALLBACK_REGISTRATION *asked)
{
	NTSTATUS status = check_header(asked);
	for (unsigned i = 0; NT_SUCCESS(status) && i < asked->OperationRegistrationCount; i++)
		status = check_operation(&asked->OperationRegistration[i]);
	return status;
}

/* ---- Making one -------------------------------------------------------------- */

/* Captures everything the caller passed (OB-22). */
static struct ob_registration *capture(const OB_CALLBACK_REGISTRATION *asked)
{
	unsigned count = asked->OperationRegistrationCount;
	size_t entries = sizeof(struct ob_registration) + count * sizeof(struct ob_entry);
	struct ob_registration *made = host_alloc(entries + asked->Altitude.Length);
	if (!made)
		return NULL;
	made->context = asked->RegistrationContext;
	made->count = count;
	made->altitude = asked->Altitude;
	made->altitude.MaximumLength = asked->Altitude.Length;
	made->altitude.Buffer = (PWSTR)((char *)made + entries);
	if (asked->Altitude.Length)
		memcpy(made->altitude.Buffer, asked->Altitude.Buffer, asked->Altitude.Length);
	for (unsigned i = 0; i < count; i++) {
		const OB_OPERATION_REGISTRATION *operation = &asked->OperationRegistration[i];
		struct ob_entry *entry = &made->entry[i];
		entry->registration = made;
		entry->type = *operation->ObjectType;
		entry->operations = operation->Operations;
		entry->pre = operation->PreOperation;
		entry->post = operation->PostOperation;
		entry->callback.routine = operation->PreOperation
						  ? (const void *)operation->PreOperation
						  : (const void *)operation->PostOperation;
	}
	return made;
}

/* Highest altitude first (OB-33). */
static int by_altitude(const struct ex_callback *a, const struct ex_callback *b)
{
	return ob_compare_altitudes(&((const struct ob_entry *)b)->registration->altitude,
				    &((const struct ob_entry *)a)->registration->altitude);
}

static bool collides_anywhere(const struct ob_registration *made)
{
	for (LIST_ENTRY *link = registrations.Flink; link != &registrations; link = link->Flink)
		if (!ob_compare_altitudes(&((struct ob_registration *)link)->altitude,
					  &made->altitude))
			return true;
	return false;
}

static void unpublish(struct ob_entry *entry)
{
	struct ex_callback_list *list = &entry->type->callbacks;
	pthread_mutex_lock(&list->lock);
	ex_unpublish(list, &entry->callback);
	pthread_mutex_unlock(&list->lock);
}

static void drain(struct ob_registration *made)
{
	for (unsigned i = 0; i < made->count; i++)
		ex_drain(&made->entry[i].callback);
}

/* All entries or none (OB-16); after a failure the caller still has to drain. */
static NTSTATUS publish(struct ob_registration *made)
{
	static const NTSTATUS status[] = {
		[EX_ADDED] = STATUS_SUCCESS,
		[EX_COLLISION] = STATUS_FLT_INSTANCE_ALTITUDE_COLLISION,
		[EX_NO_MEMORY] = STATUS_INSUFFICIENT_RESOURCES,
	};
	if (ke_switches.altitude_system_wide && collides_anywhere(made))
		return STATUS_FLT_INSTANCE_ALTITUDE_COLLISION;
	for (unsigned i = 0; i < made->count; i++) {
		struct ex_callback_list *list = &made->entry[i].type->callbacks;
		pthread_mutex_lock(&list->lock);
		enum ex_add_result result = ex_add(list, &made->entry[i].callback, by_altitude);
		pthread_mutex_unlock(&list->lock);
		if (result != EX_ADDED) {
			while (i--)
				unpublish(&made->entry[i]);
			return status[result];
		}
	}
	return STATUS_SUCCESS;
}

static void link_registration(struct ob_registration *made)
{
	made->link.Flink = &registrations;
	made->link.Blink = registrations.Blink;
	registrations.Blink->Flink = &made->link;
	registrations.Blink = &made->link;
}

/* ---- Telling ------------------------------------------------------------------ */

static unsigned type_bit(POBJECT_TYPE type)
{
	return type == PsProcessType         ? 1
	       : type == PsThreadType        ? 2
	       : type == ExDesktopObjectType ? 4
					     : 8;
}

static void tell(enum rs_event_type type, const struct ob_registration *made,
		 const OB_CALLBACK_REGISTRATION *asked, NTSTATUS status)
{
	if (!ex_heard())
		return;
	struct rs_event event = {.type = type};
	event.registration.routine = type == RS_REGISTERED ? "ObRegisterCallbacks"
							   : "ObUnRegisterCallbacks";
	event.registration.status = status;
	event.registration.address = made;
	event.registration.altitude = made ? made->altitude : asked->Altitude;
	for (unsigned i = 0; made && i < made->count; i++)
		event.registration.types |= type_bit(made->entry[i].type);
	const void *code = made ? made->entry[0].callback.routine : __builtin_return_address(0);
	struct ldr_module *module = ldr_module_of(code);
	event.registration.module = module ? &module->entry : NULL;
	ex_tell(&event);
}

NTSTATUS NTAPI ObRegisterCallbacks(POB_CALLBACK_REGISTRATION CallbackRegistration,
				   PVOID *RegistrationHandle)
{
	struct ob_registration *made = NULL;
	ex_check_registering("ObRegisterCallbacks");
	ob_check_types(__builtin_return_address(0));
	NTSTATUS status = check(CallbackRegistration);
	if (NT_SUCCESS(status)) {
		made = capture(CallbackRegistration);
		if (!made)
			status = STATUS_INSUFFICIENT_RESOURCES;
	}
	if (NT_SUCCESS(status)) {
		pthread_mutex_lock(&registration_lock);
		status = publish(made);
		if (NT_SUCCESS(status)) {
			link_registration(made);
			*RegistrationHandle = made;
		}
		pthread_mutex_unlock(&registration_lock);
		if (!NT_SUCCESS(status))
			drain(made);
	}
	tell(RS_REGISTERED, NT_SUCCESS(status) ? made : NULL, CallbackRegistration, status);
	if (!NT_SUCCESS(status))
		host_free(made);
	return status;
}

/* ---- Unregistering -------------------------------------------------------------- */

static bool is_registered(const void *handle)
{
	for (LIST_ENTRY *link = registrations.Flink; link != &registrations; link = link->Flink)
		if ((const void *)link == handle)
			return true;
	return false;
}

/* Takes the handle out of the world, or ends in the reports that the contract
 * names: a handle that is none (VF-21), a call from inside (VF-20). */
static struct ob_registration *claim(void *handle)
{
	struct ob_registration *made = handle;
	pthread_mutex_lock(&registration_lock);
	bool known = is_registered(handle);
	bool inside = false;
	for (unsigned i = 0; known && i < made->count; i++)
		inside |= ex_inside(&made->entry[i].callback);
	if (known && !inside) {
		made->link.Flink->Blink = made->link.Blink;
		made->link.Blink->Flink = made->link.Flink;
		for (unsigned i = 0; i < made->count; i++)
			unpublish(&made->entry[i]);
	}
	pthread_mutex_unlock(&registration_lock);
	if (!known)
		KE_BUG_CHECK(KE_SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, STATUS_ACCESS_VIOLATION,
			     (uintptr_t)__builtin_return_address(0), (uintptr_t)handle, 0,
			     "ObUnRegisterCallbacks was given %p, which is not a live registration "
			     "handle (VF-21, OB-64)",
			     handle);
	if (inside)
		KE_BUG_CHECK(KE_CALLBACK_RULE_VIOLATION, 20, (uintptr_t)handle,
			     (uintptr_t)made->entry[0].callback.routine, 0,
			     "ObUnRegisterCallbacks was called from inside a callback of that "
			     "registration, or between its pre and post: it would wait for itself "
			     "for ever (VF-20, OB-63)");
	return made;
}

VOID NTAPI ObUnRegisterCallbacks(PVOID RegistrationHandle)
{
	struct ob_registration *made = claim(RegistrationHandle);
	drain(made);
	tell(RS_UNREGISTERED, made, NULL, STATUS_SUCCESS);
	host_free(made);
}

/* ---- Leftovers -------------------------------------------------------------------- */

void ob_find_registrations(const void *base, SIZE_T size,
			   void (*found)(void *context, const void *routine), void *context)
{
	pthread_mutex_lock(&registration_lock);
	for (LIST_ENTRY *link = registrations.Flink; link != &registrations; link = link->Flink) {
		struct ob_registration *made = (struct ob_registration *)link;
		for (unsigned i = 0; i < made->count; i++) {
			const void *routine = made->entry[i].callback.routine;
			if ((uintptr_t)routine - (uintptr_t)base < size)
				found(context, routine);
		}
	}
	pthread_mutex_unlock(&registration_lock);
}

void ob_shutdown_callbacks(void)
{
	while (registrations.Flink != &registrations) {
		struct ob_registration *made = (struct ob_registration *)registrations.Flink;
		registrations.Flink = made->link.Flink;
		made->link.Flink->Blink = &registrations;
		for (unsigned i = 0; i < made->count; i++)
			unpublish(&made->entry[i]);
		host_free(made);
	}
}
