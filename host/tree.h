/* SPDX-License-Identifier: MIT */
/*
 * The files below one folder, out of which no name leads.
 *
 * `root` is a descriptor of that folder, and to every path it is what "/" is to a process
 * in chroot(2): "..", absolute symbolic links and links of /proc end inside. Paths are
 * Linux's, without a leading slash; "" is the root itself. All functions return 0 (or a
 * descriptor, or a count) or -errno.
 */
#ifndef RINGSIDE_HOST_TREE_H
#define RINGSIDE_HOST_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum host_file_kind { HOST_FILE, HOST_FOLDER, HOST_OTHER_FILE };

/* Times in NT's units; a birth that Linux does not know is the last change. */
struct host_file_info {
	enum host_file_kind kind;
	uint64_t size, allocated;
	uint64_t born, accessed, written, changed;
	uint64_t device, inode;
	uint32_t links;
	bool writable; /* by anybody */
};

struct host_volume_info {
	uint64_t units, free_units, available_units;
	uint32_t unit_size;
	uint64_t serial;
};

/* A folder to be a root, for looking only. */
int host_open_root(const char *folder);
void host_close(int fd);

/* What is there, for looking only; symbolic links are followed. */
int host_find(int root, const char *path);

/* The same of a path of this process, not below a root. */
int host_find_file(const char *path);

/* What was found, opened for reading or for writing, or for both. Files that are neither
 * regular nor folders are never opened: doing so may wait, or have effects (-EACCES). */
int host_open_found(int fd, enum host_file_kind kind, bool write);
int host_open_for_both(int fd, enum host_file_kind kind);

/* A new regular file, open for both; -EEXIST if there is one, or a dangling link. */
int host_make_file(int root, const char *path);
int host_make_folder(int root, const char *path);
int host_remove(int root, const char *path, bool folder);

/* The new name is replaced only if `replace`; -EEXIST otherwise. */
int host_rename(int root, const char *from, const char *to, bool replace);
int host_link(int root, const char *from, const char *to);

int host_file_info(int fd, struct host_file_info *info);
int host_volume_info(int fd, struct host_volume_info *info);

/* Where it is, as Linux tells it: absolute. At most `size` bytes with the terminator. */
int host_name_of(int fd, char *name, size_t size);

/* As many bytes as there are; fewer than `size` at the end of the file, or where the
 * memory ends. -EFAULT when that is at once. */
int64_t host_read_file(int fd, void *to, size_t size, uint64_t offset);
int64_t host_write_file(int fd, const void *from, size_t size, uint64_t offset);
int host_set_size(int fd, uint64_t size);
int host_flush(int fd);

/* Either is left alone when 0. */
int host_set_times(int fd, uint64_t accessed, uint64_t written);
int host_set_writable(int fd, bool writable);

/* Calls `visit` with every name, "." and ".." among them, until it says false. */
int host_list_folder(int folder, bool (*visit)(void *context, const char *name), void *context);

/* Memory without a name that can be mapped as a file can; `size` zeroed bytes. */
int host_open_memory(size_t size);

#endif
