/* SPDX-License-Identifier: MIT */
/*
 * What people really run, bare and supervised: a configure script, a parallel build, a test
 * suite of shell scripts, and parts of Python's own test suite about processes. What
 * they print and how they end must be the same.
 */
#include "live/supervise.h"

static char folder[64];

static int enter_folder(void **state)
{
	strcpy(folder, "/tmp/ringside-work-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("FOLDER", folder, 1);
	return begin_supervision(state);
}

static int leave_folder(void **state)
{
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
	return end_supervision(state);
}

#define WORKLOAD(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)

static bool have(const char *command)
{
	char test[256];
	snprintf(test, sizeof test, "%s >/dev/null 2>&1", command);
	return system(test) == 0;
}

/* Each check compiles, runs, or greps, as autoconf's do; a subshell for each, and traps. */
static void a_configure_script_finds_the_same(void **state)
{
	(void)state;
	same("mkdir $FOLDER/c && cd $FOLDER/c || exit; trap 'rm -rf conftest*' 0; "
	     "check() { printf 'checking for %s... ' \"$1\"; (eval \"$2\") >>log 2>&1 && echo yes "
	     "|| "
	     "echo no; }; "
	     "compile() { echo \"$1\" >conftest.c; cc -o conftest conftest.c $2 && ./conftest; }; "
	     "for f in fork vfork waitpid posix_spawn clone nosuchfunction memfd_create; do "
	     "check $f \"compile 'char $f(); int main(void) { return $f == 0; }'\"; done; "
	     "for h in stdio.h sys/wait.h nosuch.h sys/ptrace.h; do "
	     "check $h \"echo '#include <$h>' | cc -E - | grep -q typedef\"; done; "
	     "for p in sed awk nosuchprogram grep tr expr; do check $p \"command -v $p\"; done; "
	     "check 'a working shell' 'x=`expr 2 + 3`; test $x = 5 && (exit 0) && sh -c : '; "
	     "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "
	     "echo \"s,@v$i@,`echo $i | sed 's/1/x/;s/$/y/'`,\" >>conf.sed; echo \"@v$i@\" >>in; "
	     "done; "
	     "sed -f conf.sed in | tr '\\n' ' ' | sort; cat in | wc -l; "
	     "cd /; rm -r $FOLDER/c; exit 3");
}

static void a_parallel_build_builds_the_same(void **state)
{
	(void)state;
	same("mkdir -p $FOLDER/b && cd $FOLDER/b || exit; "
	     "for i in 1 2 3 4 5 6 7 8; do echo \"int f$i(void) { return $i; }\" >f$i.c; done; "
	     "echo 'int f1(void); int f8(void); int main(void) { return f1() + f8(); }' >main.c; "
	     "printf 'objects = f1.o f2.o f3.o f4.o f5.o f6.o f7.o f8.o\\n"
	     "all: prog sub; @./prog; echo $$?\\n"
	     "prog: main.o lib.a; @cc -o $@ $^\\n"
	     "lib.a: $(objects); @ar rcD $@ $^ && ar t $@\\n"
	     "%%.o: %%.c; @cc -O1 -c -o $@ $<\\n"
	     "sub: ; @$(MAKE) -s --no-print-directory fails || echo failed\\n"
	     "fails: ; @sh -c \"exit 4\" 2>/dev/null\\n"
	     "stop: ; @kill -TERM $$$$\\n' >Makefile; "
	     "make -s -j4 2>&1; echo $?; make -s -j4 stop 2>/dev/null; echo $?; cmp prog prog; "
	     "cd ..; rm -r b");
}

static void a_suite_of_shell_scripts_says_the_same(void **state)
{
	(void)state;
	if (!have("prove --version"))
		skip();
	same("mkdir $FOLDER/t && cd $FOLDER/t || exit; n=0; "
	     "while read -r line; do n=$((n+1)); { echo '#!/bin/sh'; echo 'echo 1..1'; "
	     "echo \"if $line; then echo ok; else echo not ok; fi\"; } >$(printf %02d $n).t; done "
	     "<<'E'\n"
	     "(exit 3); [ $? = 3 ]\n"
	     "[ \"$(echo a | cat | tr a b)\" = b ]\n"
	     "sh -c 'kill -TERM $$'; [ $? = 143 ]\n"
	     "trap 'exit 9' USR1; (kill -USR1 $$); false\n"
	     "sleep 300 & kill $!; wait $!; [ $? = 143 ]\n"
	     "nosuchcommand 2>/dev/null; [ $? = 127 ]\n"
	     "/etc/passwd 2>/dev/null; [ $? = 126 ]\n"
	     "seq 50 | xargs -P 8 -n 1 sh -c 'exit 0'\n"
	     "(sh -c 'exit 5' & wait $!); [ $? = 5 ]\n"
	     "mkfifo f$$; (echo x >f$$ &); read y <f$$; rm f$$; [ $y = x ]\n"
	     "env -i /bin/sh -c '[ -z \"$HOME\" ]'\n"
	     "exec 3>&1; echo hello | { read x; [ $x = hello ]; }\n"
	     "timeout 0.1 sleep 300; [ $? = 124 ]\n"
	     "nice -n 5 sh -c '[ $(nice) -ge 5 ]'\n"
	     "setsid sh -c '[ $$ = $(ps -o sid= -p $$) ]'\n"
	     "find /etc -maxdepth 0 -exec sh -c 'exit 0' {} +\n"
	     "E\n"
	     "prove -j4 --nocolor . 2>&1 | grep -v '^Files=' | sort; rm -r $FOLDER/t");
}

/* Times, addresses and process ids are no difference. */
static void pythons_tests_of_processes_pass_the_same(void **state)
{
	(void)state;
	if (!have("python3 -c 'import test.test_posix'"))
		skip();
	same("cd $FOLDER; for t in posix popen pty select; do "
	     "timeout 100 python3 -m unittest -q test.test_$t 2>&1 | "
	     "sed -n '/^Ran/s/ in .*//p; /^OK/p; /^FAILED/p; /^FAIL/p; /^ERROR/p'; done");
}

int main(int argc, char *argv[])
{
	static const struct act acts[] = {{NULL, NULL}};
	const struct CMUnitTest tests[] = {
		WORKLOAD(a_configure_script_finds_the_same),
		WORKLOAD(a_parallel_build_builds_the_same),
		WORKLOAD(a_suite_of_shell_scripts_says_the_same),
		WORKLOAD(pythons_tests_of_processes_pass_the_same),
	};
	maybe_act(acts, argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
