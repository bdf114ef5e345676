/* SPDX-License-Identifier: MIT */
/* Physical addresses, contiguous memory, pages for lists. */
#include "mm/physical.h"
#include "ex/pool.h"
#include "ke/bugcheck.h"
#include "mm/copy.h"
#include "mm/probe.h"
#include "ps/process.h"
#include "support/bugcheck.h"
#include "support/world.h"
#include <string.h>
#include <sys/mman.h>

static const PHYSICAL_ADDRESS zero, any = {.QuadPart = -1};

static PHYSICAL_ADDRESS physical(ULONG64 address)
{
	return (PHYSICAL_ADDRESS){.QuadPart = (LONGLONG)address};
}

static void wdk_addresses_turn_into_each_other(void **state)
{
	(void)state;
	int here;
	PHYSICAL_ADDRESS address = MmGetPhysicalAddress(&here);
	assert_int_not_equal(address.QuadPart, 0);
	assert_ptr_equal(MmGetVirtualForPhysical(address), &here);
	assert_int_equal(MmGetPhysicalAddress((PVOID)0x1000).QuadPart, 0);
	assert_null(MmGetVirtualForPhysical(physical(0xFEE00000)));
}

static void wdk_io_space_is_memory_that_there_is(void **state)
{
	(void)state;
	int here = 7;
	int *mapped = MmMapIoSpace(MmGetPhysicalAddress(&here), sizeof(here), 0);
	assert_non_null(mapped);
	assert_int_equal(*mapped, 7);
	MmUnmapIoSpace(mapped, sizeof(here));
	assert_null(MmMapIoSpace(physical(0xE0000000), 4096, 0));
	assert_null(MmMapIoSpace(MmGetPhysicalAddress(&here), 0, 0));
}

static void wdk_physical_memory_is_copied(void **state)
{
	(void)state;
	int here = 7, there = 0;
	SIZE_T copied = 9;
	MM_COPY_ADDRESS from = {.PhysicalAddress = MmGetPhysicalAddress(&here)};
	assert_ntsuccess(MmCopyMemory(&there, from, 4, MM_COPY_MEMORY_PHYSICAL, &copied));
	assert_int_equal(there, 7);
	assert_int_equal(copied, 4);
}

static void wdk_contiguous_memory_is_whole_zeroed_pages(void **state)
{
	(void)state;
	char *pages = MmAllocateContiguousMemory(5000, any);
	assert_non_null(pages);
	assert_int_equal((uintptr_t)pages % 4096, 0);
	for (int i = 0; i < 8192; i++)
		assert_int_equal(pages[i], 0);
	assert_int_equal(MmGetPhysicalAddress(pages + 4096).QuadPart,
			 MmGetPhysicalAddress(pages).QuadPart + 4096);
	MmFreeContiguousMemory(pages);
	pages = MmAllocateContiguousMemorySpecifyCache(4096, zero, any, physical(4096), 1);
	assert_non_null(pages);
	MmFreeContiguousMemorySpecifyCache(pages, 4096, 1);
	MmAllocateContiguousMemory(1, any); /* left behind: goes with the kernel */
}

static void wdk_contiguous_memory_keeps_to_its_limits(void **state)
{
	(void)state;
	assert_null(MmAllocateContiguousMemory(4096, physical(0xFFFFFFFF)));
	assert_null(MmAllocateContiguousMemorySpecifyCache(8192, zero, any, physical(4096), 1));
	assert_null(MmAllocateContiguousMemorySpecifyCache(4096, any, any, zero, 1));
	assert_null(MmAllocateContiguousMemory(0, any));
	assert_null(MmAllocateContiguousMemory(~(SIZE_T)0, any));
	for (unsigned n = 0; n < 2; n++) {
		fail_allocation("mm/physical.c", n);
		assert_null(MmAllocateContiguousMemory(4096, any));
		assert_int_equal(stop_failing(), 1);
	}
}

static void free_twice(void *unused)
{
	(void)unused;
	PVOID pages = MmAllocateContiguousMemory(4096, any);
	MmFreeContiguousMemory(pages);
	MmFreeContiguousMemory(pages);
}

static void wdk_freeing_contiguous_memory_twice_is_a_bug_check(void **state)
{
	(void)state;
	expect_bug_check(KE_BAD_POOL_CALLER, free_twice, NULL);
}

static void wdk_pages_for_a_list_are_mapped_and_freed(void **state)
{
	(void)state;
	PMDL mdl = MmAllocatePagesForMdlEx(zero, any, zero, 10000, 1, 0);
	assert_non_null(mdl);
	assert_int_equal(mdl->ByteCount, 12288);
	char *pages = MmMapLockedPagesSpecifyCache(mdl, KernelMode, 1, NULL, FALSE, 16);
	assert_non_null(pages);
	memset(pages, 1, 12288);
	assert_int_equal(((ULONG64 *)(mdl + 1))[2] << 12,
			 (ULONG64)MmGetPhysicalAddress(pages + 8192).QuadPart);
	MmUnmapLockedPages(pages, mdl);
	MmFreePagesFromMdl(mdl);
	assert_false(MmIsAddressValid(pages));
	ExFreePool(mdl);
	assert_null(MmAllocatePagesForMdl(zero, physical(0xFFFFFF), zero, 4096));
	for (unsigned n = 0; n < 2; n++) {
		fail_allocation(NULL, n);
		assert_null(MmAllocatePagesForMdl(zero, any, zero, 4096));
		stop_failing();
	}
}

static void free_pages_twice(void *unused)
{
	(void)unused;
	PMDL mdl = MmAllocatePagesForMdl(zero, any, zero, 4096);
	MmFreePagesFromMdl(mdl);
	MmFreePagesFromMdl(mdl);
}

static void wdk_freeing_pages_twice_is_a_bug_check(void **state)
{
	(void)state;
	expect_bug_check(KE_PFN_LIST_CORRUPT, free_pages_twice, NULL);
}

static void wdk_memory_of_another_process_is_locked(void **state)
{
	(void)state;
	struct actor actor = actor_start("\\??\\C:\\a.exe");
	char *user = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	assert_ptr_equal(user, (void *)0x10000000);
	strcpy(user, "theirs");
	PMDL mdl = IoAllocateMdl(user, 10, FALSE, FALSE, NULL);
	PEPROCESS before = PsGetCurrentProcess();
	MmProbeAndLockProcessPages(mdl, actor.process, UserMode, IoReadAccess);
	assert_ptr_equal(PsGetCurrentProcess(), before);
	assert_ptr_equal(mdl->Process, actor.process);
	char *seen = MmMapLockedPages(mdl, KernelMode);
	assert_true((uintptr_t)seen >= MM_KERNEL_BEGIN);
	assert_string_equal(seen, "theirs");
	MmUnlockPages(mdl);
	IoFreeMdl(mdl);
	munmap(user, 4096);
	actor_end(&actor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(wdk_addresses_turn_into_each_other),
		WORLD_TEST(wdk_io_space_is_memory_that_there_is),
		WORLD_TEST(wdk_physical_memory_is_copied),
		WORLD_TEST(wdk_contiguous_memory_is_whole_zeroed_pages),
		WORLD_TEST(wdk_contiguous_memory_keeps_to_its_limits),
		WORLD_TEST(wdk_freeing_contiguous_memory_twice_is_a_bug_check),
		WORLD_TEST(wdk_pages_for_a_list_are_mapped_and_freed),
		WORLD_TEST(wdk_freeing_pages_twice_is_a_bug_check),
		WORLD_TEST(wdk_memory_of_another_process_is_locked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
