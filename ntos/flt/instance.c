/* SPDX-License-Identifier: MIT */
/*
 * Instances: a filter on a volume, at an altitude.
 *
 * An instance hangs in two lists, its filter's and its volume's, from before its setup
 * routine is called; operations reach it once that routine has agreed. It is torn down
 * once: whoever takes it out of its filter's list does it, in the documented order. The
 * start routine; no new operations, and the wait for those under way; the complete routine;
 * the contexts that the filter set on or through it; the wait for the last reference.
 * No lock is held while a routine runs.
 *
 * Pages: PFLT_INSTANCE_SETUP_CALLBACK, PFLT_INSTANCE_TEARDOWN_CALLBACK.
 */
#include "flt/context.h"
#include "flt/flt.h"
#include "ke/callout.h"
#include "memory.h"
#include "ob/altitude.h"
#include "rtl/string.h"
#include "rtl/utf.h"

#define FILE_DEVICE_DISK_FILE_SYSTEM 8

static PFLT_INSTANCE on_volume(LIST_ENTRY *link)
{
	return LIST_OWNER(link, struct _FLT_INSTANCE, of_volume);
}

FLT_RELATED_OBJECTS flt_related(PFLT_INSTANCE instance, struct _FILE_OBJECT *file)
{
	return (FLT_RELATED_OBJECTS){.Size = sizeof(FLT_RELATED_OBJECTS),
				     .Filter = instance->filter,
				     .Volume = instance->volume,
				     .Instance = instance,
				     .FileObject = file};
}

/* ---- Attaching --------------------------------------------------------------------------- */

/* Under flt_lock: the place in the volume's order, or the collision. */
static NTSTATUS find_place(PFLT_INSTANCE made, LIST_ENTRY **before)
{
	LIST_ENTRY *head = &made->volume->instances, *link = head->Flink;
	*before = head;
	for (; link != head; link = link->Flink) {
		PFLT_INSTANCE other = on_volume(link);
		int order = ob_compare_altitudes(&made->altitude, &other->altitude);
		if (order == 0)
			return STATUS_FLT_INSTANCE_ALTITUDE_COLLISION;
		if (RtlEqualUnicodeString(&made->name, &other->name, TRUE) &&
		    made->filter == other->filter)
			return STATUS_FLT_INSTANCE_NAME_COLLISION;
		if (order > 0 && *before == head)
			*before = link;
	}
	return STATUS_SUCCESS;
}

static NTSTATUS enlist(PFLT_INSTANCE made)
{
	LIST_ENTRY *before;
	pthread_mutex_lock(&flt_lock);
	NTSTATUS status = made->filter->leaving ? STATUS_FLT_DELETING_OBJECT
						: find_place(made, &before);
	if (NT_SUCCESS(status)) {
		list_add_last(before, &made->of_volume);
		list_add_last(&made->filter->instances, &made->of_filter);
	}
	pthread_mutex_unlock(&flt_lock);
	return status;
}

static void free_instance(PFLT_INSTANCE instance)
{
	rtl_free_string(&instance->name);
	rtl_free_string(&instance->altitude);
	instance->object.kind = 0;
	host_free(instance);
}

static PFLT_INSTANCE make(PFLT_FILTER filter, PFLT_VOLUME volume, PCUNICODE_STRING altitude,
			  PCUNICODE_STRING name)
{
	PFLT_INSTANCE made = host_alloc(sizeof(*made));
	if (!made)
		return NULL;
	made->object.kind = FLT_INSTANCE_KIND;
	made->filter = filter;
	made->volume = volume;
	if (rtl_copy_string(altitude, &made->altitude) && rtl_copy_string(name, &made->name))
		return made;
	free_instance(made);
	return NULL;
}

static NTSTATUS ask(PFLT_INSTANCE made, ULONG flags)
{
	FLT_INSTANCE_SETUP_CALLBACK *setup = made->filter->registration.InstanceSetupCallback;
	FLT_RELATED_OBJECTS related = flt_related(made, NULL);
	NTSTATUS status = STATUS_SUCCESS;
	if (setup)
		FLT_CALL(setup, "InstanceSetupCallback",
			 status = setup(&related, flags, FILE_DEVICE_DISK_FILE_SYSTEM,
					FLT_FSTYPE_NTFS));
	return status;
}

bool flt_take_instance(PFLT_INSTANCE instance)
{
	pthread_mutex_lock(&flt_lock);
	LIST_ENTRY *head = &instance->filter->instances, *link = head->Flink;
	while (link != head && link != &instance->of_filter)
		link = link->Flink;
	if (link != head)
		list_remove(link);
	pthread_mutex_unlock(&flt_lock);
	return link != head;
}

static void delist(PFLT_INSTANCE instance)
{
	pthread_mutex_lock(&flt_lock);
	instance->attached = false;
	instance->leaving = true;
	list_remove(&instance->of_volume);
	pthread_mutex_unlock(&flt_lock);
}

/* It is in no list any more. */
static void end(PFLT_INSTANCE instance, const void *routine)
{
	flt_delete_contexts_of(instance);
	flt_run_down(&instance->object, "an instance's end", routine);
	free_instance(instance);
}

/* If it is torn down already, that waits for the reference. */
static NTSTATUS refused(PFLT_INSTANCE made, NTSTATUS status)
{
	const void *routine = (const void *)made->filter->registration.InstanceSetupCallback;
	bool taken = flt_take_instance(made);
	if (taken)
		delist(made);
	flt_dereference(&made->object);
	if (taken)
		end(made, routine);
	return status;
}

NTSTATUS flt_attach(PFLT_FILTER filter, PFLT_VOLUME volume, const struct flt_definition *definition,
		    PCUNICODE_STRING name, ULONG flags, PFLT_INSTANCE *attached)
{
	PFLT_INSTANCE made = make(filter, volume, &definition->altitude, name);
	if (!made)
		return STATUS_INSUFFICIENT_RESOURCES;
	flt_reference(&made->object); /* until here is done with it */
	NTSTATUS status = enlist(made);
	if (!NT_SUCCESS(status)) {
		free_instance(made);
		return status;
	}
	status = ask(made, flags);
	/* Warnings and errors both refuse. */
	if (!NT_SUCCESS(status))
		return refused(made, status);
	pthread_mutex_lock(&flt_lock);
	made->attached = !made->leaving;
	bool there = made->attached;
	pthread_mutex_unlock(&flt_lock);
	if (attached && there)
		*attached = made;
	else
		flt_dereference(&made->object);
	return there ? STATUS_SUCCESS : STATUS_FLT_DELETING_OBJECT;
}

/* ---- Tearing down ---------------------------------------------------------------------------- */

PFLT_INSTANCE flt_take_first_instance(PFLT_FILTER filter)
{
	PFLT_INSTANCE taken = NULL;
	pthread_mutex_lock(&flt_lock);
	if (!list_empty(&filter->instances)) {
		taken = LIST_OWNER(filter->instances.Flink, struct _FLT_INSTANCE, of_filter);
		list_remove(&taken->of_filter);
	}
	pthread_mutex_unlock(&flt_lock);
	return taken;
}

void flt_tear_down(PFLT_INSTANCE instance, ULONG reason)
{
	const FLT_REGISTRATION *routines = &instance->filter->registration;
	FLT_RELATED_OBJECTS related = flt_related(instance, NULL);
	delist(instance);
	if (routines->InstanceTeardownStartCallback)
		FLT_CALL(routines->InstanceTeardownStartCallback, "InstanceTeardownStartCallback",
			 routines->InstanceTeardownStartCallback(&related, reason));
	ExWaitForRundownProtectionRelease(&instance->operations);
	if (routines->InstanceTeardownCompleteCallback)
		FLT_CALL(routines->InstanceTeardownCompleteCallback,
			 "InstanceTeardownCompleteCallback",
			 routines->InstanceTeardownCompleteCallback(&related, reason));
	end(instance, (const void *)routines->InstanceTeardownStartCallback);
}
