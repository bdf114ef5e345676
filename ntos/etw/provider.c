/* SPDX-License-Identifier: MIT */
/*
 * Providers of trace events.
 *
 * A provider is a record in a list; its handle is the record's address, looked up in the
 * list and never followed, so that any number may be passed for one. The lock guards the
 * list and is a leaf.
 *
 * There is no trace session and no way to start one. So no provider is ever enabled, no
 * enable callback called, and an event that is written ends where Windows ends it when
 * nobody has enabled its provider: it is checked and dropped.
 */
#include "etw/provider.h"
#include "memory.h"
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

struct provider {
	struct provider *next;
	GUID id;
	PETWENABLECALLBACK callback;
	void *context;
	void *traits; /* a copy, or NULL */
};

static struct {
	pthread_mutex_t lock;
	struct provider *first;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The link to it, or to the list's end. Under the lock. */
static struct provider **find(REGHANDLE handle)
{
	struct provider **link = &all.first;
	while (*link && (uintptr_t)*link != handle)
		link = &(*link)->next;
	return link;
}

static bool is_registered(REGHANDLE handle)
{
	pthread_mutex_lock(&all.lock);
	bool found = *find(handle) != NULL;
	pthread_mutex_unlock(&all.lock);
	return found;
}

static void free_provider(struct provider *provider)
{
	host_free(provider->traits);
	host_free(provider);
}

NTSTATUS NTAPI EtwRegister(const GUID *ProviderId, PETWENABLECALLBACK EnableCallback,
			   PVOID CallbackContext, PREGHANDLE RegHandle)
{
	if (!ProviderId || !RegHandle)
		return STATUS_INVALID_PARAMETER;
	struct provider *provider = host_alloc(sizeof(*provider));
	if (!provider)
		return STATUS_NO_MEMORY;
	provider->id = *ProviderId;
	provider->callback = EnableCallback;
	provider->context = CallbackContext;
	*RegHandle = (uintptr_t)provider;
	pthread_mutex_lock(&all.lock);
	provider->next = all.first;
	all.first = provider;
	pthread_mutex_unlock(&all.lock);
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI EtwUnregister(REGHANDLE RegHandle)
{
	pthread_mutex_lock(&all.lock);
	struct provider **link = find(RegHandle), *provider = *link;
	if (provider)
		*link = provider->next;
	pthread_mutex_unlock(&all.lock);
	if (!provider)
		return STATUS_INVALID_HANDLE;
	free_provider(provider);
	return STATUS_SUCCESS;
}

void etw_shutdown(void)
{
	while (all.first)
		EtwUnregister((uintptr_t)all.first);
}

/* ---- What a provider says about itself --------------------------------------------------- */

/* Traits begin with their size; the provider's name follows. */
static NTSTATUS set_traits(REGHANDLE handle, const void *traits, ULONG length)
{
	USHORT size;
	if (!traits || length < sizeof(size))
		return STATUS_INVALID_PARAMETER;
	void *copy = host_alloc(length);
	if (!copy)
		return STATUS_NO_MEMORY;
	memcpy(copy, traits, length);
	memcpy(&size, copy, sizeof(size));
	NTSTATUS status = size == length ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
	pthread_mutex_lock(&all.lock);
	struct provider *provider = *find(handle);
	if (!provider)
		status = STATUS_INVALID_HANDLE;
	if (NT_SUCCESS(status)) {
		void *before = provider->traits;
		provider->traits = copy;
		copy = before;
	}
	pthread_mutex_unlock(&all.lock);
	host_free(copy);
	return status;
}

NTSTATUS NTAPI EtwSetInformation(REGHANDLE RegHandle, EVENT_INFO_CLASS InformationClass,
				 PVOID EventInformation, ULONG InformationLength)
{
	if (!is_registered(RegHandle))
		return STATUS_INVALID_HANDLE;
	return InformationClass == EventProviderSetTraits
		       ? set_traits(RegHandle, EventInformation, InformationLength)
		       : STATUS_INVALID_DEVICE_REQUEST;
}

/* ---- Events -------------------------------------------------------------------------------- */

BOOLEAN NTAPI EtwEventEnabled(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor)
{
	(void)RegHandle;
	(void)EventDescriptor;
	return FALSE;
}

BOOLEAN NTAPI EtwProviderEnabled(REGHANDLE RegHandle, UCHAR Level, ULONGLONG Keyword)
{
	(void)RegHandle;
	(void)Level;
	(void)Keyword;
	return FALSE;
}

static NTSTATUS write_to_nobody(REGHANDLE handle, ULONG count)
{
	if (!is_registered(handle))
		return STATUS_INVALID_HANDLE;
	return count > MAX_EVENT_DATA_DESCRIPTORS ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

NTSTATUS NTAPI EtwWrite(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor,
			const GUID *ActivityId, ULONG UserDataCount,
			PEVENT_DATA_DESCRIPTOR UserData)
{
	(void)EventDescriptor;
	(void)ActivityId;
	(void)UserData;
	return write_to_nobody(RegHandle, UserDataCount);
}

NTSTATUS NTAPI EtwWriteTransfer(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor,
				const GUID *ActivityId, const GUID *RelatedActivityId,
				ULONG UserDataCount, PEVENT_DATA_DESCRIPTOR UserData)
{
	(void)EventDescriptor;
	(void)ActivityId;
	(void)RelatedActivityId;
	(void)UserData;
	return write_to_nobody(RegHandle, UserDataCount);
}

NTSTATUS NTAPI EtwWriteEx(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor, ULONG64 Filter,
			  ULONG Flags, const GUID *ActivityId, const GUID *RelatedActivityId,
			  ULONG UserDataCount, PEVENT_DATA_DESCRIPTOR UserData)
{
	(void)EventDescriptor;
	(void)Filter;
	(void)Flags;
	(void)ActivityId;
	(void)RelatedActivityId;
	(void)UserData;
	return write_to_nobody(RegHandle, UserDataCount);
}

NTSTATUS NTAPI EtwWriteString(REGHANDLE RegHandle, UCHAR Level, ULONGLONG Keyword,
			      const GUID *ActivityId, PCWSTR String)
{
	(void)Level;
	(void)Keyword;
	(void)ActivityId;
	(void)String;
	return write_to_nobody(RegHandle, 1);
}
