/* SPDX-License-Identifier: MIT */
/*
 * What a callback can ask about a key object: its identifier, its name, its transaction.
 *
 * The identifier is the key's place in the tree, which all objects of the key share. The
 * object may be one whose last reference is gone (RegNtPreKeyHandleClose), so nothing
 * here takes one. A name that CmCallbackGetKeyObjectID has given is kept in the object and
 * never replaced, as keys here keep their names; the first of two that make it wins.
 *
 * Pages: CmCallbackGetKeyObjectID(Ex), CmCallbackReleaseKeyObjectIDEx,
 * CmGetBoundTransaction.
 */
#include "cm/filter.h"
#include "memory.h"
#include <string.h>

/* A name in one allocation. */
static NTSTATUS make_name(struct cm_key *key, UNICODE_STRING **name)
{
	UNICODE_STRING path;
	NTSTATUS status = cm_full_path(key->node, &path);
	if (!NT_SUCCESS(status))
		return status;
	UNICODE_STRING *made = host_alloc(sizeof(*made) + path.Length + sizeof(WCHAR));
	if (made) {
		*made = (UNICODE_STRING){path.Length, path.Length + sizeof(WCHAR),
					 (PWSTR)(void *)(made + 1)};
		memcpy(made->Buffer, path.Buffer, path.Length);
		*name = made;
	}
	host_free(path.Buffer);
	return made ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS kept_name(struct cm_key *key, UNICODE_STRING **name)
{
	UNICODE_STRING *known = atomic_load_explicit(&key->name, memory_order_acquire), *made;
	if (!known) {
		NTSTATUS status = make_name(key, &made);
		if (!NT_SUCCESS(status))
			return status;
		if (atomic_compare_exchange_strong(&key->name, &known, made))
			known = made;
		else
			host_free(made);
	}
	*name = known;
	return STATUS_SUCCESS;
}

static bool is_valid(const LARGE_INTEGER *cookie, PVOID object)
{
	const LONGLONG wanted = cookie->QuadPart;
	pthread_mutex_lock(&cm_filters.lock);
	bool known = cm_find_filter(wanted) != NULL;
	pthread_mutex_unlock(&cm_filters.lock);
	return known && cm_is_key(object);
}

typedef NTSTATUS name_maker(struct cm_key *key, UNICODE_STRING **name);

static NTSTATUS identify(const LARGE_INTEGER *cookie, PVOID object, PULONG_PTR id,
			 PCUNICODE_STRING *name, name_maker *make)
{
	UNICODE_STRING *made = NULL;
	if (!is_valid(cookie, object))
		return STATUS_INVALID_PARAMETER;
	struct cm_key *key = object;
	NTSTATUS status = name ? make(key, &made) : STATUS_SUCCESS;
	if (!NT_SUCCESS(status))
		return status;
	if (name)
		*name = made;
	if (id)
		*id = (ULONG_PTR)key->node;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI CmCallbackGetKeyObjectID(LARGE_INTEGER *Cookie, PVOID Object, PULONG_PTR ObjectID,
					PCUNICODE_STRING *ObjectName)
{
	return identify(Cookie, Object, ObjectID, ObjectName, kept_name);
}

NTSTATUS NTAPI CmCallbackGetKeyObjectIDEx(LARGE_INTEGER *Cookie, PVOID Object, PULONG_PTR ObjectID,
					  PCUNICODE_STRING *ObjectName, ULONG Flags)
{
	if (Flags)
		return STATUS_INVALID_PARAMETER;
	return identify(Cookie, Object, ObjectID, ObjectName, make_name);
}

VOID NTAPI CmCallbackReleaseKeyObjectIDEx(PCUNICODE_STRING ObjectName)
{
	host_free((void *)(uintptr_t)ObjectName);
}

PVOID NTAPI CmGetBoundTransaction(LARGE_INTEGER *Cookie, PVOID Object)
{
	(void)Cookie;
	(void)Object;
	return NULL;
}
