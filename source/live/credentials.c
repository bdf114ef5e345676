/* SPDX-License-Identifier: MIT */
/*
 * Linux's own permission checks, asked before a driver hears anything (OB-30).
 */
#include "source/live/credentials.h"
#include "source/live/remote.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Newer than the headers of Debian 12. A pidfd tells a task's ids in a tenth of the
 * time that /proc/TID/status takes; Linux 6.13 has it.
 */
#define PIDFD_OF_THREAD O_EXCL
struct pidfd_information {
	uint64_t mask, cgroup;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};
#define PIDFD_GET_INFORMATION _IOWR(0xFF, 11, struct pidfd_information)
#define PIDFD_HAS_CREDENTIALS 2u

struct credentials {
	uid_t user, effective, saved, file_user;
	gid_t group, effective_group, saved_group, file_group;
	uint64_t capabilities; /* effective */
};

/* The capabilities are not told; root is taken to have its own. */
static bool ask_pidfd(pid_t tid, struct credentials *c)
{
	static atomic_bool missing;
	struct pidfd_information i = {.mask = PIDFD_HAS_CREDENTIALS};
	if (atomic_load_explicit(&missing, memory_order_relaxed))
		return false;
	int fd = (int)syscall(SYS_pidfd_open, tid, PIDFD_OF_THREAD);
	bool told = fd >= 0 && !ioctl(fd, PIDFD_GET_INFORMATION, &i) &&
		    (i.mask & PIDFD_HAS_CREDENTIALS);
	if (!told && (fd >= 0 || errno == EINVAL))
		atomic_store_explicit(&missing, errno == EINVAL || errno == ENOTTY,
				      memory_order_relaxed);
	if (fd >= 0)
		close(fd);
	*c = (struct credentials){.user = i.ruid,
				  .effective = i.euid,
				  .saved = i.suid,
				  .file_user = i.fsuid,
				  .group = i.rgid,
				  .effective_group = i.egid,
				  .saved_group = i.sgid,
				  .file_group = i.fsgid,
				  .capabilities = i.euid ? 0 : ~0ull};
	return told;
}

static bool read_credentials(pid_t tid, struct credentials *c)
{
	char text[4096];
	if (live_read_proc(tid, "status", text, sizeof text) < 0)
		return false;
	const char *user = strstr(text, "\nUid:"), *group = strstr(text, "\nGid:");
	const char *capabilities = strstr(text, "\nCapEff:");
	if (!user || !group || !capabilities)
		return false;
	if (sscanf(user, "\nUid: %u %u %u %u", &c->user, &c->effective, &c->saved, &c->file_user) !=
		    4 ||
	    sscanf(group, "\nGid: %u %u %u %u", &c->group, &c->effective_group, &c->saved_group,
		   &c->file_group) != 4)
		return false;
	c->capabilities = strtoull(capabilities + strlen("\nCapEff:"), NULL, 16);
	return true;
}

static bool credentials_of(pid_t tid, struct credentials *c)
{
	return ask_pidfd(tid, c) || read_credentials(tid, c);
}

static bool has_capability(pid_t tid, const struct credentials *c, unsigned capability)
{
	struct credentials whole;
	if (c->capabilities & (1ull << capability))
		return true;
	/* Somebody who is not root can have the capability all the same. */
	return read_credentials(tid, &whole) && (whole.capabilities & (1ull << capability));
}

/* Of a task that never changed them: those that we have ourselves. */
static const struct credentials *our_credentials(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct credentials ours;
	static bool known; /* then they do not change any more */
	pthread_mutex_lock(&lock);
	if (!known)
		known = read_credentials(getpid(), &ours);
	pthread_mutex_unlock(&lock);
	return known ? &ours : NULL;
}

static bool credentials_of_task(const struct live_task *task, struct credentials *c)
{
	const struct credentials *ours = our_credentials();
	if (!ours || atomic_load(&task->process->estranged))
		return credentials_of(task->tid, c);
	*c = *ours;
	return true;
}

bool live_may_signal(const struct live_task *caller, pid_t target, int signal)
{
	struct credentials from, to;
	if (!credentials_of_task(caller, &from) || (from.capabilities & (1ull << CAP_KILL)))
		return true;
	if (!credentials_of(target, &to))
		return true;
	if (from.effective == to.saved || from.effective == to.user || from.user == to.saved ||
	    from.user == to.user)
		return true;
	if (signal == SIGCONT && getsid(caller->tid) == getsid(target))
		return true;
	return has_capability(caller->tid, &from, CAP_KILL);
}

static bool is_wholly(const struct credentials *to, uid_t user, gid_t group)
{
	return user == to->user && user == to->effective && user == to->saved &&
	       group == to->group && group == to->effective_group && group == to->saved_group;
}

static bool users_permit(const struct credentials *from, const struct credentials *to,
			 enum live_permission permission)
{
	switch (permission) {
	case LIVE_INSPECTS:
	case LIVE_LIMITS:
		return is_wholly(to, from->user, from->group);
	case LIVE_SCHEDULES:
		return from->effective == to->user || from->effective == to->effective;
	case LIVE_SCHEDULES_IO:
		return from->effective == to->user || from->user == to->user;
	default:
		return true;
	}
}

bool live_permits(const struct live_task *caller, const struct live_process *target,
		  enum live_permission permission)
{
	static const unsigned capability[] = {
		[LIVE_INSPECTS] = CAP_SYS_PTRACE,
		[LIVE_SCHEDULES] = CAP_SYS_NICE,
		[LIVE_SCHEDULES_IO] = CAP_SYS_NICE,
		[LIVE_LIMITS] = CAP_SYS_RESOURCE,
	};
	struct credentials from, to;
	if (permission == LIVE_ANYBODY ||
	    (!atomic_load(&caller->process->estranged) && !atomic_load(&target->estranged)))
		return true;
	if (!credentials_of_task(caller, &from) || !credentials_of(target->pid, &to))
		return true;
	return users_permit(&from, &to, permission) ||
	       has_capability(caller->tid, &from, capability[permission]);
}

bool live_is_user(const struct live_task *caller, uid_t user, pid_t pid)
{
	struct credentials own, other;
	if (!user && credentials_of_task(caller, &own))
		user = own.user;
	return credentials_of(pid, &other) && other.user == user;
}

/* Only root can become somebody else; then changing the user also drops the
 * capabilities that override file permissions, as it should. */
void live_assume_identity(pid_t tid, struct live_identity *saved)
{
	struct credentials c;
	saved->changed = false;
	if (geteuid() != 0)
		return;
	if (!credentials_of(tid, &c) || c.file_user == 0)
		return;
	saved->changed = true;
	saved->group = (gid_t)setfsgid(c.file_group);
	saved->user = (uid_t)setfsuid(c.file_user);
}

void live_restore_identity(const struct live_identity *saved)
{
	if (!saved->changed)
		return;
	setfsuid(saved->user);
	setfsgid(saved->group);
}
