/* SPDX-License-Identifier: MIT */
/*
 * ZwQueryDirectoryFile: asking a folder's driver for its entries.
 *
 * The pattern is copied before anybody looks at it; the buffer is the caller's own, as
 * file systems get it. An event is set when the answer is there. No state.
 */
#include "io/file.h"
#include "io/information.h"
#include "io/irp.h"
#include "ke/event.h"
#include "memory.h"
#include "mm/mdl.h"
#include "ob/handle.h"
#include "ps/process.h"
#include "rtl/utf.h"

#define EVENT_MODIFY_STATE 0x2
#define FILE_LIST_DIRECTORY FILE_READ_DATA

struct listing {
	HANDLE handle, event_handle;
	PIO_STATUS_BLOCK told;
	PVOID buffer;
	ULONG length, number;
	UCHAR flags;
	PUNICODE_STRING pattern; /* the caller's, or NULL */
	KPROCESSOR_MODE mode;
};

static NTSTATUS copy_pattern(const struct listing *l, UNICODE_STRING *copy)
{
	UNICODE_STRING from;
	*copy = (UNICODE_STRING){0};
	if (!l->pattern)
		return STATUS_SUCCESS;
	if (!mm_may_access(l->pattern, sizeof(from), false, l->mode) ||
	    !mm_copy_from(&from, l->pattern, sizeof(from)) ||
	    !mm_may_access(from.Buffer, from.Length, false, l->mode))
		return STATUS_ACCESS_VIOLATION;
	if (!from.Length)
		return STATUS_SUCCESS;
	copy->Buffer = host_alloc(from.Length + sizeof(WCHAR));
	if (!copy->Buffer)
		return STATUS_INSUFFICIENT_RESOURCES;
	copy->Length = from.Length & ~1u;
	copy->MaximumLength = (USHORT)(copy->Length + sizeof(WCHAR));
	if (mm_copy_from(copy->Buffer, from.Buffer, copy->Length))
		return STATUS_SUCCESS;
	rtl_free_string(copy);
	return STATUS_ACCESS_VIOLATION;
}

static NTSTATUS send(const struct listing *l, PFILE_OBJECT file, PUNICODE_STRING pattern,
		     IO_STATUS_BLOCK *result)
{
	PDEVICE_OBJECT top = io_top_of_stack(file->DeviceObject);
	NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
	PIRP irp = io_build(top, IRP_MJ_DIRECTORY_CONTROL, l->mode);
	if (irp) {
		PIO_STACK_LOCATION next = io_next_location(irp);
		irp->UserBuffer = l->buffer;
		irp->Flags |= IRP_SYNCHRONOUS_API;
		next->MinorFunction = IRP_MN_QUERY_DIRECTORY;
		next->Flags = l->flags;
		next->Parameters.QueryDirectory.Length = l->length;
		next->Parameters.QueryDirectory.FileInformationClass = l->number;
		next->Parameters.QueryDirectory.FileName = pattern->Length ? pattern : NULL;
		io_link_to_file(irp, file);
		status = io_send_and_wait(top, irp, result);
	}
	ob_dereference(top);
	return status;
}

static NTSTATUS ask(const struct listing *l, PFILE_OBJECT file, IO_STATUS_BLOCK *result)
{
	UNICODE_STRING pattern;
	if (!file->DeviceObject)
		return STATUS_INVALID_DEVICE_REQUEST;
	if (!mm_may_access(l->buffer, l->length, true, l->mode))
		return STATUS_ACCESS_VIOLATION;
	NTSTATUS status = copy_pattern(l, &pattern);
	if (!NT_SUCCESS(status))
		return status;
	status = send(l, file, &pattern, result);
	rtl_free_string(&pattern);
	return status;
}

static NTSTATUS query(const struct listing *l)
{
	PVOID file, event = NULL;
	IO_STATUS_BLOCK result = {0};
	NTSTATUS status = ob_reference_by_handle(l->handle, FILE_LIST_DIRECTORY, IoFileObjectType,
						 l->mode, &file);
	if (!NT_SUCCESS(status))
		return status;
	if (l->event_handle)
		status = ob_reference_by_handle(l->event_handle, EVENT_MODIFY_STATE,
						ExEventObjectType, l->mode, &event);
	if (NT_SUCCESS(status))
		status = ask(l, file, &result);
	result.Status = status;
	if (!IO_ERROR(status) && !(mm_may_access(l->told, sizeof(*l->told), true, l->mode) &&
				   mm_copy_to(l->told, &result, sizeof(result))))
		status = STATUS_ACCESS_VIOLATION;
	if (event && !IO_ERROR(status))
		KeSetEvent(event, 0, FALSE);
	if (event)
		ob_dereference(event);
	ob_dereference(file);
	return status;
}

static UCHAR flags(BOOLEAN restart, BOOLEAN single)
{
	return (UCHAR)((restart ? SL_RESTART_SCAN : 0) | (single ? SL_RETURN_SINGLE_ENTRY : 0));
}

NTSTATUS NTAPI NtQueryDirectoryFile(HANDLE FileHandle, HANDLE Event, PVOID ApcRoutine,
				    PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock,
				    PVOID FileInformation, ULONG Length, ULONG FileInformationClass,
				    BOOLEAN ReturnSingleEntry, PUNICODE_STRING FileName,
				    BOOLEAN RestartScan)
{
	(void)ApcContext;
	struct listing l = {FileHandle,
			    Event,
			    IoStatusBlock,
			    FileInformation,
			    Length,
			    FileInformationClass,
			    flags(RestartScan, ReturnSingleEntry),
			    FileName,
			    ExGetPreviousMode()};
	return ApcRoutine ? STATUS_NOT_SUPPORTED : query(&l);
}

NTSTATUS NTAPI ZwQueryDirectoryFile(HANDLE FileHandle, HANDLE Event, PVOID ApcRoutine,
				    PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock,
				    PVOID FileInformation, ULONG Length, ULONG FileInformationClass,
				    BOOLEAN ReturnSingleEntry, PUNICODE_STRING FileName,
				    BOOLEAN RestartScan)
{
	(void)ApcContext;
	struct listing l = {FileHandle,
			    Event,
			    IoStatusBlock,
			    FileInformation,
			    Length,
			    FileInformationClass,
			    flags(RestartScan, ReturnSingleEntry),
			    FileName,
			    KernelMode};
	return ApcRoutine ? STATUS_NOT_SUPPORTED : query(&l);
}
