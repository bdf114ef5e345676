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
#define FO_VOLUME_OPEN 0x400
#define FO_FILE_MODIFIED 0x1000
#define FO_CLEANUP_COMPLETE 0x4000
#define FO_DELETE_ON_CLOSE 0x10000
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
	PDEVICE_OBJECT hint; /* of the device's stack, to begin there; NULL: its top */
	bool ignores_sharing;
};

/* What IRP_MJ_CREATE shows of the opener (ntifs.h). */
struct io_access_state {
	ULONG64 OperationID;
	BOOLEAN SecurityEvaluated, GenerateAudit, GenerateOnClose, PrivilegesAllocated;
	ULONG Flags;
	ACCESS_MASK RemainingDesiredAccess, PreviouslyGrantedAccess, OriginalDesiredAccess;
	PVOID SubjectSecurityContext[4], SecurityDescriptor, AuxData, Privileges[6];
	UNICODE_STRING ObjectName, ObjectTypeName;
};
_Static_assert(sizeof(struct io_access_state) == 0xA0, "wdm.h");

struct io_security_context { /* IO_SECURITY_CONTEXT */
	PVOID SecurityQos;
	struct io_access_state *AccessState;
	ACCESS_MASK DesiredAccess;
	ULONG FullCreateOptions;
};

/* Opens a device: IRP_MJ_CREATE. The file object is referenced for the caller, and no
 * handle made. */
NTSTATUS io_open_device(const struct io_open *open, PFILE_OBJECT *file, IO_STATUS_BLOCK *result);

/* The same, of what `attributes` name; `open` has the rest. */
NTSTATUS io_open_attributes(POBJECT_ATTRIBUTES attributes, struct io_open *open, PFILE_OBJECT *file,
			    IO_STATUS_BLOCK *result);

/* A file object of an image, by its name on the volume; it is referenced for the caller and
 * opened when it is used. NULL without memory. */
PFILE_OBJECT io_create_image_file(PCUNICODE_STRING name);

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
NTSTATUS NTAPI IoCreateFileSpecifyDeviceObjectHint(
	PHANDLE FileHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
	PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
	ULONG ShareAccess, ULONG Disposition, ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength,
	ULONG CreateFileType, PVOID InternalParameters, ULONG Options, PVOID DeviceObject);
NTSTATUS NTAPI IoCreateFileEx(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
			      POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
			      PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
			      ULONG ShareAccess, ULONG Disposition, ULONG CreateOptions,
			      PVOID EaBuffer, ULONG EaLength, ULONG CreateFileType,
			      PVOID InternalParameters, ULONG Options, PVOID DriverContext);

#endif
