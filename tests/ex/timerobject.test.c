/* SPDX-License-Identifier: MIT */
/* Timers that the system allocates. */
#include "ex/timerobject.h"
#include "ke/bugcheck.h"
#include "ke/event.h"
#include "ke/wait.h"
#include "memory.h"
#include "support/bugcheck.h"
#include "support/world.h"
#include <string.h>

#define MILLISECOND 10000ll
#define NEVER (-3600000 * MILLISECOND)

/* As a driver gets it, IRQL check included. */
#define CALL(name, ...) ((__typeof__(&name))rs_find_export("ntoskrnl.exe", #name))(__VA_ARGS__)

static KEVENT called;
static PEX_TIMER seen;
static KIRQL irql;
static atomic_int calls;

static VOID NTAPI callback(PEX_TIMER timer, PVOID context)
{
	seen = timer;
	irql = KeGetCurrentIrql();
	if (atomic_fetch_add(&calls, 1) + 1 == (int)(intptr_t)context)
		KeSetEvent(&called, 0, FALSE);
}

static VOID NTAPI gone(PVOID event)
{
	KeSetEvent(event, 0, FALSE);
}

static void wait_for(void *object)
{
	assert_int_equal(KeWaitForSingleObject(object, 0, KernelMode, FALSE, NULL), STATUS_SUCCESS);
}

static PEX_TIMER allocate(intptr_t wanted, ULONG attributes)
{
	KeInitializeEvent(&called, NotificationEvent, FALSE);
	calls = 0;
	PEX_TIMER timer = CALL(ExAllocateTimer, callback, (PVOID)wanted, attributes);
	assert_non_null(timer);
	return timer;
}

static void callback_comes_at_dispatch_level_with_the_timer(void **state)
{
	(void)state;
	PEX_TIMER timer = allocate(1, 0);
	assert_false(CALL(ExSetTimer, timer, -MILLISECOND, 0, NULL));
	wait_for(&called);
	assert_ptr_equal(seen, timer);
	assert_int_equal(irql, DISPATCH_LEVEL);
	assert_false(CALL(ExCancelTimer, timer, NULL));
	assert_false(CALL(ExDeleteTimer, timer, TRUE, TRUE, NULL));
	assert_int_equal(calls, 1);
}

static void a_period_brings_it_again_and_again(void **state)
{
	(void)state;
	PEX_TIMER timer = allocate(3, 0);
	CALL(ExSetTimer, timer, -1, 1, NULL); /* 100 ns, which become a millisecond */
	wait_for(&called);
	assert_true(CALL(ExDeleteTimer, timer, TRUE, TRUE, NULL));
}

static void a_timer_that_is_set_is_set_anew_or_cancelled(void **state)
{
	(void)state;
	PEX_TIMER timer = allocate(1, EX_TIMER_HIGH_RESOLUTION);
	assert_false(CALL(ExSetTimer, timer, NEVER, 0, NULL));
	assert_true(CALL(ExSetTimer, timer, NEVER, 0, NULL));
	assert_true(CALL(ExCancelTimer, timer, NULL));
	assert_false(CALL(ExCancelTimer, timer, NULL));
	assert_false(CALL(ExDeleteTimer, timer, TRUE, TRUE, NULL));
	assert_int_equal(calls, 0);
}

static void it_can_be_waited_for(void **state)
{
	(void)state;
	PEX_TIMER timer = CALL(ExAllocateTimer, NULL, NULL, EX_TIMER_NOTIFICATION);
	CALL(ExSetTimer, timer, -MILLISECOND, 0, NULL);
	wait_for(timer);
	wait_for(timer); /* a notification timer stays signalled */
	CALL(ExDeleteTimer, timer, TRUE, TRUE, NULL);
}

static void deleting_without_waiting_tells_when_it_is_done(void **state)
{
	(void)state;
	KEVENT event;
	EXT_DELETE_PARAMETERS after = {.DeleteCallback = gone, .DeleteContext = &event};
	PEX_TIMER timer = allocate(1, 0);
	KeInitializeEvent(&event, NotificationEvent, FALSE);
	CALL(ExSetTimer, timer, NEVER, 0, NULL);
	assert_true(CALL(ExDeleteTimer, timer, TRUE, FALSE, &after));
	wait_for(&event);
}

static void a_set_timer_with_a_callback_in_a_module_is_found(void **state)
{
	(void)state;
	PEX_TIMER timer = allocate(1, 0);
	assert_null(ex_find_timer((const void *)callback, 1));
	CALL(ExSetTimer, timer, NEVER, 0, NULL);
	assert_non_null(ex_find_timer((const void *)callback, 1));
	assert_null(ex_find_timer((const char *)callback + 1, 1));
	CALL(ExDeleteTimer, timer, TRUE, TRUE, NULL);
}

static bool none_here(const char *site)
{
	return strstr(site, "timerobject.c") != NULL;
}

static void without_memory_there_is_none(void **state)
{
	(void)state;
	host_fail_allocations(none_here);
	PEX_TIMER timer = CALL(ExAllocateTimer, NULL, NULL, 0);
	host_fail_allocations(NULL);
	assert_null(timer);
}

static void resolution_is_that_of_a_pc(void **state)
{
	(void)state;
	ULONG most, least, now;
	CALL(ExQueryTimerResolution, &most, &least, &now);
	assert_int_equal(most, 156250);
	assert_true(least < most && now <= most);
}

/* ---- Mistakes ---------------------------------------------------------------------------- */

static void delete_twice(void *unused)
{
	(void)unused;
	PEX_TIMER timer = ExAllocateTimer(NULL, NULL, 0);
	ExDeleteTimer(timer, TRUE, TRUE, NULL);
	ExDeleteTimer(timer, TRUE, TRUE, NULL);
}

static void wait_without_cancelling(void *unused)
{
	(void)unused;
	ExDeleteTimer(ExAllocateTimer(NULL, NULL, 0), FALSE, TRUE, NULL);
}

static void contradict(void *unused)
{
	(void)unused;
	ExAllocateTimer(NULL, NULL, EX_TIMER_HIGH_RESOLUTION | EX_TIMER_NO_WAKE);
}

static void set_absolutely(void *unused)
{
	(void)unused;
	ExSetTimer(ExAllocateTimer(NULL, NULL, EX_TIMER_HIGH_RESOLUTION), 1, 0, NULL);
}

static void mistakes_end_in_bug_checks(void **state)
{
	(void)state;
	expect_bug_check(KE_CALLBACK_RULE_VIOLATION, delete_twice, NULL);
	expect_bug_check(KE_CALLBACK_RULE_VIOLATION, wait_without_cancelling, NULL);
	expect_bug_check(KE_CALLBACK_RULE_VIOLATION, contradict, NULL);
	expect_bug_check(KE_CALLBACK_RULE_VIOLATION, set_absolutely, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(callback_comes_at_dispatch_level_with_the_timer),
		WORLD_TEST(a_period_brings_it_again_and_again),
		WORLD_TEST(a_timer_that_is_set_is_set_anew_or_cancelled),
		WORLD_TEST(it_can_be_waited_for),
		WORLD_TEST(deleting_without_waiting_tells_when_it_is_done),
		WORLD_TEST(a_set_timer_with_a_callback_in_a_module_is_found),
		WORLD_TEST(without_memory_there_is_none),
		WORLD_TEST(resolution_is_that_of_a_pc),
		WORLD_TEST(mistakes_end_in_bug_checks),
	};
	return cmocka_run_group_tests_name("ex/timerobject", tests, NULL, NULL);
}
