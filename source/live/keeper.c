/* SPDX-License-Identifier: MIT */
/*
 * What becomes of the tree when this process is gone.
 *
 * The kernel fails every call of the table with ENOSYS as soon as nobody holds the
 * listener: a tree that cannot exec is a broken tree, so it must either end or keep
 * its listener. PTRACE_O_EXITKILL ends it. To let it go on there is a keeper: a
 * process forked from this one that holds the listener too, in a session of its own,
 * and does nothing until this one has ended (a pidfd says so, SIGKILL included). Then
 * it lets every call go on until the last task is gone.
 *
 * Calls that this process had received and not answered would wait for ever. So
 * requests are received straight into memory that the keeper shares; the kernel has
 * copied the request there before its receiver can die. The keeper answers whatever id
 * stands in a buffer; an id that was answered before is refused by the kernel
 * (ENOENT), which harms nobody.
 *
 * A task that was handed over to a debugger of the tree (handover.c) is not ours, so EXITKILL
 * does not reach it. For those a keeper can also kill whoever calls.
 *
 * The keeper is forked from a process with threads and with drivers in it: it makes
 * system calls only.
 */
#include "source/live/keeper.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Shared buffers --------------------------------------------------------------- */

#define SLOTS 128
#define SLOT_SIZE 256 /* a request has 80 bytes so far */

union slot {
	struct seccomp_notif request;
	char space[SLOT_SIZE];
};

/* Processes that the kernel does not kill with us. */
#define DOOMED 1024

static struct shared {
	union slot slot[SLOTS];
	_Atomic pid_t doomed[DOOMED];
} * shared;
static atomic_bool taken[SLOTS];

int live_open_shared_memory(void)
{
	void *memory = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -errno;
	shared = memory;
	return 0;
}

struct seccomp_notif *live_new_request(size_t size)
{
	if (size > SLOT_SIZE)
		return NULL;
	for (unsigned i = 0; i < SLOTS; i++) {
		if (atomic_exchange(&taken[i], true))
			continue;
		memset(&shared->slot[i], 0, SLOT_SIZE);
		return &shared->slot[i].request;
	}
	return NULL;
}

void live_free_request(struct seccomp_notif *request)
{
	if (request)
		atomic_store(&taken[(union slot *)(void *)request - shared->slot], false);
}

void live_doom(pid_t pid, bool doomed)
{
	for (unsigned i = 0; i < DOOMED; i++) {
		pid_t old = doomed ? 0 : pid;
		if (atomic_compare_exchange_strong(&shared->doomed[i], &old, doomed ? pid : 0))
			return;
	}
}

/* ---- The keeper's side --------------------------------------------------------------- */

static _Atomic pid_t keeper; /* 0: there is none */

/* Larger than the kernel's structures may become. */
union answer {
	struct seccomp_notif_resp response;
	char space[SLOT_SIZE];
};

static void let_go_on(int listener, uint64_t id)
{
	union answer answer = {0};
	answer.response.id = id;
	answer.response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

/* A caller that has no number here cannot be named; 0 would be our own group. */
static void kill_caller(const struct seccomp_notif *request, bool kills)
{
	if (kills && (pid_t)request->pid > 0)
		kill((pid_t)request->pid, SIGKILL);
}

static void answer_left_over(int listener, bool kills)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		const struct seccomp_notif *request = &shared->slot[i].request;
		uint64_t id = request->id;
		if (!id)
			continue;
		if (!ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id))
			kill_caller(request, kills);
		let_go_on(listener, id);
	}
}

static _Noreturn void keep(int listener, bool kills)
{
	struct pollfd wait = {.fd = listener, .events = POLLIN};
	union slot slot;
	for (unsigned i = 0; kills && i < DOOMED; i++) {
		if (shared->doomed[i])
			kill(shared->doomed[i], SIGKILL);
	}
	answer_left_over(listener, kills);
	for (;;) {
		if (poll(&wait, 1, -1) < 0 && errno != EINTR)
			break;
		if (!(wait.revents & POLLIN)) {
			if (wait.revents) /* nobody is under the filter any more */
				break;
			continue;
		}
		memset(&slot, 0, sizeof slot);
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &slot))
			continue;
		kill_caller(&slot.request, kills);
		let_go_on(listener, slot.request.id);
	}
	_exit(0);
}

static void close_all_but(int one, int other)
{
	unsigned low = (unsigned)(one < other ? one : other);
	unsigned high = (unsigned)(one < other ? other : one);
	if (low)
		syscall(SYS_close_range, 0u, low - 1, 0);
	if (high > low + 1)
		syscall(SYS_close_range, low + 1, high - 1, 0);
	syscall(SYS_close_range, high + 1, ~0u, 0);
}

/* Signals of the terminal do not reach another session; the others are blocked. */
static _Noreturn void be_keeper(int supervisor, int listener, bool kills)
{
	struct pollfd wait = {.fd = supervisor, .events = POLLIN};
	setsid();
	prctl(PR_SET_NAME, "ringside-keeper");
	close_all_but(supervisor, listener);
	if (chdir("/")) {
		/* then a folder stays busy */
	}
	while (poll(&wait, 1, -1) < 0 && errno == EINTR)
		;
	keep(listener, kills);
}

/* ---- Our side ----------------------------------------------------------------------------- */

int live_start_keeper(int listener, bool kills)
{
	if (live_keeper())
		return 0;
	int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (self < 0)
		return -errno;
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork();
	int failure = pid < 0 ? -errno : 0;
	if (pid == 0)
		be_keeper(self, listener, kills);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(self);
	if (pid > 0)
		atomic_store(&keeper, pid);
	return failure;
}

pid_t live_keeper(void)
{
	return atomic_load(&keeper);
}

void live_keeper_died(void)
{
	atomic_store(&keeper, 0);
}

void live_stop_keeper(void)
{
	pid_t pid = live_keeper();
	if (pid) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		live_keeper_died();
	}
	if (shared)
		munmap(shared, sizeof *shared);
	shared = NULL;
	memset(taken, 0, sizeof taken);
}
