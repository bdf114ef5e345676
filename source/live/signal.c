/* SPDX-License-Identifier: MIT */
/*
 * Signals as handle operations.
 *
 * Who signals a process opens it for what the signal does by default: ends it
 * (PROCESS_TERMINATE), stops or continues it (PROCESS_SUSPEND_RESUME), or
 * nothing (PROCESS_QUERY_LIMITED_INFORMATION, like signal 0). Handlers do not
 * change that: a target can install one, or drop it, after the question was
 * answered. A signal for one thread opens that thread too; what a fatal one does
 * it does to the whole process, so the process is opened as well.
 *
 * A process that signals itself uses NtCurrentProcess: no handle, no event.
 * What Linux refuses anyway is left to Linux (OB-30).
 *
 * kill of a group is many opens. When all are allowed the call goes on and is
 * atomic as ever; otherwise the permitted members are signalled from here, one by
 * one. This process is never among them: it may well be in the command's group,
 * and must not be killed by its own tree unless somebody names it.
 */
#include "source/live/calls.h"
#include "source/live/credentials.h"
#include "source/live/keeper.h"
#include "source/live/kernel.h"
#include "source/live/namespace.h"
#include "ob/object.h"
#include "memory.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LAST_SIGNAL 64

enum effect { ENDS, STOPS, NOTHING };

static enum effect effect_of(int signal)
{
	switch (signal) {
	case 0:
	case SIGCHLD:
	case SIGURG:
	case SIGWINCH:
		return NOTHING;
	case SIGSTOP:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
	case SIGCONT:
		return STOPS;
	default:
		return ENDS;
	}
}

static const ACCESS_MASK process_access[] = {
	[ENDS] = PROCESS_TERMINATE,
	[STOPS] = PROCESS_SUSPEND_RESUME,
	[NOTHING] = PROCESS_QUERY_LIMITED_INFORMATION,
};

static const ACCESS_MASK thread_access[] = {
	[ENDS] = THREAD_TERMINATE,
	[STOPS] = THREAD_SUSPEND_RESUME,
	[NOTHING] = THREAD_QUERY_LIMITED_INFORMATION,
};

/* "kill(SIGKILL)" */
static void describe(const struct live_call *call, int signal, char reason[64])
{
	const char *name = sigabbrev_np(signal);
	if (name) /* nearly always; printing it would be a tenth of the whole answer */
		stpcpy(stpcpy(stpcpy(stpcpy(reason, call->name), "(SIG"), name), ")");
	else if (signal >= SIGRTMIN)
		snprintf(reason, 64, "%s(SIGRTMIN+%d)", call->name, signal - SIGRTMIN);
	else
		snprintf(reason, 64, "%s(%d)", call->name, signal);
}

/* ---- One process, one thread --------------------------------------------------------- */

static bool may_open_process(const struct live_notice *notice, struct live_process *process,
			     int signal, const char *reason)
{
	PEPROCESS object = live_nt_process(process);
	bool allowed = !object || live_may_open(notice->task, object,
						process_access[effect_of(signal)], reason);
	live_release(object);
	return allowed;
}

static bool may_open_thread(const struct live_notice *notice, struct live_task *target, int signal,
			    const char *reason)
{
	PETHREAD object = live_nt_thread(target);
	bool allowed = !object || live_may_open(notice->task, object,
						thread_access[effect_of(signal)], reason);
	live_release(object);
	return allowed;
}

static bool concerns_us(const struct live_notice *notice, const struct live_process *process,
			int signal)
{
	return process && process != notice->task->process &&
	       live_may_signal(notice->task, process->pid, signal);
}

static struct live_answer signal_process(const struct live_call *call,
					 const struct live_notice *notice, pid_t pid, int signal)
{
	char reason[64];
	bool allowed = true;
	struct live_process *process = live_find_process(live_our_pid(notice->task, pid));
	describe(call, signal, reason);
	if (concerns_us(notice, process, signal))
		allowed = may_open_process(notice, process, signal, reason);
	live_return_process(process);
	return allowed ? LIVE_CONTINUE : LIVE_RESULT(call->denied);
}

/* group: the process that the thread must belong to, or -1. */
static struct live_answer signal_thread(const struct live_call *call,
					const struct live_notice *notice, pid_t group, pid_t tid,
					int signal)
{
	char reason[64];
	bool allowed = true;
	struct live_task *target = live_find_task(live_our_pid(notice->task, tid));
	struct live_process *process = target ? target->process : NULL;
	if (!target && group > 0) /* a thread that a namespace hides */
		return signal_process(call, notice, group, signal);
	describe(call, signal, reason);
	if (concerns_us(notice, process, signal) &&
	    (group == -1 || live_our_pid(notice->task, group) == process->pid)) {
		allowed = may_open_thread(notice, target, signal, reason);
		if (allowed && effect_of(signal) != NOTHING)
			allowed = may_open_process(notice, process, signal, reason);
	}
	if (target)
		live_return(target);
	return allowed ? LIVE_CONTINUE : LIVE_RESULT(call->denied);
}

/* ---- Groups ---------------------------------------------------------------------------- */

/* Whom a kill of 0, -1 or -group means. */
struct audience {
	const struct live_call *call;
	const struct live_notice *notice;
	pid_t group; /* in our ids, or -1: everybody */
	int signal;
	char reason[64];
	pid_t *denied; /* of the supervised ones, as many as denied_count */
	unsigned denied_count, allowed_count;
};

static bool in_audience(const struct audience *a, pid_t pid)
{
	if (a->group == -1)
		return pid != a->notice->task->process->pid &&
		       live_is_one_of_all(a->notice->task, pid);
	return getpgid(pid) == a->group;
}

static void ask_one(struct audience *a, pid_t pid)
{
	struct live_process *process = live_find_process(pid);
	if (concerns_us(a->notice, process, a->signal)) {
		if (may_open_process(a->notice, process, a->signal, a->reason))
			a->allowed_count++;
		else
			a->denied[a->denied_count++] = pid;
	}
	live_return_process(process);
}

static void ask_supervised(struct audience *a, const pid_t *supervised)
{
	for (; *supervised != -1; supervised++) {
		if (*supervised != getpid() && in_audience(a, *supervised))
			ask_one(a, *supervised);
	}
}

static bool was_denied(const struct audience *a, pid_t pid)
{
	for (unsigned i = 0; i < a->denied_count; i++) {
		if (a->denied[i] == pid)
			return true;
	}
	return false;
}

static bool is_ours(pid_t pid)
{
	return pid == getpid() || pid == live_keeper();
}

/* Does what the kernel would have done, sparing the denied ones and this process. It is done
 * with our rights and our view, so whom the caller could not reach by itself, in its
 * namespaces, must be left out here: otherwise a kill(-1) in a container would be one
 * of the whole machine.
 * The caller itself comes last, since it may not survive. */
static struct live_answer deliver(const struct audience *a)
{
	pid_t self = a->notice->task->process->pid;
	unsigned reached = 0;
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	if (!proc)
		return LIVE_RESULT(-ENOMEM);
	while ((entry = readdir(proc))) {
		pid_t pid = atoi(entry->d_name);
		if (pid <= 0 || pid == self || is_ours(pid) || !in_audience(a, pid) ||
		    was_denied(a, pid) || !live_may_signal(a->notice->task, pid, a->signal) ||
		    !live_shares_users(a->notice->task, pid))
			continue;
		reached += kill(pid, a->signal) == 0;
	}
	closedir(proc);
	if (in_audience(a, self))
		reached += kill(self, a->signal) == 0;
	return LIVE_RESULT(reached ? 0 : a->denied_count ? a->call->denied : -ESRCH);
}

static struct live_answer signal_group(const struct live_call *call,
				       const struct live_notice *notice, pid_t pid, int signal)
{
	struct audience a = {.call = call, .notice = notice, .signal = signal};
	struct live_answer answer = LIVE_CONTINUE;
	size_t count = 0;
	a.group = pid == -1 ? -1
		  : pid     ? live_our_pid(notice->task, -pid)
			    : getpgid(notice->task->process->pid);
	pid_t *supervised = live_list_processes();
	while (supervised && supervised[count] != -1)
		count++;
	a.denied = host_alloc((count + 1) * sizeof a.denied[0]);
	if (!supervised || !a.denied) {
		answer = LIVE_RESULT(-ENOMEM);
	} else if (a.group) {
		describe(call, signal, a.reason);
		ask_supervised(&a, supervised);
		if (a.denied_count || (signal && in_audience(&a, getpid())))
			answer = deliver(&a);
	}
	host_free(supervised);
	host_free(a.denied);
	return answer;
}

/* ---- The calls ----------------------------------------------------------------------------- */

static bool valid(int signal)
{
	return signal >= 0 && signal <= LAST_SIGNAL;
}

struct live_answer live_answer_kill(const struct live_call *call, const struct live_notice *notice)
{
	const __u64 *a = notice->request->data.args;
	pid_t pid = (pid_t)a[0];
	int signal = (int)a[1];
	if (!valid(signal) || pid == INT_MIN)
		return LIVE_CONTINUE;
	if (pid > 0)
		return signal_process(call, notice, pid, signal);
	return signal_group(call, notice, pid, signal);
}

struct live_answer live_answer_tkill(const struct live_call *call, const struct live_notice *notice)
{
	const __u64 *a = notice->request->data.args;
	if (!valid((int)a[1]))
		return LIVE_CONTINUE;
	return signal_thread(call, notice, -1, (pid_t)a[0], (int)a[1]);
}

struct live_answer live_answer_tgkill(const struct live_call *call,
				      const struct live_notice *notice)
{
	const __u64 *a = notice->request->data.args;
	if (!valid((int)a[2]))
		return LIVE_CONTINUE;
	return signal_thread(call, notice, (pid_t)a[0], (pid_t)a[1], (int)a[2]);
}

struct live_answer live_answer_sigqueue(const struct live_call *call,
					const struct live_notice *notice)
{
	const __u64 *a = notice->request->data.args;
	if (!valid((int)a[1]) || (pid_t)a[0] <= 0)
		return LIVE_CONTINUE;
	return signal_process(call, notice, (pid_t)a[0], (int)a[1]);
}

struct live_answer live_answer_tgsigqueue(const struct live_call *call,
					  const struct live_notice *notice)
{
	return live_answer_tgkill(call, notice);
}

#define PIDFD_SENDS_TO_THREAD 1u

/* The descriptor's entry in /proc shows our ids already. */
struct live_answer live_answer_pidfd_send_signal(const struct live_call *call,
						 const struct live_notice *notice)
{
	const __u64 *a = notice->request->data.args;
	int signal = (int)a[1];
	unsigned flags = (unsigned)a[3];
	char reason[64];
	bool allowed = true;
	pid_t pid = live_pid_of_descriptor(notice->task, (int)a[0]);
	if (pid <= 0 || !valid(signal))
		return LIVE_CONTINUE;
	struct live_process *process = live_find_process(pid);
	struct live_task *target = live_find_task(pid);
	describe(call, signal, reason);
	if (concerns_us(notice, process, signal)) {
		if (target && (flags & PIDFD_SENDS_TO_THREAD))
			allowed = may_open_thread(notice, target, signal, reason);
		if (allowed)
			allowed = may_open_process(notice, process, signal, reason);
	}
	if (target)
		live_return(target);
	live_return_process(process);
	return allowed ? LIVE_CONTINUE : LIVE_RESULT(call->denied);
}
