/* SPDX-License-Identifier: MIT */
/* Files that minifilters open, read and write themselves. */
#ifndef RINGSIDE_FLT_FILE_H
#define RINGSIDE_FLT_FILE_H

#include "flt/flt.h"

#define FLTFL_IO_OPERATION_NON_CACHED 0x1
#define FLTFL_IO_OPERATION_PAGING 0x2
#define FLTFL_IO_OPERATION_DO_NOT_UPDATE_BYTE_OFFSET 0x4

typedef VOID NTAPI FLT_COMPLETED_ASYNC_IO_CALLBACK(PFLT_CALLBACK_DATA CallbackData,
						   PFLT_CONTEXT Context);

/* All of these are seen by the instances below the one that is given alone. */
NTSTATUS NTAPI FltCreateFile(PFLT_FILTER Filter, PFLT_INSTANCE Instance, PHANDLE FileHandle,
			     ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
			     PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER AllocationSize,
			     ULONG FileAttributes, ULONG ShareAccess, ULONG CreateDisposition,
			     ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength, ULONG Flags);
NTSTATUS NTAPI FltCreateFileEx(PFLT_FILTER Filter, PFLT_INSTANCE Instance, PHANDLE FileHandle,
			       PFILE_OBJECT *FileObject, ACCESS_MASK DesiredAccess,
			       POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
			       PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
			       ULONG ShareAccess, ULONG CreateDisposition, ULONG CreateOptions,
			       PVOID EaBuffer, ULONG EaLength, ULONG Flags);
NTSTATUS NTAPI FltClose(HANDLE FileHandle);
NTSTATUS NTAPI FltReadFile(PFLT_INSTANCE InitiatingInstance, PFILE_OBJECT FileObject,
			   PLARGE_INTEGER ByteOffset, ULONG Length, PVOID Buffer, ULONG Flags,
			   PULONG BytesRead, FLT_COMPLETED_ASYNC_IO_CALLBACK *CallbackRoutine,
			   PVOID CallbackContext);
NTSTATUS NTAPI FltWriteFile(PFLT_INSTANCE InitiatingInstance, PFILE_OBJECT FileObject,
			    PLARGE_INTEGER ByteOffset, ULONG Length, PVOID Buffer, ULONG Flags,
			    PULONG BytesWritten, FLT_COMPLETED_ASYNC_IO_CALLBACK *CallbackRoutine,
			    PVOID CallbackContext);
NTSTATUS NTAPI FltQueryInformationFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
				       PVOID FileInformation, ULONG Length,
				       ULONG FileInformationClass, PULONG LengthReturned);
NTSTATUS NTAPI FltSetInformationFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
				     PVOID FileInformation, ULONG Length,
				     ULONG FileInformationClass);
NTSTATUS NTAPI FltQueryVolumeInformationFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
					     PVOID FsInformation, ULONG Length,
					     ULONG FsInformationClass, PULONG LengthReturned);
NTSTATUS NTAPI FltQueryVolumeInformation(PFLT_INSTANCE Instance, PIO_STATUS_BLOCK Iosb,
					 PVOID FsInformation, ULONG Length,
					 ULONG FsInformationClass);
NTSTATUS NTAPI FltIsDirectory(PFILE_OBJECT FileObject, PFLT_INSTANCE Instance,
			      PBOOLEAN IsDirectory);
/* Buffers for what is not cached: the volume asks for no alignment beyond that of pool. */
PVOID NTAPI FltAllocatePoolAlignedWithTag(PFLT_INSTANCE Instance, int PoolType,
					  SIZE_T NumberOfBytes, ULONG Tag);
VOID NTAPI FltFreePoolAlignedWithTag(PFLT_INSTANCE Instance, PVOID Buffer, ULONG Tag);

#endif
