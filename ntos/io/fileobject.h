/* SPDX-License-Identifier: MIT */
/* What drivers ask and change about file objects themselves. */
#ifndef RINGSIDE_IO_FILEOBJECT_H
#define RINGSIDE_IO_FILEOBJECT_H

#include <ringside/io.h>

/* Where the name of an image's file object lies that nobody has replaced. */
PWSTR io_name_behind(PFILE_OBJECT file);

/* Exports; the WDK's pages. Strings are the caller's, in pool (ExFreePool). */
NTSTATUS NTAPI IoReplaceFileObjectName(PFILE_OBJECT FileObject, PWSTR NewFileName,
				       USHORT FileNameLength);
BOOLEAN NTAPI IoIsFileOriginRemote(PFILE_OBJECT FileObject);
PVOID NTAPI IoGetTransactionParameterBlock(PFILE_OBJECT FileObject);
ULONG NTAPI FsRtlIsPagingFile(PFILE_OBJECT FileObject);
ULONG NTAPI FsRtlIsSystemPagingFile(PFILE_OBJECT FileObject);
NTSTATUS NTAPI IoVolumeDeviceToDosName(PVOID VolumeDeviceObject, PUNICODE_STRING DosName);
NTSTATUS NTAPI IoQueryFullDriverPath(PDRIVER_OBJECT DriverObject, PUNICODE_STRING FullPath);

/* "\one\two\three": "one" and "two\three", both in the path's own buffer. */
VOID NTAPI FsRtlDissectName(UNICODE_STRING Path, PUNICODE_STRING FirstName,
			    PUNICODE_STRING RemainingName);

/* Of open files: the driver's answer. INVALID_DEVICE_REQUEST, EAS_NOT_SUPPORTED. */
NTSTATUS NTAPI FsRtlKernelFsControlFile(PFILE_OBJECT FileObject, ULONG FsControlCode,
					PVOID InputBuffer, ULONG InputBufferLength,
					PVOID OutputBuffer, ULONG OutputBufferLength,
					PULONG RetOutputBufferSize);
NTSTATUS NTAPI FsRtlQueryKernelEaFile(PFILE_OBJECT FileObject, PVOID ReturnedEaData, ULONG Length,
				      BOOLEAN ReturnSingleEntry, PVOID EaList, ULONG EaListLength,
				      PULONG EaIndex, BOOLEAN RestartScan, PULONG LengthReturned);
NTSTATUS NTAPI FsRtlSetKernelEaFile(PFILE_OBJECT FileObject, PVOID EaBuffer, ULONG Length);

/* No file here has oplock keys. */
PVOID NTAPI IoGetOplockKeyContextEx(PFILE_OBJECT FileObject);

/* A file object that ignores sharing is opened whatever others share, and is in nobody's
 * way; it is set before the open, by IoCreateFile's IO_IGNORE_SHARE_ACCESS_CHECK, or by a
 * filter before it. */
NTSTATUS NTAPI IoSetFileObjectIgnoreSharing(PFILE_OBJECT FileObject);
BOOLEAN NTAPI IoIsFileObjectIgnoringSharing(PFILE_OBJECT FileObject);

VOID NTAPI IoAcquireVpbSpinLock(PKIRQL Irql);
VOID NTAPI IoReleaseVpbSpinLock(KIRQL Irql);

#endif
