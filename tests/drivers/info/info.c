/* SPDX-License-Identifier: MIT */
/*
 * The driver of tests/ps/information.test.c: asks about its own process, the system and its
 * token, as the WDK's headers declare it. DriverEntry fails after saying which line did.
 * Under another name it makes one mistake, which its file name says.
 */
#include <ntifs.h>

NTSYSAPI NTSTATUS NTAPI ZwQueryInformationProcess(HANDLE, PROCESSINFOCLASS, PVOID, ULONG, PULONG);
NTSYSAPI NTSTATUS NTAPI ZwQuerySystemInformation(ULONG, PVOID, ULONG, PULONG);
NTKERNELAPI NTSTATUS NTAPI MmCopyVirtualMemory(PEPROCESS, PVOID, PEPROCESS, PVOID, SIZE_T,
					       KPROCESSOR_MODE, PSIZE_T);
NTSYSAPI PVOID NTAPI RtlImageNtHeader(PVOID base);
NTKERNELAPI PVOID NTAPI PsGetProcessPeb(PEPROCESS process);
NTKERNELAPI BOOLEAN NTAPI PsIsSystemProcess(PEPROCESS process);

#define TAG 'ofnI'
#define SYSTEM_MODULES 11

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			DbgPrint("line %d: %s\n", __LINE__, #condition);                           \
			return STATUS_UNSUCCESSFUL;                                                \
		}                                                                                  \
	} while (0)

struct modules {
	ULONG count;
	struct {
		PVOID section, mapped, base;
		ULONG size, flags;
		USHORT order[3], name;
		CHAR path[256];
	} module[1];
};

static NTSTATUS check_process(void)
{
	PROCESS_BASIC_INFORMATION basic;
	KAPC_STATE state;
	ULONG length = 0;
	PEPROCESS system = PsInitialSystemProcess;
	REQUIRE(NT_SUCCESS(ZwQueryInformationProcess(ZwCurrentProcess(), ProcessBasicInformation,
						     &basic, sizeof(basic), &length)));
	REQUIRE(length == sizeof(basic));
	REQUIRE(basic.UniqueProcessId == (ULONG_PTR)PsGetCurrentProcessId());
	REQUIRE(ZwQueryInformationProcess(ZwCurrentProcess(), ProcessBasicInformation, &basic, 4,
					  NULL) == STATUS_INFO_LENGTH_MISMATCH);
	REQUIRE(ZwQueryInformationProcess((HANDLE)0x7778, ProcessBasicInformation, &basic,
					  sizeof(basic), NULL) == STATUS_INVALID_HANDLE);
	KeStackAttachProcess((PKPROCESS)system, &state);
	REQUIRE(PsGetCurrentProcess() == system);
	KeUnstackDetachProcess(&state);
	REQUIRE(PsIsSystemProcess(system) && PsGetProcessPeb(system) == NULL);
	return STATUS_SUCCESS;
}

static NTSTATUS check_memory(void)
{
	SIZE_T size = 5000, copied = 0;
	PVOID base = NULL;
	ULONG64 from = 0x1122334455667788, to = 0;
	PEPROCESS self = PsGetCurrentProcess();
	REQUIRE(NT_SUCCESS(ZwAllocateVirtualMemory(ZwCurrentProcess(), &base, 0, &size,
						   MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)));
	REQUIRE(size == 8192 && (ULONG_PTR)base < (ULONG_PTR)&from);
	REQUIRE(NT_SUCCESS(
		MmCopyVirtualMemory(self, &from, self, base, sizeof(from), KernelMode, &copied)));
	REQUIRE(copied == sizeof(from) && *(ULONG64 *)base == from);
	REQUIRE(NT_SUCCESS(MmCopyVirtualMemory(self, base, self, &to, sizeof(to), KernelMode,
					       &copied)) &&
		to == from);
	REQUIRE(MmCopyVirtualMemory(self, (char *)base + 8190, self, &to, sizeof(to), KernelMode,
				    &copied) == STATUS_PARTIAL_COPY &&
		copied == 2);
	size = 0;
	REQUIRE(NT_SUCCESS(ZwFreeVirtualMemory(ZwCurrentProcess(), &base, &size, MEM_RELEASE)));
	REQUIRE(MmCopyVirtualMemory(self, base, self, &to, sizeof(to), KernelMode, &copied) ==
		STATUS_PARTIAL_COPY);
	return STATUS_SUCCESS;
}

static NTSTATUS check_modules(PDRIVER_OBJECT driver)
{
	ULONG needed = 0;
	BOOLEAN found = FALSE;
	REQUIRE(ZwQuerySystemInformation(SYSTEM_MODULES, NULL, 0, &needed) ==
		STATUS_INFO_LENGTH_MISMATCH);
	struct modules *list = ExAllocatePoolWithTag(PagedPool, needed, TAG);
	REQUIRE(list);
	REQUIRE(NT_SUCCESS(ZwQuerySystemInformation(SYSTEM_MODULES, list, needed, &needed)));
	for (ULONG i = 0; i < list->count; i++)
		if (list->module[i].base == driver->DriverStart)
			found = list->module[i].size == driver->DriverSize;
	REQUIRE(found && RtlImageNtHeader(list->module[0].base) != NULL);
	ExFreePoolWithTag(list, TAG);
	REQUIRE(RtlImageNtHeader(&needed) == NULL);
	return STATUS_SUCCESS;
}

static NTSTATUS check_token(void)
{
	static const WCHAR system_sid[] = L"S-1-5-18";
	PTOKEN_USER user = NULL;
	UNICODE_STRING text, wanted;
	LUID logon;
	PACCESS_TOKEN token = PsReferencePrimaryToken(PsInitialSystemProcess);
	REQUIRE(token && SeTokenIsAdmin(token));
	REQUIRE(NT_SUCCESS(SeQueryInformationToken(token, TokenUser, (PVOID *)&user)));
	REQUIRE(NT_SUCCESS(RtlConvertSidToUnicodeString(&text, user->User.Sid, TRUE)));
	RtlInitUnicodeString(&wanted, system_sid);
	REQUIRE(RtlEqualUnicodeString(&text, &wanted, FALSE));
	REQUIRE(RtlEqualSid(user->User.Sid, SeExports->SeLocalSystemSid));
	REQUIRE(NT_SUCCESS(SeQueryAuthenticationIdToken(token, &logon)) && logon.LowPart == 0x3E7);
	RtlFreeUnicodeString(&text);
	ExFreePool(user);
	PsDereferencePrimaryToken(token);
	return STATUS_SUCCESS;
}

static NTSTATUS check_security(void)
{
	SECURITY_DESCRIPTOR descriptor;
	struct {
		ACL acl;
		ULONG room[32];
	} list;
	BOOLEAN present, defaulted;
	PACL found;
	PSID everyone = SeExports->SeWorldSid;
	REQUIRE(NT_SUCCESS(RtlCreateAcl(&list.acl, sizeof(list), ACL_REVISION)));
	REQUIRE(NT_SUCCESS(RtlAddAccessAllowedAce(&list.acl, ACL_REVISION, GENERIC_ALL, everyone)));
	REQUIRE(list.acl.AceCount == 1);
	REQUIRE(NT_SUCCESS(RtlCreateSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION)));
	REQUIRE(NT_SUCCESS(RtlSetDaclSecurityDescriptor(&descriptor, TRUE, &list.acl, FALSE)));
	REQUIRE(NT_SUCCESS(
		RtlGetDaclSecurityDescriptor(&descriptor, &present, &found, &defaulted)));
	REQUIRE(present && found == &list.acl && !defaulted);
	return STATUS_SUCCESS;
}

/* ---- Mistakes ------------------------------------------------------------------------- */

static BOOLEAN named(PCUNICODE_STRING path, PCWSTR name)
{
	UNICODE_STRING wanted, end = *path;
	RtlInitUnicodeString(&wanted, name);
	if (end.Length < wanted.Length)
		return FALSE;
	end.Buffer += (end.Length - wanted.Length) / sizeof(WCHAR);
	end.Length = wanted.Length;
	return RtlEqualUnicodeString(&end, &wanted, TRUE);
}

static void make_mistake(PCUNICODE_STRING path)
{
	PROCESS_BASIC_INFORMATION basic;
	KAPC_STATE outer, inner;
	if (named(path, L"detach-twice")) {
		KeStackAttachProcess((PKPROCESS)PsInitialSystemProcess, &outer);
		KeUnstackDetachProcess(&outer);
		KeUnstackDetachProcess(&outer);
	} else if (named(path, L"detach-stranger")) {
		RtlZeroMemory(&inner, sizeof(inner));
		KeUnstackDetachProcess(&inner);
	} else if (named(path, L"attach-nothing")) {
		KeStackAttachProcess(NULL, &outer);
	} else if (named(path, L"query-at-dispatch")) {
		KIRQL irql;
		KeRaiseIrql(DISPATCH_LEVEL, &irql);
		ZwQueryInformationProcess(ZwCurrentProcess(), ProcessBasicInformation, &basic,
					  sizeof(basic), NULL);
	} else if (named(path, L"answer-nowhere")) {
		ZwQueryInformationProcess(ZwCurrentProcess(), ProcessBasicInformation,
					  (PVOID)0xFFFF900000000000, sizeof(basic), NULL);
	}
}

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
	UNREFERENCED_PARAMETER(driver);
}

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	driver->DriverUnload = unload;
	make_mistake(path);
	NTSTATUS status = check_process();
	if (NT_SUCCESS(status))
		status = check_memory();
	if (NT_SUCCESS(status))
		status = check_modules(driver);
	if (NT_SUCCESS(status))
		status = check_token();
	if (NT_SUCCESS(status))
		status = check_security();
	return status;
}
