/* SPDX-License-Identifier: MIT */
/*
 * Opens of other processes' files in /proc, as opens of those processes (--proc-opens).
 *
 * /proc/PID/mem is another way to a process's memory, and maps, environ and the like to
 * what is known about it. A filter cannot see a path, so with this option every open of
 * the tree waits for an answer. To find out what a path means, the file is looked up as the
 * caller would, without being opened (O_PATH): symbolic links and relative names then lead
 * where they lead, and only what is on a proc file system at the end is looked at further.
 *
 * "self" leads to whoever looks, so to us. A name that leads to our own files is the caller's
 * own if it says "self" somewhere, and otherwise the supervisor's.
 *
 * As with every path, another thread of the caller can exchange it between the answer and its
 * use; and io_uring opens files without a system call.
 */
#include "source/live/calls.h"
#include "source/live/kernel.h"
#include "source/live/namespace.h"
#include "source/live/remote.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

/* ---- Where a name leads ------------------------------------------------------------------ */

/* A folder of the caller's: its root, its working folder, or one that it has open. */
static int open_folder(pid_t tid, const char *path, int directory)
{
	char name[64];
	if (*path == '/')
		snprintf(name, sizeof name, "/proc/%d/root", tid);
	else if (directory == AT_FDCWD)
		snprintf(name, sizeof name, "/proc/%d/cwd", tid);
	else
		snprintf(name, sizeof name, "/proc/%d/fd/%d", tid, directory);
	return open(name, O_PATH | O_CLOEXEC);
}

/* The name that the file has at the end of all links, if it is in /proc. */
static bool look_up(const struct live_task *caller, const char *path, int directory,
		    char location[static PATH_MAX])
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
			       .resolve = *path == '/' ? RESOLVE_IN_ROOT : 0};
	struct statfs system;
	char link[40];
	int folder = open_folder(caller->tid, path, directory);
	if (folder < 0)
		return false;
	int fd = (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
	close(folder);
	if (fd < 0)
		return false;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t length = fstatfs(fd, &system) || system.f_type != PROC_SUPER_MAGIC
				 ? -1
				 : readlink(link, location, PATH_MAX - 1);
	close(fd);
	location[length > 0 ? length : 0] = 0;
	return length > 0;
}

/* "/proc/123/task/124/mem" is the file "mem" of 124. */
static pid_t owner_of(const char *location, const char **file)
{
	char *end;
	if (strncmp(location, "/proc/", 6) != 0)
		return 0;
	pid_t pid = (pid_t)strtol(location + 6, &end, 10);
	if (strncmp(end, "/task/", 6) == 0)
		pid = (pid_t)strtol(end + 6, &end, 10);
	*file = end + 1;
	return *end == '/' ? pid : 0;
}

/* ---- What it amounts to --------------------------------------------------------------------- */

static bool is_one_of(const char *file, const char *const *names)
{
	for (; *names; names++) {
		size_t length = strlen(*names);
		if (!strncmp(file, *names, length) && (!file[length] || file[length] == '/'))
			return true;
	}
	return false;
}

static ACCESS_MASK access_of(const char *file, int flags)
{
	static const char *const inside[] = {
		"maps",   "smaps",   "smaps_rollup", "numa_maps", "environ",   "auxv",       "fd",
		"fdinfo", "pagemap", "syscall",      "stack",     "map_files", "clear_refs", NULL};
	bool writes = (flags & O_ACCMODE) != O_RDONLY;
	if (!strcmp(file, "mem"))
		return writes ? PROCESS_VM_READ | PROCESS_VM_WRITE | PROCESS_VM_OPERATION
			      : PROCESS_VM_READ;
	if (is_one_of(file, inside))
		return PROCESS_QUERY_INFORMATION | PROCESS_VM_READ;
	return writes ? PROCESS_SET_INFORMATION : PROCESS_QUERY_LIMITED_INFORMATION;
}

static bool may_open(const struct live_notice *notice, struct live_process *process,
		     const char *file, int flags)
{
	ACCESS_MASK access = access_of(file, flags);
	char reason[96];
	if (access & ~(ACCESS_MASK)PROCESS_QUERY_LIMITED_INFORMATION &&
	    !live_permits(notice->task, process, LIVE_INSPECTS))
		return true; /* Linux refuses it */
	PEPROCESS object = live_nt_process(process);
	snprintf(reason, sizeof reason, "open(/proc/%d/%.60s)", process->pid, file);
	bool allowed = !object || live_may_open(notice->task, object, access, reason);
	live_release(object);
	return allowed;
}

static struct live_answer judge(const struct live_call *call, const struct live_notice *notice,
				uint64_t address, int directory, int flags)
{
	char path[PATH_MAX], location[PATH_MAX];
	const char *file;
	bool allowed = true;
	if (live_read_string(notice->task->tid, address, path, sizeof path) < 0 ||
	    !live_still_waits(notice) || !look_up(notice->task, path, directory, location))
		return LIVE_CONTINUE;
	pid_t pid = owner_of(location, &file);
	if (pid <= 0 || (pid == getpid() && strstr(path, "self")))
		return LIVE_CONTINUE;
	struct live_process *process = live_find_process(pid);
	if (process && process != notice->task->process)
		allowed = may_open(notice, process, file, flags);
	live_return_process(process);
	return allowed ? LIVE_CONTINUE : LIVE_RESULT(call->denied);
}

/* ---- The calls ---------------------------------------------------------------------------------- */

struct live_answer live_answer_open(const struct live_call *call, const struct live_notice *notice)
{
	const __u64 *a = notice->request->data.args;
	return judge(call, notice, a[0], AT_FDCWD, (int)a[1]);
}

struct live_answer live_answer_openat(const struct live_call *call,
				      const struct live_notice *notice)
{
	const __u64 *a = notice->request->data.args;
	return judge(call, notice, a[1], (int)a[0], (int)a[2]);
}

struct live_answer live_answer_openat2(const struct live_call *call,
				       const struct live_notice *notice)
{
	const __u64 *a = notice->request->data.args;
	uint64_t flags; /* the first field of struct open_how */
	if (live_read(notice->task->tid, a[2], &flags, sizeof flags))
		return LIVE_CONTINUE;
	return judge(call, notice, a[1], (int)a[0], (int)flags);
}
