/* SPDX-License-Identifier: MIT */
/* What is asked about files, folders and volumes, and changed of them. */
#ifndef RINGSIDE_IO_INFORMATION_H
#define RINGSIDE_IO_INFORMATION_H

#include <ringside/io.h>

enum file_information_class {
	FileDirectoryInformation = 1,
	FileFullDirectoryInformation = 2,
	FileBothDirectoryInformation = 3,
	FileBasicInformation = 4,
	FileStandardInformation = 5,
	FileInternalInformation = 6,
	FileEaInformation = 7,
	FileAccessInformation = 8,
	FileNameInformation = 9,
	FileRenameInformation = 10,
	FileLinkInformation = 11,
	FileNamesInformation = 12,
	FileDispositionInformation = 13,
	FilePositionInformation = 14,
	FileModeInformation = 16,
	FileAlignmentInformation = 17,
	FileAllInformation = 18,
	FileAllocationInformation = 19,
	FileEndOfFileInformation = 20,
	FileStreamInformation = 22,
	FileNetworkOpenInformation = 34,
	FileAttributeTagInformation = 35,
	FileIdBothDirectoryInformation = 37,
	FileIdFullDirectoryInformation = 38,
	FileNormalizedNameInformation = 48,
	FileIsRemoteDeviceInformation = 51,
	FileIdInformation = 59,
	FileDispositionInformationEx = 64,
	FileRenameInformationEx = 65,
};

enum fs_information_class {
	FileFsVolumeInformation = 1,
	FileFsSizeInformation = 3,
	FileFsDeviceInformation = 4,
	FileFsAttributeInformation = 5,
	FileFsFullSizeInformation = 7,
};

/* Times 0 and -1 leave what is there, as attributes 0 do. */
typedef struct _FILE_BASIC_INFORMATION {
	LARGE_INTEGER CreationTime, LastAccessTime, LastWriteTime, ChangeTime;
	ULONG FileAttributes;
} FILE_BASIC_INFORMATION;
_Static_assert(sizeof(FILE_BASIC_INFORMATION) == 40, "wdm.h");

typedef struct _FILE_STANDARD_INFORMATION {
	LARGE_INTEGER AllocationSize, EndOfFile;
	ULONG NumberOfLinks;
	BOOLEAN DeletePending, Directory;
} FILE_STANDARD_INFORMATION;
_Static_assert(sizeof(FILE_STANDARD_INFORMATION) == 24, "wdm.h");

typedef struct _FILE_NETWORK_OPEN_INFORMATION {
	LARGE_INTEGER CreationTime, LastAccessTime, LastWriteTime, ChangeTime;
	LARGE_INTEGER AllocationSize, EndOfFile;
	ULONG FileAttributes;
} FILE_NETWORK_OPEN_INFORMATION;
_Static_assert(sizeof(FILE_NETWORK_OPEN_INFORMATION) == 56, "wdm.h");

typedef struct _FILE_NAME_INFORMATION {
	ULONG FileNameLength;
	WCHAR FileName[];
} FILE_NAME_INFORMATION;

typedef struct _FILE_ALL_INFORMATION {
	FILE_BASIC_INFORMATION BasicInformation;
	FILE_STANDARD_INFORMATION StandardInformation;
	LARGE_INTEGER IndexNumber;
	ULONG EaSize;
	ACCESS_MASK AccessFlags;
	LARGE_INTEGER CurrentByteOffset;
	ULONG Mode, AlignmentRequirement;
	ULONG FileNameLength; /* FILE_NAME_INFORMATION */
	WCHAR FileName[];
} FILE_ALL_INFORMATION;
_Static_assert(offsetof(FILE_ALL_INFORMATION, FileName) == 100, "ntifs.h");

typedef struct _FILE_STREAM_INFORMATION {
	ULONG NextEntryOffset, StreamNameLength;
	LARGE_INTEGER StreamSize, StreamAllocationSize;
	WCHAR StreamName[];
} FILE_STREAM_INFORMATION;
_Static_assert(sizeof(FILE_STREAM_INFORMATION) == 24, "ntifs.h");

typedef struct _FILE_ATTRIBUTE_TAG_INFORMATION {
	ULONG FileAttributes, ReparseTag;
} FILE_ATTRIBUTE_TAG_INFORMATION;

typedef struct _FILE_ID_INFORMATION {
	ULONG64 VolumeSerialNumber;
	ULONG64 FileId[2];
} FILE_ID_INFORMATION;

typedef struct _FILE_RENAME_INFORMATION {
	union {
		BOOLEAN ReplaceIfExists;
		ULONG Flags; /* ...Ex */
	};
	HANDLE RootDirectory;
	ULONG FileNameLength;
	WCHAR FileName[];
} FILE_RENAME_INFORMATION; /* and FILE_LINK_INFORMATION */
_Static_assert(offsetof(FILE_RENAME_INFORMATION, FileName) == 20, "ntifs.h");

#define FILE_DISPOSITION_DELETE 0x1
#define FILE_RENAME_REPLACE_IF_EXISTS 0x1

typedef struct _FILE_FS_VOLUME_INFORMATION {
	LARGE_INTEGER VolumeCreationTime;
	ULONG VolumeSerialNumber, VolumeLabelLength;
	BOOLEAN SupportsObjects;
	WCHAR VolumeLabel[];
} FILE_FS_VOLUME_INFORMATION;
_Static_assert(offsetof(FILE_FS_VOLUME_INFORMATION, VolumeLabel) == 18, "ntifs.h");

typedef struct _FILE_FS_SIZE_INFORMATION {
	LARGE_INTEGER TotalAllocationUnits, AvailableAllocationUnits;
	ULONG SectorsPerAllocationUnit, BytesPerSector;
} FILE_FS_SIZE_INFORMATION;

typedef struct _FILE_FS_FULL_SIZE_INFORMATION {
	LARGE_INTEGER TotalAllocationUnits, CallerAvailableAllocationUnits;
	LARGE_INTEGER ActualAvailableAllocationUnits;
	ULONG SectorsPerAllocationUnit, BytesPerSector;
} FILE_FS_FULL_SIZE_INFORMATION;

typedef struct _FILE_FS_DEVICE_INFORMATION {
	ULONG DeviceType, Characteristics;
} FILE_FS_DEVICE_INFORMATION;

typedef struct _FILE_FS_ATTRIBUTE_INFORMATION {
	ULONG FileSystemAttributes;
	LONG MaximumComponentNameLength;
	ULONG FileSystemNameLength;
	WCHAR FileSystemName[];
} FILE_FS_ATTRIBUTE_INFORMATION;

/*
 * Exports. They ask the file's driver (IRP_MJ_QUERY_INFORMATION and its relatives) and wait
 * for it, whatever the handle was opened with. PASSIVE_LEVEL. Errors: the driver's;
 * INVALID_HANDLE, OBJECT_TYPE_MISMATCH, ACCESS_DENIED, ACCESS_VIOLATION,
 * INVALID_INFO_CLASS, INFO_LENGTH_MISMATCH (less than the class has without its text),
 * BUFFER_OVERFLOW (the text was cut), INVALID_DEVICE_REQUEST (no file system's).
 */
NTSTATUS NTAPI NtQueryInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock,
				      PVOID FileInformation, ULONG Length,
				      ULONG FileInformationClass);
NTSTATUS NTAPI ZwQueryInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock,
				      PVOID FileInformation, ULONG Length,
				      ULONG FileInformationClass);
NTSTATUS NTAPI NtSetInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock,
				    PVOID FileInformation, ULONG Length,
				    ULONG FileInformationClass);
NTSTATUS NTAPI ZwSetInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock,
				    PVOID FileInformation, ULONG Length,
				    ULONG FileInformationClass);
NTSTATUS NTAPI NtQueryVolumeInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock,
					    PVOID FsInformation, ULONG Length,
					    ULONG FsInformationClass);
NTSTATUS NTAPI ZwQueryVolumeInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock,
					    PVOID FsInformation, ULONG Length,
					    ULONG FsInformationClass);
/* As above; NO_SUCH_FILE when the first call finds nothing, NO_MORE_FILES later,
 * BUFFER_OVERFLOW when the first entry's name was cut. */
NTSTATUS NTAPI NtQueryDirectoryFile(HANDLE FileHandle, HANDLE Event, PVOID ApcRoutine,
				    PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock,
				    PVOID FileInformation, ULONG Length, ULONG FileInformationClass,
				    BOOLEAN ReturnSingleEntry, PUNICODE_STRING FileName,
				    BOOLEAN RestartScan);
NTSTATUS NTAPI ZwQueryDirectoryFile(HANDLE FileHandle, HANDLE Event, PVOID ApcRoutine,
				    PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock,
				    PVOID FileInformation, ULONG Length, ULONG FileInformationClass,
				    BOOLEAN ReturnSingleEntry, PUNICODE_STRING FileName,
				    BOOLEAN RestartScan);
/* By name: an open, the question or the deletion, and a close. */
NTSTATUS NTAPI NtQueryAttributesFile(POBJECT_ATTRIBUTES ObjectAttributes,
				     FILE_BASIC_INFORMATION *FileInformation);
NTSTATUS NTAPI ZwQueryAttributesFile(POBJECT_ATTRIBUTES ObjectAttributes,
				     FILE_BASIC_INFORMATION *FileInformation);
NTSTATUS NTAPI NtQueryFullAttributesFile(POBJECT_ATTRIBUTES ObjectAttributes,
					 FILE_NETWORK_OPEN_INFORMATION *FileInformation);
NTSTATUS NTAPI ZwQueryFullAttributesFile(POBJECT_ATTRIBUTES ObjectAttributes,
					 FILE_NETWORK_OPEN_INFORMATION *FileInformation);
NTSTATUS NTAPI NtDeleteFile(POBJECT_ATTRIBUTES ObjectAttributes);
NTSTATUS NTAPI ZwDeleteFile(POBJECT_ATTRIBUTES ObjectAttributes);
/* Of an open file object. */
NTSTATUS NTAPI IoQueryFileInformation(PFILE_OBJECT FileObject, ULONG FileInformationClass,
				      ULONG Length, PVOID FileInformation, PULONG ReturnedLength);
NTSTATUS NTAPI IoSetInformation(PFILE_OBJECT FileObject, ULONG FileInformationClass, ULONG Length,
				PVOID FileInformation);
NTSTATUS NTAPI IoQueryVolumeInformation(PFILE_OBJECT FileObject, ULONG FsInformationClass,
					ULONG Length, PVOID FsInformation, PULONG ReturnedLength);
NTSTATUS NTAPI FsRtlGetFileSize(PFILE_OBJECT FileObject, PLARGE_INTEGER FileSize);

#endif
