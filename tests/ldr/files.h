/* SPDX-License-Identifier: MIT */
/* Driver files for tests, in a folder of the build tree that each program has alone. */
#ifndef RINGSIDE_TEST_LDR_FILES_H
#define RINGSIDE_TEST_LDR_FILES_H

#include "ldr/sample.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOADER_SYS TEST_BUILD "/tests/drivers/loader.sys"

/* The path of a file with that name; valid until the next call. */
static inline const char *scratch(const char *name)
{
	static char path[512];
	int length = snprintf(path, sizeof(path), "%s/tests/files-%d", TEST_BUILD, (int)getpid());
	mkdir(path, 0777);
	snprintf(path + length, sizeof(path) - (size_t)length, "/%s", name);
	return path;
}

/* Removes it, and the folder with the last one. */
static inline void scratch_remove(const char *name)
{
	unlink(scratch(name));
	rmdir(scratch(""));
}

/* All of a file; the caller frees it. */
static inline void *read_whole(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	struct stat status;
	if (!file || fstat(fileno(file), &status))
		abort();
	void *bytes = malloc((size_t)status.st_size);
	*size = fread(bytes, 1, (size_t)status.st_size, file);
	fclose(file);
	return bytes;
}

/* Writes bytes to scratch(name) and returns that path. */
static inline const char *scratch_file(const char *name, const void *bytes, size_t size)
{
	const char *path = scratch(name);
	FILE *file = fopen(path, "wb");
	if (!file || fwrite(bytes, 1, size, file) != size || fclose(file))
		abort();
	return path;
}

/* A copy of the fixture driver under the name of what it shall do. */
static inline const char *loader_as(const char *name)
{
	size_t size;
	void *bytes = read_whole(LOADER_SYS, &size);
	const char *path = scratch_file(name, bytes, size);
	free(bytes);
	return path;
}

#endif
