/* SPDX-License-Identifier: MIT */
/*
 * Crashes after a bug check. What a driver wrote over may be anything: the C library finds
 * its heap corrupt and aborts, or we follow a pointer that is none. The report has been
 * made then, so this is no news, and the status is still that of a bug check.
 *
 * Traps of drivers come first (host/trap.c) and hand on here what is not theirs. The handler
 * makes system calls only. Before any bug check a crash is what it always is.
 */
#include "cli/damage.h"
#include "cli/cli.h"
#include <ringside/ringside.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static void give_up(int signal)
{
	static const char message[] =
		"ringside: the driver has damaged this program's memory as well\n";
	if (rs_crashed()) {
		(void)!write(STDERR_FILENO, message, sizeof(message) - 1);
		_exit(CLI_BUG_CHECK);
	}
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigaction(signal, &action, NULL);
	raise(signal);
}

void cli_expect_damage(void)
{
	static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
	struct sigaction action = {.sa_handler = give_up, .sa_flags = SA_ONSTACK | SA_NODEFER};
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
}
