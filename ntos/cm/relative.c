/* SPDX-License-Identifier: MIT */
/*
 * The run-time library's short cuts into the registry, but for
 * RtlQueryRegistryValues, which has a file of its own.
 *
 * Each opens a kernel handle through the Zw routines, works and closes it; no
 * state is kept.
 */
#include "cm/relative.h"
#include "memory.h"
#include "ob/handle.h"
#include <string.h>

static const WCHAR *const bases[RTL_REGISTRY_MAXIMUM] = {
	[RTL_REGISTRY_ABSOLUTE] = u"",
	[RTL_REGISTRY_SERVICES] = u"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\",
	[RTL_REGISTRY_CONTROL] = u"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\",
	[RTL_REGISTRY_WINDOWS_NT] =
		u"\\Registry\\Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion\\",
	[RTL_REGISTRY_DEVICEMAP] = u"\\Registry\\Machine\\Hardware\\DeviceMap\\",
	[RTL_REGISTRY_USER] = u"\\Registry\\User\\.Default\\",
};

size_t cm_length(PCWSTR text)
{
	size_t length = 0;
	while (text && text[length])
		length++;
	return length;
}

bool cm_counted(PCWSTR text, UNICODE_STRING *counted)
{
	size_t size = cm_length(text) * sizeof(WCHAR);
	if (size > UINT16_MAX - sizeof(WCHAR))
		return false;
	*counted = (UNICODE_STRING){(USHORT)size, (USHORT)(size + sizeof(WCHAR)), (PWSTR)text};
	return true;
}

/* Base and path as one text, terminated; freed with host_free. */
static PWSTR join(PCWSTR base, PCWSTR path)
{
	size_t head = cm_length(base), tail = cm_length(path);
	PWSTR text = host_alloc((head + tail + 1) * sizeof(WCHAR));
	if (!text)
		return NULL;
	memcpy(text, base, head * sizeof(WCHAR));
	if (tail)
		memcpy(text + head, path, tail * sizeof(WCHAR));
	return text;
}

static NTSTATUS open_path(PCWSTR text, bool create, HANDLE *handle)
{
	UNICODE_STRING name;
	OBJECT_ATTRIBUTES attributes = {
		.Length = sizeof(attributes),
		.ObjectName = &name,
		.Attributes = OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
	};
	if (!cm_counted(text, &name))
		return STATUS_NAME_TOO_LONG;
	return create ? ZwCreateKey(handle, KEY_ALL_ACCESS, &attributes, 0, NULL, 0, NULL)
		      : ZwOpenKey(handle, KEY_ALL_ACCESS, &attributes);
}

NTSTATUS cm_open_relative(ULONG relative_to, PCWSTR path, bool create, struct cm_relative *key)
{
	relative_to &= ~(ULONG)RTL_REGISTRY_OPTIONAL;
	if (relative_to & RTL_REGISTRY_HANDLE) {
		*key = (struct cm_relative){.handle = (HANDLE)path, .borrowed = true};
		return STATUS_SUCCESS;
	}
	if (relative_to >= RTL_REGISTRY_MAXIMUM)
		return STATUS_INVALID_PARAMETER;
	PWSTR text = join(bases[relative_to], path);
	if (!text)
		return STATUS_INSUFFICIENT_RESOURCES;
	HANDLE handle;
	NTSTATUS status = open_path(text, create, &handle);
	host_free(text);
	if (NT_SUCCESS(status))
		*key = (struct cm_relative){.handle = handle};
	return status;
}

void cm_close_relative(const struct cm_relative *key)
{
	if (!key->borrowed)
		ZwClose(key->handle);
}

/* The key is asked something, since a borrowed handle has not been looked at. */
static NTSTATUS reach(ULONG relative_to, PCWSTR path, bool create)
{
	struct cm_relative key;
	NTSTATUS status = cm_open_relative(relative_to, path, create, &key);
	if (!NT_SUCCESS(status))
		return status;
	status = ZwFlushKey(key.handle);
	cm_close_relative(&key);
	return status;
}

NTSTATUS NTAPI RtlCreateRegistryKey(ULONG RelativeTo, PWSTR Path)
{
	return reach(RelativeTo, Path, true);
}

NTSTATUS NTAPI RtlCheckRegistryKey(ULONG RelativeTo, PWSTR Path)
{
	return reach(RelativeTo, Path, false);
}

NTSTATUS NTAPI RtlWriteRegistryValue(ULONG RelativeTo, PCWSTR Path, PCWSTR ValueName,
				     ULONG ValueType, PVOID ValueData, ULONG ValueLength)
{
	struct cm_relative key;
	UNICODE_STRING name;
	if (!cm_counted(ValueName, &name))
		return STATUS_INVALID_PARAMETER;
	NTSTATUS status = cm_open_relative(RelativeTo, Path, true, &key);
	if (!NT_SUCCESS(status))
		return status;
	status = ZwSetValueKey(key.handle, &name, 0, ValueType, ValueData, ValueLength);
	cm_close_relative(&key);
	return status;
}

NTSTATUS NTAPI RtlDeleteRegistryValue(ULONG RelativeTo, PCWSTR Path, PCWSTR ValueName)
{
	struct cm_relative key;
	UNICODE_STRING name;
	if (!cm_counted(ValueName, &name))
		return STATUS_INVALID_PARAMETER;
	NTSTATUS status = cm_open_relative(RelativeTo, Path, false, &key);
	if (!NT_SUCCESS(status))
		return status;
	status = ZwDeleteValueKey(key.handle, &name);
	cm_close_relative(&key);
	return status;
}
