/* SPDX-License-Identifier: MIT */
/*
 * What supervision adds to what a program does, against what was promised.
 *
 * Every act is a small program that times itself, so that starting a supervisor is
 * not in the figures. It runs bare, under Ringside with a driver, and, where that
 * means something, under strace with its seccomp filter: in turn, all on one
 * processor, several times. The least time of each is taken, since whatever else
 * the machine does only adds.
 *
 * The unit R is a round trip through two pipes between two processes on that
 * processor, measured in the same run: what two changes of process cost there.
 *
 * Words after the program's name choose acts: bench-cost exec spawn.
 */
#include "bench/measure.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 9
#define WORDS 24
#define IDLE 2000

extern char **environ;

/* ---- Acts: each returns 0 when all went well ------------------------------------------- */

static char *const program[] = {(char[]){"true"}, NULL};

static int wait_for(pid_t child)
{
	int status;
	return child < 0 || waitpid(child, &status, 0) != child || status;
}

static void echo(int from, int to)
{
	char byte;
	while (read(from, &byte, 1) == 1 && write(to, &byte, 1) == 1)
		;
	_exit(0);
}

static int trip(unsigned times)
{
	static int there[2] = {-1, -1}, back[2];
	char byte = 0;
	if (there[0] < 0) {
		if (pipe(there) || pipe(back))
			return 1;
		if (fork() == 0) {
			close(there[1]);
			echo(there[0], back[1]);
		}
	}
	for (unsigned i = 0; i < times; i++)
		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			return 1;
	return 0;
}

static int call(unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		syscall(SYS_getppid);
	return 0;
}

static int handle(unsigned times)
{
	static pid_t target;
	if (!target && (target = fork()) == 0) {
		execlp("sleep", "sleep", "1000", NULL);
		_exit(127);
	}
	for (unsigned i = 0; i < times; i++)
		if (kill(target, 0))
			return 1;
	return 0;
}

static void *nothing(void *unused)
{
	return unused;
}

static int thread(unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		pthread_t id;
		if (pthread_create(&id, NULL, nothing, NULL) || pthread_join(id, NULL))
			return 1;
	}
	return 0;
}

static int fork_exit(unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		pid_t child = fork();
		if (child == 0)
			_exit(0);
		if (wait_for(child))
			return 1;
	}
	return 0;
}

static int fork_exec(unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		pid_t child = fork();
		if (child == 0) {
			execve("/usr/bin/true", program, environ);
			_exit(127);
		}
		if (wait_for(child))
			return 1;
	}
	return 0;
}

static int spawn(unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		pid_t child;
		if (posix_spawn(&child, "/usr/bin/true", NULL, NULL, program, environ) ||
		    wait_for(child))
			return 1;
	}
	return 0;
}

/* The same in a tree with many others that do nothing. */
static int crowd(unsigned times)
{
	static bool idle;
	for (int i = 0; i < IDLE && !idle; i++) {
		pid_t child = fork();
		if (child < 0)
			return 1;
		if (child == 0)
			for (;;)
				pause();
	}
	idle = true;
	return fork_exec(times);
}

/* What a configure script does, a thousand processes of it. */
static int script(unsigned times)
{
	static const char text[] =
		"cd \"$(mktemp -d)\" || exit 1; i=0\n"
		"while [ $i -lt 200 ]; do\n"
		"i=$(expr $i + 1) || exit 1\n"
		"echo \"int line_$i;\" | sed s/line/word/ >conftest.c || exit 1\n"
		"grep -q word conftest.c || exit 1\n"
		"rm -f conftest.c\n"
		"done; rm -r \"$PWD\"";
	char *const argv[] = {(char[]){"sh"}, (char[]){"-c"}, (char *)(uintptr_t)text, NULL};
	pid_t child;
	for (unsigned i = 0; i < times; i++)
		if (posix_spawn(&child, "/bin/sh", NULL, NULL, argv, environ) || wait_for(child))
			return 1;
	return 0;
}

static int find(unsigned times)
{
	char *const argv[] = {(char[]){"sh"}, (char[]){"-c"},
			      (char[]){"exec find /usr/share /usr/lib >/dev/null 2>&1"}, NULL};
	pid_t child;
	for (unsigned i = 0; i < times; i++)
		if (posix_spawn(&child, "/bin/sh", NULL, NULL, argv, environ) || wait_for(child))
			return 1;
	return 0;
}

/* ---- The promises ------------------------------------------------------------------------ */

static struct act {
	const char *name, *what;
	int (*play)(unsigned times);
	unsigned times;
	bool traced;       /* strace has a part in it */
	double most_trips; /* that are added, in R */
	double most_of_strace;
	double most_added; /* microseconds */
	double most_ratio;
	double most_of_exec; /* of the ratio that exec has */
} acts[] = {
	{"call", "another system call (getppid)", call, 200000, .most_added = 0.06},
	{"handle", "a handle-like call (kill)", handle, 2000, .most_trips = 1.2},
	{"thread", "thread create and exit", thread, 500, .most_trips = 4.5},
	{"fork", "fork and exit", fork_exit, 100, .traced = false},
	{"exec", "fork, exec and exit", fork_exec, 100, .traced = true, .most_trips = 11,
	 .most_of_strace = 0.45},
	{"spawn", "posix_spawn and exit", spawn, 100, .most_trips = 10},
	{"crowd", "fork, exec and exit among 2000 idle", crowd, 100, .most_of_exec = 1.05},
	{"script", "a script of 1000 processes", script, 1, .most_ratio = 1.08},
	{"find", "find", find, 1, .most_ratio = 1.03},
};
#define ACTS (sizeof(acts) / sizeof(*acts))

/* Prints nanoseconds for each time, the best of some goes; the first warms up. */
static int play(const char *name)
{
	const struct act *act = acts;
	struct act r = {.play = trip, .times = 5000};
	uint64_t best = UINT64_MAX;
	int failed = 0;
	while (act < acts + ACTS && strcmp(act->name, name))
		act++;
	if (act == acts + ACTS)
		act = &r;
	signal(SIGTERM, SIG_IGN);
	for (int go = 0; go < (act->times > 1 ? 4 : 1) && !failed; go++) {
		uint64_t began = host_clock();
		failed = act->play(act->times);
		uint64_t took = host_clock() - began;
		best = took < best ? took : best;
	}
	if (!failed)
		printf("%.1f\n", (double)best / act->times);
	fflush(stdout);
	if (getpgrp() == getpid()) /* those that were left waiting; the group is ours alone */
		kill(0, SIGKILL);
	return 1;
}

/* ---- Running them -------------------------------------------------------------------------- */

enum way { BARE, RINGSIDE, STRACE, WAYS };

static const char *const words[WAYS][WORDS] = {
	[BARE] = {NULL},
	[RINGSIDE] = {TEST_BUILD "/ringside", "run", "-q", TEST_BUILD "/drivers/warden.sys", "--",
		      NULL},
	[STRACE] = {"strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=execve,execveat,kill",
		    "-o", "/dev/null", "--", NULL},
};

/* Starts it with its output in a pipe; the pipe's end, or -1. */
static int start(enum way way, const char *self, const char *name, pid_t *child)
{
	const char *argv[WORDS + 4] = {NULL};
	posix_spawn_file_actions_t actions;
	unsigned count = 0;
	int ends[2], error;
	for (; words[way][count]; count++)
		argv[count] = words[way][count];
	argv[count] = "setsid";
	argv[count + 1] = self;
	argv[count + 2] = "play";
	argv[count + 3] = name;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	error = posix_spawnp(child, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv,
			     environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (!error)
		return ends[0];
	close(ends[0]);
	return -1;
}

/* Microseconds, or 0 when it cannot be run this way. */
static double measure(enum way way, const char *self, const char *name)
{
	char text[32] = "";
	pid_t child;
	int fd = start(way, self, name, &child);
	if (fd < 0)
		return 0;
	ssize_t length = read(fd, text, sizeof(text) - 1);
	close(fd);
	waitpid(child, NULL, 0);
	return length > 0 ? strtod(text, NULL) / 1000 : 0;
}

static double lesser(double old, double value)
{
	return value > 0 && (old == 0 || value < old) ? value : old;
}

static int promised(double value, double bound, const char *unit)
{
	if (bound > 0)
		printf("   %.2f %s (<= %.2f: %s)", value, unit, bound,
		       value <= bound ? "yes" : "NO");
	return bound > 0 && value > bound;
}

static int report(const struct act *act, const double best[WAYS], double trip_time)
{
	double added = best[RINGSIDE] - best[BARE], strace = best[STRACE] - best[BARE];
	static double ratio_of_exec;
	double ratio = best[RINGSIDE] / best[BARE];
	int broken = 0;
	if (best[BARE] == 0 || best[RINGSIDE] == 0) {
		printf("%-36s could not be run\n", act->what);
		return 1;
	}
	printf("%-36s %9.2f µs %+8.2f µs %6.2f R", act->what, best[BARE], added, added / trip_time);
	if (act->traced && best[STRACE] > 0)
		printf("   strace %+.0f µs", strace);
	broken |= promised(added / trip_time, act->most_trips, "R");
	if (act->traced && best[STRACE] > 0)
		broken |= promised(added / strace, act->most_of_strace, "of strace's");
	broken |= promised(added, act->most_added, "µs");
	broken |= promised(ratio, act->most_ratio, "x");
	if (act->play == fork_exec)
		ratio_of_exec = ratio;
	if (ratio_of_exec > 0)
		broken |= promised(ratio / ratio_of_exec, act->most_of_exec, "x exec alone");
	printf("\n");
	fflush(stdout);
	return broken;
}

static int compare(const char *self, const struct act *act)
{
	double best[WAYS] = {0}, trip_time = 0;
	for (unsigned round = 0; round < ROUNDS; round++) {
		trip_time = lesser(trip_time, measure(BARE, self, "trip"));
		for (enum way way = BARE; way < WAYS; way++)
			if (way != STRACE || act->traced)
				best[way] = lesser(best[way], measure(way, self, act->name));
	}
	return report(act, best, trip_time);
}

static bool chosen(int argc, char *argv[], const char *name)
{
	bool found = argc < 2;
	for (int i = 1; i < argc; i++)
		found |= !strcmp(argv[i], name);
	return found;
}

int main(int argc, char *argv[])
{
	char self[4096];
	cpu_set_t one;
	int broken = 0;
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (argc == 3 && strcmp(argv[1], "play") == 0)
		return play(argv[2]);
	if (length < 0)
		return 1;
	self[length] = '\0';
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	printf("What ringside run adds, on one processor, the least of %d runs:\n", ROUNDS);
	for (unsigned i = 0; i < ACTS; i++)
		if (chosen(argc, argv, acts[i].name))
			broken |= compare(self, &acts[i]);
	return broken;
}
