/* SPDX-License-Identifier: MIT */
/* Driver objects. */
#ifndef RINGSIDE_IO_DRIVER_H
#define RINGSIDE_IO_DRIVER_H

#include <ringside/nt.h>

/*
 * Makes the driver object of a loaded image, as IoCreateDriver would: \Driver\NAME,
 * every dispatch routine answering INVALID_DEVICE_REQUEST. `name` is copied. NULL
 * without memory. PASSIVE_LEVEL.
 */
PDRIVER_OBJECT io_create_driver(PCUNICODE_STRING name, PKLDR_DATA_TABLE_ENTRY section,
				PDRIVER_INITIALIZE entry_point);

/* DriverEntry has succeeded: settles the flags that depend on what it set up. */
void io_driver_started(PDRIVER_OBJECT driver);

/* Gives back the reference that io_create_driver made. */
void io_delete_driver(PDRIVER_OBJECT driver);

#endif
