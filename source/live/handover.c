/* SPDX-License-Identifier: MIT */
/*
 * gdb and strace in the tree.
 *
 * A Linux task has one tracer. When a process of the tree wants to trace another one, and the
 * drivers let it, ours gives way: it interrupts the task, detaches it at the stop that
 * follows, and only then the debugger's call goes on. A task that offers itself
 * (PTRACE_TRACEME) waits in that very call; so it is interrupted and its call answered with
 * "restart": it stops on its way out, is detached, and calls again.
 *
 * From then on the task is *foreign*. Its calls still come to the notifier, because the
 * filter stays; so creations are told, and vetoed, and handles are opened as ever. What
 * ptrace told us is found otherwise:
 *
 * - An exec took effect: a debugged program stops after its exec for its debugger, which must
 *   then use ptrace, and that call is in the table. The look at the task is taken there, so
 *   before the first instruction; or at the task's own next call, or at its end.
 * - A child or a thread that the debugger followed is seen at the first ptrace call about
 *   it, and any other one at its own first call: it is a stranger then, and /proc says
 *   where it belongs.
 * - An end: a pidfd becomes readable (PIDFD_THREAD, Linux 6.9; before that only the
 *   process as a whole can be watched). The address space is gone then.
 * - When the debugger lets go, or ends, the task is seized again.
 *
 * The threads that answer calls do all of this as guests of the tracer (deputy.h), so under its
 * lock; only the stop that a task is let go at is the tracer's own to handle.
 */
#include "source/live/handover.h"
#include "source/live/deputy.h"
#include "source/live/foreign.h"
#include "source/live/image.h"
#include "source/live/keeper.h"
#include "source/live/kernel.h"
#include "source/live/loads.h"
#include "source/live/remote.h"
#include "source/live/tracer.h"
#include "memory.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ERESTARTNOINTR 513 /* the kernel's own: the call is made once more */

/* The tracer's lock protects it. */
static struct {
	pid_t tracer;
	struct sigaction before;
	bool dies_with_us;
	unsigned foreign;
} desk;

/* ---- A debugger's call that waits ------------------------------------------------------- */

struct call {
	struct seccomp_notif *request; /* a copy, for the keeper too */
	int listener;
	pid_t debugger; /* process */
	bool own;       /* the tracee's own call: PTRACE_TRACEME */
};

static bool send(struct call *call, int error)
{
	union {
		struct seccomp_notif_resp response;
		char space[256]; /* as large as the kernel's may become */
	} answer = {.response = {.id = call->request->id, .error = error}};
	if (!error)
		answer.response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	return ioctl(call->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0;
}

static void free_call(struct call *call)
{
	live_free_request(call->request);
	host_free(call);
}

static struct call *copy_call(const struct live_notice *notice, pid_t debugger, bool own)
{
	struct call *call = host_alloc(sizeof *call);
	if (!call)
		return NULL;
	*call = (struct call){.request = live_new_request(sizeof *call->request),
			      .listener = notice->listener,
			      .debugger = debugger,
			      .own = own};
	if (call->request) {
		*call->request = *notice->request;
		return call;
	}
	host_free(call);
	return NULL;
}

/* ---- Handing over -------------------------------------------------------------------------- */

/* False: it has ended, and nobody would tell. */
static bool become_foreign(struct live_task *task, const struct call *call)
{
	task->debugger = call->debugger;
	atomic_store(&task->foreign, true);
	desk.foreign++;
	if (desk.dies_with_us) {
		if (call->listener >= 0)
			live_start_keeper(call->listener, true);
		live_doom(task->process->pid, true);
	}
	return live_follow(task->tid);
}

static void become_ours(struct live_task *task)
{
	atomic_store(&task->foreign, false);
	desk.foreign--;
	live_unfollow(task->tid);
	if (desk.dies_with_us)
		live_doom(task->process->pid, false);
}

static struct call *take_call(struct live_task *task)
{
	struct call *call = task->handover;
	task->handover = NULL;
	return call;
}

bool live_yield_to_debugger(struct live_task *task)
{
	struct call *call = take_call(task);
	if (!call)
		return false;
	bool lives = become_foreign(task, call);
	live_ptrace(PTRACE_DETACH, task->tid, 0, 0);
	if (!call->own && !send(call, 0)) /* the debugger is gone */
		live_await_return(task->tid);
	free_call(call);
	if (!lives)
		live_end_task(task, 0);
	return true;
}

void live_cancel_handover(struct live_task *task)
{
	struct call *call = take_call(task);
	if (call) {
		if (!call->own)
			send(call, 0);
		free_call(call);
	}
	if (atomic_load(&task->foreign))
		become_ours(task);
}

void live_insist_on_handover(struct live_task *task)
{
	if (task->handover)
		live_ptrace(PTRACE_INTERRUPT, task->tid, 0, 0);
}

/* A second debugger that comes while the first one waits gets its answer from Linux; a call
 * that was restarted before its task stopped is restarted once more. */
static void hand_over(struct call *call, pid_t tid)
{
	struct live_task *task = live_find_task(tid);
	if (task && task->handover && call->own) {
		live_insist_on_handover(task);
		send(call, -ERESTARTNOINTR);
		free_call(call);
	} else if (!task || task->handover || task->state == LIVE_ENDED ||
		   atomic_load(&task->foreign) || live_ptrace(PTRACE_INTERRUPT, tid, 0, 0)) {
		send(call, 0);
		free_call(call);
	} else {
		task->handover = call;
		if (call->own)
			send(call, -ERESTARTNOINTR);
	}
	if (task)
		live_return(task);
}

struct live_answer live_hand_over(const struct live_notice *notice, struct live_task *tracee,
				  pid_t debugger)
{
	if (atomic_load(&tracee->foreign))
		return LIVE_CONTINUE;
	struct call *call = copy_call(notice, debugger, tracee == notice->task);
	if (!call)
		return LIVE_RESULT(-ENOMEM);
	if (live_begin_visit()) {
		hand_over(call, tracee->tid);
		live_end_visit();
		return LIVE_LATER;
	}
	free_call(call);
	return LIVE_CONTINUE;
}

/* ---- Strangers, and what foreign tasks did meanwhile ------------------------------------------ */

static bool reclaim(struct live_task *task)
{
	if (live_seize_again(task->tid))
		return false;
	become_ours(task);
	return true;
}

enum moment { SOME_MOMENT, ITS_NEXT_CALL, ITS_END };

struct search {
	const struct live_process *process;
	struct live_task *found; /* borrowed */
};

static void find_pending(struct live_task *task, void *context)
{
	struct search *search = context;
	if (search->found || task->process != search->process || !live_has_pending(task))
		return;
	live_map_lock();
	task->references++;
	live_map_unlock();
	search->found = task;
}

static void end_other(struct live_task *task, void *context)
{
	const struct live_task *survivor = context;
	if (task != survivor && task->process == survivor->process && task->state != LIVE_ENDED)
		live_end_task(task, 0);
}

/* The thread that execs takes the leader's id over, and the others are gone. */
static void finish_exec(struct live_task *task, struct live_pending *pending)
{
	pid_t pid = task->process->pid;
	live_visit_tasks(end_other, task);
	if (task->tid != pid) {
		live_unfollow(task->tid);
		live_rename_task(task, pid);
		live_follow(pid);
	}
	live_begin_telling(pid);
	live_tell_exec_done(task, pending);
	if (live_wants_images())
		live_tell_program(task);
	live_end_telling();
}

/* An exec of the process that was told: it has happened, or failed, or is still under way. At
 * the end nothing shows which; nearly all of them happen. */
static void settle_exec(struct live_process *process, enum moment moment)
{
	struct search search = {.process = process};
	live_visit_tasks(find_pending, &search);
	struct live_task *task = search.found;
	struct live_pending *pending = task ? live_take_pending(task) : NULL;
	if (!pending) {
		/* nothing */
	} else if (moment == ITS_END || live_runs_image(process->pid, &pending->image)) {
		finish_exec(task, pending);
	} else if (moment == ITS_NEXT_CALL) {
		live_begin_telling(task->tid);
		live_take_back(pending);
		live_end_telling();
	} else {
		live_map_lock();
		task->pending = pending;
		live_map_unlock();
	}
	if (task)
		live_return(task);
}

static struct live_task *meet_stranger(pid_t tid, bool ours, unsigned depth);

/* Who made it, or whose thread it is: strangers too, perhaps. */
static struct live_task *origin_of_stranger(pid_t tid, bool *thread, unsigned depth)
{
	pid_t origin = live_origin(tid, thread);
	struct live_task *task = origin > 1 ? live_find_task(origin) : NULL;
	if (!task && origin > 1 && depth < 32)
		task = meet_stranger(origin, false, depth + 1);
	return task;
}

/* Only what is known to be `ours`, or descends from the tree, is made part of the map. */
static struct live_task *meet_stranger(pid_t tid, bool ours, unsigned depth)
{
	bool thread;
	struct live_task *task = NULL, *origin = origin_of_stranger(tid, &thread, depth);
	bool alive = origin && origin->process && origin->state != LIVE_ENDED;
	if ((alive && origin->process->pid != getpid()) || ours)
		task = live_admit_stranger(alive ? origin : NULL, tid, thread && alive);
	if (task && live_seize_again(tid)) {
		struct call nobodys = {.debugger = alive ? origin->debugger : 0, .listener = -1};
		if (!become_foreign(task, &nobodys)) {
			live_end_task(task, 0);
			live_return(task);
			task = NULL;
		}
	}
	if (origin)
		live_return(origin);
	return task;
}

enum look { AT_TRACEE, BEFORE_DETACH, AT_CALLER };

static void look_at(pid_t tid, enum look look)
{
	struct live_task *task = live_find_task(tid);
	if (!task)
		task = meet_stranger(tid, look == AT_CALLER, 0);
	if (task && task->process && atomic_load(&task->foreign)) {
		settle_exec(task->process, look == AT_CALLER ? ITS_NEXT_CALL : SOME_MOMENT);
		if (look == BEFORE_DETACH)
			live_await_return(tid);
		else if (live_is_returning(tid))
			reclaim(task);
	}
	if (task)
		live_return(task);
}

static void visit(pid_t tid, enum look look)
{
	if (!live_begin_visit())
		return;
	look_at(tid, look);
	live_end_visit();
}

/* A thread that execs ends under its own id, and goes on under its leader's. */
static void end_foreign(struct live_task *task, int status)
{
	pid_t tid = task->tid;
	if (task->process->tasks == 1)
		settle_exec(task->process, ITS_END);
	else
		settle_exec(task->process, SOME_MOMENT);
	if (task->tid == tid && task->state != LIVE_ENDED)
		live_end_task(task, status);
}

struct leftover {
	const struct live_process *process;
	int status;
};

/* Without a watch on threads: the process is gone, and so are they. */
static void end_thread_of(struct live_task *task, void *context)
{
	const struct leftover *gone = context;
	if (task->process == gone->process && atomic_load(&task->foreign))
		end_foreign(task, gone->status);
}

static void on_end(pid_t tid, int status)
{
	struct live_task *task = live_find_task(tid);
	if (!task)
		return;
	if (atomic_load(&task->foreign)) {
		struct leftover gone = {task->process, status};
		if (!live_follows_threads())
			live_visit_tasks(end_thread_of, &gone);
		else
			end_foreign(task, status);
	}
	live_return(task);
}

static void return_to_us(struct live_task *task, void *debugger)
{
	const struct live_process *gone = debugger;
	if (atomic_load(&task->foreign) && task->debugger == gone->pid)
		live_await_return(task->tid);
}

void live_debugger_ended(const struct live_process *debugger)
{
	if (desk.foreign)
		live_visit_tasks(return_to_us, (void *)(uintptr_t)debugger);
}

/* ---- For the threads that answer, and the one that follows --------------------------------- */

void live_look_at_tracee(pid_t tid, bool let_go)
{
	struct live_task *task = live_find_task(tid);
	bool needed = !task || (atomic_load(&task->foreign) &&
				(let_go || live_exec_is_pending(task->process)));
	if (task)
		live_return(task);
	if (needed)
		visit(tid, let_go ? BEFORE_DETACH : AT_TRACEE);
}

struct live_task *live_meet(pid_t tid, struct live_task *task)
{
	if (task && !atomic_load(&task->foreign))
		return task;
	if (!task || live_exec_is_pending(task->process) || live_is_returning(tid))
		visit(tid, AT_CALLER);
	return task ? task : live_find_task(tid);
}

void live_try_to_reclaim(pid_t tid)
{
	struct live_task *task = live_find_task(tid);
	if (!task)
		return;
	live_return(task);
	visit(tid, AT_TRACEE);
}

/* With the last task the tracer has nothing to wait for, but it may be about to wait
 * all the same: a single signal could come too early to interrupt that. */
void live_tell_foreign_end(pid_t tid, int status)
{
	bool over = false;
	do {
		if (!live_begin_visit())
			return;
		if (!over)
			on_end(tid, status);
		over = live_is_over();
		live_end_visit();
		if (over) {
			tgkill(getpid(), desk.tracer, SIGURG);
			live_pause_waiting();
		}
	} while (over);
}

/* ---- The tracer's side ---------------------------------------------------------------------------- */

unsigned live_foreign_tasks(void)
{
	return desk.foreign;
}

static void do_nothing(int signal)
{
	(void)signal;
}

int live_open_handover(bool dies_with_us)
{
	struct sigaction action = {.sa_handler = do_nothing}; /* without SA_RESTART */
	sigset_t signal;
	int failure = live_open_following();
	if (failure)
		return failure;
	desk.tracer = gettid();
	desk.dies_with_us = dies_with_us;
	desk.foreign = 0;
	sigaction(SIGURG, &action, &desk.before);
	sigemptyset(&signal);
	sigaddset(&signal, SIGURG);
	pthread_sigmask(SIG_UNBLOCK, &signal, NULL);
	return 0;
}

void live_close_handover(void)
{
	if (!desk.tracer)
		return;
	desk.tracer = 0;
	live_close_following();
	sigaction(SIGURG, &desk.before, NULL);
}
