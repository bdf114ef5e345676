/* SPDX-License-Identifier: MIT */
#include "support/bugcheck.h"
#include "ke/report.h"
#include "ke/symbol.h"
#include "ldr/module.h"
#include <ringside/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
/* last: needs what is above */
#include <cmocka.h>

static void copy_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

static void send_bug_check(void *context, const struct rs_event *event)
{
	static struct bug_check_seen seen;
	const struct rs_stack *stack = &event->bug_check.stack;
	if (event->type != RS_BUG_CHECK)
		return;
	seen.happened = true;
	seen.code = event->bug_check.code;
	memcpy(seen.parameter, event->bug_check.parameter, sizeof(seen.parameter));
	seen.address = (uintptr_t)event->bug_check.address;
	if (event->bug_check.module) {
		const struct ldr_module *module = (const void *)event->bug_check.module;
		copy_text(seen.module, sizeof(seen.module), module->name);
		seen.offset = seen.address - (uintptr_t)module->entry.DllBase;
	}
	copy_text(seen.detail, sizeof(seen.detail), event->bug_check.detail);
	copy_text(seen.callback, sizeof(seen.callback), event->bug_check.callback);
	seen.irql = event->bug_check.irql;
	seen.process_id = event->bug_check.process_id;
	seen.thread_id = event->bug_check.thread_id;
	seen.host_id = event->bug_check.host_id;
	seen.frames = stack->count;
	seen.guessed = stack->guessed;
	for (unsigned i = 0; i < stack->count; i++)
		ke_name_address(seen.frame[i], sizeof(seen.frame[i]), stack->frame[i],
				i + 1 < stack->count ? stack->frame[i + 1] : NULL);
	ke_format_bug_check(seen.report, sizeof(seen.report), event);
	(void)!write(*(int *)context, &seen, sizeof(seen));
}

static _Noreturn void run_child(void (*fn)(void *), void *argument, int pipe_end)
{
	/* A failing assertion must not jump back into the parent's test loop. */
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	if (rs_listen(send_bug_check, &pipe_end))
		abort();
	fn(argument);
	_exit(0);
}

void run_for_bug_check(void (*fn)(void *), void *argument, struct bug_check_seen *seen)
{
	int pipe_ends[2];
	size_t received = 0;
	ssize_t count;

	memset(seen, 0, sizeof(*seen));
	assert_int_equal(pipe(pipe_ends), 0);
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child)
		run_child(fn, argument, pipe_ends[1]);
	close(pipe_ends[1]);
	while (received < sizeof(*seen) &&
	       (count = read(pipe_ends[0], (char *)seen + received, sizeof(*seen) - received)) > 0)
		received += (size_t)count;
	bool more = received == sizeof(*seen) && read(pipe_ends[0], &count, 1) == 1;
	close(pipe_ends[0]);
	assert_true(received == 0 || received == sizeof(*seen));
	assert_false(more);
	assert_int_equal(waitpid(child, &seen->wait_status, 0), child);
}

const struct bug_check_seen *expect_bug_check(ULONG code, void (*fn)(void *), void *argument)
{
	static struct bug_check_seen seen;
	run_for_bug_check(fn, argument, &seen);
	if (!seen.happened)
		fail_msg("no bug check; wait status 0x%x", (unsigned)seen.wait_status);
	if (seen.code != code)
		fail_msg("bug check 0x%x instead of 0x%x:\n%s", seen.code, code, seen.report);
	assert_true(WIFEXITED(seen.wait_status));
	assert_int_equal(WEXITSTATUS(seen.wait_status), 123);
	return &seen;
}

void expect_no_bug_check(void (*fn)(void *), void *argument)
{
	struct bug_check_seen seen;
	run_for_bug_check(fn, argument, &seen);
	if (seen.happened)
		fail_msg("%s", seen.report);
	assert_int_equal(seen.wait_status, 0);
}
