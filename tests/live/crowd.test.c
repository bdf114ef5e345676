/* SPDX-License-Identifier: MIT */
/*
 * A tree of so many tasks that the tracer does not look through all of them at every
 * report: nothing is missed all the same.
 */
#include "live/supervise.h"
#include "source/live/await.h"

#define IDLE 250
_Static_assert(IDLE > 2 * LIVE_MANY, "a crowd");

static int act_crowd(int argc, char *argv[])
{
	pid_t idle[IDLE];
	(void)argc;
	for (int i = 0; i < IDLE; i++) {
		idle[i] = fork();
		if (idle[i] == 0)
			for (;;)
				pause();
	}
	int failed = system(argv[1]);
	for (int i = 0; i < IDLE; i++)
		kill(idle[i], SIGKILL);
	for (int i = 0; i < IDLE; i++)
		if (waitpid(idle[i], NULL, 0) != idle[i])
			return 1;
	return failed != 0;
}

/* Of which each is its parent's only child at a time, and then several at once. */
static void every_life_in_a_crowd_is_told(void **state)
{
	(void)state;
	assert_exit(supervise("$ACT crowd 'for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true; done; "
			      "for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true & done; wait'"),
		    0);
	assert_int_equal(count_of(RS_PROCESS_CREATED, "*\\true"), 20);
	assert_int_equal(count_of(RS_PROCESS_EXITED, "*\\true"), 20);
	assert_int_equal(count_of(RS_THREAD_CREATED, "*"), count_of(RS_THREAD_EXITED, "*"));
}

static void pipes_and_signals_work_in_a_crowd(void **state)
{
	(void)state;
	assert_exit(supervise("$ACT crowd 'echo abc | tr a-z A-Z | cat; sleep 1000 & kill $!; "
			      "wait $! 2>/dev/null; test $? = 143'"),
		    0);
	assert_string_equal(outcome.output, "ABC\n");
}

/* The crowd ends all at once. */
static void a_crowd_that_is_killed_ends(void **state)
{
	(void)state;
	assert_exit(supervise("trap : TERM; $ACT crowd 'kill 0'; exit 7"), 7);
	assert_int_equal(count_of(RS_THREAD_CREATED, "*"), count_of(RS_THREAD_EXITED, "*"));
}

int main(int argc, char *argv[])
{
	static const struct act acts[] = {{"crowd", act_crowd}, {NULL, NULL}};
	const struct CMUnitTest tests[] = {
		LIVE_TEST(every_life_in_a_crowd_is_told),
		LIVE_TEST(pipes_and_signals_work_in_a_crowd),
		LIVE_TEST(a_crowd_that_is_killed_ends),
	};
	maybe_act(acts, argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
