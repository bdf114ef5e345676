/* SPDX-License-Identifier: MIT */
/*
 * Shutdown notifications.
 *
 * Two lists, first chance and last chance, newest first; an entry holds its device. The
 * device lock protects them. A device gets its request once.
 */
#include "io/shutdown.h"
#include "io/irp.h"
#include "io/lock.h"
#include "memory.h"
#include "ob/object.h"

struct entry {
	struct entry *next;
	PDEVICE_OBJECT device; /* referenced */
};

static struct entry *first_chance, *last_chance;

static NTSTATUS enter(struct entry **list, PDEVICE_OBJECT device)
{
	struct entry *entry = host_alloc(sizeof(*entry));
	if (!entry)
		return STATUS_INSUFFICIENT_RESOURCES;
	entry->device = device;
	ob_reference(device);
	pthread_mutex_lock(&io_device_lock);
	entry->next = *list;
	*list = entry;
	device->Flags |= DO_SHUTDOWN_REGISTERED;
	pthread_mutex_unlock(&io_device_lock);
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI IoRegisterShutdownNotification(PDEVICE_OBJECT DeviceObject)
{
	return enter(&first_chance, DeviceObject);
}

NTSTATUS NTAPI IoRegisterLastChanceShutdownNotification(PDEVICE_OBJECT DeviceObject)
{
	return enter(&last_chance, DeviceObject);
}

/* The first entry of that device, or of any, taken off the list. */
static struct entry *take(struct entry **list, PDEVICE_OBJECT device)
{
	pthread_mutex_lock(&io_device_lock);
	while (*list && device && (*list)->device != device)
		list = &(*list)->next;
	struct entry *entry = *list;
	if (entry)
		*list = entry->next;
	pthread_mutex_unlock(&io_device_lock);
	return entry;
}

static void forget(struct entry *entry)
{
	ob_dereference(entry->device);
	host_free(entry);
}

VOID NTAPI IoUnregisterShutdownNotification(PDEVICE_OBJECT DeviceObject)
{
	struct entry *entry;
	while ((entry = take(&first_chance, DeviceObject)))
		forget(entry);
	while ((entry = take(&last_chance, DeviceObject)))
		forget(entry);
	DeviceObject->Flags &= ~(ULONG)DO_SHUTDOWN_REGISTERED;
}

static void announce(struct entry **list)
{
	struct entry *entry;
	while ((entry = take(list, NULL))) {
		PDEVICE_OBJECT top = io_top_of_stack(entry->device);
		PIRP irp = io_build(top, IRP_MJ_SHUTDOWN, KernelMode);
		IO_STATUS_BLOCK ignored;
		if (irp)
			io_send_and_wait(top, irp, &ignored);
		ob_dereference(top);
		forget(entry);
	}
}

void rs_announce_shutdown(void)
{
	announce(&first_chance);
	announce(&last_chance);
}
