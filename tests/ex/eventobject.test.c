/* SPDX-License-Identifier: MIT */
/* Events with handles and names, and waiting by handle. */
#include "ex/eventobject.h"
#include "ke/wait.h"
#include "ob/handle.h"
#include "support/world.h"

#define NAME u"\\BaseNamedObjects\\Done"

static NTSTATUS look(HANDLE handle)
{
	LARGE_INTEGER zero = {0};
	return ZwWaitForSingleObject(handle, FALSE, &zero);
}

static void event_is_set_and_waited_for_by_handle(void **state)
{
	(void)state;
	HANDLE event;
	LONG before = 7;
	assert_ntsuccess(
		ZwCreateEvent(&event, EVENT_ALL_ACCESS, NULL, SynchronizationEvent, FALSE));
	assert_status(look(event), STATUS_TIMEOUT);
	assert_ntsuccess(ZwSetEvent(event, &before));
	assert_int_equal(before, 0);
	assert_ntsuccess(look(event));
	assert_status(look(event), STATUS_TIMEOUT);
	assert_ntsuccess(ZwSetEvent(event, NULL));
	assert_ntsuccess(ZwClearEvent(event));
	assert_status(look(event), STATUS_TIMEOUT);
	assert_ntsuccess(ZwClose(event));
	assert_status(look(event), STATUS_INVALID_HANDLE);
	assert_status(ZwCreateEvent(&event, EVENT_ALL_ACCESS, NULL, (EVENT_TYPE)2, FALSE),
		      STATUS_INVALID_PARAMETER);
}

static void name_leads_to_the_same_event(void **state)
{
	(void)state;
	UNICODE_STRING name = USTR(NAME);
	OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .ObjectName = &name};
	HANDLE first, second, third;
	PKEVENT event = IoCreateNotificationEvent(&name, &first);
	assert_non_null(event);
	assert_int_equal(KeReadStateEvent(event), 1);
	assert_ptr_equal(IoCreateNotificationEvent(&name, &second), event);
	assert_ntsuccess(ZwOpenEvent(&third, EVENT_ALL_ACCESS, &attributes));
	assert_ntsuccess(ZwResetEvent(third, NULL));
	assert_int_equal(KeReadStateEvent(event), 0);
	assert_status(
		ZwCreateEvent(&third, EVENT_ALL_ACCESS, &attributes, NotificationEvent, FALSE),
		STATUS_OBJECT_NAME_COLLISION);
	assert_ntsuccess(ZwClose(first));
	assert_ntsuccess(ZwClose(second));
	assert_ntsuccess(ZwClose(third));
	assert_status(ZwOpenEvent(&third, EVENT_ALL_ACCESS, &attributes),
		      STATUS_OBJECT_NAME_NOT_FOUND);
}

static void process_handle_is_waited_for(void **state)
{
	(void)state;
	struct actor actor = actor_start("C:\\a.exe");
	HANDLE handle;
	assert_ntsuccess(ObOpenObjectByPointer(actor.process, 0, NULL, SYNCHRONIZE, PsProcessType,
					       KernelMode, &handle));
	assert_status(look(handle), STATUS_TIMEOUT);
	rs_exit_process(actor.process, STATUS_SUCCESS);
	assert_ntsuccess(look(handle));
	assert_ntsuccess(ZwClose(handle));
	rs_release(actor.thread);
	rs_release(actor.process);
}

static void wrong_type_is_told(void **state)
{
	(void)state;
	HANDLE event;
	PVOID object;
	struct actor actor = actor_start("C:\\a.exe");
	assert_ntsuccess(ObOpenObjectByPointer(actor.process, 0, NULL, SYNCHRONIZE, PsProcessType,
					       KernelMode, &event));
	assert_status(ZwSetEvent(event, NULL), STATUS_OBJECT_TYPE_MISMATCH);
	assert_status(
		ObReferenceObjectByHandle(event, 0, ExEventObjectType, KernelMode, &object, NULL),
		STATUS_OBJECT_TYPE_MISMATCH);
	assert_ntsuccess(ZwClose(event));
	actor_end(&actor);
}

static void without_memory_there_is_no_event(void **state)
{
	(void)state;
	HANDLE event;
	fail_allocation("ex/eventobject.c", 0);
	assert_status(ZwCreateEvent(&event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE),
		      STATUS_INSUFFICIENT_RESOURCES);
	assert_int_equal(stop_failing(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(event_is_set_and_waited_for_by_handle),
		WORLD_TEST(name_leads_to_the_same_event),
		WORLD_TEST(process_handle_is_waited_for),
		WORLD_TEST(wrong_type_is_told),
		WORLD_TEST(without_memory_there_is_no_event),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
