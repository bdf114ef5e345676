/* SPDX-License-Identifier: MIT */
/* File objects of devices: opening, cleaning up, closing. */
#ifndef RINGSIDE_IO_FILE_H
#define RINGSIDE_IO_FILE_H

#include "io/device.h"
#include "ob/object.h"

/* FILE_OBJECT.Flags */
#define FO_FILE_OPEN 0x1
#define FO_SYNCHRONOUS_IO 0x2
#define FO_ALERTABLE_IO 0x4
#define FO_NO_INTERMEDIATE_BUFFERING 0x8
#define FO_WRITE_THROUGH 0x10
#define FO_SEQUENTIAL_ONLY 0x20
#define FO_CLEANUP_COMPLETE 0x4000
#define FO_HANDLE_CREATED 0x40000

/* What is asked for when a file is opened. */
struct io_open {
	PUNICODE_STRING name; /* from `root`, when there is one */
	PFILE_OBJECT root;    /* or NULL */
	ACCESS_MASK access;
	ULONG attributes; /* of the object: OBJ_KERNEL_HANDLE, ... */
	ULONG file_attributes, share, disposition, options;
	PVOID ea;
	ULONG ea_length;
	KPROCESSOR_MODE mode;
};

/*
 * How a name that is no device's is opened, if somebody can: a file system. Called at
 * PASSIVE_LEVEL with the status that the namespace gave; makes the handle itself
 * and fills `result` in. NULL: nobody can, and the status stands.
 */
extern NTSTATUS (*io_open_elsewhere)(const struct io_open *open, NTSTATUS status, PHANDLE handle,
				     IO_STATUS_BLOCK *result);

/* Opens a device: IRP_MJ_CREATE. The file object is referenced for the caller, and no
 * handle made. */
NTSTATUS io_open_device(const struct io_open *open, PFILE_OBJECT *file, IO_STATUS_BLOCK *result);

/* The name of a file object, as ObQueryNameString gives it (rtl_free_string). */
NTSTATUS io_file_name(void *file, UNICODE_STRING *name);

/* Gives a reference back at any IRQL up to DISPATCH_LEVEL: above PASSIVE_LEVEL later. */
void io_dereference_file(PFILE_OBJECT file);

/* Gives the type of file objects its methods. */
void io_boot_files(void);

NTSTATUS NTAPI IoCreateFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
			    POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
			    PLARGE_INTEGER AllocationSize, ULONG FileAttributes, ULONG ShareAccess,
			    ULONG Disposition, ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength,
			    ULONG CreateFileType, PVOID InternalParameters, ULONG Options);

#endif
