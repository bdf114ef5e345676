/* SPDX-License-Identifier: MIT */
/*
 * Reading another task's memory: process_vm_readv, which needs no stop and no
 * descriptor. A read never crosses into the next page before it knows that the
 * string goes on there, because that page may not exist.
 */
#include "source/live/remote.h"
#include "memory.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096u
#define BATCH 32  /* strings read by one call */
#define GUESS 128 /* bytes of each that are hoped to suffice */

int live_read(pid_t tid, uint64_t address, void *buffer, size_t size)
{
	struct iovec local = {buffer, size};
	struct iovec remote = {(void *)(uintptr_t)address, size};
	ssize_t n = process_vm_readv(tid, &local, 1, &remote, 1, 0);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EFAULT;
}

static size_t to_page_end(uint64_t address)
{
	return PAGE - address % PAGE;
}

ssize_t live_read_string(pid_t tid, uint64_t address, char *buffer, size_t size)
{
	size_t length = 0;
	while (length < size) {
		size_t piece = to_page_end(address + length);
		if (piece > size - length)
			piece = size - length;
		int error = live_read(tid, address + length, buffer + length, piece);
		if (error)
			return error;
		char *end = memchr(buffer + length, 0, piece);
		if (end)
			return end - buffer;
		length += piece;
	}
	return -ENAMETOOLONG;
}

/* ---- Argument vectors ------------------------------------------------------------ */

struct gathering {
	pid_t tid;
	struct live_arguments *arguments;
	size_t capacity;
};

static int make_room(struct gathering *g, size_t more)
{
	struct live_arguments *a = g->arguments;
	if (a->size + more <= g->capacity)
		return 0;
	size_t capacity = g->capacity ? g->capacity : 1024;
	while (a->size + more > capacity)
		capacity *= 2;
	char *text = host_alloc(capacity);
	if (!text)
		return -ENOMEM;
	if (a->size)
		memcpy(text, a->text, a->size);
	host_free(a->text);
	a->text = text;
	g->capacity = capacity;
	return 0;
}

/* Appends one string of which `known` bytes without a NUL are in `start`. */
static int gather_long(struct gathering *g, uint64_t address, const char *start, size_t known)
{
	struct live_arguments *a = g->arguments;
	size_t length = known;
	int error = make_room(g, known + PAGE);
	if (error)
		return error;
	memcpy(a->text + a->size, start, known);
	for (;;) {
		size_t piece = to_page_end(address + length);
		error = make_room(g, length + piece + 1);
		if (!error)
			error = live_read(g->tid, address + length, a->text + a->size + length,
					  piece);
		if (error)
			return error;
		char *end = memchr(a->text + a->size + length, 0, piece);
		length = end ? (size_t)(end - (a->text + a->size)) : length + piece;
		if (end || a->size + length > LIVE_MOST_ARGUMENTS)
			break;
	}
	a->text[a->size + length] = 0;
	a->size += length + 1;
	a->count++;
	return 0;
}

static int gather_one(struct gathering *g, uint64_t address, const char *start, size_t known)
{
	struct live_arguments *a = g->arguments;
	const char *end = known ? memchr(start, 0, known) : NULL;
	if (!end)
		return gather_long(g, address, start, known);
	size_t size = (size_t)(end - start) + 1;
	int error = make_room(g, size);
	if (error)
		return error;
	memcpy(a->text + a->size, start, size);
	a->size += size;
	a->count++;
	return 0;
}

static int gather_strings(struct gathering *g, const uint64_t *address, unsigned count)
{
	char guess[BATCH][GUESS];
	struct iovec local[BATCH], remote[BATCH];
	if (!count)
		return 0;
	for (unsigned i = 0; i < count; i++) {
		size_t size = to_page_end(address[i]) < GUESS ? to_page_end(address[i]) : GUESS;
		local[i] = (struct iovec){guess[i], size};
		remote[i] = (struct iovec){(void *)(uintptr_t)address[i], size};
	}
	ssize_t got = process_vm_readv(g->tid, local, count, remote, count, 0);
	for (unsigned i = 0; i < count; i++) {
		bool whole = got >= (ssize_t)local[i].iov_len;
		int error = gather_one(g, address[i], guess[i], whole ? local[i].iov_len : 0);
		if (error)
			return error;
		got = whole ? got - (ssize_t)local[i].iov_len : 0;
	}
	return 0;
}

/* Up to BATCH pointers as they lie in memory. */
struct pointers {
	unsigned char raw[BATCH * 8];
	size_t size;  /* of them in bytes */
	bool present; /* they have been read */
};

/* How many bytes of a vector at `address` may be read at once: up to the page's end. */
static size_t size_of_pointers(uint64_t address, unsigned pointer_size)
{
	size_t size = to_page_end(address);
	if (size < pointer_size)
		size = pointer_size; /* misaligned across two pages */
	if (size > BATCH * pointer_size)
		size = BATCH * pointer_size;
	return size - size % pointer_size;
}

/* The pointers in front of a NULL. Their number; *last says that the NULL was among them. */
static unsigned unpack(const struct pointers *p, unsigned pointer_size, uint64_t *pointer,
		       bool *last)
{
	*last = false;
	for (unsigned i = 0; i < p->size / pointer_size; i++) {
		pointer[i] = 0;
		memcpy(&pointer[i], p->raw + i * pointer_size, pointer_size);
		if (!pointer[i]) {
			*last = true;
			return i;
		}
	}
	return (unsigned)(p->size / pointer_size);
}

static int read_pointers(pid_t tid, uint64_t address, unsigned pointer_size, struct pointers *p)
{
	p->size = size_of_pointers(address, pointer_size);
	return live_read(tid, address, p->raw, p->size);
}
/* `p` may hold the first of them already. */
static int read_arguments(pid_t tid, uint64_t address, unsigned pointer_size, struct pointers *p,
			  struct live_arguments *arguments)
{
	struct gathering g = {.tid = tid, .arguments = arguments};
	uint64_t pointer[BATCH] = {0};
	bool last = address == 0;
	*arguments = (struct live_arguments){0};
	while (!last && arguments->size <= LIVE_MOST_ARGUMENTS) {
		unsigned count = 0;
		int error = p->present ? 0 : read_pointers(tid, address, pointer_size, p);
		if (!error) {
			count = unpack(p, pointer_size, pointer, &last);
			error = gather_strings(&g, pointer, count);
		}
		if (error) {
			host_free(arguments->text);
			*arguments = (struct live_arguments){0};
			return error;
		}
		p->present = false;
		address += (uint64_t)count * pointer_size;
	}
	return 0;
}

/* The first bytes of the path and the first pointers, by one call. Whether the path is
 * whole. */
static bool read_beginnings(pid_t tid, uint64_t path, char *text, size_t size, uint64_t vector,
			    unsigned pointer_size, struct pointers *p)
{
	size_t piece = to_page_end(path) < GUESS ? to_page_end(path) : GUESS;
	if (piece > size)
		piece = size;
	p->size = vector ? size_of_pointers(vector, pointer_size) : 0;
	struct iovec local[] = {{text, piece}, {p->raw, p->size}};
	struct iovec remote[] = {{(void *)(uintptr_t)path, piece},
				 {(void *)(uintptr_t)vector, p->size}};
	ssize_t got = process_vm_readv(tid, local, 2, remote, 2, 0);
	p->present = p->size && got == (ssize_t)(piece + p->size);
	return got >= (ssize_t)piece && memchr(text, 0, piece);
}

int live_read_command(pid_t tid, uint64_t path, char *text, size_t size, uint64_t vector,
		      unsigned pointer_size, struct live_arguments *arguments)
{
	struct pointers p;
	if (!read_beginnings(tid, path, text, size, vector, pointer_size, &p)) {
		ssize_t length = live_read_string(tid, path, text, size);
		if (length < 0)
			return (int)length;
	}
	return read_arguments(tid, vector, pointer_size, &p, arguments);
}

int live_prepend_argument(struct live_arguments *arguments, const char *text)
{
	size_t size = strlen(text) + 1;
	char *joined = host_alloc(size + arguments->size);
	if (!joined)
		return -ENOMEM;
	memcpy(joined, text, size);
	if (arguments->size)
		memcpy(joined + size, arguments->text, arguments->size);
	host_free(arguments->text);
	arguments->text = joined;
	arguments->size += size;
	arguments->count++;
	return 0;
}

void live_drop_argument(struct live_arguments *arguments)
{
	if (!arguments->count)
		return;
	size_t size = strlen(arguments->text) + 1;
	memmove(arguments->text, arguments->text + size, arguments->size - size);
	arguments->size -= size;
	arguments->count--;
}

/* ---- /proc ------------------------------------------------------------------------ */

ssize_t live_read_proc(pid_t tid, const char *file, char *buffer, size_t size)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", tid, file);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	size_t length = 0;
	ssize_t n;
	while (length < size - 1 && (n = read(fd, buffer + length, size - 1 - length)) > 0)
		length += (size_t)n;
	close(fd);
	buffer[length] = 0;
	return (ssize_t)length;
}
