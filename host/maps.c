/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID/maps, read line by line until the address is found.
 *
 * The file is read with plain calls into a buffer on the stack: it is asked for while
 * drivers run, who may have made malloc fail on purpose.
 */
#include "maps.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define USER_END 0x7ffffffff000ull

struct reader {
	int file;
	size_t used, length;
	char text[8192];
};

/* The next line without its newline, or NULL. One that is longer than the buffer is cut. */
static char *next_line(struct reader *r)
{
	for (;;) {
		char *line = r->text + r->used;
		char *end = memchr(line, '\n', r->length - r->used);
		if (end) {
			*end = 0;
			r->used += (size_t)(end - line) + 1;
			return line;
		}
		memmove(r->text, line, r->length - r->used);
		r->length -= r->used;
		r->used = 0;
		if (r->length == sizeof r->text)
			return NULL;
		ssize_t got = read(r->file, r->text + r->length, sizeof r->text - r->length);
		if (got <= 0)
			return NULL;
		r->length += (size_t)got;
	}
}

static bool parse(const char *line, struct host_region *region)
{
	unsigned long long begin, end, inode;
	char mode[5];
	int name = 0;
	if (sscanf(line, "%llx-%llx %4s %*x %*x:%*x %llu %n", &begin, &end, mode, &inode, &name) <
	    4)
		return false;
	*region = (struct host_region){.base = begin,
				       .size = end - begin,
				       .mapped = true,
				       .read = mode[0] == 'r',
				       .write = mode[1] == 'w',
				       .execute = mode[2] == 'x',
				       .shared = mode[3] == 's',
				       .file = inode != 0};
	if (name && region->file)
		snprintf(region->path, sizeof region->path, "%s", line + name);
	return true;
}

int host_find_region(pid_t pid, uint64_t address, struct host_region *found)
{
	char path[32];
	struct reader reader = {0};
	struct host_region region;
	uint64_t gap = 0; /* where the last mapping before the address ends */
	uint64_t next = USER_END;
	snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	reader.file = open(path, O_RDONLY | O_CLOEXEC);
	if (reader.file < 0)
		return -errno;
	bool hit = false;
	for (const char *line; !hit && (line = next_line(&reader)) && parse(line, &region);) {
		if (address < region.base) {
			next = region.base;
			break;
		}
		gap = region.base + region.size;
		hit = address < gap;
	}
	close(reader.file);
	if (address >= USER_END)
		return -EINVAL;
	*found = hit ? region : (struct host_region){.base = gap, .size = next - gap};
	return 0;
}
