/* SPDX-License-Identifier: MIT */
/* Driver objects. */
#ifndef RINGSIDE_IO_DRIVER_H
#define RINGSIDE_IO_DRIVER_H

#include <ringside/nt.h>
#include <stdbool.h>

/*
 * Makes the driver object of a loaded image, as IoCreateDriver would: \Driver\NAME,
 * every dispatch routine answering INVALID_DEVICE_REQUEST. `name` is copied. NULL
 * without memory. PASSIVE_LEVEL.
 */
PDRIVER_OBJECT io_create_driver(PCUNICODE_STRING name, PKLDR_DATA_TABLE_ENTRY section,
				PDRIVER_INITIALIZE entry_point);

/* The same for a file system of the kernel's own: \FileSystem\NAME. */
PDRIVER_OBJECT io_create_file_system(PCUNICODE_STRING name, PKLDR_DATA_TABLE_ENTRY section);

/* Whether it is the dispatch routine of that file system. */
bool io_is_of_the_house(PDRIVER_DISPATCH routine);

/* DriverEntry has succeeded: settles the flags that depend on what it set up. */
void io_driver_started(PDRIVER_OBJECT driver);

/* Gives back the reference that io_create_driver made. */
void io_delete_driver(PDRIVER_OBJECT driver);

#endif
