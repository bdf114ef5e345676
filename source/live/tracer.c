/* SPDX-License-Identifier: MIT */
/*
 * Births, execs, ends and stops, by ptrace.
 *
 * Every task is seized with the options below and so are its children, before
 * they run an instruction. One thread traces, and it never waits for a particular
 * task: waitpid(-1) and a function for each kind of stop. While a driver keeps that
 * thread, deputies run the same functions (deputy.h); everything here is under
 * its lock but what is told (TELL).
 * A task is let go (detached) at EVENT_EXIT, where its address space still exists;
 * its real parent then sees an ordinary zombie.
 *
 * A child's first stop and its creator's event come in either order. The task is
 * held at its first stop until it has been placed and told. If the creator was
 * killed before its event, /proc says whose child it is.
 *
 * PTRACE_O_EXITKILL: when this process dies, the tree dies with it, unless a keeper lets it
 * go on (keeper.c).
 */
#include "source/live/tracer.h"
#include "source/live/await.h"
#include "source/live/calls.h"
#include "source/live/deputy.h"
#include "source/live/fate.h"
#include "source/live/handover.h"
#include "source/live/keeper.h"
#include "source/live/kernel.h"
#include "source/live/loads.h"
#include "source/live/remote.h"
#include "ke/bugcheck.h"
#include "memory.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS                                                                                    \
	(PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |     \
	 PTRACE_O_TRACEEXIT | PTRACE_O_TRACESECCOMP)

#define X32_BIT 0x40000000l
#define NUMBER_OF_CLONE_32 120

/* The kernel's own codes for an interrupted system call. */
#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define MOST_ERRNO 4095

static struct {
	struct live_task *launcher;
	pid_t command;
	int status;
	bool command_ended;
	unsigned tasks;     /* traced, the command included */
	unsigned unclaimed; /* of them, without a process: came before their creator's event */
	unsigned ghosts;    /* of those, ended before it */
	bool unchecked;     /* some of the others were not looked up in /proc yet */
	long options;
} tracer;

#define TRACE(request, tid, address, data)                                                         \
	live_ptrace((request), (tid), (unsigned long)(address), (unsigned long)(data))

/* Everything that can call a driver is told without the lock. Meanwhile others may trace; so
 * the tasks that it is about are held (hold), and what they report waits. */
#define TELL(tid, call) (live_begin_telling(tid), (void)(call), live_end_telling())

static void resume(pid_t tid, int signal)
{
	TRACE(PTRACE_CONT, tid, NULL, signal);
}

static bool is_stop_signal(int signal)
{
	return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

static pid_t event_message(pid_t tid)
{
	unsigned long message = 0;
	TRACE(PTRACE_GETEVENTMSG, tid, NULL, &message);
	return (pid_t)message;
}

/* ---- Births --------------------------------------------------------------------------- */

static long peek_register(pid_t tid, size_t offset)
{
	return TRACE(PTRACE_PEEKUSER, tid, offset, NULL);
}

#define REGISTER(name) offsetof(struct user_regs_struct, name)

/* Whether the child is a thread of its creator. Asking for that is a third of the price of
 * asking for the registers with the clone's flags in them. */
static bool is_thread_of(const struct live_process *process, pid_t child)
{
	return tgkill(process->pid, child, 0) == 0 || errno == EPERM;
}

static struct live_task *add(pid_t tid)
{
	struct live_task *task = live_add_task(tid);
	if (task) {
		tracer.tasks++;
		tracer.unclaimed++;
	}
	return task;
}

static void forget(struct live_task *task)
{
	live_cancel_handover(task);
	if (!task->process) {
		tracer.unclaimed--;
		tracer.ghosts -= task->state == LIVE_ENDED;
	}
	tracer.tasks--;
	live_forget_task(task);
}

static void on_report(pid_t tid, int status);
static bool step(void);

/* From now on the task's reports wait: somebody is busy with it. */
static void hold(struct live_task *task)
{
	task->held = true;
}

static void keep_report(struct live_task *task, int status)
{
	if (task->waiting == LIVE_MOST_WAITING) /* the last is what is true now */
		task->waiting--;
	task->report[task->waiting++] = status;
}

/* Handles what waited. */
static void let_go(struct live_task *task)
{
	pid_t tid = task->tid;
	unsigned count = task->waiting;
	int report[LIVE_MOST_WAITING];
	memcpy(report, task->report, sizeof report);
	task->held = false;
	task->waiting = 0;
	for (unsigned i = 0; i < count; i++)
		on_report(tid, report[i]);
}

/* Gives a task its process, its creator's or one of its own, and tells the kernel. */
static void place(struct live_task *creator, struct live_task *task, bool thread)
{
	if (!live_place_task(task, thread ? creator->process : NULL))
		return;
	tracer.unclaimed--;
	if (thread) {
		TELL(task->tid, live_tell_thread(creator, task));
		return;
	}
	atomic_store(&task->process->estranged, atomic_load(&creator->process->estranged));
	TELL(task->tid, live_tell_fork(creator, task));
}

/* From its first stop into life. */
static void begin(struct live_task *task)
{
	task->state = LIVE_RUNNING;
	TELL(task->tid, live_tell_start(task));
	if (is_stop_signal(task->first_stop)) /* born into a stopped process */
		TRACE(PTRACE_LISTEN, task->tid, NULL, 0);
	else
		resume(task->tid, 0);
	live_insist_on_handover(task);
}

static void on_birth_event(struct live_task *creator)
{
	pid_t tid = event_message(creator->tid);
	bool thread = is_thread_of(creator->process, tid);
	struct live_task *task = live_find_task(tid);
	if (!task) {
		task = add(tid);
		if (task) {
			hold(task);
			task->state = LIVE_EXPECTED;
			live_expect(tid);
			place(creator, task, thread);
			let_go(task);
		}
	} else {
		if (!task->process && task->state == LIVE_HELD) {
			hold(task);
			place(creator, task, thread);
			begin(task);
			let_go(task);
			tracer.unchecked = tracer.unclaimed > tracer.ghosts;
		} else if (!task->process) {
			forget(task); /* it had ended before it could be told */
		}
		live_return(task);
	}
	resume(creator->tid, 0);
}

static pid_t number_after(const char *text, const char *field)
{
	const char *found = strstr(text, field);
	return found ? atoi(found + strlen(field)) : 0;
}

/* The process that made a task, or that the task is a thread of, as /proc has it. */
pid_t live_origin(pid_t tid, bool *thread)
{
	char text[4096];
	*thread = false;
	if (live_read_proc(tid, "status", text, sizeof text) < 0)
		return 0;
	pid_t pid = number_after(text, "\nTgid:");
	*thread = pid != tid;
	return *thread ? pid : number_after(text, "\nPPid:");
}

/* Gives a task that waits for its creator's event another creator, when that event
 * cannot come any more: the creator is `gone`, or has been before. */
static void adopt(struct live_task *task, pid_t gone)
{
	if (task->process || task->state != LIVE_HELD || task->held)
		return;
	bool thread;
	struct live_task *creator = live_find_task(live_origin(task->tid, &thread));
	bool alive = creator && creator->process && creator->state != LIVE_ENDED;
	if (!alive || creator->process->pid == gone) {
		hold(task);
		place(alive ? creator : tracer.launcher, task, thread && alive);
		begin(task);
		let_go(task);
	}
	if (creator)
		live_return(creator);
}

static void adopt_orphan(struct live_task *task, void *gone)
{
	adopt(task, *(const pid_t *)gone);
}

/* Tasks that wait for an event of process `pid` (0: of one that has ended) may wait
 * in vain. */
static void adopt_orphans(pid_t pid)
{
	if (tracer.unclaimed > tracer.ghosts)
		live_visit_tasks(adopt_orphan, &pid);
}

static void on_first_stop(pid_t tid, struct live_task *task, int signal)
{
	if (task && task->state == LIVE_ENDED) { /* an id in use again */
		forget(task);
		task = NULL;
	}
	if (task) {
		task->first_stop = signal;
		begin(task);
		return;
	}
	task = add(tid);
	if (!task) {
		TRACE(PTRACE_DETACH, tid, NULL, 0); /* no memory: it runs unseen */
		return;
	}
	task->first_stop = signal;
	tracer.unchecked = true;
}

static int seize(struct live_task *launcher, pid_t child, bool dies_with_us)
{
	memset(&tracer, 0, sizeof tracer);
	tracer.launcher = launcher;
	tracer.options = OPTIONS | (dies_with_us ? PTRACE_O_EXITKILL : 0);
	if (TRACE(PTRACE_SEIZE, child, NULL, tracer.options))
		return -errno;
	struct live_task *task = add(child);
	if (!task)
		return -ENOMEM;
	place(launcher, task, false);
	task->state = LIVE_RUNNING;
	TELL(child, live_tell_start(task));
	return 0;
}

int live_seize(struct live_task *launcher, pid_t child, bool dies_with_us)
{
	live_begin_tracing(step);
	int error = seize(launcher, child, dies_with_us);
	if (error)
		live_end_tracing();
	else
		live_begin_waiting();
	return error;
}

int live_seize_again(pid_t tid)
{
	return TRACE(PTRACE_SEIZE, tid, NULL, tracer.options) ? -errno : 0;
}

struct live_task *live_admit_stranger(struct live_task *origin, pid_t tid, bool thread)
{
	if (!add(tid))
		return NULL;
	struct live_task *task = live_find_task(tid);
	hold(task);
	place(origin ? origin : tracer.launcher, task, thread);
	task->state = LIVE_RUNNING;
	TELL(tid, live_tell_start(task));
	let_go(task);
	return task;
}

/* ---- exec ------------------------------------------------------------------------------- */

/*
 * Whether what runs is what was told. Between the answer and the moment at which
 * the kernel reads them, anybody can exchange the file and another thread can
 * exchange the strings.
 */
static bool as_told(pid_t pid, const struct live_pending *pending)
{
	struct live_arguments arguments = {0};
	if (!live_runs_image(pid, &pending->image))
		return false;
	if (!pending->shared || live_running_arguments(pid, &arguments))
		return true;
	bool same = arguments.size >= LIVE_MOST_ARGUMENTS - 1 ||
		    live_hash_arguments(&arguments) == pending->arguments;
	host_free(arguments.text);
	return same;
}

/* Tells of an exec when it has happened already, but before the program's first
 * instruction: the call could not be read, the look at its file was wrong, or
 * something else was told. NULL, and *refused: a driver does not want it. */
static struct live_pending *tell_late(struct live_task *task, bool *refused)
{
	struct live_image image;
	struct live_arguments arguments = {0};
	struct live_pending *pending = NULL;
	if (!live_running_image(task->tid, &image, &arguments))
		TELL(task->tid, *refused = live_tell_exec(task, &image, &arguments, &pending) != 0);
	host_free(arguments.text);
	return pending;
}

/* The thread that execs takes the leader's id over; the others are gone. */
static struct live_task *successor(pid_t pid, pid_t former)
{
	struct live_task *task = live_find_task(former);
	if (!task || former == pid)
		return task;
	struct live_task *leader = live_find_task(pid);
	if (leader) {
		if (leader->state != LIVE_ENDED && leader->process)
			TELL(leader->tid, live_tell_end(leader, 0));
		tracer.tasks--;
		live_return(leader);
	}
	live_rename_task(task, pid);
	return task;
}

/* Asking the kernel which thread it was is needed only where there are several. */
static pid_t former_id(pid_t pid, const struct live_task *leader)
{
	bool alone = leader && leader->process && leader->state == LIVE_RUNNING &&
		     leader->process->tasks == 1;
	return alone ? pid : event_message(pid);
}

static void on_exec(pid_t pid, const struct live_task *leader)
{
	struct live_task *task = successor(pid, former_id(pid, leader));
	bool refused = false;
	if (task && task->process && !ke_crashed()) {
		struct live_pending *pending = live_take_pending(task);
		if (pending && !as_told(pid, pending)) {
			TELL(pid, live_take_back(pending));
			pending = NULL;
		}
		if (!pending)
			pending = tell_late(task, &refused);
		if (pending)
			TELL(pid, live_tell_exec_done(task, pending));
		if (pending && live_wants_images())
			TELL(pid, live_tell_program(task));
	}
	if (refused)
		kill(pid, SIGKILL);
	if (task)
		live_return(task);
	adopt_orphans(pid);
	resume(pid, 0);
}

/* ---- Ends --------------------------------------------------------------------------------- */

static void end(struct live_task *task, int status)
{
	if (task->state != LIVE_ENDED)
		TELL(task->tid, live_tell_end(task, status));
	if (!task->process->tasks)
		live_debugger_ended(task->process);
}

void live_end_task(struct live_task *task, int status)
{
	end(task, status);
	adopt_orphans(task->process->pid);
	forget(task);
}

/* A task that ended before its creator's event came: kept until it does, so that
 * the event is not taken for a living one's. */
static void become_ghost(struct live_task *task)
{
	task->state = LIVE_ENDED;
	tracer.ghosts++;
}

static void on_exit_event(pid_t tid, struct live_task *task)
{
	int status = (int)event_message(tid);
	if (!task)
		task = add(tid);
	if (task && !task->process) {
		become_ghost(task);
		TRACE(PTRACE_DETACH, tid, NULL, 0);
		return;
	}
	if (task) {
		end(task, status);
		adopt_orphans(task->process->pid);
	}
	if (!TRACE(PTRACE_DETACH, tid, NULL, 0) && task)
		forget(task);
}

/* A tracee died without the stop at its exit, or is our own child: the command. */
static void on_death(pid_t tid, struct live_task *task, int status)
{
	if (task && !task->process) {
		if (task->state != LIVE_ENDED)
			become_ghost(task);
	} else if (task && !atomic_load(&task->foreign)) { /* those end in handover.c */
		end(task, status);
		forget(task);
	}
	if (tid == live_keeper())
		live_keeper_died();
	if (tid == tracer.command) {
		tracer.status = status;
		tracer.command_ended = true;
	}
}

/* ---- Other stops ---------------------------------------------------------------------------- */

/* clone with CLONE_UNTRACED: without the flag, then. */
static void on_seccomp(pid_t tid)
{
	bool narrow = (peek_register(tid, REGISTER(orig_rax)) & ~X32_BIT) == NUMBER_OF_CLONE_32;
	size_t argument = narrow ? REGISTER(rbx) : REGISTER(rdi);
	TRACE(PTRACE_POKEUSER, tid, argument, peek_register(tid, argument) & ~(long)CLONE_UNTRACED);
	resume(tid, 0);
}

/* The terminal stopped the command: the shell that waits for us must see us stop
 * too, and continues the whole job when it goes on. */
static void stop_along(int signal)
{
	int terminal = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (terminal < 0)
		return;
	close(terminal);
	struct sigaction plain = {.sa_handler = SIG_DFL}, before;
	sigaction(signal, &plain, &before);
	raise(signal);
	sigaction(signal, &before, NULL);
}

static void on_group_stop(pid_t tid, int signal)
{
	TRACE(PTRACE_LISTEN, tid, NULL, 0);
	if (tid == tracer.command && signal != SIGSTOP && getpgid(tid) == getpgrp())
		stop_along(signal);
}

static void on_event_stop(pid_t tid, struct live_task *task, int signal)
{
	if (!task || task->state == LIVE_EXPECTED || task->state == LIVE_ENDED)
		on_first_stop(tid, task, signal);
	else if (task->handover && live_yield_to_debugger(task))
		return;
	else if (is_stop_signal(signal))
		on_group_stop(tid, signal);
	else if (task->state == LIVE_RUNNING)
		resume(tid, 0);
}

/*
 * A signal whose handler is without SA_RESTART, arriving before the notification
 * was received, would make the call fail with EINTR, which execve and kill never
 * do. The call waits in the state "restart if the handler allows it"; this makes
 * it "restart".
 */
static void keep_restarting(pid_t tid)
{
	struct __ptrace_syscall_info info; /* for the architecture: int $0x80 tells no other way */
	if (peek_register(tid, REGISTER(rax)) != -ERESTARTSYS)
		return;
	int number = (int)peek_register(tid, REGISTER(orig_rax));
	if (TRACE(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info) > 0 &&
	    live_call_of(info.arch, number))
		TRACE(PTRACE_POKEUSER, tid, REGISTER(rax), -(long)ERESTARTNOINTR);
}

static void on_signal(pid_t tid, int signal)
{
	keep_restarting(tid);
	resume(tid, signal);
}

/* ---- The loop -------------------------------------------------------------------------------- */

/* The first stop after an mmap that was let go on: its result is there still. */
static void on_mapping(struct live_task *task)
{
	long address = peek_register(task->tid, REGISTER(rax));
	task->mapping = false;
	if (address > 0 || address < -MOST_ERRNO)
		TELL(task->tid, live_tell_mapping(task, (uint64_t)address));
}

static void on_stop(pid_t tid, struct live_task *task, int status)
{
	int event = status >> 16;
	if (event == PTRACE_EVENT_EXEC) {
		on_exec(tid, task);
		return;
	}
	struct live_pending *failed = NULL;
	if (task && event != PTRACE_EVENT_EXIT) {
		atomic_fetch_add(&task->stops, 1);
		failed = live_take_pending(task);
	}
	if (failed) /* it does something else: an exec that was told has failed */
		TELL(tid, live_take_back(failed));
	if (task && task->mapping && event != PTRACE_EVENT_EXIT)
		on_mapping(task);
	switch (event) {
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		if (task && task->process)
			on_birth_event(task);
		else
			resume(tid, 0);
		break;
	case PTRACE_EVENT_EXIT:
		on_exit_event(tid, task);
		break;
	case PTRACE_EVENT_SECCOMP:
		on_seccomp(tid);
		break;
	case PTRACE_EVENT_STOP:
		on_event_stop(tid, task, WSTOPSIG(status));
		break;
	default:
		on_signal(tid, WSTOPSIG(status));
	}
}

static void handle(pid_t tid, struct live_task *task, int status)
{
	if (WIFSTOPPED(status)) {
		live_end_straggler(tid);
		on_stop(tid, task, status);
		if (task)
			live_insist_on_handover(task);
	} else {
		on_death(tid, task, status);
	}
}

static void on_report(pid_t tid, int status)
{
	struct live_task *task = live_find_task(tid);
	if (task && task->held) {
		keep_report(task, status);
	} else if (task) {
		hold(task);
		handle(tid, task, status);
		let_go(task);
	} else {
		handle(tid, NULL, status);
	}
	if (task)
		live_return(task);
}

/* Takes what waitpid gave. Whether there was a report. */
static bool take(pid_t tid, int status)
{
	if (tid > 0) {
		on_report(tid, status);
	} else if (tid == 0 && tracer.unchecked) { /* their creators' events should have come */
		tracer.unchecked = false;
		adopt_orphans(0);
	}
	return tid > 0;
}

/* A deputy's: the reports of the tracer's tasks, which are another thread's to it. */
static bool step(void)
{
	int status;
	pid_t tid = waitpid(-1, &status, __WALL | WNOHANG);
	return take(tid, status);
}

bool live_is_over(void)
{
	return tracer.command_ended && tracer.tasks <= tracer.ghosts;
}

int live_trace(struct live_task *launcher, pid_t command)
{
	live_end_waiting();
	tracer.launcher = launcher;
	tracer.command = command;
	while (!live_is_over()) {
		int status, error;
		bool unchecked = tracer.unchecked, alone = live_begin_waiting();
		pid_t tid = live_await(&status, tracer.tasks, alone && !unchecked);
		error = errno;
		if (tid == 0 && !unchecked)
			live_pause_waiting();
		live_end_waiting();
		if (tid < 0 && error == ECHILD && live_foreign_tasks())
			live_pause_waiting(); /* the rest is with debuggers */
		else if (tid < 0 && error != EINTR)
			break;
		take(tid, status);
	}
	live_end_tracing();
	return tracer.status;
}
