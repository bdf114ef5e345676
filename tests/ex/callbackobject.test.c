/* SPDX-License-Identifier: MIT */
/* Callback objects. */
#include "ex/callbackobject.h"
#include "ke/bugcheck.h"
#include "ke/thread.h"
#include "ob/object.h"
#include "support/bugcheck.h"
#include "support/world.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static char heard[64];
static PVOID registration;
static atomic_int stage;

static VOID NTAPI note(PVOID context, PVOID first, PVOID second)
{
	size_t used = strlen(heard);
	heard[used] = *(const char *)context;
	heard[used + 1] = (char)(uintptr_t)first;
	heard[used + 2] = (char)(uintptr_t)second;
	heard[used + 3] = 0;
}

static VOID NTAPI leave(PVOID context, PVOID first, PVOID second)
{
	(void)context;
	(void)first;
	(void)second;
	ExUnregisterCallback(registration);
}

static VOID NTAPI stay(PVOID context, PVOID first, PVOID second)
{
	(void)context;
	(void)first;
	(void)second;
	atomic_store(&stage, 1);
	while (atomic_load(&stage) != 2)
		sched_yield();
}

static NTSTATUS open_object(PCWSTR name, BOOLEAN create, BOOLEAN multiple, PCALLBACK_OBJECT *object)
{
	UNICODE_STRING text = {0, 0, (PWSTR)name};
	while (name[text.Length / 2])
		text.Length += 2;
	OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .ObjectName = &text};
	return ExCreateCallback(object, &attributes, create, multiple);
}

static PCALLBACK_OBJECT make_object(PCWSTR name, BOOLEAN multiple)
{
	PCALLBACK_OBJECT object = NULL;
	assert_ntsuccess(open_object(name, TRUE, multiple, &object));
	return object;
}

static void wdk_system_objects_are_there(void **state)
{
	(void)state;
	PCALLBACK_OBJECT object;
	assert_ntsuccess(open_object(u"\\Callback\\PowerState", FALSE, FALSE, &object));
	PVOID handle = ExRegisterCallback(object, note, "x");
	assert_non_null(handle);
	ExUnregisterCallback(handle);
	rs_release(object);
	assert_ntsuccess(open_object(u"\\callback\\setsystemtime", FALSE, FALSE, &object));
	rs_release(object);
	assert_status(open_object(u"\\Callback\\Mine", FALSE, FALSE, &object),
		      STATUS_OBJECT_NAME_NOT_FOUND);
	assert_status(open_object(u"", TRUE, FALSE, &object), STATUS_UNSUCCESSFUL);
	assert_status(ExCreateCallback(&object, NULL, TRUE, TRUE), STATUS_UNSUCCESSFUL);
	assert_status(open_object(u"\\Device", FALSE, FALSE, &object), STATUS_OBJECT_TYPE_MISMATCH);
}

static void wdk_routines_are_called_in_the_order_of_registration(void **state)
{
	(void)state;
	heard[0] = 0;
	PCALLBACK_OBJECT object = make_object(u"\\Callback\\Mine", TRUE);
	PVOID a = ExRegisterCallback(object, note, "A"), b = ExRegisterCallback(object, note, "B");
	PCALLBACK_OBJECT same = make_object(u"\\Callback\\Mine", TRUE);
	assert_ptr_equal(object, same);
	ExNotifyCallback(same, (PVOID)'1', (PVOID)'2');
	assert_string_equal(heard, "A12B12");
	ExUnregisterCallback(a);
	KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);
	ExNotifyCallback(same, (PVOID)'3', (PVOID)'4');
	KfLowerIrql(irql);
	assert_string_equal(heard, "A12B12B34");
	rs_release(object);
	rs_release(same);
	assert_ntsuccess(open_object(u"\\Callback\\Mine", FALSE, FALSE, &object));
	rs_release(object); /* the registration keeps it */
	ExUnregisterCallback(b);
	assert_status(open_object(u"\\Callback\\Mine", FALSE, FALSE, &object),
		      STATUS_OBJECT_NAME_NOT_FOUND);
}

static void wdk_an_object_for_one_routine_takes_one(void **state)
{
	(void)state;
	PCALLBACK_OBJECT object = make_object(u"\\Callback\\One", FALSE);
	PVOID first = ExRegisterCallback(object, note, "A");
	assert_non_null(first);
	assert_null(ExRegisterCallback(object, note, "B"));
	ExUnregisterCallback(first);
	for (unsigned n = 0; n < 2; n++) {
		fail_allocation("ex/callback", n);
		assert_null(ExRegisterCallback(object, note, "B"));
		assert_int_equal(stop_failing(), 1);
	}
	first = ExRegisterCallback(object, note, "B");
	assert_non_null(first);
	rs_release(object); /* left behind: goes with the kernel */
}

static void *notify(void *object)
{
	ExNotifyCallback(object, NULL, NULL);
	return NULL;
}

static void *unregister(void *handle)
{
	ExUnregisterCallback(handle);
	atomic_store(&stage, 3);
	return NULL;
}

static void wdk_unregistering_waits_for_calls_in_flight(void **state)
{
	(void)state;
	pthread_t caller, remover;
	PCALLBACK_OBJECT object = make_object(u"\\Callback\\Mine", FALSE);
	PVOID handle = ExRegisterCallback(object, stay, NULL), second;
	atomic_store(&stage, 0);
	pthread_create(&caller, NULL, notify, object);
	while (atomic_load(&stage) != 1)
		sched_yield();
	pthread_create(&remover, NULL, unregister, handle);
	/* It is out of the list once there is room for another. */
	while (!(second = ExRegisterCallback(object, note, "A")))
		sched_yield();
	assert_int_equal(atomic_load(&stage), 1);
	atomic_store(&stage, 2);
	pthread_join(caller, NULL);
	pthread_join(remover, NULL);
	assert_int_equal(atomic_load(&stage), 3);
	ExUnregisterCallback(second);
	rs_release(object);
}

static void unregister_from_inside(void *unused)
{
	(void)unused;
	PCALLBACK_OBJECT object = make_object(u"\\Callback\\Mine", FALSE);
	registration = ExRegisterCallback(object, leave, NULL);
	ExNotifyCallback(object, NULL, NULL);
}

static void unregister_twice(void *unused)
{
	(void)unused;
	PCALLBACK_OBJECT object = make_object(u"\\Callback\\Mine", FALSE);
	PVOID handle = ExRegisterCallback(object, note, "A");
	ExUnregisterCallback(handle);
	ExUnregisterCallback(handle);
}

static void wdk_mistakes_are_bug_checks(void **state)
{
	(void)state;
	expect_bug_check(KE_CALLBACK_RULE_VIOLATION, unregister_from_inside, NULL);
	expect_bug_check(KE_SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, unregister_twice, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(wdk_system_objects_are_there),
		WORLD_TEST(wdk_routines_are_called_in_the_order_of_registration),
		WORLD_TEST(wdk_an_object_for_one_routine_takes_one),
		WORLD_TEST(wdk_unregistering_waits_for_calls_in_flight),
		WORLD_TEST(wdk_mistakes_are_bug_checks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
