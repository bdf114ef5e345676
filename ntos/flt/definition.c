/* SPDX-License-Identifier: MIT */
/*
 * The instances that a minifilter's service key defines: subkeys of its Instances key,
 * each with an Altitude and Flags; the value DefaultInstance names the one that is meant
 * when none is named. Newer systems also look below Parameters. Read once, when the
 * filter registers.
 *
 * On Windows an INF file writes them, here altitude.c.
 *
 * Pages: FltRegisterFilter, "Creating an INF file for a minifilter driver".
 */
#include "cm/registry.h"
#include "flt/flt.h"
#include "memory.h"
#include "ob/altitude.h"
#include "ob/handle.h"
#include "rtl/string.h"
#include "rtl/utf.h"
#include <string.h>

#define SERVICES u"\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet\\Services\\"
#define MAX_PATH_UNITS 600
#define MAX_TEXT 256 /* units, of a name or an altitude */
#define LITERAL(text)                                                                              \
	{                                                                                          \
		sizeof(text) - sizeof(WCHAR), sizeof(text), (PWSTR)(uintptr_t)text                 \
	}

/* ---- The registry, by a handle -------------------------------------------------------- */

static NTSTATUS open_key(HANDLE root, PUNICODE_STRING path, HANDLE *key)
{
	OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes),
					.RootDirectory = root,
					.ObjectName = path,
					.Attributes = OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE};
	return ZwOpenKey(key, KEY_READ, &attributes);
}

union value {
	KEY_VALUE_PARTIAL_INFORMATION header;
	UCHAR room[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + MAX_TEXT * sizeof(WCHAR)];
};

static NTSTATUS read_value(HANDLE key, PUNICODE_STRING name, ULONG type, union value *value)
{
	ULONG size;
	NTSTATUS status = ZwQueryValueKey(key, name, KeyValuePartialInformation, value,
					  sizeof(*value), &size);
	return !NT_SUCCESS(status)          ? status
	       : value->header.Type == type ? STATUS_SUCCESS
					    : STATUS_OBJECT_TYPE_MISMATCH;
}

static NTSTATUS read_text(HANDLE key, PUNICODE_STRING name, UNICODE_STRING *text)
{
	union value value;
	NTSTATUS status = read_value(key, name, REG_SZ, &value);
	if (!NT_SUCCESS(status))
		return status;
	USHORT length = (USHORT)(value.header.DataLength & ~1u);
	UNICODE_STRING found = {length, length, (PWSTR)(void *)value.header.Data};
	while (found.Length && !found.Buffer[found.Length / 2 - 1])
		found.Length -= sizeof(WCHAR);
	return rtl_copy_string(&found, text) ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static ULONG read_number(HANDLE key, PUNICODE_STRING name)
{
	union value value;
	ULONG number = 0;
	if (NT_SUCCESS(read_value(key, name, REG_DWORD, &value)))
		memcpy(&number, value.header.Data, sizeof(number));
	return number;
}

/* ---- One definition ---------------------------------------------------------------------- */

static NTSTATUS read_definition(HANDLE instances, PUNICODE_STRING name,
				struct flt_definition *definition)
{
	UNICODE_STRING altitude = LITERAL(u"Altitude"), flags = LITERAL(u"Flags");
	HANDLE key;
	NTSTATUS status = open_key(instances, name, &key);
	if (!NT_SUCCESS(status))
		return status;
	status = read_text(key, &altitude, &definition->altitude);
	definition->flags = read_number(key, &flags);
	ZwClose(key);
	if (NT_SUCCESS(status) && !ob_altitude_is_numeric(&definition->altitude))
		status = STATUS_INVALID_PARAMETER;
	if (NT_SUCCESS(status) && !rtl_copy_string(name, &definition->name))
		status = STATUS_INSUFFICIENT_RESOURCES;
	if (!NT_SUCCESS(status))
		rtl_free_string(&definition->altitude);
	return status;
}

static bool is_known(const struct _FLT_FILTER *filter, PCUNICODE_STRING name)
{
	for (unsigned i = 0; i < filter->definition_count; i++)
		if (RtlEqualUnicodeString(&filter->definitions[i].name, name, TRUE))
			return true;
	return false;
}

static NTSTATUS add(PFLT_FILTER filter, HANDLE instances, PUNICODE_STRING name)
{
	unsigned count = filter->definition_count;
	if (is_known(filter, name))
		return STATUS_SUCCESS;
	struct flt_definition *more = host_alloc((count + 1) * sizeof(*more));
	if (!more)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (count)
		memcpy(more, filter->definitions, count * sizeof(*more));
	host_free(filter->definitions);
	filter->definitions = more;
	NTSTATUS status = read_definition(instances, name, &more[count]);
	if (NT_SUCCESS(status))
		filter->definition_count++;
	return status;
}

/* ---- All of them -------------------------------------------------------------------------- */

static NTSTATUS add_subkey(PFLT_FILTER filter, HANDLE instances, ULONG index)
{
	union {
		KEY_BASIC_INFORMATION header;
		UCHAR room[sizeof(KEY_BASIC_INFORMATION) + MAX_TEXT * sizeof(WCHAR)];
	} found;
	ULONG size;
	NTSTATUS status = ZwEnumerateKey(instances, index, KeyBasicInformation, &found,
					 sizeof(found), &size);
	if (!NT_SUCCESS(status))
		return status;
	UNICODE_STRING name = {(USHORT)found.header.NameLength, (USHORT)found.header.NameLength,
			       found.header.Name};
	/* One of several that is not as it should be is left out; the default is not. */
	status = add(filter, instances, &name);
	return status == STATUS_INSUFFICIENT_RESOURCES ? status : STATUS_SUCCESS;
}

static NTSTATUS read_all(PFLT_FILTER filter, HANDLE instances)
{
	UNICODE_STRING value = LITERAL(u"DefaultInstance"), name;
	NTSTATUS status = read_text(instances, &value, &name);
	if (!NT_SUCCESS(status))
		return status;
	status = add(filter, instances, &name);
	rtl_free_string(&name);
	for (ULONG i = 0; NT_SUCCESS(status); i++)
		status = add_subkey(filter, instances, i);
	return status == STATUS_NO_MORE_ENTRIES ? STATUS_SUCCESS : status;
}

static bool join(WCHAR *buffer, PCUNICODE_STRING name, PCUNICODE_STRING below, UNICODE_STRING *path)
{
	size_t prefix = sizeof(SERVICES) - sizeof(WCHAR);
	size_t length = prefix + name->Length + below->Length;
	if (length > MAX_PATH_UNITS * sizeof(WCHAR))
		return false;
	char *at = (char *)buffer;
	memcpy(at, SERVICES, prefix);
	memcpy(at + prefix, name->Buffer, name->Length);
	memcpy(at + prefix + name->Length, below->Buffer, below->Length);
	*path = (UNICODE_STRING){(USHORT)length, (USHORT)length, buffer};
	return true;
}

static NTSTATUS read_below(PFLT_FILTER filter, PCUNICODE_STRING below)
{
	WCHAR buffer[MAX_PATH_UNITS];
	UNICODE_STRING path;
	HANDLE instances;
	if (!join(buffer, &filter->name, below, &path))
		return STATUS_OBJECT_NAME_NOT_FOUND;
	NTSTATUS status = open_key(NULL, &path, &instances);
	if (!NT_SUCCESS(status))
		return status;
	status = read_all(filter, instances);
	ZwClose(instances);
	return status;
}

NTSTATUS flt_read_definitions(PFLT_FILTER filter)
{
	static const UNICODE_STRING places[] = {LITERAL(u"\\Instances"),
						LITERAL(u"\\Parameters\\Instances")};
	NTSTATUS status = read_below(filter, &places[0]);
	if (status == STATUS_OBJECT_NAME_NOT_FOUND || status == STATUS_OBJECT_PATH_NOT_FOUND)
		status = read_below(filter, &places[1]);
	return status == STATUS_OBJECT_PATH_NOT_FOUND ? STATUS_OBJECT_NAME_NOT_FOUND : status;
}
