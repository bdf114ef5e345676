/* SPDX-License-Identifier: MIT */
/* Opens of files in /proc as opens of the processes that they tell of. */
#include "live/supervise.h"
#include <errno.h>

/* Opens argv[1] with the flags argv[2]; its errno. */
static int act_open(int argc, char *argv[])
{
	(void)argc;
	return open(argv[1], atoi(argv[2])) < 0 ? errno : 0;
}

/* The same by openat, from the folder that argv[1] is in. */
static int act_openat(int argc, char *argv[])
{
	(void)argc;
	char *name = strrchr(argv[1], '/');
	*name++ = 0;
	int folder = open(argv[1], O_PATH | O_DIRECTORY);
	return openat(folder, name, atoi(argv[2])) < 0 ? errno : 0;
}

static int supervise_opens(const char *script)
{
	struct live_options options = {.proc_opens = true};
	supervise_command((char *[]){"sh", "-c", (char *)(uintptr_t)script, NULL}, &options);
	if (outcome.failure)
		fail_msg("live_run: %s", outcome.error);
	return outcome.status;
}

/* The opens of the cat whose reason ends so. */
static const struct told *open_of(const char *file, unsigned n)
{
	for (unsigned i = 0; i < told_count; i++) {
		const char *slash = strrchr(told[i].command, '/');
		if (told[i].type == RS_HANDLE_OPERATION && slash && !strcmp(slash + 1, file) &&
		    !fnmatch("*\\cat", told[i].image, FNM_NOESCAPE) && !n--)
			return &told[i];
	}
	return NULL;
}

#define OPENS                                                                                      \
	"for f in mem maps environ fd status; do $ACT open /proc/$p/$f 0; printf '%d ' $?; done; "

static void each_file_is_an_open_for_its_rights(void **state)
{
	(void)state;
	ACCESS_MASK known = PROCESS_QUERY_INFORMATION | PROCESS_QUERY_LIMITED_INFORMATION |
			    PROCESS_VM_READ;
	assert_exit(supervise_opens(LASTING_CAT OPENS "$ACT open /proc/$p/mem 2; " END_CAT), 0);
	assert_string_equal(outcome.output, "0 0 0 0 0 0\n");
	assert_int_equal(open_of("mem)", 0)->desired, PROCESS_VM_READ);
	assert_int_equal(open_of("mem)", 1)->desired,
			 PROCESS_VM_READ | PROCESS_VM_WRITE | PROCESS_VM_OPERATION);
	assert_int_equal(open_of("maps)", 0)->desired, known);
	assert_int_equal(open_of("environ)", 0)->desired, known);
	assert_int_equal(open_of("fd)", 0)->desired, known);
	assert_int_equal(open_of("status)", 0)->desired, PROCESS_QUERY_LIMITED_INFORMATION);
}

static void a_stripped_right_is_eacces(void **state)
{
	(void)state;
	protect = "*\\cat";
	strip = PROCESS_VM_READ;
	assert_exit(supervise_opens(LASTING_CAT OPENS END_CAT), 0);
	assert_string_equal(outcome.output, "13 13 13 13 0 0\n");
}

static void every_way_to_a_file_leads_there(void **state)
{
	(void)state;
	protect = "*\\cat";
	strip = PROCESS_VM_READ;
	assert_exit(
		supervise_opens(
			LASTING_CAT
			"ln -s /proc/$p/mem $FIFO.link; $ACT open $FIFO.link 0; printf '%d ' $?; "
			"rm $FIFO.link; cd /proc/$p; $ACT open mem 0; printf '%d ' $?; "
			"$ACT open ../$p/task/$p/mem 0; printf '%d ' $?; "
			"$ACT openat /proc/$p/mem 0; printf '%d ' $?; " END_CAT),
		0);
	assert_string_equal(outcome.output, "13 13 13 13 0\n");
}

static void what_is_ones_own_is_no_open(void **state)
{
	(void)state;
	protect = "*";
	strip = PROCESS_ALL_ACCESS;
	assert_exit(
		supervise_opens("$ACT open /proc/self/mem 2 && $ACT open /proc/self/environ 0 && "
				"exec cat /proc/$$/status >/dev/null"),
		0);
}

static void the_supervisors_files_are_its_own(void **state)
{
	(void)state;
	protect = "*test-live-procopen";
	strip = PROCESS_VM_READ;
	assert_exit(supervise_opens("$ACT open /proc/$PPID/mem 0; exit $?"), EACCES);
}

static void without_the_option_nothing_is_asked(void **state)
{
	(void)state;
	assert_exit(supervise(LASTING_CAT OPENS END_CAT), 0);
	assert_null(open_of("mem)", 0));
}

int main(int argc, char *argv[])
{
	static const struct act acts[] = {{"open", act_open}, {"openat", act_openat}, {NULL, NULL}};
	const struct CMUnitTest tests[] = {
		LIVE_TEST(each_file_is_an_open_for_its_rights),
		LIVE_TEST(a_stripped_right_is_eacces),
		LIVE_TEST(every_way_to_a_file_leads_there),
		LIVE_TEST(what_is_ones_own_is_no_open),
		LIVE_TEST(the_supervisors_files_are_its_own),
		LIVE_TEST(without_the_option_nothing_is_asked),
	};
	maybe_act(acts, argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
