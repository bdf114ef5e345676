/* SPDX-License-Identifier: MIT */
/*
 * Bug checks as test results: the code under test runs in a forked child, whose
 * listener sends the bug check back.
 */
#ifndef RINGSIDE_TESTS_BUGCHECK_H
#define RINGSIDE_TESTS_BUGCHECK_H

#include <ringside/nt.h>
#include <stdbool.h>

struct bug_check_seen {
	bool happened;
	int wait_status; /* of the child, as waitpid gives it */
	/* The event; names instead of pointers. */
	ULONG code;
	ULONG64 parameter[4];
	ULONG64 address; /* to blame */
	ULONG64 offset;  /* of it in its module */
	char module[64], detail[256], callback[128];
	KIRQL irql;
	ULONG64 process_id, thread_id, host_id;
	unsigned frames;
	ULONG guessed;
	char frame[32][96]; /* "warden.sys+0x1234", innermost first */
	char report[4096];  /* as a person reads it */
};

/*
 * Runs fn(argument) in a child process and tells how it ended; a second event of a bug
 * check fails the test. A cmocka assertion that
 * fails in fn ends the child with SIGABRT.
 */
void run_for_bug_check(void (*fn)(void *), void *argument, struct bug_check_seen *seen);

/* The same, and fails the test unless there is that bug check and the child ends with
 * status 123. The result is valid until the next call. */
const struct bug_check_seen *expect_bug_check(ULONG code, void (*fn)(void *), void *argument);

/* Fails the test unless fn returns. */
void expect_no_bug_check(void (*fn)(void *), void *argument);

#endif
