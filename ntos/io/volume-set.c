/* SPDX-License-Identifier: MIT */
/*
 * Changing what a file of the volume is: times, attributes, sizes, names, and whether it is
 * to be deleted.
 *
 * A new name is looked up as NT does it: a plain name stays in the file's folder, one with
 * a root begins there, any other is a full name of the namespace that must lead to this
 * volume. The names of nodes, and deletion, change under the volume's lock.
 *
 * Pages: ZwSetInformationFile, and those of the structures.
 */
#include "io/information.h"
#include "io/volume.h"
#include "memory.h"
#include "ob/directory.h"
#include "rtl/filename.h"
#include <string.h>

struct set {
	PFILE_OBJECT file;
	struct volume_open *open;
	const void *buffer;
	ULONG length;
	KPROCESSOR_MODE mode;
};

/* ---- Times, attributes, sizes ----------------------------------------------------------------- */

/* 0: to be left alone. */
static uint64_t time_to_set(LARGE_INTEGER time)
{
	return time.QuadPart > 0 ? (uint64_t)time.QuadPart : 0;
}

static NTSTATUS set_basic(struct set *s)
{
	const FILE_BASIC_INFORMATION *to = s->buffer;
	bool folder = s->open->node->folder;
	if (to->FileAttributes & FILE_ATTRIBUTE_DIRECTORY && !folder)
		return STATUS_INVALID_PARAMETER;
	int error = host_set_times(s->open->fd, time_to_set(to->LastAccessTime),
				   time_to_set(to->LastWriteTime));
	if (!error && to->FileAttributes && !folder)
		error = host_set_writable(s->open->fd,
					  !(to->FileAttributes & FILE_ATTRIBUTE_READONLY));
	return volume_status(error);
}

static NTSTATUS set_end(struct set *s)
{
	LONGLONG size = *(const LONGLONG *)s->buffer;
	struct host_file_info info;
	if (s->open->node->folder || size < 0)
		return STATUS_INVALID_PARAMETER;
	int fd = volume_contents(s->open, true);
	if (!host_file_info(s->open->fd, &info) && size < (LONGLONG)info.size) {
		NTSTATUS status = volume_check_cut(s->open->node);
		if (!NT_SUCCESS(status))
			return status;
	}
	return volume_status(fd < 0 ? fd : host_set_size(fd, (uint64_t)size));
}

/* Linux allocates as it is written; what is cut off is cut off. */
static NTSTATUS set_allocation(struct set *s)
{
	struct host_file_info info;
	int error = host_file_info(s->open->fd, &info);
	if (error)
		return volume_status(error);
	return *(const LONGLONG *)s->buffer < (LONGLONG)info.size ? set_end(s) : STATUS_SUCCESS;
}

/* ---- Deleting ------------------------------------------------------------------------------------ */

static bool stop_at_entry(void *context, const char *name)
{
	bool *found = context;
	*found = strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
	return !*found;
}

/* Under the lock. */
static NTSTATUS check_deletable(const struct volume_open *open)
{
	struct host_file_info info;
	bool entry = false;
	int error = host_file_info(open->fd, &info);
	if (!error && open->node->folder)
		error = host_list_folder(open->fd, stop_at_entry, &entry);
	if (error)
		return volume_status(error);
	if (entry)
		return STATUS_DIRECTORY_NOT_EMPTY;
	if (!open->node->folder && !info.writable) /* FILE_ATTRIBUTE_READONLY */
		return STATUS_CANNOT_DELETE;
	if (open->node->image_sections)
		return STATUS_CANNOT_DELETE;
	return open->node->path[0] ? STATUS_SUCCESS : STATUS_CANNOT_DELETE; /* the root */
}

static NTSTATUS dispose(PFILE_OBJECT file, struct volume_open *open, bool remove)
{
	volume_lock();
	NTSTATUS status = remove ? check_deletable(open) : STATUS_SUCCESS;
	if (NT_SUCCESS(status)) {
		open->node->delete_pending = remove;
		file->DeletePending = remove;
	}
	volume_unlock();
	return status;
}

static NTSTATUS set_disposition(struct set *s)
{
	return dispose(s->file, s->open, *(const BOOLEAN *)s->buffer);
}

static NTSTATUS set_disposition_ex(struct set *s)
{
	return dispose(s->file, s->open, *(const ULONG *)s->buffer & FILE_DISPOSITION_DELETE);
}

/* ---- Names ------------------------------------------------------------------------------------------ */

static NTSTATUS join(PCUNICODE_STRING folder, PCUNICODE_STRING name, UNICODE_STRING *full)
{
	size_t first = folder->Length == 2 ? 0 : folder->Length; /* that of the root is "\" */
	size_t length = first + 2 + name->Length;
	if (length > 0xFFFC)
		return STATUS_NAME_TOO_LONG;
	WCHAR *text = host_alloc(length + 2);
	if (!text)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (first)
		memcpy(text, folder->Buffer, first);
	text[first / 2] = '\\';
	memcpy(text + first / 2 + 1, name->Buffer, name->Length);
	*full = (UNICODE_STRING){(USHORT)length, (USHORT)(length + 2), text};
	return STATUS_SUCCESS;
}

static NTSTATUS beside(PFILE_OBJECT file, PCUNICODE_STRING name, UNICODE_STRING *full)
{
	UNICODE_STRING folder = file->FileName;
	while (folder.Length && folder.Buffer[folder.Length / 2 - 1] != '\\')
		folder.Length -= 2;
	if (folder.Length > 2)
		folder.Length -= 2;
	return join(&folder, name, full);
}

static NTSTATUS below(HANDLE root, KPROCESSOR_MODE mode, PCUNICODE_STRING name,
		      UNICODE_STRING *full)
{
	PVOID folder;
	NTSTATUS status = ob_reference_by_handle(root, 0, IoFileObjectType, mode, &folder);
	if (!NT_SUCCESS(status))
		return status;
	status = ((PFILE_OBJECT)folder)->DeviceObject == volume.device
			 ? join(&((PFILE_OBJECT)folder)->FileName, name, full)
			 : STATUS_NOT_SAME_DEVICE;
	ob_dereference(folder);
	return status;
}

static NTSTATUS anywhere(PCUNICODE_STRING name, UNICODE_STRING *full)
{
	struct ob_lookup found;
	NTSTATUS status = ob_look_up(NULL, name, false, &found);
	if (!NT_SUCCESS(status))
		return status;
	if (found.object != volume.device)
		status = STATUS_NOT_SAME_DEVICE;
	else
		status = rtl_copy_string(&found.rest, full) ? STATUS_SUCCESS
							    : STATUS_INSUFFICIENT_RESOURCES;
	ob_dereference(found.object);
	ob_end_lookup(&found);
	return status;
}

static NTSTATUS target_name(const struct set *s, UNICODE_STRING *full)
{
	const FILE_RENAME_INFORMATION *to = s->buffer;
	size_t head = offsetof(FILE_RENAME_INFORMATION, FileName);
	if (!to->FileNameLength || to->FileNameLength % 2 || to->FileNameLength > 0xFFFC ||
	    to->FileNameLength > s->length - head)
		return STATUS_INVALID_PARAMETER;
	UNICODE_STRING name = {(USHORT)to->FileNameLength, (USHORT)to->FileNameLength,
			       (PWSTR)(uintptr_t)to->FileName};
	if (to->RootDirectory)
		return below(to->RootDirectory, s->mode, &name, full);
	return name.Buffer[0] == '\\' ? anywhere(&name, full) : beside(s->file, &name, full);
}

/* A new name that differs from the old one in case alone has found the old one. */
static void respell(struct volume_found *found, PCUNICODE_STRING name)
{
	size_t begin = name->Length / 2;
	char *slash = strrchr(found->path, '/'), *last = slash ? slash + 1 : found->path;
	while (begin && name->Buffer[begin - 1] != '\\')
		begin--;
	rtl_component_to_linux(name->Buffer + begin, name->Length / 2 - begin, last,
			       (size_t)(found->path + PATH_MAX - last));
}

/* Under the lock. */
static NTSTATUS move(const struct set *s, struct volume_found *to, PCUNICODE_STRING name,
		     bool replace, bool link)
{
	struct volume_node *node = s->open->node;
	struct host_file_info info;
	if (!node->path[0] || (node->folder && !link && volume_has_opens_below(node)))
		return STATUS_ACCESS_DENIED;
	bool same = to->fd >= 0 && !host_file_info(to->fd, &info) && info.inode == node->inode &&
		    info.device == node->device;
	if (to->fd >= 0 && !same && (info.kind == HOST_FOLDER || node->folder))
		return replace ? STATUS_ACCESS_DENIED : STATUS_OBJECT_NAME_COLLISION;
	if (same)
		respell(to, name);
	char *path = host_alloc(strlen(to->path) + 1);
	if (!path)
		return STATUS_INSUFFICIENT_RESOURCES;
	strcpy(path, to->path);
	if (link && replace && to->fd >= 0 && !same)
		host_remove(volume.root, path, false);
	int error = link ? host_link(volume.root, node->path, path)
			 : host_rename(volume.root, node->path, path, replace || same);
	if (error || link) {
		host_free(path);
		return volume_status(error);
	}
	host_free(node->path);
	node->path = path;
	node->renamed = true;
	return STATUS_SUCCESS;
}

static NTSTATUS set_name(struct set *s, bool replace, bool link)
{
	UNICODE_STRING name;
	NTSTATUS status = target_name(s, &name);
	if (!NT_SUCCESS(status))
		return status;
	struct volume_found *found = host_alloc(sizeof(*found));
	status = found ? volume_find(&name, found) : STATUS_INSUFFICIENT_RESOURCES;
	if (NT_SUCCESS(status)) {
		volume_lock();
		status = found->supplied ? STATUS_ACCESS_DENIED
					 : move(s, found, &name, replace, link);
		volume_unlock();
		if (found->fd >= 0)
			host_close(found->fd);
	}
	host_free(found);
	rtl_free_string(&name);
	return status;
}

static NTSTATUS set_rename(struct set *s)
{
	return set_name(s, ((const FILE_RENAME_INFORMATION *)s->buffer)->ReplaceIfExists, false);
}

static NTSTATUS set_rename_ex(struct set *s)
{
	const FILE_RENAME_INFORMATION *to = s->buffer;
	return set_name(s, to->Flags & FILE_RENAME_REPLACE_IF_EXISTS, false);
}

static NTSTATUS set_link(struct set *s)
{
	return set_name(s, ((const FILE_RENAME_INFORMATION *)s->buffer)->ReplaceIfExists, true);
}

static const struct {
	ULONG number;
	NTSTATUS (*set)(struct set *set);
} classes[] = {
	{FileBasicInformation, set_basic},
	{FileRenameInformation, set_rename},
	{FileRenameInformationEx, set_rename_ex},
	{FileLinkInformation, set_link},
	{FileDispositionInformation, set_disposition},
	{FileDispositionInformationEx, set_disposition_ex},
	{FileAllocationInformation, set_allocation},
	{FileEndOfFileInformation, set_end},
};

NTSTATUS volume_set_file(PIRP irp, PIO_STACK_LOCATION location, ULONG_PTR *information)
{
	(void)information;
	NTSTATUS status;
	struct set s = {.file = location->FileObject,
			.buffer = irp->AssociatedIrp.SystemBuffer,
			.length = location->Parameters.SetFile.Length,
			.mode = irp->RequestorMode};
	s.open = volume_open_of(s.file, &status);
	if (!s.open)
		return status;
	if (s.open->is_volume)
		return STATUS_INVALID_PARAMETER;
	status = volume_check_writable(s.file);
	if (!NT_SUCCESS(status))
		return status;
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (classes[i].number == location->Parameters.SetFile.FileInformationClass)
			return classes[i].set(&s);
	return STATUS_INVALID_PARAMETER;
}
