/* SPDX-License-Identifier: MIT */
/* StartIo: one request of a device at a time. */
#ifndef RINGSIDE_IO_STARTIO_H
#define RINGSIDE_IO_STARTIO_H

#include <ringside/io.h>

VOID NTAPI IoStartPacket(PDEVICE_OBJECT DeviceObject, PIRP Irp, PULONG Key,
			 PDRIVER_CANCEL CancelFunction);
VOID NTAPI IoStartNextPacket(PDEVICE_OBJECT DeviceObject, BOOLEAN Cancelable);
VOID NTAPI IoStartNextPacketByKey(PDEVICE_OBJECT DeviceObject, BOOLEAN Cancelable, ULONG Key);

#endif
