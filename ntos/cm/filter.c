/* SPDX-License-Identifier: MIT */
/*
 * Registration of registry callbacks.
 *
 * A registration is one entry of cm_filters, highest altitude first. Those made with
 * CmRegisterCallback, which has no altitude, come above all that have one, in the order
 * of their calls: Windows puts them "near the top". Cookies count up and are never
 * used twice, so a stale one is told from a live one.
 *
 * LOCK: cm_filters.lock; not held while a removal waits for calls in flight, while
 * contexts are cleaned up or while the listeners are told.
 *
 * Pages: CmRegisterCallback(Ex), CmUnRegisterCallback, CmGetCallbackVersion, "Supporting
 * Layered Registry Filtering Drivers".
 */
#include "cm/filter.h"
#include "ex/event.h"
#include "ke/bugcheck.h"
#include "ke/list.h"
#include "ldr/module.h"
#include "memory.h"
#include "ob/altitude.h"
#include <string.h>

struct ex_callback_list cm_filters = EX_CALLBACK_LIST_INIT;
static LONGLONG last_cookie; /* under the lock */

VOID NTAPI CmGetCallbackVersion(PULONG Major, PULONG Minor)
{
	if (Major)
		*Major = 1;
	if (Minor)
		*Minor = 1;
}

int cm_compare_filters(const struct ex_callback *a, const struct ex_callback *b)
{
	const struct cm_filter *x = (const void *)a, *y = (const void *)b;
	if (x->legacy != y->legacy)
		return x->legacy ? -1 : 1;
	if (x->legacy)
		return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
	return ob_compare_altitudes(&y->altitude, &x->altitude);
}

struct cm_filter *cm_find_filter(LONGLONG cookie)
{
	uint32_t place = 0;
	struct ex_callback *callback;
	while ((callback = ex_each(&cm_filters, &place))) {
		struct cm_filter *filter = (struct cm_filter *)callback;
		if (filter->cookie == cookie)
			return filter;
	}
	return NULL;
}

/* ---- Telling ---------------------------------------------------------------------- */

static void tell(enum rs_event_type type, const char *call, const struct cm_filter *filter,
		 NTSTATUS status)
{
	if (!ex_heard())
		return;
	struct ldr_module *module = ldr_module_of(filter->callback.routine);
	struct rs_event event = {.type = type};
	event.registration.routine = call;
	event.registration.status = status;
	event.registration.address = filter->callback.routine;
	event.registration.altitude = filter->altitude;
	event.registration.module = module ? &module->entry : NULL;
	ex_tell(&event);
}

/* ---- Registering ------------------------------------------------------------------ */

static struct cm_filter *make_filter(PEX_CALLBACK_FUNCTION routine, PCUNICODE_STRING altitude,
				     PVOID context)
{
	USHORT length = altitude ? altitude->Length : 0;
	struct cm_filter *filter = host_alloc(sizeof(*filter) + length);
	if (!filter)
		return NULL;
	filter->callback.routine = (const void *)routine;
	filter->routine = routine;
	filter->context = context;
	filter->legacy = !altitude;
	filter->altitude = (UNICODE_STRING){length, length, filter->text};
	if (length)
		memcpy(filter->text, altitude->Buffer, length);
	list_init(&filter->contexts);
	return filter;
}

static NTSTATUS publish(struct cm_filter *filter, LARGE_INTEGER *cookie)
{
	static const NTSTATUS status[] = {
		[EX_ADDED] = STATUS_SUCCESS,
		[EX_COLLISION] = STATUS_FLT_INSTANCE_ALTITUDE_COLLISION,
		[EX_NO_MEMORY] = STATUS_INSUFFICIENT_RESOURCES,
	};
	pthread_mutex_lock(&cm_filters.lock);
	filter->cookie = ++last_cookie;
	/* Before a call can come that looks for it. */
	cookie->QuadPart = filter->cookie;
	enum ex_add_result result = ex_add(&cm_filters, &filter->callback, cm_compare_filters);
	pthread_mutex_unlock(&cm_filters.lock);
	return status[result];
}

static NTSTATUS register_filter(const char *call, PEX_CALLBACK_FUNCTION routine,
				PCUNICODE_STRING altitude, PVOID context, LARGE_INTEGER *cookie)
{
	const LARGE_INTEGER before = *cookie;
	struct cm_filter *filter = make_filter(routine, altitude, context);
	if (!filter)
		return STATUS_INSUFFICIENT_RESOURCES;
	NTSTATUS status = publish(filter, cookie);
	tell(RS_REGISTERED, call, filter, status);
	if (!NT_SUCCESS(status)) {
		*cookie = before;
		host_free(filter);
	}
	return status;
}

NTSTATUS NTAPI CmRegisterCallbackEx(PEX_CALLBACK_FUNCTION Function, PCUNICODE_STRING Altitude,
				    PVOID Driver, PVOID Context, LARGE_INTEGER *Cookie,
				    PVOID Reserved)
{
	(void)Driver; /* the routine says whose it is */
	(void)Reserved;
	if (!Altitude || !Altitude->Length)
		return STATUS_INVALID_PARAMETER;
	return register_filter("CmRegisterCallbackEx", Function, Altitude, Context, Cookie);
}

NTSTATUS NTAPI CmRegisterCallback(PEX_CALLBACK_FUNCTION Function, PVOID Context,
				  LARGE_INTEGER *Cookie)
{
	return register_filter("CmRegisterCallback", Function, NULL, Context, Cookie);
}

/* ---- Unregistering ---------------------------------------------------------------- */

NTSTATUS NTAPI CmUnRegisterCallback(LARGE_INTEGER Cookie)
{
	pthread_mutex_lock(&cm_filters.lock);
	struct cm_filter *filter = cm_find_filter(Cookie.QuadPart);
	bool inside = filter && cm_is_inside(filter);
	if (filter && !inside)
		ex_unpublish(&cm_filters, &filter->callback);
	pthread_mutex_unlock(&cm_filters.lock);
	if (!filter)
		return STATUS_INVALID_PARAMETER;
	if (inside)
		KE_BUG_CHECK(KE_CALLBACK_RULE_VIOLATION, 20, Cookie.QuadPart,
			     filter->callback.routine, 0,
			     "CmUnRegisterCallback was called from inside a call of that routine, "
			     "or between its pre and post: it would wait for itself for ever");
	ex_drain(&filter->callback);
	cm_clean_filter(filter);
	tell(RS_UNREGISTERED, "CmUnRegisterCallback", filter, STATUS_SUCCESS);
	host_free(filter);
	return STATUS_SUCCESS;
}

/* ---- Leftovers --------------------------------------------------------------------- */

void cm_find_callbacks(const void *base, SIZE_T size,
		       void (*found)(void *context, const void *routine), void *context)
{
	const void *routine = NULL;
	uint32_t place = 0;
	struct ex_callback *callback;
	pthread_mutex_lock(&cm_filters.lock);
	while (!routine && (callback = ex_each(&cm_filters, &place)))
		if ((uintptr_t)callback->routine - (uintptr_t)base < size)
			routine = callback->routine;
	pthread_mutex_unlock(&cm_filters.lock);
	if (routine)
		found(context, routine);
}

void cm_shutdown_callbacks(void)
{
	struct ex_callback *callback;
	uint32_t place;
	while (place = 0, (callback = ex_each(&cm_filters, &place))) {
		struct cm_filter *filter = (struct cm_filter *)callback;
		ex_unpublish(&cm_filters, callback);
		cm_forget_contexts(filter);
		host_free(filter);
	}
	ex_free_list(&cm_filters);
}
