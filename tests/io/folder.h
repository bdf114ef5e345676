/* SPDX-License-Identifier: MIT */
/* A world with a volume: a new folder of Linux, and what a kernel caller does with it. */
#ifndef RINGSIDE_TEST_VOLUME_H
#define RINGSIDE_TEST_VOLUME_H

#include "support/world.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <ringside/io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYNCHRONOUS FILE_SYNCHRONOUS_IO_NONALERT
#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

static struct {
	char root[64];
	IO_STATUS_BLOCK result;
	unsigned refused; /* RS_WRITE_REFUSED */
	char refused_name[64];
} v;

static inline const char *path_of(const char *name)
{
	static char path[2][512];
	static unsigned next;
	char *out = path[next++ % 2];
	snprintf(out, sizeof(path[0]), "%s/%s", v.root, name);
	return out;
}

static inline void put_file(const char *name, const char *text)
{
	FILE *file = fopen(path_of(name), "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static inline const char *get_file(const char *name)
{
	static char text[4096];
	FILE *file = fopen(path_of(name), "r");
	if (!file)
		return NULL;
	text[fread(text, 1, sizeof(text) - 1, file)] = 0;
	fclose(file);
	return text;
}

static inline bool is_there(const char *name)
{
	struct stat status;
	return lstat(path_of(name), &status) == 0;
}

static inline void count_refusals(void *context, const struct rs_event *event)
{
	(void)context;
	if (event->type != RS_WRITE_REFUSED)
		return;
	v.refused++;
	for (unsigned i = 0; i < event->write_refused.name.Length / 2u && i < 63; i++)
		v.refused_name[i] = (char)event->write_refused.name.Buffer[i];
}

static inline int world_with_volume(void **state, bool writable)
{
	world_documented(state);
	memset(&v, 0, sizeof(v));
	strcpy(v.root, "/tmp/ringside-volume-XXXXXX");
	assert_non_null(mkdtemp(v.root));
	assert_int_equal(rs_mount(v.root, writable), 0);
	assert_int_equal(rs_listen(count_refusals, NULL), 0);
	return 0;
}

static inline int readable(void **state)
{
	return world_with_volume(state, false);
}

static inline int writable(void **state)
{
	return world_with_volume(state, true);
}

static inline int remove_one(const char *path, const struct stat *status, int type,
			     struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static inline int end_of_volume(void **state)
{
	rs_unlisten(count_refusals, NULL);
	int result = world_end(state);
	assert_int_equal(nftw(v.root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	return result;
}

#define READ_TEST(name) cmocka_unit_test_setup_teardown(name, readable, end_of_volume)
#define WRITE_TEST(name) cmocka_unit_test_setup_teardown(name, writable, end_of_volume)

static inline UNICODE_STRING ustr(const WCHAR *text)
{
	USHORT units = 0;
	while (text[units])
		units++;
	return (UNICODE_STRING){(USHORT)(2 * units), (USHORT)(2 * units + 2),
				(PWSTR)(uintptr_t)text};
}

static inline NTSTATUS create_at(HANDLE root, const WCHAR *text, ACCESS_MASK access, ULONG share,
				 ULONG disposition, ULONG options, HANDLE *handle)
{
	UNICODE_STRING name = ustr(text);
	OBJECT_ATTRIBUTES attributes = {sizeof(attributes), root, &name,
					OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE};
	v.result = (IO_STATUS_BLOCK){.Status = -1, .Information = 77};
	return ZwCreateFile(handle, access | SYNCHRONIZE, &attributes, &v.result, NULL,
			    FILE_ATTRIBUTE_NORMAL, share, disposition, options | SYNCHRONOUS, NULL,
			    0);
}

static inline NTSTATUS create(const WCHAR *text, ACCESS_MASK access, ULONG disposition,
			      ULONG options, HANDLE *handle)
{
	return create_at(NULL, text, access, SHARE_ALL, disposition, options, handle);
}

/* Opens what must be there. */
static inline HANDLE open_it(const WCHAR *text, ACCESS_MASK access)
{
	HANDLE handle;
	assert_ntsuccess(create(text, access, FILE_OPEN, 0, &handle));
	assert_int_equal(v.result.Information, FILE_OPENED);
	return handle;
}

/* What opening and closing it gives. */
static inline NTSTATUS try_open(const WCHAR *text, ACCESS_MASK access, ULONG disposition,
				ULONG options)
{
	HANDLE handle;
	NTSTATUS status = create(text, access, disposition, options, &handle);
	if (NT_SUCCESS(status))
		assert_ntsuccess(ZwClose(handle));
	return status;
}

static inline NTSTATUS read_at(HANDLE handle, void *buffer, ULONG length, LONGLONG offset)
{
	LARGE_INTEGER at = {.QuadPart = offset};
	v.result = (IO_STATUS_BLOCK){.Status = -1, .Information = 77};
	return ZwReadFile(handle, NULL, NULL, NULL, &v.result, buffer, length,
			  offset < 0 ? NULL : &at, NULL);
}

static inline NTSTATUS write_at(HANDLE handle, const void *buffer, ULONG length, LONGLONG offset)
{
	LARGE_INTEGER at = {.QuadPart = offset};
	v.result = (IO_STATUS_BLOCK){.Status = -1, .Information = 77};
	return ZwWriteFile(handle, NULL, NULL, NULL, &v.result, (PVOID)(uintptr_t)buffer, length,
			   offset == -2 ? NULL : &at, NULL);
}

#endif
