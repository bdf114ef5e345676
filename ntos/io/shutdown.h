/* SPDX-License-Identifier: MIT */
/* Who wants to know that the system goes down. */
#ifndef RINGSIDE_IO_SHUTDOWN_H
#define RINGSIDE_IO_SHUTDOWN_H

#include <ringside/io.h>

NTSTATUS NTAPI IoRegisterShutdownNotification(PDEVICE_OBJECT DeviceObject);
NTSTATUS NTAPI IoRegisterLastChanceShutdownNotification(PDEVICE_OBJECT DeviceObject);
VOID NTAPI IoUnregisterShutdownNotification(PDEVICE_OBJECT DeviceObject);

#endif
