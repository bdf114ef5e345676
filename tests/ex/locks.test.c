/* SPDX-License-Identifier: MIT */
/* Resources, push locks, run-down protection and interlocked lists. */
#include "ex/pushlock.h"
#include "ex/resource.h"
#include "ex/rundown.h"
#include "ex/slist.h"
#include "ke/bugcheck.h"
#include "ke/thread.h"
#include "support/bugcheck.h"
#include "support/world.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char said[1024];

static void collect(void *context, const struct rs_event *event)
{
	(void)context;
	if (event->type == RS_DEBUG_PRINT)
		snprintf(said, sizeof said, "%s", event->print.text);
}

static void a_compiled_driver_uses_resources_and_lists(void **state)
{
	(void)state;
	struct rs_error error;
	said[0] = 0;
	rs_listen(collect, NULL);
	struct rs_driver *driver = rs_load(TEST_BUILD "/tests/drivers/exlists.sys", &error);
	if (!driver)
		fail_msg("%s", error.text);
	if (!NT_SUCCESS(rs_start(driver)))
		fail_msg("%s", said);
	assert_ntsuccess(rs_unload(driver));
	rs_unlisten(collect, NULL);
}

/* ---- Resources -------------------------------------------------------------------------- */

static ERESOURCE resource;
static _Atomic int inside, most_inside, exclusive_alone;

static void *share(void *unused)
{
	(void)unused;
	for (int i = 0; i < 2000; i++) {
		ExEnterCriticalRegionAndAcquireResourceShared(&resource);
		int now = atomic_fetch_add(&inside, 1) + 1;
		if (now > atomic_load(&most_inside))
			atomic_store(&most_inside, now);
		atomic_fetch_sub(&inside, 1);
		ExReleaseResourceAndLeaveCriticalRegion(&resource);
	}
	return NULL;
}

static void *exclude(void *unused)
{
	(void)unused;
	for (int i = 0; i < 500; i++) {
		ExEnterCriticalRegionAndAcquireResourceExclusive(&resource);
		if (atomic_load(&inside) == 0)
			atomic_fetch_add(&exclusive_alone, 1);
		ExReleaseResourceAndLeaveCriticalRegion(&resource);
	}
	return NULL;
}

static void a_resource_lets_sharers_together_and_an_exclusive_owner_alone(void **state)
{
	(void)state;
	pthread_t thread[4];
	assert_ntsuccess(ExInitializeResourceLite(&resource));
	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, i ? share : exclude, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(exclusive_alone, 500);
	assert_ntsuccess(ExDeleteResourceLite(&resource));
}

static void acquire_with_apcs(void *unused)
{
	(void)unused;
	ExInitializeResourceLite(&resource);
	ExAcquireResourceExclusiveLite(&resource, TRUE);
}

static void release_unowned(void *unused)
{
	(void)unused;
	ExInitializeResourceLite(&resource);
	KeEnterCriticalRegion();
	ExReleaseResourceLite(&resource);
}

static void delete_held(void *unused)
{
	(void)unused;
	ExInitializeResourceLite(&resource);
	ExEnterCriticalRegionAndAcquireResourceShared(&resource);
	ExDeleteResourceLite(&resource);
}

static void vf_11_a_resource_with_apcs_enabled_is_a_bug_check(void **state)
{
	(void)state;
	expect_bug_check(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, acquire_with_apcs, NULL);
}

static void releasing_or_deleting_a_resource_wrongly_is_a_bug_check(void **state)
{
	(void)state;
	expect_bug_check(KE_RESOURCE_NOT_OWNED, release_unowned, NULL);
	expect_bug_check(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, delete_held, NULL);
}

/* ---- Push locks ------------------------------------------------------------------------- */

static EX_PUSH_LOCK push_lock;
static int guarded;

static void *count_up(void *unused)
{
	(void)unused;
	for (int i = 0; i < 20000; i++) {
		KeEnterCriticalRegion();
		if (i % 4) {
			ExfAcquirePushLockShared(&push_lock);
			int copy = *(volatile int *)&guarded;
			(void)copy;
			ExfReleasePushLockShared(&push_lock);
		} else {
			ExfAcquirePushLockExclusive(&push_lock);
			guarded++;
			ExfReleasePushLockExclusive(&push_lock);
		}
		KeLeaveCriticalRegion();
	}
	return NULL;
}

static void a_push_lock_guards_what_it_guards(void **state)
{
	(void)state;
	pthread_t thread[3];
	ExInitializePushLock(&push_lock);
	for (int i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, count_up, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(guarded, 15000);
}

static void push_with_apcs(void *unused)
{
	(void)unused;
	ExInitializePushLock(&push_lock);
	ExfAcquirePushLockShared(&push_lock);
}

static void vf_11_a_push_lock_with_apcs_enabled_is_a_bug_check(void **state)
{
	(void)state;
	expect_bug_check(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, push_with_apcs, NULL);
}

/* ---- Run-down protection --------------------------------------------------------------- */

static EX_RUNDOWN_REF rundown;
static _Atomic bool released;

static void *release_later(void *unused)
{
	(void)unused;
	usleep(20000);
	atomic_store(&released, true);
	ExReleaseRundownProtection(&rundown);
	return NULL;
}

static void run_down_waits_for_the_last_user(void **state)
{
	(void)state;
	pthread_t thread;
	ExInitializeRundownProtection(&rundown);
	assert_true(ExAcquireRundownProtection(&rundown));
	pthread_create(&thread, NULL, release_later, NULL);
	ExWaitForRundownProtectionRelease(&rundown);
	assert_true(atomic_load(&released));
	assert_false(ExAcquireRundownProtection(&rundown));
	pthread_join(thread, NULL);
}

static void release_too_often(void *unused)
{
	(void)unused;
	ExInitializeRundownProtection(&rundown);
	ExReleaseRundownProtection(&rundown);
}

static void releasing_run_down_protection_too_often_is_a_bug_check(void **state)
{
	(void)state;
	expect_bug_check(KE_CALLBACK_RULE_VIOLATION, release_too_often, NULL);
}

/* ---- Interlocked lists ------------------------------------------------------------------- */

#define ENTRIES 64
static SLIST_HEADER slist __attribute__((aligned(16)));
static struct {
	SLIST_ENTRY entry;
	_Atomic int owners;
} __attribute__((aligned(16))) item[ENTRIES];
static _Atomic int shared_by_two;

static void *pop_and_push(void *unused)
{
	(void)unused;
	for (int i = 0; i < 100000; i++) {
		PSLIST_ENTRY entry = ExpInterlockedPopEntrySList(&slist);
		if (!entry)
			continue;
		_Atomic int *owners = (_Atomic int *)(void *)(entry + 1);
		if (atomic_fetch_add(owners, 1))
			atomic_fetch_add(&shared_by_two, 1);
		atomic_fetch_sub(owners, 1);
		ExpInterlockedPushEntrySList(&slist, entry);
	}
	return NULL;
}

static void ab_20_an_interlocked_list_gives_each_entry_to_one(void **state)
{
	(void)state;
	pthread_t thread[3];
	InitializeSListHead(&slist);
	for (int i = 0; i < ENTRIES; i++)
		ExpInterlockedPushEntrySList(&slist, &item[i].entry);
	assert_int_equal(ExQueryDepthSList(&slist), ENTRIES);
	for (int i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, pop_and_push, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(shared_by_two, 0);
	assert_int_equal(ExQueryDepthSList(&slist), ENTRIES);
	int left = 0;
	for (PSLIST_ENTRY e = ExpInterlockedFlushSList(&slist); e; e = e->Next)
		left++;
	assert_int_equal(left, ENTRIES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_compiled_driver_uses_resources_and_lists),
		WORLD_TEST(a_resource_lets_sharers_together_and_an_exclusive_owner_alone),
		WORLD_TEST(vf_11_a_resource_with_apcs_enabled_is_a_bug_check),
		WORLD_TEST(releasing_or_deleting_a_resource_wrongly_is_a_bug_check),
		WORLD_TEST(a_push_lock_guards_what_it_guards),
		WORLD_TEST(vf_11_a_push_lock_with_apcs_enabled_is_a_bug_check),
		WORLD_TEST(run_down_waits_for_the_last_user),
		WORLD_TEST(releasing_run_down_protection_too_often_is_a_bug_check),
		WORLD_TEST(ab_20_an_interlocked_list_gives_each_entry_to_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
