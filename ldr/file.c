/* SPDX-License-Identifier: MIT */
/*
 * Driver files. Read as a whole and at once: the parser then works on bytes that
 * nobody can change under it, as a mapping of the file could. Nothing is kept.
 */
#include "ldr/file.h"
#include "memory.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool ldr_fail(struct ldr_error *error, const char *path, const char *format, ...)
{
	char text[384];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	/* The end of a long path says more than its beginning, and the reason most. */
	size_t room = sizeof(error->text) - strlen(text) - sizeof(": ");
	size_t length = strlen(path);
	snprintf(error->text, sizeof(error->text), "%s: %s",
		 length > room ? path + (length - room) : path, text);
	return false;
}

bool ldr_fail_at(struct ldr_error *error, const char *path, const struct pe_error *why)
{
	return ldr_fail(error, path, "offset 0x%llx: %s", (unsigned long long)why->offset,
			why->text);
}

static bool read_all(int fd, struct ldr_file *file, struct ldr_error *error)
{
	size_t got = 0;
	while (got < file->size) {
		ssize_t n = read(fd, (char *)file->bytes + got, file->size - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ldr_fail(error, file->path, "%s", strerror(errno));
		if (n == 0)
			break; /* it became shorter: the parser will say where it ends */
		got += (size_t)n;
	}
	file->size = got;
	return true;
}

static bool read_open_file(int fd, struct ldr_file *file, struct ldr_error *error)
{
	struct stat status;
	if (fstat(fd, &status))
		return ldr_fail(error, file->path, "%s", strerror(errno));
	if (!S_ISREG(status.st_mode))
		return ldr_fail(error, file->path, "not a regular file");
	if (status.st_size > PE_MAX_IMAGE_SIZE)
		return ldr_fail(error, file->path, "a file of %lld bytes is no driver",
				(long long)status.st_size);
	file->size = (size_t)status.st_size;
	file->bytes = host_alloc(file->size);
	if (!file->bytes)
		return ldr_fail(error, file->path, "no memory for %zu bytes", file->size);
	if (read_all(fd, file, error))
		return true;
	host_free(file->bytes);
	return false;
}

bool ldr_read_file(struct ldr_file *file, struct ldr_error *error)
{
	/* Not blocking: opening a FIFO would wait for a writer. */
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return ldr_fail(error, file->path, "%s", strerror(errno));
	bool read = read_open_file(fd, file, error);
	close(fd);
	return read;
}
