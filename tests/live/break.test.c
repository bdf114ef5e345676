/* SPDX-License-Identifier: MIT */
/*
 * Nothing breaks: what programs print and how they end is the same bare and
 * supervised.
 */
#include "live/supervise.h"
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

extern char **environ;

/* ---- Acts ------------------------------------------------------------------------------- */

/* Processes of every kind, killed at random moments, some of them twice. */
static void *spawn_for_ever(void *unused)
{
	char *argv[] = {"true", NULL};
	pid_t pid;
	for (;;) {
		if (!posix_spawnp(&pid, "true", NULL, NULL, argv, environ))
			waitpid(pid, NULL, 0);
	}
	return unused;
}

static _Noreturn void be_victim(unsigned kind)
{
	pthread_t thread;
	for (unsigned i = 0; kind == 1 && i < 4; i++)
		pthread_create(&thread, NULL, spawn_for_ever, NULL);
	if (kind == 2)
		execlp("sh", "sh", "-c", "while :; do /bin/true | /bin/true; done", NULL);
	spawn_for_ever(NULL);
	_exit(1);
}

static int act_slaughter(int argc, char *argv[])
{
	(void)argc;
	srand(7);
	for (int i = atoi(argv[1]); i > 0; i--) {
		unsigned kind = (unsigned)rand() % 3, wait = (unsigned)rand() % 6000;
		bool twice = rand() % 2;
		pid_t pid = fork();
		if (pid == 0)
			be_victim(kind);
		usleep(wait);
		kill(pid, SIGKILL);
		if (twice)
			kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return 0;
}

static int act_fork_fast(int argc, char *argv[])
{
	(void)argc;
	for (int i = atoi(argv[1]); i > 0; i--)
		fork();
	return 0;
}

/* Many threads fork, spawn and exit at once, and then one of them execs. */
static void *fork_some(void *unused)
{
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();
		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	return unused;
}

static int act_threads_that_fork(int argc, char *argv[])
{
	pthread_t thread[8];
	(void)argc;
	(void)argv;
	for (int i = 0; i < 8; i++)
		pthread_create(&thread[i], NULL, fork_some, NULL);
	for (int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < 8; i++)
		pthread_create(&thread[i], NULL, spawn_for_ever, NULL);
	usleep(2000);
	execl("/bin/echo", "echo", "survived", NULL);
	return 1;
}

static int act_clone3(int argc, char *argv[])
{
	(void)argc;
	(void)argv;
	return syscall(SYS_clone3, NULL, 0) < 0 ? errno : 0;
}

/* ---- The same, bare and supervised ------------------------------------------------------------ */

static void shells_do_the_same(void **state)
{
	(void)state;
	same("printf 'b\\na\\n' | sort | tr a-z A-Z | cat -n; exit 3");
	same("sleep 0.1 & wait; echo $?; sleep 0.1 & wait $!; echo $?");
	same("for i in 1 2 3 4 5 6 7 8; do (exit $i) & done; wait; echo done");
	same("trap 'echo exit' EXIT; trap 'echo usr1' USR1; kill -USR1 $$; sh -c 'kill -USR1 "
	     "$PPID'; "
	     "sleep 0; false");
	same("nosuchprogram; /etc/passwd; /tmp; echo $?");
	same("ulimit -c 0; exec 2>&1; sh -c 'kill -SEGV $$'; echo $?; sh -c 'kill -9 $$'; echo $?");
	same("kill -TERM $$");
	same("seq 200 | xargs -P 8 -n 1 sh -c 'exit 0'; echo $?");
	same("yes | head -n 3; echo ${PIPESTATUS:-}");
	same("echo 'echo from $0 $1' | sh -s arg; echo a >&2");
}

static void job_control_does_the_same(void **state)
{
	(void)state;
	same("exec bash -c 'set -m; sleep 0.3 & kill -STOP %1; "
	     "until jobs -s | grep -q sleep; do :; done; jobs; kill -CONT %1; wait %1; echo $?'");
	same("exec bash -c 'set -m; sleep 300 & kill -STOP %1; kill %1; kill -CONT %1; wait %1; "
	     "echo "
	     "$?'");
	same("exec bash -c 'sleep 0.2 & kill -TSTP $!; sleep 0.1; kill -CONT $!; wait $!; echo "
	     "$?'");
}

/* ps shows "t" for a stopped process that is traced, and "T" for another one. Whether the
 * shell says "Terminated" depends on when it looks. */
static void a_stopped_process_stays_stopped(void **state)
{
	(void)state;
	same("sleep 300 & p=$!; kill -STOP $p; until grep -q '^State:.[tT]' /proc/$p/status; do :; "
	     "done; sleep 0.2; cut -d' ' -f3 /proc/$p/stat | tr t T; kill -CONT $p; kill $p; "
	     "wait $p 2>/dev/null; echo $?");
}

static void python_does_the_same(void **state)
{
	(void)state;
	same("exec python3 -c '\n"
	     "import subprocess, multiprocessing, os, signal, threading\n"
	     "p = subprocess.Popen([\"sleep\", \"10\"]); p.terminate(); print(p.wait())\n"
	     "print(subprocess.run(\"echo a; exit 7\", shell=True, capture_output=True))\n"
	     "try: subprocess.run([\"/nonexistent\"])\n"
	     "except FileNotFoundError as e: print(e)\n"
	     "with multiprocessing.Pool(4) as pool: print(sum(pool.map(abs, range(1000))))\n"
	     "ts = [threading.Thread(target=lambda: subprocess.run([\"true\"])) for _ in "
	     "range(8)]\n"
	     "[t.start() for t in ts]; [t.join() for t in ts]\n"
	     "print(os.waitstatus_to_exitcode(os.system(\"kill -9 $$\")))\n"
	     "'");
}

static void compiling_does_the_same(void **state)
{
	(void)state;
	same("set -e; d=$(mktemp -d); cd $d; for i in 1 2 3 4; do echo \"int f$i(void){return "
	     "$i;}\" "
	     ">f$i.c; done; echo 'int f1(void);int main(void){return f1();}' >main.c; "
	     "printf 'all: prog\\n\\t./prog; echo $$?\\nprog: main.o f1.o f2.o f3.o f4.o\\n\\tcc "
	     "-o $@ "
	     "$^\\n%%.o: %%.c\\n\\tcc -c -o $@ $<\\n' >Makefile; make -s -j2; rm -r $d");
}

static void daemons_and_orphans_do_the_same(void **state)
{
	(void)state;
	same("f=$(mktemp); (setsid sh -c \"sleep 0.2; echo late >$f\" >/dev/null 2>&1 &); "
	     "until [ -s $f ]; do sleep 0.05; done; cat $f; rm $f");
	same("(sh -c 'sleep 0.1' & ) ; echo parent first");
	same("python3 -c 'import os, time\n"
	     "if os.fork() == 0: os._exit(3)\n"
	     "time.sleep(0.1); print(os.wait()[1])'");
}

static void unusual_calls_do_the_same(void **state)
{
	(void)state;
	same("$ACT threads-that-fork");
	same("exec env -i /bin/sh -c 'echo $#' x y z");
	same("python3 -c 'import os; os.execv(\"/proc/self/exe\", [\"python3\", \"-c\", "
	     "\"print(1)\"])'");
	same("python3 -c 'import os; fd = os.open(\"/bin/echo\", os.O_RDONLY); "
	     "os.execve(fd, [\"echo\", \"by descriptor\"], {})'");
	same("d=$(mktemp -d); cp /bin/true $d; printf '#!/nonexistent\\n' >$d/x; chmod +x $d/x; "
	     "$d/x 2>/dev/null; echo $?; $d/true; echo $?; chmod -x $d/true; $d/true 2>/dev/null; "
	     "echo $?; rm -r $d");
}

/* Absolute names, relative ones and interpreters then start at another root. */
static void chroots_do_the_same(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	same("set -e; d=$(mktemp -d); mkdir $d/bin; "
	     "echo '#include <unistd.h>\n#include <stdio.h>\nint main(int c, char **v) { "
	     "if (c > 1) execv(v[1], v + 1); perror(\"inside\"); return 3; }' "
	     ">$d/x.c; cc -static -o $d/bin/x $d/x.c; printf '#!/bin/x x\\n' >$d/bin/s; "
	     "chmod +x $d/bin/s; ln -s /bin/x $d/bin/l; set +e; "
	     "chroot $d /bin/x /bin/l ../bin/x bin/x /bin/x; echo $?; chroot $d /bin/s; rm -r $d");
	the(RS_PROCESS_CREATED, "\\??\\Z:\\bin\\l");
	assert_int_equal(count_of(RS_PROCESS_CREATED, "\\??\\Z:\\bin\\x"), 5);
}

/* The first process of a namespace kills everybody in it as it ends. */
static void pid_namespaces_do_the_same(void **state)
{
	(void)state;
	if (system("unshare -pf --mount-proc true 2>/dev/null"))
		skip();
	same("unshare -pf --mount-proc sh -c 'echo $$; /bin/true; (exit 3); echo $?; "
	     "sleep 300 & echo $!; kill $!; wait $!; echo $?; "
	     "ls /proc | grep -c ^[0-9]; setsid sleep 300 & exit 4'; echo $?");
	assert_int_equal(PsProcessType->TotalNumberOfObjects, 1);
}

/* All of it in a namespace around it, whose processes are the ones that must be spared: if they
 * were not, the machine's would be. */
static void a_kill_of_everybody_ends_at_the_namespace(void **state)
{
	(void)state;
	if (system("unshare -pf --mount-proc true 2>/dev/null"))
		skip();
	assert_exit(run_bare("unshare -pf --mount-proc sh -c 'sleep 300 & b=$!; "
			     "$ACT supervise unshare -pf --mount-proc sh -c \""
			     "sleep 300 & kill -9 -1; wait; exit 4\"; echo $?; "
			     "kill -0 $b && echo spared'"),
		    0);
	assert_string_equal(outcome.output, "4\nspared\n");
}

static void other_users_do_the_same(void **state)
{
	(void)state;
	if (geteuid() != 0 || system("setpriv --reuid 65534 --clear-groups true 2>/dev/null"))
		skip();
	same("setpriv --reuid 65534 --regid 65534 --clear-groups sh -c 'id -u; /bin/echo a | cat; "
	     "kill -0 1; echo $?; sleep 300 & kill $!; wait $!; echo $?; cat /etc/shadow; exit 3' "
	     "2>&1; echo $?");
	same("su -s /bin/sh nobody -c 'id -un; (exit 2); echo $?' 2>&1; echo $?");
}

static void random_kills_leave_nothing_behind(void **state)
{
	(void)state;
	assert_exit(supervise("$ACT slaughter 150"), 0);
	assert_int_equal(PsProcessType->TotalNumberOfObjects, 1);
	assert_int_equal(count_of(RS_PROCESS_CREATED, "*"), count_of(RS_PROCESS_EXITED, "*"));
}

static void a_burst_of_forks_is_followed_to_its_end(void **state)
{
	(void)state;
	assert_exit(supervise("$ACT fork-fast 8; sleep 0.2"), 0);
	assert_int_equal(PsProcessType->TotalNumberOfObjects, 1);
}

static void clone3_does_not_exist(void **state)
{
	(void)state;
	assert_exit(supervise("$ACT clone3; exit $?"), ENOSYS);
}

static void supervision_does_not_nest_and_says_so(void **state)
{
	(void)state;
	assert_exit(supervise("$ACT supervise true; exit $?"), 125);
	assert_non_null(strstr(outcome.output, "already supervised"));
	assert_int_equal(count_of(RS_PROCESS_CREATED, "*"), 2); /* sh and the other supervisor */
}

/* ---- Signals of the terminal ----------------------------------------------------------------------- */

static void an_interrupt_is_the_commands_alone(void **state)
{
	(void)state;
	char script[128];
	snprintf(script, sizeof script,
		 "trap 'echo interrupted; exit 5' INT; kill -INT %d $$; sleep 1; exit 6", getpid());
	assert_exit(supervise(script), 5);
	assert_string_equal(outcome.output, "interrupted\n");
}

static void dispositions_are_the_callers(void **state)
{
	(void)state;
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before, after;
	assert_exit(supervise("kill -INT $$; exit 1") == SIGINT ? 0 : 1 << 8, 0);
	sigaction(SIGINT, &ignore, &before);
	assert_exit(supervise("kill -INT $$; exit 4"), 4);
	sigaction(SIGINT, &before, &after);
	assert_ptr_equal(after.sa_handler, SIG_IGN); /* put back as it was */
}

/* ---- Without privileges -------------------------------------------------------------------------------- */

static void print_warning(const char *line)
{
	printf("warned: %s\n", line);
	fflush(stdout);
}

static int supervise_as_nobody(const char *script)
{
	struct live_options options = {.warn = print_warning};
	pid_t pid = fork();
	if (pid == 0) {
		char *argv[] = {"sh", "-c", (char *)(uintptr_t)script, NULL};
		struct rs_error error;
		int status = 1;
		if (setgroups(0, NULL) || setgid(65534) || setuid(65534) ||
		    prctl(PR_SET_DUMPABLE, 1))
			_exit(1);
		if (live_run(argv, &options, &status, &error)) {
			dprintf(2, "%s\n", error.text);
			_exit(2);
		}
		_exit(WEXITSTATUS(status));
	}
	int status;
	waitpid(pid, &status, 0);
	return status;
}

static void no_privileges_are_needed(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_exit(supervise_as_nobody("grep -q 'NoNewPrivs:.1' /proc/self/status && (exit 6)"),
		    6);
}

static void lost_privileges_are_said_once(void **state)
{
	(void)state;
	if (geteuid() != 0 || access("/bin/su", X_OK))
		skip();
	int saved[2], file = capture(saved);
	int status = supervise_as_nobody(
		"/bin/su --version >/dev/null; /bin/su --version >/dev/null");
	end_capture(file, saved);
	assert_exit(status, 0);
	const char *first = strstr(outcome.output, "warned: /bin/su runs without its set-user-id");
	assert_non_null(first);
	assert_null(strstr(first + 1, "warned:"));
}

static void root_keeps_set_user_id_programs_working(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_exit(supervise("grep -q 'NoNewPrivs:.0' /proc/self/status"), 0);
}

int main(int argc, char *argv[])
{
	static const struct act acts[] = {
		{"slaughter", act_slaughter},
		{"fork-fast", act_fork_fast},
		{"threads-that-fork", act_threads_that_fork},
		{"clone3", act_clone3},
		{"supervise", act_supervise},
		{NULL, NULL},
	};
	const struct CMUnitTest tests[] = {
		LIVE_TEST(shells_do_the_same),
		LIVE_TEST(job_control_does_the_same),
		LIVE_TEST(a_stopped_process_stays_stopped),
		LIVE_TEST(python_does_the_same),
		LIVE_TEST(compiling_does_the_same),
		LIVE_TEST(daemons_and_orphans_do_the_same),
		LIVE_TEST(unusual_calls_do_the_same),
		LIVE_TEST(chroots_do_the_same),
		LIVE_TEST(pid_namespaces_do_the_same),
		LIVE_TEST(a_kill_of_everybody_ends_at_the_namespace),
		LIVE_TEST(other_users_do_the_same),
		LIVE_TEST(random_kills_leave_nothing_behind),
		LIVE_TEST(a_burst_of_forks_is_followed_to_its_end),
		LIVE_TEST(clone3_does_not_exist),
		LIVE_TEST(supervision_does_not_nest_and_says_so),
		LIVE_TEST(an_interrupt_is_the_commands_alone),
		LIVE_TEST(dispositions_are_the_callers),
		LIVE_TEST(no_privileges_are_needed),
		LIVE_TEST(lost_privileges_are_said_once),
		LIVE_TEST(root_keeps_set_user_id_programs_working),
	};
	maybe_act(acts, argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
