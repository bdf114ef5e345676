/* SPDX-License-Identifier: MIT */
/* The module list: look-up by address and by name, the integrity flag. */
#include "ldr/module.h"
#include "support/world.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static char area[4096];

static void an_address_belongs_to_the_module_around_it(void **state)
{
	(void)state;
	/* The program itself is a module too, and area is in it: look elsewhere. */
	char *outside = (char *)0x600000001000;
	struct ldr_module *m = ldr_declare_module("a.sys", outside, 0x1000, false);
	assert_non_null(m);
	assert_ptr_equal(ldr_module_of(outside), m);
	assert_ptr_equal(ldr_module_of(outside + 0xFFF), m);
	assert_null(ldr_module_of(outside - 1));
	assert_null(ldr_module_of(outside + 0x1000));
	assert_null(ldr_module_of(NULL));
	ldr_forget_module(m);
	assert_null(ldr_module_of(outside));
}

/* More than fit into the first block of the table. */
static void there_is_room_for_many_modules(void **state)
{
	(void)state;
	enum { COUNT = 200 };
	struct ldr_module *m[COUNT];
	char *base = (char *)0x600000000000;
	for (int i = 0; i < COUNT; i++) {
		m[i] = ldr_declare_module("many.sys", base + i * 0x1000, 0x1000, false);
		assert_non_null(m[i]);
	}
	for (int i = 0; i < COUNT; i++)
		assert_ptr_equal(ldr_module_of(base + i * 0x1000 + 5), m[i]);
	for (int i = 0; i < COUNT; i += 2)
		ldr_forget_module(m[i]);
	for (int i = 0; i < COUNT; i++)
		assert_ptr_equal(ldr_module_of(base + i * 0x1000 + 5), i % 2 ? m[i] : NULL);
	for (int i = 1; i < COUNT; i += 2)
		ldr_forget_module(m[i]);
}

static void ps_15_the_routine_s_own_module_decides(void **state)
{
	(void)state;
	char *with = (char *)0x600000000000, *without = (char *)0x600000010000;
	struct ldr_module *a = ldr_declare_module("a.sys", with, 0x1000, true);
	struct ldr_module *b = ldr_declare_module("b.sys", without, 0x1000, false);
	assert_true(ldr_integrity_forced(with + 0x10));
	assert_false(ldr_integrity_forced(without + 0x10));
	ldr_forget_module(a);
	ldr_forget_module(b);
}

static void ps_16_the_test_reads_the_entry_s_flag(void **state)
{
	(void)state;
	char *base = (char *)0x600000000000;
	struct ldr_module *m = ldr_declare_module("a.sys", base, 0x1000, false);
	ULONG *flags = (ULONG *)((char *)m + 0x68); /* where drivers write it: AB-14 */
	assert_false(ldr_integrity_forced(base));
	*flags |= 0x20;
	assert_true(ldr_integrity_forced(base));
	*flags &= ~0x20u;
	assert_false(ldr_integrity_forced(base));
	ldr_forget_module(m);
}

static void ps_17_code_outside_every_module_has_no_integrity(void **state)
{
	(void)state;
	assert_false(ldr_integrity_forced((char *)0x600000000000));
	assert_false(ldr_integrity_forced(NULL));
}

static void the_list_shows_declared_modules_last(void **state)
{
	(void)state;
	struct ldr_module *m = ldr_declare_module("späße.sys", area, sizeof(area), true);
	KLDR_DATA_TABLE_ENTRY *entry = (void *)PsLoadedModuleList.Blink;
	assert_ptr_equal(entry, m);
	assert_ptr_equal(entry->InLoadOrderLinks.Flink, &PsLoadedModuleList);
	assert_ptr_equal(entry->DllBase, area);
	assert_int_equal(entry->SizeOfImage, sizeof(area));
	assert_int_equal(entry->BaseDllName.Length, 18);
	assert_memory_equal(entry->BaseDllName.Buffer, u"späße.sys", 20);
	ldr_lock();
	assert_ptr_equal(ldr_find_module("SP\xC3\xA4\xC3\x9F"
					 "E.SYS",
					 11, false),
			 m);
	assert_ptr_equal(ldr_find_module("sp\xC3\xA4\xC3\x9F"
					 "e",
					 7, true),
			 m);
	assert_null(ldr_find_module("sp\xC3\xA4\xC3\x9F"
				    "e",
				    7, false));
	ldr_unlock();
	ldr_forget_module(m);
}

static atomic_bool stop;
static atomic_size_t found[2];

/* Whatever the writer is doing, the answer is the right module or none. */
static atomic_bool declared;

static void *declare(void *result)
{
	*(struct ldr_module **)result = ldr_declare_module("late.sys", (char *)0x600000001000,
							   0x1000, false);
	atomic_store(&declared, true);
	return NULL;
}

static void a_driver_that_walks_the_list_holds_its_resource(void **state)
{
	(void)state;
	pthread_t thread;
	struct ldr_module *late;
	atomic_store(&declared, false);
	ExEnterCriticalRegionAndAcquireResourceShared(&PsLoadedModuleResource);
	LIST_ENTRY *last = PsLoadedModuleList.Blink;
	pthread_create(&thread, NULL, declare, &late);
	while (ExGetExclusiveWaiterCount(&PsLoadedModuleResource) == 0)
		sched_yield();
	assert_non_null(ldr_find_export("ntoskrnl.exe", "DbgPrint")); /* look-ups go on */
	assert_ptr_equal(PsLoadedModuleList.Blink, last);
	assert_false(atomic_load(&declared));
	ExReleaseResourceAndLeaveCriticalRegion(&PsLoadedModuleResource);
	pthread_join(thread, NULL);
	assert_ptr_equal(PsLoadedModuleList.Blink, late);
	ldr_forget_module(late);
}

static void *look_up(void *count)
{
	char *base = (char *)0x600000000000;
	while (!atomic_load(&stop)) {
		for (int i = 0; i < 8; i++)
			*(atomic_size_t *)count += ldr_module_of(base + i * 0x10000 + 0xFFF) !=
						   NULL;
		assert_null(ldr_module_of(base + 0x1000));
	}
	return NULL;
}

static void look_ups_need_no_lock(void **state)
{
	(void)state;
	char *base = (char *)0x600000000000;
	pthread_t reader[2];
	atomic_store(&stop, false);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&reader[i], NULL, look_up, &found[i]), 0);
	/* As long as it takes for each reader to have met a module. */
	for (int round = 0; round < 20000 || !found[0] || !found[1]; round++) {
		struct ldr_module *m[2];
		for (int i = 0; i < 2; i++) {
			char *at = base + (round + i * 3) % 8 * 0x10000;
			m[i] = ldr_declare_module("a.sys", at, 0x1000, false);
			assert_ptr_equal(ldr_module_of(at), m[i]);
		}
		ldr_forget_module(m[0]);
		ldr_forget_module(m[1]);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(reader[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(an_address_belongs_to_the_module_around_it),
		WORLD_TEST(there_is_room_for_many_modules),
		WORLD_TEST(ps_15_the_routine_s_own_module_decides),
		WORLD_TEST(ps_16_the_test_reads_the_entry_s_flag),
		WORLD_TEST(ps_17_code_outside_every_module_has_no_integrity),
		WORLD_TEST(the_list_shows_declared_modules_last),
		WORLD_TEST(a_driver_that_walks_the_list_holds_its_resource),
		WORLD_TEST(look_ups_need_no_lock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
