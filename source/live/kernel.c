/* SPDX-License-Identifier: MIT */
/*
 * From Linux events to NT ones.
 *
 * An NT process never changes its image, so the NT process is made at the exec
 * and not at the fork: until then the child is a clone, which NT knows and is
 * silent about (PS-55). The creator is the task that forked, which is what
 * CreateProcess is split into on Linux; a process that execs again, and one
 * whose forker is gone, creates its successor itself.
 *
 * Each call happens with the right NT thread current (PS-37, PS-57, PS-69): the
 * task's `context` lock is held meanwhile, because an NT thread runs on one host
 * thread at a time, and the objects are referenced. All of it runs inside
 * ke_guard: after a bug check the supervised tree goes on without drivers, and
 * what the NT side still holds is left where it is.
 *
 * Clauses: PS-34 to PS-38, PS-42 to PS-46, PS-55 to PS-58, PS-63, PS-69, PS-70,
 * PS-84, OB-32.
 */
#include "source/live/kernel.h"
#include "ke/bugcheck.h"
#include "memory.h"
#include "ob/handle.h"
#include "ps/process.h"
#include "rtl/utf.h"
#include "source/live/hostops.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool present_subsystem;

void live_present_subsystem(bool subsystem)
{
	present_subsystem = subsystem;
}

/* ---- Entering ------------------------------------------------------------------------ */

struct entry {
	PETHREAD as; /* NULL: whoever is current */
	void (*call)(void *argument);
	void *argument;
};

static void run_as(void *argument)
{
	struct entry *entry = argument;
	if (!entry->as) {
		entry->call(entry->argument);
		return;
	}
	PKTHREAD before = ke_switch_thread(entry->as);
	entry->call(entry->argument);
	ke_switch_thread(before);
}

/* Runs call(argument) with `as` current. False when a bug check came between. */
static bool enter(PETHREAD as, void (*call)(void *), void *argument)
{
	struct entry entry = {as, call, argument};
	return !ke_crashed() && ke_guard(run_as, &entry);
}

static void release(void *object)
{
	ob_dereference(object);
}

void live_release(void *object)
{
	if (object)
		enter(NULL, release, object);
}

/* ---- Ids ----------------------------------------------------------------------------- */

/* Multiples of 4 in which the Linux id stays readable: process 1234 is 123400, its
 * first thread 123404. A clone stands aside, so that the process it becomes gets
 * the plain number. */
#define CLONE_OFFSET 8

static ULONG64 nt_process_id(pid_t pid)
{
	return 100 * (ULONG64)pid;
}

static ULONG64 nt_thread_id(pid_t tid)
{
	return 100 * (ULONG64)tid + 4;
}

/* ---- Exit statuses --------------------------------------------------------------------- */

/* What a crash of that kind leaves on Windows; 0 for signals that are no crash. */
static NTSTATUS crash_status(int signal)
{
	switch (signal) {
	case SIGINT:
	case SIGQUIT:
	case SIGHUP:
		return STATUS_CONTROL_C_EXIT;
	case SIGSEGV:
		return STATUS_ACCESS_VIOLATION;
	case SIGBUS:
		return STATUS_IN_PAGE_ERROR;
	case SIGILL:
		return STATUS_ILLEGAL_INSTRUCTION;
	case SIGFPE:
		return STATUS_INTEGER_DIVIDE_BY_ZERO;
	case SIGTRAP:
		return STATUS_BREAKPOINT;
	case SIGABRT:
		return STATUS_STACK_BUFFER_OVERRUN;
	default:
		return 0;
	}
}

NTSTATUS live_exit_status(int status)
{
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	NTSTATUS crash = crash_status(WTERMSIG(status));
	return crash ? crash : 128 + WTERMSIG(status);
}

/* ---- Making processes and threads -------------------------------------------------------- */

struct making {
	struct ps_process_spec process_spec;
	struct ps_thread_spec thread_spec; /* .process is filled in */
	bool handles;                      /* the creator gets its two */
	NTSTATUS status;
	bool process_made;
	PEPROCESS process;
	PETHREAD thread;
};

static void give_handle(PEPROCESS creator, void *object, ACCESS_MASK access)
{
	struct ob_handle_request request = {
		.operation = OB_OPERATION_HANDLE_CREATE,
		.object = object,
		.table_of = creator,
		.desired = access,
		.mode = UserMode,
		.reason = RS_REASON_CREATED,
	};
	HANDLE handle;
	if (NT_SUCCESS(ob_make_handle(&request, &handle, NULL)))
		ob_close_handle(creator, handle, UserMode);
}

static void make(void *argument)
{
	struct making *m = argument;
	m->status = ps_create_process(&m->process_spec, &m->process);
	if (!NT_SUCCESS(m->status))
		return;
	m->process_made = true;
	m->thread_spec.process = m->process;
	m->status = ps_create_thread(&m->thread_spec, &m->thread);
	if (!NT_SUCCESS(m->status)) {
		ob_dereference(m->process);
		return;
	}
	if (!m->handles)
		return;
	PEPROCESS creator = PsGetCurrentProcess();
	give_handle(creator, m->process, PROCESS_ALL_ACCESS);
	give_handle(creator, m->thread, THREAD_ALL_ACCESS);
}

static const UNICODE_STRING *string_or_null(const UNICODE_STRING *string)
{
	return string->Buffer ? string : NULL;
}

struct live_task *live_make_launcher(void)
{
	struct live_task *task = live_add_task(gettid());
	if (!task || !live_place_task(task, NULL))
		return NULL;
	struct live_image image;
	struct live_arguments arguments = {0};
	UNICODE_STRING name = {0};
	task->process->pid = getpid();
	if (!live_running_image(getpid(), &image, &arguments))
		live_open_name(image.opened, &name);
	host_free(arguments.text);
	struct making m = {
		.process_spec = {.inherit_handles = true,
				 .id = nt_process_id(getpid()),
				 .host_id = (ULONG64)getpid(),
				 .image = string_or_null(&name),
				 .native_image = string_or_null(&name),
				 .silent = true},
		.thread_spec = {.id = nt_thread_id(gettid()), .host_id = (ULONG64)gettid()},
	};
	if (enter(NULL, make, &m) && NT_SUCCESS(m.status)) {
		task->process->nt = m.process;
		task->nt = m.thread;
	}
	rtl_free_string(&name);
	task->state = LIVE_RUNNING;
	return task;
}

static void adopt_objects(struct live_task *task, const struct making *m)
{
	live_map_lock();
	task->process->nt = m->process;
	task->nt = m->thread;
	live_map_unlock();
}

void live_tell_fork(struct live_task *creator, struct live_task *child)
{
	struct live_process *parent = creator->process;
	pthread_mutex_lock(&creator->context);
	PEPROCESS from = live_nt_process(parent);
	live_map_lock();
	creator->references++;
	child->process->creator = creator;
	child->process->parent = from;
	live_map_unlock();
	struct making m = {
		.process_spec = {.parent = from,
				 .inherit_handles = true,
				 .id = nt_process_id(child->tid) + CLONE_OFFSET,
				 .host_id = (ULONG64)child->tid,
				 .subsystem = present_subsystem,
				 .host_ops = &live_host_ops,
				 .silent = true,
				 .host_context = child->process},
		.thread_spec = {.id = nt_thread_id(child->tid) + CLONE_OFFSET,
				.host_id = (ULONG64)child->tid,
				.host_context = child},
	};
	if (from) {
		m.process_spec.image = string_or_null(&from->image);
		m.process_spec.native_image = string_or_null(&from->native_image);
		m.process_spec.command_line = string_or_null(&from->command_line);
	}
	if (enter(creator->nt, make, &m) && NT_SUCCESS(m.status))
		adopt_objects(child, &m);
	pthread_mutex_unlock(&creator->context);
}

struct thread_making {
	struct ps_thread_spec spec;
	NTSTATUS status;
	PETHREAD thread;
};

static void make_thread(void *argument)
{
	struct thread_making *m = argument;
	m->status = ps_create_thread(&m->spec, &m->thread);
}

void live_tell_thread(struct live_task *creator, struct live_task *child)
{
	pthread_mutex_lock(&creator->context);
	PEPROCESS process = live_nt_process(child->process);
	struct thread_making m = {.spec = {.process = process,
					   .id = nt_thread_id(child->tid),
					   .host_id = (ULONG64)child->tid,
					   .host_context = child}};
	if (process && enter(creator->nt, make_thread, &m) && NT_SUCCESS(m.status)) {
		live_map_lock();
		child->nt = m.thread;
		live_map_unlock();
	}
	pthread_mutex_unlock(&creator->context);
	live_release(process);
}

static void start(void *argument)
{
	ps_thread_starts(argument);
}

void live_tell_start(struct live_task *task)
{
	pthread_mutex_lock(&task->context);
	if (task->nt)
		enter(task->nt, start, task->nt);
	pthread_mutex_unlock(&task->context);
}

/* ---- exec ---------------------------------------------------------------------------------- */

struct exec_names {
	UNICODE_STRING image, native_image, command_line;
};

static void free_names(struct exec_names *names)
{
	rtl_free_string(&names->image);
	rtl_free_string(&names->native_image);
	rtl_free_string(&names->command_line);
}

static int make_names(const struct live_image *image, const struct live_arguments *arguments,
		      struct exec_names *names)
{
	int error;
	*names = (struct exec_names){0};
	if (present_subsystem)
		error = live_pico_name(image->opened, &names->image);
	else
		error = live_open_name(image->opened, &names->image);
	if (!error)
		error = live_native_name(image->located, &names->native_image);
	if (!error && present_subsystem)
		error = live_pico_command_line(arguments, &names->command_line);
	else if (!error)
		error = live_command_line(arguments, &names->command_line);
	if (error)
		free_names(names);
	return error;
}

/* Borrows the task in whose context the creation happens, its context locked. NULL
 * when there is none: the task has ended meanwhile, or memory failed it. */
static struct live_task *claim_creator(struct live_task *task)
{
	struct live_process *process = task->process;
	struct live_task *creator = NULL;
	live_map_lock();
	if (!process->announced && process->creator) {
		creator = process->creator;
		creator->references++;
	}
	live_map_unlock();
	if (creator) {
		pthread_mutex_lock(&creator->context);
		if (creator->nt)
			return creator;
		pthread_mutex_unlock(&creator->context);
		live_return(creator);
	}
	live_map_lock();
	task->references++;
	live_map_unlock();
	pthread_mutex_lock(&task->context);
	if (task->nt)
		return task;
	pthread_mutex_unlock(&task->context);
	live_return(task);
	return NULL;
}

/* The process that the new one inherits from, referenced: the creator's; of a
 * clone whose forker is gone, that forker's, as Windows names parents that have
 * ended too. */
static PEPROCESS parent_of(struct live_task *task, struct live_task *creator)
{
	PEPROCESS parent = NULL;
	live_map_lock();
	if (creator == task && !task->process->announced)
		parent = task->process->parent;
	if (!parent)
		parent = creator->process->nt;
	if (parent)
		ob_reference(parent);
	live_map_unlock();
	return parent;
}

static int result_of(const struct making *m)
{
	if (NT_SUCCESS(m->status))
		return 0;
	return m->process_made ? -EACCES : -ENOMEM;
}

int live_tell_exec(struct live_task *task, const struct live_image *image,
		   const struct live_arguments *arguments, struct live_pending **pending)
{
	struct exec_names names;
	*pending = NULL;
	if (ke_crashed())
		return 0;
	struct live_pending *made = host_alloc(sizeof *made);
	int error = made ? make_names(image, arguments, &names) : -ENOMEM;
	if (error) {
		host_free(made);
		return error;
	}
	struct live_task *creator = claim_creator(task);
	if (!creator) {
		free_names(&names);
		host_free(made);
		return 0;
	}
	struct making m = {
		.process_spec = {.parent = parent_of(task, creator),
				 .inherit_handles = true,
				 .id = nt_process_id(task->process->pid),
				 .host_id = (ULONG64)task->process->pid,
				 .image = &names.image,
				 .native_image = &names.native_image,
				 .command_line = &names.command_line,
				 .open_name_available = image->exact,
				 .subsystem = present_subsystem,
				 .host_ops = &live_host_ops,
				 .host_context = task->process},
		.thread_spec = {.id = nt_thread_id(task->process->pid),
				.host_id = (ULONG64)task->process->pid,
				.host_context = task},
		.handles = true,
	};
	bool done = enter(creator->nt, make, &m);
	made->shared = task->process->tasks > 1 || creator->process->tasks > 1;
	pthread_mutex_unlock(&creator->context);
	live_return(creator);
	live_release(m.process_spec.parent);
	free_names(&names);
	error = done ? result_of(&m) : 0;
	if (!done || error) {
		host_free(made);
		return error;
	}
	made->process = m.process;
	made->thread = m.thread;
	made->image = image->file;
	made->arguments = live_hash_arguments(arguments);
	*pending = made;
	return 0;
}

struct ending {
	PEPROCESS process; /* ends whole, or NULL */
	PETHREAD thread;
	NTSTATUS status;
	int host_status;
};

static void end(void *argument)
{
	const struct ending *e = argument;
	if (e->process)
		ps_exit_process(e->process, e->status, e->host_status);
	else
		ps_exit_thread(e->thread, e->status);
}

void live_tell_exec_done(struct live_task *task, struct live_pending *pending)
{
	struct live_process *process = task->process;
	pthread_mutex_lock(&task->context);
	live_map_lock();
	struct ending old = {.process = process->nt, .thread = task->nt};
	PEPROCESS parent = process->parent;
	struct live_task *creator = process->creator;
	process->nt = pending->process;
	task->nt = pending->thread;
	process->parent = NULL;
	process->creator = NULL;
	process->announced = true;
	live_map_unlock();
	if (old.process)
		enter(old.thread, end, &old);
	enter(pending->thread, start, pending->thread);
	pthread_mutex_unlock(&task->context);
	live_release(old.thread);
	live_release(old.process);
	live_release(parent);
	if (creator)
		live_return(creator);
	host_free(pending);
}

/* As a shell calls a program that could not be run. */
#define NOT_EXECUTED (127 << 8)

static void end_pending(struct live_pending *pending, NTSTATUS status, int host_status)
{
	struct ending never = {.process = pending->process,
			       .thread = pending->thread,
			       .status = status,
			       .host_status = host_status};
	enter(pending->thread, end, &never);
	live_release(pending->thread);
	live_release(pending->process);
	host_free(pending);
}

void live_take_back(struct live_pending *pending)
{
	if (pending)
		end_pending(pending, STATUS_UNSUCCESSFUL, NOT_EXECUTED);
}

/* Of a task that has ended. If it was killed, so was what its exec would have made. */
static void end_with_task(struct live_pending *pending, int status)
{
	if (pending && WIFSIGNALED(status))
		end_pending(pending, live_exit_status(status), status);
	else
		live_take_back(pending);
}

void live_give_up(struct live_task *task, unsigned stops)
{
	struct live_pending *pending = NULL;
	live_map_lock();
	bool ended = task->state == LIVE_ENDED;
	int status = task->end_status;
	if (ended || task->foreign || atomic_load(&task->stops) != stops) {
		pending = task->pending;
		task->pending = NULL;
	}
	live_map_unlock();
	if (ended)
		end_with_task(pending, status);
	else
		live_take_back(pending);
}

/* ---- Ends ------------------------------------------------------------------------------------ */

void live_tell_end(struct live_task *task, int status)
{
	struct live_process *process = task->process;
	pthread_mutex_lock(&task->context);
	struct ending e = {.status = live_exit_status(status), .host_status = status};
	live_map_lock();
	task->state = LIVE_ENDED;
	task->end_status = status;
	struct live_pending *pending = task->pending;
	task->pending = NULL;
	e.thread = task->nt;
	task->nt = NULL;
	if (--process->tasks == 0) {
		e.process = process->nt;
		process->nt = NULL;
	}
	live_map_unlock();
	if (e.process || e.thread)
		enter(e.thread, end, &e);
	pthread_mutex_unlock(&task->context);
	live_release(e.thread);
	live_release(e.process);
	end_with_task(pending, status);
}

/* ---- Handles --------------------------------------------------------------------------------- */

struct opening {
	struct ob_handle_request request;
	bool allowed;
};

static void open_and_close(void *argument)
{
	struct opening *o = argument;
	HANDLE handle;
	ACCESS_MASK granted;
	o->request.table_of = PsGetCurrentProcess();
	o->allowed = false;
	if (!NT_SUCCESS(ob_make_handle(&o->request, &handle, &granted)))
		return;
	o->allowed = (granted & o->request.desired) == o->request.desired;
	ob_close_handle(o->request.table_of, handle, UserMode);
}

bool live_may_open(struct live_task *caller, void *object, ACCESS_MASK access, const char *reason)
{
	struct opening o = {.request = {.operation = OB_OPERATION_HANDLE_CREATE,
					.object = object,
					.desired = access,
					.mode = UserMode,
					.reason = reason}};
	bool done = false;
	pthread_mutex_lock(&caller->context);
	if (caller->nt)
		done = enter(caller->nt, open_and_close, &o);
	pthread_mutex_unlock(&caller->context);
	return !done || o.allowed;
}

/* ---- Images ---------------------------------------------------------------------------------- */

void live_call_as(struct live_task *task, void (*call)(void *argument), void *argument)
{
	pthread_mutex_lock(&task->context);
	if (task->nt)
		enter(task->nt, call, argument);
	pthread_mutex_unlock(&task->context);
}

int live_image_name(const char *path, UNICODE_STRING *out)
{
	return present_subsystem ? live_pico_name(path, out) : live_native_name(path, out);
}
