/* SPDX-License-Identifier: MIT */
/*
 * From a name to a file. No state.
 *
 * A name is first tried as it is written, which costs one call of Linux. Only if there is
 * no such file are its folders read for a name that differs in case alone, component
 * by component; of several the first found is taken. What comes out is the path as
 * Linux has it. Between looking and opening the tree can change: then something else is
 * found, or nothing, but never anything outside of the root (host/tree.h).
 *
 * The file of a loaded driver is found where image routines say that it is, below
 * \Windows\System32\drivers, wherever it really lies.
 */
#include "io/volume.h"
#include "ldr/module.h"
#include "memory.h"
#include "rtl/case.h"
#include "rtl/filename.h"
#include <errno.h>
#include <string.h>

#define LONGEST_NAME 255 /* units of a component, as in NTFS */

/* ---- Paths ---------------------------------------------------------------------------- */

/* How many units the component at `begin` has. */
static size_t component_length(PCUNICODE_STRING name, size_t begin)
{
	size_t end = begin;
	while (end < name->Length / 2 && name->Buffer[end] != '\\')
		end++;
	return end - begin;
}

/* Drops the backslash at the end, and the stream that every file has. */
static UNICODE_STRING trimmed(PCUNICODE_STRING name, bool *as_folder)
{
	static const WCHAR stream[] = u"::$DATA";
	UNICODE_STRING trimmed = *name;
	*as_folder = name->Length > 2 && name->Buffer[name->Length / 2 - 1] == '\\';
	if (*as_folder)
		trimmed.Length -= 2;
	size_t size = sizeof(stream) - sizeof(WCHAR);
	if (trimmed.Length > size &&
	    !memcmp((char *)trimmed.Buffer + trimmed.Length - size, stream, size))
		trimmed.Length = (USHORT)(trimmed.Length - size);
	return trimmed;
}

static NTSTATUS to_linux(PCUNICODE_STRING name, char path[PATH_MAX])
{
	size_t used = 0, units = name->Length / 2;
	path[0] = 0;
	if (name->Length % 2 || !units || name->Buffer[0] != '\\')
		return STATUS_OBJECT_NAME_INVALID;
	for (size_t begin = 1; begin < units;) {
		size_t length = component_length(name, begin);
		if (used)
			path[used++] = '/';
		size_t bytes = length > LONGEST_NAME || used + 1 >= PATH_MAX
				       ? 0
				       : rtl_component_to_linux(name->Buffer + begin, length,
								path + used, PATH_MAX - used);
		if (!bytes)
			return STATUS_OBJECT_NAME_INVALID;
		used += bytes;
		begin += length + 1;
	}
	return STATUS_SUCCESS;
}

NTSTATUS volume_name(const char *path, UNICODE_STRING *name)
{
	size_t size = strlen(path), units = 1, length;
	WCHAR *text = host_alloc((size + 2) * sizeof(WCHAR));
	if (!text)
		return STATUS_INSUFFICIENT_RESOURCES;
	text[0] = '\\';
	for (size_t i = 0; i < size && units < RTL_MAX_UNITS; i += length)
		units += rtl_encode_utf16(rtl_next_path_character(path + i, size - i, &length),
					  text + units);
	*name = (UNICODE_STRING){(USHORT)(2 * units), (USHORT)(2 * units + 2), text};
	return STATUS_SUCCESS;
}

/* ---- In any case ----------------------------------------------------------------------- */

struct search {
	WCHAR wanted[LONGEST_NAME]; /* upper case */
	size_t length;
	char found[NAME_MAX + 1];
};

static bool compare(void *context, const char *name)
{
	struct search *s = context;
	WCHAR units[LONGEST_NAME];
	size_t count = rtl_component_from_linux(name, units, LONGEST_NAME);
	if (count != s->length)
		return true;
	for (size_t i = 0; i < count; i++)
		if (rtl_upcase(units[i]) != s->wanted[i])
			return true;
	strcpy(s->found, name);
	return false;
}

/* Puts the name that the folder `fd` really has for a component behind path[used]. */
static int correct(int fd, const WCHAR *units, size_t length, char *path, size_t used)
{
	struct search s = {.length = length};
	for (size_t i = 0; i < length; i++)
		s.wanted[i] = rtl_upcase(units[i]);
	int error = host_list_folder(fd, compare, &s);
	if (error)
		return error;
	if (!s.found[0])
		return -ENOENT;
	if (used + strlen(s.found) >= PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(path + used, s.found);
	return 0;
}

/* One component more behind path[*used]; *fd, its folder, becomes it. */
static int descend(int *fd, PCUNICODE_STRING name, size_t begin, char *path, size_t *used)
{
	size_t length = component_length(name, begin);
	if (*used)
		path[(*used)++] = '/';
	if (!rtl_component_to_linux(name->Buffer + begin, length, path + *used, PATH_MAX - *used))
		return -ENAMETOOLONG;
	int next = host_find(volume.root, path);
	if (next == -ENOENT) {
		int error = correct(*fd, name->Buffer + begin, length, path, *used);
		next = error ? error : host_find(volume.root, path);
	}
	if (next < 0)
		return next;
	*used += strlen(path + *used);
	host_close(*fd);
	*fd = next;
	return 0;
}

/* -ENOENT: the last component is missing, and the path is where it would be; -ENOTDIR: one
 * before it is missing, or no folder. */
static int search(PCUNICODE_STRING name, char *path)
{
	size_t used = 0, units = name->Length / 2;
	int fd = host_find(volume.root, ""), error = fd < 0 ? fd : 0;
	for (size_t begin = 1; begin < units && !error;) {
		size_t end = begin + component_length(name, begin);
		error = descend(&fd, name, begin, path, &used);
		if (error == -ENOENT && end < units)
			error = -ENOTDIR;
		begin = end + 1;
	}
	if (!error)
		return fd;
	if (fd >= 0)
		host_close(fd);
	return error;
}

/* ---- Files of drivers --------------------------------------------------------------------- */

/* Where the file of the loaded driver of that name lies. */
static bool find_supplied(PCUNICODE_STRING name, char path[PATH_MAX])
{
	static const UNICODE_STRING windows = {sizeof(u"\\Windows") - 2, 0,
					       (PWSTR)(uintptr_t)u"\\Windows"};
	UNICODE_STRING rest = *name;
	if (name->Length <= windows.Length)
		return false;
	for (unsigned i = 0; i < windows.Length / 2; i++)
		if (rtl_upcase(name->Buffer[i]) != rtl_upcase(windows.Buffer[i]))
			return false;
	rest.Buffer += windows.Length / 2;
	rest.Length -= windows.Length;
	return ldr_find_file(&rest, path, PATH_MAX);
}

static NTSTATUS look_at(struct volume_found *found)
{
	int error = host_file_info(found->fd, &found->info);
	if (!error)
		return STATUS_SUCCESS;
	host_close(found->fd);
	found->fd = -1;
	return volume_status(error);
}

NTSTATUS volume_find(PCUNICODE_STRING name, struct volume_found *found)
{
	UNICODE_STRING path = trimmed(name, &found->as_folder);
	NTSTATUS status = to_linux(&path, found->path);
	if (!NT_SUCCESS(status))
		return status;
	char supplied[PATH_MAX];
	found->supplied = find_supplied(&path, supplied);
	found->fd = found->supplied ? host_find_file(supplied)
				    : host_find(volume.root, found->path);
	if (found->fd == -ENOENT && !found->supplied)
		found->fd = search(&path, found->path);
	if (found->fd >= 0)
		return look_at(found);
	if (found->fd == -ENOTDIR)
		return STATUS_OBJECT_PATH_NOT_FOUND;
	if (found->fd != -ENOENT)
		return volume_status(found->fd);
	found->fd = -1;
	return STATUS_SUCCESS;
}
