/* SPDX-License-Identifier: MIT */
/*
 * Finding the image before the kernel does.
 *
 * Most execve calls fail: a PATH look-up tries one folder after the other. Only
 * one that will succeed may become an event, so everything that makes execve fail
 * and can be known beforehand is looked at here, with the caller's root, working
 * folder, descriptors and file-system identity. What is left (a file that is
 * being written, no memory, arguments that are too long) is taken back later.
 *
 * The caller's names are opened in one of two ways. Nearly every task has our root:
 * then its absolute names are ours too, and relative ones start at
 * /proc/TID/cwd. For the others openat2 keeps the walk inside /proc/TID/root.
 * Names under /proc/self and /dev/fd mean the caller and not us, and are
 * rewritten first.
 */
#include "source/live/image.h"
#include "source/live/credentials.h"
#include "source/live/format.h"
#include "source/live/remote.h"
#include "memory.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST_SCRIPTS 5 /* as many #! lines in a row as the kernel follows */
#ifndef ST_NOEXEC
#define ST_NOEXEC 8
#endif

/* ---- Names as the caller sees them ------------------------------------------------ */

static int read_link(const char *link, char *text)
{
	ssize_t n = readlink(link, text, PATH_MAX - 1);
	if (n < 0)
		return -errno;
	text[n] = 0;
	return 0;
}

static int located_name(int fd, char *text)
{
	char link[40];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	return read_link(link, text);
}

/* Joined and without empty or "." components. -ENAMETOOLONG, or 0. */
static int join(char *out, const char *folder, const char *path)
{
	char raw[2 * PATH_MAX + 2];
	size_t n = 0;
	snprintf(raw, sizeof raw, "%s/%s", path[0] == '/' ? "" : folder, path);
	for (const char *p = raw; *p;) {
		p += strspn(p, "/");
		size_t length = strcspn(p, "/");
		if (length && !(length == 1 && p[0] == '.')) {
			if (n + length + 2 > PATH_MAX)
				return -ENAMETOOLONG;
			out[n++] = '/';
			memcpy(out + n, p, length);
			n += length;
		}
		p += length;
	}
	if (!n)
		out[n++] = '/';
	out[n] = 0;
	return 0;
}

static bool has_parent_component(const char *path)
{
	for (const char *p = path; (p = strstr(p, "/..")); p += 3) {
		if (p[3] == '/' || p[3] == 0)
			return true;
	}
	return false;
}

/* Turns a name that means the caller itself into one that means it to us. */
static bool own_name(const struct live_exec *exec, const char *path, char *ours)
{
	static const struct {
		const char *prefix, *folder;
	} rename[] = {{"/proc/self/", "/proc/%d/"}, {"/dev/fd/", "/proc/%d/fd/"}};
	const char *thread_self = "/proc/thread-self/";
	for (unsigned i = 0; i < sizeof rename / sizeof rename[0]; i++) {
		size_t length = strlen(rename[i].prefix);
		if (strncmp(path, rename[i].prefix, length))
			continue;
		int n = snprintf(ours, PATH_MAX, rename[i].folder, exec->pid);
		snprintf(ours + n, PATH_MAX - (size_t)n, "%s", path + length);
		return true;
	}
	if (strncmp(path, thread_self, strlen(thread_self)))
		return false;
	int n = snprintf(ours, PATH_MAX, "/proc/%d/task/%d/", exec->pid, exec->tid);
	snprintf(ours + n, PATH_MAX - (size_t)n, "%s", path + strlen(thread_self));
	return true;
}

/* The caller's folder that a relative name starts at, as a link of ours. */
static void start_folder(const struct live_exec *exec, char link[64])
{
	if (exec->directory == AT_FDCWD)
		snprintf(link, 64, "/proc/%d/cwd", exec->tid);
	else
		snprintf(link, 64, "/proc/%d/fd/%d", exec->tid, exec->directory);
}

/* ---- Opening as the caller would ---------------------------------------------------- */

static bool has_our_root(pid_t tid)
{
	char link[40];
	struct statx ours, theirs;
	snprintf(link, sizeof link, "/proc/%d/root", tid);
	if (statx(AT_FDCWD, "/", 0, STATX_INO | STATX_MNT_ID, &ours))
		return false;
	if (statx(AT_FDCWD, link, 0, STATX_INO | STATX_MNT_ID, &theirs))
		return false;
	return ours.stx_mnt_id == theirs.stx_mnt_id && ours.stx_ino == theirs.stx_ino;
}

/* `name` is absolute in the caller's root. */
static int open_in_root(pid_t tid, const char *name, int flags)
{
	char link[40];
	snprintf(link, sizeof link, "/proc/%d/root", tid);
	int root = open(link, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	struct open_how how = {.flags = (unsigned)flags, .resolve = RESOLVE_IN_ROOT};
	int fd = (int)syscall(SYS_openat2, root, name, &how, sizeof how);
	int error = errno;
	close(root);
	return fd < 0 ? -error : fd;
}

/* A name of ours as one inside the caller's root. */
static int from_callers_root(pid_t tid, char *text)
{
	char link[40], root[PATH_MAX];
	snprintf(link, sizeof link, "/proc/%d/root", tid);
	int error = read_link(link, root);
	size_t length = strlen(root);
	if (!error && length > 1 && !strncmp(text, root, length))
		memmove(text, text + length, strlen(text + length) + 1);
	return error;
}

/* Where the caller's folder is, as a name inside its root. */
static int folder_name(const struct live_exec *exec, char *text)
{
	char link[64];
	start_folder(exec, link);
	int error = read_link(link, text);
	return error ? error : from_callers_root(exec->tid, text);
}

/* Opens what the caller means by `path`, for looking at only. */
static int open_for_caller(const struct live_exec *exec, const char *path, bool follow)
{
	char name[PATH_MAX + 64], link[64];
	int flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW);
	if (own_name(exec, path, name))
		goto open_name;
	if (exec->estranged && !has_our_root(exec->tid)) {
		char folder[PATH_MAX], absolute[PATH_MAX];
		int error = path[0] == '/' ? 0 : folder_name(exec, folder);
		if (!error)
			error = join(absolute, folder, path);
		return error ? error : open_in_root(exec->tid, absolute, flags);
	}
	start_folder(exec, link);
	if (path[0] == '/')
		snprintf(name, sizeof name, "%s", path);
	else
		snprintf(name, sizeof name, "%s/%s", link, path);
open_name:;
	int fd = open(name, flags);
	return fd < 0 ? -errno : fd;
}

/* The absolute name that the open used. ".." is not lexical on Linux, so a name
 * with it is told by where its folder is. */
static int opened_name(const struct live_exec *exec, const char *path, char *out)
{
	char folder[PATH_MAX] = "";
	int error = path[0] == '/' ? 0 : folder_name(exec, folder);
	if (!error)
		error = join(out, folder, path);
	if (error || !has_parent_component(out))
		return error;
	char *last = strrchr(out, '/');
	char base[NAME_MAX + 2];
	if (!strcmp(last, "/.."))
		return 0; /* a folder: it will not execute */
	snprintf(base, sizeof base, "%s", last + 1);
	*last = 0;
	int fd = open_for_caller(exec, out[0] ? out : "/", true);
	if (fd < 0)
		return fd;
	error = located_name(fd, folder);
	close(fd);
	if (!error)
		error = from_callers_root(exec->tid, folder);
	return error ? error : join(out, folder, base);
}

/* ---- Whether it would execute ------------------------------------------------------- */

/* What is known about the file need not be asked again; only that its mount has become
 * noexec meanwhile is missed then, and the exec fails after it was told. */
static int check_permission(const struct live_exec *exec, int fd, const struct stat *status)
{
	struct statfs system;
	if (!exec->estranged && live_is_known_program(status))
		return 0;
	if (syscall(SYS_faccessat2, fd, "", X_OK, AT_EMPTY_PATH | AT_EACCESS))
		return -errno;
	if (!fstatfs(fd, &system) && (system.f_flags & ST_NOEXEC))
		return -EACCES;
	return 0;
}

static int check_executable(const struct live_exec *exec, int fd, struct live_image *image,
			    struct stat *status)
{
	if (fstat(fd, status))
		return -errno;
	if (S_ISLNK(status->st_mode))
		return -ELOOP;
	if (!S_ISREG(status->st_mode))
		return -EACCES;
	int error = check_permission(exec, fd, status);
	if (error)
		return error;
	image->file.device = status->st_dev;
	image->file.inode = status->st_ino;
	image->set_id = (status->st_mode & (S_ISUID | S_ISGID)) != 0;
	return 0;
}

/* What the kernel calls the script in those arguments. */
static void script_name(const struct live_exec *exec, char name[PATH_MAX + 32])
{
	if (exec->directory == AT_FDCWD || exec->path[0] == '/')
		snprintf(name, PATH_MAX + 32, "%s", exec->path);
	else
		snprintf(name, PATH_MAX + 32, "/dev/fd/%d/%s", exec->directory, exec->path);
}

/* What the kernel does to the arguments of a script. */
static int script_arguments(struct live_arguments *arguments, const char *script,
			    const char *argument, const char *interpreter)
{
	live_drop_argument(arguments);
	int error = live_prepend_argument(arguments, script);
	if (!error && argument)
		error = live_prepend_argument(arguments, argument);
	return error ? error : live_prepend_argument(arguments, interpreter);
}

/* The interpreter takes the script's place. 0 or -ENOMEM. */
static int follow_script(struct live_exec *exec, const struct live_format *format)
{
	char script[PATH_MAX + 32];
	script_name(exec, script);
	int error = script_arguments(&exec->arguments, script, format->argument,
				     format->interpreter);
	snprintf(exec->path, sizeof exec->path, "%s", format->interpreter);
	exec->directory = AT_FDCWD;
	exec->flags = 0;
	return error;
}

/* The file that the descriptor of an execveat with an empty path is. */
static int open_descriptor(const struct live_exec *exec)
{
	char link[64];
	if (exec->directory == AT_FDCWD)
		return -ENOENT;
	snprintf(link, sizeof link, "/proc/%d/fd/%d", exec->tid, exec->directory);
	int fd = open(link, O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/*
 * Most programs are named by an absolute path without a symbolic link in it. Then
 * the name is where the file is, and asking /proc for that, which costs as much as
 * the rest of the look-up, can be left out. -ELOOP: a link is in it.
 */
static int open_plainly(const struct live_exec *exec, struct live_image *image)
{
	char ours[PATH_MAX + 64];
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
	if (exec->path[0] != '/' || exec->estranged || has_parent_component(exec->path) ||
	    own_name(exec, exec->path, ours))
		return -ELOOP;
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, exec->path, &how, sizeof how);
	if (fd < 0)
		return -errno;
	int error = join(image->opened, "", exec->path);
	if (error) {
		close(fd);
		return error;
	}
	memcpy(image->located, image->opened, strlen(image->opened) + 1);
	return fd;
}

/* *plain: the image's names are known already. */
static int open_program(struct live_exec *exec, struct live_image *image, bool *plain)
{
	*plain = false;
	if (!exec->path[0]) {
		image->exact = false;
		int fd = exec->flags & AT_EMPTY_PATH ? open_descriptor(exec) : -ENOENT;
		if (fd >= 0)
			snprintf(exec->path, sizeof exec->path, "/dev/fd/%d", exec->directory);
		return fd;
	}
	image->exact = true;
	int fd = open_plainly(exec, image);
	*plain = fd >= 0;
	if (fd >= 0 || fd == -ENOENT)
		return fd;
	return open_for_caller(exec, exec->path, !(exec->flags & AT_SYMLINK_NOFOLLOW));
}

static int name_program(const struct live_exec *exec, int fd, struct live_image *image)
{
	int error = located_name(fd, image->located);
	if (!error && image->exact)
		error = opened_name(exec, exec->path, image->opened);
	else if (!error)
		memcpy(image->opened, image->located, sizeof image->opened);
	return error;
}

/* One link of the chain of scripts. 0: this is the image. 1: exec->path is now the
 * interpreter's. Negative: errno. */
static int find_step(struct live_exec *exec, struct live_image *image)
{
	struct live_format format;
	struct stat status;
	bool plain;
	int fd = open_program(exec, image, &plain);
	if (fd < 0)
		return fd;
	int error = plain ? 0 : name_program(exec, fd, image);
	if (!error)
		error = check_executable(exec, fd, image, &status);
	if (!error)
		error = live_look_inside(fd, &status, !exec->estranged, &format);
	close(fd);
	if (error)
		return error;
	image->file.native = format.kind == LIVE_NATIVE;
	if (format.kind != LIVE_SCRIPT)
		return 0;
	error = follow_script(exec, &format);
	return error ? error : 1;
}

int live_find_image(struct live_exec *exec, struct live_image *image)
{
	struct live_identity saved = {0};
	if (exec->estranged)
		live_assume_identity(exec->tid, &saved);
	int result = 1;
	for (int i = 0; result == 1 && i <= MOST_SCRIPTS; i++)
		result = find_step(exec, image);
	live_restore_identity(&saved);
	return result == 1 ? -ELOOP : result;
}

/* ---- What runs now -------------------------------------------------------------------- */

int live_running_image(pid_t pid, struct live_image *image, struct live_arguments *arguments)
{
	char link[40];
	struct stat status;
	snprintf(link, sizeof link, "/proc/%d/exe", pid);
	int error = read_link(link, image->located);
	if (!error && stat(link, &status))
		error = -errno;
	if (error)
		return error;
	memcpy(image->opened, image->located, sizeof image->opened);
	image->exact = image->set_id = false;
	image->file.native = true;
	image->file.device = status.st_dev;
	image->file.inode = status.st_ino;
	return live_running_arguments(pid, arguments);
}

int live_running_arguments(pid_t pid, struct live_arguments *arguments)
{
	arguments->text = host_alloc(LIVE_MOST_ARGUMENTS);
	if (!arguments->text)
		return -ENOMEM;
	ssize_t size = live_read_proc(pid, "cmdline", arguments->text, LIVE_MOST_ARGUMENTS);
	arguments->size = size > 0 ? (size_t)size : 0;
	arguments->count = 0;
	for (size_t i = 0; i < arguments->size; i++)
		arguments->count += !arguments->text[i];
	return 0;
}

bool live_runs_image(pid_t pid, const struct live_file *image)
{
	char link[40];
	struct stat status;
	if (!image->native)
		return true;
	snprintf(link, sizeof link, "/proc/%d/exe", pid);
	return !stat(link, &status) && status.st_dev == image->device &&
	       status.st_ino == image->inode;
}
