/* SPDX-License-Identifier: MIT */
/*
 * The driver of tests/ldr: does what its own name asks for, so that a copy of the
 * file under another name is another test. A check that fails makes DriverEntry
 * return STATUS_UNSUCCESSFUL, after saying which.
 */
#include <ntddk.h>

/* What the headers lack, as the public symbols of the kernel show it. */
struct module_entry {
	LIST_ENTRY links;
	PVOID exception_table;
	ULONG exception_table_size;
	PVOID gp_value, non_paged_debug_info;
	PVOID base, entry_point;
	ULONG size_of_image;
	UNICODE_STRING full_name, base_name;
	ULONG flags;
};

/* The slot of this driver's import address table. */
extern PVOID __imp_DbgPrint;

typedef NTSTATUS NTAPI action(PDRIVER_OBJECT driver, PUNICODE_STRING path);

/* Drivers are their own run-time library. */
void *memset(void *to, int value, size_t size);
void *memset(void *to, int value, size_t size)
{
	for (volatile char *c = to; size--; c++)
		*c = (char)value;
	return to;
}

static BOOLEAN same_text(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static BOOLEAN same_wide(PCUNICODE_STRING a, PCWSTR b)
{
	USHORT i = 0;
	for (; i < a->Length / sizeof(WCHAR); i++) {
		if (a->Buffer[i] != b[i])
			return FALSE;
	}
	return b[i] == 0;
}

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			DbgPrint("line %d: %s", __LINE__, #condition);                             \
			return STATUS_UNSUCCESSFUL;                                                \
		}                                                                                  \
	} while (0)

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
	DbgPrint("unload of %wZ", &driver->DriverName);
}

/* ---- What DriverEntry is given --------------------------------------------------- */

static NTSTATUS NTAPI looks_around(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	struct module_entry *entry = driver->DriverSection;
	REQUIRE(driver->Type == 4 && driver->Size == 336);
	REQUIRE(driver->DriverStart == entry->base && driver->DriverSize == entry->size_of_image);
	REQUIRE(driver->DriverExtension->DriverObject == driver);
	REQUIRE(same_wide(&driver->DriverName, L"\\Driver\\looks-around"));
	REQUIRE(same_wide(&driver->DriverExtension->ServiceKeyName, L"looks-around"));
	REQUIRE(same_wide(driver->HardwareDatabase,
			  L"\\REGISTRY\\MACHINE\\HARDWARE\\DESCRIPTION\\SYSTEM"));
	REQUIRE(same_wide(path, L"\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet\\Services\\"
				L"looks-around"));
	REQUIRE(same_wide(&entry->base_name, L"looks-around.sys"));
	REQUIRE(same_wide(&entry->full_name, L"\\SystemRoot\\System32\\drivers\\looks-around.sys"));
	REQUIRE(entry->entry_point == (PVOID)driver->DriverInit);
	REQUIRE(entry->flags & 0x20);
	REQUIRE((char *)driver->DriverInit > (char *)entry->base &&
		(char *)driver->DriverInit < (char *)entry->base + entry->size_of_image);
	for (int i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
		REQUIRE(driver->MajorFunction[i] &&
			driver->MajorFunction[i] == driver->MajorFunction[0]);
	REQUIRE(PsGetCurrentProcess() == PsInitialSystemProcess);
	REQUIRE(!KeAreApcsDisabled());
	return STATUS_SUCCESS;
}

/* The key that RegistryPath names is there. */
static NTSTATUS NTAPI reads_its_key(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	OBJECT_ATTRIBUTES attributes;
	HANDLE key;
	(void)driver;
	InitializeObjectAttributes(&attributes, path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
				   NULL, NULL);
	NTSTATUS status = ZwOpenKey(&key, KEY_READ, &attributes);
	return NT_SUCCESS(status) ? ZwClose(key) : status;
}

/* ---- Walking the kernel's images as drivers in the field do ------------------------- */

static struct module_entry *find_module(struct module_entry *from, PCWSTR name)
{
	LIST_ENTRY *link = from->links.Flink;
	for (; link != &from->links; link = link->Flink) {
		struct module_entry *entry = (struct module_entry *)link;
		/* The list's head is no entry; its name would be whatever lies behind it. */
		if (entry->base_name.Length < 64 && entry->base &&
		    same_wide(&entry->base_name, name))
			return entry;
	}
	return NULL;
}

static PVOID walk_exports(const char *base, const char *name)
{
	const ULONG *nt = (const ULONG *)(base + *(const LONG *)(base + 0x3C));
	if (*(const USHORT *)base != 0x5A4D || *nt != 0x4550)
		return NULL;
	const ULONG *directory = (const ULONG *)(base + *(const ULONG *)((const char *)nt + 0x88));
	const ULONG *functions = (const ULONG *)(base + directory[7]);
	const ULONG *names = (const ULONG *)(base + directory[8]);
	const USHORT *ordinals = (const USHORT *)(base + directory[9]);
	for (ULONG i = 0; i < directory[6]; i++) {
		if (same_text(base + names[i], name))
			return (PVOID)(base + functions[ordinals[i]]);
	}
	return NULL;
}

static NTSTATUS NTAPI walks_exports(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	UNICODE_STRING newer = RTL_CONSTANT_STRING(L"PsSetCreateProcessNotifyRoutineEx2");
	UNICODE_STRING none = RTL_CONSTANT_STRING(L"PsSetCreateProcessNotifyRoutineEx3");
	struct module_entry *ntos = find_module(driver->DriverSection, L"ntoskrnl.exe");
	(void)path;
	REQUIRE(ntos);
	REQUIRE(same_wide(&ntos->full_name, L"\\SystemRoot\\system32\\ntoskrnl.exe"));
	REQUIRE(find_module(driver->DriverSection, L"hal.dll"));
	PVOID routine = walk_exports(ntos->base, "PsSetCreateProcessNotifyRoutineEx2");
	REQUIRE(routine && routine == MmGetSystemRoutineAddress(&newer));
	REQUIRE(!MmGetSystemRoutineAddress(&none));
	REQUIRE(walk_exports(ntos->base, "PsProcessType") == (PVOID)PsProcessType);
	REQUIRE(walk_exports(ntos->base, "DbgPrint") == __imp_DbgPrint);
	return STATUS_SUCCESS;
}

/* ---- Bad manners ---------------------------------------------------------------------- */

static NTSTATUS NTAPI fails(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	(void)driver;
	(void)path;
	return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_unload(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	(void)path;
	driver->DriverUnload = NULL;
	return STATUS_SUCCESS;
}

static VOID NTAPI on_process(HANDLE parent, HANDLE process, BOOLEAN create)
{
	(void)parent;
	(void)process;
	(void)create;
}

static NTSTATUS NTAPI leaves_notify(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	(void)driver;
	(void)path;
	return PsSetCreateProcessNotifyRoutine(on_process, FALSE);
}

static NTSTATUS NTAPI fails_registered(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	leaves_notify(driver, path);
	return STATUS_UNSUCCESSFUL;
}

static OB_PREOP_CALLBACK_STATUS NTAPI on_handle(PVOID context, POB_PRE_OPERATION_INFORMATION info)
{
	(void)context;
	(void)info;
	return OB_PREOP_SUCCESS;
}

static NTSTATUS NTAPI leaves_callback(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	static PVOID handle;
	OB_OPERATION_REGISTRATION operation = {PsProcessType, OB_OPERATION_HANDLE_CREATE, on_handle,
					       NULL};
	OB_CALLBACK_REGISTRATION registration = {
		.Version = OB_FLT_REGISTRATION_VERSION,
		.OperationRegistrationCount = 1,
		.Altitude = RTL_CONSTANT_STRING(L"321000"),
		.OperationRegistration = &operation,
	};
	(void)driver;
	(void)path;
	return ObRegisterCallbacks(&registration, &handle);
}

static NTSTATUS NTAPI leaves_pool(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	static PVOID block;
	(void)driver;
	(void)path;
	block = ExAllocatePoolWithTag(NonPagedPool, 100, 0x74736554 /* "Test" */);
	return block ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static const struct {
	PCWSTR name;
	action *act;
} actions[] = {
	{L"\\Driver\\looks-around", looks_around},
	{L"\\Driver\\reads-its-key", reads_its_key},
	{L"\\Driver\\walks-exports", walks_exports},
	{L"\\Driver\\fails", fails},
	{L"\\Driver\\no-unload", no_unload},
	{L"\\Driver\\leaves-notify", leaves_notify},
	{L"\\Driver\\fails-registered", fails_registered},
	{L"\\Driver\\leaves-callback", leaves_callback},
	{L"\\Driver\\leaves-pool", leaves_pool},
};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	driver->DriverUnload = unload;
	for (unsigned i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		if (same_wide(&driver->DriverName, actions[i].name))
			return actions[i].act(driver, path);
	}
	return STATUS_SUCCESS;
}
