/* SPDX-License-Identifier: MIT */
/*
 * On a terminal: an interactive shell that is supervised, and supervision as a job of
 * an interactive shell. Keys go in, and what must appear is waited for.
 */
#include "live/supervise.h"
#include <poll.h>
#include <pty.h>
#include <time.h>

/* ---- A conversation --------------------------------------------------------------------- */

#define KEY_INTERRUPT "\x03"
#define KEY_STOP "\x1a"
#define KEY_QUIT "\x1c"

struct line {
	const char *type, *expect; /* `expect` must come after `type` was typed */
};

static struct {
	int fd;
	pid_t pid;
	char text[65536];
	size_t length, seen;
} terminal;

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
	for (int i = 0; i < 100; i++) {
		const char *found = strstr(terminal.text + terminal.seen, text);
		if (found) {
			terminal.seen = (size_t)(found - terminal.text) + strlen(text);
			return;
		}
		read_more(100);
	}
	fail_msg("\"%s\" did not come; there was:\n%s", text, terminal.text);
}

static int converse(char *const argv[], const struct line *line)
{
	int status = -1;
	open_terminal(argv);
	for (; line->type; line++) {
		poll(NULL, 0, 150); /* a person's pace: the program that is to be hit has begun */
		assert_true(write(terminal.fd, line->type, strlen(line->type)) > 0);
		expect(line->expect);
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
	both((const struct line[]){{"echo 4$((1+1))\n", "42"},
				   {"cat\n", "cat"},
				   {"word\n", "word\r\nword"},
				   {"\x04", "> "},
				   {"exit 5\n", "exit"},
				   {NULL, NULL}},
	     5);
}

static void interrupt_and_quit_reach_the_program_in_front(void **state)
{
	(void)state;
	both((const struct line[]){{"sleep 30\n", "sleep 30"},
				   {KEY_INTERRUPT, "> "},
				   {"echo st=$?\n", "st=130"},
				   {"ulimit -c 0; sleep 30\n", "sleep 30"},
				   {KEY_QUIT, "> "},
				   {"echo st=$?\n", "st=131"},
				   {"exit 6\n", "exit"},
				   {NULL, NULL}},
	     6);
}

static void jobs_stop_and_go_on(void **state)
{
	(void)state;
	both((const struct line[]){{"sleep 30\n", "sleep 30"},
				   {KEY_STOP, "Stopped"},
				   {"bg\n", "sleep 30 &"},
				   {"jobs\n", "Running"},
				   {"kill %1; wait %1; echo st=$?\n", "st=143"},
				   {"cat | tr a-z A-Z\n", "cat"},
				   {KEY_STOP, "Stopped"},
				   {"fg\n", "tr a-z A-Z"},
				   {"word\n", "word"},
				   {"\x04", "WORD"},
				   {"exit 7\n", "exit"},
				   {NULL, NULL}},
	     7);
}

static void supervision_is_a_job_like_any_other(void **state)
{
	(void)state;
	int status = converse(shell,
			      (const struct line[]){{"$ACT supervise sleep 30\n", "sleep 30"},
						    {KEY_STOP, "Stopped"},
						    {"jobs\n", "Stopped"},
						    {"fg\n", "supervise sleep 30"},
						    {KEY_INTERRUPT, "> "},
						    {"echo st=$?\n", "st=130"},
						    {"$ACT supervise sleep 0.5\n", "sleep 0.5"},
						    {KEY_STOP, "Stopped"},
						    {"bg\n", "&"},
						    {"wait; echo st=$?\n", "st=0"},
						    {"exit 8\n", "exit"},
						    {NULL, NULL}});
	assert_int_equal(WEXITSTATUS(status), 8);
}

static void a_command_in_the_background_stops_when_it_reads(void **state)
{
	(void)state;
	int status = converse(shell, (const struct line[]){{"$ACT supervise cat &\n", "> "},
							   {"sleep 0.3; jobs\n", "Stopped"},
							   {"fg\n", "supervise cat"},
							   {"word\n", "word\r\nword"},
							   {"\x04", "> "},
							   {"exit 9\n", "exit"},
							   {NULL, NULL}});
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
