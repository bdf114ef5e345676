/* SPDX-License-Identifier: MIT */
/*
 * A driver with a generic table of each kind, whose layout is that of the DDK's headers.
 * DriverEntry fails after saying which line did.
 */
#include <ntddk.h>

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			DbgPrint("tables: line %d: %s\n", __LINE__, #condition);                   \
			return STATUS_UNSUCCESSFUL;                                                \
		}                                                                                  \
	} while (0)

struct counter {
	HANDLE process;
	ULONG calls;
};

/* Fields behind the tables show where they end. */
static struct {
	RTL_GENERIC_TABLE splay;
	ULONG64 mark;
	RTL_AVL_TABLE avl;
	ULONG64 other_mark;
} tables;

static RTL_GENERIC_COMPARE_RESULTS compare(const struct counter *a, const struct counter *b)
{
	return a->process == b->process  ? GenericEqual
	       : a->process < b->process ? GenericLessThan
					 : GenericGreaterThan;
}

static RTL_GENERIC_COMPARE_RESULTS NTAPI compare_splay(PRTL_GENERIC_TABLE table, PVOID a, PVOID b)
{
	UNREFERENCED_PARAMETER(table);
	return compare(a, b);
}

static RTL_GENERIC_COMPARE_RESULTS NTAPI compare_avl(PRTL_AVL_TABLE table, PVOID a, PVOID b)
{
	UNREFERENCED_PARAMETER(table);
	return compare(a, b);
}

static PVOID NTAPI allocate_splay(PRTL_GENERIC_TABLE table, CLONG size)
{
	return table->TableContext == &tables ? ExAllocatePoolWithTag(PagedPool, size, 'lbaT')
					      : NULL;
}

static PVOID NTAPI allocate_avl(PRTL_AVL_TABLE table, CLONG size)
{
	return table->TableContext == &tables ? ExAllocatePoolWithTag(PagedPool, size, 'lbaT')
					      : NULL;
}

static VOID NTAPI free_splay(PRTL_GENERIC_TABLE table, PVOID element)
{
	UNREFERENCED_PARAMETER(table);
	ExFreePoolWithTag(element, 'lbaT');
}

static VOID NTAPI free_avl(PRTL_AVL_TABLE table, PVOID element)
{
	UNREFERENCED_PARAMETER(table);
	ExFreePoolWithTag(element, 'lbaT');
}

static NTSTATUS check_splay(void)
{
	PRTL_GENERIC_TABLE table = &tables.splay;
	struct counter *counter;
	BOOLEAN made;
	RtlInitializeGenericTable(table, compare_splay, allocate_splay, free_splay, &tables);
	for (ULONG_PTR i = 1; i <= 40; i++) {
		struct counter fresh = {(HANDLE)((i * 7 % 41) * 4), 0};
		counter = RtlInsertElementGenericTable(table, &fresh, sizeof(fresh), &made);
		CHECK(counter && made);
		CHECK(RtlInsertElementGenericTable(table, &fresh, sizeof(fresh), &made) == counter);
		CHECK(!made);
		counter->calls++;
	}
	CHECK(RtlNumberGenericTableElements(table) == 40);
	counter = RtlGetElementGenericTable(table, 0);
	CHECK(counter->process == (HANDLE)28 && counter->calls == 1);
	ULONG_PTR next = 4;
	for (PVOID at = RtlEnumerateGenericTable(table, TRUE); at;
	     at = RtlEnumerateGenericTable(table, FALSE), next += 4)
		CHECK(((struct counter *)at)->process == (HANDLE)next);
	while ((counter = RtlGetElementGenericTable(table, 0)))
		CHECK(RtlDeleteElementGenericTable(table, counter));
	CHECK(RtlIsGenericTableEmpty(table) && IsListEmpty(&table->InsertOrderList));
	CHECK(tables.mark == 0);
	return STATUS_SUCCESS;
}

static NTSTATUS check_avl(void)
{
	PRTL_AVL_TABLE table = &tables.avl;
	struct counter *counter, key = {(HANDLE)80, 0};
	PVOID restart = NULL;
	RtlInitializeGenericTableAvl(table, compare_avl, allocate_avl, free_avl, &tables);
	for (ULONG_PTR i = 1; i <= 40; i++) {
		struct counter fresh = {(HANDLE)((i * 7 % 41) * 4), 0};
		CHECK(RtlInsertElementGenericTableAvl(table, &fresh, sizeof(fresh), NULL));
	}
	CHECK(table->NumberGenericTableElements == 40 && table->DepthOfTree <= 7);
	CHECK(RtlLookupElementGenericTableAvl(table, &key));
	CHECK(RtlDeleteElementGenericTableAvl(table, &key) && table->DeleteCount == 1);
	CHECK(!RtlLookupElementGenericTableAvl(table, &key));
	ULONG count = 0;
	while (RtlEnumerateGenericTableWithoutSplayingAvl(table, &restart))
		count++;
	CHECK(count == 39 && RtlNumberGenericTableElementsAvl(table) == 39);
	while ((counter = RtlGetElementGenericTableAvl(table, 0)))
		CHECK(RtlDeleteElementGenericTableAvl(table, counter));
	CHECK(RtlIsGenericTableEmptyAvl(table) && tables.other_mark == 0);
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
	NTSTATUS status = check_splay();
	return NT_SUCCESS(status) ? check_avl() : status;
}
