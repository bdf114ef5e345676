/* SPDX-License-Identifier: MIT */
/*
 * Answering notifications.
 *
 * One thread receives, asks the row of the table and answers, one call after the
 * other. When a driver keeps it, the watch has another one receive, and the first
 * is a spare when it comes back: at any time one thread receives, however many wait for drivers.
 * A thread keeps no state of its own but the buffers; what it looks up is
 * borrowed from the map. Callers wait killably (WAIT_KILLABLE_RECV), so a call that
 * was received is answered once, or its caller was killed: then the answer finds
 * nobody (ENOENT) and a creation that was told is taken back.
 *
 * After a bug check every call just goes on, or its caller is killed (fate.c).
 */
#include "source/live/notify.h"
#include "source/live/calls.h"
#include "source/live/keeper.h"
#include "source/live/handover.h"
#include "source/live/kernel.h"
#include "source/live/fate.h"
#include "source/live/watch.h"
#include "ke/bugcheck.h"
#include "memory.h"
#include <errno.h>
#include <linux/audit.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Newer than the headers of Debian 12: the caller's wake-up of this thread and ours
 * of the caller stay on one processor. An ioctl that fails changes nothing. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

#define X32_BIT 0x40000000

/* Ends a wait for a notification. Without SA_RESTART. */
#define INTERRUPT (SIGRTMAX - 2)

static void interrupt(int signal)
{
	(void)signal;
}

#define MOST_RECEIVERS 64u

struct receiver {
	struct live_watched watched;
	struct live_notifier *of;
	pthread_t thread;
	struct seccomp_notif *request;
	struct seccomp_notif_resp *response;
	bool spare;          /* under the lock */
	atomic_bool waiting; /* for a notification, and not in a driver */
	struct receiver *next;
};
_Static_assert(offsetof(struct receiver, watched) == 0, "relieve casts");

struct live_notifier {
	int listener;
	struct seccomp_notif_sizes sizes;
	_Atomic(struct receiver *) active; /* who receives; changed under the lock */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct receiver *first;
	unsigned count;
	atomic_bool ended;
	struct sigaction action; /* of INTERRUPT, before ours */
};

/* ---- One notification ------------------------------------------------------------------- */

static struct live_answer ask(const struct receiver *r, struct live_task *task)
{
	const struct seccomp_data *data = &r->request->data;
	const struct live_call *call = live_call_of(data->arch, data->nr);
	bool short_pointers = data->arch == AUDIT_ARCH_I386 || (data->nr & X32_BIT);
	struct live_notice notice = {.request = r->request,
				     .listener = r->of->listener,
				     .pointer_size = short_pointers ? 4 : 8,
				     .task = task};
	if (!call || ke_crashed())
		return LIVE_CONTINUE;
	return call->answer(call, &notice);
}

static bool send_answer(const struct receiver *r, struct live_answer answer)
{
	struct seccomp_notif_resp *response = r->response;
	memset(response, 0, r->of->sizes.seccomp_notif_resp);
	response->id = r->request->id;
	if (answer.what == LIVE_GO_ON)
		response->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else if (answer.value < 0)
		response->error = (int)answer.value;
	else
		response->val = answer.value;
	return ioctl(r->of->listener, SECCOMP_IOCTL_NOTIF_SEND, response) == 0;
}

static void serve(struct receiver *r)
{
	pid_t tid = (pid_t)r->request->pid;
	live_end_straggler(tid);
	struct live_task *task = live_meet(tid, live_find_task(tid));
	if (!task || !task->process) {
		send_answer(r, LIVE_CONTINUE);
	} else {
		live_take_back(live_take_pending(task)); /* of an exec that failed */
		unsigned stops = atomic_load(&task->stops);
		struct live_answer answer = ask(r, task);
		if (answer.what != LIVE_WAIT && !send_answer(r, answer))
			live_give_up(task, stops);
	}
	if (task)
		live_return(task);
}

/* ---- The threads ----------------------------------------------------------------------------- */

static int receive(struct receiver *r)
{
	memset(r->request, 0, r->of->sizes.seccomp_notif);
	atomic_store(&r->waiting, true);
	int error = ioctl(r->of->listener, SECCOMP_IOCTL_NOTIF_RECV, r->request) ? -errno : 0;
	atomic_store(&r->waiting, false);
	return error;
}

/* Whether the last task under the filter is gone, on kernels where that ends the wait. */
static bool is_over(const struct live_notifier *n)
{
	struct pollfd listener = {.fd = n->listener};
	return poll(&listener, 1, 0) > 0;
}

/* Waits in the call that receives, which costs one system call less than to poll first.
 * False at the end. */
static bool answer_one(struct receiver *r)
{
	int error = receive(r);
	if (error == -EINTR)
		return !atomic_load(&r->of->ended);
	if (error == -ENOENT) /* the caller was killed */
		return !is_over(r->of);
	if (error)
		return false;
	live_watch_enter(&r->watched, (pid_t)r->request->pid);
	serve(r);
	live_watch_leave(&r->watched);
	return true;
}

/* Until it is its turn. False at the end. */
static bool wait_as_spare(struct receiver *r)
{
	struct live_notifier *n = r->of;
	pthread_mutex_lock(&n->lock);
	r->spare = true;
	while (atomic_load(&n->active) != r && !atomic_load(&n->ended))
		pthread_cond_wait(&n->changed, &n->lock);
	r->spare = false;
	bool ended = atomic_load(&n->ended);
	pthread_mutex_unlock(&n->lock);
	return !ended;
}

static void end(struct live_notifier *n)
{
	pthread_mutex_lock(&n->lock);
	atomic_store(&n->ended, true);
	pthread_cond_broadcast(&n->changed);
	pthread_mutex_unlock(&n->lock);
}

static void *answer_all(void *argument)
{
	struct receiver *r = argument;
	r->watched.processor = ke_processor();
	live_watch(&r->watched);
	for (;;) {
		if (atomic_load(&r->of->active) != r && !wait_as_spare(r))
			break;
		if (!answer_one(r))
			break;
	}
	end(r->of);
	live_unwatch(&r->watched);
	return NULL;
}

/* Signals for the process go to its other threads; those that the processor
 * raises must stay unblocked, because the kernel in ntos/ lives on them. */
static int start_thread(struct receiver *r)
{
	static const int own[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
	sigset_t blocked, before;
	sigfillset(&blocked);
	for (unsigned i = 0; i < sizeof own / sizeof own[0]; i++)
		sigdelset(&blocked, own[i]);
	sigdelset(&blocked, INTERRUPT);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	int error = pthread_create(&r->thread, NULL, answer_all, r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

static void free_receiver(struct receiver *r)
{
	live_free_request(r->request);
	host_free(r->response);
	host_free(r);
}

static void relieve(struct live_watched *watched);

/* One more receiver, the active one from now on. Under the lock. */
static int add_receiver(struct live_notifier *n)
{
	struct receiver *r = n->count < MOST_RECEIVERS ? host_alloc(sizeof *r) : NULL;
	if (!r)
		return -ENOMEM;
	r->of = n;
	r->watched.relieve = relieve;
	r->request = live_new_request(n->sizes.seccomp_notif);
	r->response = host_alloc(n->sizes.seccomp_notif_resp);
	int error = r->request && r->response ? 0 : -ENOMEM;
	struct receiver *before = atomic_exchange(&n->active, r);
	if (!error)
		error = start_thread(r);
	if (error) {
		atomic_store(&n->active, before);
		free_receiver(r);
		return error;
	}
	r->next = n->first;
	n->first = r;
	n->count++;
	return 0;
}

/* By the watch: `watched` does not receive for now. */
static void relieve(struct live_watched *watched)
{
	struct receiver *kept = (struct receiver *)(void *)watched;
	struct live_notifier *n = kept->of;
	pthread_mutex_lock(&n->lock);
	if (atomic_load(&n->active) == kept && !atomic_load(&n->ended)) {
		struct receiver *spare = n->first;
		while (spare && !spare->spare)
			spare = spare->next;
		if (spare)
			atomic_store(&n->active, spare);
		else
			add_receiver(n);
		pthread_cond_broadcast(&n->changed);
	}
	pthread_mutex_unlock(&n->lock);
}

/* A signal that comes before the wait does not end it, so there may have to be another. */
static void join(struct receiver *r)
{
	struct timespec until;
	do {
		if (atomic_load(&r->waiting))
			pthread_kill(r->thread, INTERRUPT);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 1000000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_nsec -= 1000000000;
			until.tv_sec++;
		}
	} while (pthread_timedjoin_np(r->thread, NULL, &until) == ETIMEDOUT);
}

static void free_notifier(struct live_notifier *n)
{
	while (n->first) {
		struct receiver *r = n->first;
		join(r);
		n->first = r->next;
		free_receiver(r);
	}
	sigaction(INTERRUPT, &n->action, NULL);
	close(n->listener);
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
	pthread_mutex_init(&n->lock, NULL);
	pthread_cond_init(&n->changed, NULL);
	sigaction(INTERRUPT, &(struct sigaction){.sa_handler = interrupt, .sa_flags = SA_ONSTACK},
		  &n->action);
	*error = syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &n->sizes) ? -errno : 0;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	if (!*error)
		*error = add_receiver(n);
	if (*error) {
		free_notifier(n);
		return NULL;
	}
	return n;
}

void live_stop_notifier(struct live_notifier *notifier)
{
	end(notifier);
	free_notifier(notifier);
}
