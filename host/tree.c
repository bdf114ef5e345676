/* SPDX-License-Identifier: MIT */
/*
 * Files below a root, by openat2(2) with RESOLVE_IN_ROOT. Nothing is kept.
 *
 * What is found is a descriptor of O_PATH, which opens nothing: a FIFO would wait, and
 * devices have effects. Only then is it looked at, and opened again through
 * /proc/self/fd, which cannot miss it. What changes names needs the folder that the name
 * is in; it is opened in the same way, and the last component goes to Linux as it is.
 */
#include "tree.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define RACES 64 /* openat2 gives up when something is renamed meanwhile */
#define TO_1601 11644473600ull

/* ---- Opening ------------------------------------------------------------------------ */

static int open_in(int root, const char *path, uint64_t flags, uint64_t mode)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC, .mode = mode, .resolve = RESOLVE_IN_ROOT};
	for (int i = 0; i < RACES; i++) {
		long fd = syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof how);
		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

int host_open_root(const char *folder)
{
	int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

void host_close(int fd)
{
	close(fd);
}

int host_find(int root, const char *path)
{
	return open_in(root, path, O_PATH, 0);
}

int host_find_file(const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int reopen(int fd, int flags)
{
	char link[40];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	int again = open(link, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return again < 0 ? -errno : again;
}

static int open_found(int fd, enum host_file_kind kind, int access)
{
	if (kind == HOST_FOLDER)
		return access == O_RDONLY ? reopen(fd, O_RDONLY | O_DIRECTORY) : -EISDIR;
	return kind == HOST_FILE ? reopen(fd, access) : -EACCES;
}

int host_open_found(int fd, enum host_file_kind kind, bool write)
{
	return open_found(fd, kind, write ? O_WRONLY : O_RDONLY);
}

int host_open_for_both(int fd, enum host_file_kind kind)
{
	return open_found(fd, kind, O_RDWR);
}

/* ---- Names that come and go ------------------------------------------------------------ */

/* The folder that `path` is in, and in *last its last component. */
static int open_parent(int root, const char *path, const char **last)
{
	char folder[4096] = "";
	const char *slash = strrchr(path, '/');
	*last = slash ? slash + 1 : path;
	if (slash && (size_t)(slash - path) >= sizeof folder)
		return -ENAMETOOLONG;
	if (slash)
		memcpy(folder, path, (size_t)(slash - path));
	return open_in(root, folder, O_PATH | O_DIRECTORY, 0);
}

int host_make_file(int root, const char *path)
{
	return open_in(root, path, O_RDWR | O_CREAT | O_EXCL, 0666);
}

/* 0 or -errno, of a call that has -1 and errno. */
static int result_of(int parent, int result)
{
	int error = result ? -errno : 0;
	close(parent);
	return error;
}

int host_make_folder(int root, const char *path)
{
	const char *last;
	int parent = open_parent(root, path, &last);
	return parent < 0 ? parent : result_of(parent, mkdirat(parent, last, 0777));
}

int host_remove(int root, const char *path, bool folder)
{
	const char *last;
	int parent = open_parent(root, path, &last);
	return parent < 0 ? parent
			  : result_of(parent, unlinkat(parent, last, folder ? AT_REMOVEDIR : 0));
}

int host_rename(int root, const char *from, const char *to, bool replace)
{
	const char *last, *new_last;
	int parent = open_parent(root, from, &last);
	int new_parent = parent < 0 ? parent : open_parent(root, to, &new_last);
	if (new_parent < 0) {
		if (parent >= 0)
			close(parent);
		return new_parent;
	}
	int error = result_of(new_parent, renameat2(parent, last, new_parent, new_last,
						    replace ? 0 : RENAME_NOREPLACE));
	close(parent);
	return error;
}

int host_link(int root, const char *from, const char *to)
{
	const char *last, *new_last;
	int parent = open_parent(root, from, &last);
	int new_parent = parent < 0 ? parent : open_parent(root, to, &new_last);
	if (new_parent < 0) {
		if (parent >= 0)
			close(parent);
		return new_parent;
	}
	int error = result_of(new_parent, linkat(parent, last, new_parent, new_last, 0));
	close(parent);
	return error;
}

/* ---- Looking ---------------------------------------------------------------------------- */

static uint64_t nt_time(const struct statx_timestamp *time)
{
	return ((uint64_t)time->tv_sec + TO_1601) * 10000000u + time->tv_nsec / 100;
}

int host_file_info(int fd, struct host_file_info *info)
{
	struct statx s;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &s))
		return -errno;
	*info = (struct host_file_info){
		.kind = S_ISREG(s.stx_mode)   ? HOST_FILE
			: S_ISDIR(s.stx_mode) ? HOST_FOLDER
					      : HOST_OTHER_FILE,
		.size = s.stx_size,
		.allocated = s.stx_blocks * 512,
		.born = nt_time(s.stx_mask & STATX_BTIME ? &s.stx_btime : &s.stx_ctime),
		.accessed = nt_time(&s.stx_atime),
		.written = nt_time(&s.stx_mtime),
		.changed = nt_time(&s.stx_ctime),
		.device = makedev(s.stx_dev_major, s.stx_dev_minor),
		.inode = s.stx_ino,
		.links = s.stx_nlink,
		.writable = (s.stx_mode & 0222) != 0,
	};
	return 0;
}

int host_volume_info(int fd, struct host_volume_info *info)
{
	struct statfs s;
	if (fstatfs(fd, &s))
		return -errno;
	uint64_t id;
	memcpy(&id, &s.f_fsid, sizeof id);
	*info = (struct host_volume_info){s.f_blocks, s.f_bfree, s.f_bavail, (uint32_t)s.f_bsize,
					  id};
	return 0;
}

int host_name_of(int fd, char *name, size_t size)
{
	char link[40];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, name, size);
	if (length < 0)
		return -errno;
	if ((size_t)length == size)
		return -ENAMETOOLONG;
	name[length] = 0;
	return 0;
}

int host_list_folder(int folder, bool (*visit)(void *context, const char *name), void *context)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream) {
		int error = -errno;
		if (fd >= 0)
			close(fd);
		return error;
	}
	const struct dirent *entry;
	errno = 0;
	while ((entry = readdir(stream)) && visit(context, entry->d_name))
		errno = 0;
	int error = entry ? 0 : -errno;
	closedir(stream);
	return error;
}

/* ---- Contents ---------------------------------------------------------------------------- */

int64_t host_read_file(int fd, void *to, size_t size, uint64_t offset)
{
	size_t done = 0;
	while (done < size) {
		ssize_t n = pread(fd, (char *)to + done, size - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && !done)
			return -errno;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return (int64_t)done;
}

int64_t host_write_file(int fd, const void *from, size_t size, uint64_t offset)
{
	size_t done = 0;
	while (done < size) {
		ssize_t n = pwrite(fd, (const char *)from + done, size - done,
				   (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && !done)
			return -errno;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return (int64_t)done;
}

int host_set_size(int fd, uint64_t size)
{
	return ftruncate(fd, (off_t)size) ? -errno : 0;
}

int host_flush(int fd)
{
	return fsync(fd) ? -errno : 0;
}

static struct timespec linux_time(uint64_t time)
{
	if (!time)
		return (struct timespec){.tv_nsec = UTIME_OMIT};
	return (struct timespec){(time_t)(time / 10000000u - TO_1601),
				 (long)(time % 10000000u) * 100};
}

int host_set_times(int fd, uint64_t accessed, uint64_t written)
{
	struct timespec times[2] = {linux_time(accessed), linux_time(written)};
	char link[40];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	return utimensat(AT_FDCWD, link, times, 0) ? -errno : 0;
}

int host_set_writable(int fd, bool writable)
{
	struct stat status;
	char link[40];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	if (fstat(fd, &status))
		return -errno;
	mode_t mode = status.st_mode & 07777;
	mode = writable ? mode | S_IWUSR : mode & ~(mode_t)0222;
	return chmod(link, mode) ? -errno : 0;
}

/* ---- In memory ---------------------------------------------------------------------------- */

int host_open_memory(size_t size)
{
	int fd = memfd_create("section", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!ftruncate(fd, (off_t)size))
		return fd;
	int error = -errno;
	close(fd);
	return error;
}
