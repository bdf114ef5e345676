/* SPDX-License-Identifier: MIT */
/*
 * What a supervised tree costs: a storm of fork and exec, bare, under Ringside, and
 * under strace with its seccomp filter.
 *
 * The storm times itself, so that starting the supervisor is not in the figures. The
 * alternatives run in turn. On one processor the figures are steady; on several, a
 * wake-up of another processor costs many times the work, and they say as much about
 * the machine's idle states as about the supervisor.
 */
#include "bench/measure.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 100
#define ROUNDS 15
#define WORDS 24

extern char **environ;

/* Prints nanoseconds for each process. */
static int storm(unsigned processes)
{
	char *const argv[] = {(char[]){"true"}, NULL};
	uint64_t began = host_clock();
	for (unsigned i = 0; i < processes; i++) {
		pid_t child = fork();
		if (child == 0) {
			execve("/usr/bin/true", argv, environ);
			_exit(127);
		}
		if (child < 0 || waitpid(child, NULL, 0) != child)
			return 1;
	}
	printf("%lu\n", (unsigned long)((host_clock() - began) / processes));
	return 0;
}

struct way {
	const char *name;
	const char *words[WORDS];
	struct bench_series time, ratio;
};

static struct way ways[] = {
	{.name = "bare"},
	{.name = "ringside run, no driver", .words = {TEST_BUILD "/ringside", "run", "-q", "--"}},
	{.name = "ringside run warden.sys",
	 .words = {TEST_BUILD "/ringside", "run", "-q", TEST_BUILD "/drivers/warden.sys", "--"}},
	{.name = "strace -f --seccomp-bpf",
	 .words = {"strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=execve,execveat,kill", "-o",
		   "/dev/null", "--"}},
};
#define WAYS (sizeof(ways) / sizeof(*ways))

/* Starts the storm this way with its output in a pipe; the pipe's end, or -1. */
static int start(const struct way *way, const char *self, pid_t *child)
{
	const char *argv[WORDS + 3] = {NULL};
	posix_spawn_file_actions_t actions;
	unsigned count = 0;
	int ends[2], error;
	for (; way->words[count]; count++)
		argv[count] = way->words[count];
	argv[count] = self;
	argv[count + 1] = "storm";
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

/* Microseconds for each process, or 0 when it cannot be run this way. */
static double measure(const struct way *way, const char *self)
{
	char text[32] = "";
	pid_t child;
	int status, fd = start(way, self, &child);
	if (fd < 0)
		return 0;
	ssize_t length = read(fd, text, sizeof(text) - 1);
	close(fd);
	waitpid(child, &status, 0);
	return length > 0 && status == 0 ? strtod(text, NULL) / 1000 : 0;
}

static void compare(const char *self)
{
	for (unsigned i = 0; i < WAYS; i++)
		ways[i].time.count = ways[i].ratio.count = 0;
	for (unsigned round = 0; round < ROUNDS; round++) {
		double bare = 0;
		for (unsigned i = 0; i < WAYS; i++) {
			double time = measure(&ways[i], self);
			bare = i == 0 ? time : bare;
			if (time == 0)
				continue;
			bench_note(&ways[i].time, time);
			bench_note(&ways[i].ratio, time / bare);
		}
	}
}

static int report(const char *where)
{
	double bare = bench_median(&ways[0].time);
	printf("fork, exec and exit of /usr/bin/true, %s, median of %d storms of %d:\n", where,
	       ROUNDS, PROCESSES);
	for (unsigned i = 0; i < WAYS; i++) {
		double time = bench_median(&ways[i].time);
		if (time == 0)
			printf("  %-42s could not be run\n", ways[i].name);
		else
			printf("  %-42s %6.0f µs   %+6.0f µs  %6.2f x\n", ways[i].name, time,
			       time - bare, bench_median(&ways[i].ratio));
	}
	return bare == 0;
}

int main(int argc, char *argv[])
{
	cpu_set_t one, all;
	char self[4096];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (argc > 1 && strcmp(argv[1], "storm") == 0)
		return storm(PROCESSES);
	if (length < 0 || sched_getaffinity(0, sizeof(all), &all) != 0)
		return 1;
	self[length] = '\0';
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	compare(self);
	int failed = report("on one processor");
	sched_setaffinity(0, sizeof(all), &all);
	compare(self);
	return failed | report("wherever the scheduler puts it");
}
