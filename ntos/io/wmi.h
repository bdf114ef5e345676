/* SPDX-License-Identifier: MIT */
/*
 * WMI, the provider's side, as a system has it on which nobody asks: providers register,
 * and their events find nobody.
 */
#ifndef RINGSIDE_IO_WMI_H
#define RINGSIDE_IO_WMI_H

#include "io/device.h"

enum {
	WMIREG_ACTION_REGISTER = 1,
	WMIREG_ACTION_DEREGISTER = 2,
	WMIREG_ACTION_REREGISTER = 3,
	WMIREG_ACTION_UPDATE_GUIDS = 4,
	WMIREG_ACTION_BLOCK_IRPS = 5,
};

/* In Action: DeviceObject is a routine of a driver that traces, not a device. */
#define WMIREG_FLAG_CALLBACK 0x80000000u

void io_shutdown_wmi(void);

NTSTATUS NTAPI IoWMIRegistrationControl(PDEVICE_OBJECT DeviceObject, ULONG Action);
/* UNSUCCESSFUL: there are no WMI services. The item stays the caller's. */
NTSTATUS NTAPI IoWMIWriteEvent(PVOID WnodeEventItem);

#endif
