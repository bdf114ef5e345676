/* SPDX-License-Identifier: MIT */
/*
 * What a process does to another besides signalling it, as handle operations: it
 * reads or writes its memory, takes its descriptors, changes its limits, priorities
 * and pages, or gets a descriptor of it.
 *
 * Each is an open of the target for the rights that the call amounts to; a row of
 * the table names them. As with signals (signal.c), a process that means itself
 * opens nothing, a target outside the tree is no object, and what Linux refuses
 * is left to Linux (OB-30). What can't be known beforehand, such as whether an
 * address exists, is asked about all the same.
 *
 * pidfd_open is the one call whose result is kept. It asks for all that a
 * descriptor can be used for and goes on whatever is left, as OpenProcess does: what
 * is done with the descriptor later is asked about then, and knowing and waiting for
 * the target can't be taken away (OB-53).
 */
#include "source/live/calls.h"
#include "source/live/handover.h"
#include "source/live/kernel.h"
#include "source/live/namespace.h"
#include "memory.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t argument(const struct live_notice *notice, unsigned index)
{
	return notice->request->data.args[index];
}

static bool well_formed(const struct live_call *call, const struct live_notice *notice)
{
	return !call->zero || (unsigned)argument(notice, call->zero) == 0;
}

/* ---- Opening one process or thread ---------------------------------------------------- */

/* The process of which the caller calls a thread `pid`, borrowed, if it is another
 * one and Linux permits what the row does to it. */
static struct live_process *other_process(const struct live_call *call,
					  const struct live_notice *notice, pid_t our_pid)
{
	struct live_process *process = our_pid > 0 ? live_find_process(our_pid) : NULL;
	if (process && process != notice->task->process &&
	    live_permits(notice->task, process, call->permission))
		return process;
	live_return_process(process);
	return NULL;
}

static bool may_open_process(struct live_task *caller, struct live_process *process,
			     ACCESS_MASK access, const char *reason)
{
	PEPROCESS object = live_nt_process(process);
	bool allowed = !object || live_may_open(caller, object, access, reason);
	live_release(object);
	return allowed;
}

static bool may_open_thread(struct live_task *caller, struct live_task *target, ACCESS_MASK access,
			    const char *reason)
{
	PETHREAD object = live_nt_thread(target);
	bool allowed = !object || live_may_open(caller, object, access, reason);
	live_release(object);
	return allowed;
}

static struct live_answer open_process(const struct live_call *call,
				       const struct live_notice *notice, pid_t our_pid,
				       ACCESS_MASK access, const char *reason)
{
	bool allowed = true;
	struct live_process *process = other_process(call, notice, our_pid);
	if (process && access)
		allowed = may_open_process(notice->task, process, access, reason);
	live_return_process(process);
	return allowed ? LIVE_CONTINUE : LIVE_RESULT(call->denied);
}

static pid_t first_pid(const struct live_notice *notice)
{
	return live_our_pid(notice->task, (pid_t)argument(notice, 0));
}

struct live_answer live_answer_process(const struct live_call *call,
				       const struct live_notice *notice)
{
	if (!well_formed(call, notice))
		return LIVE_CONTINUE;
	return open_process(call, notice, first_pid(notice), call->access, call->name);
}

struct live_answer live_answer_process_of_descriptor(const struct live_call *call,
						     const struct live_notice *notice)
{
	if (!well_formed(call, notice))
		return LIVE_CONTINUE;
	pid_t pid = live_pid_of_descriptor(notice->task, (int)argument(notice, 0));
	return open_process(call, notice, pid, call->access, call->name);
}

struct live_answer live_answer_thread(const struct live_call *call,
				      const struct live_notice *notice)
{
	pid_t tid = first_pid(notice);
	bool allowed = true;
	struct live_process *process = well_formed(call, notice) ? other_process(call, notice, tid)
								 : NULL;
	struct live_task *target = process ? live_find_task(tid) : NULL;
	if (target) {
		allowed = may_open_thread(notice->task, target, call->access, call->name);
		live_return(target);
	}
	live_return_process(process);
	return allowed ? LIVE_CONTINUE : LIVE_RESULT(call->denied);
}

/* ---- pidfd_open ------------------------------------------------------------------------- */

#define PIDFD_OF_THREAD O_EXCL

#define ALL_OF_PROCESS                                                                             \
	(PROCESS_TERMINATE | PROCESS_SUSPEND_RESUME | PROCESS_DUP_HANDLE |                         \
	 PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE)
#define ALL_OF_THREAD                                                                              \
	(THREAD_TERMINATE | THREAD_SUSPEND_RESUME | THREAD_QUERY_LIMITED_INFORMATION | SYNCHRONIZE)

struct live_answer live_answer_pidfd_open(const struct live_call *call,
					  const struct live_notice *notice)
{
	unsigned flags = (unsigned)argument(notice, 1);
	pid_t tid = first_pid(notice);
	if (flags & ~(unsigned)(O_NONBLOCK | PIDFD_OF_THREAD))
		return LIVE_CONTINUE;
	struct live_process *process = other_process(call, notice, tid);
	struct live_task *target = process ? live_find_task(tid) : NULL;
	if (target && (flags & PIDFD_OF_THREAD))
		may_open_thread(notice->task, target, ALL_OF_THREAD, call->name);
	else if (process && process->pid == tid) /* any other id is an error */
		may_open_process(notice->task, process, ALL_OF_PROCESS, call->name);
	if (target)
		live_return(target);
	live_return_process(process);
	return LIVE_CONTINUE;
}

/* ---- Calls whose rights or targets depend on more arguments ---------------------------- */

/* Two processes are compared; each that is not the caller is opened. */
struct live_answer live_answer_kcmp(const struct live_call *call, const struct live_notice *notice)
{
	struct live_answer answer = live_answer_process(call, notice);
	pid_t second = (pid_t)argument(notice, 1);
	if (answer.what == LIVE_RETURN || second == (pid_t)argument(notice, 0))
		return answer;
	return open_process(call, notice, live_our_pid(notice->task, second), call->access,
			    call->name);
}

/* Without a list of nodes it only tells where the pages are. */
struct live_answer live_answer_move_pages(const struct live_call *call,
					  const struct live_notice *notice)
{
	ACCESS_MASK access = argument(notice, 3) ? call->access : PROCESS_QUERY_INFORMATION;
	return open_process(call, notice, first_pid(notice), access, call->name);
}

struct live_answer live_answer_prlimit(const struct live_call *call,
				       const struct live_notice *notice)
{
	bool sets = argument(notice, 2) != 0, gets = argument(notice, 3) != 0;
	if ((unsigned)argument(notice, 1) >= RLIM_NLIMITS)
		return LIVE_CONTINUE;
	return open_process(call, notice, first_pid(notice),
			    (sets ? PROCESS_SET_QUOTA : 0) | (gets ? PROCESS_QUERY_INFORMATION : 0),
			    sets ? "prlimit64(set)" : "prlimit64(get)");
}

/* ---- Priorities: of one, of a group, of a user ------------------------------------------- */

/* Whom the caller means by `who`. */
enum audience { ONE, GROUP, USER };

static bool is_meant(const struct live_notice *notice, enum audience audience, pid_t group,
		     pid_t pid)
{
	if (audience == GROUP)
		return getpgid(pid) == group;
	return live_is_user(notice->task, (uid_t)argument(notice, 1), pid);
}

/* All or nothing: the first that is denied refuses the call for all of them. */
static struct live_answer open_many(const struct live_call *call, const struct live_notice *notice,
				    enum audience audience)
{
	struct live_answer answer = LIVE_CONTINUE;
	pid_t who = (pid_t)argument(notice, 1);
	pid_t group = who ? live_our_pid(notice->task, who) : getpgid(notice->task->tid);
	pid_t *supervised = live_list_processes();
	if (!supervised)
		return LIVE_RESULT(-ENOMEM);
	for (pid_t *pid = supervised; *pid != -1 && answer.what == LIVE_GO_ON; pid++) {
		if (is_meant(notice, audience, group, *pid))
			answer = open_process(call, notice, *pid, call->access, call->name);
	}
	host_free(supervised);
	return answer;
}

static struct live_answer open_audience(const struct live_call *call,
					const struct live_notice *notice, int audience)
{
	pid_t who = (pid_t)argument(notice, 1);
	if (audience == GROUP || audience == USER)
		return open_many(call, notice, (enum audience)audience);
	if (audience != ONE || who <= 0)
		return LIVE_CONTINUE;
	return open_process(call, notice, live_our_pid(notice->task, who), call->access,
			    call->name);
}

struct live_answer live_answer_priority(const struct live_call *call,
					const struct live_notice *notice)
{
	return open_audience(call, notice, (int)argument(notice, 0) - PRIO_PROCESS);
}

#define IOPRIO_WHO_PROCESS 1 /* and so on, in the same order */

struct live_answer live_answer_ioprio(const struct live_call *call,
				      const struct live_notice *notice)
{
	return open_audience(call, notice, (int)argument(notice, 0) - IOPRIO_WHO_PROCESS);
}

/* ---- ptrace --------------------------------------------------------------------------------- */

#define TRACER_OF_PROCESS                                                                          \
	(PROCESS_VM_READ | PROCESS_VM_WRITE | PROCESS_VM_OPERATION | PROCESS_SUSPEND_RESUME |      \
	 PROCESS_QUERY_INFORMATION | PROCESS_SET_INFORMATION)
#define TRACER_OF_THREAD (THREAD_GET_CONTEXT | THREAD_SET_CONTEXT | THREAD_SUSPEND_RESUME)

/* Goes on when the driver left all rights, once we have given the tracee up. */
static struct live_answer open_for_tracing(const struct live_call *call,
					   const struct live_notice *notice,
					   struct live_task *tracer, struct live_task *tracee,
					   const char *reason)
{
	bool allowed = may_open_process(tracer, tracee->process, TRACER_OF_PROCESS, reason) &&
		       may_open_thread(tracer, tracee, TRACER_OF_THREAD, reason);
	return allowed ? live_hand_over(notice, tracee, tracer->process->pid)
		       : LIVE_RESULT(call->denied);
}

static struct live_answer attach(const struct live_call *call, const struct live_notice *notice,
				 pid_t tid, const char *reason)
{
	struct live_answer answer = LIVE_CONTINUE;
	struct live_process *process = other_process(call, notice, tid);
	struct live_task *tracee = process ? live_find_task(tid) : NULL;
	if (tracee) {
		answer = open_for_tracing(call, notice, notice->task, tracee, reason);
		live_return(tracee);
	}
	live_return_process(process);
	return answer;
}

/* The parent gets what the child offers. The second time is the first one's, restarted
 * after the handing over. Our own child offers itself to us, in vain. */
static struct live_answer offer(const struct live_call *call, const struct live_notice *notice)
{
	struct live_answer answer = LIVE_CONTINUE;
	if (atomic_load(&notice->task->foreign))
		return LIVE_CONTINUE;
	struct live_task *parent = live_find_task(live_parent_of(notice->task->tid));
	if (parent && parent->process && parent->process->pid != getpid())
		answer = open_for_tracing(call, notice, parent, notice->task,
					  "ptrace(PTRACE_TRACEME)");
	if (parent)
		live_return(parent);
	return answer;
}

struct live_answer live_answer_ptrace(const struct live_call *call,
				      const struct live_notice *notice)
{
	pid_t tid = live_our_pid(notice->task, (pid_t)argument(notice, 1));
	switch (argument(notice, 0)) {
	case PTRACE_TRACEME:
		return offer(call, notice);
	case PTRACE_ATTACH:
		return attach(call, notice, tid, "ptrace(PTRACE_ATTACH)");
	case PTRACE_SEIZE:
		return attach(call, notice, tid, "ptrace(PTRACE_SEIZE)");
	default:
		if (tid > 0)
			live_look_at_tracee(tid, argument(notice, 0) == PTRACE_DETACH);
		return LIVE_CONTINUE;
	}
}
