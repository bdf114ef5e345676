/* SPDX-License-Identifier: MIT */
/* The timers of devices. */
#ifndef RINGSIDE_IO_TIMER_H
#define RINGSIDE_IO_TIMER_H

#include <ringside/io.h>

typedef VOID NTAPI IO_TIMER_ROUTINE(PDEVICE_OBJECT DeviceObject, PVOID Context);
typedef IO_TIMER_ROUTINE *PIO_TIMER_ROUTINE;

/* When the device goes, which may have none. */
void io_delete_timer(PDEVICE_OBJECT device);

/* Again: another routine. */
NTSTATUS NTAPI IoInitializeTimer(PDEVICE_OBJECT DeviceObject, PIO_TIMER_ROUTINE TimerRoutine,
				 PVOID Context);
VOID NTAPI IoStartTimer(PDEVICE_OBJECT DeviceObject);
/* Not from the routine itself: it would wait for its end, in NT for ever. */
VOID NTAPI IoStopTimer(PDEVICE_OBJECT DeviceObject);

#endif
