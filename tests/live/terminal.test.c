/* SPDX-License-Identifier: MIT */
/*
 * On a terminal: an interactive shell that is supervised, and supervision as a job of
 * an interactive shell. Keys go in, and what must appear is waited for. A key that
 * signals the foreground is typed only when the program that it is meant for is there.
 */
#include "live/supervise.h"
#include <dirent.h>
#include <poll.h>
#include <pty.h>
#include <sys/stat.h>

/* ---- A conversation --------------------------------------------------------------------- */

#define KEY_INTERRUPT "\x03"
#define KEY_STOP "\x1a"
#define KEY_QUIT "\x1c"

/* `expect` must come after `type` was typed, and then the foreground must be these
 * programs', with spaces between them; NULL: the shell's. */
struct line {
	const char *type, *expect, *front;
};

static struct {
	int fd;
	pid_t pid;
	char text[65536];
	size_t length, seen;
} terminal;

static const char *waited_for;

/* A conversation that hangs says what it was waiting for. */
static void give_up(int signal)
{
	static const char what[] = "\nnever came: ", after[] = "\nthere was:\n";
	(void)signal;
	(void)!write(2, what, sizeof what - 1);
	(void)!write(2, waited_for, strlen(waited_for));
	(void)!write(2, after, sizeof after - 1);
	(void)!write(2, terminal.text, terminal.length);
	_exit(1);
}

static void open_terminal(char *const argv[])
{
	memset(&terminal, 0, sizeof terminal);
	fflush(NULL);
	terminal.pid = forkpty(&terminal.fd, NULL, NULL, NULL);
	if (terminal.pid == 0) {
		setenv("PS1", "> ", 1);
		setenv("TERM", "dumb", 1);
		unsetenv("HISTFILE");
		execvp(argv[0], argv);
		_exit(127);
	}
	assert_true(terminal.pid > 0);
	signal(SIGALRM, give_up);
	alarm(PATIENCE);
}

static void read_more(int milliseconds)
{
	struct pollfd wait = {.fd = terminal.fd, .events = POLLIN};
	if (poll(&wait, 1, milliseconds) <= 0)
		return;
	ssize_t n = read(terminal.fd, terminal.text + terminal.length,
			 sizeof terminal.text - 1 - terminal.length);
	if (n > 0)
		terminal.length += (size_t)n;
	else
		poll(NULL, 0, milliseconds); /* closed at the other end */
}

static void expect(const char *text)
{
	for (;;) { /* until the alarm */
		const char *found = strstr(terminal.text + terminal.seen, text);
		if (found) {
			terminal.seen = (size_t)(found - terminal.text) + strlen(text);
			return;
		}
		waited_for = text;
		read_more(100);
	}
}

/* Whether a program of that name is in the foreground, its exec done. */
static bool is_in_front(const char *program, size_t length)
{
	pid_t front = tcgetpgrp(terminal.fd);
	DIR *proc = opendir("/proc");
	bool found = false;
	for (struct dirent *entry; !found && (entry = readdir(proc));) {
		char path[280], name[32];
		pid_t pid = atoi(entry->d_name);
		if (pid <= 0 || getpgid(pid) != front)
			continue;
		snprintf(path, sizeof path, "/proc/%d/comm", pid);
		FILE *file = fopen(path, "r");
		found = file && fgets(name, sizeof name, file) && strlen(name) == length + 1 &&
			!memcmp(name, program, length);
		if (file)
			fclose(file);
	}
	closedir(proc);
	return found;
}

static void expect_in_front(const char *programs)
{
	while (*programs) {
		size_t length = strcspn(programs, " ");
		while (!is_in_front(programs, length)) {
			waited_for = programs;
			read_more(10);
		}
		programs += length + strspn(programs + length, " ");
	}
}

static int converse(char *const argv[], const struct line *line)
{
	int status = -1;
	open_terminal(argv);
	expect("> ");
	for (; line->type; line++) {
		assert_true(write(terminal.fd, line->type, strlen(line->type)) > 0);
		expect(line->expect);
		if (line[1].type)
			expect_in_front(line->front ? line->front : "bash");
	}
	while (waitpid(terminal.pid, &status, WNOHANG) == 0)
		read_more(20);
	close(terminal.fd);
	alarm(0);
	return status;
}

/* The shell, and the shell supervised. */
static char *const shell[] = {"bash", "--norc", "--noprofile", "-i", NULL};
static char *const supervised_shell[] = {"sh", "-c",
					 "exec $ACT supervise bash --norc --noprofile -i", NULL};

static void both(const struct line *lines, int code)
{
	for (int i = 0; i < 2; i++) {
		int status = converse(i ? supervised_shell : shell, lines);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), code);
	}
}

/* ---- The tests ---------------------------------------------------------------------------- */

static void an_interactive_shell_works_as_ever(void **state)
{
	(void)state;
	both((const struct line[]){{"echo 4$((1+1))\n", "42", NULL},
				   {"cat\n", "cat", "cat"},
				   {"word\n", "word\r\nword", "cat"},
				   {"\x04", "> ", NULL},
				   {"exit 5\n", "exit", NULL},
				   {NULL, NULL, NULL}},
	     5);
}

static void interrupt_and_quit_reach_the_program_in_front(void **state)
{
	(void)state;
	both((const struct line[]){{"sleep 300\n", "sleep 300", "sleep"},
				   {KEY_INTERRUPT, "> ", NULL},
				   {"echo st=$?\n", "st=130", NULL},
				   {"ulimit -c 0; sleep 300\n", "sleep 300", "sleep"},
				   {KEY_QUIT, "> ", NULL},
				   {"echo st=$?\n", "st=131", NULL},
				   {"exit 6\n", "exit", NULL},
				   {NULL, NULL, NULL}},
	     6);
}

static void jobs_stop_and_go_on(void **state)
{
	(void)state;
	both((const struct line[]){{"sleep 300\n", "sleep 300", "sleep"},
				   {KEY_STOP, "Stopped", NULL},
				   {"bg\n", "sleep 300 &", NULL},
				   {"jobs\n", "Running", NULL},
				   {"kill %1; wait %1; echo st=$?\n", "st=143", NULL},
				   {"cat | tr a-z A-Z\n", "cat", "cat tr"},
				   {KEY_STOP, "Stopped", NULL},
				   {"fg\n", "tr a-z A-Z", "cat tr"},
				   {"word\n", "word", "cat tr"},
				   {"\x04", "WORD", NULL},
				   {"exit 7\n", "exit", NULL},
				   {NULL, NULL, NULL}},
	     7);
}

static void supervision_is_a_job_like_any_other(void **state)
{
	static char pipe[64];
	(void)state;
	snprintf(pipe, sizeof pipe, "/tmp/ringside-terminal-%d", getpid());
	assert_int_equal(mkfifo(pipe, 0600), 0);
	setenv("FIFO", pipe, 1);
	int status = converse(
		shell, (const struct line[]){{"$ACT supervise sleep 300\n", "sleep 300", "sleep"},
					     {KEY_STOP, "Stopped", NULL},
					     {"jobs\n", "Stopped", NULL},
					     {"fg\n", "supervise sleep", "sleep"},
					     {KEY_INTERRUPT, "> ", NULL},
					     {"echo st=$?\n", "st=130", NULL},
					     {"$ACT supervise cat $FIFO\n", "cat", "cat"},
					     {KEY_STOP, "Stopped", NULL},
					     {"bg\n", "&", NULL},
					     {": >$FIFO; wait; echo st=$?\n", "st=0", NULL},
					     {"exit 8\n", "exit", NULL},
					     {NULL, NULL, NULL}});
	unlink(pipe);
	assert_int_equal(WEXITSTATUS(status), 8);
}

static void a_command_in_the_background_stops_when_it_reads(void **state)
{
	(void)state;
	int status = converse(
		shell,
		(const struct line[]){{"$ACT supervise cat &\n", "> ", NULL},
				      {"until jobs -s | grep -q cat; do sleep 0.05; done; jobs\n",
				       "Stopped", NULL},
				      {"fg\n", "supervise cat", "cat"},
				      {"word\n", "word\r\nword", "cat"},
				      {"\x04", "> ", NULL},
				      {"exit 9\n", "exit", NULL},
				      {NULL, NULL, NULL}});
	assert_int_equal(WEXITSTATUS(status), 9);
}

int main(int argc, char *argv[])
{
	static const struct act acts[] = {{"supervise", act_supervise}, {NULL, NULL}};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_interactive_shell_works_as_ever),
		cmocka_unit_test(interrupt_and_quit_reach_the_program_in_front),
		cmocka_unit_test(jobs_stop_and_go_on),
		cmocka_unit_test(supervision_is_a_job_like_any_other),
		cmocka_unit_test(a_command_in_the_background_stops_when_it_reads),
	};
	maybe_act(acts, argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
