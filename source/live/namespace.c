/* SPDX-License-Identifier: MIT */
/*
 * A task in a pid namespace of its own numbers processes differently. The task's
 * own namespace never changes (unshare and setns move only its future children),
 * so whether it is ours is found out once a task and kept.
 *
 * For the rest the tree is searched: /proc/PID/status lists a task's number in
 * every namespace from ours downwards, and the caller's depth says which of them
 * the caller uses. Two sibling namespaces at one depth are told apart by the
 * callers' and targets' namespace files; a target further down than the caller is
 * taken at its number in the caller's depth.
 */
#include "source/live/namespace.h"
#include "source/live/remote.h"
#include "memory.h"
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool same_namespace(pid_t a, pid_t b, const char *kind)
{
	char path[2][40];
	struct stat file[2];
	snprintf(path[0], sizeof path[0], "/proc/%d/ns/%s", a, kind);
	snprintf(path[1], sizeof path[1], "/proc/%d/ns/%s", b, kind);
	return !stat(path[0], &file[0]) && !stat(path[1], &file[1]) &&
	       file[0].st_ino == file[1].st_ino;
}

static bool in_our_namespace(struct live_task *task)
{
	char path[32];
	struct stat ours, theirs;
	if (task->numbering == LIVE_NUMBERING_UNKNOWN) {
		snprintf(path, sizeof path, "/proc/%d/ns/pid", task->tid);
		bool other = !stat("/proc/self/ns/pid", &ours) && !stat(path, &theirs) &&
			     ours.st_ino != theirs.st_ino;
		task->numbering = other ? LIVE_NUMBERING_OTHER : LIVE_NUMBERING_OURS;
	}
	return task->numbering == LIVE_NUMBERING_OURS;
}

#define DEEPEST 32 /* pid namespaces nest no further */

/* The task's number in each namespace from ours down; how many there are. */
static unsigned numbers_of(pid_t tid, pid_t number[DEEPEST])
{
	char text[4096];
	unsigned n = 0;
	if (live_read_proc(tid, "status", text, sizeof text) < 0)
		return 0;
	char *p = strstr(text, "\nNSpid:"), *end;
	if (!p)
		return 0;
	for (p += strlen("\nNSpid:"); n < DEEPEST; p = end) {
		long value = strtol(p, &end, 10);
		if (end == p)
			break; /* at the name of the next line */
		number[n++] = (pid_t)value;
	}
	return n;
}

static bool is_called(pid_t target, pid_t caller, unsigned depth, pid_t pid)
{
	pid_t number[DEEPEST];
	unsigned levels = numbers_of(target, number);
	return levels >= depth && number[depth - 1] == pid &&
	       (levels > depth || same_namespace(target, caller, "pid"));
}

pid_t live_our_pid(struct live_task *caller, pid_t pid)
{
	pid_t own[DEEPEST], found = 0;
	if (!atomic_load(&caller->process->estranged) || in_our_namespace(caller))
		return pid;
	unsigned depth = numbers_of(caller->tid, own);
	pid_t *list = depth ? live_list_processes() : NULL;
	for (pid_t *p = list; p && *p != -1 && !found; p++) {
		if (is_called(*p, caller->tid, depth, pid))
			found = *p;
	}
	host_free(list);
	return found;
}

/* Whether the namespace so many levels above the one of process `pid` is the caller's. */
static bool descends(pid_t pid, unsigned levels, pid_t caller)
{
	char path[32];
	struct stat wanted, found;
	snprintf(path, sizeof path, "/proc/%d/ns/pid", caller);
	if (stat(path, &wanted))
		return false;
	snprintf(path, sizeof path, "/proc/%d/ns/pid", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	for (; fd >= 0 && levels; levels--) {
		int parent = ioctl(fd, NS_GET_PARENT);
		close(fd);
		fd = parent;
	}
	bool same = fd >= 0 && !fstat(fd, &found) && found.st_ino == wanted.st_ino;
	if (fd >= 0)
		close(fd);
	return same;
}

/* The signals are ours to send then, with our rights and in our namespace: so this does not
 * trust the mark of estrangement, and asks exactly. */
bool live_is_one_of_all(struct live_task *caller, pid_t pid)
{
	pid_t own[DEEPEST], number[DEEPEST];
	unsigned depth = numbers_of(caller->tid, own), levels = numbers_of(pid, number);
	if (depth == 1) /* it has no number but ours */
		return pid != 1;
	return depth && levels >= depth && number[depth - 1] > 1 &&
	       descends(pid, levels - depth, caller->tid);
}

bool live_shares_users(const struct live_task *caller, pid_t pid)
{
	return same_namespace(caller->tid, getpid(), "user") ||
	       same_namespace(caller->tid, pid, "user");
}

pid_t live_pid_of_descriptor(const struct live_task *caller, int fd)
{
	char file[32], text[1024];
	snprintf(file, sizeof file, "fdinfo/%d", fd);
	if (live_read_proc(caller->tid, file, text, sizeof text) < 0)
		return 0;
	const char *pid = strstr(text, "\nPid:");
	return pid ? atoi(pid + strlen("\nPid:")) : 0;
}

pid_t live_parent_of(pid_t tid)
{
	char text[4096];
	if (live_read_proc(tid, "status", text, sizeof text) < 0)
		return 0;
	const char *parent = strstr(text, "\nPPid:");
	return parent ? atoi(parent + strlen("\nPPid:")) : 0;
}
