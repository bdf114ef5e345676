/* SPDX-License-Identifier: MIT */
/*
 * Answering notifications.
 *
 * One thread receives, asks the row of the table and answers, one call after the
 * other. It keeps no state of its own but the buffers; what it looks up is
 * borrowed from the map. Callers wait killably (WAIT_KILLABLE_RECV), so a call that
 * was received is answered once, or its caller was killed: then the answer finds
 * nobody (ENOENT) and a creation that was told is taken back.
 *
 * After a bug check every call just goes on, or its caller is killed (fate.c).
 */
#include "source/live/notify.h"
#include "source/live/calls.h"
#include "source/live/keeper.h"
#include "source/live/kernel.h"
#include "source/live/fate.h"
#include "ke/bugcheck.h"
#include "memory.h"
#include <errno.h>
#include <linux/audit.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than the headers of Debian 12: the caller's wake-up of this thread and ours
 * of the caller stay on one processor. An ioctl that fails changes nothing. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

#define X32_BIT 0x40000000

struct live_notifier {
	pthread_t thread;
	int listener, stop; /* stop: an eventfd */
	struct seccomp_notif_sizes sizes;
	struct seccomp_notif *request;
	struct seccomp_notif_resp *response;
};

/* ---- One notification ------------------------------------------------------------------- */

static struct live_answer ask(const struct live_notifier *n, struct live_task *task)
{
	const struct seccomp_data *data = &n->request->data;
	const struct live_call *call = live_call_of(data->arch, data->nr);
	bool short_pointers = data->arch == AUDIT_ARCH_I386 || (data->nr & X32_BIT);
	struct live_notice notice = {.request = n->request,
				     .listener = n->listener,
				     .pointer_size = short_pointers ? 4 : 8,
				     .task = task};
	if (!call || ke_crashed())
		return LIVE_CONTINUE;
	return call->answer(call, &notice);
}

static bool send_answer(const struct live_notifier *n, struct live_answer answer)
{
	struct seccomp_notif_resp *r = n->response;
	memset(r, 0, n->sizes.seccomp_notif_resp);
	r->id = n->request->id;
	if (answer.what == LIVE_GO_ON)
		r->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else if (answer.value < 0)
		r->error = (int)answer.value;
	else
		r->val = answer.value;
	return ioctl(n->listener, SECCOMP_IOCTL_NOTIF_SEND, r) == 0;
}

static void serve(struct live_notifier *n)
{
	struct live_task *task = live_find_task((pid_t)n->request->pid);
	live_end_straggler((pid_t)n->request->pid);
	if (!task || !task->process) {
		send_answer(n, LIVE_CONTINUE);
	} else {
		live_take_back(live_take_pending(task)); /* of an exec that failed */
		if (!send_answer(n, ask(n, task)))
			live_take_back(live_take_pending(task));
	}
	if (task)
		live_return(task);
}

/* ---- The thread ------------------------------------------------------------------------------ */

static bool receive(struct live_notifier *n)
{
	memset(n->request, 0, n->sizes.seccomp_notif);
	return ioctl(n->listener, SECCOMP_IOCTL_NOTIF_RECV, n->request) == 0;
}

/* Until it is told to stop, or the last task under the filter is gone. */
static void *answer_all(void *argument)
{
	struct live_notifier *n = argument;
	struct pollfd wait[] = {{.fd = n->listener, .events = POLLIN},
				{.fd = n->stop, .events = POLLIN}};
	for (;;) {
		if (poll(wait, 2, -1) < 0 && errno != EINTR)
			break;
		if (wait[0].revents & POLLIN) {
			if (receive(n))
				serve(n);
		} else if (wait[0].revents || wait[1].revents) {
			break;
		}
	}
	return NULL;
}

/* Signals for the process go to its other threads; those that the processor
 * raises must stay unblocked, because the kernel in ntos/ lives on them. */
static int start_thread(struct live_notifier *n)
{
	static const int own[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
	sigset_t blocked, before;
	sigfillset(&blocked);
	for (unsigned i = 0; i < sizeof own / sizeof own[0]; i++)
		sigdelset(&blocked, own[i]);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	int error = pthread_create(&n->thread, NULL, answer_all, n);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

static void free_notifier(struct live_notifier *n)
{
	if (n->stop >= 0)
		close(n->stop);
	close(n->listener);
	live_free_request(n->request);
	host_free(n->response);
	host_free(n);
}

struct live_notifier *live_start_notifier(int listener, int *error)
{
	struct live_notifier *n = host_alloc(sizeof *n);
	if (!n) {
		close(listener);
		*error = -ENOMEM;
		return NULL;
	}
	n->listener = listener;
	n->stop = eventfd(0, EFD_CLOEXEC);
	*error = n->stop < 0 ? -errno : 0;
	if (!*error && syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &n->sizes))
		*error = -errno;
	if (!*error) {
		n->request = live_new_request(n->sizes.seccomp_notif);
		n->response = host_alloc(n->sizes.seccomp_notif_resp);
		*error = n->request && n->response ? 0 : -ENOMEM;
	}
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	if (!*error)
		*error = start_thread(n);
	if (*error) {
		free_notifier(n);
		return NULL;
	}
	return n;
}

void live_stop_notifier(struct live_notifier *notifier)
{
	eventfd_write(notifier->stop, 1);
	pthread_join(notifier->thread, NULL);
	free_notifier(notifier);
}
