/* SPDX-License-Identifier: MIT */
/*
 * Live processes as struct ps_host_ops: process_vm_readv and writev, kill, /proc.
 *
 * No state and no lock. A process is named by its pid, which stays its own while it is
 * supervised: it is not reaped before its end was told. What Linux refuses (another
 * user's process without CAP_SYS_PTRACE) is an error and not an empty answer.
 *
 * Everything is read with plain calls into buffers on the stack, since it happens
 * while drivers run.
 */
#include "source/live/hostops.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define NT_TICK 100 /* ns */

static size_t read_memory(ULONG64 host_id, ULONG64 address, void *to, size_t size)
{
	struct iovec local = {to, size}, remote = {(void *)address, size};
	ssize_t count = process_vm_readv((pid_t)host_id, &local, 1, &remote, 1, 0);
	return count > 0 ? (size_t)count : 0;
}

static size_t write_memory(ULONG64 host_id, ULONG64 address, const void *from, size_t size)
{
	struct iovec local = {(void *)(uintptr_t)from, size}, remote = {(void *)address, size};
	ssize_t count = process_vm_writev((pid_t)host_id, &local, 1, &remote, 1, 0);
	return count > 0 ? (size_t)count : 0;
}

static int send_signal(ULONG64 host_id, int signal)
{
	return kill((pid_t)host_id, signal) ? -errno : 0;
}

/* Linux has no way to end another process with a status of one's choice. */
static int terminate(ULONG64 host_id, NTSTATUS status)
{
	(void)status;
	return send_signal(host_id, SIGKILL);
}

static int suspend(ULONG64 host_id)
{
	return send_signal(host_id, SIGSTOP);
}

static int resume(ULONG64 host_id)
{
	return send_signal(host_id, SIGCONT);
}

/* ---- /proc ----------------------------------------------------------------------------- */

static int read_file(const char *path, char *text, size_t size)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return -errno;
	ssize_t length = read(file, text, size - 1);
	int error = length < 0 ? -errno : 0;
	close(file);
	text[length < 0 ? 0 : length] = 0;
	return error;
}

/* The times of a stat file: fields 14 and 15, counted behind the name, which may hold
 * anything. Page faults are fields 10 and 12. */
static int read_stat(const char *path, struct ps_host_usage *usage)
{
	char text[1024];
	unsigned long long minor, major, user, system;
	int error = read_file(path, text, sizeof text);
	if (error)
		return error;
	const char *behind = strrchr(text, ')');
	if (!behind ||
	    sscanf(behind + 1, " %*c %*d %*d %*d %*d %*d %*u %llu %*u %llu %*u %llu %llu", &minor,
		   &major, &user, &system) != 4)
		return -EPROTO;
	ULONG64 unit = 1000000000ull / NT_TICK / (ULONG64)sysconf(_SC_CLK_TCK);
	usage->user_time = user * unit;
	usage->kernel_time = system * unit;
	usage->page_faults = minor + major;
	return 0;
}

/* A line "Name:  123 kB" of a status file, in bytes; 0 when it is not there. */
static ULONG64 size_of(const char *text, const char *name)
{
	const char *line = strstr(text, name);
	return line ? strtoull(line + strlen(name), NULL, 10) * 1024 : 0;
}

static int read_usage(ULONG64 host_id, struct ps_host_usage *usage)
{
	char path[64], text[4096];
	snprintf(path, sizeof path, "/proc/%d/stat", (int)host_id);
	int error = read_stat(path, usage);
	snprintf(path, sizeof path, "/proc/%d/status", (int)host_id);
	if (!error)
		error = read_file(path, text, sizeof text);
	if (error)
		return error;
	usage->peak_virtual_size = size_of(text, "\nVmPeak:");
	usage->virtual_size = size_of(text, "\nVmSize:");
	usage->peak_working_set = size_of(text, "\nVmHWM:");
	usage->working_set = size_of(text, "\nVmRSS:");
	usage->private_size = size_of(text, "\nVmData:");
	return 0;
}

static int read_thread_usage(ULONG64 host_id, ULONG64 thread, struct ps_host_usage *usage)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)host_id, (int)thread);
	return read_stat(path, usage);
}

static int read_user(ULONG64 host_id, struct ps_host_user *user)
{
	char path[64], text[4096];
	unsigned uid, gid;
	unsigned long long capabilities = 0;
	snprintf(path, sizeof path, "/proc/%d/status", (int)host_id);
	int error = read_file(path, text, sizeof text);
	if (error)
		return error;
	const char *uids = strstr(text, "\nUid:"), *gids = strstr(text, "\nGid:");
	const char *effective = strstr(text, "\nCapEff:");
	if (!uids || !gids || sscanf(uids + 5, "%*u %u", &uid) != 1 ||
	    sscanf(gids + 5, "%*u %u", &gid) != 1)
		return -EPROTO;
	if (effective)
		sscanf(effective + 8, "%llx", &capabilities);
	*user = (struct ps_host_user){uid, gid, capabilities};
	return 0;
}

static int find_region(ULONG64 host_id, ULONG64 address, struct host_region *region)
{
	return host_find_region((pid_t)host_id, address, region);
}

/* The first mapping of the file that the process runs. */
static int find_image(ULONG64 host_id, ULONG64 *base)
{
	char link[64], path[PATH_MAX];
	struct host_region region;
	snprintf(link, sizeof link, "/proc/%d/exe", (int)host_id);
	ssize_t length = readlink(link, path, sizeof path - 1);
	if (length < 0)
		return -errno;
	path[length] = 0;
	for (ULONG64 at = 0; !host_find_region((pid_t)host_id, at, &region);
	     at = region.base + region.size)
		if (region.file && strncmp(region.path, path, sizeof region.path - 1) == 0) {
			*base = region.base;
			return 0;
		}
	return -ENOENT;
}

const struct ps_host_ops live_host_ops = {
	.read = read_memory,
	.write = write_memory,
	.terminate = terminate,
	.suspend = suspend,
	.resume = resume,
	.usage = read_usage,
	.thread_usage = read_thread_usage,
	.user = read_user,
	.region = find_region,
	.image_base = find_image,
};
