/* SPDX-License-Identifier: MIT */
/*
 * gdb and strace in the tree: they work as ever, and what they debug is still seen,
 * refused and protected.
 */
#include "live/supervise.h"
#include <errno.h>
#include <sys/ptrace.h>

/* ---- Acts --------------------------------------------------------------------------- */

static void *nothing(void *unused)
{
	return unused;
}

/* Threads, forks and an exec, for a tracer that follows everything. */
static int act_busy(int argc, char *argv[])
{
	(void)argc;
	(void)argv;
	for (int i = 0; i < 5; i++) {
		pthread_t thread;
		int status;
		pthread_create(&thread, NULL, nothing, NULL);
		pthread_join(thread, NULL);
		pid_t pid = fork();
		if (pid == 0)
			_exit(i);
		waitpid(pid, &status, 0);
		if (WEXITSTATUS(status) != i)
			return 9;
	}
	execl("/bin/echo", "echo", "busy", NULL);
	return 8;
}

/* Attaches to argv[1], then is killed. */
static int act_attach_and_die(int argc, char *argv[])
{
	(void)argc;
	pid_t pid = atoi(argv[1]);
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL))
		return errno;
	kill(getpid(), SIGKILL);
	return 0;
}

static bool there_is(const char *program)
{
	char command[64];
	snprintf(command, sizeof command, "command -v %s >/dev/null", program);
	return system(command) == 0;
}

/* Waits until the process that tells in descriptor 8 is ours to trace again. */
#define OURS_AGAIN                                                                                 \
	"ours() { until grep -q \"^TracerPid:.$PPID\\$\" /proc/$1/status; do :; done; }; "

/* ---- strace --------------------------------------------------------------------------- */

static void strace_shows_what_it_shows_without_us(void **state)
{
	(void)state;
	if (!there_is("strace"))
		skip();
	same("strace -qq -e trace=write,exit_group,openat -o $FIFO.log /bin/echo hi; echo $?; "
	     "grep -v ENOENT $FIFO.log; rm $FIFO.log");
	same("strace -f -qq -e trace=none -e signal=none -o /dev/null $ACT busy; echo $?");
	same("strace -c -o /dev/null sh -c 'exit 5'; echo $?");
	same("exec 2>/dev/null; strace -qq -e trace=none -o $FIFO.log sh -c 'kill -USR1 $$'; "
	     "echo $?; sed 's/si_[a-z]*=[0-9]*//g' $FIFO.log; rm $FIFO.log");
}

static void what_strace_follows_is_seen(void **state)
{
	(void)state;
	if (!there_is("strace"))
		skip();
	assert_exit(supervise("strace -f -o /dev/null sh -c '/bin/true; (exit 3); "
			      "/bin/echo a | /bin/cat; $ACT busy; exit 4'"),
		    4);
	assert_int_equal(count_of(RS_PROCESS_CREATED, "*\\true"), 1);
	assert_int_equal(count_of(RS_PROCESS_CREATED, "*\\cat"), 1);
	assert_int_equal(count_of(RS_PROCESS_CREATED, "*\\echo"), 2);
	assert_int_equal(count_of(RS_PROCESS_CREATED, "*test-live-debug"), 1);
	assert_int_equal(count_of(RS_PROCESS_EXITED, "*"), count_of(RS_PROCESS_CREATED, "*"));
	for (unsigned i = 0; i < 2; i++) /* the traced shell and the one around it */
		assert_int_equal(nth(RS_PROCESS_EXITED, "*\\sh", i)->host_status, 4 << 8);
	assert_int_equal(PsProcessType->TotalNumberOfObjects, 1);
}

static void a_veto_holds_under_strace(void **state)
{
	(void)state;
	if (!there_is("strace"))
		skip();
	refuse = "*\\echo";
	supervise("strace -f -o /dev/null sh -c '/bin/echo never; exit $?' 2>/dev/null");
	assert_exit(outcome.status, 126);
	assert_string_equal(outcome.output, "");
}

static void a_protected_process_cannot_be_traced(void **state)
{
	(void)state;
	if (!there_is("strace"))
		skip();
	protect = "*\\cat";
	strip = PROCESS_VM_WRITE;
	supervise(LASTING_CAT "strace -p $p -o /dev/null; echo $?; " END_CAT);
	assert_non_null(strstr(outcome.output, "Operation not permitted"));
	assert_non_null(strstr(outcome.output, "\n1\n0\n"));
}

static void an_attached_strace_lets_go_again(void **state)
{
	(void)state;
	if (!there_is("strace"))
		skip();
	assert_exit(supervise(OURS_AGAIN LASTING_CAT
			      "strace -p $p -o /dev/null 2>/dev/null & s=$!; "
			      "until grep -q \"^TracerPid:.$s\\$\" /proc/$p/status; do :; done; "
			      "kill -INT $s; wait $s; ours $p; kill $p; wait $p"),
		    128 + SIGTERM);
	assert_int_equal(the(RS_PROCESS_EXITED, "*\\cat")->host_status, SIGTERM);
}

static void a_debuggers_death_gives_its_tracee_back(void **state)
{
	(void)state;
	assert_exit(supervise(OURS_AGAIN "sh -c 'read x <$FIFO; /bin/true; exit 3' & p=$!; "
					 "$ACT attach-and-die $p; ours $p; echo >$FIFO; wait $p"),
		    3);
	the(RS_PROCESS_CREATED, "*\\true");
	assert_int_equal(the(RS_PROCESS_EXITED, "*\\true")->host_status, 0);
}

/* ---- gdb ---------------------------------------------------------------------------------- */

#define GDB "gdb -nx -q -batch -ex 'set confirm off' -ex 'set debuginfod enabled off' "
#define WITHOUT_NUMBERS " 2>&1 | sed 's/[0-9a-fx]*[0-9]//g'; echo $?"

static void gdb_does_the_same(void **state)
{
	(void)state;
	if (!there_is("gdb"))
		skip();
	same(GDB "-ex starti -ex 'p $_siginfo.si_signo' -ex continue "
		 "--args /bin/sh -c 'exit 7'" WITHOUT_NUMBERS);
	same(GDB "-ex 'catch fork' -ex run -ex 'set follow-fork-mode child' -ex continue "
		 "-ex continue --args /bin/sh -c '/bin/true; exit 7'" WITHOUT_NUMBERS);
	same(GDB
	     "-ex 'set startup-with-shell off' -ex 'break act_busy' -ex run -ex next -ex finish "
	     "--args $ACT busy" WITHOUT_NUMBERS);
}

static void what_gdb_runs_is_seen(void **state)
{
	(void)state;
	if (!there_is("gdb"))
		skip();
	supervise(GDB "-ex run --args $ACT busy >/dev/null 2>&1");
	const struct told *act = the(RS_PROCESS_CREATED, "*test-live-debug");
	assert_int_equal(the(RS_PROCESS_CREATED, "*\\echo")->host_id, act->host_id);
	the(RS_PROCESS_EXITED, "*\\echo");
	assert_int_equal(count_of(RS_PROCESS_EXITED, "*"), count_of(RS_PROCESS_CREATED, "*"));
	assert_int_equal(PsProcessType->TotalNumberOfObjects, 1);
}

static void gdb_attaches_and_detaches(void **state)
{
	(void)state;
	if (!there_is("gdb"))
		skip();
	assert_exit(supervise(OURS_AGAIN LASTING_CAT GDB
			      "-p $p -ex 'p $_siginfo.si_signo' -ex detach >/dev/null 2>&1; "
			      "ours $p; " END_CAT),
		    0);
	assert_string_equal(outcome.output, "0\n");
}

/* ---- Ends ---------------------------------------------------------------------------------- */

/* A supervised script in a process that can be killed; it writes to descriptor 7, which is
 * the returned one's other end. */
static int start_supervisor(const char *script, enum live_fate on_exit, pid_t *supervisor)
{
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fflush(NULL);
	*supervisor = fork();
	if (*supervisor == 0) {
		struct live_options options = {.on_exit = on_exit};
		dup2(ends[1], 7);
		supervise_command((char *[]){"sh", "-c", (char *)(uintptr_t)script, NULL},
				  &options);
		_exit(0);
	}
	close(ends[1]);
	alarm(PATIENCE);
	return ends[0];
}

static void kill_supervisor(pid_t supervisor)
{
	kill(supervisor, SIGKILL);
	waitpid(supervisor, NULL, 0);
}

static void the_traced_die_with_the_supervisor_too(void **state)
{
	(void)state;
	if (!there_is("strace"))
		skip();
	pid_t supervisor;
	char byte;
	int end = start_supervisor(
		"sleep 300 & p=$!; strace -p $p -o /dev/null 2>/dev/null & s=$!; "
		"until grep -q \"^TracerPid:.$s\\$\" /proc/$p/status; do :; done; "
		"echo >&7; sleep 300",
		LIVE_KILL, &supervisor);
	assert_int_equal(read(end, &byte, 1), 1);
	kill_supervisor(supervisor);
	assert_int_equal(read(end, &byte, 1), 0); /* everybody who had the other end is gone */
	alarm(0);
	close(end);
}

static void the_traced_go_on_when_they_are_released(void **state)
{
	(void)state;
	if (!there_is("strace"))
		skip();
	pid_t supervisor;
	char text[16] = "";
	int end = start_supervisor("strace -f -o /dev/null sh -c 'printf r >&7; read x <$FIFO; "
				   "/bin/true && (exit 3); printf done$? >&7'",
				   LIVE_RELEASE, &supervisor);
	assert_int_equal(read(end, text, 1), 1);
	kill_supervisor(supervisor);
	int writer = open(fifo, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(writer, "\n", 1), 1);
	close(writer);
	assert_int_equal(read(end, text, sizeof text - 1), 5);
	assert_string_equal(text, "done3");
	assert_int_equal(read(end, text, 1), 0);
	alarm(0);
	close(end);
}

int main(int argc, char *argv[])
{
	static const struct act acts[] = {
		{"busy", act_busy}, {"attach-and-die", act_attach_and_die}, {NULL, NULL}};
	const struct CMUnitTest tests[] = {
		LIVE_TEST(strace_shows_what_it_shows_without_us),
		LIVE_TEST(what_strace_follows_is_seen),
		LIVE_TEST(a_veto_holds_under_strace),
		LIVE_TEST(a_protected_process_cannot_be_traced),
		LIVE_TEST(an_attached_strace_lets_go_again),
		LIVE_TEST(a_debuggers_death_gives_its_tracee_back),
		LIVE_TEST(gdb_does_the_same),
		LIVE_TEST(what_gdb_runs_is_seen),
		LIVE_TEST(gdb_attaches_and_detaches),
		LIVE_TEST(the_traced_die_with_the_supervisor_too),
		LIVE_TEST(the_traced_go_on_when_they_are_released),
	};
	maybe_act(acts, argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
