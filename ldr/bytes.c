/* SPDX-License-Identifier: MIT */
/*
 * Files are read piece by piece where they lie, without memory: symbols are looked for
 * when something has gone wrong. A file that shrinks meanwhile reads as one that ends.
 */
#include "ldr/bytes.h"
#include "ldr/pe.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool ldr_open_bytes(struct ldr_bytes *bytes, const char *path)
{
	struct stat status;
	/* Not blocking: opening a FIFO would wait for a writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	if (fstat(fd, &status) || !S_ISREG(status.st_mode)) {
		close(fd);
		return false;
	}
	*bytes = (struct ldr_bytes){.fd = fd, .size = (uint64_t)status.st_size};
	return true;
}

void ldr_close_bytes(struct ldr_bytes *bytes)
{
	if (!bytes->memory)
		close(bytes->fd);
}

static bool read_file(int fd, uint64_t offset, char *to, size_t size)
{
	while (size) {
		ssize_t got = pread(fd, to, size, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		to += got;
		offset += (uint64_t)got;
		size -= (size_t)got;
	}
	return true;
}

bool ldr_read_bytes(const struct ldr_bytes *bytes, uint64_t offset, void *to, size_t size)
{
	if (offset > bytes->size || size > bytes->size - offset)
		return false;
	if (!bytes->memory)
		return read_file(bytes->fd, offset, to, size);
	if (size)
		memcpy(to, (const char *)bytes->memory + offset, size);
	return true;
}

bool ldr_read_text(const struct ldr_bytes *bytes, uint64_t offset, char *text, size_t size)
{
	if (offset >= bytes->size)
		return false;
	uint64_t left = bytes->size - offset;
	size_t length = left < size - 1 ? (size_t)left : size - 1;
	if (!ldr_read_bytes(bytes, offset, text, length))
		return false;
	text[length] = '\0';
	pe_make_printable(text);
	return true;
}
