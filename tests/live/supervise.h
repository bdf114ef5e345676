/* SPDX-License-Identifier: MIT */
/*
 * Real commands under live_run, and what the kernel told about them.
 *
 *	supervise("sleep 1 & kill %1");
 *	assert_int_equal(count_of(RS_PROCESS_CREATED, "*\\sleep"), 1);
 *
 * A test program is also the programs that its scripts run: "$ACT name" runs the
 * function that main() offers under that name.
 */
#ifndef RINGSIDE_TESTS_LIVE_SUPERVISE_H
#define RINGSIDE_TESTS_LIVE_SUPERVISE_H

#include "support/world.h"
#include "ob/callbacks.h"
#include "ps/notify.h"
#include "rtl/utf.h"
#include "source/live/live.h"
#include <fcntl.h>
#include <fnmatch.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- What was told --------------------------------------------------------------------- */

struct told {
	enum rs_event_type type;
	ULONG64 id, parent, host_id, thread;
	CLIENT_ID creator;
	char image[512], command[2048]; /* of handles: the target's image, the reason */
	char caller[512];               /* of handles; of creations the parent's image */
	NTSTATUS status;
	int host_status;
	ACCESS_MASK desired, granted;
	bool subsystem;
};

#define MOST_TOLD 8192
static struct told told[MOST_TOLD];
static unsigned told_count;
static pthread_mutex_t told_lock = PTHREAD_MUTEX_INITIALIZER;

#define COPY(to, from) rtl_to_utf8((to), sizeof(to), &(from))

static bool note(struct told *t, const struct rs_event *event)
{
	switch (event->type) {
	case RS_PROCESS_CREATED:
		t->id = event->created.process.id;
		t->host_id = event->created.process.host_id;
		t->parent = event->created.parent.id;
		t->creator = event->created.creator;
		t->status = event->created.status;
		t->subsystem = event->created.subsystem;
		COPY(t->image, event->created.process.image);
		COPY(t->caller, event->created.parent.image);
		COPY(t->command, event->created.command_line);
		return true;
	case RS_PROCESS_EXITED:
		t->id = event->exited.process.id;
		t->host_id = event->exited.process.host_id;
		t->status = event->exited.status;
		t->host_status = event->exited.host_status;
		COPY(t->image, event->exited.process.image);
		return true;
	case RS_THREAD_CREATED:
	case RS_THREAD_EXITED:
		t->id = event->thread.process.id;
		t->thread = event->thread.id;
		COPY(t->image, event->thread.process.image);
		return true;
	case RS_IMAGE_LOADED: /* `command` is the image that is mapped */
		t->id = event->image.process.id;
		COPY(t->image, event->image.process.image);
		COPY(t->command, event->image.name);
		return true;
	case RS_HANDLE_OPERATION:
		t->id = event->handle.target.id;
		t->host_id = event->handle.target.host_id;
		t->thread = event->handle.thread_id;
		t->desired = event->handle.desired;
		t->granted = event->handle.granted;
		COPY(t->image, event->handle.target.image);
		COPY(t->caller, event->handle.caller.image);
		snprintf(t->command, sizeof t->command, "%s",
			 event->handle.reason ? event->handle.reason : "");
		return true;
	default:
		return false;
	}
}

static void hear(void *context, const struct rs_event *event)
{
	(void)context;
	pthread_mutex_lock(&told_lock);
	if (told_count < MOST_TOLD) {
		struct told *t = &told[told_count];
		memset(t, 0, sizeof *t);
		t->type = event->type;
		told_count += note(t, event);
	}
	pthread_mutex_unlock(&told_lock);
}

/* The n-th event of a type whose image matches the pattern, or NULL. */
static inline const struct told *nth(enum rs_event_type type, const char *image, unsigned n)
{
	for (unsigned i = 0; i < told_count; i++) {
		if (told[i].type == type && !fnmatch(image, told[i].image, FNM_NOESCAPE) && !n--)
			return &told[i];
	}
	return NULL;
}

static inline unsigned count_of(enum rs_event_type type, const char *image)
{
	unsigned n = 0;
	while (nth(type, image, n))
		n++;
	return n;
}

/* The only event of that type and image; its absence fails the test. */
static inline const struct told *the(enum rs_event_type type, const char *image)
{
	assert_int_equal(count_of(type, image), 1);
	return nth(type, image, 0);
}

/* The n-th handle operation with that reason, or NULL. */
static inline const struct told *nth_handle(const char *reason, unsigned n)
{
	for (unsigned i = 0; i < told_count; i++) {
		if (told[i].type == RS_HANDLE_OPERATION && !strcmp(told[i].command, reason) && !n--)
			return &told[i];
	}
	return NULL;
}

static inline unsigned count_handles(const char *reason)
{
	unsigned n = 0;
	while (nth_handle(reason, n))
		n++;
	return n;
}

/* ---- A driver of few words ----------------------------------------------------------------- */

/* Patterns for images: creations to refuse; processes and their threads to protect. */
static const char *refuse, *protect;
static ACCESS_MASK strip; /* what is taken from handles to the protected */
static void (*at_creation)(PEPROCESS process, PPS_CREATE_NOTIFY_INFO info);
static void (*at_exit)(PEPROCESS process);

static bool matches(const char *pattern, const UNICODE_STRING *name)
{
	char text[1024];
	if (!pattern || !name)
		return false;
	rtl_to_utf8(text, sizeof text, name);
	return !fnmatch(pattern, text, FNM_NOESCAPE);
}

static VOID NTAPI on_process(PEPROCESS process, HANDLE id, PPS_CREATE_NOTIFY_INFO info)
{
	(void)id;
	if (info && matches(refuse, info->ImageFileName))
		info->CreationStatus = STATUS_ACCESS_DENIED;
	if (info && at_creation)
		at_creation(process, info);
	if (!info && at_exit)
		at_exit(process);
}

/* A creator keeps its handle, as with every real protector. */
static OB_PREOP_CALLBACK_STATUS NTAPI before_handle(PVOID context,
						    POB_PRE_OPERATION_INFORMATION info)
{
	(void)context;
	OB_PRE_CREATE_HANDLE_INFORMATION *create = &info->Parameters->CreateHandleInformation;
	PEPROCESS process = info->ObjectType == PsProcessType ? info->Object
							      : IoThreadToProcess(info->Object);
	if (create->DesiredAccess != PROCESS_ALL_ACCESS && matches(protect, &process->image))
		create->DesiredAccess &= ~strip;
	return OB_PREOP_SUCCESS;
}

static PVOID object_callbacks;

static void register_driver(void)
{
	OB_OPERATION_REGISTRATION operations[] = {
		{&PsProcessType, OB_OPERATION_HANDLE_CREATE, before_handle, NULL},
		{&PsThreadType, OB_OPERATION_HANDLE_CREATE, before_handle, NULL},
	};
	OB_CALLBACK_REGISTRATION registration = {
		.Version = OB_FLT_REGISTRATION_VERSION,
		.OperationRegistrationCount = 2,
		.Altitude = USTR_INIT(u"321000"),
		.OperationRegistration = operations,
	};
	assert_ntsuccess(PsSetCreateProcessNotifyRoutineEx2(PsCreateProcessNotifySubsystems,
							    (PVOID)on_process, FALSE));
	assert_ntsuccess(ObRegisterCallbacks(&registration, &object_callbacks));
}

/*
 * For scripts that signal a program: the program must run, and be known to run, or
 * the signal hits the shell's clone before its exec (which, in dash, swallows what
 * the shell traps). "RUNS" defines `runs PID NAME`, which waits for that.
 *
 * "LASTING_CAT" starts a cat in the background ($p) that runs until "END_CAT", which
 * prints its status.
 */
#define RUNS                                                                                       \
	"runs() { until read -r _ n s _ </proc/$1/stat && [ \"$n $s\" = \"($2) S\" ]; do :; "      \
	"done; }; "
#define LASTING_CAT RUNS "exec 8<>$FIFO; cat <$FIFO 8>&- & p=$!; runs $p cat; "
#define END_CAT "exec 8>&-; wait $p; echo $?; "

static char fifo[64];

static inline void make_fifo(void)
{
	snprintf(fifo, sizeof fifo, "/tmp/ringside-fifo-%d", getpid());
	unlink(fifo);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	setenv("FIFO", fifo, 1);
}

/* Fixtures: a kernel with the driver above in it. */
static inline int begin_supervision(void **state)
{
	world_documented(state);
	refuse = protect = NULL;
	strip = PROCESS_TERMINATE;
	at_creation = NULL;
	at_exit = NULL;
	told_count = 0;
	register_driver();
	rs_listen(hear, NULL);
	make_fifo();
	return 0;
}

static inline int end_supervision(void **state)
{
	unlink(fifo);
	rs_unlisten(hear, NULL);
	PsSetCreateProcessNotifyRoutineEx2(PsCreateProcessNotifySubsystems, (PVOID)on_process,
					   TRUE);
	ObUnRegisterCallbacks(object_callbacks);
	return world_end(state);
}

#define LIVE_TEST(name) cmocka_unit_test_setup_teardown(name, begin_supervision, end_supervision)

/* ---- Running -------------------------------------------------------------------------------- */

struct outcome {
	int failure, status; /* live_run's result; as waitpid gives it */
	char output[65536];  /* standard output and error together */
	char error[512];
};
static struct outcome outcome;

#define PATIENCE 120 /* seconds; a run that hangs ends the test program */

static int capture(int saved[2])
{
	int file = memfd_create("output", MFD_CLOEXEC);
	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		saved[i] = fcntl(i + 1, F_DUPFD_CLOEXEC, 10);
		dup2(file, i + 1);
	}
	alarm(PATIENCE);
	return file;
}

static void end_capture(int file, const int saved[2])
{
	alarm(0);
	for (int i = 0; i < 2; i++) {
		dup2(saved[i], i + 1);
		close(saved[i]);
	}
	ssize_t n = pread(file, outcome.output, sizeof outcome.output - 1, 0);
	outcome.output[n > 0 ? n : 0] = 0;
	close(file);
}

static void supervise_command(char *const argv[], const struct live_options *options)
{
	struct rs_error error = {""};
	int saved[2], file = capture(saved);
	outcome.status = -1;
	outcome.failure = live_run(argv, options, &outcome.status, &error);
	end_capture(file, saved);
	snprintf(outcome.error, sizeof outcome.error, "%s", error.text);
}

/* A script of sh -c, which must run. Its wait status. */
static inline int supervise(const char *script)
{
	supervise_command((char *[]){"sh", "-c", (char *)(uintptr_t)script, NULL}, NULL);
	if (outcome.failure)
		fail_msg("live_run: %s", outcome.error);
	return outcome.status;
}

/* The same without supervision, in a session of its own as no signal may reach us. */
static inline int run_bare(const char *script)
{
	int saved[2], file = capture(saved), status;
	pid_t pid = fork();
	if (pid == 0) {
		setsid();
		execlp("sh", "sh", "-c", script, NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	outcome.status = status;
	end_capture(file, saved);
	return status;
}

/* Prints and ends the same bare and supervised. */
static inline void same(const char *script)
{
	static char bare[sizeof outcome.output];
	int status = run_bare(script);
	strcpy(bare, outcome.output);
	int supervised = supervise(script);
	if (strcmp(bare, outcome.output) || status != supervised)
		fail_msg("%s\nbare: 0x%x %s\nsupervised: 0x%x %s", script, (unsigned)status, bare,
			 (unsigned)supervised, outcome.output);
}

#define assert_exit(status_, code_)                                                                \
	do {                                                                                       \
		int s_ = (status_);                                                                \
		if (!WIFEXITED(s_) || WEXITSTATUS(s_) != (code_))                                  \
			fail_msg("wait status 0x%x, output:\n%s", (unsigned)s_, outcome.output);   \
	} while (0)

/* ---- Acting --------------------------------------------------------------------------------- */

struct act {
	const char *name;
	int (*play)(int argc, char *argv[]);
};

/* An act: its arguments under supervision, without a driver. */
static inline int act_supervise(int argc, char *argv[])
{
	struct rs_error error;
	int status;
	(void)argc;
	if (rs_boot(NULL))
		return 125;
	if (live_run(argv + 1, NULL, &status, &error)) {
		dprintf(2, "%s\n", error.text);
		return 125;
	}
	rs_shutdown();
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Main programs begin with this: plays an act if that is what they were started
 * for. Otherwise scripts can start them as $ACT. */
static inline void maybe_act(const struct act *acts, int argc, char *argv[])
{
	char self[4096], act[4200];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	for (; argc > 2 && !strcmp(argv[1], "act") && acts->name; acts++) {
		if (!strcmp(argv[2], acts->name))
			exit(acts->play(argc - 2, argv + 2));
	}
	self[n > 0 ? n : 0] = 0;
	snprintf(act, sizeof act, "%s act", self);
	setenv("ACT", act, 1);
	setpgid(0, 0); /* a script that signals its group must not reach the test runner */
	signal(SIGINT, SIG_DFL); /* which a runner in the background has ignored */
	signal(SIGQUIT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
}

#endif
