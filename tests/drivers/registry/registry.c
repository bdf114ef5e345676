/* SPDX-License-Identifier: MIT */
/*
 * A registry filter as a compiled driver: the structures are those of the DDK's headers.
 * DriverEntry fails after saying which line did. With the parameter Forget it leaves its
 * callback registered when it unloads.
 */
#include <ntddk.h>

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			DbgPrint("registry: line %d: %s\n", __LINE__, #condition);                 \
			return STATUS_UNSUCCESSFUL;                                                \
		}                                                                                  \
	} while (0)

static LARGE_INTEGER cookie;
static BOOLEAN forget;
static int creates, values, queries, closes, cleanups;
static CHAR context;

static NTSTATUS after_create(PREG_POST_OPERATION_INFORMATION post)
{
	PREG_CREATE_KEY_INFORMATION_V1 create = post->PreInformation;
	CHECK(post->CallContext == &creates);
	CHECK(create->Version == 1 && create->CheckAccessMode == KernelMode);
	CHECK(create->ObjectType == *CmKeyObjectType);
	CHECK(NT_SUCCESS(post->Status) && post->Object == *create->ResultObject);
	CHECK(NT_SUCCESS(CmSetCallbackObjectContext(post->Object, &cookie, &context, NULL)));
	return STATUS_SUCCESS;
}

static NTSTATUS before_set(PREG_SET_VALUE_KEY_INFORMATION set)
{
	UNICODE_STRING secret = RTL_CONSTANT_STRING(L"secret");
	PCUNICODE_STRING name;
	ULONG_PTR id;
	CHECK(set->ObjectContext == &context);
	CHECK(set->DataSize == 4 && set->Type == REG_DWORD);
	CHECK(NT_SUCCESS(CmCallbackGetKeyObjectIDEx(&cookie, set->Object, &id, &name, 0)));
	CHECK(name->Length > 9 * sizeof(WCHAR) && id != 0);
	CmCallbackReleaseKeyObjectIDEx(name);
	values++;
	return RtlEqualUnicodeString(set->ValueName, &secret, TRUE) ? STATUS_ACCESS_DENIED
								    : STATUS_SUCCESS;
}

static NTSTATUS NTAPI callback(PVOID unused, PVOID class, PVOID information)
{
	UNREFERENCED_PARAMETER(unused);
	switch ((REG_NOTIFY_CLASS)(ULONG_PTR) class) {
	case RegNtPreCreateKeyEx:
		((PREG_CREATE_KEY_INFORMATION)information)->CallContext = &creates;
		creates++;
		return STATUS_SUCCESS;
	case RegNtPostCreateKeyEx:
		return after_create(information);
	case RegNtPreSetValueKey:
		return before_set(information);
	case RegNtPreQueryValueKey:
		queries += ((PREG_QUERY_VALUE_KEY_INFORMATION)information)->Length == 1;
		return STATUS_SUCCESS;
	case RegNtPreKeyHandleClose:
		closes += ((PREG_KEY_HANDLE_CLOSE_INFORMATION)information)->ObjectContext ==
			  &context;
		return STATUS_SUCCESS;
	case RegNtCallbackObjectContextCleanup:
		cleanups +=
			((PREG_CALLBACK_CONTEXT_CLEANUP_INFORMATION)information)->ObjectContext ==
			&context;
		return STATUS_SUCCESS;
	default:
		return STATUS_SUCCESS;
	}
}

static NTSTATUS filter(HANDLE service)
{
	UNICODE_STRING key = RTL_CONSTANT_STRING(L"Filtered");
	UNICODE_STRING plain = RTL_CONSTANT_STRING(L"plain");
	UNICODE_STRING secret = RTL_CONSTANT_STRING(L"SECRET");
	OBJECT_ATTRIBUTES attributes;
	ULONG data = 7, length;
	CHAR small;
	HANDLE made;
	InitializeObjectAttributes(&attributes, &key, OBJ_KERNEL_HANDLE, service, NULL);
	CHECK(NT_SUCCESS(ZwCreateKey(&made, KEY_ALL_ACCESS, &attributes, 0, NULL, 0, NULL)));
	CHECK(ZwSetValueKey(made, &plain, 0, REG_DWORD, &data, 4) == STATUS_SUCCESS);
	CHECK(ZwSetValueKey(made, &secret, 0, REG_DWORD, &data, 4) == STATUS_ACCESS_DENIED);
	CHECK(ZwQueryValueKey(made, &secret, KeyValuePartialInformation, &small, 1, &length) ==
	      STATUS_OBJECT_NAME_NOT_FOUND);
	CHECK(NT_SUCCESS(ZwClose(made)));
	CHECK(creates == 1 && values == 2 && queries == 1 && closes == 1 && cleanups == 1);
	return STATUS_SUCCESS;
}

static BOOLEAN has_parameter(HANDLE service, PCWSTR name)
{
	UNICODE_STRING parameters = RTL_CONSTANT_STRING(L"Parameters"), text;
	OBJECT_ATTRIBUTES attributes;
	CHAR buffer[64];
	ULONG length;
	HANDLE key;
	InitializeObjectAttributes(&attributes, &parameters, OBJ_KERNEL_HANDLE, service, NULL);
	if (!NT_SUCCESS(ZwOpenKey(&key, KEY_READ, &attributes)))
		return FALSE;
	RtlInitUnicodeString(&text, name);
	NTSTATUS status = ZwQueryValueKey(key, &text, KeyValuePartialInformation, buffer,
					  sizeof(buffer), &length);
	ZwClose(key);
	return NT_SUCCESS(status);
}

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
	UNREFERENCED_PARAMETER(driver);
	if (!forget)
		CmUnRegisterCallback(cookie);
}

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	UNICODE_STRING altitude = RTL_CONSTANT_STRING(L"370030");
	OBJECT_ATTRIBUTES attributes;
	HANDLE service;
	driver->DriverUnload = unload;
	InitializeObjectAttributes(&attributes, path, OBJ_KERNEL_HANDLE, NULL, NULL);
	CHECK(NT_SUCCESS(ZwOpenKey(&service, KEY_ALL_ACCESS, &attributes)));
	forget = has_parameter(service, L"Forget");
	CHECK(NT_SUCCESS(CmRegisterCallbackEx(callback, &altitude, driver, NULL, &cookie, NULL)));
	NTSTATUS status = filter(service);
	ZwClose(service);
	if (!NT_SUCCESS(status))
		CmUnRegisterCallback(cookie);
	return status;
}
