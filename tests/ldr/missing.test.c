/* SPDX-License-Identifier: MIT */
/* What becomes of a driver that imports what is not there, by what the user chose. */
#include "io/driver.h"
#include "ke/bugcheck.h"
#include "ke/thread.h"
#include "ldr/driver.h"
#include "ldr/module.h"
#include "support/bugcheck.h"
#include "support/parallel.h"
#include "support/world.h"
#include <stdatomic.h>
#include <string.h>

#define ABSENT_SYS TEST_BUILD "/tests/drivers/absent.sys"

static struct rs_driver *load(void)
{
	struct rs_error error;
	struct rs_driver *driver = rs_load(ABSENT_SYS, &error);
	if (!driver)
		fail_msg("%s", error.text);
	return driver;
}

static void answer_with(NTSTATUS status)
{
	world_with(&(struct rs_options){.missing = RS_MISSING_STATUS, .missing_status = status});
}

/* ---- What is told ---------------------------------------------------------------------- */

#define MOST 16

static struct {
	unsigned calls, told;
	struct {
		char name[64];
		NTSTATUS status;
		ULONG64 offset; /* in the driver */
		unsigned frames, guessed;
	} first[MOST];
} heard;

static void hear(void *unused, const struct rs_event *event)
{
	(void)unused;
	if (event->type != RS_MISSING_CALLED)
		return;
	heard.calls++;
	if (!event->missing.first || heard.told == MOST)
		return;
	const KLDR_DATA_TABLE_ENTRY *module = event->missing.module;
	strcpy(heard.first[heard.told].name, event->missing.name);
	heard.first[heard.told].status = event->missing.status;
	heard.first[heard.told].offset = (ULONG64)event->missing.address - (ULONG64)module->DllBase;
	heard.first[heard.told].frames = event->missing.stack.count;
	heard.first[heard.told].guessed = event->missing.stack.guessed & 3;
	assert_ptr_equal(event->missing.stack.frame[0], event->missing.address);
	heard.told++;
}

static NTSTATUS start_and_listen(void)
{
	memset(&heard, 0, sizeof(heard));
	struct rs_driver *driver = load();
	assert_int_equal(rs_listen(hear, NULL), 0);
	NTSTATUS status = rs_start(driver);
	rs_unlisten(hear, NULL);
	if (NT_SUCCESS(status))
		assert_ntsuccess(rs_unload(driver));
	else
		rs_discard(driver);
	return status;
}

/* ---- A status --------------------------------------------------------------------------- */

static void the_call_returns_the_chosen_status(void **state)
{
	(void)state;
	answer_with(STATUS_NOT_IMPLEMENTED);
	assert_status(start_and_listen(), STATUS_NOT_IMPLEMENTED);
	answer_with(STATUS_ACCESS_DENIED);
	assert_status(start_and_listen(), STATUS_ACCESS_DENIED);
	answer_with(STATUS_SUCCESS);
	assert_status(start_and_listen(), STATUS_SUCCESS);
}

static void the_first_call_from_each_place_is_told_with_its_stack(void **state)
{
	(void)state;
	answer_with(STATUS_NOT_SUPPORTED);
	start_and_listen();
	assert_int_equal(heard.calls, 5); /* three from a loop, one by a stub, one more */
	assert_int_equal(heard.told, 3);
	assert_string_equal(heard.first[0].name, "ntoskrnl.exe!ExNobodyHasThis");
	assert_string_equal(heard.first[1].name, "ntoskrnl.exe!PsNobodyHasThat");
	assert_string_equal(heard.first[2].name, "ntoskrnl.exe!ExNobodyHasThis");
	for (unsigned i = 0; i < heard.told; i++) {
		assert_status(heard.first[i].status, STATUS_NOT_SUPPORTED);
		assert_true(heard.first[i].frames >= 2);
		assert_int_equal(heard.first[i].guessed, 0);
		assert_in_range(heard.first[i].offset, 0x1000, 0x8000);
	}
	assert_int_not_equal(heard.first[0].offset, heard.first[2].offset);
}

static void nobody_has_to_listen(void **state)
{
	(void)state;
	answer_with(STATUS_NOT_SUPPORTED);
	struct rs_driver *driver = load();
	assert_status(rs_start(driver), STATUS_NOT_SUPPORTED);
	rs_discard(driver);
}

/* Without memory to remember a place, its calls are told again rather than never. */
static void a_place_that_cannot_be_kept_is_told_again(void **state)
{
	(void)state;
	answer_with(STATUS_NOT_SUPPORTED);
	memset(&heard, 0, sizeof(heard));
	struct rs_driver *driver = load();
	assert_int_equal(rs_listen(hear, NULL), 0);
	fail_allocation("ldr/missing.c", ALWAYS);
	rs_start(driver);
	assert_int_equal(stop_failing(), 5);
	rs_unlisten(hear, NULL);
	assert_int_equal(heard.calls, 5);
	assert_int_equal(heard.told, 5);
	rs_discard(driver);
}

/* ---- From many threads at once ------------------------------------------------------------ */

static _Atomic unsigned firsts, calls;

static void count(void *unused, const struct rs_event *event)
{
	(void)unused;
	if (event->type != RS_MISSING_CALLED)
		return;
	atomic_fetch_add(&calls, 1);
	atomic_fetch_add(&firsts, event->missing.first);
}

typedef NTSTATUS NTAPI driver_entry(void *driver, void *path);

struct caller {
	driver_entry *entry;
	void *object;
};

static void call_entry(void *argument)
{
	const struct caller *caller = argument;
	ke_processor(); /* what the driver reads through GS */
	for (int i = 0; i < 50; i++)
		caller->entry(caller->object, NULL);
}

static void a_place_is_first_once_among_threads(void **state)
{
	(void)state;
	struct job job[4];
	answer_with(STATUS_SUCCESS);
	static DRIVER_OBJECT object;
	struct rs_driver *driver = load();
	struct ldr_module *module = (struct ldr_module *)(void *)driver;
	struct caller caller = {(driver_entry *)module->entry.EntryPoint, &object};
	assert_int_equal(rs_listen(count, NULL), 0);
	for (unsigned i = 0; i < 4; i++)
		job_start(&job[i], call_entry, &caller);
	for (unsigned i = 0; i < 4; i++)
		job_join(&job[i]);
	rs_unlisten(count, NULL);
	assert_int_equal(calls, 4 * 50 * 5);
	assert_int_equal(firsts, 3);
	rs_discard(driver);
}

/* ---- A bug check, and a refusal ------------------------------------------------------------ */

static void start_driver(void *unused)
{
	(void)unused;
	rs_start(load());
}

static void otherwise_the_call_is_a_bug_check(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_bug_check((ULONG)KE_MISSING_EXPORT_CALLED,
							     start_driver, NULL);
	assert_string_equal(seen->detail, "absent.sys called ntoskrnl.exe!ExNobodyHasThis, "
					  "which does not exist here");
	assert_string_equal(seen->module, "absent.sys");
	assert_string_equal(seen->callback, "DriverEntry");
	assert_int_equal(seen->guessed & 3, 0);
}

static void a_driver_that_lacks_something_can_be_refused(void **state)
{
	(void)state;
	struct rs_error error = {""};
	world_with(&(struct rs_options){.missing = RS_MISSING_FAIL});
	assert_null(rs_load(ABSENT_SYS, &error));
	assert_non_null(strstr(error.text, "absent.sys: 3 of its "));
	assert_non_null(strstr(error.text, "ntoskrnl.exe!ExNobodyHasThis"));
	assert_null(strchr(error.text, '\n'));
	struct rs_driver *driver = rs_load(TEST_BUILD "/drivers/warden.sys", &error);
	assert_non_null(driver);
	rs_discard(driver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(the_call_returns_the_chosen_status),
		WORLD_TEST(the_first_call_from_each_place_is_told_with_its_stack),
		WORLD_TEST(nobody_has_to_listen),
		WORLD_TEST(a_place_that_cannot_be_kept_is_told_again),
		WORLD_TEST(a_place_is_first_once_among_threads),
		WORLD_TEST(otherwise_the_call_is_a_bug_check),
		WORLD_TEST(a_driver_that_lacks_something_can_be_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
