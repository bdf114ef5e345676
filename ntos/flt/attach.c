/* SPDX-License-Identifier: MIT */
/*
 * Attaching and detaching by hand, and finding instances. Lists and locks: instance.c.
 *
 * Pages: FltAttachVolume, FltDetachVolume, FltEnumerateInstances, and those beside.
 */
#include "flt/flt.h"
#include "ke/callout.h"
#include "memory.h"
#include "ob/altitude.h"
#include "rtl/string.h"

static PFLT_INSTANCE on_volume(LIST_ENTRY *link)
{
	return LIST_OWNER(link, struct _FLT_INSTANCE, of_volume);
}

/* ---- By hand ---------------------------------------------------------------------------- */

/* The definition of that name, or the default one. */
static const struct flt_definition *defined(PFLT_FILTER filter, PCUNICODE_STRING name)
{
	if (!name)
		return &filter->definitions[0];
	for (unsigned i = 0; i < filter->definition_count; i++)
		if (RtlEqualUnicodeString(&filter->definitions[i].name, name, TRUE))
			return &filter->definitions[i];
	return NULL;
}

static NTSTATUS attach(PFLT_FILTER filter, PFLT_VOLUME volume,
		       const struct flt_definition *definition, PCUNICODE_STRING name,
		       PFLT_INSTANCE *instance)
{
	PFLT_INSTANCE made;
	if (!filter->started)
		return STATUS_FLT_FILTER_NOT_READY;
	NTSTATUS status = flt_attach(filter, volume, definition, name ? name : &definition->name,
				     FLTFL_INSTANCE_SETUP_MANUAL_ATTACHMENT, &made);
	if (!NT_SUCCESS(status))
		return status;
	if (instance)
		*instance = made;
	else
		flt_dereference(&made->object);
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI FltAttachVolume(PFLT_FILTER Filter, PFLT_VOLUME Volume,
			       PCUNICODE_STRING InstanceName, PFLT_INSTANCE *RetInstance)
{
	const struct flt_definition *definition = defined(Filter, InstanceName);
	if (!definition)
		return STATUS_OBJECT_NAME_NOT_FOUND;
	if (definition->flags & FLT_NO_MANUAL_ATTACHMENT)
		return STATUS_FLT_DO_NOT_ATTACH;
	return attach(Filter, Volume, definition, InstanceName, RetInstance);
}

NTSTATUS NTAPI FltAttachVolumeAtAltitude(PFLT_FILTER Filter, PFLT_VOLUME Volume,
					 PCUNICODE_STRING Altitude, PCUNICODE_STRING InstanceName,
					 PFLT_INSTANCE *RetInstance)
{
	if (!ob_altitude_is_numeric(Altitude))
		return STATUS_INVALID_PARAMETER;
	struct flt_definition definition = {.name = Filter->definitions[0].name,
					    .altitude = *Altitude};
	return attach(Filter, Volume, &definition, InstanceName, RetInstance);
}

/* ---- Finding ------------------------------------------------------------------------------ */

static bool matches(PFLT_INSTANCE instance, PFLT_FILTER filter, PCUNICODE_STRING name)
{
	return (!filter || instance->filter == filter) &&
	       (!name || RtlEqualUnicodeString(&instance->name, name, TRUE));
}

/* The highest that matches, referenced. */
static NTSTATUS find(PFLT_FILTER filter, PFLT_VOLUME volume, PCUNICODE_STRING name,
		     PFLT_INSTANCE *found)
{
	NTSTATUS status = STATUS_FLT_INSTANCE_NOT_FOUND;
	pthread_mutex_lock(&flt_lock);
	LIST_ENTRY *head = &volume->instances, *link = head->Flink;
	while (link != head && !matches(on_volume(link), filter, name))
		link = link->Flink;
	if (link != head) {
		*found = on_volume(link);
		status = flt_reference(&(*found)->object) ? STATUS_SUCCESS
							  : STATUS_FLT_DELETING_OBJECT;
	}
	pthread_mutex_unlock(&flt_lock);
	return status;
}

NTSTATUS NTAPI FltGetVolumeInstanceFromName(PFLT_FILTER Filter, PFLT_VOLUME Volume,
					    PCUNICODE_STRING InstanceName,
					    PFLT_INSTANCE *RetInstance)
{
	PFLT_INSTANCE found;
	NTSTATUS status = find(Filter, Volume, InstanceName, &found);
	if (NT_SUCCESS(status))
		*RetInstance = found;
	return status;
}

NTSTATUS NTAPI FltDetachVolume(PFLT_FILTER Filter, PFLT_VOLUME Volume,
			       PCUNICODE_STRING InstanceName)
{
	FLT_INSTANCE_QUERY_TEARDOWN_CALLBACK *query =
		Filter->registration.InstanceQueryTeardownCallback;
	PFLT_INSTANCE found;
	NTSTATUS status = find(Filter, Volume, InstanceName, &found);
	if (!NT_SUCCESS(status))
		return status;
	FLT_RELATED_OBJECTS related = flt_related(found, NULL);
	status = STATUS_FLT_DO_NOT_DETACH; /* without the routine it never is */
	if (query)
		FLT_CALL(query, "InstanceQueryTeardownCallback", status = query(&related, 0));
	bool taken = NT_SUCCESS(status) && flt_take_instance(found);
	flt_dereference(&found->object);
	if (!NT_SUCCESS(status))
		return status;
	if (!taken)
		return STATUS_FLT_DELETING_OBJECT;
	flt_tear_down(found, FLTFL_INSTANCE_TEARDOWN_MANUAL);
	return STATUS_SUCCESS;
}

/* ---- All of them ----------------------------------------------------------------------------- */

/* Under flt_lock. */
static ULONG collect(PFLT_VOLUME volume, PFLT_FILTER filter, PFLT_INSTANCE *list, ULONG size)
{
	ULONG count = 0;
	LIST_ENTRY *head = &volume->instances;
	for (LIST_ENTRY *link = head->Flink; link != head; link = link->Flink) {
		if (!matches(on_volume(link), filter, NULL))
			continue;
		if (count < size && list && flt_reference(&on_volume(link)->object))
			list[count] = on_volume(link);
		count++;
	}
	return count;
}

NTSTATUS NTAPI FltEnumerateInstances(PFLT_VOLUME Volume, PFLT_FILTER Filter,
				     PFLT_INSTANCE *InstanceList, ULONG InstanceListSize,
				     PULONG NumberInstancesReturned)
{
	if (!Volume && !Filter)
		return STATUS_INVALID_PARAMETER;
	/* The driver's memory is not touched under the lock. */
	PFLT_INSTANCE *found = host_alloc(((size_t)InstanceListSize + 1) * sizeof(PFLT_INSTANCE));
	if (!found)
		return STATUS_INSUFFICIENT_RESOURCES;
	PFLT_VOLUME only = Volume ? Volume : flt_volume_at(0);
	pthread_mutex_lock(&flt_lock);
	ULONG count = collect(only, Filter, NULL, 0);
	bool fits = count <= InstanceListSize;
	if (fits)
		collect(only, Filter, found, count);
	pthread_mutex_unlock(&flt_lock);
	if (!Volume)
		flt_dereference(&only->object);
	*NumberInstancesReturned = count;
	for (ULONG i = 0; fits && i < count; i++)
		InstanceList[i] = found[i];
	host_free(found);
	return fits ? STATUS_SUCCESS : STATUS_BUFFER_TOO_SMALL;
}

/* ---- Neighbours -------------------------------------------------------------------------------- */

/* Under flt_lock; a link that is the list's head is nobody. */
static NTSTATUS reference_at(LIST_ENTRY *link, const LIST_ENTRY *head, PFLT_INSTANCE *found)
{
	if (link == head)
		return STATUS_NO_MORE_ENTRIES;
	*found = on_volume(link);
	return flt_reference(&(*found)->object) ? STATUS_SUCCESS : STATUS_FLT_DELETING_OBJECT;
}

static NTSTATUS get(PFLT_VOLUME volume, LIST_ENTRY *from, bool up, PFLT_INSTANCE *instance)
{
	PFLT_INSTANCE found;
	pthread_mutex_lock(&flt_lock);
	NTSTATUS status = reference_at(up ? from->Blink : from->Flink, &volume->instances, &found);
	pthread_mutex_unlock(&flt_lock);
	if (NT_SUCCESS(status))
		*instance = found;
	return status;
}

NTSTATUS NTAPI FltGetTopInstance(PFLT_VOLUME Volume, PFLT_INSTANCE *Instance)
{
	return get(Volume, &Volume->instances, false, Instance);
}

NTSTATUS NTAPI FltGetBottomInstance(PFLT_VOLUME Volume, PFLT_INSTANCE *Instance)
{
	return get(Volume, &Volume->instances, true, Instance);
}

NTSTATUS NTAPI FltGetUpperInstance(PFLT_INSTANCE CurrentInstance, PFLT_INSTANCE *UpperInstance)
{
	return get(CurrentInstance->volume, &CurrentInstance->of_volume, true, UpperInstance);
}

NTSTATUS NTAPI FltGetLowerInstance(PFLT_INSTANCE CurrentInstance, PFLT_INSTANCE *LowerInstance)
{
	return get(CurrentInstance->volume, &CurrentInstance->of_volume, false, LowerInstance);
}

NTSTATUS NTAPI FltGetFilterFromInstance(PFLT_INSTANCE Instance, PFLT_FILTER *RetFilter)
{
	if (!flt_reference(&Instance->filter->object))
		return STATUS_FLT_DELETING_OBJECT;
	*RetFilter = Instance->filter;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI FltGetVolumeFromInstance(PFLT_INSTANCE Instance, PFLT_VOLUME *RetVolume)
{
	if (!flt_reference(&Instance->volume->object))
		return STATUS_FLT_DELETING_OBJECT;
	*RetVolume = Instance->volume;
	return STATUS_SUCCESS;
}

LONG NTAPI FltCompareInstanceAltitudes(PFLT_INSTANCE Instance1, PFLT_INSTANCE Instance2)
{
	int order = ob_compare_altitudes(&Instance1->altitude, &Instance2->altitude);
	return order > 0 ? 1 : order < 0 ? -1 : 0;
}
