/* SPDX-License-Identifier: MIT */
/*
 * Names of files: made from the file object at every request, since nothing about a name
 * that is known there is slow to learn; so no question is ever too early, too late or
 * unsafe, and a query of the cache alone always finds it. The opened name is the
 * normalized one: files here have neither short names nor other spellings.
 *
 * What is handed out is counted and in a list of all that are; a pointer given back once too
 * often is not, which is bug check 0xF5 (0x68).
 *
 * Pages: FltGetFileNameInformation and those beside, FLT_FILE_NAME_INFORMATION.
 */
#include "flt/name.h"
#include "ex/pool.h"
#include "io/file.h"
#include "ke/bugcheck.h"
#include "memory.h"
#include "ob/directory.h"
#include "rtl/utf.h"
#include <string.h>

#define TAG 0x6E466C46 /* "FlFn" */

struct name {
	LIST_ENTRY link;     /* flt_lock */
	LONGLONG references; /* flt_lock */
	FLT_FILE_NAME_INFORMATION info;
	ULONG reserved[2];
	WCHAR text[];
};

static LIST_ENTRY names = {&names, &names}; /* flt_lock */

/* ---- Counting ---------------------------------------------------------------------------------- */

/* Under flt_lock. */
static struct name *find(const FLT_FILE_NAME_INFORMATION *info)
{
	for (LIST_ENTRY *link = names.Flink; link != &names; link = link->Flink) {
		struct name *name = LIST_OWNER(link, struct name, link);
		if (&name->info == info)
			return name;
	}
	return NULL;
}

_Noreturn static void stale(const FLT_FILE_NAME_INFORMATION *info, const char *caller)
{
	KE_BUG_CHECK(KE_FLTMGR_FILE_SYSTEM, 0x68, 0, (uintptr_t)info, 0,
		     "%s was given name information that is freed", caller);
}

VOID NTAPI FltReferenceFileNameInformation(PFLT_FILE_NAME_INFORMATION FileNameInformation)
{
	pthread_mutex_lock(&flt_lock);
	struct name *name = find(FileNameInformation);
	if (name)
		name->references++;
	pthread_mutex_unlock(&flt_lock);
	if (!name)
		stale(FileNameInformation, "FltReferenceFileNameInformation");
}

VOID NTAPI FltReleaseFileNameInformation(PFLT_FILE_NAME_INFORMATION FileNameInformation)
{
	pthread_mutex_lock(&flt_lock);
	struct name *name = find(FileNameInformation);
	bool last = name && --name->references == 0;
	if (last)
		list_remove(&name->link);
	pthread_mutex_unlock(&flt_lock);
	if (!name)
		stale(FileNameInformation, "FltReleaseFileNameInformation");
	if (last)
		ex_free_pool((const void *)FltReleaseFileNameInformation, name);
}

void flt_forget_names(void)
{
	list_init(&names); /* the pool frees what they are in */
}

/* ---- Making ---------------------------------------------------------------------------------------- */

static NTSTATUS hand_out(const void *caller, PCUNICODE_STRING text, USHORT volume, ULONG options,
			 PFLT_FILE_NAME_INFORMATION *out)
{
	struct name *name = ex_allocate_pool(caller, PagedPool, sizeof(*name) + text->Length, TAG);
	if (!name)
		return STATUS_INSUFFICIENT_RESOURCES;
	*name = (struct name){.references = 1};
	if (text->Length)
		memcpy(name->text, text->Buffer, text->Length);
	name->info.Size = sizeof(name->info);
	name->info.Format = options & FLT_VALID_FILE_NAME_FORMATS;
	name->info.Name = (UNICODE_STRING){text->Length, text->Length, name->text};
	if (name->info.Format != FLT_FILE_NAME_SHORT)
		name->info.Volume = (UNICODE_STRING){volume, volume, name->text};
	pthread_mutex_lock(&flt_lock);
	list_add_last(&names, &name->link);
	pthread_mutex_unlock(&flt_lock);
	*out = &name->info;
	return STATUS_SUCCESS;
}

static NTSTATUS check(ULONG options)
{
	ULONG format = options & FLT_VALID_FILE_NAME_FORMATS;
	ULONG method = options & FLT_VALID_FILE_NAME_QUERY_METHODS;
	bool valid = format >= FLT_FILE_NAME_NORMALIZED && format <= FLT_FILE_NAME_SHORT &&
		     method <= FLT_FILE_NAME_QUERY_ALWAYS_ALLOW_CACHE_LOOKUP;
	return valid ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* Of 8.3, no more than one dot: a name that is its own short name. */
static bool is_short(PCUNICODE_STRING final)
{
	UNICODE_STRING extension, stream;
	FltParseFileName(final, &extension, &stream, NULL);
	USHORT units = final->Length / sizeof(WCHAR), dots = 0;
	for (USHORT i = 0; i < units; i++)
		dots += final->Buffer[i] == '.';
	USHORT tail = extension.Length / sizeof(WCHAR), base = (USHORT)(units - tail - (dots != 0));
	return !stream.Length && dots <= 1 && base >= 1 && base <= 8 && tail <= 3;
}

static bool ends_in_backslash(PCUNICODE_STRING text)
{
	return text->Length && text->Buffer[text->Length / sizeof(WCHAR) - 1] == '\\';
}

/* `below` behind `text`, which is replaced; a backslash between when there is none. */
static NTSTATUS append(UNICODE_STRING *text, PCUNICODE_STRING below)
{
	bool separate = below->Length && below->Buffer[0] != '\\' && !ends_in_backslash(text);
	size_t length = (size_t)text->Length + below->Length + (separate ? sizeof(WCHAR) : 0);
	if (length > RTL_MAX_UNITS * sizeof(WCHAR))
		return STATUS_NAME_TOO_LONG;
	WCHAR *joined = host_alloc(length + sizeof(WCHAR));
	if (!joined)
		return STATUS_INSUFFICIENT_RESOURCES;
	memcpy(joined, text->Buffer, text->Length);
	WCHAR *at = joined + text->Length / sizeof(WCHAR);
	if (separate)
		*at++ = '\\';
	if (below->Length)
		memcpy(at, below->Buffer, below->Length);
	rtl_free_string(text);
	*text = (UNICODE_STRING){(USHORT)length, (USHORT)(length + sizeof(WCHAR)), joined};
	return STATUS_SUCCESS;
}

/* Before it is opened a file's name may still be relative to another's. */
static NTSTATUS full_name(PFILE_OBJECT file, UNICODE_STRING *name)
{
	if (!file->RelatedFileObject)
		return io_file_name(file, name);
	NTSTATUS status = io_file_name(file->RelatedFileObject, name);
	if (!NT_SUCCESS(status))
		return status;
	status = append(name, &file->FileName);
	if (!NT_SUCCESS(status))
		rtl_free_string(name);
	return status;
}

static NTSTATUS make(const void *caller, PFILE_OBJECT file, ULONG options,
		     PFLT_FILE_NAME_INFORMATION *info)
{
	UNICODE_STRING name, final;
	PFLT_VOLUME volume = flt_volume_of_file(file);
	if (!volume)
		return STATUS_FLT_INVALID_NAME_REQUEST;
	USHORT volume_length = volume->name.Length;
	flt_dereference(&volume->object);
	NTSTATUS status = full_name(file, &name);
	if (!NT_SUCCESS(status))
		return status;
	if ((options & FLT_VALID_FILE_NAME_FORMATS) != FLT_FILE_NAME_SHORT) {
		status = hand_out(caller, &name, volume_length, options, info);
	} else {
		FltParseFileName(&name, NULL, NULL, &final);
		status = is_short(&final) ? hand_out(caller, &final, 0, options, info)
					  : STATUS_OBJECT_NAME_NOT_FOUND;
	}
	rtl_free_string(&name);
	return status;
}

NTSTATUS NTAPI FltGetFileNameInformationUnsafe(PFILE_OBJECT FileObject, PFLT_INSTANCE Instance,
					       ULONG NameOptions,
					       PFLT_FILE_NAME_INFORMATION *FileNameInformation)
{
	(void)Instance;
	NTSTATUS status = FileObject && FileNameInformation ? check(NameOptions)
							    : STATUS_INVALID_PARAMETER;
	return NT_SUCCESS(status) ? make(__builtin_return_address(0), FileObject, NameOptions,
					 FileNameInformation)
				  : status;
}

NTSTATUS NTAPI FltGetFileNameInformation(PFLT_CALLBACK_DATA CallbackData, ULONG NameOptions,
					 PFLT_FILE_NAME_INFORMATION *FileNameInformation)
{
	NTSTATUS status = CallbackData && FileNameInformation ? check(NameOptions)
							      : STATUS_INVALID_PARAMETER;
	if (!NT_SUCCESS(status))
		return status;
	bool creating = CallbackData->Iopb->MajorFunction == IRP_MJ_CREATE &&
			!(CallbackData->Flags & FLTFL_CALLBACK_DATA_POST_OPERATION);
	if (creating && (NameOptions & FLT_VALID_FILE_NAME_FORMATS) == FLT_FILE_NAME_SHORT)
		return STATUS_FLT_INVALID_NAME_REQUEST;
	return make(__builtin_return_address(0), CallbackData->Iopb->TargetFileObject, NameOptions,
		    FileNameInformation);
}

/* ---- Where a file goes to ------------------------------------------------------------------------------ */

/* A full name, such as \??\C:\new, with its symbolic links resolved. */
static NTSTATUS resolve(PCUNICODE_STRING path, UNICODE_STRING *name)
{
	struct ob_lookup found;
	NTSTATUS status = ob_look_up(NULL, path, false, &found);
	if (!NT_SUCCESS(status))
		return status;
	status = ob_name_of(found.object, name);
	if (NT_SUCCESS(status)) {
		status = append(name, &found.rest);
		if (!NT_SUCCESS(status))
			rtl_free_string(name);
	}
	ob_dereference(found.object);
	ob_end_lookup(&found);
	return status;
}

/* The name of a directory that is open, or that the file lies in. */
static NTSTATUS directory_name(PFILE_OBJECT file, HANDLE root, UNICODE_STRING *name)
{
	UNICODE_STRING final;
	PVOID directory;
	if (root) {
		NTSTATUS status = ObReferenceObjectByHandle(root, 0, IoFileObjectType, KernelMode,
							    &directory, NULL);
		if (!NT_SUCCESS(status))
			return status;
		status = full_name(directory, name);
		ob_dereference(directory);
		return status;
	}
	NTSTATUS status = full_name(file, name);
	if (!NT_SUCCESS(status))
		return status;
	FltParseFileName(name, NULL, NULL, &final);
	name->Length -= final.Length;
	return STATUS_SUCCESS;
}

static NTSTATUS destination(PFILE_OBJECT file, HANDLE root, PCUNICODE_STRING to,
			    UNICODE_STRING *name)
{
	if (!root && to->Length && to->Buffer[0] == '\\')
		return resolve(to, name);
	NTSTATUS status = directory_name(file, root, name);
	if (!NT_SUCCESS(status))
		return status;
	status = append(name, to);
	if (!NT_SUCCESS(status))
		rtl_free_string(name);
	return status;
}

NTSTATUS NTAPI FltGetDestinationFileNameInformation(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
						    HANDLE RootDirectory, PWSTR FileName,
						    ULONG FileNameLength, ULONG NameOptions,
						    PFLT_FILE_NAME_INFORMATION *RetFileNameInfo)
{
	UNICODE_STRING to = {(USHORT)FileNameLength, (USHORT)FileNameLength, FileName}, name;
	NTSTATUS status = FileNameLength <= RTL_MAX_UNITS * sizeof(WCHAR)
				  ? check(NameOptions)
				  : STATUS_INVALID_PARAMETER;
	if (!NT_SUCCESS(status))
		return status;
	if ((NameOptions & FLT_VALID_FILE_NAME_FORMATS) == FLT_FILE_NAME_SHORT)
		return STATUS_INVALID_PARAMETER;
	status = destination(FileObject, RootDirectory, &to, &name);
	if (!NT_SUCCESS(status))
		return status;
	status = hand_out(__builtin_return_address(0), &name, Instance->volume->name.Length,
			  NameOptions, RetFileNameInfo);
	rtl_free_string(&name);
	return status;
}

/* No file system here keeps the names of what was deleted, so none is ever tunneled. */
NTSTATUS NTAPI FltGetTunneledName(PFLT_CALLBACK_DATA CallbackData,
				  PFLT_FILE_NAME_INFORMATION FileNameInformation,
				  PFLT_FILE_NAME_INFORMATION *RetTunneledFileNameInformation)
{
	(void)CallbackData;
	(void)FileNameInformation;
	*RetTunneledFileNameInformation = NULL;
	return STATUS_SUCCESS;
}
