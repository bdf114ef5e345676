/* SPDX-License-Identifier: MIT */
/*
 * What drivers ask and change about a file object, a volume's device and a driver without
 * sending a request. No state.
 *
 * No file here is transacted, was opened from another machine, or is a paging file; the
 * questions about that have one answer.
 */
#include "io/fileobject.h"
#include "ex/pool.h"
#include "io/filter.h"
#include "ke/spinlock.h"
#include "rtl/utf.h"
#include <string.h>

#define NAME_TAG 0x6D4E6F49 /* 'IoNm' */
#define FO_REMOTE_ORIGIN 0x1000000

static KSPIN_LOCK vpb_lock; /* drivers take it; no volume here has a VPB */

/* In pool, terminated. */
static NTSTATUS copy_to_pool(const void *caller, const UNICODE_STRING *from, UNICODE_STRING *to)
{
	PWSTR text = ex_allocate_pool(caller, PagedPool, from->Length + sizeof(WCHAR), NAME_TAG);
	if (!text)
		return STATUS_INSUFFICIENT_RESOURCES;
	memcpy(text, from->Buffer, from->Length);
	text[from->Length / 2] = 0;
	*to = (UNICODE_STRING){from->Length, (USHORT)(from->Length + sizeof(WCHAR)), text};
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI IoReplaceFileObjectName(PFILE_OBJECT FileObject, PWSTR NewFileName,
				       USHORT FileNameLength)
{
	UNICODE_STRING name = {FileNameLength, FileNameLength, NewFileName},
		       old = FileObject->FileName;
	if (!old.Buffer)
		return STATUS_INVALID_PARAMETER;
	NTSTATUS status = copy_to_pool(__builtin_return_address(0), &name, &FileObject->FileName);
	if (NT_SUCCESS(status) && old.Buffer != io_name_behind(FileObject))
		ex_free_pool(__builtin_return_address(0), old.Buffer);
	return status;
}

BOOLEAN NTAPI IoIsFileOriginRemote(PFILE_OBJECT FileObject)
{
	return (FileObject->Flags & FO_REMOTE_ORIGIN) != 0;
}

PVOID NTAPI IoGetTransactionParameterBlock(PFILE_OBJECT FileObject)
{
	(void)FileObject;
	return NULL;
}

PVOID NTAPI IoGetOplockKeyContextEx(PFILE_OBJECT FileObject)
{
	(void)FileObject;
	return NULL;
}

VOID NTAPI IoAcquireVpbSpinLock(PKIRQL Irql)
{
	*Irql = KeAcquireSpinLockRaiseToDpc(&vpb_lock);
}

VOID NTAPI IoReleaseVpbSpinLock(KIRQL Irql)
{
	KeReleaseSpinLock(&vpb_lock, Irql);
}

ULONG NTAPI FsRtlIsPagingFile(PFILE_OBJECT FileObject)
{
	(void)FileObject;
	return FALSE;
}

ULONG NTAPI FsRtlIsSystemPagingFile(PFILE_OBJECT FileObject)
{
	(void)FileObject;
	return FALSE;
}

/* The letter that images are named by. */
NTSTATUS NTAPI IoVolumeDeviceToDosName(PVOID VolumeDeviceObject, PUNICODE_STRING DosName)
{
	static const UNICODE_STRING letter = {4, 6, (PWSTR)(uintptr_t)u"Z:"};
	if (!VolumeDeviceObject || VolumeDeviceObject != io_volume())
		return STATUS_INVALID_PARAMETER;
	return copy_to_pool(__builtin_return_address(0), &letter, DosName);
}

NTSTATUS NTAPI IoQueryFullDriverPath(PDRIVER_OBJECT DriverObject, PUNICODE_STRING FullPath)
{
	const KLDR_DATA_TABLE_ENTRY *entry = DriverObject->DriverSection;
	if (!entry)
		return STATUS_NOT_FOUND;
	return copy_to_pool(__builtin_return_address(0), &entry->FullDllName, FullPath);
}

VOID NTAPI FsRtlDissectName(UNICODE_STRING Path, PUNICODE_STRING FirstName,
			    PUNICODE_STRING RemainingName)
{
	USHORT units = Path.Length / 2, begin = units && Path.Buffer[0] == '\\', end = begin;
	while (end < units && Path.Buffer[end] != '\\')
		end++;
	*FirstName = *RemainingName = (UNICODE_STRING){0};
	if (!units)
		return;
	USHORT length = (USHORT)(2 * (end - begin));
	*FirstName = (UNICODE_STRING){length, length, Path.Buffer + begin};
	if (end == units)
		return;
	length = (USHORT)(2 * (units - end - 1)); /* without the backslash between */
	*RemainingName = (UNICODE_STRING){length, length, Path.Buffer + end + 1};
}
