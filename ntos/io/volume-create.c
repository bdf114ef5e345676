/* SPDX-License-Identifier: MIT */
/*
 * Opening files of the volume, and letting go of them.
 *
 * A create goes through four questions, in this order: is there such a file and is it of
 * the kind that is wanted; does the disposition allow that; may it be written, if that is
 * asked for; do the others share it. Only then is anything changed.
 *
 * Pages: ZwCreateFile, IRP_MJ_CREATE, IRP_MJ_CLEANUP, IRP_MJ_CLOSE.
 */
#include "io/file.h"
#include "ex/event.h"
#include "ex/pool.h"
#include "io/volume-node.h"
#include "ke/processor.h"
#include "ldr/module.h"
#include "memory.h"
#include "rtl/utf.h"
#include <string.h>

#define NAME_TAG 0x6D4E6F49 /* 'IoNm' */

#define DISPOSITION(options) ((options) >> 24)
#define WRITES                                                                                     \
	(FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_EA | FILE_DELETE_CHILD | DELETE |         \
	 WRITE_DAC | WRITE_OWNER)

/* What is asked for. */
struct create {
	PFILE_OBJECT file;
	ULONG options, disposition, attributes;
	ACCESS_MASK access; /* without generic rights */
	UNICODE_STRING name;
	struct volume_found found;
	bool exists;
};

/* ---- The name ---------------------------------------------------------------------------- */

/* From the root: that of the folder that it is relative to, and its own. In pool, since it
 * becomes the file object's. */
static NTSTATUS set_full_name(PFILE_OBJECT file)
{
	PFILE_OBJECT root = file->RelatedFileObject;
	UNICODE_STRING *own = &file->FileName;
	if (!root || !root->FileName.Length)
		return STATUS_SUCCESS;
	if (own->Length && own->Buffer[0] == '\\')
		return STATUS_OBJECT_NAME_INVALID;
	bool separated = root->FileName.Buffer[root->FileName.Length / 2 - 1] == '\\';
	size_t first = root->FileName.Length - (separated ? 2u : 0u);
	size_t length = first + (own->Length ? 2 + own->Length : 0);
	if (length > 0xFFFC)
		return STATUS_NAME_TOO_LONG;
	PWSTR text = ex_allocate_pool((const void *)io_open_device, PagedPool, length + 2,
				      NAME_TAG);
	if (!text)
		return STATUS_INSUFFICIENT_RESOURCES;
	memcpy(text, root->FileName.Buffer, first);
	if (own->Length) {
		text[first / 2] = '\\';
		memcpy(text + first / 2 + 1, own->Buffer, own->Length);
	}
	text[length / 2] = 0;
	if (own->Buffer)
		ex_free_pool((const void *)io_open_device, own->Buffer);
	*own = (UNICODE_STRING){(USHORT)length, (USHORT)(length + 2), text};
	return STATUS_SUCCESS;
}

/* ---- Whether it may be written ------------------------------------------------------------- */

/* The driver whose routine is running, or NULL. */
static const KLDR_DATA_TABLE_ENTRY *current_module(void)
{
	const struct ke_callout *callout = ke_processor()->callout;
	const struct ldr_module *module = callout ? ldr_module_of(callout->routine) : NULL;
	return module ? &module->entry : NULL;
}

NTSTATUS volume_check_writable(PFILE_OBJECT file)
{
	const struct volume_open *open = file->FsContext2;
	if (volume.writable && !(open && open->node->supplied))
		return STATUS_SUCCESS;
	if (ex_heard()) {
		struct rs_event event = {.type = RS_WRITE_REFUSED};
		event.write_refused.module = current_module();
		event.write_refused.name = file->FileName;
		event.write_refused.allowed = volume.writable;
		ex_tell(&event);
	}
	return STATUS_MEDIA_WRITE_PROTECTED;
}

/* ---- The questions --------------------------------------------------------------------------- */

static bool overwrites(const struct create *c)
{
	return c->disposition != FILE_OPEN && c->disposition != FILE_OPEN_IF;
}

static bool wants_to_write(const struct create *c)
{
	return c->access & WRITES || c->options & FILE_DELETE_ON_CLOSE || !c->exists ||
	       overwrites(c);
}

/* With FILE_ATTRIBUTE_READONLY. */
static NTSTATUS check_read_only(const struct create *c)
{
	if (c->access & (FILE_WRITE_DATA | FILE_APPEND_DATA) || overwrites(c))
		return STATUS_ACCESS_DENIED;
	return c->options & FILE_DELETE_ON_CLOSE ? STATUS_CANNOT_DELETE : STATUS_SUCCESS;
}

static NTSTATUS check_kind(const struct create *c, const struct host_file_info *info)
{
	bool folder = info->kind == HOST_FOLDER;
	bool data = c->access &
		    (FILE_READ_DATA | FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_EXECUTE);
	if (folder && c->options & FILE_NON_DIRECTORY_FILE)
		return STATUS_FILE_IS_A_DIRECTORY;
	if (!folder && c->options & FILE_DIRECTORY_FILE)
		return STATUS_NOT_A_DIRECTORY;
	if (!folder && c->found.as_folder)
		return STATUS_OBJECT_NAME_INVALID;
	if (c->disposition == FILE_CREATE)
		return STATUS_OBJECT_NAME_COLLISION;
	if (folder && overwrites(c))
		return STATUS_FILE_IS_A_DIRECTORY;
	if (info->kind == HOST_OTHER_FILE && data) /* opening it would do something */
		return STATUS_ACCESS_DENIED;
	return folder || info->writable ? STATUS_SUCCESS : check_read_only(c);
}

static NTSTATUS check_missing(const struct create *c)
{
	if (c->disposition == FILE_OPEN || c->disposition == FILE_OVERWRITE)
		return STATUS_OBJECT_NAME_NOT_FOUND;
	if (c->found.as_folder && !(c->options & FILE_DIRECTORY_FILE))
		return STATUS_OBJECT_NAME_INVALID;
	return STATUS_SUCCESS;
}

static NTSTATUS make_file(struct create *c)
{
	const char *path = c->found.path;
	bool folder = c->options & FILE_DIRECTORY_FILE;
	int made = folder ? host_make_folder(volume.root, path) : host_make_file(volume.root, path);
	if (made < 0)
		return volume_status(made);
	if (!folder)
		host_close(made);
	c->found.fd = host_find(volume.root, path);
	return volume_status(c->found.fd < 0 ? c->found.fd
					     : host_file_info(c->found.fd, &c->found.info));
}

/* Opens what the rights are for, so that a file that Linux does not give fails now. */
static NTSTATUS open_contents(const struct create *c, struct volume_open *open)
{
	int fd = 0;
	if (c->access & (FILE_READ_DATA | FILE_EXECUTE))
		fd = volume_contents(open, false);
	if (fd >= 0 && !open->node->folder && c->access & (FILE_WRITE_DATA | FILE_APPEND_DATA))
		fd = volume_contents(open, true);
	return fd < 0 ? volume_status(fd) : STATUS_SUCCESS;
}

static NTSTATUS overwrite(const struct create *c, struct volume_open *open)
{
	if (!c->exists || !overwrites(c))
		return STATUS_SUCCESS;
	NTSTATUS status = volume_check_cut(open->node);
	if (!NT_SUCCESS(status))
		return status;
	int fd = volume_contents(open, true);
	return volume_status(fd < 0 ? fd : host_set_size(fd, 0));
}

static ULONG_PTR what_happened(const struct create *c)
{
	if (!c->exists)
		return FILE_CREATED;
	return c->disposition == FILE_SUPERSEDE ? FILE_SUPERSEDED
	       : c->disposition == FILE_OVERWRITE || c->disposition == FILE_OVERWRITE_IF
		       ? FILE_OVERWRITTEN
		       : FILE_OPENED;
}

/* ---- Carrying it out --------------------------------------------------------------------------- */

static void attach(PFILE_OBJECT file, struct volume_open *open)
{
	file->FsContext = open->node;
	file->FsContext2 = open;
	file->SectionObjectPointer = open->node->section;
}

static void detach(PFILE_OBJECT file)
{
	struct volume_open *open = file->FsContext2;
	file->FsContext = file->FsContext2 = file->SectionObjectPointer = NULL;
	if (!open)
		return;
	volume_leave(open, file);
	volume_free_open(open);
}

static NTSTATUS enter(const struct create *c, struct volume_open *open)
{
	NTSTATUS status = volume_join(open, c->file);
	if (NT_SUCCESS(status))
		status = open_contents(c, open);
	if (NT_SUCCESS(status))
		status = overwrite(c, open);
	open->appends = (c->access & (FILE_WRITE_DATA | FILE_APPEND_DATA)) == FILE_APPEND_DATA;
	if (!NT_SUCCESS(status))
		return status;
	/* Now, so that the one who makes a read-only file can write it. */
	if (!c->exists && !open->node->folder && c->attributes & FILE_ATTRIBUTE_READONLY)
		host_set_writable(open->fd, false);
	if (c->options & FILE_DELETE_ON_CLOSE) {
		open->delete_on_close = true;
		c->file->Flags |= FO_DELETE_ON_CLOSE;
	}
	return STATUS_SUCCESS;
}

static NTSTATUS open_found(struct create *c)
{
	struct volume_open *open = volume_make_open(&c->found);
	if (!open)
		return STATUS_INSUFFICIENT_RESOURCES;
	attach(c->file, open);
	NTSTATUS status = enter(c, open);
	if (!NT_SUCCESS(status))
		detach(c->file);
	return status;
}

static NTSTATUS check(struct create *c)
{
	c->exists = c->found.fd >= 0;
	NTSTATUS status = c->exists ? check_kind(c, &c->found.info) : check_missing(c);
	if (!NT_SUCCESS(status) || !wants_to_write(c))
		return status;
	return c->found.supplied ? STATUS_ACCESS_DENIED : volume_check_writable(c->file);
}

static NTSTATUS open_name(struct create *c)
{
	NTSTATUS status = volume_find(&c->file->FileName, &c->found);
	if (!NT_SUCCESS(status))
		return status;
	status = check(c);
	if (NT_SUCCESS(status) && !c->exists)
		status = make_file(c);
	if (NT_SUCCESS(status))
		status = open_found(c);
	if (c->found.fd >= 0)
		host_close(c->found.fd);
	return status;
}

/* The volume itself, as for questions about its size. */
static NTSTATUS open_volume(struct create *c)
{
	UNICODE_STRING root = {2, 2, (PWSTR)(uintptr_t)u"\\"};
	NTSTATUS status = volume_find(&root, &c->found);
	if (!NT_SUCCESS(status))
		return status;
	struct volume_open *open = volume_make_open(&c->found);
	if (!open) {
		host_close(c->found.fd);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	open->is_volume = true;
	c->file->Flags |= FO_VOLUME_OPEN;
	attach(c->file, open);
	return STATUS_SUCCESS;
}

static ACCESS_MASK without_generic(ACCESS_MASK access)
{
	const GENERIC_MAPPING *mapping = &IoFileObjectType->GenericMapping;
	access |= access & GENERIC_READ ? mapping->GenericRead : 0;
	access |= access & GENERIC_WRITE ? mapping->GenericWrite : 0;
	access |= access & GENERIC_EXECUTE ? mapping->GenericExecute : 0;
	access |= access & GENERIC_ALL ? mapping->GenericAll : 0;
	if (access & MAXIMUM_ALLOWED) /* of a kernel caller it is all, of which nobody asks all */
		access |= mapping->GenericRead;
	return access & 0x01FFFFFF;
}

NTSTATUS volume_create(PIRP irp, PIO_STACK_LOCATION location, ULONG_PTR *information)
{
	(void)irp;
	const struct io_security_context *security = location->Parameters.Create.SecurityContext;
	ULONG options = location->Parameters.Create.Options;
	struct create *c = host_alloc(sizeof(*c)); /* a path is more than a stack should hold */
	if (!c)
		return STATUS_INSUFFICIENT_RESOURCES;
	c->file = location->FileObject;
	c->options = options & 0xFFFFFF;
	c->disposition = DISPOSITION(options);
	c->attributes = location->Parameters.Create.FileAttributes;
	c->access = without_generic(security->DesiredAccess);
	c->found.fd = -1;
	NTSTATUS status = c->options & FILE_OPEN_BY_FILE_ID ? STATUS_NOT_SUPPORTED
							    : set_full_name(c->file);
	bool named = c->file->FileName.Length != 0;
	if (NT_SUCCESS(status))
		status = named ? open_name(c) : open_volume(c);
	if (NT_SUCCESS(status))
		*information = named ? what_happened(c) : FILE_OPENED;
	host_free(c);
	return status;
}

/* ---- Letting go ---------------------------------------------------------------------------------- */

NTSTATUS volume_cleanup(PIRP irp, PIO_STACK_LOCATION location, ULONG_PTR *information)
{
	(void)irp;
	(void)information;
	if (location->FileObject->FsContext2)
		volume_leave(location->FileObject->FsContext2, location->FileObject);
	return STATUS_SUCCESS;
}

NTSTATUS volume_close(PIRP irp, PIO_STACK_LOCATION location, ULONG_PTR *information)
{
	(void)irp;
	(void)information;
	detach(location->FileObject);
	return STATUS_SUCCESS;
}

/* Without a close: an image's file object, one whose create a filter has undone, or what is
 * still open at shutdown. */
void io_leave_volume(PFILE_OBJECT file)
{
	detach(file);
}
