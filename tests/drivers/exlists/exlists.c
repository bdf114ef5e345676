/* SPDX-License-Identifier: MIT */
/*
 * Resources, run-down protection, interlocked and look-aside lists as a compiled
 * driver meets them: the look-aside routines are inlined from the DDK's headers here,
 * so the fields of the list are read by the driver itself (AB-20). DriverEntry fails
 * after saying which line did; the Mistake parameter chooses what it does wrong.
 */
#include <ntddk.h>

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			DbgPrint("exlists: line %d: %s\n", __LINE__, #condition);                  \
			return STATUS_UNSUCCESSFUL;                                                \
		}                                                                                  \
	} while (0)

static ERESOURCE resource;
static EX_RUNDOWN_REF rundown;
static NPAGED_LOOKASIDE_LIST npaged;
static PAGED_LOOKASIDE_LIST paged;
static LOOKASIDE_LIST_EX ex_list;
static DECLSPEC_ALIGN(16) SLIST_HEADER slist;
static DECLSPEC_ALIGN(16) SLIST_ENTRY entries[3];

static NTSTATUS check_resource(void)
{
	CHECK(NT_SUCCESS(ExInitializeResourceLite(&resource)));
	KeEnterCriticalRegion();
	CHECK(ExAcquireResourceSharedLite(&resource, TRUE));
	CHECK(ExAcquireResourceSharedLite(&resource, TRUE));
	CHECK(ExIsResourceAcquiredSharedLite(&resource) == 2);
	CHECK(!ExIsResourceAcquiredExclusiveLite(&resource));
	ExReleaseResourceLite(&resource);
	ExReleaseResourceLite(&resource);
	CHECK(ExAcquireResourceExclusiveLite(&resource, FALSE));
	CHECK(ExIsResourceAcquiredExclusiveLite(&resource));
	CHECK(ExAcquireResourceSharedLite(&resource, FALSE)); /* included in exclusive */
	ExReleaseResourceLite(&resource);
	ExConvertExclusiveToSharedLite(&resource);
	CHECK(!ExIsResourceAcquiredExclusiveLite(&resource));
	ExReleaseResourceLite(&resource);
	KeLeaveCriticalRegion();
	CHECK(NT_SUCCESS(ExDeleteResourceLite(&resource)));
	return STATUS_SUCCESS;
}

static NTSTATUS check_rundown(void)
{
	ExInitializeRundownProtection(&rundown);
	CHECK(ExAcquireRundownProtection(&rundown));
	ExReleaseRundownProtection(&rundown);
	ExWaitForRundownProtectionRelease(&rundown);
	CHECK(!ExAcquireRundownProtection(&rundown));
	ExReInitializeRundownProtection(&rundown);
	CHECK(ExAcquireRundownProtection(&rundown));
	ExReleaseRundownProtection(&rundown);
	return STATUS_SUCCESS;
}

static NTSTATUS check_slist(void)
{
	InitializeSListHead(&slist);
	CHECK(ExInterlockedPushEntrySList(&slist, &entries[0], NULL) == NULL);
	CHECK(ExInterlockedPushEntrySList(&slist, &entries[1], NULL) == &entries[0]);
	CHECK(ExInterlockedPushEntrySList(&slist, &entries[2], NULL) == &entries[1]);
	CHECK(ExQueryDepthSList(&slist) == 3);
	CHECK(ExInterlockedPopEntrySList(&slist, NULL) == &entries[2]);
	CHECK(ExQueryDepthSList(&slist) == 2);
	CHECK(ExInterlockedFlushSList(&slist) == &entries[1]);
	CHECK(entries[1].Next == &entries[0] && !entries[0].Next);
	CHECK(ExInterlockedPopEntrySList(&slist, NULL) == NULL);
	return STATUS_SUCCESS;
}

static NTSTATUS check_lookaside(void)
{
	ExInitializeNPagedLookasideList(&npaged, NULL, NULL, 0, 100, 'sxeT', 0);
	PVOID first = ExAllocateFromNPagedLookasideList(&npaged);
	CHECK(first != NULL && npaged.L.TotalAllocates == 1 && npaged.L.AllocateMisses == 1);
	ExFreeToNPagedLookasideList(&npaged, first);
	CHECK(ExAllocateFromNPagedLookasideList(&npaged) == first);
	CHECK(npaged.L.AllocateMisses == 1);
	ExFreeToNPagedLookasideList(&npaged, first);
	ExDeleteNPagedLookasideList(&npaged);

	ExInitializePagedLookasideList(&paged, NULL, NULL, 0, 8, 'pxeT', 0);
	first = ExAllocateFromPagedLookasideList(&paged);
	CHECK(first != NULL);
	ExFreeToPagedLookasideList(&paged, first);
	ExDeletePagedLookasideList(&paged);

	CHECK(NT_SUCCESS(
		ExInitializeLookasideListEx(&ex_list, NULL, NULL, NonPagedPool, 0, 64, 'exeT', 0)));
	first = ExAllocateFromLookasideListEx(&ex_list);
	CHECK(first != NULL);
	ExFreeToLookasideListEx(&ex_list, first);
	CHECK(ExAllocateFromLookasideListEx(&ex_list) == first);
	ExFreeToLookasideListEx(&ex_list, first);
	ExDeleteLookasideListEx(&ex_list);
	return STATUS_SUCCESS;
}

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
	UNREFERENCED_PARAMETER(driver);
}

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	UNREFERENCED_PARAMETER(path);
	driver->DriverUnload = unload;
	NTSTATUS status = check_resource();
	if (NT_SUCCESS(status))
		status = check_rundown();
	if (NT_SUCCESS(status))
		status = check_slist();
	if (NT_SUCCESS(status))
		status = check_lookaside();
	return status;
}
