/* SPDX-License-Identifier: MIT */
/*
 * RtlQueryRegistryValues: a table of what the driver wants of a key.
 *
 * Each entry of the table either opens a subkey for those that follow, or calls
 * the driver's routine for one value or for all, or has one value stored directly.
 * The key's values are copied out first, one at a time: no lock is held and no
 * memory of the registry is in use while the driver's routine runs.
 *
 * Where the documentation leaves open what RTL_REGISTRY_OPTIONAL does with the
 * entries when the key is missing, they are treated as those of an empty key.
 * There is no system environment here: REG_EXPAND_SZ is expanded with the names of
 * the Environment block that the driver passes, and others stay as they are.
 */
#include "cm/relative.h"
#include "ex/pool.h"
#include "ke/bugcheck.h"
#include "memory.h"
#include "ob/handle.h"
#include <string.h>

#define DIRECT_STRING_TAG 0x76725152 /* 'RQrv' */

struct query {
	HANDLE top;     /* NULL: an optional key that is missing */
	HANDLE current; /* top or an open subkey */
	const RTL_QUERY_REGISTRY_TABLE *entry;
	PVOID context;
	PCWSTR environment;
	const void *caller; /* driver code, who owns what is allocated for it */
};

/* A value as the driver's routine gets it. */
struct found {
	UNICODE_STRING name; /* terminated */
	ULONG type, size;
	const void *data;
	void *memory;
};

static bool is_text(ULONG type)
{
	return type == REG_SZ || type == REG_EXPAND_SZ || type == REG_MULTI_SZ;
}

/* ---- Reading a value --------------------------------------------------------- */

/* Asks for the value called `name`, or for the one at `index` when it is NULL. */
static NTSTATUS ask(HANDLE key, PUNICODE_STRING name, ULONG index, KEY_VALUE_FULL_INFORMATION *info,
		    ULONG length, ULONG *needed)
{
	if (!key)
		return name ? STATUS_OBJECT_NAME_NOT_FOUND : STATUS_NO_MORE_ENTRIES;
	return name ? ZwQueryValueKey(key, name, KeyValueFullInformation, info, length, needed)
		    : ZwEnumerateValueKey(key, index, KeyValueFullInformation, info, length,
					  needed);
}

/* Somebody may set the value to something longer between the question for its
 * size and the one for its contents; then both are asked again. */
static NTSTATUS read_value(HANDLE key, PUNICODE_STRING name, ULONG index,
			   KEY_VALUE_FULL_INFORMATION **info)
{
	KEY_VALUE_FULL_INFORMATION *buffer = NULL;
	ULONG length = 0;
	for (;;) {
		ULONG needed;
		NTSTATUS status = ask(key, name, index, buffer, length, &needed);
		if (NT_SUCCESS(status)) {
			KE_ASSERT(buffer); /* no answer fits in nothing */
			*info = buffer;
			return status;
		}
		host_free(buffer);
		if (status != STATUS_BUFFER_TOO_SMALL && status != STATUS_BUFFER_OVERFLOW)
			return status;
		length = needed;
		buffer = host_alloc(length);
		if (!buffer)
			return STATUS_INSUFFICIENT_RESOURCES;
	}
}

/* Copies name and data, each with a terminator behind it: routines treat both as
 * C strings, though nobody is made to store one. */
static NTSTATUS copy_value(const KEY_VALUE_FULL_INFORMATION *info, struct found *found)
{
	const WCHAR *data = (const void *)((const char *)info + info->DataOffset);
	const ULONG units = info->DataLength / sizeof(WCHAR); /* if it is text */
	const ULONG data_at = (info->NameLength + sizeof(WCHAR) + 7) & ~7u;
	char *memory = host_alloc(data_at + (size_t)info->DataLength + 2 * sizeof(WCHAR));
	if (!memory)
		return STATUS_INSUFFICIENT_RESOURCES;
	memcpy(memory, info->Name, info->NameLength);
	if (info->DataLength)
		memcpy(memory + data_at, data, info->DataLength);
	*found = (struct found){
		.name = {(USHORT)info->NameLength, (USHORT)(info->NameLength + sizeof(WCHAR)),
			 (PWSTR)(void *)memory},
		.type = info->Type,
		.size = info->DataLength,
		.data = memory + data_at,
		.memory = memory,
	};
	if (is_text(info->Type)) {
		bool ended = units && data[units - 1] == 0;
		found->size = (units + !ended) * sizeof(WCHAR);
	}
	return STATUS_SUCCESS;
}

static NTSTATUS fetch(HANDLE key, PUNICODE_STRING name, ULONG index, struct found *found)
{
	KEY_VALUE_FULL_INFORMATION *info;
	NTSTATUS status = read_value(key, name, index, &info);
	if (!NT_SUCCESS(status))
		return status;
	status = copy_value(info, found);
	host_free(info);
	return status;
}

/* ---- Handing it over -------------------------------------------------------- */

static NTSTATUS store_text(const struct query *query, const struct found *found)
{
	UNICODE_STRING *string = query->entry->EntryContext;
	if (found->size > UINT16_MAX)
		return STATUS_BUFFER_TOO_SMALL;
	if (!string->Buffer) {
		PWSTR buffer = ex_allocate_pool(query->caller, PagedPool, found->size,
						DIRECT_STRING_TAG);
		if (!buffer)
			return STATUS_INSUFFICIENT_RESOURCES;
		string->Buffer = buffer;
		string->MaximumLength = (USHORT)found->size;
	} else if (string->MaximumLength < found->size) {
		return STATUS_BUFFER_TOO_SMALL;
	}
	memcpy(string->Buffer, found->data, found->size);
	string->Length = (USHORT)(found->size - sizeof(WCHAR));
	return STATUS_SUCCESS;
}

/* More than a ULONG: the buffer begins with its own size, negated when it is to
 * hold the data alone, otherwise length and type come first. */
static NTSTATUS store_binary(const struct query *query, const struct found *found)
{
	char *buffer = query->entry->EntryContext;
	const ULONG head[2] = {found->size, found->type};
	LONG room;
	memcpy(&room, buffer, sizeof(room));
	if (room < 0) {
		if ((ULONG) - (int64_t)room < found->size)
			return STATUS_BUFFER_TOO_SMALL;
		memcpy(buffer, found->data, found->size);
		return STATUS_SUCCESS;
	}
	if ((ULONG)room < sizeof(head) || (ULONG)room - sizeof(head) < found->size)
		return STATUS_BUFFER_TOO_SMALL;
	memcpy(buffer, head, sizeof(head));
	memcpy(buffer + sizeof(head), found->data, found->size);
	return STATUS_SUCCESS;
}

static NTSTATUS store(const struct query *query, const struct found *found)
{
	if (is_text(found->type))
		return store_text(query, found);
	if (found->size > sizeof(ULONG))
		return store_binary(query, found);
	memcpy(query->entry->EntryContext, found->data, found->size);
	return STATUS_SUCCESS;
}

static NTSTATUS hand_over(const struct query *query, const struct found *found)
{
	const RTL_QUERY_REGISTRY_TABLE *entry = query->entry;
	if (entry->Flags & RTL_QUERY_REGISTRY_DIRECT)
		return store(query, found);
	return entry->QueryRoutine(found->name.Buffer, found->type, (PVOID)found->data, found->size,
				   query->context, entry->EntryContext);
}

/* ---- Expanding -------------------------------------------------------------- */

static WCHAR fold(WCHAR c)
{
	return c >= u'a' && c <= u'z' ? c - u'a' + u'A' : c;
}

/* The value of the variable named by `count` characters, or NULL. */
static PCWSTR variable(PCWSTR environment, PCWSTR name, size_t count)
{
	for (PCWSTR at = environment; at && *at; at += cm_length(at) + 1) {
		size_t i = 0;
		while (i < count && at[i] && fold(at[i]) == fold(name[i]))
			i++;
		if (i == count && at[i] == u'=')
			return at + i + 1;
	}
	return NULL;
}

/* Writes the expansion of `text` unless `out` is NULL; returns its length in
 * characters. */
static size_t expand(PCWSTR text, PCWSTR environment, PWSTR out)
{
	size_t written = 0;
	while (*text) {
		PCWSTR piece = text, value = NULL;
		size_t name = 0, count = 1;
		if (*text == u'%') {
			while (text[1 + name] && text[1 + name] != u'%')
				name++;
			if (text[1 + name] == u'%')
				value = variable(environment, text + 1, name);
		}
		if (value) {
			piece = value;
			count = cm_length(value);
		}
		if (out)
			memcpy(out + written, piece, count * sizeof(WCHAR));
		written += count;
		text += value ? name + 2 : 1;
	}
	return written;
}

static NTSTATUS hand_over_expanded(const struct query *query, const struct found *found)
{
	size_t length = expand(found->data, query->environment, NULL);
	PWSTR text = host_alloc((length + 1) * sizeof(WCHAR));
	if (!text)
		return STATUS_INSUFFICIENT_RESOURCES;
	expand(found->data, query->environment, text);
	const struct found expanded = {
		.name = found->name,
		.type = REG_SZ,
		.size = (ULONG)((length + 1) * sizeof(WCHAR)),
		.data = text,
	};
	NTSTATUS status = hand_over(query, &expanded);
	host_free(text);
	return status;
}

/* One call for each string of a REG_MULTI_SZ. */
static NTSTATUS hand_over_each(const struct query *query, const struct found *found)
{
	PCWSTR at = found->data, end = at + found->size / sizeof(WCHAR);
	/* NOEXPAND is required for storing one of these directly. */
	if (query->entry->Flags & RTL_QUERY_REGISTRY_DIRECT)
		return STATUS_INVALID_PARAMETER;
	while (at < end && *at) {
		size_t count = cm_length(at) + 1;
		const struct found one = {
			.name = found->name,
			.type = REG_SZ,
			.size = (ULONG)(count * sizeof(WCHAR)),
			.data = at,
		};
		NTSTATUS status = hand_over(query, &one);
		if (!NT_SUCCESS(status))
			return status;
		at += count;
	}
	return STATUS_SUCCESS;
}

static NTSTATUS expand_and_hand_over(const struct query *query, const struct found *found)
{
	if (!(query->entry->Flags & RTL_QUERY_REGISTRY_NOEXPAND)) {
		if (found->type == REG_MULTI_SZ)
			return hand_over_each(query, found);
		if (found->type == REG_EXPAND_SZ)
			return hand_over_expanded(query, found);
	}
	return hand_over(query, found);
}

/* ---- Entries ---------------------------------------------------------------- */

static ULONG default_size(ULONG type, const void *data)
{
	PCWSTR at = data;
	size_t units = 0;
	if (!data || !is_text(type))
		return 0;
	units = cm_length(at) + 1;
	if (type == REG_MULTI_SZ)
		for (; at[units - 1] || at[units]; units++)
			;
	return (ULONG)((units + (type == REG_MULTI_SZ)) * sizeof(WCHAR));
}

static NTSTATUS use_default(const struct query *query)
{
	const RTL_QUERY_REGISTRY_TABLE *entry = query->entry;
	ULONG type = entry->DefaultType;
	if (entry->Flags & RTL_QUERY_REGISTRY_REQUIRED)
		return STATUS_OBJECT_NAME_NOT_FOUND;
	if (entry->Flags & RTL_QUERY_REGISTRY_TYPECHECK)
		type &= (1u << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT) - 1;
	if (type == REG_NONE)
		return STATUS_SUCCESS;
	const struct found found = {
		.name.Buffer = entry->Name,
		.type = type,
		.size = entry->DefaultLength ? entry->DefaultLength
					     : default_size(type, entry->DefaultData),
		.data = entry->DefaultData,
	};
	return expand_and_hand_over(query, &found);
}

static NTSTATUS use_value(const struct query *query, const struct found *found)
{
	const RTL_QUERY_REGISTRY_TABLE *entry = query->entry;
	ULONG expected = entry->DefaultType >> RTL_QUERY_REGISTRY_TYPECHECK_SHIFT;
	if (entry->Flags & RTL_QUERY_REGISTRY_TYPECHECK && expected != REG_NONE &&
	    expected != found->type)
		return STATUS_OBJECT_TYPE_MISMATCH;
	NTSTATUS status = expand_and_hand_over(query, found);
	if (NT_SUCCESS(status) && entry->Flags & RTL_QUERY_REGISTRY_DELETE)
		status = ZwDeleteValueKey(query->current, (PUNICODE_STRING)&found->name);
	return status;
}

static NTSTATUS query_named(const struct query *query)
{
	struct found found;
	UNICODE_STRING name;
	if (!cm_counted(query->entry->Name, &name))
		return STATUS_INVALID_PARAMETER;
	NTSTATUS status = fetch(query->current, &name, 0, &found);
	if (status == STATUS_OBJECT_NAME_NOT_FOUND)
		return use_default(query);
	if (!NT_SUCCESS(status))
		return status;
	status = use_value(query, &found);
	host_free(found.memory);
	return status;
}

static NTSTATUS query_all(const struct query *query)
{
	const ULONG flags = query->entry->Flags;
	bool any = false;
	for (ULONG index = 0;;) {
		struct found found;
		NTSTATUS status = fetch(query->current, NULL, index, &found);
		if (status == STATUS_NO_MORE_ENTRIES)
			break;
		if (!NT_SUCCESS(status))
			return status;
		any = true;
		status = use_value(query, &found);
		host_free(found.memory);
		if (!NT_SUCCESS(status))
			return status;
		if (!(flags & RTL_QUERY_REGISTRY_DELETE))
			index++;
	}
	return any || !(flags & RTL_QUERY_REGISTRY_REQUIRED) ? STATUS_SUCCESS
							     : STATUS_OBJECT_NAME_NOT_FOUND;
}

static void leave_subkey(struct query *query)
{
	if (query->current != query->top)
		ZwClose(query->current);
	query->current = query->top;
}

static NTSTATUS enter_subkey(struct query *query)
{
	UNICODE_STRING name;
	OBJECT_ATTRIBUTES attributes = {
		.Length = sizeof(attributes),
		.RootDirectory = query->top,
		.ObjectName = &name,
		.Attributes = OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
	};
	HANDLE handle;
	if (!query->top)
		return STATUS_SUCCESS;
	if (!cm_counted(query->entry->Name, &name))
		return STATUS_INVALID_PARAMETER;
	NTSTATUS status = ZwOpenKey(&handle, KEY_ALL_ACCESS, &attributes);
	if (NT_SUCCESS(status))
		query->current = handle;
	return status;
}

static NTSTATUS query_entry(struct query *query)
{
	const RTL_QUERY_REGISTRY_TABLE *entry = query->entry;
	const bool subkey = entry->Flags & RTL_QUERY_REGISTRY_SUBKEY;
	if (entry->Flags & RTL_QUERY_REGISTRY_DIRECT &&
	    (!entry->Name || subkey || entry->QueryRoutine))
		return STATUS_INVALID_PARAMETER;
	if (entry->Flags & (RTL_QUERY_REGISTRY_SUBKEY | RTL_QUERY_REGISTRY_TOPKEY))
		leave_subkey(query);
	if (subkey) {
		if (!entry->Name)
			return STATUS_INVALID_PARAMETER;
		NTSTATUS status = enter_subkey(query);
		return NT_SUCCESS(status) && entry->QueryRoutine ? query_all(query) : status;
	}
	if (entry->Name)
		return query_named(query);
	if (entry->Flags & RTL_QUERY_REGISTRY_NOVALUE)
		return entry->QueryRoutine(NULL, REG_NONE, NULL, 0, query->context,
					   entry->EntryContext);
	return query_all(query);
}

static bool is_end(const RTL_QUERY_REGISTRY_TABLE *entry)
{
	return !entry->QueryRoutine &&
	       !(entry->Flags & (RTL_QUERY_REGISTRY_SUBKEY | RTL_QUERY_REGISTRY_DIRECT));
}

NTSTATUS NTAPI RtlQueryRegistryValues(ULONG RelativeTo, PCWSTR Path,
				      PRTL_QUERY_REGISTRY_TABLE QueryTable, PVOID Context,
				      PVOID Environment)
{
	struct cm_relative key = {.borrowed = true};
	NTSTATUS status = cm_open_relative(RelativeTo, Path, false, &key);
	if (status == STATUS_OBJECT_NAME_NOT_FOUND && RelativeTo & RTL_REGISTRY_OPTIONAL)
		status = STATUS_SUCCESS;
	if (!NT_SUCCESS(status))
		return status;
	struct query query = {
		.top = key.handle,
		.current = key.handle,
		.context = Context,
		.environment = Environment,
		.caller = __builtin_return_address(0),
	};
	for (query.entry = QueryTable; NT_SUCCESS(status) && !is_end(query.entry); query.entry++)
		status = query_entry(&query);
	leave_subkey(&query);
	cm_close_relative(&key);
	return status;
}
