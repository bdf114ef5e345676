/* SPDX-License-Identifier: MIT */
/* What minifilters share with the filter manager, as fltKernel.h lays it out for x64. */
#ifndef RINGSIDE_FLT_ABI_H
#define RINGSIDE_FLT_ABI_H

#include <ringside/nt.h>
#include <stddef.h>

typedef struct _FLT_FILTER *PFLT_FILTER;
typedef struct _FLT_VOLUME *PFLT_VOLUME;
typedef struct _FLT_INSTANCE *PFLT_INSTANCE;
typedef struct _FLT_PORT *PFLT_PORT;
typedef PVOID PFLT_CONTEXT;

/* ---- Operations ------------------------------------------------------------------- */

/* Those of FLT_PARAMETERS that file operations here fill in; any other through Others. */
typedef union _FLT_PARAMETERS {
	struct {
		PVOID SecurityContext; /* IO_SECURITY_CONTEXT */
		ULONG Options;         /* the disposition in the top byte */
		USHORT FileAttributes __attribute__((aligned(8)));
		USHORT ShareAccess;
		ULONG EaLength __attribute__((aligned(8)));
		PVOID EaBuffer;
		LARGE_INTEGER AllocationSize;
	} Create;
	struct {
		ULONG Length;
		ULONG Key __attribute__((aligned(8)));
		LARGE_INTEGER ByteOffset;
		PVOID Buffer;
		PVOID MdlAddress;
	} Read, Write;
	struct {
		ULONG Length;
		ULONG FileInformationClass __attribute__((aligned(8)));
		PVOID InfoBuffer;
	} QueryFileInformation; /* and QueryVolumeInformation */
	struct {
		ULONG Length;
		ULONG FileInformationClass __attribute__((aligned(8)));
		struct _FILE_OBJECT *ParentOfTarget;
		union {
			struct {
				BOOLEAN ReplaceIfExists;
				BOOLEAN AdvanceOnly;
			};
			ULONG ClusterCount;
			HANDLE DeleteHandle;
		};
		PVOID InfoBuffer;
	} SetFileInformation;
	struct {
		ULONG Length;
		PUNICODE_STRING FileName;
		ULONG FileInformationClass;
		ULONG FileIndex __attribute__((aligned(8)));
		PVOID DirectoryBuffer;
		PVOID MdlAddress;
	} QueryDirectory; /* in fltKernel.h in a union DirectoryControl */
	struct {
		PVOID Argument1, Argument2, Argument3, Argument4, Argument5;
		LARGE_INTEGER Argument6;
	} Others;
} FLT_PARAMETERS, *PFLT_PARAMETERS;
_Static_assert(sizeof(FLT_PARAMETERS) == 48, "fltKernel.h");
_Static_assert(offsetof(FLT_PARAMETERS, Create.ShareAccess) == 18, "fltKernel.h");
_Static_assert(offsetof(FLT_PARAMETERS, Create.AllocationSize) == 40, "fltKernel.h");
_Static_assert(offsetof(FLT_PARAMETERS, Read.Buffer) == 24, "fltKernel.h");
_Static_assert(offsetof(FLT_PARAMETERS, SetFileInformation.InfoBuffer) == 32, "fltKernel.h");
_Static_assert(offsetof(FLT_PARAMETERS, QueryDirectory.DirectoryBuffer) == 32, "fltKernel.h");

typedef struct _FLT_IO_PARAMETER_BLOCK {
	ULONG IrpFlags;
	UCHAR MajorFunction;
	UCHAR MinorFunction;
	UCHAR OperationFlags;
	UCHAR Reserved;
	struct _FILE_OBJECT *TargetFileObject;
	PFLT_INSTANCE TargetInstance;
	FLT_PARAMETERS Parameters;
} FLT_IO_PARAMETER_BLOCK, *PFLT_IO_PARAMETER_BLOCK;
_Static_assert(offsetof(FLT_IO_PARAMETER_BLOCK, Parameters) == 24, "fltKernel.h");

#define FLTFL_CALLBACK_DATA_IRP_OPERATION 0x00000001
#define FLTFL_CALLBACK_DATA_GENERATED_IO 0x00010000
#define FLTFL_CALLBACK_DATA_POST_OPERATION 0x00080000
#define FLTFL_CALLBACK_DATA_DIRTY 0x80000000

typedef struct _FLT_CALLBACK_DATA {
	ULONG Flags;
	PETHREAD Thread;
	PFLT_IO_PARAMETER_BLOCK Iopb;
	IO_STATUS_BLOCK IoStatus;
	PVOID TagData;
	union {
		struct {
			LIST_ENTRY QueueLinks;
			PVOID QueueContext[2];
		};
		PVOID FilterContext[4];
	};
	KPROCESSOR_MODE RequestorMode;
} FLT_CALLBACK_DATA, *PFLT_CALLBACK_DATA;
_Static_assert(offsetof(FLT_CALLBACK_DATA, IoStatus) == 24, "fltKernel.h");
_Static_assert(offsetof(FLT_CALLBACK_DATA, RequestorMode) == 80, "fltKernel.h");
_Static_assert(sizeof(FLT_CALLBACK_DATA) == 88, "fltKernel.h");

typedef struct _FLT_RELATED_OBJECTS {
	USHORT Size;
	USHORT TransactionContext;
	PFLT_FILTER Filter;
	PFLT_VOLUME Volume;
	PFLT_INSTANCE Instance;
	struct _FILE_OBJECT *FileObject;
	PVOID Transaction;
} FLT_RELATED_OBJECTS, *PFLT_RELATED_OBJECTS;
typedef const FLT_RELATED_OBJECTS *PCFLT_RELATED_OBJECTS;
_Static_assert(offsetof(FLT_RELATED_OBJECTS, FileObject) == 32, "fltKernel.h");
_Static_assert(sizeof(FLT_RELATED_OBJECTS) == 48, "fltKernel.h");

typedef enum _FLT_PREOP_CALLBACK_STATUS {
	FLT_PREOP_SUCCESS_WITH_CALLBACK,
	FLT_PREOP_SUCCESS_NO_CALLBACK,
	FLT_PREOP_PENDING,
	FLT_PREOP_DISALLOW_FASTIO,
	FLT_PREOP_COMPLETE,
	FLT_PREOP_SYNCHRONIZE,
	FLT_PREOP_DISALLOW_FSFILTER_IO,
} FLT_PREOP_CALLBACK_STATUS;

typedef enum _FLT_POSTOP_CALLBACK_STATUS {
	FLT_POSTOP_FINISHED_PROCESSING,
	FLT_POSTOP_MORE_PROCESSING_REQUIRED,
	FLT_POSTOP_DISALLOW_FSFILTER_IO,
} FLT_POSTOP_CALLBACK_STATUS;

typedef FLT_PREOP_CALLBACK_STATUS NTAPI FLT_PRE_OPERATION_CALLBACK(PFLT_CALLBACK_DATA Data,
								   PCFLT_RELATED_OBJECTS FltObjects,
								   PVOID *CompletionContext);
typedef FLT_POSTOP_CALLBACK_STATUS NTAPI
FLT_POST_OPERATION_CALLBACK(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
			    PVOID CompletionContext, ULONG Flags);

typedef VOID NTAPI FLT_GET_OPERATION_STATUS_CALLBACK(PCFLT_RELATED_OBJECTS FltObjects,
						     PFLT_IO_PARAMETER_BLOCK IopbSnapshot,
						     NTSTATUS OperationStatus,
						     PVOID RequesterContext);

#define IRP_MJ_OPERATION_END 0x80

#define FLTFL_OPERATION_REGISTRATION_SKIP_PAGING_IO 0x1
#define FLTFL_OPERATION_REGISTRATION_SKIP_CACHED_IO 0x2

typedef struct _FLT_OPERATION_REGISTRATION {
	UCHAR MajorFunction;
	ULONG Flags;
	FLT_PRE_OPERATION_CALLBACK *PreOperation;
	FLT_POST_OPERATION_CALLBACK *PostOperation;
	PVOID Reserved1;
} FLT_OPERATION_REGISTRATION, *PFLT_OPERATION_REGISTRATION;
_Static_assert(sizeof(FLT_OPERATION_REGISTRATION) == 32, "fltKernel.h");

/* ---- Contexts ----------------------------------------------------------------------- */

#define FLT_VOLUME_CONTEXT 0x0001
#define FLT_INSTANCE_CONTEXT 0x0002
#define FLT_FILE_CONTEXT 0x0004
#define FLT_STREAM_CONTEXT 0x0008
#define FLT_STREAMHANDLE_CONTEXT 0x0010
#define FLT_TRANSACTION_CONTEXT 0x0020
#define FLT_SECTION_CONTEXT 0x0040
#define FLT_CONTEXT_END 0xFFFF

#define FLTFL_CONTEXT_REGISTRATION_NO_EXACT_SIZE_MATCH 0x1
#define FLT_VARIABLE_SIZED_CONTEXTS ((SIZE_T)-1)

typedef VOID NTAPI FLT_CONTEXT_CLEANUP_CALLBACK(PFLT_CONTEXT Context, USHORT ContextType);
typedef PVOID NTAPI FLT_CONTEXT_ALLOCATE_CALLBACK(int PoolType, SIZE_T Size, USHORT ContextType);
typedef VOID NTAPI FLT_CONTEXT_FREE_CALLBACK(PVOID Pool, USHORT ContextType);

typedef struct _FLT_CONTEXT_REGISTRATION {
	USHORT ContextType;
	USHORT Flags;
	FLT_CONTEXT_CLEANUP_CALLBACK *ContextCleanupCallback;
	SIZE_T Size;
	ULONG PoolTag;
	FLT_CONTEXT_ALLOCATE_CALLBACK *ContextAllocateCallback;
	FLT_CONTEXT_FREE_CALLBACK *ContextFreeCallback;
	PVOID Reserved1;
} FLT_CONTEXT_REGISTRATION, *PFLT_CONTEXT_REGISTRATION;
_Static_assert(sizeof(FLT_CONTEXT_REGISTRATION) == 56, "fltKernel.h");

typedef enum _FLT_SET_CONTEXT_OPERATION {
	FLT_SET_CONTEXT_REPLACE_IF_EXISTS,
	FLT_SET_CONTEXT_KEEP_IF_EXISTS,
} FLT_SET_CONTEXT_OPERATION;

typedef struct _FLT_RELATED_CONTEXTS {
	PFLT_CONTEXT VolumeContext, InstanceContext, FileContext, StreamContext;
	PFLT_CONTEXT StreamHandleContext, TransactionContext;
} FLT_RELATED_CONTEXTS, *PFLT_RELATED_CONTEXTS;

/* ---- Registration --------------------------------------------------------------------- */

typedef enum _FLT_FILESYSTEM_TYPE {
	FLT_FSTYPE_UNKNOWN,
	FLT_FSTYPE_RAW,
	FLT_FSTYPE_NTFS,
} FLT_FILESYSTEM_TYPE;

#define FLTFL_FILTER_UNLOAD_MANDATORY 0x1

#define FLTFL_INSTANCE_SETUP_AUTOMATIC_ATTACHMENT 0x1
#define FLTFL_INSTANCE_SETUP_MANUAL_ATTACHMENT 0x2

#define FLTFL_INSTANCE_TEARDOWN_MANUAL 0x1
#define FLTFL_INSTANCE_TEARDOWN_FILTER_UNLOAD 0x2
#define FLTFL_INSTANCE_TEARDOWN_MANDATORY_FILTER_UNLOAD 0x4

typedef NTSTATUS NTAPI FLT_FILTER_UNLOAD_CALLBACK(ULONG Flags);
typedef NTSTATUS NTAPI FLT_INSTANCE_SETUP_CALLBACK(PCFLT_RELATED_OBJECTS FltObjects, ULONG Flags,
						   ULONG VolumeDeviceType,
						   FLT_FILESYSTEM_TYPE VolumeFilesystemType);
typedef NTSTATUS NTAPI FLT_INSTANCE_QUERY_TEARDOWN_CALLBACK(PCFLT_RELATED_OBJECTS FltObjects,
							    ULONG Flags);
typedef VOID NTAPI FLT_INSTANCE_TEARDOWN_CALLBACK(PCFLT_RELATED_OBJECTS FltObjects, ULONG Reason);

#define FLT_REGISTRATION_VERSION_0200 0x0200
#define FLT_REGISTRATION_VERSION_0202 0x0202
#define FLT_REGISTRATION_VERSION_0203 0x0203

#define FLTFL_REGISTRATION_DO_NOT_SUPPORT_SERVICE_STOP 0x1

typedef struct _FLT_REGISTRATION {
	USHORT Size;
	USHORT Version;
	ULONG Flags;
	const FLT_CONTEXT_REGISTRATION *ContextRegistration;
	const FLT_OPERATION_REGISTRATION *OperationRegistration;
	FLT_FILTER_UNLOAD_CALLBACK *FilterUnloadCallback;
	FLT_INSTANCE_SETUP_CALLBACK *InstanceSetupCallback;
	FLT_INSTANCE_QUERY_TEARDOWN_CALLBACK *InstanceQueryTeardownCallback;
	FLT_INSTANCE_TEARDOWN_CALLBACK *InstanceTeardownStartCallback;
	FLT_INSTANCE_TEARDOWN_CALLBACK *InstanceTeardownCompleteCallback;
	PVOID GenerateFileNameCallback;
	PVOID NormalizeNameComponentCallback;
	PVOID NormalizeContextCleanupCallback;
	/* From version 0x0202 on: */
	PVOID TransactionNotificationCallback;
	PVOID NormalizeNameComponentExCallback;
	/* From version 0x0203 on: */
	PVOID SectionNotificationCallback;
} FLT_REGISTRATION, *PFLT_REGISTRATION;
_Static_assert(offsetof(FLT_REGISTRATION, FilterUnloadCallback) == 24, "fltKernel.h");
_Static_assert(sizeof(FLT_REGISTRATION) == 112, "fltKernel.h");

/* ---- Volumes and names ------------------------------------------------------------------ */

typedef struct _FLT_VOLUME_PROPERTIES {
	ULONG DeviceType, DeviceCharacteristics, DeviceObjectFlags, AlignmentRequirement;
	USHORT SectorSize, Reserved0;
	UNICODE_STRING FileSystemDriverName, FileSystemDeviceName, RealDeviceName;
} FLT_VOLUME_PROPERTIES, *PFLT_VOLUME_PROPERTIES;
_Static_assert(sizeof(FLT_VOLUME_PROPERTIES) == 72, "fltKernel.h");

#define FLT_VALID_FILE_NAME_FORMATS 0x00FF
#define FLT_FILE_NAME_NORMALIZED 0x01
#define FLT_FILE_NAME_OPENED 0x02
#define FLT_FILE_NAME_SHORT 0x03

#define FLT_VALID_FILE_NAME_QUERY_METHODS 0xFF00
#define FLT_FILE_NAME_QUERY_DEFAULT 0x0100
#define FLT_FILE_NAME_QUERY_ALWAYS_ALLOW_CACHE_LOOKUP 0x0400

#define FLTFL_FILE_NAME_PARSED_FINAL_COMPONENT 0x1
#define FLTFL_FILE_NAME_PARSED_EXTENSION 0x2
#define FLTFL_FILE_NAME_PARSED_STREAM 0x4
#define FLTFL_FILE_NAME_PARSED_PARENT_DIR 0x8

typedef struct _FLT_FILE_NAME_INFORMATION {
	USHORT Size;
	USHORT NamesParsed;
	ULONG Format;
	UNICODE_STRING Name, Volume, Share, Extension, Stream, FinalComponent, ParentDir;
} FLT_FILE_NAME_INFORMATION, *PFLT_FILE_NAME_INFORMATION;
_Static_assert(sizeof(FLT_FILE_NAME_INFORMATION) == 120, "fltKernel.h");

/* ---- Ports -------------------------------------------------------------------------------- */

#define FLT_PORT_CONNECT 0x0001
#define FLT_PORT_ALL_ACCESS (FLT_PORT_CONNECT | STANDARD_RIGHTS_ALL)

typedef NTSTATUS NTAPI FLT_CONNECT_NOTIFY(PFLT_PORT ClientPort, PVOID ServerPortCookie,
					  PVOID ConnectionContext, ULONG SizeOfContext,
					  PVOID *ConnectionPortCookie);
typedef VOID NTAPI FLT_DISCONNECT_NOTIFY(PVOID ConnectionCookie);
typedef NTSTATUS NTAPI FLT_MESSAGE_NOTIFY(PVOID PortCookie, PVOID InputBuffer,
					  ULONG InputBufferLength, PVOID OutputBuffer,
					  ULONG OutputBufferLength,
					  PULONG ReturnOutputBufferLength);

#endif
