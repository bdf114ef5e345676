/* SPDX-License-Identifier: MIT */
/*
 * Input and output are files in memory: neither side can wait for the other, however much
 * is written. The child is made by _Fork, which runs no handlers and takes no locks, and
 * does nothing but what a signal handler may do until it executes the program.
 */
#include "filter.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_MEMORY ((rlim_t)4 << 30)
#define MOST_SECONDS 60
#define MOST_OUTPUT ((rlim_t)64 << 20)

/* What a shell gives when there is no such program. */
#define NOT_FOUND 127

int host_filter_open(struct host_filter *filter)
{
	*filter = (struct host_filter){
		.input = memfd_create("filter-input", MFD_CLOEXEC),
		.output = memfd_create("filter-output", MFD_CLOEXEC),
	};
	if (filter->input >= 0 && filter->output >= 0)
		return 0;
	int error = -errno;
	host_filter_close(filter);
	return error;
}

void host_filter_close(struct host_filter *filter)
{
	if (filter->input >= 0)
		close(filter->input);
	if (filter->output >= 0)
		close(filter->output);
}

bool host_filter_put(struct host_filter *filter, const char *text)
{
	size_t length = strlen(text);
	while (length) {
		ssize_t written = write(filter->input, text, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		text += written;
		length -= (size_t)written;
	}
	return true;
}

/* A file that it reads can be made to make it use very much. */
static void limit(int resource, rlim_t most)
{
	struct rlimit limits = {most, most};
	setrlimit(resource, &limits);
}

static _Noreturn void run_child(const struct host_filter *filter, const char *const *programs,
				char *argv[])
{
	sigset_t none;
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	limit(RLIMIT_AS, MOST_MEMORY);
	limit(RLIMIT_CPU, MOST_SECONDS);
	limit(RLIMIT_FSIZE, MOST_OUTPUT);
	limit(RLIMIT_CORE, 0);
	if (lseek(filter->input, 0, SEEK_SET) == 0 && dup2(filter->input, 0) == 0 &&
	    dup2(filter->output, 1) == 1 && dup2(nowhere, 2) == 2) {
		for (; *programs; programs++)
			execvp(*programs, argv);
	}
	_exit(NOT_FOUND);
}

/* Without pidfd_open there is a limit on its processor time all the same. */
static void end_if_slow(pid_t child, unsigned patience)
{
	struct pollfd end = {.fd = pidfd_open(child, 0), .events = POLLIN};
	int ready;
	if (end.fd < 0)
		return;
	do
		ready = poll(&end, 1, (int)patience);
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		kill(child, SIGKILL);
	close(end.fd);
}

int host_filter_run(struct host_filter *filter, const char *const *programs, char *argv[],
		    unsigned patience)
{
	int status, saved = errno;
	pid_t child = _Fork();
	if (child == 0)
		run_child(filter, programs, argv);
	if (child < 0)
		return -errno;
	end_if_slow(child, patience);
	pid_t ended;
	do
		ended = waitpid(child, &status, 0);
	while (ended < 0 && errno == EINTR);
	errno = saved;
	if (ended != child || !WIFEXITED(status))
		return -EIO;
	return WEXITSTATUS(status) == NOT_FOUND ? -ENOENT : WEXITSTATUS(status);
}

bool host_filter_get(struct host_filter *filter, char *line, size_t size)
{
	char part[256];
	size_t length = 0;
	for (;;) {
		ssize_t got = pread(filter->output, part, sizeof(part), (off_t)filter->read);
		if (got <= 0)
			break;
		const char *newline = memchr(part, '\n', (size_t)got);
		size_t taken = newline ? (size_t)(newline - part) : (size_t)got;
		size_t kept = taken < size - 1 - length ? taken : size - 1 - length;
		memcpy(line + length, part, kept);
		length += kept;
		filter->read += taken + (newline != NULL);
		if (newline) {
			line[length] = '\0';
			return true;
		}
	}
	line[length] = '\0';
	return length > 0;
}
