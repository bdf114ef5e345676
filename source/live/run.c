/* SPDX-License-Identifier: MIT */
/*
 * From a command to a supervised tree and back.
 *
 * The child puts itself under the filter, sends the listener over a socket, and
 * waits; then it is seized, and only then may it exec. All its signals are
 * blocked until that moment, so that nothing stops it half-way. An exec that fails
 * is reported over the same socket, which a successful one closes.
 *
 * This thread becomes the tracer; answering is another one's (notify.c). While the
 * command runs, this process ignores what the terminal sends: the command gets it
 * too, and decides.
 */
#include "source/live/live.h"
#include "source/live/calls.h"
#include "source/live/fate.h"
#include "source/live/filter.h"
#include "source/live/handover.h"
#include "source/live/keeper.h"
#include "source/live/kernel.h"
#include "source/live/loads.h"
#include "source/live/notify.h"
#include "source/live/tracer.h"
#include "source/live/warn.h"
#include "source/live/watch.h"
#include "ke/bugcheck.h"
#include "memory.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Signals ---------------------------------------------------------------------- */

/* What the terminal sends to the whole group is the command's; and children must
 * stay waitable whatever our caller had chosen. */
static const int handled[] = {SIGINT, SIGQUIT, SIGHUP, SIGTSTP, SIGTTIN, SIGTTOU, SIGCHLD};
#define HANDLED (sizeof handled / sizeof handled[0])

struct signals {
	struct sigaction action[HANDLED];
	sigset_t mask;
};

static void take_signals(struct signals *before)
{
	for (unsigned i = 0; i < HANDLED; i++) {
		struct sigaction action = {.sa_handler = handled[i] == SIGCHLD ? SIG_DFL : SIG_IGN};
		sigaction(handled[i], &action, &before->action[i]);
	}
}

static void restore_signals(const struct signals *before)
{
	for (unsigned i = 0; i < HANDLED; i++)
		sigaction(handled[i], &before->action[i], NULL);
}

/* ---- The child's side ----------------------------------------------------------------- */

enum step { STEP_FILTER, STEP_EXEC };

struct message {
	enum step step;
	int error; /* negative errno, or 0 */
};

static void send_message(int socket, enum step step, int error, int fd)
{
	struct message message = {step, error};
	struct iovec data = {&message, sizeof message};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr header = {.msg_iov = &data, .msg_iovlen = 1};
	if (fd >= 0) {
		header.msg_control = &control;
		header.msg_controllen = sizeof control;
		control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS,
						  .cmsg_len = CMSG_LEN(sizeof fd)};
		memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
	}
	sendmsg(socket, &header, MSG_NOSIGNAL);
}

/* Between fork and exec of a process that may have threads: system calls only.
 * Signals are blocked until the command is there to get them. */
static _Noreturn void be_command(int socket, const struct sock_fprog *filter,
				 const struct signals *before, char *const argv[])
{
	char go;
	int listener = live_install_filter(filter);
	send_message(socket, STEP_FILTER, listener < 0 ? listener : 0, listener);
	if (listener < 0 || read(socket, &go, 1) != 1)
		_exit(127);
	close(listener);
	restore_signals(before);
	sigprocmask(SIG_SETMASK, &before->mask, NULL);
	execvp(argv[0], argv);
	send_message(socket, STEP_EXEC, -errno, -1);
	_exit(127);
}

/* ---- Our side ----------------------------------------------------------------------------- */

static void explain(struct rs_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void explain(struct rs_error *error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error->text, sizeof error->text, format, arguments);
	va_end(arguments);
}

static int explain_filter(int code, struct rs_error *error)
{
	switch (code) {
	case -EINVAL:
	case -ENOSYS:
		explain(error, "this Linux kernel lacks seccomp user notification with "
			       "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (Linux 5.19 has it)");
		return -ENOSYS;
	case -EBUSY:
		explain(error, "already supervised: a process can be under one seccomp "
			       "listener only (SECCOMP_FILTER_FLAG_NEW_LISTENER)");
		return -EBUSY;
	default:
		explain(error, "cannot install the seccomp filter: %s", strerror(-code));
		return code;
	}
}

/* The child's message; *fd is what came with it, or -1. */
static int receive_message(int socket, int flags, struct message *message, int *fd)
{
	struct iovec data = {message, sizeof *message};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr header = {.msg_iov = &data,
				.msg_iovlen = 1,
				.msg_control = &control,
				.msg_controllen = sizeof control};
	*fd = -1;
	if (recvmsg(socket, &header, flags | MSG_CMSG_CLOEXEC) != (ssize_t)sizeof *message)
		return -ESRCH;
	struct cmsghdr *first = CMSG_FIRSTHDR(&header);
	if (first && first->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(first), sizeof *fd);
	return 0;
}

struct run {
	struct sock_fprog filter;
	struct signals before;
	int socket;
	pid_t command;
	struct live_options options;
	struct live_task *launcher;
	struct live_notifier *notifier;
};

static int start_child(struct run *run, char *const argv[], struct rs_error *error)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		explain(error, "cannot make a socket pair: %s", strerror(errno));
		return -errno;
	}
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &run->before.mask);
	run->command = fork();
	int failure = run->command < 0 ? -errno : 0;
	if (run->command == 0) {
		close(pair[0]);
		be_command(pair[1], &run->filter, &run->before, argv);
	}
	pthread_sigmask(SIG_SETMASK, &run->before.mask, NULL);
	close(pair[1]);
	run->socket = pair[0];
	if (failure)
		explain(error, "cannot fork: %s", strerror(-failure));
	return failure;
}

static int supervise_child(struct run *run, struct rs_error *error)
{
	struct message message = {0};
	int listener, failure = receive_message(run->socket, 0, &message, &listener);
	if (failure) {
		explain(error, "the command's process ended before it could start");
		return failure;
	}
	if (message.error)
		return explain_filter(message.error, error);
	if (run->options.on_exit == LIVE_RELEASE)
		failure = live_start_keeper(listener, false);
	if (failure) {
		explain(error, "cannot start the keeper of the tree: %s", strerror(-failure));
		close(listener);
		return failure;
	}
	failure = live_open_handover(run->options.on_exit == LIVE_KILL);
	if (!failure)
		failure = live_start_watch();
	if (failure)
		close(listener);
	else
		run->notifier = live_start_notifier(listener, &failure);
	if (failure) {
		explain(error, "cannot answer seccomp notifications: %s", strerror(-failure));
		return failure;
	}
	failure = live_seize(run->launcher, run->command, run->options.on_exit == LIVE_KILL);
	if (failure)
		explain(error, "cannot trace the command (PTRACE_SEIZE): %s", strerror(-failure));
	return failure;
}

/* Why the command never ran, if it did not. */
static int exec_failure(struct run *run, const char *name, struct rs_error *error)
{
	struct message message = {0};
	int fd;
	if (receive_message(run->socket, MSG_DONTWAIT, &message, &fd) || message.step != STEP_EXEC)
		return 0;
	if (message.error == -EACCES && live_refused_first_exec(run->command))
		explain(error, "%s: refused by a driver", name);
	else
		explain(error, "%s: %s", name, strerror(-message.error));
	return message.error;
}

/* Lets it go and follows it to its end. */
static int run_command(struct run *run, const char *name, int *status, struct rs_error *error)
{
	if (write(run->socket, "", 1) != 1)
		kill(run->command, SIGKILL);
	int ended = live_trace(run->launcher, run->command);
	int failure = exec_failure(run, name, error);
	if (!failure)
		*status = ended;
	return failure;
}

/* A child that never came so far; it may or may not be traced. */
static void discard_child(pid_t child)
{
	int status;
	kill(child, SIGKILL);
	while (waitpid(child, &status, __WALL) == child && WIFSTOPPED(status))
		ptrace(PTRACE_CONT, child, NULL, 0);
}

static void end_left_over(struct live_task *task, void *launcher)
{
	if (task != launcher && task->process && task->state != LIVE_ENDED)
		live_tell_end(task, SIGKILL);
}

static void finish(struct run *run)
{
	live_forget_fate();
	live_close_handover();
	if (run->notifier)
		live_stop_notifier(run->notifier);
	live_stop_watch();
	live_stop_keeper();
	live_visit_tasks(end_left_over, run->launcher);
	if (run->launcher)
		live_tell_end(run->launcher, 0);
	live_forget_all();
	if (run->socket >= 0)
		close(run->socket);
	restore_signals(&run->before);
	host_free(run->filter.filter);
}

static unsigned optional_rows(const struct live_options *options)
{
	return (options->images == LIVE_IMAGES_ALL ? LIVE_IF_ALL_IMAGES : 0) |
	       (options->proc_opens ? LIVE_IF_PROC_OPENS : 0);
}

int live_run(char *const argv[], const struct live_options *options, int *status,
	     struct rs_error *error)
{
	struct run run = {.socket = -1, .options = options ? *options : (struct live_options){0}};
	int failure = live_compile_filter(&run.filter, optional_rows(&run.options));
	if (failure) {
		explain(error, "cannot compile the seccomp filter: %s", strerror(-failure));
		return failure;
	}
	live_number_calls();
	live_present_subsystem(run.options.subsystem);
	live_tell_images(run.options.images);
	live_warn_to(run.options.warn);
	take_signals(&run.before);
	run.launcher = live_make_launcher();
	if (!run.launcher || live_open_shared_memory()) {
		explain(error, "out of memory");
		failure = -ENOMEM;
	} else {
		live_set_fate(run.options.on_bugcheck == LIVE_KILL, run.launcher);
	}
	if (!failure)
		failure = start_child(&run, argv, error);
	if (!failure)
		failure = supervise_child(&run, error);
	if (!failure)
		failure = run_command(&run, argv[0], status, error);
	else if (run.command > 0)
		discard_child(run.command);
	finish(&run);
	return failure;
}
