/* SPDX-License-Identifier: MIT */
/*
 * Which NT events a live tree of real programs becomes: creations, ends, threads,
 * names and ids (docs/live.md, row by row).
 */
#include "live/supervise.h"
#include "ps/process.h"
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>

extern char **environ;

/* ---- Acts --------------------------------------------------------------------------- */

static void *wait_for_ever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void *exec_true(void *unused)
{
	(void)unused;
	execl("/bin/echo", "echo", "from a thread", NULL);
	return NULL;
}

static int act_exec_in_thread(int argc, char *argv[])
{
	pthread_t thread;
	(void)argc;
	(void)argv;
	for (int i = 0; i < 3; i++)
		pthread_create(&thread, NULL, wait_for_ever, NULL);
	pthread_create(&thread, NULL, exec_true, NULL);
	return wait_for_ever(NULL) != NULL;
}

static void *nothing(void *unused)
{
	return unused;
}

static int act_threads(int argc, char *argv[])
{
	(void)argc;
	for (int i = atoi(argv[1]); i > 0; i--) {
		pthread_t thread;
		pthread_create(&thread, NULL, nothing, NULL);
		pthread_join(thread, NULL);
	}
	return 5;
}

static void *sleep_a_little(void *unused)
{
	usleep(100000);
	return unused;
}

/* The first thread goes first; another one ends the process. */
static int act_leader_goes_first(int argc, char *argv[])
{
	pthread_t thread;
	(void)argc;
	(void)argv;
	pthread_create(&thread, NULL, sleep_a_little, NULL);
	pthread_exit(NULL);
}

static int act_spawn(int argc, char *argv[])
{
	pid_t pid;
	int status = 1;
	(void)argc;
	if (posix_spawnp(&pid, argv[1], NULL, NULL, argv + 1, environ))
		return errno;
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

/* A file that is open for writing can be looked at, but not executed. */
static int act_exec_busy(int argc, char *argv[])
{
	(void)argc;
	int fd = open(argv[1], O_WRONLY);
	if (fd < 0)
		return 1;
	execv(argv[1], argv + 1);
	if (errno != ETXTBSY)
		return 2;
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	return 7;
}

static int act_untraced_clone(int argc, char *argv[])
{
	int status = 1;
	(void)argc;
	(void)argv;
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static int act_exec_by_int80(int argc, char *argv[])
{
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	uint32_t *vector = (uint32_t *)(void *)(low + 512);
	long result;
	(void)argc;
	(void)argv;
	strcpy(low, "/bin/echo");
	strcpy(low + 100, "thirty-two");
	vector[0] = (uint32_t)(uintptr_t)low;
	vector[1] = (uint32_t)(uintptr_t)(low + 100);
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(11), "b"(low), "c"(vector), "d"(0));
	return (int)-result;
}

static int act_fexecve(int argc, char *argv[])
{
	(void)argc;
	int fd = open(argv[1], O_PATH | O_CLOEXEC);
	fexecve(fd, argv + 1, environ);
	return errno;
}

static int act_exec_without_arguments(int argc, char *argv[])
{
	(void)argc;
	execve(argv[1], (char *[]){NULL}, (char *[]){NULL});
	return errno;
}

/* Becomes nobody and executes. */
static int act_exec_as_nobody(int argc, char *argv[])
{
	(void)argc;
	if (setgid(65534) || setuid(65534))
		return 1;
	execv(argv[1], argv + 1);
	return errno;
}

/* Executes `path` while another thread keeps exchanging it for argv[2]. */
static char swapped[64];
static const char *one, *other;

static void *keep_swapping(void *unused)
{
	for (;;) {
		strcpy(swapped, other);
		strcpy(swapped, one);
	}
	return unused;
}

static int act_swap(int argc, char *argv[])
{
	(void)argc;
	pthread_t thread;
	one = argv[1];
	other = argv[2];
	strcpy(swapped, one);
	pthread_create(&thread, NULL, keep_swapping, NULL);
	usleep(1000);
	for (int i = 0; i < 50; i++)
		execv(swapped, (char *[]){"x", argv[3], NULL});
	return 9;
}

/* ---- Helpers ------------------------------------------------------------------------------ */

static char folder[64];

static int make_folder(void **state)
{
	strcpy(folder, "/tmp/ringside-live-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("FOLDER", folder, 1);
	return begin_supervision(state);
}

static int remove_folder(void **state)
{
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
	return end_supervision(state);
}

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

/* The last component in Z: of FOLDER/name. */
static const char *in_folder(const char *name)
{
	static char text[256];
	snprintf(text, sizeof text, "\\??\\Z:\\tmp\\%s\\%s", folder + strlen("/tmp/"), name);
	return text;
}

static bool before(const struct told *a, const struct told *b)
{
	return a && b && a < b;
}

/* ---- Life ------------------------------------------------------------------------------------ */

static void ps_34_a_command_is_created_and_ends_with_its_status(void **state)
{
	(void)state;
	assert_exit(supervise("exit 42"), 42);
	const struct told *created = the(RS_PROCESS_CREATED, "*");
	const struct told *exited = the(RS_PROCESS_EXITED, "*");
	assert_true(before(created, exited));
	assert_true(created->id == exited->id);
	assert_status(exited->status, 42);
	assert_int_equal(exited->host_status, 42 << 8);
}

static void ps_63_ids_are_multiples_of_4_that_show_the_linux_pid(void **state)
{
	(void)state;
	assert_exit(supervise("echo $$"), 0);
	const struct told *created = the(RS_PROCESS_CREATED, "*");
	assert_true(created->id == 100 * created->host_id);
	assert_int_equal(atoi(outcome.output), created->host_id);
	assert_true(the(RS_THREAD_CREATED, "*\\sh")->thread == created->id + 4);
}

static void ps_42_names_are_as_opened_and_command_lines_quoted(void **state)
{
	(void)state;
	assert_exit(supervise("cd /usr; /bin/echo 'a b' '\"'; bin/echo x >/dev/null; env true"), 0);
	const struct told *echo = the(RS_PROCESS_CREATED, "\\??\\Z:\\bin\\echo");
	assert_string_equal(echo->command, "/bin/echo \"a b\" \\\"");
	assert_string_equal(the(RS_PROCESS_CREATED, "\\??\\Z:\\usr\\bin\\echo")->command,
			    "bin/echo x");
	assert_int_equal(count_of(RS_PROCESS_CREATED, "*\\true"), 1);
}

static void ps_42_a_relative_name_is_told_from_the_callers_folder(void **state)
{
	(void)state;
	assert_exit(supervise("cd $FOLDER; mkdir a b; ln -s /bin/true t; ./t; cd a; ../t; "
			      ".././b/../t; cd ..; rmdir a b"),
		    0);
	assert_int_equal(count_of(RS_PROCESS_CREATED, in_folder("t")), 3);
}

static void ps_44_the_parent_is_the_process_that_forked(void **state)
{
	(void)state;
	assert_exit(supervise("/bin/echo a | /bin/cat; true"), 0);
	const struct told *shell = the(RS_PROCESS_CREATED, "*\\sh");
	const struct told *cat = the(RS_PROCESS_CREATED, "*\\cat");
	assert_true(cat->parent == shell->id);
	assert_true((ULONG64)cat->creator.UniqueProcess == shell->id);
	assert_true((ULONG64)cat->creator.UniqueThread == shell->id + 4);
	assert_true(shell->parent == 100 * (ULONG64)getpid());
}

static void ob_32_the_creator_gets_its_two_handles_after_the_creation(void **state)
{
	(void)state;
	assert_exit(supervise("/bin/true; true"), 0);
	const struct told *created = the(RS_PROCESS_CREATED, "*\\true");
	unsigned opened = 0;
	for (unsigned i = 0; i < told_count; i++) {
		const struct told *t = &told[i];
		if (t->type != RS_HANDLE_OPERATION || t->id != created->id)
			continue;
		assert_true(t > created);
		assert_string_equal(t->command, "created it");
		assert_int_equal(t->desired, 0x1FFFFF);
		assert_int_equal(t->thread != 0, opened); /* the process first */
		opened++;
	}
	assert_int_equal(opened, 2);
}

static void path_lookups_that_fail_make_no_events(void **state)
{
	(void)state;
	supervise("PATH=/nonexistent:/etc:/tmp:/usr/bin env true; /nonexistent/x; /etc/passwd; "
		  "/tmp; :");
	assert_int_equal(count_of(RS_PROCESS_CREATED, "*"), 3); /* sh, env, true */
}

static void what_the_caller_may_not_execute_makes_no_event(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_exit(supervise("cp /bin/true $FOLDER/x; chmod 755 $FOLDER; chmod 700 $FOLDER/x; "
			      "$ACT exec-as-nobody $FOLDER/x; r=$?; chmod 755 $FOLDER/x; "
			      "$ACT exec-as-nobody $FOLDER/x || exit 99; exit $r"),
		    EACCES);
	assert_int_equal(count_of(RS_PROCESS_CREATED, in_folder("x")), 1);
}

static void an_exec_that_fails_after_all_is_taken_back(void **state)
{
	(void)state;
	assert_exit(supervise("cp /bin/true $FOLDER/busy; $ACT exec-busy $FOLDER/busy"), 7);
	const struct told *created = the(RS_PROCESS_CREATED, in_folder("busy"));
	const struct told *exited = the(RS_PROCESS_EXITED, in_folder("busy"));
	assert_true(before(created, exited));
	assert_status(exited->status, STATUS_UNSUCCESSFUL);
	assert_true(before(exited, the(RS_PROCESS_CREATED, "*\\true")));
}

static void ps_55_a_fork_alone_is_silent(void **state)
{
	(void)state;
	assert_exit(supervise("(:) ; (exit 3); echo $?; { :; } & wait"), 0);
	assert_string_equal(outcome.output, "3\n");
	assert_int_equal(count_of(RS_PROCESS_CREATED, "*"), 1);
	assert_int_equal(count_of(RS_PROCESS_EXITED, "*"), 1);
}

static void an_exec_over_a_process_makes_its_successor_and_ends_it(void **state)
{
	(void)state;
	assert_exit(supervise("exec env /bin/sh -c 'exec sleep 0'"), 0);
	const struct told *env = the(RS_PROCESS_CREATED, "*\\env");
	const struct told *sleep = the(RS_PROCESS_CREATED, "*\\sleep");
	const struct told *shell = the(RS_PROCESS_CREATED, "\\??\\Z:\\bin\\sh");
	assert_true(shell->parent == env->id);
	assert_true(sleep->parent == shell->id);
	assert_true((ULONG64)sleep->creator.UniqueProcess == shell->id);
	assert_true(sleep->id != shell->id);
	assert_true(sleep->host_id == shell->host_id);
	assert_true(before(sleep, the(RS_PROCESS_EXITED, "\\??\\Z:\\bin\\sh")));
	assert_int_equal(count_of(RS_PROCESS_EXITED, "*"), 4);
}

static void an_exec_in_another_thread_ends_all_the_others(void **state)
{
	(void)state;
	assert_exit(supervise("$ACT exec-in-thread; :"), 0);
	assert_string_equal(outcome.output, "from a thread\n");
	const struct told *act = the(RS_PROCESS_CREATED, "*test-live-tree");
	const struct told *echo = the(RS_PROCESS_CREATED, "*\\echo");
	assert_true(echo->host_id == act->host_id);
	assert_true(echo->parent == act->id);
	assert_true((ULONG64)echo->creator.UniqueThread != act->id + 4);
	assert_int_equal(count_of(RS_THREAD_CREATED, "*test-live-tree"), 5);
	assert_int_equal(count_of(RS_THREAD_EXITED, "*test-live-tree"), 5);
	the(RS_PROCESS_EXITED, "*test-live-tree");
	the(RS_PROCESS_EXITED, "*\\echo");
}

static void ps_36_threads_are_told_and_the_process_once(void **state)
{
	(void)state;
	assert_exit(supervise("$ACT threads 20; exit $?"), 5);
	assert_int_equal(count_of(RS_PROCESS_CREATED, "*test-live-tree"), 1);
	assert_int_equal(count_of(RS_THREAD_CREATED, "*test-live-tree"), 21);
	assert_int_equal(count_of(RS_THREAD_EXITED, "*test-live-tree"), 21);
}

static void ps_56_the_last_thread_ends_the_process_not_the_first(void **state)
{
	(void)state;
	assert_exit(supervise("$ACT leader-goes-first; exit $?"), 0);
	const struct told *exited = the(RS_PROCESS_EXITED, "*test-live-tree");
	assert_int_equal(count_of(RS_THREAD_EXITED, "*test-live-tree"), 2);
	assert_true(before(nth(RS_THREAD_EXITED, "*test-live-tree", 1), exited));
}

static void a_spawned_child_has_the_spawner_as_its_parent(void **state)
{
	(void)state;
	assert_exit(supervise("$ACT spawn true"), 0);
	assert_true(the(RS_PROCESS_CREATED, "*\\true")->parent ==
		    the(RS_PROCESS_CREATED, "*test-live-tree")->id);
}

static void a_daemon_is_followed_to_its_end(void **state)
{
	(void)state;
	assert_exit(supervise("(setsid sh -c 'sleep 0.3; /bin/echo late >$FOLDER/out' &)"), 0);
	const struct told *daemon = the(RS_PROCESS_CREATED, "*\\echo");
	assert_true(daemon->parent != 0);
	assert_true(before(the(RS_PROCESS_EXITED, "*\\echo"), &told[told_count]));
	char path[128];
	snprintf(path, sizeof path, "%s/out", folder);
	assert_int_equal(access(path, F_OK), 0);
}

/* In a new user namespace, so that no privilege is needed; and untraced. */
static int act_clone_into_namespace(int argc, char *argv[])
{
	int status = 1;
	(void)argc;
	(void)argv;
	pid_t pid = (pid_t)syscall(
		SYS_clone, CLONE_NEWUSER | CLONE_NEWPID | CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);
	if (pid < 0)
		return 77;
	if (pid == 0) {
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static void a_clone_into_namespaces_is_followed(void **state)
{
	(void)state;
	int status = supervise("$ACT clone-into-namespace; exit $?");
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_exit(status, 0);
	the(RS_PROCESS_CREATED, "*\\true");
}

static void an_untraced_clone_is_followed_all_the_same(void **state)
{
	(void)state;
	assert_exit(supervise("$ACT untraced-clone"), 0);
	the(RS_PROCESS_CREATED, "*\\true");
	the(RS_PROCESS_EXITED, "*\\true");
}

static void a_32_bit_exec_is_told_too(void **state)
{
	(void)state;
	assert_exit(supervise("$ACT exec-by-int80; :"), 0);
	assert_string_equal(outcome.output, "thirty-two\n");
	assert_string_equal(the(RS_PROCESS_CREATED, "*\\echo")->command, "/bin/echo thirty-two");
}

static void an_exec_of_a_descriptor_is_told_by_its_location(void **state)
{
	(void)state;
	assert_exit(supervise("$ACT fexecve /bin/echo hi"), 0);
	assert_string_equal(outcome.output, "hi\n");
	the(RS_PROCESS_CREATED, "*\\usr\\bin\\echo");
}

static void an_exec_without_arguments_gets_an_empty_one(void **state)
{
	(void)state;
	supervise("$ACT exec-without-arguments /bin/true");
	assert_string_equal(the(RS_PROCESS_CREATED, "*\\true")->command, "\"\"");
}

static void the_image_of_a_script_is_its_interpreter(void **state)
{
	(void)state;
	supervise("cd $FOLDER; printf '#!/bin/sh -u\\n/bin/echo \"$0\" \"$1\"\\n' >s; "
		  "printf '#! ./s  one two \\n' >t; chmod +x s t; ./t x");
	assert_string_equal(outcome.output, "./s one two\n");
	const struct told *script = the(RS_PROCESS_CREATED, "\\??\\Z:\\bin\\sh");
	assert_string_equal(script->command, "/bin/sh -u ./s \"one two\" ./t x");
}

static void a_long_command_line_is_told_whole(void **state)
{
	(void)state;
	assert_exit(supervise("/bin/true $(seq 2000); :"), 0);
	const struct told *created = the(RS_PROCESS_CREATED, "*\\true");
	assert_int_equal(strncmp(created->command, "/bin/true 1 2 3 4 5", 19), 0);
	assert_int_equal(strlen(created->command), sizeof created->command - 1);
}

static void ps_43_subsystem_processes_have_linux_names(void **state)
{
	(void)state;
	struct live_options options = {.subsystem = true};
	supervise_command((char *[]){"/bin/echo", "a b", NULL}, &options);
	assert_int_equal(outcome.failure, 0);
	const struct told *created = the(RS_PROCESS_CREATED, "/bin/echo");
	assert_true(created->subsystem);
	assert_memory_equal(created->command, "/bin/echo\0a b", 14);
}

/* ---- Ends -------------------------------------------------------------------------------------- */

static void check_end(const char *script, NTSTATUS expected, int signal)
{
	told_count = 0;
	int status = supervise(script);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == signal);
	assert_status(the(RS_PROCESS_EXITED, "*\\sh")->status, expected);
	assert_int_equal(the(RS_PROCESS_EXITED, "*\\sh")->host_status & 0x7f, signal);
}

static void a_death_by_signal_has_the_status_that_windows_would_give(void **state)
{
	(void)state;
	check_end("ulimit -c 0; kill -SEGV $$", STATUS_ACCESS_VIOLATION, SIGSEGV);
	check_end("kill -INT $$", STATUS_CONTROL_C_EXIT, SIGINT);
	check_end("kill -KILL $$", 128 + SIGKILL, SIGKILL);
	check_end("kill -TERM $$", 128 + SIGTERM, SIGTERM);
	check_end("ulimit -c 0; kill -ABRT $$", STATUS_STACK_BUFFER_OVERRUN, SIGABRT);
}

static bool had_address_space;

static void look_at_address_space(PEPROCESS process)
{
	char path[64], text[64];
	snprintf(path, sizeof path, "/proc/%llu/cmdline", (unsigned long long)process->host_id);
	int fd = open(path, O_RDONLY);
	had_address_space = fd >= 0 && read(fd, text, sizeof text) > 0;
	close(fd);
}

static void ps_56_the_address_space_is_there_at_the_end(void **state)
{
	(void)state;
	at_exit = look_at_address_space;
	supervise("kill -9 $$");
	assert_true(had_address_space);
	had_address_space = false;
	supervise("exit 0");
	assert_true(had_address_space);
}

static PEPROCESS current_at_exit, exiting;

static void note_current(PEPROCESS process)
{
	exiting = process;
	current_at_exit = PsGetCurrentProcess();
}

static void ps_57_the_exit_call_runs_in_the_exiting_process(void **state)
{
	(void)state;
	at_exit = note_current;
	supervise("exit 0");
	assert_non_null(exiting);
	assert_ptr_equal(current_at_exit, exiting);
}

/* ---- Moments --------------------------------------------------------------------------------------- */

static bool ran_before_told;

static void look_for_trace(PEPROCESS process, PPS_CREATE_NOTIFY_INFO info)
{
	char path[128];
	(void)process;
	if (!matches("*\\touch", info->ImageFileName))
		return;
	usleep(50000);
	snprintf(path, sizeof path, "%s/trace", folder);
	ran_before_told = access(path, F_OK) == 0;
}

static void ps_34_no_instruction_runs_before_the_creation_was_told(void **state)
{
	(void)state;
	at_creation = look_for_trace;
	ran_before_told = true;
	assert_exit(supervise("touch $FOLDER/trace; test -e $FOLDER/trace"), 0);
	assert_false(ran_before_told);
}

static PEPROCESS current_at_creation, created_process;

static void note_creator(PEPROCESS process, PPS_CREATE_NOTIFY_INFO info)
{
	(void)info;
	created_process = process;
	current_at_creation = PsGetCurrentProcess();
}

static void ps_37_the_creation_call_runs_in_the_creator(void **state)
{
	(void)state;
	at_creation = note_creator;
	supervise("/bin/true; :");
	assert_non_null(created_process);
	assert_ptr_not_equal(current_at_creation, created_process);
}

/* ---- Commands that do not start ------------------------------------------------------------------------ */

static void a_missing_command_is_enoent(void **state)
{
	(void)state;
	supervise_command((char *[]){"no-such-command", NULL}, NULL);
	assert_int_equal(outcome.failure, -ENOENT);
	assert_non_null(strstr(outcome.error, "no-such-command"));
	assert_int_equal(outcome.status, -1);
	assert_int_equal(count_of(RS_PROCESS_CREATED, "*"), 0);
}

static void a_command_that_is_no_program_is_eacces(void **state)
{
	(void)state;
	supervise_command((char *[]){"/etc/passwd", NULL}, NULL);
	assert_int_equal(outcome.failure, -EACCES);
}

static unsigned count_entries(const char *path)
{
	unsigned n = 0;
	DIR *entries = opendir(path);
	while (readdir(entries))
		n++;
	closedir(entries);
	return n;
}

static void nothing_is_left_after_a_run(void **state)
{
	(void)state;
	unsigned descriptors = count_entries("/proc/self/fd");
	supervise("(sleep 0.1 &) ; /bin/true");
	assert_int_equal(count_entries("/proc/self/fd"), descriptors);
	assert_int_equal(count_entries("/proc/self/task"), 3); /* one, "." and ".." */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(PsProcessType->TotalNumberOfObjects, 1); /* System */
	assert_int_equal(PsProcessType->TotalNumberOfHandles, 0);
}

/* ---- Lies -------------------------------------------------------------------------------------------------- */

static void what_runs_is_what_was_told_even_if_the_path_is_swapped(void **state)
{
	(void)state;
	refuse = in_folder("forbidden");
	char keep[256];
	strcpy(keep, refuse);
	refuse = keep;
	assert_exit(supervise("cd $FOLDER; printf '#!/bin/sh\\n' >script; cp /bin/true allowed; "
			      "cp /bin/touch forbidden; "
			      "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "
			      "$ACT swap $FOLDER/forbidden $FOLDER/allowed $FOLDER/trace; "
			      "$ACT swap $FOLDER/allowed $FOLDER/forbidden $FOLDER/trace; "
			      "done; test ! -e $FOLDER/trace"),
		    0);
}

/* The exec has been told and cannot happen any more. */
static void kill_sleep(PEPROCESS process, PPS_CREATE_NOTIFY_INFO info)
{
	if (matches("*\\sleep", info->ImageFileName))
		kill((pid_t)process->host_id, SIGKILL);
}

static void process_that_is_killed_in_its_exec_is_told_as_killed(void **state)
{
	(void)state;
	at_creation = kill_sleep;
	assert_int_equal(supervise("sleep 300 & wait $! 2>/dev/null; echo $?"), 0);
	assert_string_equal(outcome.output, "137\n");
	const struct told *end = the(RS_PROCESS_EXITED, "*\\sleep");
	assert_int_equal(end->host_status, SIGKILL);
	assert_int_equal(end->id, the(RS_PROCESS_CREATED, "*\\sleep")->id);
}

int main(int argc, char *argv[])
{
	static const struct act acts[] = {
		{"exec-in-thread", act_exec_in_thread},
		{"threads", act_threads},
		{"leader-goes-first", act_leader_goes_first},
		{"spawn", act_spawn},
		{"exec-busy", act_exec_busy},
		{"untraced-clone", act_untraced_clone},
		{"exec-by-int80", act_exec_by_int80},
		{"fexecve", act_fexecve},
		{"exec-without-arguments", act_exec_without_arguments},
		{"exec-as-nobody", act_exec_as_nobody},
		{"clone-into-namespace", act_clone_into_namespace},
		{"swap", act_swap},
		{NULL, NULL},
	};
	const struct CMUnitTest tests[] = {
		LIVE_TEST(ps_34_a_command_is_created_and_ends_with_its_status),
		LIVE_TEST(ps_63_ids_are_multiples_of_4_that_show_the_linux_pid),
		LIVE_TEST(ps_42_names_are_as_opened_and_command_lines_quoted),
		FOLDER_TEST(ps_42_a_relative_name_is_told_from_the_callers_folder),
		LIVE_TEST(ps_44_the_parent_is_the_process_that_forked),
		LIVE_TEST(ob_32_the_creator_gets_its_two_handles_after_the_creation),
		LIVE_TEST(path_lookups_that_fail_make_no_events),
		FOLDER_TEST(what_the_caller_may_not_execute_makes_no_event),
		FOLDER_TEST(an_exec_that_fails_after_all_is_taken_back),
		LIVE_TEST(ps_55_a_fork_alone_is_silent),
		LIVE_TEST(an_exec_over_a_process_makes_its_successor_and_ends_it),
		LIVE_TEST(an_exec_in_another_thread_ends_all_the_others),
		LIVE_TEST(ps_36_threads_are_told_and_the_process_once),
		LIVE_TEST(ps_56_the_last_thread_ends_the_process_not_the_first),
		LIVE_TEST(a_spawned_child_has_the_spawner_as_its_parent),
		FOLDER_TEST(a_daemon_is_followed_to_its_end),
		LIVE_TEST(an_untraced_clone_is_followed_all_the_same),
		LIVE_TEST(a_clone_into_namespaces_is_followed),
		LIVE_TEST(a_32_bit_exec_is_told_too),
		LIVE_TEST(an_exec_of_a_descriptor_is_told_by_its_location),
		LIVE_TEST(an_exec_without_arguments_gets_an_empty_one),
		FOLDER_TEST(the_image_of_a_script_is_its_interpreter),
		LIVE_TEST(a_long_command_line_is_told_whole),
		LIVE_TEST(ps_43_subsystem_processes_have_linux_names),
		LIVE_TEST(a_death_by_signal_has_the_status_that_windows_would_give),
		LIVE_TEST(ps_56_the_address_space_is_there_at_the_end),
		LIVE_TEST(ps_57_the_exit_call_runs_in_the_exiting_process),
		FOLDER_TEST(ps_34_no_instruction_runs_before_the_creation_was_told),
		LIVE_TEST(ps_37_the_creation_call_runs_in_the_creator),
		LIVE_TEST(a_missing_command_is_enoent),
		LIVE_TEST(a_command_that_is_no_program_is_eacces),
		LIVE_TEST(process_that_is_killed_in_its_exec_is_told_as_killed),
		LIVE_TEST(nothing_is_left_after_a_run),
		FOLDER_TEST(what_runs_is_what_was_told_even_if_the_path_is_swapped),
	};
	maybe_act(acts, argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
