/* SPDX-License-Identifier: MIT */
/*
 * Filters: registering, starting, unregistering, and unloading their driver.
 *
 * While a driver with an unload callback is registered, its DriverUnload is ours: unloading
 * the driver calls the minifilter's callback, which unregisters it, and then the unload
 * routine that the driver had before, if it had one. That is what stopping the service
 * does. Where it cannot, because the driver has set DriverUnload later or does not support
 * being stopped, the driver is unloaded as fltmc.exe does it: its callback is asked, and may
 * say no, before DriverUnload is called. Without a callback a minifilter cannot be unloaded.
 *
 * Unregistering tears down all instances, disconnects all clients, and waits until
 * FltStartFiltering has returned, if it is under way on another thread, and every context,
 * port and reference has been given back. The start is waited for by itself
 * (struct _FLT_FILTER.starting): a reference of ours would be told as the driver's.
 *
 * Pages: FltRegisterFilter, FltStartFiltering, FltUnregisterFilter, "When the
 * FilterUnloadCallback routine is called".
 */
#include "ex/event.h"
#include "flt/context.h"
#include "flt/flt.h"
#include "flt/operation.h"
#include "flt/port.h"
#include "ke/callout.h"
#include "ldr/module.h"
#include "memory.h"
#include "rtl/string.h"
#include "rtl/utf.h"

static LIST_ENTRY filters = {&filters, &filters}; /* flt_lock */

static PFLT_FILTER filter_of(LIST_ENTRY *link)
{
	return LIST_OWNER(link, struct _FLT_FILTER, link);
}

/* ---- Unloading ------------------------------------------------------------------------------- */

/* Not referenced: only its driver unregisters it. */
static PFLT_FILTER filter_of_driver(PDRIVER_OBJECT driver)
{
	pthread_mutex_lock(&flt_lock);
	LIST_ENTRY *link = filters.Flink;
	while (link != &filters && filter_of(link)->driver != driver)
		link = link->Flink;
	pthread_mutex_unlock(&flt_lock);
	return link == &filters ? NULL : filter_of(link);
}

/* A service is stopped: its minifilter cannot say no. */
static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
	PFLT_FILTER filter = filter_of_driver(driver);
	if (!filter)
		return;
	FLT_FILTER_UNLOAD_CALLBACK *callback = filter->registration.FilterUnloadCallback;
	PDRIVER_UNLOAD before = filter->driver_unload;
	filter->unload_reason = FLTFL_INSTANCE_TEARDOWN_MANDATORY_FILTER_UNLOAD;
	FLT_CALL(callback, "FilterUnloadCallback", callback(FLTFL_FILTER_UNLOAD_MANDATORY));
	if (before)
		FLT_CALL(before, "DriverUnload", before(driver));
}

static PFLT_FILTER filter_to_ask(PDRIVER_OBJECT driver)
{
	PFLT_FILTER filter = driver->DriverUnload == unload ? NULL : filter_of_driver(driver);
	return filter && filter->registration.FilterUnloadCallback ? filter : NULL;
}

bool flt_may_unload(PDRIVER_OBJECT driver)
{
	return filter_to_ask(driver) != NULL;
}

NTSTATUS flt_unload(PDRIVER_OBJECT driver)
{
	NTSTATUS status = STATUS_SUCCESS;
	PFLT_FILTER filter = filter_to_ask(driver);
	if (!filter)
		return status;
	FLT_FILTER_UNLOAD_CALLBACK *callback = filter->registration.FilterUnloadCallback;
	FLT_CALL(callback, "FilterUnloadCallback", status = callback(0));
	return status;
}

static void take_over_unloading(PFLT_FILTER filter)
{
	const FLT_REGISTRATION *asked = &filter->registration;
	bool stops = asked->FilterUnloadCallback &&
		     !(asked->Flags & FLTFL_REGISTRATION_DO_NOT_SUPPORT_SERVICE_STOP);
	filter->driver_unload = filter->driver->DriverUnload;
	filter->driver->DriverUnload = stops ? unload : NULL;
}

/* It had its turn, or the driver gave up in DriverEntry. */
static void give_back_unloading(PFLT_FILTER filter)
{
	if (filter->driver->DriverUnload == unload)
		filter->driver->DriverUnload = filter->driver_unload;
}

/* ---- Telling -------------------------------------------------------------------------------- */

/* Of the driver's code, for reports. */
static const void *routine_of(const struct _FLT_FILTER *filter)
{
	const FLT_REGISTRATION *asked = &filter->registration;
	return asked->FilterUnloadCallback    ? (const void *)asked->FilterUnloadCallback
	       : asked->InstanceSetupCallback ? (const void *)asked->InstanceSetupCallback
					      : (const void *)filter->driver->DriverInit;
}

static void tell(enum rs_event_type type, const char *call, const struct _FLT_FILTER *filter,
		 NTSTATUS status)
{
	if (!ex_heard())
		return;
	struct ldr_module *module = ldr_module_of(filter->driver->DriverStart);
	struct rs_event event = {.type = type};
	event.registration.routine = call;
	event.registration.status = status;
	event.registration.address = routine_of(filter);
	event.registration.module = module ? &module->entry : NULL;
	if (filter->definition_count)
		event.registration.altitude = filter->definitions[0].altitude;
	ex_tell(&event);
}

/* ---- Registering ------------------------------------------------------------------------------- */

static PFLT_FILTER make(PDRIVER_OBJECT driver)
{
	PFLT_FILTER made = host_alloc(sizeof(*made));
	if (!made)
		return NULL;
	made->object.kind = FLT_FILTER_KIND;
	made->driver = driver;
	made->unload_reason = FLTFL_INSTANCE_TEARDOWN_FILTER_UNLOAD;
	list_init(&made->instances);
	list_init(&made->all_contexts);
	list_init(&made->ports);
	if (rtl_copy_string(&driver->DriverExtension->ServiceKeyName, &made->name))
		return made;
	host_free(made);
	return NULL;
}

NTSTATUS NTAPI FltRegisterFilter(PDRIVER_OBJECT Driver, const FLT_REGISTRATION *Registration,
				 PFLT_FILTER *RetFilter)
{
	FLT_REGISTRATION header = {.Version = Registration->Version};
	if (header.Version < FLT_REGISTRATION_VERSION_0200 ||
	    header.Version > FLT_REGISTRATION_VERSION_0203)
		return STATUS_INVALID_PARAMETER;
	PFLT_FILTER made = make(Driver);
	if (!made)
		return STATUS_INSUFFICIENT_RESOURCES;
	NTSTATUS status = flt_capture(made, Registration);
	if (NT_SUCCESS(status))
		status = flt_read_definitions(made);
	tell(RS_REGISTERED, "FltRegisterFilter", made, status);
	if (!NT_SUCCESS(status)) {
		flt_free_filter(made);
		return status;
	}
	*RetFilter = made;
	pthread_mutex_lock(&flt_lock);
	list_add_last(&filters, &made->link);
	flt_watch(made, 1);
	pthread_mutex_unlock(&flt_lock);
	take_over_unloading(made);
	return STATUS_SUCCESS;
}

/* ---- Starting ------------------------------------------------------------------------------------- */

static void attach_to(PFLT_FILTER filter, PFLT_VOLUME volume)
{
	for (unsigned i = 0; i < filter->definition_count; i++) {
		const struct flt_definition *definition = &filter->definitions[i];
		if (!(definition->flags & FLT_NO_AUTOMATIC_ATTACHMENT))
			flt_attach(filter, volume, definition, &definition->name,
				   FLTFL_INSTANCE_SETUP_AUTOMATIC_ATTACHMENT, NULL);
	}
}

NTSTATUS NTAPI FltStartFiltering(PFLT_FILTER Filter)
{
	PFLT_VOLUME volume;
	pthread_mutex_lock(&flt_lock);
	bool may = !Filter->started && !Filter->leaving &&
		   ExAcquireRundownProtection(&Filter->starting);
	Filter->started = true;
	pthread_mutex_unlock(&flt_lock);
	if (!may)
		return STATUS_INVALID_PARAMETER;
	for (unsigned i = 0; (volume = flt_volume_at(i)); i++) {
		attach_to(Filter, volume);
		flt_dereference(&volume->object);
	}
	ExReleaseRundownProtection(&Filter->starting);
	return STATUS_SUCCESS;
}

/* ---- Unregistering ------------------------------------------------------------------------------------ */

/* What the driver will wait for, in its own words. */
static void tell_what_is_left(PFLT_FILTER filter)
{
	unsigned contexts = 0;
	pthread_mutex_lock(&flt_lock);
	for (LIST_ENTRY *link = filter->all_contexts.Flink; link != &filter->all_contexts;
	     link = link->Flink)
		contexts++;
	unsigned ports = filter->server_ports;
	pthread_mutex_unlock(&flt_lock);
	if (contexts)
		ex_rule_broken("wdk", routine_of(filter),
			       "FltUnregisterFilter with %u context%s that FltReleaseContext has "
			       "not been called for",
			       contexts, contexts == 1 ? "" : "s");
	if (ports)
		ex_rule_broken("wdk", routine_of(filter),
			       "FltUnregisterFilter with %u communication port%s that "
			       "FltCloseCommunicationPort has not been called for",
			       ports, ports == 1 ? "" : "s");
}

VOID NTAPI FltUnregisterFilter(PFLT_FILTER Filter)
{
	PFLT_INSTANCE instance;
	pthread_mutex_lock(&flt_lock);
	Filter->leaving = true;
	pthread_mutex_unlock(&flt_lock);
	flt_disconnect_clients(Filter);
	while ((instance = flt_take_first_instance(Filter)))
		flt_tear_down(instance, Filter->unload_reason);
	ExWaitForRundownProtectionRelease(&Filter->starting);
	flt_delete_volume_contexts(Filter);
	tell_what_is_left(Filter);
	flt_run_down(&Filter->object, "FltUnregisterFilter", routine_of(Filter));
	pthread_mutex_lock(&flt_lock);
	list_remove(&Filter->link);
	flt_watch(Filter, -1);
	pthread_mutex_unlock(&flt_lock);
	give_back_unloading(Filter);
	tell(RS_UNREGISTERED, "FltUnregisterFilter", Filter, STATUS_SUCCESS);
	flt_free_filter(Filter);
}

/* ---- Finding ---------------------------------------------------------------------------------------------- */

NTSTATUS NTAPI FltGetFilterFromName(PCUNICODE_STRING FilterName, PFLT_FILTER *RetFilter)
{
	NTSTATUS status = STATUS_FLT_FILTER_NOT_FOUND;
	UNICODE_STRING name = *FilterName, own;
	if (!rtl_copy_string(&name, &own)) /* not the driver's memory under the lock */
		return STATUS_INSUFFICIENT_RESOURCES;
	pthread_mutex_lock(&flt_lock);
	LIST_ENTRY *link = filters.Flink;
	while (link != &filters && !RtlEqualUnicodeString(&filter_of(link)->name, &own, TRUE))
		link = link->Flink;
	if (link != &filters)
		status = flt_reference(&filter_of(link)->object) ? STATUS_SUCCESS
								 : STATUS_FLT_DELETING_OBJECT;
	pthread_mutex_unlock(&flt_lock);
	rtl_free_string(&own);
	if (NT_SUCCESS(status))
		*RetFilter = filter_of(link);
	return status;
}

void flt_find_registrations(const void *base, SIZE_T size,
			    void (*found)(void *context, const void *routine), void *context)
{
	const void *routine = NULL;
	pthread_mutex_lock(&flt_lock);
	for (LIST_ENTRY *link = filters.Flink; link != &filters; link = link->Flink) {
		const DRIVER_OBJECT *driver = filter_of(link)->driver;
		if ((uintptr_t)driver->DriverStart == (uintptr_t)base && driver->DriverSize <= size)
			routine = routine_of(filter_of(link));
	}
	pthread_mutex_unlock(&flt_lock);
	if (routine)
		found(context, routine);
}

/* At shutdown; their instances and contexts are gone. */
void flt_free_filters(void)
{
	while (!list_empty(&filters)) {
		PFLT_FILTER filter = filter_of(filters.Flink);
		list_remove(&filter->link);
		flt_watch(filter, -1);
		flt_free_filter(filter);
	}
}
