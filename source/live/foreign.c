/* SPDX-License-Identifier: MIT */
/*
 * The ends of tasks that are not ours, by pidfds in an epoll set; and the return of
 * those that their debugger lets go.
 *
 * One entry a task, in a list under `lock`. The thread sleeps in epoll_wait; while a task is
 * on its return it wakes every few milliseconds to try, since nothing tells when a
 * detachment has happened. A task that stays with a debugger after all (a second
 * one) is tried for a second and then left alone.
 *
 * The exit status of a task that is nobody's child here: /proc/TID/stat has it until its
 * parent reaps it, the pidfd afterwards (PIDFD_GET_INFO, Linux 6.15). On an older kernel a task
 * that was reaped at once ends with status 0.
 */
#include "source/live/foreign.h"
#include "source/live/remote.h"
#include "memory.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RETRY_MS 5
#define MOST_TRIES 200

struct followed {
	struct followed *next;
	pid_t tid;
	int pidfd;
	unsigned tries; /* left; 0: it is not on its return */
};

static struct {
	pthread_mutex_t lock;
	struct followed *list; /* lock */
	int epoll, stop;
	pthread_t thread;
	bool running;
	atomic_bool processes_only;
} following = {.lock = PTHREAD_MUTEX_INITIALIZER, .epoll = -1, .stop = -1};

/* ---- The exit status ------------------------------------------------------------------- */

/* struct pidfd_info of Linux 6.13, and what 6.15 has in it. */
struct info {
	uint64_t mask, cgroup;
	uint32_t ids[11];
	int32_t exit_code;
};
#define INFO_EXIT (1u << 3)
#define GET_INFO _IOWR(0xFF, 11, struct info)

static int status_of(int pidfd, pid_t tid)
{
	struct info info = {.mask = INFO_EXIT};
	char text[4096];
	const char *field;
	if (live_read_proc(tid, "stat", text, sizeof text) > 0 && (field = strrchr(text, ')')) &&
	    (field[2] == 'Z' || field[2] == 'X') && (field = strrchr(text, ' ')))
		return atoi(field);
	if (ioctl(pidfd, GET_INFO, &info) == 0 && (info.mask & INFO_EXIT))
		return info.exit_code;
	return 0;
}

/* ---- The list ------------------------------------------------------------------------------ */

static struct followed **slot_of(pid_t tid)
{
	struct followed **slot = &following.list;
	while (*slot && (*slot)->tid != tid)
		slot = &(*slot)->next;
	return slot;
}

/* A descriptor of one thread (PIDFD_THREAD), or of its process where the kernel knows no
 * such. */
static int open_pidfd(pid_t tid)
{
	int fd = (int)syscall(SYS_pidfd_open, tid, O_EXCL);
	if (fd < 0 && errno == EINVAL) {
		atomic_store(&following.processes_only, true);
		fd = (int)syscall(SYS_pidfd_open, tid, 0);
	}
	return fd;
}

bool live_follows_threads(void)
{
	return !atomic_load(&following.processes_only);
}

static void *keep_following(void *unused);

/* Signals for the process go to its other threads. */
static bool start_thread(void)
{
	static const int own[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
	sigset_t blocked, before;
	sigfillset(&blocked);
	for (unsigned i = 0; i < sizeof own / sizeof own[0]; i++)
		sigdelset(&blocked, own[i]);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	following.running = !pthread_create(&following.thread, NULL, keep_following, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return following.running;
}

bool live_follow(pid_t tid)
{
	struct followed *made = host_alloc(sizeof *made);
	int pidfd = open_pidfd(tid);
	if (pidfd < 0 && !live_follows_threads() && errno != ESRCH) {
		host_free(made); /* a thread, whose process is watched */
		return true;
	}
	if (!made || pidfd < 0 || (!following.running && !start_thread())) {
		if (pidfd >= 0)
			close(pidfd);
		host_free(made);
		return false;
	}
	*made = (struct followed){.tid = tid, .pidfd = pidfd};
	pthread_mutex_lock(&following.lock);
	made->next = following.list;
	following.list = made;
	pthread_mutex_unlock(&following.lock);
	struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = (uint64_t)tid};
	return epoll_ctl(following.epoll, EPOLL_CTL_ADD, pidfd, &event) == 0;
}

void live_unfollow(pid_t tid)
{
	pthread_mutex_lock(&following.lock);
	struct followed **slot = slot_of(tid), *found = *slot;
	if (found)
		*slot = found->next;
	pthread_mutex_unlock(&following.lock);
	if (found)
		close(found->pidfd);
	host_free(found);
}

void live_await_return(pid_t tid)
{
	pthread_mutex_lock(&following.lock);
	struct followed *found = *slot_of(tid);
	if (found)
		found->tries = MOST_TRIES;
	pthread_mutex_unlock(&following.lock);
	eventfd_write(following.stop, 1);
}

bool live_is_returning(pid_t tid)
{
	pthread_mutex_lock(&following.lock);
	struct followed *found = *slot_of(tid);
	bool returning = found && found->tries;
	pthread_mutex_unlock(&following.lock);
	return returning;
}

/* ---- The thread ------------------------------------------------------------------------------ */

static void on_end(pid_t tid)
{
	pthread_mutex_lock(&following.lock);
	struct followed *found = *slot_of(tid);
	int status = found ? status_of(found->pidfd, tid) : 0;
	pthread_mutex_unlock(&following.lock);
	if (found)
		live_tell_foreign_end(tid, status);
}

/* One that is to be tried now, or 0; the others' turn comes next time. */
static pid_t next_return(void)
{
	struct followed *best = NULL;
	pthread_mutex_lock(&following.lock);
	for (struct followed *w = following.list; w; w = w->next) {
		if (w->tries && (!best || w->tries > best->tries))
			best = w;
	}
	pid_t tid = best ? best->tid : 0;
	if (best)
		best->tries--;
	pthread_mutex_unlock(&following.lock);
	return tid;
}

static void *keep_following(void *unused)
{
	struct epoll_event event;
	eventfd_t value;
	int patience = -1;
	for (;;) {
		int n = epoll_wait(following.epoll, &event, 1, patience);
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0 && event.data.u64) {
			on_end((pid_t)event.data.u64);
			continue;
		}
		if (n > 0 && (eventfd_read(following.stop, &value) || value > UINT32_MAX))
			break;
		pid_t tid = next_return();
		if (tid)
			live_try_to_reclaim(tid);
		patience = tid ? RETRY_MS : -1;
	}
	return unused;
}

int live_open_following(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	following.epoll = epoll_create1(EPOLL_CLOEXEC);
	following.stop = eventfd(0, EFD_CLOEXEC);
	following.running = false;
	if (following.epoll >= 0 && following.stop >= 0 &&
	    !epoll_ctl(following.epoll, EPOLL_CTL_ADD, following.stop, &event))
		return 0;
	int failure = -errno;
	close(following.epoll);
	close(following.stop);
	return failure;
}

void live_close_following(void)
{
	if (following.running) {
		eventfd_write(following.stop,
			      (eventfd_t)1 << 40); /* larger than any count of returns */
		pthread_join(following.thread, NULL);
		following.running = false;
	}
	while (following.list)
		live_unfollow(following.list->tid);
	close(following.epoll);
	close(following.stop);
}
