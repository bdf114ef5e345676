/* SPDX-License-Identifier: MIT */
/* The timers of devices. */
#include "io/timer.h"
#include "io/device.h"
#include "io/driver.h"
#include "ke/event.h"
#include "ke/thread.h"
#include "ke/wait.h"
#include "ldr/kernel.h"
#include "support/world.h"

static struct {
	PDRIVER_OBJECT driver;
	PDEVICE_OBJECT device, seen;
	KEVENT called;
	KIRQL irql;
} t;

static VOID NTAPI note(PDEVICE_OBJECT device, PVOID context)
{
	t.seen = device;
	t.irql = KeGetCurrentIrql();
	KeSetEvent(context, 0, FALSE);
}

static VOID NTAPI never(PDEVICE_OBJECT device, PVOID context)
{
	(void)device;
	(void)context;
	fail();
}

static void make_device(void)
{
	static WCHAR text[] = u"Ticker";
	UNICODE_STRING name = {sizeof(text) - 2, sizeof(text), text};
	t.driver = io_create_driver(&name, &ldr_kernel_image(EXPORT_NTOS)->entry, NULL);
	assert_ntsuccess(IoCreateDevice(t.driver, 0, NULL, 0x22, 0, FALSE, &t.device));
	io_driver_started(t.driver);
	KeInitializeEvent(&t.called, SynchronizationEvent, FALSE);
}

static void delete_device(void)
{
	IoDeleteDevice(t.device);
	io_delete_driver(t.driver);
}

static NTSTATUS wait_for(LONGLONG milliseconds)
{
	LARGE_INTEGER timeout = {.QuadPart = -10000 * milliseconds};
	return KeWaitForSingleObject(&t.called, 0, KernelMode, FALSE, &timeout);
}

static void wdk_routine_is_called_after_a_second(void **state)
{
	(void)state;
	make_device();
	assert_ntsuccess(IoInitializeTimer(t.device, never, NULL));
	assert_ntsuccess(IoInitializeTimer(t.device, note, &t.called));
	IoStartTimer(t.device);
	assert_status(wait_for(500), STATUS_TIMEOUT);
	assert_ntsuccess(wait_for(20000));
	assert_ptr_equal(t.seen, t.device);
	assert_int_equal(t.irql, DISPATCH_LEVEL);
	assert_ntsuccess(wait_for(20000)); /* and each second again */
	IoStopTimer(t.device);
	delete_device();
}

static void wdk_deleting_the_device_ends_its_timer(void **state)
{
	(void)state;
	make_device();
	assert_ntsuccess(IoInitializeTimer(t.device, never, NULL));
	IoStartTimer(t.device);
	delete_device();
	assert_status(wait_for(1200), STATUS_TIMEOUT);
}

static void device_without_a_timer_starts_none(void **state)
{
	(void)state;
	make_device();
	IoStartTimer(t.device);
	IoStopTimer(t.device);
	delete_device();
}

static void a_device_of_a_driver_has_no_properties_of_a_bus(void **state)
{
	ULONG length = 77;
	(void)state;
	make_device();
	assert_status(IoGetDeviceProperty(t.device, 0, 0, NULL, &length),
		      STATUS_INVALID_DEVICE_REQUEST);
	assert_int_equal(length, 0);
	delete_device();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(wdk_routine_is_called_after_a_second),
		WORLD_TEST(wdk_deleting_the_device_ends_its_timer),
		WORLD_TEST(device_without_a_timer_starts_none),
		WORLD_TEST(a_device_of_a_driver_has_no_properties_of_a_bus),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
