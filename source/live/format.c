/* SPDX-License-Identifier: MIT */
/*
 * Kinds of executable files.
 *
 * Opening a file to look at its head costs more than everything else that is done
 * for an exec, and nearly every exec is of a program that was executed before. So
 * the files that proved to be native are remembered, by identity and time of
 * change: whatever is written to a file changes that time, and so does whatever
 * changes who may execute it.
 */
#include "source/live/format.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REMEMBERED 256u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of what is known */

static struct known {
	dev_t device;
	ino_t inode;
	struct timespec changed;
	off_t size;
	bool permitted; /* to us */
} known[REMEMBERED];

static struct known *slot_for(const struct stat *status)
{
	return &known[(status->st_ino ^ status->st_dev * 31) % REMEMBERED];
}

static bool is_known(const struct stat *status, bool *permitted)
{
	pthread_mutex_lock(&lock);
	const struct known k = *slot_for(status);
	pthread_mutex_unlock(&lock);
	*permitted = k.permitted;
	return k.inode == status->st_ino && k.device == status->st_dev &&
	       k.size == status->st_size && k.changed.tv_sec == status->st_ctim.tv_sec &&
	       k.changed.tv_nsec == status->st_ctim.tv_nsec;
}

bool live_is_known_program(const struct stat *status)
{
	bool permitted;
	return is_known(status, &permitted) && permitted;
}

static void remember(const struct stat *status, bool permitted)
{
	pthread_mutex_lock(&lock);
	*slot_for(status) = (struct known){.device = status->st_dev,
					   .inode = status->st_ino,
					   .changed = status->st_ctim,
					   .size = status->st_size,
					   .permitted = permitted};
	pthread_mutex_unlock(&lock);
}

static ssize_t read_head(int fd, char head[LIVE_HEAD_SIZE])
{
	char link[40];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	int file = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0)
		return -errno;
	ssize_t n = pread(file, head, LIVE_HEAD_SIZE, 0);
	int error = errno;
	close(file);
	return n < 0 ? -error : n;
}

static bool native_elf(const char *head, size_t size)
{
	Elf32_Ehdr header; /* the machine is at the same place in both classes */
	if (size < sizeof header || memcmp(head, ELFMAG, SELFMAG))
		return false;
	memcpy(&header, head, sizeof header);
	return header.e_machine == EM_X86_64 || header.e_machine == EM_386;
}

/* Whether any program is registered to run files that the kernel cannot. */
static bool others_registered(void)
{
	return access("/proc/sys/fs/binfmt_misc/register", F_OK) == 0;
}

/* Splits the #! line in the head. False when it names nothing. */
static bool split_line(struct live_format *format, size_t size)
{
	char *head = format->head;
	head[size < LIVE_HEAD_SIZE ? size : LIVE_HEAD_SIZE - 1] = 0;
	char *line = head + 2;
	line[strcspn(line, "\n")] = 0;
	for (size_t n = strlen(line); n && strchr(" \t", line[n - 1]); n--)
		line[n - 1] = 0;
	format->interpreter = line + strspn(line, " \t");
	char *rest = format->interpreter + strcspn(format->interpreter, " \t");
	format->argument = NULL;
	if (*rest) {
		*rest++ = 0;
		format->argument = rest + strspn(rest, " \t");
	}
	return *format->interpreter != 0;
}

int live_look_inside(int fd, const struct stat *status, bool permitted, struct live_format *format)
{
	bool before;
	format->kind = LIVE_NATIVE;
	if (is_known(status, &before) && before >= permitted)
		return 0;
	ssize_t size = read_head(fd, format->head);
	if (size == -EACCES || size == -EPERM)
		return 0; /* executable but not readable: it cannot be a script */
	if (size < 0)
		return (int)size;
	if (native_elf(format->head, (size_t)size)) {
		remember(status, permitted);
		return 0;
	}
	if (size >= 2 && !memcmp(format->head, "#!", 2)) {
		format->kind = LIVE_SCRIPT;
		return split_line(format, (size_t)size) ? 0 : -ENOEXEC;
	}
	format->kind = LIVE_FOREIGN;
	return others_registered() ? 0 : -ENOEXEC;
}
