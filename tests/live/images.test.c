/* SPDX-License-Identifier: MIT */
/*
 * Image loads of live processes, and 32-bit programs, whose images are of a foreign
 * architecture.
 */
#include "live/supervise.h"
#include "ke/thread.h"
#include "ps/process.h"
#include "source/live/remote.h"
#include <errno.h>

/* ---- An image routine ------------------------------------------------------------------ */

static unsigned heard;
static bool right_context, readable, right_info;

static VOID NTAPI on_image(PUNICODE_STRING name, HANDLE id, PIMAGE_INFO info)
{
	char start[4];
	if (!id) /* a driver's */
		return;
	heard++;
	right_context &= PsGetCurrentProcessId() == id && KeGetCurrentIrql() == PASSIVE_LEVEL &&
			 KeAreApcsDisabled() && name->Length > 0;
	right_info &= !info->SystemModeImage && info->ImageAddressingMode == 3 &&
		      info->ExtendedInfoPresent && info->ImageSize >= 4096;
	readable &= !live_read((pid_t)PsGetCurrentProcess()->host_id,
			       (uint64_t)(uintptr_t)info->ImageBase, start, sizeof start) &&
		    !memcmp(start, "\177ELF", 4);
}

static int begin(void **state)
{
	heard = 0;
	right_context = readable = right_info = true;
	begin_supervision(state);
	return PsSetLoadImageNotifyRoutine(on_image);
}

static int end(void **state)
{
	PsRemoveLoadImageNotifyRoutine(on_image);
	return end_supervision(state);
}

#define IMAGE_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static int supervise_with(const char *script, enum live_images images)
{
	struct live_options options = {.images = images};
	supervise_command((char *[]){"sh", "-c", (char *)(uintptr_t)script, NULL}, &options);
	if (outcome.failure)
		fail_msg("live_run: %s", outcome.error);
	return outcome.status;
}

/* The n-th image that a process maps, or "". */
static const char *maps(const char *process, unsigned n)
{
	const struct told *t = nth(RS_IMAGE_LOADED, process, n);
	return t ? t->command : "";
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), wanted = strlen(end);
	return length >= wanted && !strcmp(text + length - wanted, end);
}

/* ---- Tests ------------------------------------------------------------------------------- */

static void ps_86_the_program_then_its_interpreter_after_the_creation(void **state)
{
	(void)state;
	assert_exit(supervise_with("/bin/true; exit 3", LIVE_IMAGES_AUTO), 3);
	assert_true(ends_with(maps("*\\true", 0), "\\bin\\true"));
	assert_non_null(strstr(maps("*\\true", 1), "\\ld-linux-x86-64.so.2"));
	assert_int_equal(count_of(RS_IMAGE_LOADED, "*\\true"), 2);
	assert_true(nth(RS_IMAGE_LOADED, "*\\true", 0) > nth(RS_PROCESS_CREATED, "*\\true", 0));
	assert_int_equal(heard, 4);
}

static void ps_78_the_call_runs_in_the_process_and_its_memory_is_there(void **state)
{
	(void)state;
	assert_exit(supervise_with("/bin/true; exit 3", LIVE_IMAGES_ALL), 3);
	assert_true(heard >= 6);
	assert_true(right_context);
	assert_true(right_info);
	assert_true(readable);
}

static void all_images_are_those_mapped_later_too(void **state)
{
	(void)state;
	assert_exit(supervise_with("/bin/true", LIVE_IMAGES_ALL), 0);
	assert_true(ends_with(maps("*\\true", 2), "\\libc.so.6"));
	assert_int_equal(count_of(RS_IMAGE_LOADED, "*\\true"), 3); /* each once */
}

static void no_images_are_no_calls(void **state)
{
	(void)state;
	assert_exit(supervise_with("/bin/true", LIVE_IMAGES_NONE), 0);
	assert_int_equal(heard, 0);
}

static void nothing_breaks_when_all_images_are_told(void **state)
{
	(void)state;
	const char *script = "for i in 1 2 3 4 5 6; do /bin/echo $i | cat & done | sort; wait; "
			     "python3 -c 'import ctypes, threading, subprocess\n"
			     "ts = [threading.Thread(target=lambda: subprocess.run([\"true\"])) "
			     "for _ in range(6)]\n"
			     "[t.start() for t in ts]; [t.join() for t in ts]\n"
			     "print(ctypes.CDLL(None).getpid() > 0)'; exit 5";
	static char bare[sizeof outcome.output];
	assert_exit(run_bare(script), 5);
	strcpy(bare, outcome.output);
	assert_exit(supervise_with(script, LIVE_IMAGES_ALL), 5);
	assert_string_equal(outcome.output, bare);
}

/* Forks, executes, signals its parent, and maps nothing: without a C library. */
#define NARROW_PROGRAM                                                                             \
	"static int call(int n, int a, int b, int c) { int r; "                                    \
	"__asm__ volatile(\"int $0x80\" : \"=a\"(r) : \"a\"(n), \"b\"(a), \"c\"(b), \"d\"(c) : "   \
	"\"memory\"); return r; }\n"                                                               \
	"void _start(void) { char *v[] = {\"/bin/true\", 0}; int status = 99; "                    \
	"int pid = call(2, 0, 0, 0); if (!pid) { call(11, (int)v[0], (int)v, 0); call(1, 9, 0, "   \
	"0); } call(7, pid, (int)&status, 0); "                                                    \
	"int denied = call(37, call(64, 0, 0, 0), 9, 0); "                                         \
	"call(1, status ? 98 : -denied, 0, 0); for (;;); }\n"

static void a_32_bit_program_is_supervised_and_its_image_is_foreign(void **state)
{
	(void)state;
	setenv("PROGRAM", NARROW_PROGRAM, 1);
	protect = "*\\sh";
	int status = supervise_with(
		"d=$(mktemp -d); echo \"$PROGRAM\" >$d/x.c; "
		"cc -m32 -nostdlib -static -ffreestanding -fno-pic -no-pie -fno-stack-protector "
		"-o $d/narrow $d/x.c 2>/dev/null || exit 77; $d/narrow; r=$?; rm -r $d; exit $r",
		LIVE_IMAGES_AUTO);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip(); /* the compiler makes no 32-bit programs */
	assert_exit(status, EPERM);
	assert_true((ULONG64)the(RS_PROCESS_CREATED, "*\\true")->parent ==
		    the(RS_PROCESS_CREATED, "*\\narrow")->id);
	assert_int_equal(count_of(RS_IMAGE_LOADED, "*\\narrow"), 1);
	assert_int_equal(heard + 1,
			 count_of(RS_IMAGE_LOADED, "*")); /* PS-75: not to this routine */
}

int main(int argc, char *argv[])
{
	static const struct act acts[] = {{NULL, NULL}};
	const struct CMUnitTest tests[] = {
		IMAGE_TEST(ps_86_the_program_then_its_interpreter_after_the_creation),
		IMAGE_TEST(ps_78_the_call_runs_in_the_process_and_its_memory_is_there),
		IMAGE_TEST(all_images_are_those_mapped_later_too),
		IMAGE_TEST(no_images_are_no_calls),
		IMAGE_TEST(nothing_breaks_when_all_images_are_told),
		IMAGE_TEST(a_32_bit_program_is_supervised_and_its_image_is_foreign),
	};
	maybe_act(acts, argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
