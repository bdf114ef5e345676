/* SPDX-License-Identifier: MIT */
/*
 * Who survives whom: what becomes of the tree when its supervisor is killed, and after
 * a bug check. Both ways, at any moment, and never a tree that cannot exec.
 */
#include "live/supervise.h"
#include "ke/bugcheck.h"
#include "ke/thread.h"
#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>

/* ---- Running in a process that may be killed ------------------------------------------- */

static struct live_options fate;

/* The script's descriptor 7 is a pipe to us. */
static struct {
	pid_t supervisor;
	int pipe;
} run;

static void start(const char *script)
{
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fflush(NULL);
	run.supervisor = fork();
	if (run.supervisor == 0) {
		alarm(PATIENCE);
		dup2(ends[1], 7);
		supervise_command((char *[]){"sh", "-c", (char *)(uintptr_t)script, NULL}, &fate);
		_exit(outcome.failure              ? 98
		      : !WIFEXITED(outcome.status) ? 97
						   : WEXITSTATUS(outcome.status));
	}
	close(ends[1]);
	run.pipe = ends[0];
	alarm(PATIENCE);
}

static void await_byte(char expected)
{
	char byte = 0;
	assert_int_equal(read(run.pipe, &byte, 1), 1);
	assert_int_equal(byte, expected);
}

/* What comes until everybody who has the other end is gone. */
static const char *rest(void)
{
	static char text[4096];
	size_t length = 0;
	for (ssize_t n; (n = read(run.pipe, text + length, sizeof text - 1 - length)) > 0;)
		length += (size_t)n;
	text[length] = 0;
	close(run.pipe);
	alarm(0);
	return text;
}

static void kill_supervisor(void)
{
	kill(run.supervisor, SIGKILL);
	waitpid(run.supervisor, NULL, 0);
}

/* ---- The supervisor is killed ------------------------------------------------------------ */

static void the_tree_dies_with_its_supervisor(void **state)
{
	(void)state;
	fate = (struct live_options){0};
	start("sleep 300 & printf r >&7; sleep 300; echo went on >&7");
	await_byte('r');
	kill_supervisor();
	assert_string_equal(rest(), "");
}

/* Everything in this tree goes on executing, forking and signalling. */
#define BUSY                                                                                       \
	"i=0; while [ $i -lt 60 ]; do printf . >&7; /bin/true || exit; (exit 3); "                 \
	"[ $? = 3 ] || exit; sleep 300 & kill $!; wait $!; [ $? = 143 ] || exit; "                 \
	"[ \"$(/bin/echo a | tr a b)\" = b ] || exit; i=$((i+1)); done; "

static void a_released_tree_goes_on_when_its_supervisor_is_killed(void **state)
{
	(void)state;
	for (int moment = 1; moment <= 40; moment += 3) {
		fate = (struct live_options){.on_exit = LIVE_RELEASE};
		start("exec 2>/dev/null; " BUSY "printf done >&7");
		for (int i = 0; i < moment; i++)
			await_byte('.');
		kill_supervisor();
		const char *text = rest();
		assert_int_equal(strspn(text, "."), 60 - moment);
		assert_string_equal(text + strspn(text, "."), "done");
	}
}

static void wait_for_death(PEPROCESS process, PPS_CREATE_NOTIFY_INFO info)
{
	(void)process;
	if (!matches("*\\env", info->ImageFileName))
		return;
	(void)!write(7, "c", 1);
	for (;;)
		pause();
}

/* The call had been received and was never answered. */
static void a_call_that_a_driver_was_asked_about_goes_on(void **state)
{
	(void)state;
	at_creation = wait_for_death;
	fate = (struct live_options){.on_exit = LIVE_RELEASE};
	start("env printf done >&7");
	await_byte('c');
	kill_supervisor();
	assert_string_equal(rest(), "done");
}

static void a_stopped_process_stays_stopped_when_released(void **state)
{
	(void)state;
	fate = (struct live_options){.on_exit = LIVE_RELEASE};
	start(RUNS "(read x <$FIFO; printf done >&7) & p=$!; kill -STOP $p; "
		   "until grep -q '^State:.[tT]' /proc/$p/status; do :; done; printf s >&7; "
		   "read x <$FIFO; grep -q '^State:.T' /proc/$p/status && printf stopped >&7; "
		   "kill -CONT $p; echo >$FIFO; wait");
	await_byte('s');
	kill_supervisor();
	int writer = open(fifo, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(writer, "\n", 1), 1);
	close(writer);
	assert_string_equal(rest(), "stoppeddone");
}

static void no_keeper_is_left_when_the_tree_ends_first(void **state)
{
	(void)state;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	fate = (struct live_options){.on_exit = LIVE_RELEASE};
	supervise_command((char *[]){"true", NULL}, &fate);
	assert_int_equal(outcome.failure, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void a_keeper_goes_when_the_released_tree_has_ended(void **state)
{
	(void)state;
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* the keeper becomes a child of ours */
	fate = (struct live_options){.on_exit = LIVE_RELEASE};
	start("printf r >&7; read x <$FIFO; /bin/true && printf done >&7");
	await_byte('r');
	kill_supervisor();
	int writer = open(fifo, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(writer, "\n", 1), 1);
	close(writer);
	assert_string_equal(rest(), "done");
	while (waitpid(-1, NULL, 0) > 0)
		; /* the keeper among them; it would hang here */
	assert_int_equal(errno, ECHILD);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

/* ---- After a bug check ---------------------------------------------------------------------- */

static void break_a_rule(PEPROCESS process, PPS_CREATE_NOTIFY_INFO info)
{
	(void)process;
	if (matches("*\\env", info->ImageFileName))
		KeEnterCriticalRegion(); /* and never leaves it: VF-5 */
}

static void break_a_rule_at_exit(PEPROCESS process)
{
	(void)process;
	KeEnterCriticalRegion();
}

static int end_of_supervisor(void)
{
	int status;
	waitpid(run.supervisor, &status, 0);
	return status;
}

static void a_bug_check_ends_the_tree(void **state)
{
	(void)state;
	at_creation = break_a_rule;
	fate = (struct live_options){0};
	start("(while :; do /bin/true; (exit 3); done) & setsid sleep 300 & "
	      "env true; printf never >&7; sleep 300");
	assert_string_equal(rest(), "");
	assert_exit(end_of_supervisor(), 97);
}

static void after_a_bug_check_the_tree_goes_on_without_drivers(void **state)
{
	(void)state;
	refuse = "*\\true";
	protect = "*\\sleep";
	at_creation = break_a_rule;
	fate = (struct live_options){.on_bugcheck = LIVE_RELEASE};
	start(RUNS "/bin/true && exit 1; sleep 300 & runs $! sleep; kill $! && exit 2; "
		   "env true || exit 3; /bin/true || exit 4; kill $! || exit 5; " BUSY "exit 42");
	assert_int_equal(strlen(rest()), 60);
	assert_exit(end_of_supervisor(), 42);
}

static void a_bug_check_at_the_last_exit_still_ends_the_run(void **state)
{
	(void)state;
	at_exit = break_a_rule_at_exit;
	fate = (struct live_options){0};
	start("exit 8");
	assert_string_equal(rest(), "");
	assert_exit(end_of_supervisor(), 8);
}

int main(int argc, char *argv[])
{
	static const struct act acts[] = {{NULL, NULL}};
	const struct CMUnitTest tests[] = {
		LIVE_TEST(the_tree_dies_with_its_supervisor),
		LIVE_TEST(a_released_tree_goes_on_when_its_supervisor_is_killed),
		LIVE_TEST(a_call_that_a_driver_was_asked_about_goes_on),
		LIVE_TEST(a_stopped_process_stays_stopped_when_released),
		LIVE_TEST(no_keeper_is_left_when_the_tree_ends_first),
		LIVE_TEST(a_keeper_goes_when_the_released_tree_has_ended),
		LIVE_TEST(a_bug_check_ends_the_tree),
		LIVE_TEST(after_a_bug_check_the_tree_goes_on_without_drivers),
		LIVE_TEST(a_bug_check_at_the_last_exit_still_ends_the_run),
	};
	maybe_act(acts, argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
