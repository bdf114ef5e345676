/* SPDX-License-Identifier: MIT */
/*
 * Routines that take long: unrelated processes go on meanwhile, and the routine is
 * shown while it lasts.
 *
 * A slow routine here waits until other processes have come and gone that were started
 * after it began. If they had to wait for it, nothing would ever go on, and the alarm
 * of the run would end the test.
 */
#include "live/supervise.h"
#include "ps/process.h"
#include <errno.h>
#include <sys/stat.h>

static char folder[64], stop[96];

/* Of /bin/true, under `lock`. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned lives, slow_calls, slow_returns;
static const char *slow_at_creation, *slow_at_exit;
static unsigned at_once; /* how many slow routines must be under way together */
static unsigned total;   /* after how many the others may end */

static void count_life(void)
{
	pthread_mutex_lock(&lock);
	lives++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

/* Until three more processes have lived, the creation of at least two of them included. */
static void take_long(void)
{
	pthread_mutex_lock(&lock);
	slow_calls++;
	pthread_cond_broadcast(&changed);
	while (slow_calls < at_once)
		pthread_cond_wait(&changed, &lock);
	for (unsigned before = lives; lives < before + 3;)
		pthread_cond_wait(&changed, &lock);
	if (++slow_returns == total)
		close(creat(stop, 0600));
	pthread_mutex_unlock(&lock);
}

static void creation(PEPROCESS process, PPS_CREATE_NOTIFY_INFO info)
{
	(void)process;
	if (matches(slow_at_creation, info->ImageFileName))
		take_long();
}

static void ending(PEPROCESS process)
{
	if (matches("*\\true", &process->image))
		count_life();
	if (matches(slow_at_exit, &process->image))
		take_long();
}

static int begin_slowness(void **state)
{
	int result = begin_supervision(state);
	snprintf(folder, sizeof folder, "/tmp/ringside-slow-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(stop, sizeof stop, "%s/stop", folder);
	setenv("STOP", stop, 1);
	lives = slow_calls = slow_returns = 0;
	at_once = total = 1;
	slow_at_creation = slow_at_exit = NULL;
	at_creation = creation;
	at_exit = ending;
	return result;
}

static int end_slowness(void **state)
{
	unlink(stop);
	rmdir(folder);
	return end_supervision(state);
}

/* The second shell is a process of its own, and forks and executes by itself. */
#define OTHERS "sh -c 'until [ -e $STOP ]; do /bin/true; done' & "

static void a_slow_creation_routine_stops_nobody_else(void **state)
{
	(void)state;
	slow_at_creation = "*\\uname";
	assert_exit(supervise(OTHERS "sh -c '/bin/uname; :' & wait"), 0);
	assert_int_equal(slow_calls, 1);
	the(RS_PROCESS_EXITED, "*\\uname");
	assert_non_null(strstr(outcome.output, "Linux"));
}

static void a_slow_exit_routine_stops_nobody_else(void **state)
{
	(void)state;
	slow_at_exit = "*\\uname";
	assert_exit(supervise(OTHERS "sh -c '/bin/uname; exit 3' & wait $!"), 3);
	assert_int_equal(slow_calls, 1);
	the(RS_PROCESS_EXITED, "*\\uname");
}

static void several_slow_routines_at_once_stop_nobody_else(void **state)
{
	(void)state;
	slow_at_exit = slow_at_creation = "*\\uname";
	at_once = 3; /* creations; the exits come after */
	total = 6;
	assert_exit(supervise(OTHERS "for i in 1 2 3; do sh -c '/bin/uname; :' & done; wait"), 0);
	assert_int_equal(slow_calls, 6);
	assert_int_equal(count_of(RS_PROCESS_EXITED, "*\\uname"), 3);
}

static void several_slow_exits_at_once_stop_nobody_else(void **state)
{
	(void)state;
	slow_at_exit = "*\\uname";
	at_once = total = 5;
	assert_exit(supervise(OTHERS "for i in 1 2 3 4 5; do sh -c '/bin/uname; :' & done; wait"),
		    0);
	assert_int_equal(slow_calls, 5);
	assert_int_equal(count_of(RS_PROCESS_EXITED, "*\\uname"), 5);
}

static VOID NTAPI slow_thread(HANDLE process, HANDLE thread, BOOLEAN create)
{
	PEPROCESS object;
	(void)thread;
	if (create || !NT_SUCCESS(PsLookupProcessByProcessId(process, &object)))
		return;
	if (matches("*\\uname", &object->image))
		take_long();
	ObfDereferenceObject(object);
}

static void a_slow_thread_routine_stops_nobody_else(void **state)
{
	(void)state;
	assert_ntsuccess(PsSetCreateThreadNotifyRoutine(slow_thread));
	assert_exit(supervise(OTHERS "/bin/uname; wait"), 0);
	PsRemoveCreateThreadNotifyRoutine(slow_thread);
	assert_true(slow_calls >= 1);
}

/* ---- Killed meanwhile ------------------------------------------------------------------- */

/* A stop at the end is lifted by a further SIGKILL: the death comes while the routine is
 * still told of the end. */
static void kill_and_take_long(PEPROCESS process)
{
	if (matches("*\\uname", &process->image)) {
		const struct told *created = nth(RS_PROCESS_CREATED, "*\\uname", 0);
		kill((pid_t)created->host_id, SIGKILL);
		take_long();
	} else {
		ending(process);
	}
}

static void a_process_that_dies_under_a_slow_routine_ends_once(void **state)
{
	(void)state;
	at_exit = kill_and_take_long;
	assert_exit(supervise(OTHERS "sh -c '/bin/uname; :' & wait"), 0);
	the(RS_PROCESS_EXITED, "*\\uname");
	assert_int_equal(count_of(RS_PROCESS_CREATED, "*\\true"),
			 count_of(RS_PROCESS_EXITED, "*\\true"));
}

/* ---- Shown while it lasts ------------------------------------------------------------------ */

static struct rs_event lasting;
static unsigned times_lasting;

static void hear_lasting(void *context, const struct rs_event *event)
{
	(void)context;
	if (event->type != RS_CALLBACK_LASTS)
		return;
	pthread_mutex_lock(&lock);
	lasting = *event;
	times_lasting++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void last_until_told(unsigned times)
{
	pthread_mutex_lock(&lock);
	while (times_lasting < times)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void last_at_creation(PEPROCESS process, PPS_CREATE_NOTIFY_INFO info)
{
	(void)process;
	if (matches("*\\true", info->ImageFileName))
		last_until_told(2);
}

static void last_at_exit(PEPROCESS process)
{
	if (matches("*\\true", &process->image))
		last_until_told(1);
}

static void supervise_and_hear(const char *script)
{
	times_lasting = 0;
	rs_listen(hear_lasting, NULL);
	assert_exit(supervise(script), 0);
	rs_unlisten(hear_lasting, NULL);
}

static void a_routine_that_lasts_is_told_while_it_lasts(void **state)
{
	(void)state;
	at_creation = last_at_creation;
	supervise_and_hear("/bin/true");
	assert_int_equal(times_lasting, 2);
	assert_ptr_equal(lasting.lasting.routine, (const void *)(uintptr_t)on_process);
	assert_true(lasting.lasting.duration >= 3000000000u);
	assert_int_equal(lasting.lasting.host_id, the(RS_PROCESS_CREATED, "*\\true")->host_id);
}

static void a_lasting_exit_routine_is_told_too(void **state)
{
	(void)state;
	at_exit = last_at_exit;
	supervise_and_hear("/bin/true");
	assert_int_equal(times_lasting, 1);
	assert_int_equal(lasting.lasting.host_id, the(RS_PROCESS_CREATED, "*\\true")->host_id);
}

#define SLOW_TEST(name) cmocka_unit_test_setup_teardown(name, begin_slowness, end_slowness)

int main(int argc, char *argv[])
{
	static const struct act acts[] = {{NULL, NULL}};
	const struct CMUnitTest tests[] = {
		SLOW_TEST(a_slow_creation_routine_stops_nobody_else),
		SLOW_TEST(a_slow_exit_routine_stops_nobody_else),
		SLOW_TEST(several_slow_routines_at_once_stop_nobody_else),
		SLOW_TEST(several_slow_exits_at_once_stop_nobody_else),
		SLOW_TEST(a_slow_thread_routine_stops_nobody_else),
		SLOW_TEST(a_process_that_dies_under_a_slow_routine_ends_once),
		SLOW_TEST(a_routine_that_lasts_is_told_while_it_lasts),
		SLOW_TEST(a_lasting_exit_routine_is_told_too),
	};
	maybe_act(acts, argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
