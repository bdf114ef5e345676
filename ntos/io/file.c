/* SPDX-License-Identifier: MIT */
/*
 * File objects of devices, from IRP_MJ_CREATE to IRP_MJ_CLOSE.
 *
 * A file object holds its device and counts as one of its users. IRP_MJ_CLEANUP is sent
 * when its last handle is closed, by whoever closes it and in that process;
 * IRP_MJ_CLOSE when its last reference goes, requests under way being references too. A file
 * object whose create failed gets neither. Image files (ps/file.c) are of the same type
 * and never had a create, so they get neither: their device is the volume, if there is one,
 * which opens them when they are used. Once the kernel is being taken down no
 * driver is called any more.
 */
#include "io/file.h"
#include "ex/pool.h"
#include "ex/workitem.h"
#include "flt/context.h"
#include "io/fileobject.h"
#include "io/irp.h"
#include "io/volume.h"
#include "ke/list.h"
#include "memory.h"
#include "ob/directory.h"
#include "ob/handle.h"
#include "ps/process.h"
#include "rtl/utf.h"
#include <string.h>

#define NAME_TAG 0x6D4E6F49 /* 'IoNm' */

struct file_body {
	FILE_OBJECT file;      /* first */
	WORK_QUEUE_ITEM close; /* for a last reference that went at a raised IRQL */
	bool ignores_sharing;
};

PWSTR io_name_behind(PFILE_OBJECT file)
{
	return (PWSTR)((struct file_body *)file + 1);
}

/* ---- The object --------------------------------------------------------------------------- */

static void set_access(PFILE_OBJECT file, const struct io_open *open)
{
	ACCESS_MASK access = open->access;
	file->ReadAccess = (access & (FILE_READ_DATA | GENERIC_READ | GENERIC_ALL)) != 0;
	file->WriteAccess = (access & (FILE_WRITE_DATA | FILE_APPEND_DATA | GENERIC_WRITE |
				       GENERIC_ALL)) != 0;
	file->DeleteAccess = (access & DELETE) != 0;
	file->SharedRead = (open->share & FILE_SHARE_READ) != 0;
	file->SharedWrite = (open->share & FILE_SHARE_WRITE) != 0;
	file->SharedDelete = (open->share & FILE_SHARE_DELETE) != 0;
}

static ULONG flags_of(ULONG options)
{
	ULONG flags = 0;
	if (options & (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT))
		flags |= FO_SYNCHRONOUS_IO;
	if (options & FILE_SYNCHRONOUS_IO_ALERT)
		flags |= FO_ALERTABLE_IO;
	if (options & FILE_NO_INTERMEDIATE_BUFFERING)
		flags |= FO_NO_INTERMEDIATE_BUFFERING;
	if (options & FILE_WRITE_THROUGH)
		flags |= FO_WRITE_THROUGH;
	if (options & FILE_SEQUENTIAL_ONLY)
		flags |= FO_SEQUENTIAL_ONLY;
	return flags;
}

/* In pool, because a driver may put another buffer in its place. */
static bool set_file_name(PFILE_OBJECT file, const UNICODE_STRING *name)
{
	if (!name->Length)
		return true;
	PWSTR text = ex_allocate_pool((const void *)io_open_device, PagedPool,
				      name->Length + sizeof(WCHAR), NAME_TAG);
	if (!text)
		return false;
	memcpy(text, name->Buffer, name->Length);
	text[name->Length / 2] = 0;
	file->FileName = (UNICODE_STRING){name->Length, (USHORT)(name->Length + sizeof(WCHAR)),
					  text};
	return true;
}

static void init_file(PFILE_OBJECT file)
{
	file->Type = IO_TYPE_FILE;
	file->Size = sizeof(*file);
	KeInitializeEvent((PKEVENT)(void *)file->Lock, SynchronizationEvent, FALSE);
	KeInitializeEvent((PKEVENT)(void *)file->Event, NotificationEvent, FALSE);
	list_init(&file->IrpList);
}

PFILE_OBJECT io_create_image_file(PCUNICODE_STRING name)
{
	struct file_body *body = ob_create(IoFileObjectType, sizeof(*body) + name->Length);
	if (!body)
		return NULL;
	PFILE_OBJECT file = &body->file;
	init_file(file);
	file->ReadAccess = file->SharedRead = file->SharedDelete = TRUE;
	file->FileName = (UNICODE_STRING){name->Length, name->Length, io_name_behind(file)};
	memcpy(file->FileName.Buffer, name->Buffer, name->Length);
	file->DeviceObject = io_volume();
	if (file->DeviceObject)
		ob_reference(file->DeviceObject);
	return file;
}

static PFILE_OBJECT make_file(PDEVICE_OBJECT device, const UNICODE_STRING *name,
			      const struct io_open *open)
{
	struct file_body *body = ob_create(IoFileObjectType, sizeof(*body));
	if (!body)
		return NULL;
	PFILE_OBJECT file = &body->file;
	init_file(file);
	file->Flags = flags_of(open->options);
	file->RelatedFileObject = open->root;
	body->ignores_sharing = open->ignores_sharing;
	set_access(file, open);
	if (!set_file_name(file, name)) {
		ob_dereference(file);
		return NULL;
	}
	file->DeviceObject = device;
	ob_reference(device);
	return file;
}

NTSTATUS NTAPI IoSetFileObjectIgnoreSharing(PFILE_OBJECT FileObject)
{
	((struct file_body *)FileObject)->ignores_sharing = true;
	return STATUS_SUCCESS;
}

BOOLEAN NTAPI IoIsFileObjectIgnoringSharing(PFILE_OBJECT FileObject)
{
	return ((struct file_body *)FileObject)->ignores_sharing;
}

/* ---- Its three requests ----------------------------------------------------------------- */

static NTSTATUS send(PFILE_OBJECT file, UCHAR major, KPROCESSOR_MODE mode,
		     const struct io_open *open, IO_STATUS_BLOCK *result)
{
	struct io_access_state state = {0};
	struct io_security_context security = {.AccessState = &state};
	PDEVICE_OBJECT top = io_top_of_stack(file->DeviceObject);
	if (open && open->hint) {
		ob_dereference(top);
		ob_reference(top = open->hint);
	}
	NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
	PIRP irp = io_build(top, major, mode);
	if (irp) {
		PIO_STACK_LOCATION next = io_next_location(irp);
		irp->Flags |= IRP_SYNCHRONOUS_API;
		irp->Tail.OriginalFileObject = next->FileObject = file;
		if (open) {
			state.OriginalDesiredAccess = state.RemainingDesiredAccess = open->access;
			security.DesiredAccess = open->access;
			security.FullCreateOptions = open->options;
			irp->Flags |= IRP_CREATE_OPERATION;
			irp->AssociatedIrp.SystemBuffer = open->ea;
			next->Parameters.Create.SecurityContext = &security;
			next->Parameters.Create.Options = open->disposition << 24 |
							  (open->options & 0xFFFFFF);
			next->Parameters.Create.FileAttributes = (USHORT)open->file_attributes;
			next->Parameters.Create.ShareAccess = (USHORT)open->share;
			next->Parameters.Create.EaLength = open->ea_length;
		}
		status = io_send_and_wait(top, irp, result);
	}
	ob_dereference(top);
	return status;
}

static void clean_up(void *body)
{
	PFILE_OBJECT file = body;
	IO_STATUS_BLOCK ignored;
	if (!(file->Flags & FO_FILE_OPEN) || io_is_down())
		return;
	send(file, IRP_MJ_CLEANUP, KernelMode, NULL, &ignored);
	file->Flags |= FO_CLEANUP_COMPLETE;
}

static void close_file(PFILE_OBJECT file)
{
	IO_STATUS_BLOCK ignored;
	if (!(file->Flags & FO_CLEANUP_COMPLETE)) /* it never had a handle */
		send(file, IRP_MJ_CLEANUP, KernelMode, NULL, &ignored);
	send(file, IRP_MJ_CLOSE, KernelMode, NULL, &ignored);
}

static void leave_device(PFILE_OBJECT file)
{
	if (file->Flags & FO_FILE_OPEN) {
		if (!io_is_down())
			close_file(file);
		io_device_closes(file->DeviceObject);
	}
	if (io_extra(file->DeviceObject)->is_volume)
		io_leave_volume(file);
	ob_dereference(file->DeviceObject);
}

static void delete_file(void *body)
{
	PFILE_OBJECT file = body;
	if (file->DeviceObject)
		leave_device(file);
	flt_delete_contexts_on(file);
	if (file->FileName.Buffer && file->FileName.Buffer != io_name_behind(file))
		ex_free_pool((const void *)delete_file, file->FileName.Buffer);
}

static VOID NTAPI dereference_later(PVOID file)
{
	ob_dereference(file);
}

void io_dereference_file(PFILE_OBJECT file)
{
	WORK_QUEUE_ITEM *item = &((struct file_body *)file)->close;
	if (KeGetCurrentIrql() == PASSIVE_LEVEL) {
		ob_dereference(file);
		return;
	}
	/* With the last reference the file is ours alone, and so is the item. */
	if (ob_dereference_unless_last(file))
		return;
	item->List.Flink = NULL;
	item->WorkerRoutine = dereference_later;
	item->Parameter = file;
	ex_queue_work(item, "closing a file");
}

void io_boot_files(void)
{
	IoFileObjectType->last_handle_closed = clean_up;
	IoFileObjectType->delete_body = delete_file;
	IoFileObjectType->name_of = io_file_name;
}

/* ---- Opening ------------------------------------------------------------------------------ */

static NTSTATUS create_on(PDEVICE_OBJECT device, const UNICODE_STRING *rest,
			  const struct io_open *open, PFILE_OBJECT *file, IO_STATUS_BLOCK *result)
{
	NTSTATUS status;
	if (open->hint && !io_is_in_stack(device, open->hint))
		return STATUS_INVALID_DEVICE_OBJECT_PARAMETER;
	if (!io_device_opens(device, &status))
		return status;
	PFILE_OBJECT made = make_file(device, rest, open);
	status = made ? send(made, IRP_MJ_CREATE, open->mode, open, result)
		      : STATUS_INSUFFICIENT_RESOURCES;
	if (NT_SUCCESS(status)) {
		made->RelatedFileObject = NULL; /* of no meaning after the create */
		made->Flags |= FO_FILE_OPEN;
		*file = made;
		return status;
	}
	io_device_closes(device);
	if (made)
		ob_dereference(made);
	return status;
}

/* A name relative to an open file is for the same device. */
static NTSTATUS find_device(const struct io_open *open, struct ob_lookup *found)
{
	if (open->root) {
		*found = (struct ob_lookup){.object = open->root->DeviceObject,
					    .rest = *open->name};
		if (!found->object)
			return STATUS_OBJECT_NAME_NOT_FOUND;
		ob_reference(found->object);
		return STATUS_SUCCESS;
	}
	NTSTATUS status = ob_look_up(NULL, open->name, false, found);
	if (!NT_SUCCESS(status))
		return status;
	if (ob_header_of(found->object)->type == IoDeviceObjectType)
		return STATUS_SUCCESS;
	ob_dereference(found->object);
	ob_end_lookup(found);
	return STATUS_OBJECT_TYPE_MISMATCH;
}

NTSTATUS io_open_device(const struct io_open *open, PFILE_OBJECT *file, IO_STATUS_BLOCK *result)
{
	struct ob_lookup found;
	NTSTATUS status = find_device(open, &found);
	if (!NT_SUCCESS(status))
		return status;
	status = create_on(found.object, &found.rest, open, file, result);
	ob_dereference(found.object);
	ob_end_lookup(&found);
	return status;
}

NTSTATUS NTAPI IoGetDeviceObjectPointer(PUNICODE_STRING ObjectName, ACCESS_MASK DesiredAccess,
					PFILE_OBJECT *FileObject, PDEVICE_OBJECT *DeviceObject)
{
	IO_STATUS_BLOCK result;
	struct io_open open = {.name = ObjectName,
			       .access = DesiredAccess,
			       .disposition = FILE_OPEN,
			       .options = FILE_NON_DIRECTORY_FILE};
	NTSTATUS status = io_open_device(&open, FileObject, &result);
	if (!NT_SUCCESS(status))
		return status;
	/* NT opens a handle and closes it again, which the driver sees as a cleanup. */
	clean_up(*FileObject);
	*DeviceObject = IoGetRelatedDeviceObject(*FileObject);
	return status;
}

/* ---- What it is called ------------------------------------------------------------------- */

static NTSTATUS join(const UNICODE_STRING *first, const UNICODE_STRING *second,
		     UNICODE_STRING *name)
{
	size_t length = (size_t)first->Length + second->Length;
	if (length > 0xFFFC)
		return STATUS_NAME_TOO_LONG;
	WCHAR *text = host_alloc(length + sizeof(WCHAR));
	if (!text)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (first->Length)
		memcpy(text, first->Buffer, first->Length);
	if (second->Length)
		memcpy((char *)text + first->Length, second->Buffer, second->Length);
	*name = (UNICODE_STRING){(USHORT)length, (USHORT)(length + 2), text};
	return STATUS_SUCCESS;
}

NTSTATUS io_file_name(void *body, UNICODE_STRING *name)
{
	PFILE_OBJECT file = body;
	UNICODE_STRING device = {sizeof(IO_VOLUME_NAME) - 2, sizeof(IO_VOLUME_NAME),
				 (PWSTR)(uintptr_t)IO_VOLUME_NAME};
	if (!file->DeviceObject)
		return join(&device, &file->FileName, name);
	NTSTATUS status = ob_name_of(file->DeviceObject, &device);
	if (!NT_SUCCESS(status))
		return status;
	status = join(&device, &file->FileName, name);
	rtl_free_string(&device);
	return status;
}
