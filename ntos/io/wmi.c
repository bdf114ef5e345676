/* SPDX-License-Identifier: MIT */
/*
 * WMI providers: which devices, and which trace routines of drivers, are registered.
 *
 * A provider is a pointer in a list, compared and never followed. The lock guards the list
 * and is a leaf. There is no WMI service behind it: nobody sends a provider
 * IRP_MN_REGINFO, and nobody starts a trace, so a provider is never called.
 *
 * Pages: IoWMIRegistrationControl, IoWMIWriteEvent.
 */
#include "io/wmi.h"
#include "memory.h"
#include <pthread.h>
#include <stdbool.h>

struct provider {
	struct provider *next;
	const void *device; /* or routine */
};

static struct {
	pthread_mutex_t lock;
	struct provider *first;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The link to it, or to the list's end. Under the lock. */
static struct provider **find(const void *device)
{
	struct provider **link = &all.first;
	while (*link && (*link)->device != device)
		link = &(*link)->next;
	return link;
}

static bool is_registered(const void *device)
{
	pthread_mutex_lock(&all.lock);
	bool found = *find(device) != NULL;
	pthread_mutex_unlock(&all.lock);
	return found;
}

static NTSTATUS enter(const void *device)
{
	struct provider *provider = host_alloc(sizeof(*provider));
	if (!provider)
		return STATUS_INSUFFICIENT_RESOURCES;
	provider->device = device;
	pthread_mutex_lock(&all.lock);
	struct provider **end = find(device);
	bool known = *end != NULL;
	if (!known)
		*end = provider;
	pthread_mutex_unlock(&all.lock);
	if (known)
		host_free(provider);
	return STATUS_SUCCESS;
}

static NTSTATUS leave(const void *device)
{
	pthread_mutex_lock(&all.lock);
	struct provider **link = find(device), *provider = *link;
	if (provider)
		*link = provider->next;
	pthread_mutex_unlock(&all.lock);
	if (!provider)
		return STATUS_INVALID_PARAMETER;
	host_free(provider);
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI IoWMIRegistrationControl(PDEVICE_OBJECT DeviceObject, ULONG Action)
{
	switch (Action & ~WMIREG_FLAG_CALLBACK) {
	case WMIREG_ACTION_REGISTER:
		return enter(DeviceObject);
	case WMIREG_ACTION_DEREGISTER:
		return leave(DeviceObject);
	case WMIREG_ACTION_REREGISTER:
	case WMIREG_ACTION_UPDATE_GUIDS:
	case WMIREG_ACTION_BLOCK_IRPS:
		return is_registered(DeviceObject) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
	default:
		return STATUS_INVALID_PARAMETER;
	}
}

NTSTATUS NTAPI IoWMIWriteEvent(PVOID WnodeEventItem)
{
	(void)WnodeEventItem;
	return STATUS_UNSUCCESSFUL;
}

void io_shutdown_wmi(void)
{
	while (all.first)
		leave(all.first->device);
}
