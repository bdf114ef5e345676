/* SPDX-License-Identifier: MIT */
/*
 * Vetoes that make execve fail, and stripped rights that make a signal fail: in
 * every way in which a program can send one.
 */
#include "live/supervise.h"
#include <errno.h>
#include <sched.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* ---- Acts: ways to send a signal ------------------------------------------------------ */

static int result_of(long result)
{
	return result < 0 ? errno : 0;
}

static int act_kill(int argc, char *argv[])
{
	(void)argc;
	return result_of(kill(atoi(argv[1]), atoi(argv[2])));
}

static int act_tkill(int argc, char *argv[])
{
	(void)argc;
	return result_of(syscall(SYS_tkill, atoi(argv[1]), atoi(argv[2])));
}

static int act_tgkill(int argc, char *argv[])
{
	(void)argc;
	pid_t pid = atoi(argv[1]);
	return result_of(syscall(SYS_tgkill, pid, pid, atoi(argv[2])));
}

static int act_sigqueue(int argc, char *argv[])
{
	(void)argc;
	return result_of(sigqueue(atoi(argv[1]), atoi(argv[2]), (union sigval){0}));
}

static int act_tgsigqueue(int argc, char *argv[])
{
	(void)argc;
	pid_t pid = atoi(argv[1]);
	siginfo_t info = {.si_code = SI_QUEUE};
	return result_of(syscall(SYS_rt_tgsigqueueinfo, pid, pid, atoi(argv[2]), &info));
}

static int act_pidfd(int argc, char *argv[])
{
	(void)argc;
	int fd = (int)syscall(SYS_pidfd_open, atoi(argv[1]), 0);
	return result_of(syscall(SYS_pidfd_send_signal, fd, atoi(argv[2]), NULL, 0));
}

static int act_int80(int argc, char *argv[])
{
	(void)argc;
	long result;
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(37), "b"((long)atoi(argv[1])), "c"((long)atoi(argv[2])));
	return (int)-result;
}

/* Kills it as another user, whom Linux refuses. */
static int act_as_nobody(int argc, char *argv[])
{
	if (setgid(65534) || setuid(65534))
		return 255;
	return act_kill(argc, argv);
}

/* As the first process of a pid namespace, kills one of its children by the number
 * that it has there. */
static int act_in_namespace(int argc, char *argv[])
{
	(void)argc;
	(void)argv;
	if (unshare(CLONE_NEWPID))
		return 77;
	pid_t first = fork();
	if (first == 0) {
		int to[2], from[2];
		char byte = 0;
		if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
			_exit(255);
		pid_t child = fork();
		if (child == 0) {
			dup2(to[0], 0);
			dup2(from[1], 1);
			execl("/bin/cat", "cat", NULL);
			_exit(255);
		}
		if (write(to[1], &byte, 1) != 1 || read(from[0], &byte, 1) != 1)
			_exit(254);
		int error = result_of(kill(child, SIGKILL));
		close(to[1]);
		waitpid(child, NULL, 0);
		_exit(error);
	}
	int status;
	waitpid(first, &status, 0);
	return WEXITSTATUS(status);
}

/* The exit status of a forked child that signals itself, its own pid unknown to it. */
static int act_self(int argc, char *argv[])
{
	int status;
	(void)argc;
	(void)argv;
	pid_t pid = fork();
	if (pid == 0) {
		kill(getpid(), 0);
		kill(getpid(), SIGUSR1);
	}
	waitpid(pid, &status, 0);
	raise(0);
	return WTERMSIG(status);
}

/* exec, posix_spawn and vfork of something that is refused: each errno. */
static int act_refused(int argc, char *argv[])
{
	pid_t pid;
	(void)argc;
	errno = 0;
	execv(argv[1], argv + 1);
	printf("exec %d ", errno);
	printf("spawn %d ", posix_spawn(&pid, argv[1], NULL, NULL, argv + 1, NULL));
	pid = vfork();
	if (pid == 0) {
		execv(argv[1], argv + 1);
		_exit(errno);
	}
	int status;
	waitpid(pid, &status, 0);
	printf("vfork %d\n", WEXITSTATUS(status));
	return 0;
}

/* A handler without SA_RESTART, and a timer that calls it all the time. */
static void handle(int signal)
{
	(void)signal;
}

static int act_storm(int argc, char *argv[])
{
	(void)argc;
	struct sigaction action = {.sa_handler = handle};
	timer_t timer;
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
	struct itimerspec often = {{0, 60000}, {0, 60000}};
	pid_t target = atoi(argv[1]);
	int interrupted = 0;
	sigaction(SIGALRM, &action, NULL);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &often, NULL);
	for (int i = 0; i < 5000; i++)
		interrupted += kill(target, 0) < 0 && errno == EINTR;
	return interrupted != 0;
}

/* ---- Vetoes --------------------------------------------------------------------------------- */

static void ps_49_a_refused_program_does_not_run_and_its_caller_goes_on(void **state)
{
	(void)state;
	refuse = "*\\echo";
	assert_exit(supervise("/bin/echo never; printf '%s ' $?; env echo never; printf $?"), 0);
	assert_string_equal(outcome.output, "sh: 1: /bin/echo: Permission denied\n126 "
					    "env: ‘echo’: Permission denied\n126");
	assert_status(nth(RS_PROCESS_CREATED, "*\\echo", 0)->status, STATUS_ACCESS_DENIED);
}

static void ps_53_every_kind_of_exec_gets_eacces(void **state)
{
	(void)state;
	refuse = "*\\bin\\true";
	assert_exit(supervise("$ACT refused /bin/true"), 0);
	assert_string_equal(outcome.output, "exec 13 spawn 13 vfork 13\n");
	assert_int_equal(count_of(RS_PROCESS_CREATED, "*\\true"), 3);
}

static void a_refused_command_is_eacces_and_says_who(void **state)
{
	(void)state;
	refuse = "*\\sh";
	supervise_command((char *[]){"/bin/sh", "-c", "exit 3", NULL}, NULL);
	assert_int_equal(outcome.failure, -EACCES);
	assert_non_null(strstr(outcome.error, "refused by a driver"));
}

/* ---- Signals to a protected process -------------------------------------------------------------- */

static const char *const ways[] = {"kill",       "tkill", "tgkill", "sigqueue",
				   "tgsigqueue", "pidfd", "int80"};
#define WAYS (sizeof ways / sizeof ways[0])

/* Sends a signal in each way to a cat that is protected, by its caller's exit
 * status; then looks whether it lives. */
static void try_every_way(const char *signal, int expected, const char *cat_ends)
{
	char script[512], result[64];
	protect = "*\\cat";
	for (unsigned i = 0; i < WAYS; i++) {
		snprintf(script, sizeof script,
			 "exec 2>/dev/null; " LASTING_CAT "$ACT %s $p %s; echo $?; " END_CAT,
			 ways[i], signal);
		supervise(script);
		snprintf(result, sizeof result, "%d\n%s\n", expected, cat_ends);
		if (strcmp(outcome.output, result))
			fail_msg("%s: %s", ways[i], outcome.output);
	}
}

static void a_stripped_right_refuses_every_fatal_signal(void **state)
{
	(void)state;
	strip = PROCESS_TERMINATE;
	try_every_way("9", EPERM, "0");
	assert_int_equal(count_handles("kill(SIGKILL)"), 2); /* int80 is a kill too */
	const struct told *asked = nth_handle("kill(SIGKILL)", 0);
	assert_int_equal(asked->desired, PROCESS_TERMINATE);
	assert_int_equal(asked->granted, 0);
}

static void an_unstripped_right_allows_every_fatal_signal(void **state)
{
	(void)state;
	strip = PROCESS_SUSPEND_RESUME;
	try_every_way("15", 0, "143");
	assert_int_equal(count_handles("kill(SIGTERM)"), 2);
}

static void signal_0_asks_for_limited_information_only(void **state)
{
	(void)state;
	strip = PROCESS_ALL_ACCESS;
	try_every_way("0", 0, "0");
	assert_int_equal(nth_handle("kill(0)", 0)->desired, PROCESS_QUERY_LIMITED_INFORMATION);
}

static void stopping_and_continuing_need_suspend_resume(void **state)
{
	(void)state;
	strip = PROCESS_SUSPEND_RESUME;
	try_every_way("19", EPERM, "0");
	assert_int_equal(nth_handle("kill(SIGSTOP)", 0)->desired, PROCESS_SUSPEND_RESUME);
	strip = PROCESS_TERMINATE;
	protect = "*\\sleep";
	supervise("sleep 0.2 & kill -STOP $!; kill -CONT $!; wait $!; echo $?");
	assert_string_equal(outcome.output, "0\n");
}

static void a_signal_for_a_thread_opens_the_thread_and_its_process(void **state)
{
	(void)state;
	supervise(RUNS "sleep 300 & runs $! sleep; $ACT tgkill $! 15");
	const struct told *thread = nth_handle("tgkill(SIGTERM)", 0);
	const struct told *process = nth_handle("tgkill(SIGTERM)", 1);
	assert_true(thread->thread != 0 && process->thread == 0);
	assert_int_equal(thread->desired, THREAD_TERMINATE);
	assert_int_equal(process->desired, PROCESS_TERMINATE);
}

/* ---- Who is asked, and when nobody ------------------------------------------------------------------ */

static void ob_28_a_process_that_signals_itself_opens_nothing(void **state)
{
	(void)state;
	protect = "*";
	strip = PROCESS_ALL_ACCESS;
	assert_exit(
		supervise("kill -0 $$; trap 'echo got' USR2; kill -USR2 $$; $ACT self; exit $?"),
		SIGUSR1);
	assert_string_equal(outcome.output, "got\n");
	assert_int_equal(count_handles("kill(0)"), 0);
	assert_int_equal(count_handles("kill(SIGUSR1)"), 0);
}

static void ob_30_what_linux_refuses_is_not_asked(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_exit(supervise(RUNS "sleep 300 & runs $! sleep; $ACT as-nobody $! 9; test $? = 1 && "
				   "$ACT kill 999999999 9; test $? = 3 && $ACT kill $! 99; "
				   "test $? = 22 && kill $!"),
		    0);
	assert_int_equal(count_handles("kill(SIGKILL)"), 0);
	assert_int_equal(count_handles("kill(SIGTERM)"), 1);
}

static void processes_outside_of_the_tree_are_no_objects(void **state)
{
	(void)state;
	int ends[2];
	pid_t outside;
	char script[64], byte;
	assert_int_equal(pipe(ends), 0);
	if (fork() == 0) { /* a child of nobody here */
		outside = fork();
		if (outside == 0)
			pause();
		_exit(write(ends[1], &outside, sizeof outside) < 0);
	}
	wait(NULL);
	close(ends[1]);
	assert_int_equal(read(ends[0], &outside, sizeof outside), sizeof outside);
	snprintf(script, sizeof script, "kill -KILL %d", outside);
	assert_exit(supervise(script), 0);
	assert_int_equal(read(ends[0], &byte, 1), 0); /* it closes the pipe as it dies */
	close(ends[0]);
	assert_int_equal(count_handles("kill(SIGKILL)"), 0);
}

static void a_clone_has_an_object_and_can_be_protected(void **state)
{
	(void)state;
	protect = "*\\sh";
	assert_exit(supervise("(read x <$FIFO; exit 4) & kill -9 $! 2>/dev/null; test $? = 1; "
			      "echo >$FIFO; wait $!"),
		    4);
	assert_int_equal(count_handles("kill(SIGKILL)"), 1);
}

static void the_supervisor_itself_is_an_object(void **state)
{
	(void)state;
	protect = "*test-live-guard";
	assert_exit(supervise("kill -9 $PPID 2>/dev/null; echo $?"), 0);
	assert_string_equal(outcome.output, "1\n");
	assert_int_equal(count_handles("kill(SIGKILL)"), 1);
}

static void a_pid_of_a_namespace_is_understood(void **state)
{
	(void)state;
	protect = "*\\cat";
	int status = supervise("$ACT in-namespace; exit $?");
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_exit(status, EPERM);
	assert_int_equal(count_handles("kill(SIGKILL)"), 1);
}

/* ---- Groups --------------------------------------------------------------------------------------------- */

static void a_group_kill_reaches_exactly_the_permitted(void **state)
{
	(void)state;
	protect = "*\\cat";
	assert_exit(supervise("exec setsid -w sh -c 'trap : TERM; " LASTING_CAT
			      "tail -f /dev/null & t=$!; runs $t tail; kill -TERM 0; echo $?; "
			      "wait $t; echo $?; " END_CAT "' 2>/dev/null"),
		    0);
	assert_string_equal(outcome.output, "0\n143\n0\n");
}

static void a_group_kill_that_reaches_nobody_is_eperm(void **state)
{
	(void)state;
	protect = "*";
	assert_exit(supervise(RUNS "exec 8<>$FIFO; setsid cat <$FIFO 8>&- & runs $! cat; "
				   "$ACT kill -$! 9; echo $?; exec 8>&-; wait"),
		    0);
	assert_string_equal(outcome.output, "1\n");
}

static void a_group_kill_spares_the_supervisor(void **state)
{
	(void)state;
	assert_exit(supervise("trap '' TERM; kill -TERM 0; echo alive"), 0);
	assert_string_equal(outcome.output, "alive\n");
}

static void a_group_kill_of_the_permitted_kills_the_caller_too(void **state)
{
	(void)state;
	int status = supervise("sleep 300 & kill -TERM 0; echo alive");
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	assert_string_equal(outcome.output, "");
}

/* ---- Interruptions ------------------------------------------------------------------------------------------ */

static void a_storm_of_signals_does_not_interrupt_the_call(void **state)
{
	(void)state;
	assert_exit(supervise("sleep 30 & $ACT storm $!; r=$?; kill $!; exit $r"), 0);
	assert_int_equal(count_handles("kill(0)") > 4000, 1);
}

int main(int argc, char *argv[])
{
	static const struct act acts[] = {
		{"kill", act_kill},
		{"tkill", act_tkill},
		{"tgkill", act_tgkill},
		{"sigqueue", act_sigqueue},
		{"tgsigqueue", act_tgsigqueue},
		{"pidfd", act_pidfd},
		{"int80", act_int80},
		{"as-nobody", act_as_nobody},
		{"in-namespace", act_in_namespace},
		{"self", act_self},
		{"refused", act_refused},
		{"storm", act_storm},
		{NULL, NULL},
	};
	const struct CMUnitTest tests[] = {
		LIVE_TEST(ps_49_a_refused_program_does_not_run_and_its_caller_goes_on),
		LIVE_TEST(ps_53_every_kind_of_exec_gets_eacces),
		LIVE_TEST(a_refused_command_is_eacces_and_says_who),
		LIVE_TEST(a_stripped_right_refuses_every_fatal_signal),
		LIVE_TEST(an_unstripped_right_allows_every_fatal_signal),
		LIVE_TEST(signal_0_asks_for_limited_information_only),
		LIVE_TEST(stopping_and_continuing_need_suspend_resume),
		LIVE_TEST(a_signal_for_a_thread_opens_the_thread_and_its_process),
		LIVE_TEST(ob_28_a_process_that_signals_itself_opens_nothing),
		LIVE_TEST(ob_30_what_linux_refuses_is_not_asked),
		LIVE_TEST(processes_outside_of_the_tree_are_no_objects),
		LIVE_TEST(a_clone_has_an_object_and_can_be_protected),
		LIVE_TEST(the_supervisor_itself_is_an_object),
		LIVE_TEST(a_pid_of_a_namespace_is_understood),
		LIVE_TEST(a_group_kill_reaches_exactly_the_permitted),
		LIVE_TEST(a_group_kill_that_reaches_nobody_is_eperm),
		LIVE_TEST(a_group_kill_spares_the_supervisor),
		LIVE_TEST(a_group_kill_of_the_permitted_kills_the_caller_too),
		LIVE_TEST(a_storm_of_signals_does_not_interrupt_the_call),
	};
	maybe_act(acts, argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
