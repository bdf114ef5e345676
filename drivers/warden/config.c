/* SPDX-License-Identifier: MIT */
/*
 * The configuration: two lists of image file names, from the Parameters key of
 * the service.
 *
 *	DenyImages	programs that may not start
 *	ProtectImages	programs that may not be tampered with
 *
 * Each is a REG_MULTI_SZ, or a REG_SZ for a single name, of file names without a
 * folder ("miner.exe"). A list that is missing is empty.
 */
#include "warden.h"

/* A value as it was read, with zeros behind it; NULL is the empty list. */
typedef PKEY_VALUE_PARTIAL_INFORMATION WARDEN_LIST;

static WARDEN_LIST DenyImages;
static WARDEN_LIST ProtectImages;

static NTSTATUS OpenParameters(PUNICODE_STRING RegistryPath, PHANDLE Parameters);
static NTSTATUS ReadList(HANDLE Key, PCWSTR Name, WARDEN_LIST *List);

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, OpenParameters)
#pragma alloc_text(INIT, ReadList)
#pragma alloc_text(INIT, WardenReadConfiguration)
#pragma alloc_text(PAGE, WardenFreeConfiguration)
#pragma alloc_text(PAGE, WardenIsDenied)
#pragma alloc_text(PAGE, WardenShallProtect)
#endif

static NTSTATUS OpenParameters(PUNICODE_STRING RegistryPath, PHANDLE Parameters)
{
	UNICODE_STRING name = RTL_CONSTANT_STRING(L"Parameters");
	OBJECT_ATTRIBUTES attributes;
	HANDLE service;
	NTSTATUS status;

	InitializeObjectAttributes(&attributes, RegistryPath,
				   OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
	status = ZwOpenKey(&service, KEY_READ, &attributes);
	if (!NT_SUCCESS(status))
		return status;

	InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
				   service, NULL);
	status = ZwOpenKey(Parameters, KEY_READ, &attributes);
	ZwClose(service);
	return status;
}

/*
 * The registry promises no terminator, so two are added: one ends a REG_SZ, the
 * other the list. *List stays NULL when there is no such value.
 */
static NTSTATUS ReadList(HANDLE Key, PCWSTR Name, WARDEN_LIST *List)
{
	const ULONG terminators = 2 * sizeof(WCHAR);
	WARDEN_LIST list;
	UNICODE_STRING name;
	NTSTATUS status;
	ULONG size;

	RtlInitUnicodeString(&name, Name);
	status = ZwQueryValueKey(Key, &name, KeyValuePartialInformation, NULL, 0, &size);
	if (status == STATUS_OBJECT_NAME_NOT_FOUND)
		return STATUS_SUCCESS;
	if (status != STATUS_BUFFER_TOO_SMALL)
		return status;

	list = ExAllocatePoolUninitialized(PagedPool, (SIZE_T)size + terminators, WARDEN_TAG);
	if (list == NULL)
		return STATUS_INSUFFICIENT_RESOURCES;
	RtlZeroMemory((PUCHAR)list + size, terminators);

	/* Fails with STATUS_BUFFER_OVERFLOW if the value has grown since; nobody
	 * should be changing it while the driver loads. */
	status = ZwQueryValueKey(Key, &name, KeyValuePartialInformation, list, size, &size);
	if (NT_SUCCESS(status) && list->Type != REG_SZ && list->Type != REG_MULTI_SZ) {
		WardenLog(DPFLTR_ERROR_LEVEL, "%ws is neither REG_SZ nor REG_MULTI_SZ", Name);
		status = STATUS_OBJECT_TYPE_MISMATCH;
	}
	if (!NT_SUCCESS(status)) {
		ExFreePoolWithTag(list, WARDEN_TAG);
		return status;
	}
	*List = list;
	return STATUS_SUCCESS;
}

NTSTATUS
WardenReadConfiguration(PUNICODE_STRING RegistryPath)
{
	HANDLE parameters;
	NTSTATUS status;

	status = OpenParameters(RegistryPath, &parameters);
	if (status == STATUS_OBJECT_NAME_NOT_FOUND) {
		WardenLog(DPFLTR_WARNING_LEVEL, "no parameters: nothing to deny or protect");
		return STATUS_SUCCESS;
	}
	if (!NT_SUCCESS(status))
		return status;

	status = ReadList(parameters, L"DenyImages", &DenyImages);
	if (NT_SUCCESS(status))
		status = ReadList(parameters, L"ProtectImages", &ProtectImages);
	ZwClose(parameters);

	if (!NT_SUCCESS(status))
		WardenFreeConfiguration();
	return status;
}

static VOID FreeList(WARDEN_LIST *List)
{
	if (*List != NULL)
		ExFreePoolWithTag(*List, WARDEN_TAG);
	*List = NULL;
}

VOID WardenFreeConfiguration(VOID)
{
	PAGED_CODE();

	FreeList(&DenyImages);
	FreeList(&ProtectImages);
}

/*
 * The last component of a path. Windows separates with '\', and so do the names of
 * Win32 processes (\??\C:\tools\miner.exe). A subsystem process is named by its
 * Linux path (/usr/bin/xxd), in which '\' is a letter like any other.
 */
static UNICODE_STRING LastComponent(PCUNICODE_STRING Path)
{
	const USHORT count = Path->Length / sizeof(WCHAR);
	UNICODE_STRING last;
	USHORT start = count;
	WCHAR separator = L'\\';

	if (count != 0 && Path->Buffer[0] == L'/')
		separator = L'/';
	while (start != 0 && Path->Buffer[start - 1] != separator)
		start--;

	last.Buffer = Path->Buffer + start;
	last.Length = (USHORT)((count - start) * sizeof(WCHAR));
	last.MaximumLength = last.Length;
	return last;
}

static BOOLEAN ListContains(WARDEN_LIST List, PCUNICODE_STRING ImageFileName)
{
	UNICODE_STRING image, name;
	PCWSTR next;

	/* A process without an image, such as some of other subsystems. */
	if (List == NULL || ImageFileName == NULL)
		return FALSE;

	image = LastComponent(ImageFileName);
	for (next = (PCWSTR)List->Data; *next != L'\0'; next += name.Length / sizeof(WCHAR) + 1) {
		RtlInitUnicodeString(&name, next);
		if (RtlEqualUnicodeString(&name, &image, TRUE))
			return TRUE;
	}
	return FALSE;
}

BOOLEAN
WardenIsDenied(PCUNICODE_STRING ImageFileName)
{
	PAGED_CODE();

	return ListContains(DenyImages, ImageFileName);
}

BOOLEAN
WardenShallProtect(PCUNICODE_STRING ImageFileName)
{
	PAGED_CODE();

	return ListContains(ProtectImages, ImageFileName);
}
