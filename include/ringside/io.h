/* SPDX-License-Identifier: MIT */
/*
 * Devices and requests: how a program talks to a loaded driver, and the structures that
 * drivers share with the I/O manager.
 *
 *	HANDLE device;
 *	IO_STATUS_BLOCK result;
 *	UNICODE_STRING name = ...; // \??\Warden or \Device\Warden
 *	OBJECT_ATTRIBUTES attributes = {sizeof attributes, NULL, &name};
 *
 *	rs_become(thread); // whose process asks
 *	NtOpenFile(&device, FILE_GENERIC_READ | FILE_GENERIC_WRITE, &attributes, &result, 0,
 *		   FILE_SYNCHRONOUS_IO_NONALERT);
 *	char *buffer = rs_user_alloc(4096);
 *	NtDeviceIoControlFile(device, NULL, NULL, NULL, &result, code, buffer, 16, buffer, 4096);
 *	NtClose(device);
 *
 * The Nt calls act for the current process with its thread's previous mode, the Zw calls
 * as the kernel. Structures, names and handles may lie anywhere. Of a user-mode caller
 * the buffers of a request must be user memory (rs_user_alloc), because drivers probe
 * and map them: any other ends the call with STATUS_ACCESS_VIOLATION.
 */
#ifndef RINGSIDE_IO_H
#define RINGSIDE_IO_H

#include <ringside/nt.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- User memory ----------------------------------------------------------------- */

/* Zeroed memory, in whole pages, that a driver takes for user memory: it lies below all
 * kernel addresses, and is the same in every process of this library. NULL without memory. */
void *rs_user_alloc(size_t size);
void rs_user_free(void *memory, size_t size);

/* ---- Requests -------------------------------------------------------------------- */

#define FILE_READ_DATA 0x0001
#define FILE_WRITE_DATA 0x0002
#define FILE_APPEND_DATA 0x0004
#define FILE_READ_EA 0x0008
#define FILE_WRITE_EA 0x0010
#define FILE_EXECUTE 0x0020
#define FILE_DELETE_CHILD 0x0040
#define FILE_READ_ATTRIBUTES 0x0080
#define FILE_WRITE_ATTRIBUTES 0x0100
#define FILE_GENERIC_READ 0x00120089
#define FILE_GENERIC_WRITE 0x00120116
#define FILE_ALL_ACCESS 0x001F01FF

#define FILE_SHARE_READ 0x1
#define FILE_SHARE_WRITE 0x2
#define FILE_SHARE_DELETE 0x4

/* CreateDisposition */
#define FILE_SUPERSEDE 0
#define FILE_OPEN 1
#define FILE_CREATE 2
#define FILE_OPEN_IF 3
#define FILE_OVERWRITE 4
#define FILE_OVERWRITE_IF 5
#define FILE_MAXIMUM_DISPOSITION 5

/* CreateOptions */
#define FILE_DIRECTORY_FILE 0x1
#define FILE_WRITE_THROUGH 0x2
#define FILE_SEQUENTIAL_ONLY 0x4
#define FILE_NO_INTERMEDIATE_BUFFERING 0x8
#define FILE_SYNCHRONOUS_IO_ALERT 0x10
#define FILE_SYNCHRONOUS_IO_NONALERT 0x20
#define FILE_NON_DIRECTORY_FILE 0x40
#define FILE_DELETE_ON_CLOSE 0x1000
#define FILE_OPEN_BY_FILE_ID 0x2000

/* Information of an open */
#define FILE_SUPERSEDED 0
#define FILE_OPENED 1
#define FILE_CREATED 2
#define FILE_OVERWRITTEN 3

#define FILE_ATTRIBUTE_READONLY 0x1
#define FILE_ATTRIBUTE_DIRECTORY 0x10
#define FILE_ATTRIBUTE_ARCHIVE 0x20
#define FILE_ATTRIBUTE_DEVICE 0x40
#define FILE_ATTRIBUTE_NORMAL 0x80

#define FILE_ANY_ACCESS 0
#define FILE_READ_ACCESS 1
#define FILE_WRITE_ACCESS 2
#define METHOD_BUFFERED 0
#define METHOD_IN_DIRECT 1
#define METHOD_OUT_DIRECT 2
#define METHOD_NEITHER 3
#define CTL_CODE(type, function, method, access)                                                   \
	((ULONG)(type) << 16 | (ULONG)(access) << 14 | (ULONG)(function) << 2 | (ULONG)(method))

/*
 * Opens a device by name: the driver gets IRP_MJ_CREATE and decides. What follows its
 * name ("\Device\X\rest") is the file object's FileName. A name that is no device's goes
 * to the file systems. PASSIVE_LEVEL. The Information of the result is FILE_OPENED (1)
 * or what else the driver says. Errors: those of the driver; OBJECT_NAME_NOT_FOUND,
 * OBJECT_PATH_NOT_FOUND, OBJECT_PATH_SYNTAX_BAD, OBJECT_NAME_INVALID,
 * OBJECT_TYPE_MISMATCH (neither device nor file), ACCESS_DENIED (an exclusive device that
 * is open), NO_SUCH_DEVICE (still being initialized), INVALID_PARAMETER,
 * INSUFFICIENT_RESOURCES.
 *
 * The last NtClose of the handle and its duplicates sends IRP_MJ_CLEANUP, the last
 * reference to the file object IRP_MJ_CLOSE.
 */
NTSTATUS NTAPI NtCreateFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
			    POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
			    PLARGE_INTEGER AllocationSize, ULONG FileAttributes, ULONG ShareAccess,
			    ULONG CreateDisposition, ULONG CreateOptions, PVOID EaBuffer,
			    ULONG EaLength);
NTSTATUS NTAPI ZwCreateFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
			    POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
			    PLARGE_INTEGER AllocationSize, ULONG FileAttributes, ULONG ShareAccess,
			    ULONG CreateDisposition, ULONG CreateOptions, PVOID EaBuffer,
			    ULONG EaLength);
NTSTATUS NTAPI NtOpenFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
			  POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
			  ULONG ShareAccess, ULONG OpenOptions);
NTSTATUS NTAPI ZwOpenFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
			  POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
			  ULONG ShareAccess, ULONG OpenOptions);

/*
 * Sends a control request, a read or a write. A handle opened with one of the
 * FILE_SYNCHRONOUS_IO options waits for the driver; any other may get STATUS_PENDING,
 * and then IoStatusBlock and the buffers must stay until the request is complete, when
 * `Event` is set or, without one, the file object signalled. ApcRoutine must be NULL:
 * NOT_SUPPORTED otherwise. PASSIVE_LEVEL. Errors: the driver's; INVALID_HANDLE,
 * OBJECT_TYPE_MISMATCH, ACCESS_DENIED (the access in the code, or reading and writing
 * rights), ACCESS_VIOLATION (buffers), INVALID_PARAMETER, INSUFFICIENT_RESOURCES.
 */
NTSTATUS NTAPI NtDeviceIoControlFile(HANDLE FileHandle, HANDLE Event, PVOID ApcRoutine,
				     PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock,
				     ULONG IoControlCode, PVOID InputBuffer,
				     ULONG InputBufferLength, PVOID OutputBuffer,
				     ULONG OutputBufferLength);
NTSTATUS NTAPI ZwDeviceIoControlFile(HANDLE FileHandle, HANDLE Event, PVOID ApcRoutine,
				     PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock,
				     ULONG IoControlCode, PVOID InputBuffer,
				     ULONG InputBufferLength, PVOID OutputBuffer,
				     ULONG OutputBufferLength);
NTSTATUS NTAPI NtFsControlFile(HANDLE FileHandle, HANDLE Event, PVOID ApcRoutine, PVOID ApcContext,
			       PIO_STATUS_BLOCK IoStatusBlock, ULONG FsControlCode,
			       PVOID InputBuffer, ULONG InputBufferLength, PVOID OutputBuffer,
			       ULONG OutputBufferLength);
NTSTATUS NTAPI ZwFsControlFile(HANDLE FileHandle, HANDLE Event, PVOID ApcRoutine, PVOID ApcContext,
			       PIO_STATUS_BLOCK IoStatusBlock, ULONG FsControlCode,
			       PVOID InputBuffer, ULONG InputBufferLength, PVOID OutputBuffer,
			       ULONG OutputBufferLength);
NTSTATUS NTAPI NtReadFile(HANDLE FileHandle, HANDLE Event, PVOID ApcRoutine, PVOID ApcContext,
			  PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length,
			  PLARGE_INTEGER ByteOffset, PULONG Key);
NTSTATUS NTAPI ZwReadFile(HANDLE FileHandle, HANDLE Event, PVOID ApcRoutine, PVOID ApcContext,
			  PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length,
			  PLARGE_INTEGER ByteOffset, PULONG Key);
NTSTATUS NTAPI NtWriteFile(HANDLE FileHandle, HANDLE Event, PVOID ApcRoutine, PVOID ApcContext,
			   PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length,
			   PLARGE_INTEGER ByteOffset, PULONG Key);
NTSTATUS NTAPI ZwWriteFile(HANDLE FileHandle, HANDLE Event, PVOID ApcRoutine, PVOID ApcContext,
			   PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length,
			   PLARGE_INTEGER ByteOffset, PULONG Key);
NTSTATUS NTAPI NtFlushBuffersFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock);
NTSTATUS NTAPI ZwFlushBuffersFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock);

/* Cancels the requests of that file that are under way, or the one with that status
 * block (NULL: all). Does not wait for them. NOT_FOUND when there is none. */
NTSTATUS NTAPI NtCancelIoFileEx(HANDLE FileHandle, PIO_STATUS_BLOCK IoRequestToCancel,
				PIO_STATUS_BLOCK IoStatusBlock);
NTSTATUS NTAPI ZwCancelIoFileEx(HANDLE FileHandle, PIO_STATUS_BLOCK IoRequestToCancel,
				PIO_STATUS_BLOCK IoStatusBlock);

NTSTATUS NTAPI NtClose(HANDLE Handle);
NTSTATUS NTAPI ZwClose(HANDLE Handle);

/*
 * Shows the files below `folder` as \Device\HarddiskVolume1, which is also C: and Z:, until
 * the kernel is shut down; no name leads out of it. Without `writable` whatever would change
 * something is STATUS_MEDIA_WRITE_PROTECTED and told (RS_WRITE_REFUSED). At most once, after
 * rs_boot. 0, -EBUSY, -ENOMEM, or what Linux says about the folder.
 */
int rs_mount(const char *folder, bool writable);

/* Tells the drivers that asked for it that the system goes down (IRP_MJ_SHUTDOWN), the
 * last registered first. Before drivers are unloaded. PASSIVE_LEVEL. */
void rs_announce_shutdown(void);

/* ---- What drivers see -------------------------------------------------------------- */

#define IRP_MJ_CREATE 0x00
#define IRP_MJ_CREATE_NAMED_PIPE 0x01
#define IRP_MJ_CLOSE 0x02
#define IRP_MJ_READ 0x03
#define IRP_MJ_WRITE 0x04
#define IRP_MJ_QUERY_INFORMATION 0x05
#define IRP_MJ_SET_INFORMATION 0x06
#define IRP_MJ_QUERY_EA 0x07
#define IRP_MJ_SET_EA 0x08
#define IRP_MJ_FLUSH_BUFFERS 0x09
#define IRP_MJ_QUERY_VOLUME_INFORMATION 0x0a
#define IRP_MJ_DIRECTORY_CONTROL 0x0c
#define IRP_MN_QUERY_DIRECTORY 0x01
#define IRP_MJ_FILE_SYSTEM_CONTROL 0x0d
#define IRP_MJ_DEVICE_CONTROL 0x0e
#define IRP_MJ_INTERNAL_DEVICE_CONTROL 0x0f
#define IRP_MJ_SHUTDOWN 0x10
#define IRP_MJ_CLEANUP 0x12
#define IRP_MJ_POWER 0x16
#define IRP_MJ_PNP 0x1b

/* DEVICE_OBJECT.Flags */
#define DO_BUFFERED_IO 0x00000004
#define DO_EXCLUSIVE 0x00000008
#define DO_DIRECT_IO 0x00000010
#define DO_DEVICE_HAS_NAME 0x00000040
#define DO_DEVICE_INITIALIZING 0x00000080
#define DO_SHUTDOWN_REGISTERED 0x00000800

/* Every device object is followed by its extension (AB-15). */
typedef struct _DEVICE_OBJECT {
	CSHORT Type;
	USHORT Size;
	LONG ReferenceCount;
	struct _DRIVER_OBJECT *DriverObject;
	struct _DEVICE_OBJECT *NextDevice, *AttachedDevice;
	struct _IRP *CurrentIrp;
	PVOID Timer;
	ULONG Flags, Characteristics;
	PVOID Vpb, DeviceExtension;
	ULONG DeviceType;
	CCHAR StackSize;
	ULONG64 Queue[9]; /* a WAIT_CONTEXT_BLOCK */
	ULONG AlignmentRequirement;
	ULONG64 DeviceQueue[5]; /* a KDEVICE_QUEUE */
	ULONG64 Dpc[8];         /* a KDPC */
	ULONG ActiveThreadCount;
	PVOID SecurityDescriptor;
	ULONG64 DeviceLock[3]; /* a KEVENT */
	USHORT SectorSize, Spare1;
	PVOID DeviceObjectExtension, Reserved;
} __attribute__((aligned(16))) DEVICE_OBJECT, *PDEVICE_OBJECT;
_Static_assert(sizeof(DEVICE_OBJECT) == 336, "AB-15");
_Static_assert(offsetof(DEVICE_OBJECT, NextDevice) == 0x10, "AB-15");
_Static_assert(offsetof(DEVICE_OBJECT, Flags) == 0x30, "AB-15");
_Static_assert(offsetof(DEVICE_OBJECT, DeviceExtension) == 0x40, "AB-15");
_Static_assert(offsetof(DEVICE_OBJECT, StackSize) == 0x4C, "AB-15");
_Static_assert(offsetof(DEVICE_OBJECT, AlignmentRequirement) == 0x98, "AB-15");
_Static_assert(offsetof(DEVICE_OBJECT, DeviceQueue) == 0xA0, "AB-15");
_Static_assert(offsetof(DEVICE_OBJECT, DeviceLock) == 0x118, "AB-15");
_Static_assert(offsetof(DEVICE_OBJECT, DeviceObjectExtension) == 0x138, "AB-15");

#define MDL_MAPPED_TO_SYSTEM_VA 0x0001
#define MDL_PAGES_LOCKED 0x0002
#define MDL_SOURCE_IS_NONPAGED_POOL 0x0004
#define MDL_ALLOCATED_FIXED_SIZE 0x0008
#define MDL_PARTIAL 0x0010
#define MDL_PARTIAL_HAS_BEEN_MAPPED 0x0020
#define MDL_WRITE_OPERATION 0x0080

/* Describes a buffer by its pages, whose numbers follow (one ULONG64 each). */
typedef struct _MDL {
	struct _MDL *Next;
	CSHORT Size, MdlFlags;
	USHORT AllocationProcessorNumber, Reserved;
	PEPROCESS Process;
	PVOID MappedSystemVa, StartVa;
	ULONG ByteCount, ByteOffset;
} MDL, *PMDL;
_Static_assert(sizeof(MDL) == 48, "wdm.h");
_Static_assert(offsetof(MDL, MappedSystemVa) == 0x18, "wdm.h");
_Static_assert(offsetof(MDL, ByteOffset) == 0x2C, "wdm.h");

typedef NTSTATUS NTAPI IO_COMPLETION_ROUTINE(PDEVICE_OBJECT DeviceObject, struct _IRP *Irp,
					     PVOID Context);
typedef IO_COMPLETION_ROUTINE *PIO_COMPLETION_ROUTINE;
typedef VOID NTAPI DRIVER_CANCEL(PDEVICE_OBJECT DeviceObject, struct _IRP *Irp);
typedef DRIVER_CANCEL *PDRIVER_CANCEL;

#define SL_RESTART_SCAN 0x01 /* Flags of a directory query */
#define SL_RETURN_SINGLE_ENTRY 0x02

#define SL_PENDING_RETURNED 0x01
#define SL_ERROR_RETURNED 0x02
#define SL_INVOKE_ON_CANCEL 0x20
#define SL_INVOKE_ON_SUCCESS 0x40
#define SL_INVOKE_ON_ERROR 0x80

/* One driver's part of a request (AB-16). */
typedef struct _IO_STACK_LOCATION {
	UCHAR MajorFunction, MinorFunction, Flags, Control;
	union {
		struct {
			PVOID SecurityContext;
			ULONG Options;
			USHORT FileAttributes __attribute__((aligned(8)));
			USHORT ShareAccess;
			ULONG EaLength __attribute__((aligned(8)));
		} Create;
		struct {
			ULONG Length;
			ULONG Key __attribute__((aligned(8)));
			LARGE_INTEGER ByteOffset;
		} Read, Write;
		struct {
			ULONG Length;
			ULONG FileInformationClass __attribute__((aligned(8)));
			PFILE_OBJECT FileObject; /* of a set */
			PVOID Others;
		} QueryFile, SetFile, QueryVolume;
		struct {
			ULONG Length;
			PUNICODE_STRING FileName;
			ULONG FileInformationClass;
			ULONG FileIndex __attribute__((aligned(8)));
		} QueryDirectory;
		struct {
			ULONG Length;
			PVOID EaList;
			ULONG EaListLength;
			ULONG EaIndex __attribute__((aligned(8)));
		} QueryEa;
		struct {
			ULONG OutputBufferLength;
			ULONG InputBufferLength __attribute__((aligned(8)));
			ULONG IoControlCode __attribute__((aligned(8)));
			PVOID Type3InputBuffer;
		} DeviceIoControl;
		PVOID Others[4];
	} Parameters;
	PDEVICE_OBJECT DeviceObject;
	PFILE_OBJECT FileObject;
	PIO_COMPLETION_ROUTINE CompletionRoutine;
	PVOID Context;
} IO_STACK_LOCATION, *PIO_STACK_LOCATION;
_Static_assert(sizeof(IO_STACK_LOCATION) == 72, "AB-16");
_Static_assert(offsetof(IO_STACK_LOCATION, Parameters) == 0x08, "AB-16");
_Static_assert(offsetof(IO_STACK_LOCATION, Parameters.Create.EaLength) == 0x20, "wdm.h");
_Static_assert(offsetof(IO_STACK_LOCATION, Parameters.Create.ShareAccess) == 0x1A, "wdm.h");
_Static_assert(offsetof(IO_STACK_LOCATION, Parameters.Read.ByteOffset) == 0x18, "wdm.h");
_Static_assert(offsetof(IO_STACK_LOCATION, Parameters.DeviceIoControl.IoControlCode) == 0x18,
	       "wdm.h");
_Static_assert(offsetof(IO_STACK_LOCATION, Parameters.QueryFile.FileInformationClass) == 0x10,
	       "wdm.h");
_Static_assert(offsetof(IO_STACK_LOCATION, Parameters.QueryDirectory.FileName) == 0x10, "ntifs.h");
_Static_assert(offsetof(IO_STACK_LOCATION, Parameters.QueryDirectory.FileIndex) == 0x20, "ntifs.h");
_Static_assert(offsetof(IO_STACK_LOCATION, DeviceObject) == 0x28, "AB-16");
_Static_assert(offsetof(IO_STACK_LOCATION, Context) == 0x40, "AB-16");

/* IRP.Flags */
#define IRP_NOCACHE 0x1
#define IRP_PAGING_IO 0x2
#define IRP_SYNCHRONOUS_API 0x4
#define IRP_ASSOCIATED_IRP 0x8
#define IRP_BUFFERED_IO 0x10
#define IRP_DEALLOCATE_BUFFER 0x20
#define IRP_INPUT_OPERATION 0x40
#define IRP_CREATE_OPERATION 0x80
#define IRP_READ_OPERATION 0x100
#define IRP_WRITE_OPERATION 0x200
#define IRP_CLOSE_OPERATION 0x400

/* A request; its stack locations follow, the last driver's first (AB-16). */
typedef struct _IRP {
	CSHORT Type;
	USHORT Size, AllocationProcessorNumber, Reserved;
	PMDL MdlAddress;
	ULONG Flags;
	union {
		struct _IRP *MasterIrp;
		LONG IrpCount;
		PVOID SystemBuffer;
	} AssociatedIrp;
	LIST_ENTRY ThreadListEntry;
	IO_STATUS_BLOCK IoStatus;
	CCHAR RequestorMode;
	BOOLEAN PendingReturned;
	CCHAR StackCount, CurrentLocation;
	BOOLEAN Cancel;
	KIRQL CancelIrql;
	CCHAR ApcEnvironment;
	UCHAR AllocationFlags;
	PIO_STATUS_BLOCK UserIosb;
	PVOID UserEvent; /* a PKEVENT */
	PVOID UserApcRoutine, UserApcContext;
	PDRIVER_CANCEL CancelRoutine;
	PVOID UserBuffer;
	struct {
		PVOID DriverContext[4]; /* or a KDEVICE_QUEUE_ENTRY */
		PETHREAD Thread;
		PCHAR AuxiliaryBuffer;
		LIST_ENTRY ListEntry;
		PIO_STACK_LOCATION CurrentStackLocation;
		PFILE_OBJECT OriginalFileObject;
		PVOID IrpExtension;
	} Tail;
} IRP, *PIRP;
_Static_assert(sizeof(IRP) == 208, "AB-16");
_Static_assert(offsetof(IRP, AssociatedIrp) == 0x18, "wdm.h");
_Static_assert(offsetof(IRP, IoStatus) == 0x30, "AB-16");
_Static_assert(offsetof(IRP, StackCount) == 0x42, "AB-16");
_Static_assert(offsetof(IRP, UserIosb) == 0x48, "wdm.h");
_Static_assert(offsetof(IRP, CancelRoutine) == 0x68, "wdm.h");
_Static_assert(offsetof(IRP, Tail) == 0x78, "AB-16");
_Static_assert(offsetof(IRP, Tail.CurrentStackLocation) == 0xB8, "AB-16");

#ifdef __cplusplus
}
#endif
#endif
