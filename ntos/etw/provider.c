/* SPDX-License-Identifier: MIT */
/*
 * Providers of trace events.
 *
 * A provider is a record in a list; its handle is the record's address, looked up in the
 * list and never followed, so that any number may be passed for one. The lock guards the
 * list and is a leaf.
 *
 * One session may run, that of the person who asked for providers (session.c). It exists
 * before they do, so a provider is enabled while it registers, or while it sets its traits
 * if it was asked for by name; its callback hears of it on that thread. Nobody disables it.
 * What an enabled provider writes is told (event.c); of any other it is dropped, as Windows
 * does.
 */
#include "etw/provider.h"
#include "etw/event.h"
#include "etw/session.h"
#include "ex/event.h"
#include "ke/callout.h"
#include "memory.h"
#include <pthread.h>
#include <string.h>

/* Of the session: events of every level and of every keyword. */
#define ALL_LEVELS 0xFF
#define ALL_KEYWORDS (~0ull)

/* Longer ones are no event any more, so nobody looks for their end. */
#define MAX_STRING 0x10000u

struct provider {
	struct provider *next;
	GUID id;
	PETWENABLECALLBACK callback;
	void *context;
	void *traits;    /* a copy, or NULL */
	bool uses_types; /* of its data descriptors */
	bool enabled;
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

/* The name in its traits, or NULL. Under the lock. */
static const char *name_of(const struct provider *provider)
{
	if (!provider->traits)
		return NULL;
	const char *name = (const char *)provider->traits + sizeof(USHORT);
	return *name ? name : NULL;
}

static void call_back(PETWENABLECALLBACK callback, void *context)
{
	static const GUID source = {0};
	struct ke_callout callout;
	ke_call_begin(&callout, "EtwRegister enable callback", (const void *)callback,
		      PASSIVE_LEVEL);
	callback(&source, EVENT_CONTROL_CODE_ENABLE_PROVIDER, ALL_LEVELS, ALL_KEYWORDS, 0, NULL,
		 context);
	ke_call_end(&callout, PASSIVE_LEVEL);
}

static void enable_if_wanted(REGHANDLE handle)
{
	PETWENABLECALLBACK callback = NULL;
	void *context = NULL;
	pthread_mutex_lock(&all.lock);
	struct provider *provider = *find(handle);
	if (provider && !provider->enabled && etw_wants(&provider->id, name_of(provider))) {
		provider->enabled = true;
		callback = provider->callback;
		context = provider->context;
	}
	pthread_mutex_unlock(&all.lock);
	if (callback)
		call_back(callback, context);
}

NTSTATUS NTAPI EtwRegister(const GUID *ProviderId, PETWENABLECALLBACK EnableCallback,
			   PVOID CallbackContext, PREGHANDLE RegHandle)
{
	if (!ProviderId || !RegHandle)
		return STATUS_INVALID_PARAMETER;
	const GUID id = *ProviderId;
	struct provider *provider = host_alloc(sizeof(*provider));
	if (!provider)
		return STATUS_NO_MEMORY;
	*provider = (struct provider){
		.id = id, .callback = EnableCallback, .context = CallbackContext};
	REGHANDLE handle = (uintptr_t)provider;
	pthread_mutex_lock(&all.lock);
	provider->next = all.first;
	all.first = provider;
	pthread_mutex_unlock(&all.lock);
	/* First, so that the callback may write events with it. */
	*RegHandle = handle;
	enable_if_wanted(handle);
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
	etw_end_session();
}

/* ---- What a provider says about itself --------------------------------------------------- */

/* Traits begin with their size; the provider's name follows. */
static bool are_traits(const char *traits, ULONG length)
{
	USHORT size;
	memcpy(&size, traits, sizeof(size));
	return size == length && memchr(traits + sizeof(size), 0, length - sizeof(size));
}

static NTSTATUS set_traits(REGHANDLE handle, const void *traits, ULONG length)
{
	if (!traits || length <= sizeof(USHORT) || length > UINT16_MAX)
		return STATUS_INVALID_PARAMETER;
	void *copy = host_alloc(length);
	if (!copy)
		return STATUS_NO_MEMORY;
	const char *bad = etw_read(traits, copy, length);
	if (bad) {
		host_free(copy);
		return etw_fault(bad);
	}
	NTSTATUS status = are_traits(copy, length) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
	pthread_mutex_lock(&all.lock);
	struct provider *provider = *find(handle);
	if (!provider)
		status = STATUS_INVALID_HANDLE;
	if (NT_SUCCESS(status)) {
		void *before = provider->traits;
		provider->traits = copy;
		provider->uses_types = true;
		copy = before;
	}
	pthread_mutex_unlock(&all.lock);
	host_free(copy);
	if (NT_SUCCESS(status))
		enable_if_wanted(handle);
	return status;
}

/* Whether data descriptors have a type; without this and without traits they have none. */
static NTSTATUS set_use_of_types(REGHANDLE handle, const void *information, ULONG length)
{
	if (!information || length != sizeof(BOOLEAN))
		return STATUS_INVALID_PARAMETER;
	const bool uses = *(const BOOLEAN *)information;
	pthread_mutex_lock(&all.lock);
	struct provider *provider = *find(handle);
	if (provider)
		provider->uses_types = uses;
	pthread_mutex_unlock(&all.lock);
	return provider ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

NTSTATUS NTAPI EtwSetInformation(REGHANDLE RegHandle, EVENT_INFO_CLASS InformationClass,
				 PVOID EventInformation, ULONG InformationLength)
{
	if (!is_registered(RegHandle))
		return STATUS_INVALID_HANDLE;
	switch (InformationClass) {
	case EventProviderSetTraits:
		return set_traits(RegHandle, EventInformation, InformationLength);
	case EventProviderUseDescriptorType:
		return set_use_of_types(RegHandle, EventInformation, InformationLength);
	default:
		return STATUS_INVALID_DEVICE_REQUEST;
	}
}

/* ---- Events -------------------------------------------------------------------------------- */

/* The session wants every level and keyword. */
static BOOLEAN is_enabled(REGHANDLE handle)
{
	pthread_mutex_lock(&all.lock);
	struct provider *provider = *find(handle);
	BOOLEAN enabled = provider && provider->enabled;
	pthread_mutex_unlock(&all.lock);
	return enabled;
}

BOOLEAN NTAPI EtwEventEnabled(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor)
{
	(void)EventDescriptor;
	return is_enabled(RegHandle);
}

BOOLEAN NTAPI EtwProviderEnabled(REGHANDLE RegHandle, UCHAR Level, ULONGLONG Keyword)
{
	(void)Level;
	(void)Keyword;
	return is_enabled(RegHandle);
}

/* What telling needs of the provider, which may be gone by then. */
static NTSTATUS find_source(REGHANDLE handle, struct etw_source *source, bool *enabled)
{
	pthread_mutex_lock(&all.lock);
	struct provider *provider = *find(handle);
	*enabled = provider && provider->enabled && ex_heard();
	if (*enabled) {
		const char *name = name_of(provider);
		source->provider = provider->id;
		source->uses_types = provider->uses_types;
		size_t length = name ? strnlen(name, ETW_MAX_NAME - 1) : 0;
		if (length)
			memcpy(source->name, name, length);
		source->name[length] = '\0';
	}
	pthread_mutex_unlock(&all.lock);
	return provider ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

static NTSTATUS write(REGHANDLE handle, const void *caller, const struct etw_written *written)
{
	bool enabled;
	struct etw_source source;
	source.caller = caller;
	NTSTATUS status = find_source(handle, &source, &enabled);
	if (!NT_SUCCESS(status))
		return status;
	if (written->count > MAX_EVENT_DATA_DESCRIPTORS)
		return STATUS_INVALID_PARAMETER;
	return enabled ? etw_tell(&source, written) : STATUS_SUCCESS;
}

NTSTATUS NTAPI EtwWrite(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor,
			const GUID *ActivityId, ULONG UserDataCount,
			PEVENT_DATA_DESCRIPTOR UserData)
{
	return write(
		RegHandle, __builtin_return_address(0),
		&(struct etw_written){EventDescriptor, ActivityId, NULL, UserDataCount, UserData});
}

NTSTATUS NTAPI EtwWriteTransfer(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor,
				const GUID *ActivityId, const GUID *RelatedActivityId,
				ULONG UserDataCount, PEVENT_DATA_DESCRIPTOR UserData)
{
	return write(RegHandle, __builtin_return_address(0),
		     &(struct etw_written){EventDescriptor, ActivityId, RelatedActivityId,
					   UserDataCount, UserData});
}

/* There are no filters, so Filter, which excludes sessions by them, excludes none. */
NTSTATUS NTAPI EtwWriteEx(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor, ULONG64 Filter,
			  ULONG Flags, const GUID *ActivityId, const GUID *RelatedActivityId,
			  ULONG UserDataCount, PEVENT_DATA_DESCRIPTOR UserData)
{
	(void)Filter;
	(void)Flags;
	return write(RegHandle, __builtin_return_address(0),
		     &(struct etw_written){EventDescriptor, ActivityId, RelatedActivityId,
					   UserDataCount, UserData});
}

/* An event with nothing but a level and a keyword, whose payload is the string. */
NTSTATUS NTAPI EtwWriteString(REGHANDLE RegHandle, UCHAR Level, ULONGLONG Keyword,
			      const GUID *ActivityId, PCWSTR String)
{
	const EVENT_DESCRIPTOR descriptor = {.Level = Level, .Keyword = Keyword};
	EVENT_DATA_DESCRIPTOR data = {.Ptr = (uintptr_t)String};
	if (!is_enabled(RegHandle))
		return is_registered(RegHandle) ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
	if (!String)
		return STATUS_INVALID_PARAMETER;
	while (data.Size < MAX_STRING && String[data.Size / sizeof(WCHAR)])
		data.Size += sizeof(WCHAR);
	data.Size += sizeof(WCHAR);
	return write(RegHandle, __builtin_return_address(0),
		     &(struct etw_written){&descriptor, ActivityId, NULL, 1, &data});
}
