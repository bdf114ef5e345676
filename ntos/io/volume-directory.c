/* SPDX-License-Identifier: MIT */
/*
 * Listing a folder of the volume.
 *
 * The first question reads all names into the open, sorted as NTFS has them, and keeps the
 * pattern; later ones go on where the last ended. A file that has gone meanwhile is left
 * out. The entries are made in memory of ours and copied at the end, because a
 * caller's memory may be bad and the scan is under the volume's lock.
 *
 * Pages: ZwQueryDirectoryFile, and those of the structures.
 */
#include "io/information.h"
#include "io/volume.h"
#include "memory.h"
#include "mm/mdl.h"
#include "rtl/case.h"
#include "rtl/expression.h"
#include "rtl/filename.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_NAME 255
#define MOST_BYTES (1u << 20) /* of entries at once; more than anybody has room for */

/* What all directory classes but FileNamesInformation begin with. */
struct entry_head {
	ULONG NextEntryOffset, FileIndex;
	LARGE_INTEGER CreationTime, LastAccessTime, LastWriteTime, ChangeTime;
	LARGE_INTEGER EndOfFile, AllocationSize;
	ULONG FileAttributes, FileNameLength;
};
_Static_assert(sizeof(struct entry_head) == 64, "ntifs.h");

struct listing_class {
	ULONG number;
	unsigned name;  /* where it begins */
	unsigned id;    /* where the file's number is; 0: nowhere */
	bool name_only; /* FILE_NAMES_INFORMATION */
};

static const struct listing_class classes[] = {
	{FileDirectoryInformation, 64, 0, false},
	{FileFullDirectoryInformation, 68, 0, false},
	{FileBothDirectoryInformation, 94, 0, false},
	{FileIdBothDirectoryInformation, 104, 96, false},
	{FileIdFullDirectoryInformation, 80, 72, false},
	{FileNamesInformation, 12, 0, true},
};

struct listing {
	const struct listing_class *class;
	struct volume_open *open;
	char *buffer;
	ULONG length, used, last; /* last: where the last entry begins */
	unsigned count;
};

/* ---- The scan ---------------------------------------------------------------------------- */

void volume_free_scan(struct volume_scan *scan)
{
	if (!scan)
		return;
	for (size_t i = 0; i < scan->count; i++)
		host_free(scan->name[i]);
	host_free(scan->name);
	rtl_free_string(&scan->pattern);
	host_free(scan);
}

struct collection {
	char **name;
	size_t count, capacity;
	bool no_memory;
};

static bool collect(void *context, const char *name)
{
	struct collection *c = context;
	if (c->count == c->capacity) {
		size_t capacity = c->capacity ? 2 * c->capacity : 64;
		char **grown = host_alloc(capacity * sizeof(*grown));
		if (!grown)
			return !(c->no_memory = true);
		if (c->count)
			memcpy(grown, c->name, c->count * sizeof(*grown));
		host_free(c->name);
		c->name = grown;
		c->capacity = capacity;
	}
	char *copy = host_alloc(strlen(name) + 1);
	if (!copy)
		return !(c->no_memory = true);
	c->name[c->count++] = strcpy(copy, name);
	return true;
}

static int by_name(const void *a, const void *b)
{
	WCHAR first[LONGEST_NAME + 1] = {0}, second[LONGEST_NAME + 1] = {0};
	rtl_component_from_linux(*(char *const *)a, first, LONGEST_NAME);
	rtl_component_from_linux(*(char *const *)b, second, LONGEST_NAME);
	for (unsigned i = 0;; i++) {
		WCHAR x = rtl_upcase(first[i]), y = rtl_upcase(second[i]);
		if (x != y)
			return x < y ? -1 : 1;
		if (!x)
			return strcmp(*(char *const *)a, *(char *const *)b);
	}
}

static bool set_pattern(struct volume_scan *scan, PCUNICODE_STRING pattern)
{
	static const UNICODE_STRING all = {2, 2, (PWSTR)(uintptr_t)u"*"};
	if (!rtl_copy_string(pattern && pattern->Length ? pattern : &all, &scan->pattern))
		return false;
	for (unsigned i = 0; i < scan->pattern.Length / 2; i++)
		scan->pattern.Buffer[i] = rtl_upcase(scan->pattern.Buffer[i]);
	return true;
}

static struct volume_scan *make_scan(const struct volume_open *open, PCUNICODE_STRING pattern,
				     NTSTATUS *status)
{
	struct collection c = {0};
	struct volume_scan *scan = host_alloc(sizeof(*scan));
	int error = scan && set_pattern(scan, pattern) ? host_list_folder(open->fd, collect, &c)
						       : -ENOMEM;
	*status = volume_status(c.no_memory ? -ENOMEM : error);
	if (!NT_SUCCESS(*status)) {
		while (c.count)
			host_free(c.name[--c.count]);
		host_free(c.name);
		volume_free_scan(scan);
		return NULL;
	}
	if (c.count)
		qsort(c.name, c.count, sizeof(*c.name), by_name);
	scan->name = c.name;
	scan->count = c.count;
	return scan;
}

/* Under the lock. A new scan when there is none, or when it is to begin again. */
static NTSTATUS begin_scan(struct volume_open *open, bool restart, PCUNICODE_STRING pattern,
			   bool *first)
{
	NTSTATUS status;
	struct volume_scan *old = open->scan;
	*first = !old;
	if (old && !restart)
		return STATUS_SUCCESS;
	/* The pattern of the first question is that of the handle. */
	struct volume_scan *scan = make_scan(open, old ? &old->pattern : pattern, &status);
	if (!scan)
		return status;
	open->scan = scan;
	volume_free_scan(old);
	return STATUS_SUCCESS;
}

/* ---- Entries -------------------------------------------------------------------------------- */

static bool look(const struct volume_open *open, const char *name, struct host_file_info *info)
{
	char path[PATH_MAX];
	const char *folder = open->node->path;
	if ((size_t)snprintf(path, sizeof(path), "%s%s%s", folder, *folder ? "/" : "", name) >=
	    sizeof(path))
		return false;
	int fd = host_find(volume.root, path);
	if (fd < 0)
		return false;
	int error = host_file_info(fd, info);
	host_close(fd);
	return !error;
}

static struct entry_head head_of(const struct host_file_info *info, size_t length)
{
	bool folder = info->kind == HOST_FOLDER;
	return (struct entry_head){
		.CreationTime.QuadPart = (LONGLONG)info->born,
		.LastAccessTime.QuadPart = (LONGLONG)info->accessed,
		.LastWriteTime.QuadPart = (LONGLONG)info->written,
		.ChangeTime.QuadPart = (LONGLONG)info->changed,
		.EndOfFile.QuadPart = folder ? 0 : (LONGLONG)info->size,
		.AllocationSize.QuadPart = folder ? 0 : (LONGLONG)info->allocated,
		.FileAttributes = volume_attributes(info),
		.FileNameLength = (ULONG)length,
	};
}

/* Where the next entry has to begin, and has room for `size` bytes; ~0 without. */
static ULONG place(const struct listing *l, size_t size)
{
	ULONG at = (l->used + 7) & ~7u;
	return at <= l->length && size <= l->length - at ? at : ~0u;
}

/* An entry that begins at `at`, its name cut at the end of the buffer. */
static void put(struct listing *l, ULONG at, const WCHAR *name, size_t length,
		const struct host_file_info *info)
{
	char *entry = l->buffer + at;
	size_t room = l->length - at - l->class->name, fits = length < room ? length : room;
	ULONG next = at - l->last;
	if (l->count)
		memcpy(l->buffer + l->last, &next, sizeof(next));
	if (l->class->name_only) {
		memcpy(entry + 8, &(ULONG){(ULONG)length}, sizeof(ULONG));
	} else {
		struct entry_head head = head_of(info, length);
		memcpy(entry, &head, sizeof(head));
	}
	if (l->class->id)
		memcpy(entry + l->class->id, &info->inode, sizeof(info->inode));
	memcpy(entry + l->class->name, name, fits);
	l->last = at;
	l->used = at + l->class->name + (ULONG)fits;
	l->count++;
}

/* SUCCESS: it is in, or not wanted. BUFFER_OVERFLOW: it is the first and its name was cut.
 * MORE_ENTRIES: there is no room. */
static NTSTATUS add(struct listing *l, const char *linux_name)
{
	WCHAR units[LONGEST_NAME];
	struct host_file_info info;
	bool dots = !strcmp(linux_name, ".") || !strcmp(linux_name, "..");
	size_t length = 2 * rtl_component_from_linux(linux_name, units, LONGEST_NAME);
	UNICODE_STRING name = {(USHORT)length, (USHORT)length, units};
	if (!length || (dots && !l->open->node->path[0]) ||
	    !FsRtlIsNameInExpression(&l->open->scan->pattern, &name, TRUE, NULL) ||
	    !look(l->open, linux_name, &info))
		return STATUS_SUCCESS;
	ULONG at = place(l, l->class->name + length);
	if (at != ~0u)
		put(l, at, units, length, &info);
	else if (!l->count)
		put(l, 0, units, length, &info);
	else
		return STATUS_MORE_ENTRIES;
	return at == ~0u ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

/* Under the lock. */
static NTSTATUS fill(struct listing *l, bool single, bool first)
{
	struct volume_scan *scan = l->open->scan;
	NTSTATUS status = STATUS_SUCCESS;
	while (scan->next < scan->count && status == STATUS_SUCCESS && !(single && l->count)) {
		status = add(l, scan->name[scan->next]);
		if (status != STATUS_MORE_ENTRIES)
			scan->next++;
	}
	if (!l->count)
		return first ? STATUS_NO_SUCH_FILE : STATUS_NO_MORE_FILES;
	return status == STATUS_BUFFER_OVERFLOW ? status : STATUS_SUCCESS;
}

/* ---- The request ------------------------------------------------------------------------------ */

static const struct listing_class *find_class(ULONG number)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (classes[i].number == number)
			return &classes[i];
	return NULL;
}

static NTSTATUS list(struct listing *l, const IO_STACK_LOCATION *location)
{
	bool first;
	volume_lock();
	NTSTATUS status = begin_scan(l->open, location->Flags & SL_RESTART_SCAN,
				     location->Parameters.QueryDirectory.FileName, &first);
	if (NT_SUCCESS(status))
		status = fill(l, location->Flags & SL_RETURN_SINGLE_ENTRY, first);
	volume_unlock();
	return status;
}

NTSTATUS volume_directory(PIRP irp, PIO_STACK_LOCATION location, ULONG_PTR *information)
{
	NTSTATUS status;
	struct listing l = {
		.class = find_class(location->Parameters.QueryDirectory.FileInformationClass),
		.length = location->Parameters.QueryDirectory.Length};
	PVOID to = irp->MdlAddress ? irp->MdlAddress->MappedSystemVa : irp->UserBuffer;
	if (location->MinorFunction != IRP_MN_QUERY_DIRECTORY)
		return STATUS_INVALID_DEVICE_REQUEST;
	if (!l.class)
		return STATUS_INVALID_INFO_CLASS;
	l.open = volume_open_of(location->FileObject, &status);
	if (!l.open)
		return status;
	if (l.open->is_volume || !l.open->node->folder)
		return STATUS_INVALID_PARAMETER;
	if (l.length < l.class->name)
		return STATUS_INFO_LENGTH_MISMATCH;
	if (l.length > MOST_BYTES)
		l.length = MOST_BYTES;
	l.buffer = host_alloc(l.length);
	if (!l.buffer)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = list(&l, location);
	if (l.count && !mm_copy_to(to, l.buffer, l.used))
		status = STATUS_ACCESS_VIOLATION;
	else if (l.count)
		*information = l.used;
	host_free(l.buffer);
	return status;
}
