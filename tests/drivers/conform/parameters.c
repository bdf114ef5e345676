/* SPDX-License-Identifier: MIT */
/*
 * Values of the Parameters key of the service; each may be missing.
 *
 *	Profile		REG_SZ	"documented" (default) or "observed"
 *	Alone		REG_DWORD	1: no other driver registers anything
 *	Invasive	REG_DWORD	1: also what a Windows with PatchGuard may not survive
 */
#include "conform.h"

CONFORM_PARAMETERS Parameters;

typedef union _VALUE {
	KEY_VALUE_PARTIAL_INFORMATION Information;
	UCHAR Bytes[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + 64];
} VALUE;

static NTSTATUS OpenParameters(PUNICODE_STRING RegistryPath, PHANDLE Key)
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
	status = ZwOpenKey(Key, KEY_READ, &attributes);
	ZwClose(service);
	return status;
}

static BOOLEAN ReadValue(HANDLE Key, PCWSTR Name, ULONG Type, VALUE *Value)
{
	UNICODE_STRING name;
	ULONG size;

	RtlInitUnicodeString(&name, Name);
	return NT_SUCCESS(ZwQueryValueKey(Key, &name, KeyValuePartialInformation, Value,
					  sizeof(*Value), &size)) &&
	       Value->Information.Type == Type;
}

static BOOLEAN ReadFlag(HANDLE Key, PCWSTR Name)
{
	VALUE value;

	return ReadValue(Key, Name, REG_DWORD, &value) && *(PULONG)value.Information.Data != 0;
}

static BOOLEAN ReadProfile(HANDLE Key)
{
	UNICODE_STRING observed = RTL_CONSTANT_STRING(L"observed");
	UNICODE_STRING profile;
	VALUE value;

	if (!ReadValue(Key, L"Profile", REG_SZ, &value))
		return FALSE;
	profile.Buffer = (PWSTR)value.Information.Data;
	profile.Length = (USHORT)value.Information.DataLength;
	if (profile.Length > observed.Length) /* the terminator is part of the data */
		profile.Length = observed.Length;
	profile.MaximumLength = profile.Length;
	return RtlEqualUnicodeString(&profile, &observed, TRUE);
}

VOID ConformReadParameters(PUNICODE_STRING RegistryPath)
{
	HANDLE key;

	if (!NT_SUCCESS(OpenParameters(RegistryPath, &key)))
		return;
	Parameters.Observed = ReadProfile(key);
	Parameters.Alone = ReadFlag(key, L"Alone");
	Parameters.Invasive = ReadFlag(key, L"Invasive");
	ZwClose(key);
}
