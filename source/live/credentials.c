/* SPDX-License-Identifier: MIT */
/*
 * Linux's own permission checks, asked before a driver hears anything (OB-30).
 */
#include "source/live/credentials.h"
#include "source/live/remote.h"
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

struct credentials {
	uid_t user, effective, saved, file_user;
	gid_t file_group;
	uint64_t capabilities; /* effective */
};

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
	    sscanf(group, "\nGid: %*u %*u %*u %u", &c->file_group) != 1)
		return false;
	c->capabilities = strtoull(capabilities + strlen("\nCapEff:"), NULL, 16);
	return true;
}

bool live_may_signal(pid_t caller, pid_t target, int signal)
{
	struct credentials from, to;
	if (!read_credentials(caller, &from))
		return true;
	if (from.capabilities & (1ull << CAP_KILL))
		return true;
	if (!read_credentials(target, &to))
		return true;
	if (from.effective == to.saved || from.effective == to.user || from.user == to.saved ||
	    from.user == to.user)
		return true;
	return signal == SIGCONT && getsid(caller) == getsid(target);
}

/* Only root can become somebody else; then changing the user also drops the
 * capabilities that override file permissions, as it should. The owner of
 * /proc/TID is a cheap first look: it is the effective user of any task that can
 * be dumped, and root's for the others, which just takes the long way. */
void live_assume_identity(pid_t tid, struct live_identity *saved)
{
	char path[32];
	struct stat owner;
	struct credentials c;
	saved->changed = false;
	if (geteuid() != 0)
		return;
	snprintf(path, sizeof path, "/proc/%d", tid);
	if (!stat(path, &owner) && owner.st_uid == 0 && owner.st_gid == 0)
		return;
	if (!read_credentials(tid, &c) || c.file_user == 0)
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
