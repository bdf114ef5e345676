/* SPDX-License-Identifier: MIT */
/*
 * Signals that are processor exceptions.
 *
 * What was installed before is kept and gets whatever is not ours: a sanitizer's
 * report, an embedding program's own handler, or the default action, for which
 * a fault is simply repeated without us, so that a core dump shows the right place.
 *
 * The signals stay unblocked in the handler (SA_NODEFER): a fault of the handler
 * itself must be delivered too, and a siglongjmp out of it needs no repair.
 */
#include "faultcopy.h"
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

static const int caught[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
#define CAUGHT (sizeof(caught) / sizeof(caught[0]))

static struct sigaction before[CAUGHT];
static host_trap_function *volatile on_trap;

/* Linux's order of the registers, as instructions number them. */
static const int greg_of[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
				REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
				REG_R12, REG_R13, REG_R14, REG_R15};

/* The error code of a page fault. */
#define FAULT_WRITE 0x2
#define FAULT_FETCH 0x10

static void fill(struct host_trap *trap, const siginfo_t *info, const ucontext_t *context)
{
	const greg_t *greg = context->uc_mcontext.gregs;
	trap->number = (enum host_trap_number)greg[REG_TRAPNO];
	if (trap->number == HOST_TRAP_PAGE) {
		trap->address = (uintptr_t)info->si_addr;
		trap->write = greg[REG_ERR] & FAULT_WRITE;
		trap->execute = greg[REG_ERR] & FAULT_FETCH;
		trap->in_file = info->si_signo == SIGBUS;
	}
	for (unsigned i = 0; i < 16; i++)
		trap->reg[i] = (uint64_t)greg[greg_of[i]];
	trap->rip = (uint64_t)greg[REG_RIP];
	trap->rflags = (uint64_t)greg[REG_EFL];
	trap->floats = context->uc_mcontext.fpregs;
}

static void write_back(const struct host_trap *trap, ucontext_t *context)
{
	greg_t *greg = context->uc_mcontext.gregs;
	for (unsigned i = 0; i < 16; i++)
		greg[greg_of[i]] = (greg_t)trap->reg[i];
	greg[REG_RIP] = (greg_t)trap->rip;
	greg[REG_EFL] = (greg_t)trap->rflags;
}

static const struct sigaction *action_before(int signal)
{
	unsigned i = 0;
	while (caught[i] != signal)
		i++;
	return &before[i];
}

/* Sent by somebody, as against raised by an instruction. */
static bool was_sent(const siginfo_t *info)
{
	return info->si_code <= 0;
}

static void pass_on(int signal, siginfo_t *info, void *context)
{
	const struct sigaction *action = action_before(signal);
	if (action->sa_flags & SA_SIGINFO) {
		action->sa_sigaction(signal, info, context);
		return;
	}
	if (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN) {
		action->sa_handler(signal);
		return;
	}
	if (action->sa_handler == SIG_IGN && was_sent(info))
		return;
	struct sigaction default_action = {.sa_handler = SIG_DFL};
	sigaction(signal, &default_action, NULL);
	/* A breakpoint is behind us already, and what was sent does not come again. */
	if (was_sent(info) || signal == SIGTRAP)
		raise(signal);
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
	struct host_trap trap = {0};
	int saved_errno = errno;
	host_trap_function *function = on_trap;

	if (function && !was_sent(info)) {
		fill(&trap, info, context);
		if (host_end_copy(&trap) || function(&trap)) {
			write_back(&trap, context);
			errno = saved_errno;
			return;
		}
	}
	errno = saved_errno;
	pass_on(signal, info, context);
}

int host_catch_traps(host_trap_function *function)
{
	struct sigaction action = {.sa_sigaction = on_signal,
				   .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
	sigemptyset(&action.sa_mask);
	on_trap = function;
	for (unsigned i = 0; i < CAUGHT; i++) {
		if (!sigaction(caught[i], &action, &before[i]))
			continue;
		int error = -errno;
		while (i--)
			sigaction(caught[i], &before[i], NULL);
		return error;
	}
	return 0;
}

void host_release_traps(void)
{
	for (unsigned i = 0; i < CAUGHT; i++) {
		struct sigaction now;
		if (!sigaction(caught[i], NULL, &now) && now.sa_flags & SA_SIGINFO &&
		    now.sa_sigaction == on_signal)
			sigaction(caught[i], &before[i], NULL);
	}
	on_trap = NULL;
}

size_t host_read(void *to, const void *from, size_t size)
{
	struct iovec local = {.iov_base = to, .iov_len = size};
	struct iovec remote = {.iov_base = (void *)(uintptr_t)from, .iov_len = size};
	/* Not the library's function: sanitizers take the copy for a fault of ours. The
	 * arguments are variadic, so each must be as wide as a register. */
	long count = syscall(SYS_process_vm_readv, (long)getpid(), &local, 1L, &remote, 1L, 0L);
	return count > 0 ? (size_t)count : 0;
}
