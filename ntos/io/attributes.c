/* SPDX-License-Identifier: MIT */
/*
 * Questions about files by name, and deleting them: an open, what is asked for, and a
 * close, without a handle. No state.
 *
 * Pages: ZwQueryFullAttributesFile, ZwDeleteFile.
 */
#include "io/file.h"
#include "io/information.h"
#include "ke/thread.h"
#include "mm/mdl.h"
#include "ob/object.h"
#include "ps/process.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

static NTSTATUS open_for(ACCESS_MASK access, ULONG options, POBJECT_ATTRIBUTES attributes,
			 KPROCESSOR_MODE mode, PFILE_OBJECT *file)
{
	IO_STATUS_BLOCK ignored;
	struct io_open open = {.access = access,
			       .share = SHARE_ALL,
			       .disposition = FILE_OPEN,
			       .options = options,
			       .mode = mode};
	return io_open_attributes(attributes, &open, file, &ignored);
}

static NTSTATUS ask(POBJECT_ATTRIBUTES attributes, KPROCESSOR_MODE mode, ULONG number, PVOID answer,
		    ULONG size, PVOID to)
{
	PFILE_OBJECT file;
	if (!mm_may_access(to, size, true, mode))
		return STATUS_ACCESS_VIOLATION;
	NTSTATUS status = open_for(FILE_READ_ATTRIBUTES, 0, attributes, mode, &file);
	if (!NT_SUCCESS(status))
		return status;
	status = IoQueryFileInformation(file, number, size, answer, NULL);
	ob_dereference(file);
	if (NT_SUCCESS(status) && !mm_copy_to(to, answer, size))
		status = STATUS_ACCESS_VIOLATION;
	return status;
}

NTSTATUS NTAPI NtQueryAttributesFile(POBJECT_ATTRIBUTES ObjectAttributes,
				     FILE_BASIC_INFORMATION *FileInformation)
{
	FILE_BASIC_INFORMATION answer;
	return ask(ObjectAttributes, ExGetPreviousMode(), FileBasicInformation, &answer,
		   sizeof(answer), FileInformation);
}

NTSTATUS NTAPI ZwQueryAttributesFile(POBJECT_ATTRIBUTES ObjectAttributes,
				     FILE_BASIC_INFORMATION *FileInformation)
{
	FILE_BASIC_INFORMATION answer;
	return ask(ObjectAttributes, KernelMode, FileBasicInformation, &answer, sizeof(answer),
		   FileInformation);
}

NTSTATUS NTAPI NtQueryFullAttributesFile(POBJECT_ATTRIBUTES ObjectAttributes,
					 FILE_NETWORK_OPEN_INFORMATION *FileInformation)
{
	FILE_NETWORK_OPEN_INFORMATION answer;
	return ask(ObjectAttributes, ExGetPreviousMode(), FileNetworkOpenInformation, &answer,
		   sizeof(answer), FileInformation);
}

NTSTATUS NTAPI ZwQueryFullAttributesFile(POBJECT_ATTRIBUTES ObjectAttributes,
					 FILE_NETWORK_OPEN_INFORMATION *FileInformation)
{
	FILE_NETWORK_OPEN_INFORMATION answer;
	return ask(ObjectAttributes, KernelMode, FileNetworkOpenInformation, &answer,
		   sizeof(answer), FileInformation);
}

static NTSTATUS delete_file(POBJECT_ATTRIBUTES attributes, KPROCESSOR_MODE mode)
{
	PFILE_OBJECT file;
	NTSTATUS status = open_for(DELETE, FILE_DELETE_ON_CLOSE, attributes, mode, &file);
	if (NT_SUCCESS(status))
		ob_dereference(file);
	return status;
}

NTSTATUS NTAPI NtDeleteFile(POBJECT_ATTRIBUTES ObjectAttributes)
{
	return delete_file(ObjectAttributes, ExGetPreviousMode());
}

NTSTATUS NTAPI ZwDeleteFile(POBJECT_ATTRIBUTES ObjectAttributes)
{
	return delete_file(ObjectAttributes, KernelMode);
}
