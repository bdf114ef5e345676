/* SPDX-License-Identifier: MIT */
/*
 * Objects that drivers embed and the kernel writes to, or the other way round, reached
 * through exports as drivers do: AB-13 to AB-20. The kernel must stay inside the size
 * that the driver was compiled with, so each object lies between bytes that must not
 * change. What no export reaches yet is skipped, not passed.
 */
#include "io/driver.h"
#include "ldr/module.h"
#include "support/record.h"
#include <string.h>

#define GUARD 64
#define GUARD_BYTE 0x5A
#define TAG 0x74736554 /* "Test" */

/* Memory for the object, aligned as a driver would; all zero. */
static struct {
	UCHAR before[GUARD];
	UCHAR object[512];
} guarded __attribute__((aligned(64)));

static UCHAR *object_of(size_t size)
{
	memset(&guarded, GUARD_BYTE, sizeof guarded);
	return memset(guarded.object, 0, size);
}

static void assert_inside(size_t size)
{
	for (unsigned i = 0; i < GUARD; i++)
		assert_int_equal(guarded.before[i], GUARD_BYTE);
	for (size_t i = size; i < sizeof guarded.object; i++)
		assert_int_equal(guarded.object[i], GUARD_BYTE);
}

/* The export, or the test ends as skipped. */
static void *reached_by(const char *export)
{
	void *found = rs_find_export("ntoskrnl.exe", export);
	if (!found)
		skip();
	return found;
}

#define AT(object, offset, type) (*(type *)(void *)((UCHAR *)(object) + (offset)))

/* ---- Drivers and devices -------------------------------------------------------------------- */

static NTSTATUS NTAPI entry_point(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	(void)driver;
	(void)path;
	return STATUS_SUCCESS;
}

static PDRIVER_OBJECT make_driver(void)
{
	UNICODE_STRING name = USTR(u"test");
	struct ldr_module *module = ldr_module_of((const void *)entry_point);
	PDRIVER_OBJECT driver = io_create_driver(&name, &module->entry, entry_point);
	assert_non_null(driver);
	return driver;
}

static void ab_13_driver_object_is_filled_in(void **state)
{
	(void)state;
	struct ldr_module *module = ldr_module_of((const void *)entry_point);
	PDRIVER_OBJECT driver = make_driver();
	assert_int_equal(AT(driver, 0, CSHORT), 4); /* IO_TYPE_DRIVER */
	assert_int_equal(AT(driver, 2, CSHORT), 336);
	assert_ptr_equal(AT(driver, 0x18, PVOID), module->entry.DllBase);
	assert_int_equal(AT(driver, 0x20, ULONG), module->entry.SizeOfImage);
	assert_ptr_equal(AT(driver, 0x28, PVOID), &module->entry);
	assert_ptr_equal(AT(AT(driver, 0x30, PVOID), 0, PVOID), driver);
	for (unsigned i = 0; i < 28; i++)
		assert_non_null(AT(driver, 0x70 + 8 * i, PVOID));
	io_delete_driver(driver);
}

static void ab_14_driver_section_leads_to_the_flags_that_registration_reads(void **state)
{
	(void)state;
	PDRIVER_OBJECT driver = make_driver();
	ULONG *flags = &AT(AT(driver, 0x28, PVOID), 0x68, ULONG);
	*flags &= ~0x20u;
	assert_status(PsSetCreateProcessNotifyRoutineEx(ex_routine(0), FALSE),
		      STATUS_ACCESS_DENIED);
	*flags |= 0x20;
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx(ex_routine(0), FALSE));
	io_delete_driver(driver);
}

static void ab_15_device_object(void **state)
{
	(void)state;
	PVOID device;
	NTSTATUS(NTAPI * create)
	(PDRIVER_OBJECT, ULONG, PUNICODE_STRING, ULONG, ULONG, BOOLEAN,
	 PVOID *) = reached_by("IoCreateDevice");
	VOID(NTAPI * drop)(PVOID) = reached_by("IoDeleteDevice");
	PDRIVER_OBJECT driver = make_driver();
	assert_ntsuccess(create(driver, 40, NULL, 0x22, 0x100, FALSE, &device));
	assert_int_equal((uintptr_t)device % 16, 0);
	assert_ptr_equal(AT(device, 0x08, PVOID), driver);
	assert_null(AT(device, 0x10, PVOID));
	assert_null(AT(device, 0x18, PVOID));
	assert_int_equal(AT(device, 0x30, ULONG) & 0x80, 0x80); /* DO_DEVICE_INITIALIZING */
	assert_int_equal(AT(device, 0x34, ULONG) & 0x100, 0x100);
	assert_true((UCHAR *)AT(device, 0x40, PVOID) >= (UCHAR *)device + 336);
	assert_int_equal(AT(device, 0x48, ULONG), 0x22);
	assert_int_equal(AT(device, 0x4C, CCHAR), 1);
	assert_int_equal(AT(device, 0x98, ULONG), 0);
	assert_ptr_equal(AT(driver, 0x08, PVOID), device);
	drop(device);
	io_delete_driver(driver);
}

static void ab_16_irp_and_stack_locations(void **state)
{
	(void)state;
	PVOID(NTAPI * allocate)(CCHAR, BOOLEAN) = reached_by("IoAllocateIrp");
	VOID(NTAPI * release)(PVOID) = reached_by("IoFreeIrp");
	for (CCHAR locations = 1; locations < 5; locations++) {
		UCHAR *irp = allocate(locations, FALSE);
		assert_non_null(irp);
		assert_int_equal(AT(irp, 2, USHORT), 208 + 72 * locations);
		assert_int_equal(AT(irp, 0x42, CCHAR), locations);
		assert_int_equal(AT(irp, 0x43, CCHAR), locations + 1);
		assert_ptr_equal(AT(irp, 0xB8, PVOID), irp + 208 + 72 * locations);
		release(irp);
	}
}

/* ---- Objects that a call initialises ----------------------------------------------------------- */

/* Calls `expression` with fn (the export), o (the object) and zeroes where it takes more. */
#define INITIALISED(test, export, size, type, expression)                                          \
	static void test(void **state)                                                             \
	{                                                                                          \
		(void)state;                                                                       \
		type fn = reached_by(export);                                                      \
		UCHAR *o = object_of(size);                                                        \
		expression;                                                                        \
		assert_inside(size);                                                               \
	}

typedef VOID NTAPI taking_1(PVOID);
typedef VOID NTAPI taking_3(PVOID, ULONG64, ULONG64);
typedef VOID NTAPI taking_5(PVOID, ULONG64, ULONG64, ULONG64, ULONG64);
typedef NTSTATUS NTAPI taking_8(PVOID, PVOID, PVOID, ULONG64, ULONG64, ULONG64, ULONG64, ULONG64);

INITIALISED(ab_17_kevent_is_24_bytes, "KeInitializeEvent", 24, taking_3 *, fn(o, 0, 1))
INITIALISED(ab_17_ksemaphore_is_32_bytes, "KeInitializeSemaphore", 32, taking_3 *, fn(o, 0, 1))
INITIALISED(ab_17_kmutant_is_56_bytes, "KeInitializeMutex", 56, taking_3 *, fn(o, 0, 0))
INITIALISED(ab_17_ktimer_is_64_bytes, "KeInitializeTimer", 64, taking_1 *, fn(o))
INITIALISED(ab_17_kdpc_is_64_bytes, "KeInitializeDpc", 64, taking_3 *,
	    fn(o, (uintptr_t)entry_point, 0))
INITIALISED(ab_17_kapc_is_88_bytes, "KeInitializeApc", 88, taking_8 *,
	    fn(o, KeGetCurrentThread(), NULL, (uintptr_t)entry_point, 0, 0, KernelMode, 0))
INITIALISED(ab_19_push_lock_is_8_bytes, "ExInitializePushLock", 8, taking_1 *, fn(o))
INITIALISED(ab_19_rundown_reference_is_8_bytes, "ExInitializeRundownProtection", 8, taking_1 *,
	    fn(o))
INITIALISED(ab_19_remove_lock_is_32_bytes, "IoInitializeRemoveLockEx", 32, taking_5 *,
	    fn(o, 0, 0, 0, 32))

static void ab_19_eresource_is_104_bytes(void **state)
{
	(void)state;
	NTSTATUS(NTAPI * init)(PVOID) = reached_by("ExInitializeResourceLite");
	NTSTATUS(NTAPI * drop)(PVOID) = reached_by("ExDeleteResourceLite");
	UCHAR *resource = object_of(104);
	assert_ntsuccess(init(resource));
	assert_inside(104);
	assert_ntsuccess(drop(resource));
	assert_inside(104);
}

/* ---- Objects whose initialisation is inlined into drivers ------------------------------------------ */

/* As ExInitializeFastMutex does it. */
static UCHAR *inlined_fast_mutex(void)
{
	VOID(NTAPI * init_event)(PVOID, ULONG, BOOLEAN) = reached_by("KeInitializeEvent");
	UCHAR *mutex = object_of(56);
	AT(mutex, 0, LONG) = 1;
	AT(mutex, 8, PVOID) = NULL;
	AT(mutex, 0x10, ULONG) = 0;
	init_event(mutex + 0x18, 1 /* SynchronizationEvent */, FALSE);
	return mutex;
}

static void ab_18_fast_mutex_initialised_inline_works_in_56_bytes(void **state)
{
	(void)state;
	VOID(NTAPI * acquire)(PVOID) = reached_by("ExAcquireFastMutex");
	VOID(NTAPI * release)(PVOID) = reached_by("ExReleaseFastMutex");
	BOOLEAN(NTAPI * try_to_acquire)(PVOID) = reached_by("ExTryToAcquireFastMutex");
	UCHAR *mutex = inlined_fast_mutex();
	acquire(mutex);
	LONG count = AT(mutex, 0, LONG);
	PVOID owner = AT(mutex, 8, PVOID);
	ULONG old_irql = AT(mutex, 0x30, ULONG);
	KIRQL irql = KeGetCurrentIrql();
	release(mutex);
	assert_int_equal(count, 0);
	assert_ptr_equal(owner, KeGetCurrentThread());
	assert_int_equal(old_irql, PASSIVE_LEVEL);
	assert_int_equal(irql, APC_LEVEL);
	assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
	assert_int_equal(AT(mutex, 0, LONG), 1);
	BOOLEAN acquired = try_to_acquire(mutex);
	release(mutex);
	assert_true(acquired);
	assert_inside(56);
}

static void ab_19_spin_lock_of_zeroes_is_unlocked(void **state)
{
	(void)state;
	KIRQL(NTAPI * acquire)(PVOID) = reached_by("KeAcquireSpinLockRaiseToDpc");
	VOID(NTAPI * release)(PVOID, KIRQL) = reached_by("KeReleaseSpinLock");
	UCHAR *lock = object_of(8);
	release(lock, acquire(lock));
	assert_inside(8);
	assert_int_equal(AT(lock, 0, ULONG64), 0);
}

static void ab_19_queued_spin_lock_handle_is_24_bytes(void **state)
{
	(void)state;
	static ULONG64 lock;
	VOID(NTAPI * acquire)(PVOID, PVOID) = reached_by("KeAcquireInStackQueuedSpinLock");
	VOID(NTAPI * release)(PVOID) = reached_by("KeReleaseInStackQueuedSpinLock");
	UCHAR *handle = object_of(24);
	lock = 0;
	acquire(&lock, handle);
	release(handle);
	assert_inside(24);
	assert_int_equal(lock, 0);
}

static void ab_20_list_header_is_16_bytes(void **state)
{
	(void)state;
	static UCHAR entry[2][16] __attribute__((aligned(16)));
	PVOID(NTAPI * push)(PVOID, PVOID) = reached_by("ExpInterlockedPushEntrySList");
	PVOID(NTAPI * pop)(PVOID) = reached_by("ExpInterlockedPopEntrySList");
	UCHAR *head = object_of(16); /* InitializeSListHead: all zero */
	assert_null(push(head, entry[0]));
	assert_ptr_equal(push(head, entry[1]), entry[0]);
	assert_ptr_equal(pop(head), entry[1]);
	assert_ptr_equal(pop(head), entry[0]);
	assert_null(pop(head));
	assert_inside(16);
}

static void ab_20_lookaside_list_is_128_bytes(void **state)
{
	(void)state;
	VOID(NTAPI * init)
	(PVOID, PVOID, PVOID, ULONG, SIZE_T, ULONG,
	 USHORT) = reached_by("ExInitializeNPagedLookasideList");
	VOID(NTAPI * drop)(PVOID) = reached_by("ExDeleteNPagedLookasideList");
	UCHAR *list = object_of(128);
	init(list, NULL, NULL, 0, 100, TAG, 0);
	assert_inside(128);
	/* What the inlined ExAllocateFromNPagedLookasideList reads. */
	assert_int_equal(AT(list, 0x28, ULONG), TAG);
	assert_int_equal(AT(list, 0x2C, ULONG), 100);
	assert_non_null(AT(list, 0x30, PVOID));
	assert_non_null(AT(list, 0x38, PVOID));
	drop(list);
	assert_inside(128);
}

static void ab_20_extended_lookaside_list_is_96_bytes(void **state)
{
	(void)state;
	NTSTATUS(NTAPI * init)
	(PVOID, PVOID, PVOID, ULONG, ULONG, SIZE_T, ULONG,
	 USHORT) = reached_by("ExInitializeLookasideListEx");
	VOID(NTAPI * drop)(PVOID) = reached_by("ExDeleteLookasideListEx");
	UCHAR *list = object_of(96);
	assert_ntsuccess(init(list, NULL, NULL, 512, 0, 100, TAG, 0));
	assert_inside(96);
	drop(list);
	assert_inside(96);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(ab_13_driver_object_is_filled_in),
		WORLD_TEST(ab_14_driver_section_leads_to_the_flags_that_registration_reads),
		WORLD_TEST(ab_15_device_object),
		WORLD_TEST(ab_16_irp_and_stack_locations),
		WORLD_TEST(ab_17_kevent_is_24_bytes),
		WORLD_TEST(ab_17_ksemaphore_is_32_bytes),
		WORLD_TEST(ab_17_kmutant_is_56_bytes),
		WORLD_TEST(ab_17_ktimer_is_64_bytes),
		WORLD_TEST(ab_17_kdpc_is_64_bytes),
		WORLD_TEST(ab_17_kapc_is_88_bytes),
		WORLD_TEST(ab_18_fast_mutex_initialised_inline_works_in_56_bytes),
		WORLD_TEST(ab_19_spin_lock_of_zeroes_is_unlocked),
		WORLD_TEST(ab_19_queued_spin_lock_handle_is_24_bytes),
		WORLD_TEST(ab_19_push_lock_is_8_bytes),
		WORLD_TEST(ab_19_rundown_reference_is_8_bytes),
		WORLD_TEST(ab_19_eresource_is_104_bytes),
		WORLD_TEST(ab_19_remove_lock_is_32_bytes),
		WORLD_TEST(ab_20_list_header_is_16_bytes),
		WORLD_TEST(ab_20_lookaside_list_is_128_bytes),
		WORLD_TEST(ab_20_extended_lookaside_list_is_96_bytes),
	};
	return cmocka_run_group_tests_name("ab/objects", tests, NULL, NULL);
}
