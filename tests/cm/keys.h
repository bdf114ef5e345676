/* SPDX-License-Identifier: MIT */
/* Keys in a line, for tests of the registry. */
#ifndef RINGSIDE_TEST_CM_KEYS_H
#define RINGSIDE_TEST_CM_KEYS_H

#include "cm/registry.h"
#include "ob/handle.h"
#include "support/world.h"
#include <stdlib.h>
#include <string.h>

#define SERVICES u"\\Registry\\Machine\\System\\CurrentControlSet\\Services"

static inline OBJECT_ATTRIBUTES named(HANDLE root, PUNICODE_STRING name)
{
	return (OBJECT_ATTRIBUTES){
		.Length = sizeof(OBJECT_ATTRIBUTES),
		.RootDirectory = root,
		.ObjectName = name,
		.Attributes = OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
	};
}

static inline UNICODE_STRING counted(PCWSTR text)
{
	size_t length = 0;
	while (text[length])
		length++;
	return (UNICODE_STRING){(USHORT)(length * 2), (USHORT)(length * 2), (PWSTR)text};
}

static inline NTSTATUS try_open(HANDLE root, PCWSTR path, HANDLE *handle)
{
	UNICODE_STRING name = counted(path);
	OBJECT_ATTRIBUTES attributes = named(root, &name);
	return ZwOpenKey(handle, KEY_ALL_ACCESS, &attributes);
}

static inline NTSTATUS try_create(HANDLE root, PCWSTR path, ULONG options, HANDLE *handle,
				  ULONG *disposition)
{
	UNICODE_STRING name = counted(path);
	OBJECT_ATTRIBUTES attributes = named(root, &name);
	return ZwCreateKey(handle, KEY_ALL_ACCESS, &attributes, 0, NULL, options, disposition);
}

static inline HANDLE open_key(HANDLE root, PCWSTR path)
{
	HANDLE handle = NULL;
	assert_ntsuccess(try_open(root, path, &handle));
	return handle;
}

static inline HANDLE create_key(HANDLE root, PCWSTR path)
{
	HANDLE handle = NULL;
	assert_ntsuccess(try_create(root, path, 0, &handle, NULL));
	return handle;
}

static inline void set_value(HANDLE key, PCWSTR name, ULONG type, const void *data, ULONG size)
{
	UNICODE_STRING text = counted(name);
	assert_ntsuccess(ZwSetValueKey(key, &text, 0, type, (PVOID)data, size));
}

#endif
