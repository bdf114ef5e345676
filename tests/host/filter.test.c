/* SPDX-License-Identifier: MIT */
/* Programs that are asked: what they get, what is taken from them, and that they end. */
#include "filter.h"
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LONG 60000 /* nothing waits for its end */

static struct host_filter filter;

static int begin(void **state)
{
	(void)state;
	return host_filter_open(&filter);
}

static int end(void **state)
{
	(void)state;
	host_filter_close(&filter);
	return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? 0 : -1;
}

static int run(const char *script, unsigned patience)
{
	static const char *const programs[] = {"/no/such/program", "sh", NULL};
	char name[] = "sh", option[] = "-c", text[256];
	char *argv[] = {name, option, text, NULL};
	strcpy(text, script);
	return host_filter_run(&filter, programs, argv, patience);
}

static const char *next(void)
{
	static char line[16];
	return host_filter_get(&filter, line, sizeof(line)) ? line : NULL;
}

static void it_reads_what_was_put_and_is_read(void **state)
{
	(void)state;
	assert_true(host_filter_put(&filter, "one\ntw"));
	assert_true(host_filter_put(&filter, "o\n\nthree"));
	assert_int_equal(run("cat", LONG), 0);
	assert_string_equal(next(), "one");
	assert_string_equal(next(), "two");
	assert_string_equal(next(), "");
	assert_string_equal(next(), "three");
	assert_null(next());
}

static void long_lines_are_cut(void **state)
{
	(void)state;
	assert_int_equal(run("printf '%01000d\\nend' 7", LONG), 0);
	assert_string_equal(next(), "000000000000000");
	assert_string_equal(next(), "end");
	assert_null(next());
}

static void its_status_is_passed_on(void **state)
{
	(void)state;
	assert_int_equal(run("exit 5", LONG), 5);
}

static void a_program_that_is_not_there_is_told(void **state)
{
	static const char *const none[] = {"/no/such/program", "no-such-program-either", NULL};
	char name[] = "none", *argv[] = {name, NULL};
	(void)state;
	assert_int_equal(host_filter_run(&filter, none, argv, LONG), -ENOENT);
}

static void one_that_is_killed_has_failed(void **state)
{
	(void)state;
	assert_int_equal(run("kill -KILL $$", LONG), -EIO);
}

static void one_that_does_not_end_is_ended(void **state)
{
	(void)state;
	assert_int_equal(run("exec sleep 1000", 1), -EIO);
}

static void one_that_writes_for_ever_is_ended(void **state)
{
	(void)state;
	assert_int_not_equal(run("exec yes", LONG), 0);
}

static void it_blocks_no_signals_and_has_no_standard_error(void **state)
{
	sigset_t all, before;
	(void)state;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	int status = run("echo lost >&2; grep SigBlk /proc/self/status | cut -c 8-", LONG);
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(status, 0);
	assert_non_null(strstr(next(), "00000000000000"));
	assert_null(next());
}

#define FILTER_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILTER_TEST(it_reads_what_was_put_and_is_read),
		FILTER_TEST(long_lines_are_cut),
		FILTER_TEST(its_status_is_passed_on),
		FILTER_TEST(a_program_that_is_not_there_is_told),
		FILTER_TEST(one_that_is_killed_has_failed),
		FILTER_TEST(one_that_does_not_end_is_ended),
		FILTER_TEST(one_that_writes_for_ever_is_ended),
		FILTER_TEST(it_blocks_no_signals_and_has_no_standard_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
