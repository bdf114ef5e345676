/* SPDX-License-Identifier: MIT */
/* How a bug check is told and how it leaves the kernel. */
#include "ke/bugcheck.h"
#include "ke/callout.h"
#include "support/asmdriver.h"
#include "support/bugcheck.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
/* last: needs what is above */
#include <cmocka.h>

DRIVER_BEGIN();
DRIVER_FUNCTION(read_it, "mov eax, [rcx]");
DRIVER_END();

/* ---- Callouts ----------------------------------------------------------------------- */

enum misdeed { LEAVES_IRQL_RAISED, LEAVES_CRITICAL_REGION, LEAVES_GUARDED_REGION, LEAVES_TWICE };

static void misbehave(void *argument)
{
	struct ke_callout callout;
	ke_callout_begin(&callout, "misbehaving routine", (void *)read_it, APC_LEVEL);
	switch (*(enum misdeed *)argument) {
	case LEAVES_IRQL_RAISED:
		KfRaiseIrql(DISPATCH_LEVEL);
		break;
	case LEAVES_CRITICAL_REGION:
		KeEnterCriticalRegion();
		KeEnterCriticalRegion();
		break;
	case LEAVES_GUARDED_REGION:
		KeEnterGuardedRegion();
		break;
	case LEAVES_TWICE: /* the region is the caller's, so only the return shows it */
		KeLeaveCriticalRegion();
		break;
	}
	ke_callout_end(&callout, APC_LEVEL);
}

static const struct bug_check_seen *expect_misdeed(ULONG code, enum misdeed misdeed)
{
	const struct bug_check_seen *seen = expect_bug_check(code, misbehave, &misdeed);
	assert_string_equal(seen->module, "asm.sys");
	assert_string_equal(seen->callback, "misbehaving routine");
	assert_int_equal(seen->address, (uintptr_t)read_it);
	return seen;
}

static void vf_4_another_irql_at_return_is_c8(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_misdeed(0xC8, LEAVES_IRQL_RAISED);
	assert_int_equal(seen->parameter[0], DISPATCH_LEVEL << 16 | APC_LEVEL << 8 | 2);
	assert_int_equal(seen->parameter[1], (uintptr_t)read_it);
	assert_string_equal(seen->detail, "misbehaving routine was called at IRQL 1 and returned "
					  "at IRQL 2");
}

static void vf_5_another_apc_count_at_return_is_1(void **state)
{
	(void)state;
	const struct bug_check_seen *seen = expect_misdeed(0x1, LEAVES_CRITICAL_REGION);
	assert_int_equal(seen->parameter[2], 0x0000FFFE);
	assert_non_null(strstr(seen->detail, "2 critical and 0 guarded regions too many"));
	seen = expect_misdeed(0x1, LEAVES_GUARDED_REGION);
	assert_int_equal(seen->parameter[2], 0xFFFF0000);
	seen = expect_misdeed(0x1, LEAVES_TWICE);
	assert_int_equal(seen->parameter[2], 0x00000001);
}

/* ---- Guards ------------------------------------------------------------------------- */

static void check_in(void *code)
{
	KE_BUG_CHECK(*(ULONG *)code, 1, 2, 3, 4, "on purpose");
}

static void do_nothing(void *unused)
{
	(void)unused;
}

static void fault_in_callout(void *unused)
{
	(void)unused;
	struct ke_callout callout;
	ke_callout_begin(&callout, "test routine", (void *)read_it, DISPATCH_LEVEL);
	read_it(0, 0);
	ke_callout_end(&callout, DISPATCH_LEVEL);
}

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void survive_bug_checks(void *unused)
{
	(void)unused;
	ULONG code = KE_BAD_POOL_CALLER;
	require(ke_guard(do_nothing, NULL));
	require(!rs_crashed());
	require(!ke_guard(fault_in_callout, NULL));
	require(rs_crashed());
	require(KeGetCurrentIrql() == PASSIVE_LEVEL);
	require(ke_processor()->callout == NULL);
	require(ke_processor()->guard == NULL);
	require(!ke_guard(check_in, &code)); /* leaves, though it is not told */
}

static void guard_is_left_alive_and_with_the_state_it_had(void **state)
{
	(void)state;
	struct bug_check_seen seen;
	run_for_bug_check(survive_bug_checks, NULL, &seen);
	assert_int_equal(seen.wait_status, 0);
	assert_int_equal(seen.code, 0xD1);
}

static void guard_inside(void *unused)
{
	(void)unused;
	ULONG code = KE_BAD_POOL_CALLER;
	require(!ke_guard(check_in, &code));
	require(ke_processor()->guard != NULL);
}

static void nest_guards(void *unused)
{
	(void)unused;
	require(ke_guard(guard_inside, NULL));
	require(ke_processor()->guard == NULL);
}

static void innermost_guard_catches(void **state)
{
	(void)state;
	struct bug_check_seen seen;
	run_for_bug_check(nest_guards, NULL, &seen);
	assert_int_equal(seen.wait_status, 0);
	assert_int_equal(seen.code, 0xC2);
	assert_int_equal(seen.parameter[3], 4);
}

/* ---- Telling ------------------------------------------------------------------------ */

/* What fn prints to standard error in a child without the usual listener. */
static int capture_stderr(void (*fn)(void *), void *argument, char *text, size_t size)
{
	int ends[2], status;
	size_t length = 0;
	ssize_t count;
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (!child) {
		dup2(ends[1], STDERR_FILENO);
		fn(argument);
		_exit(0);
	}
	close(ends[1]);
	while ((count = read(ends[0], text + length, size - 1 - length)) > 0)
		length += (size_t)count;
	text[length] = '\0';
	close(ends[0]);
	waitpid(child, &status, 0);
	return status;
}

static void bug_check_that_nobody_hears_goes_to_standard_error(void **state)
{
	(void)state;
	char text[4096];
	ULONG code = KE_BAD_POOL_CALLER;
	int status = capture_stderr(check_in, &code, text, sizeof(text));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 123);
	assert_ptr_equal(strstr(text, "*** BUG CHECK 0xC2 BAD_POOL_CALLER (0000000000000001, "
				      "0000000000000002, 0000000000000003, 0000000000000004)\n"
				      "    on purpose\n"),
			 text);
}

static void fail_in_listener(void *context, const struct rs_event *event)
{
	(void)context;
	if (event->type == RS_BUG_CHECK)
		KE_BUG_CHECK(KE_REFERENCE_BY_POINTER, 0, 0, 0, 0, "in a listener");
}

static void check_with_failing_listener(void *unused)
{
	(void)unused;
	ULONG code = KE_BAD_POOL_CALLER;
	rs_listen(fail_in_listener, NULL);
	check_in(&code);
}

static void bug_check_in_a_listener_ends_at_once(void **state)
{
	(void)state;
	char text[4096];
	int status = capture_stderr(check_with_failing_listener, NULL, text, sizeof(text));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 123);
	assert_non_null(strstr(text, "BUG CHECK 0x18 "));
	assert_non_null(strstr(text, "in a listener"));
}

static void unknown_codes_have_a_name_too(void **state)
{
	(void)state;
	assert_string_equal(ke_bug_check_name(0xD1), "DRIVER_IRQL_NOT_LESS_OR_EQUAL");
	assert_string_equal(ke_bug_check_name(0x12345), "UNKNOWN_BUG_CHECK");
}

static void assert_our_own(void *unused)
{
	(void)unused;
	KE_ASSERT(1 + 1 == 3);
}

static void broken_assertion_says_where_and_aborts(void **state)
{
	(void)state;
	char text[4096];
	int status = capture_stderr(assert_our_own, NULL, text, sizeof(text));
	assert_non_null(strstr(text, "bugcheck.test.c:"));
	assert_non_null(strstr(text, "assertion failed: 1 + 1 == 3"));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

/* ---- Threads ------------------------------------------------------------------------- */

static pthread_barrier_t both;

static void *check_on_thread(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&both);
	require(!ke_guard(fault_in_callout, NULL));
	return NULL;
}

static void check_on_two_threads(void *unused)
{
	pthread_t thread;
	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&thread, NULL, check_on_thread, unused);
	check_on_thread(unused);
	pthread_join(thread, NULL);
}

/* run_for_bug_check insists on exactly one event. */
static void only_the_first_of_two_bug_checks_is_told(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		struct bug_check_seen seen;
		run_for_bug_check(check_on_two_threads, NULL, &seen);
		assert_true(seen.happened);
		assert_int_equal(seen.wait_status, 0);
	}
}

static int boot(void **state)
{
	(void)state;
	int error = rs_boot(NULL);
	return error ? error : declare_asm_driver();
}

static int shut_down(void **state)
{
	(void)state;
	rs_shutdown();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vf_4_another_irql_at_return_is_c8),
		cmocka_unit_test(vf_5_another_apc_count_at_return_is_1),
		cmocka_unit_test(guard_is_left_alive_and_with_the_state_it_had),
		cmocka_unit_test(innermost_guard_catches),
		cmocka_unit_test(bug_check_that_nobody_hears_goes_to_standard_error),
		cmocka_unit_test(bug_check_in_a_listener_ends_at_once),
		cmocka_unit_test(unknown_codes_have_a_name_too),
		cmocka_unit_test(broken_assertion_says_where_and_aborts),
		cmocka_unit_test(only_the_first_of_two_bug_checks_is_told),
	};
	return cmocka_run_group_tests(tests, boot, shut_down);
}
