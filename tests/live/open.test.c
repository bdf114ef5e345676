/* SPDX-License-Identifier: MIT */
/*
 * What processes do to each other besides signalling, row by row: told with the
 * rights that the call amounts to, refused when a driver took one away, and nothing
 * at all when Linux refuses, or when a process means itself.
 */
#include "live/supervise.h"
#include <errno.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#ifndef SYS_process_mrelease
#define SYS_process_mrelease 448
#endif
#define PIDFD_OF_THREAD O_EXCL

/* ---- Acts: one call each, on process argv[1]; the exit status is its errno ------------- */

static char page[4096] __attribute__((aligned(4096)));

static int result_of(long result)
{
	return result < 0 ? errno : 0;
}

/* The acts' targets are forks of the same program, so its addresses are theirs. */
static int access_memory(long call, pid_t pid, unsigned flags)
{
	char byte = 0;
	struct iovec local = {&byte, 1}, remote = {page, 1};
	return result_of(syscall(call, pid, &local, 1, &remote, 1, flags));
}

static int read_memory(pid_t pid)
{
	return access_memory(SYS_process_vm_readv, pid, 0);
}

static int read_memory_wrongly(pid_t pid)
{
	return access_memory(SYS_process_vm_readv, pid, 1);
}

static int write_memory(pid_t pid)
{
	return access_memory(SYS_process_vm_writev, pid, 0);
}

static int open_pidfd(pid_t pid)
{
	return result_of(syscall(SYS_pidfd_open, pid, 0));
}

static int open_thread_pidfd(pid_t pid)
{
	return result_of(syscall(SYS_pidfd_open, pid, PIDFD_OF_THREAD));
}

static int open_pidfd_wrongly(pid_t pid)
{
	return result_of(syscall(SYS_pidfd_open, pid, 1));
}

static int take_descriptor(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return fd < 0 ? 254 : result_of(syscall(SYS_pidfd_getfd, fd, 0, 0));
}

static int advise(pid_t pid)
{
	struct iovec range = {page, sizeof page};
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return fd < 0 ? 254 : result_of(syscall(SYS_process_madvise, fd, &range, 1, 20, 0));
}

static int release_memory(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return fd < 0 ? 254 : result_of(syscall(SYS_process_mrelease, fd, 0));
}

static int compare(pid_t pid)
{
	return result_of(syscall(SYS_kcmp, getpid(), pid, KCMP_VM, 0, 0));
}

static int ask_pages(pid_t pid)
{
	void *pages[] = {page};
	int status[1];
	return result_of(syscall(SYS_move_pages, pid, 1, pages, NULL, status, 0));
}

static int move_pages_there(pid_t pid)
{
	void *pages[] = {page};
	int nodes[] = {0}, status[1];
	return result_of(syscall(SYS_move_pages, pid, 1, pages, nodes, status, 2));
}

static int migrate(pid_t pid)
{
	unsigned long nodes = 1;
	return result_of(syscall(SYS_migrate_pages, pid, 64, &nodes, &nodes));
}

static int attach(pid_t pid)
{
	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL))
		return errno;
	waitpid(pid, NULL, __WALL);
	return result_of(ptrace(PTRACE_DETACH, pid, NULL, NULL));
}

static int seize(pid_t pid)
{
	return result_of(ptrace(PTRACE_SEIZE, pid, NULL, NULL));
}

static int offer(pid_t pid)
{
	(void)pid;
	return result_of(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int get_limit(pid_t pid)
{
	struct rlimit limit;
	return result_of(prlimit(pid, RLIMIT_NOFILE, NULL, &limit));
}

static int set_limit(pid_t pid)
{
	struct rlimit limit = {64, 64};
	return result_of(prlimit(pid, RLIMIT_NOFILE, &limit, NULL));
}

static int exchange_limit(pid_t pid)
{
	struct rlimit limit = {64, 64}, old;
	return result_of(prlimit(pid, RLIMIT_NOFILE, &limit, &old));
}

/* 32-bit numbers and the 64-bit ones name different calls. */
static int limit_by_int80(pid_t pid)
{
	long result;
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(340), "b"((long)pid), "c"((long)RLIMIT_NOFILE), "d"(0L), "S"(0L));
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(97), "b"(0L), "c"((long)pid), "d"(5L));
	return (int)-result;
}

static int renice(pid_t pid)
{
	return result_of(setpriority(PRIO_PROCESS, (id_t)pid, 5));
}

static int renice_group(pid_t pid)
{
	return result_of(setpriority(PRIO_PGRP, (id_t)getpgid(pid), 5));
}

static int set_io_priority(pid_t pid)
{
	return result_of(syscall(SYS_ioprio_set, 1, pid, 2 << 13 | 4));
}

static int set_scheduler(pid_t pid)
{
	struct sched_param parameter = {0};
	return result_of(sched_setscheduler(pid, SCHED_BATCH, &parameter));
}

static int set_parameter(pid_t pid)
{
	struct sched_param parameter = {0};
	return result_of(sched_setparam(pid, &parameter));
}

static int set_processors(pid_t pid)
{
	cpu_set_t all;
	memset(&all, 0xff, sizeof all);
	return result_of(sched_setaffinity(pid, sizeof all, &all));
}

static int set_attributes(pid_t pid)
{
	struct {
		uint32_t size, policy;
		uint64_t flags, more[5];
	} attributes = {.size = 48, .policy = SCHED_BATCH};
	return result_of(syscall(SYS_sched_setattr, pid, &attributes, 0));
}

static const struct row {
	const char *name;
	int (*call)(pid_t pid);
	const char *reason;
	ACCESS_MASK process, thread; /* asked for */
	int without;                 /* errno of the call when nobody strips */
} rows[] = {
	{"readv", read_memory, "process_vm_readv", PROCESS_VM_READ},
	{"writev", write_memory, "process_vm_writev", PROCESS_VM_WRITE | PROCESS_VM_OPERATION},
	{"getfd", take_descriptor, "pidfd_getfd", PROCESS_DUP_HANDLE},
	{"madvise", advise, "process_madvise", PROCESS_VM_OPERATION},
	{"mrelease", release_memory, "process_mrelease", PROCESS_TERMINATE | PROCESS_VM_OPERATION,
	 .without = EINVAL},
	{"kcmp", compare, "kcmp", PROCESS_DUP_HANDLE | PROCESS_QUERY_INFORMATION},
	{"pages", ask_pages, "move_pages", PROCESS_QUERY_INFORMATION},
	{"move", move_pages_there, "move_pages", PROCESS_VM_OPERATION},
	{"migrate", migrate, "migrate_pages", PROCESS_VM_OPERATION},
	{"get-limit", get_limit, "prlimit64(get)", PROCESS_QUERY_INFORMATION},
	{"set-limit", set_limit, "prlimit64(set)", PROCESS_SET_QUOTA},
	{"xchg-limit", exchange_limit, "prlimit64(set)",
	 PROCESS_SET_QUOTA | PROCESS_QUERY_INFORMATION},
	{"renice", renice, "setpriority", PROCESS_SET_INFORMATION},
	{"int80", limit_by_int80, "setpriority", PROCESS_SET_INFORMATION},
	{"ionice", set_io_priority, "ioprio_set", PROCESS_SET_INFORMATION},
	{"scheduler", set_scheduler, "sched_setscheduler", 0, THREAD_SET_INFORMATION},
	{"parameter", set_parameter, "sched_setparam", 0, THREAD_SET_INFORMATION},
	{"processors", set_processors, "sched_setaffinity", 0, THREAD_SET_INFORMATION},
	{"attributes", set_attributes, "sched_setattr", 0, THREAD_SET_INFORMATION},
	{"attach", attach, "ptrace(PTRACE_ATTACH)",
	 PROCESS_VM_READ | PROCESS_VM_WRITE | PROCESS_VM_OPERATION | PROCESS_SUSPEND_RESUME |
		 PROCESS_QUERY_INFORMATION | PROCESS_SET_INFORMATION,
	 THREAD_GET_CONTEXT | THREAD_SET_CONTEXT | THREAD_SUSPEND_RESUME},
	{"seize", seize, "ptrace(PTRACE_SEIZE)",
	 PROCESS_VM_READ | PROCESS_VM_WRITE | PROCESS_VM_OPERATION | PROCESS_SUSPEND_RESUME |
		 PROCESS_QUERY_INFORMATION | PROCESS_SET_INFORMATION,
	 THREAD_GET_CONTEXT | THREAD_SET_CONTEXT | THREAD_SUSPEND_RESUME},
};
#define ROWS (sizeof rows / sizeof rows[0])

static const struct row others[] = {
	{"pidfd", open_pidfd},
	{"pidfd-thread", open_thread_pidfd},
	{"bad-pidfd", open_pidfd_wrongly},
	{"bad-readv", read_memory_wrongly},
	{"traceme", offer},
	{"renice-group", renice_group},
	{NULL},
};

static const struct row *row_named(const char *name)
{
	for (unsigned i = 0; i < ROWS; i++) {
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	}
	const struct row *row = others;
	while (row->name && strcmp(row->name, name))
		row++;
	return row->name ? row : NULL;
}

/* A forked child that waits until we end; the call is made on it. "self": on the
 * caller instead; "nobody": as somebody whom Linux refuses. */
static int act_on_child(int argc, char *argv[])
{
	const struct row *row = row_named(argv[1]);
	const char *how = argc > 2 ? argv[2] : "";
	int ends[2];
	if (pipe(ends))
		return 252;
	pid_t child = fork();
	if (child == 0) {
		if (row->call == offer)
			_exit(offer(0));
		close(ends[1]);
		_exit((int)read(ends[0], page, 1)); /* until nobody can write */
	}
	if (row->call == offer) {
		int status;
		waitpid(child, &status, 0);
		return WEXITSTATUS(status);
	}
	if (!strcmp(how, "nobody") && (setgid(65534) || setuid(65534)))
		return 253;
	int error = row->call(!strcmp(how, "self") ? getpid() : child);
	return error;
}

/* ---- Tests -------------------------------------------------------------------------------- */

static int run_row(const char *name, const char *how)
{
	char script[128];
	told_count = 0;
	snprintf(script, sizeof script, "timeout 2 $ACT on-child %s %s; exit $?", name, how);
	return WEXITSTATUS(supervise(script));
}

/* NT adds the limited right to the full one. */
static ACCESS_MASK with_limited(ACCESS_MASK process)
{
	if (process & PROCESS_QUERY_INFORMATION)
		process |= PROCESS_QUERY_LIMITED_INFORMATION;
	if (process & PROCESS_SET_INFORMATION)
		process |= PROCESS_SET_LIMITED_INFORMATION;
	return process;
}

static ACCESS_MASK with_limited_thread(ACCESS_MASK thread)
{
	return thread & THREAD_SET_INFORMATION ? thread | THREAD_SET_LIMITED_INFORMATION : thread;
}

/* The rights of the n-th open with that reason, of a thread or a process. */
static ACCESS_MASK asked(const char *reason, bool thread, unsigned n)
{
	for (unsigned i = 0; nth_handle(reason, i); i++) {
		const struct told *t = nth_handle(reason, i);
		if ((t->thread != 0) == thread && !n--)
			return t->desired;
	}
	return 0;
}

static void each_call_is_an_open_for_the_rights_of_its_row(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];
		int error = run_row(row->name, "");
		if (error != row->without)
			fail_msg("%s: errno %d", row->name, error);
		if (asked(row->reason, false, 0) != with_limited(row->process) ||
		    asked(row->reason, true, 0) != with_limited_thread(row->thread) ||
		    count_handles(row->reason) !=
			    (row->process ? 1u : 0u) + (row->thread ? 1u : 0u))
			fail_msg("%s: %u opens, process %x, thread %x", row->name,
				 count_handles(row->reason), asked(row->reason, false, 0),
				 asked(row->reason, true, 0));
	}
}

/* Every single right that a row needs refuses it. */
static void each_call_is_refused_without_one_of_its_rights(void **state)
{
	(void)state;
	protect = "*test-live-open";
	for (unsigned i = 0; i < ROWS; i++) {
		ACCESS_MASK rights = rows[i].process ? rows[i].process : rows[i].thread;
		for (; rights; rights &= rights - 1) {
			strip = rights & -rights;
			int error = run_row(rows[i].name, "");
			if (error != EPERM || !count_handles(rows[i].reason))
				fail_msg("%s without %x: errno %d", rows[i].name, strip, error);
		}
	}
}

static void each_call_goes_on_without_the_rights_that_it_does_not_need(void **state)
{
	(void)state;
	protect = "*test-live-open";
	for (unsigned i = 0; i < ROWS; i++) {
		strip = PROCESS_ALL_ACCESS & ~(rows[i].process | rows[i].thread);
		if (rows[i].call == take_descriptor || rows[i].call == advise ||
		    rows[i].call == release_memory) /* they open the descriptor first */
			strip &= ~(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION);
		strip &= ~PROCESS_TERMINATE; /* the act's own kill */
		int error = run_row(rows[i].name, "");
		if (error != rows[i].without)
			fail_msg("%s: errno %d", rows[i].name, error);
	}
}

static void ob_28_a_process_that_means_itself_opens_nothing(void **state)
{
	(void)state;
	protect = "*";
	strip = PROCESS_ALL_ACCESS & ~PROCESS_TERMINATE;
	for (unsigned i = 0; i < ROWS; i++) {
		run_row(rows[i].name, "self");
		if (count_handles(rows[i].reason))
			fail_msg("%s", rows[i].name);
	}
}

static void ob_30_what_linux_refuses_is_not_asked(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	for (unsigned i = 0; i < ROWS; i++) {
		if (rows[i].call == release_memory)
			continue; /* anybody may, as far as users go */
		int error = run_row(rows[i].name, "nobody");
		if (error != EPERM && error != EACCES)
			fail_msg("%s: errno %d", rows[i].name, error);
		if (count_handles(rows[i].reason))
			fail_msg("%s", rows[i].name);
	}
	assert_int_equal(run_row("bad-pidfd", ""), EINVAL);
	assert_int_equal(count_handles("pidfd_open"), 0);
	assert_int_equal(run_row("bad-readv", ""), EINVAL);
	assert_int_equal(count_handles("process_vm_readv"), 0);
}

static void pidfd_open_asks_for_all_and_goes_on_with_what_is_left(void **state)
{
	(void)state;
	assert_int_equal(run_row("pidfd", ""), 0);
	assert_int_equal(asked("pidfd_open", false, 0),
			 PROCESS_TERMINATE | PROCESS_SUSPEND_RESUME | PROCESS_DUP_HANDLE |
				 PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE);
	assert_int_equal(asked("pidfd_open", true, 0), 0);
	protect = "*test-live-open";
	strip = PROCESS_ALL_ACCESS & ~PROCESS_TERMINATE;
	assert_int_equal(run_row("pidfd", ""), 0);
	assert_int_equal(nth_handle("pidfd_open", 0)->granted,
			 PROCESS_TERMINATE | PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE);
}

static void a_pidfd_of_a_thread_opens_the_thread(void **state)
{
	(void)state;
	int error = run_row("pidfd-thread", "");
	if (error == EINVAL)
		skip(); /* Linux before 6.9 */
	assert_int_equal(error, 0);
	assert_int_equal(asked("pidfd_open", false, 0), 0);
	assert_int_equal(asked("pidfd_open", true, 0), THREAD_TERMINATE | THREAD_SUSPEND_RESUME |
							       THREAD_QUERY_LIMITED_INFORMATION |
							       SYNCHRONIZE);
}

static void traceme_is_an_open_by_the_parent(void **state)
{
	(void)state;
	run_row("traceme", "");
	assert_int_equal(count_handles("ptrace(PTRACE_TRACEME)"), 2);
	const struct told *t = nth_handle("ptrace(PTRACE_TRACEME)", 0);
	assert_int_equal(fnmatch("*test-live-open", t->caller, FNM_NOESCAPE), 0);
	assert_int_equal(t->id % 100, 8); /* the clone is the target */
}

static void a_group_is_refused_whole(void **state)
{
	(void)state;
	assert_exit(supervise("setsid -w $ACT on-child renice-group"), 0);
	assert_int_equal(count_handles("setpriority"), 1); /* not the caller itself */
	protect = "*test-live-open";
	strip = PROCESS_SET_INFORMATION;
	assert_exit(supervise("setsid -w $ACT on-child renice-group"), EPERM);
}

/* Every program that is linked dynamically asks for its own limits as it starts. */
static void own_limits_are_no_event(void **state)
{
	(void)state;
	assert_exit(supervise("ulimit -n 100; ulimit -n; /bin/true"), 0);
	assert_int_equal(count_handles("prlimit64(get)"), 0);
	assert_int_equal(count_handles("prlimit64(set)"), 0);
}

int main(int argc, char *argv[])
{
	static const struct act acts[] = {{"on-child", act_on_child}, {NULL, NULL}};
	const struct CMUnitTest tests[] = {
		LIVE_TEST(each_call_is_an_open_for_the_rights_of_its_row),
		LIVE_TEST(each_call_is_refused_without_one_of_its_rights),
		LIVE_TEST(each_call_goes_on_without_the_rights_that_it_does_not_need),
		LIVE_TEST(ob_28_a_process_that_means_itself_opens_nothing),
		LIVE_TEST(ob_30_what_linux_refuses_is_not_asked),
		LIVE_TEST(pidfd_open_asks_for_all_and_goes_on_with_what_is_left),
		LIVE_TEST(a_pidfd_of_a_thread_opens_the_thread),
		LIVE_TEST(traceme_is_an_open_by_the_parent),
		LIVE_TEST(a_group_is_refused_whole),
		LIVE_TEST(own_limits_are_no_event),
	};
	maybe_act(acts, argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
