/* SPDX-License-Identifier: MIT */
/*
 * cmocka takes the signals of processor exceptions for itself around every test and
 * every fixture, with signal(3). The kernel under test needs them: a driver that
 * reads its IRQL traps. So the test programs have a signal(3) of their own, which
 * leaves those alone. A crash in a test then ends the program, as CTest reports.
 */
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

static bool is_trap(int number)
{
	return number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE ||
	       number == SIGTRAP;
}

void (*signal(int number, void (*handler)(int)))(int)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, before;
	if (is_trap(number))
		return SIG_DFL;
	return sigaction(number, &action, &before) ? SIG_ERR : before.sa_handler;
}

/* A trap is raised by an instruction of a driver, never inside the C library, so what it
 * does there is not bound by the rules for signals; ThreadSanitizer cannot know. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "signal:ke_fault\n";
}
