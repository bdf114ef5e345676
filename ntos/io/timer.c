/* SPDX-License-Identifier: MIT */
/*
 * A device's timer: a routine that is called each second.
 *
 * DEVICE_OBJECT.Timer leads to it. NT calls the routines with a lock held that stopping
 * takes, so that nothing runs any more when IoStopTimer or IoDeleteDevice comes back; here
 * they wait for the DPC.
 *
 * Pages: IoInitializeTimer, IoStartTimer, IoStopTimer.
 */
#include "io/timer.h"
#include "ke/callout.h"
#include "ke/dpc.h"
#include "ke/timer.h"
#include "memory.h"

#define MILLISECONDS 1000
#define UNITS (MILLISECONDS * 10000LL)

struct io_timer { /* IO_TIMER is NT's own */
	KTIMER timer;
	KDPC dpc;
	PDEVICE_OBJECT device;
	PIO_TIMER_ROUTINE routine;
	PVOID context;
};

static VOID NTAPI tick(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
	const struct io_timer *timer = context;
	struct ke_callout callout;
	(void)dpc;
	(void)argument1;
	(void)argument2;
	ke_call_begin(&callout, "IoTimer routine", (const void *)timer->routine, DISPATCH_LEVEL);
	timer->routine(timer->device, timer->context);
	ke_call_end(&callout, DISPATCH_LEVEL);
}

static struct io_timer *make(PDEVICE_OBJECT device)
{
	struct io_timer *timer = host_alloc(sizeof(*timer));
	if (!timer)
		return NULL;
	KeInitializeTimer(&timer->timer);
	KeInitializeDpc(&timer->dpc, tick, timer);
	timer->device = device;
	device->Timer = timer;
	return timer;
}

NTSTATUS NTAPI IoInitializeTimer(PDEVICE_OBJECT DeviceObject, PIO_TIMER_ROUTINE TimerRoutine,
				 PVOID Context)
{
	struct io_timer *timer = DeviceObject->Timer ? DeviceObject->Timer : make(DeviceObject);
	if (!timer)
		return STATUS_INSUFFICIENT_RESOURCES;
	timer->routine = TimerRoutine;
	timer->context = Context;
	return STATUS_SUCCESS;
}

VOID NTAPI IoStartTimer(PDEVICE_OBJECT DeviceObject)
{
	struct io_timer *timer = DeviceObject->Timer;
	if (timer)
		KeSetTimerEx(&timer->timer, (LARGE_INTEGER){.QuadPart = -UNITS}, MILLISECONDS,
			     &timer->dpc);
}

VOID NTAPI IoStopTimer(PDEVICE_OBJECT DeviceObject)
{
	struct io_timer *timer = DeviceObject->Timer;
	if (!timer)
		return;
	KeCancelTimer(&timer->timer);
	KeRemoveQueueDpcEx(&timer->dpc, TRUE);
}

void io_delete_timer(PDEVICE_OBJECT device)
{
	IoStopTimer(device);
	host_free(device->Timer);
	device->Timer = NULL;
}
