/* SPDX-License-Identifier: MIT */
/*
 * Tracing while a driver keeps the tracer.
 *
 * The tracer calls drivers itself: handing every report to another thread would cost
 * two changes of thread each, as much as the stop that it is about. But a callback can
 * take long, or wait for something that another process does. Then the watch calls
 * for a deputy: a thread that takes reports and handles them in the tracer's place,
 * until the tracer is back. A deputy that is kept as well is relieved by a further one.
 *
 * Reports can be taken by any thread of a process. ptrace, though, obeys only the thread
 * that seized; so a deputy writes down what it wants (`order`) and sends the tracer a
 * signal, whose handler does it: one system call, in the middle of whatever
 * the driver is doing, and no lock or memory is needed for that.
 *
 * `lock` is the tracer's: it protects its state and everything here, and is taken inside the
 * watch's. Deputies take
 * reports only while the tracer is away, under the lock, and the tracer waits for
 * reports only when it is not away: so the reports of one task are handled in their order.
 */
#include "source/live/deputy.h"
#include "source/live/watch.h"
#include "memory.h"
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <time.h>
#include <unistd.h>

#define MOST_DEPUTIES 64u
#define ORDERS (SIGRTMAX - 1)

struct deputy {
	struct live_watched watched;
	pthread_t thread;
	struct deputy *next;
	bool kept;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static struct {
	struct live_watched watched; /* the tracer itself */
	pid_t tid;
	bool (*step)(void);
	bool away; /* a driver keeps the tracer */
	bool ended;
	struct deputy *first;
	unsigned count, kept, handling; /* deputies: all, of them kept, with a report in hand */
	struct sigaction action;        /* before ours */
	sigset_t mask;
} t;

static _Thread_local struct live_watched *self;

/* Guests are watched already, as the threads that they are otherwise. */
static struct live_watched guest;
static pthread_mutex_t visits = PTHREAD_MUTEX_INITIALIZER; /* before `lock` */

/* ---- ptrace for others ------------------------------------------------------------------ */

static struct {
	int request;
	pid_t tid;
	unsigned long address, data;
	long result;
	int error;
	atomic_bool posted;
	sem_t done;
} order;

static void obey(int signal)
{
	int saved = errno;
	(void)signal;
	if (atomic_exchange(&order.posted, false)) {
		errno = 0;
		order.result = ptrace((enum __ptrace_request)order.request, order.tid,
				      order.address, order.data);
		order.error = errno;
		sem_post(&order.done);
	}
	errno = saved;
}

long live_ptrace(int request, pid_t tid, unsigned long address, unsigned long data)
{
	if (self == &t.watched || !self)
		return ptrace((enum __ptrace_request)request, tid, address, data);
	order.request = request;
	order.tid = tid;
	order.address = address;
	order.data = data;
	atomic_store(&order.posted, true);
	tgkill(getpid(), t.tid, ORDERS);
	while (sem_wait(&order.done))
		;
	errno = order.error;
	return order.result;
}

/* ---- Deputies --------------------------------------------------------------------------- */

static void relieve(struct live_watched *watched);

static void nap(void)
{
	struct timespec moment = {.tv_nsec = 1000000};
	nanosleep(&moment, NULL);
}

static void stand_in(void)
{
	t.handling++;
	bool handled = t.step();
	t.handling--;
	if (handled)
		return;
	pthread_mutex_unlock(&lock);
	nap();
	pthread_mutex_lock(&lock);
}

static void *deputize(void *argument)
{
	struct deputy *d = argument;
	self = &d->watched;
	self->processor = ke_processor();
	self->relieve = relieve;
	live_watch(self);
	pthread_mutex_lock(&lock);
	while (!t.ended) {
		if (t.away)
			stand_in();
		else
			pthread_cond_wait(&changed, &lock);
	}
	pthread_mutex_unlock(&lock);
	live_unwatch(self);
	return NULL;
}

/* As the notifier's threads: asynchronous signals are others'. */
static void start_deputy(void)
{
	static const int own[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
	struct deputy *d = t.count < MOST_DEPUTIES ? host_alloc(sizeof *d) : NULL;
	sigset_t blocked, before;
	if (!d)
		return;
	sigfillset(&blocked);
	for (unsigned i = 0; i < sizeof own / sizeof own[0]; i++)
		sigdelset(&blocked, own[i]);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	int error = pthread_create(&d->thread, NULL, deputize, d);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error) {
		host_free(d);
		return;
	}
	d->next = t.first;
	t.first = d;
	t.count++;
}

/* By the watch. It may be over in this moment. */
static void relieve(struct live_watched *watched)
{
	pthread_mutex_lock(&lock);
	if (live_is_kept(watched) && !t.ended) {
		if (watched == &t.watched) {
			t.away = true;
		} else {
			((struct deputy *)(void *)watched)->kept = true;
			t.kept++;
		}
		if (t.kept == t.count)
			start_deputy();
		pthread_cond_broadcast(&changed);
	}
	pthread_mutex_unlock(&lock);
}

_Static_assert(offsetof(struct deputy, watched) == 0, "relieve casts");

/* ---- The tracer ---------------------------------------------------------------------------- */

static void take_orders(void)
{
	struct sigaction action = {.sa_handler = obey, .sa_flags = SA_RESTART | SA_ONSTACK};
	sigset_t orders;
	sem_init(&order.done, 0, 0);
	sigaction(ORDERS, &action, &t.action);
	sigemptyset(&orders);
	sigaddset(&orders, ORDERS);
	pthread_sigmask(SIG_UNBLOCK, &orders, &t.mask);
	sigemptyset(&orders);
	sigaddset(&orders, SIGCHLD); /* await.c waits for it */
	pthread_sigmask(SIG_BLOCK, &orders, NULL);
}

void live_begin_tracing(bool (*step)(void))
{
	t.watched = (struct live_watched){.processor = ke_processor(), .relieve = relieve};
	self = &t.watched;
	live_watch(self); /* its lock comes before ours */
	pthread_mutex_lock(&lock);
	t.tid = gettid();
	t.step = step;
	t.away = t.ended = false;
	take_orders();
}

/* Deputies that are kept come back before this does. */
void live_end_tracing(void)
{
	t.ended = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	live_unwatch(self);
	while (t.first) {
		struct deputy *d = t.first;
		pthread_join(d->thread, NULL);
		t.first = d->next;
		host_free(d);
	}
	t.count = t.kept = 0;
	pthread_sigmask(SIG_SETMASK, &t.mask, NULL);
	sigaction(ORDERS, &t.action, NULL);
	sem_destroy(&order.done);
	self = NULL;
}

void live_begin_telling(pid_t tid)
{
	pthread_mutex_unlock(&lock);
	if (self != &guest)
		live_watch_enter(self, tid);
}

void live_end_telling(void)
{
	pthread_mutex_lock(&lock);
	if (self == &guest)
		return;
	live_watch_leave(self);
	if (self == &t.watched) {
		t.away = false;
	} else if (((struct deputy *)(void *)self)->kept) {
		((struct deputy *)(void *)self)->kept = false;
		t.kept--;
	}
}

bool live_begin_visit(void)
{
	pthread_mutex_lock(&visits);
	pthread_mutex_lock(&lock);
	self = &guest;
	if (!t.ended)
		return true;
	live_end_visit();
	return false;
}

void live_end_visit(void)
{
	self = NULL;
	pthread_mutex_unlock(&lock);
	pthread_mutex_unlock(&visits);
}

bool live_begin_waiting(void)
{
	bool alone = t.handling == 0;
	pthread_mutex_unlock(&lock);
	return alone;
}

void live_pause_waiting(void)
{
	nap();
}

void live_end_waiting(void)
{
	pthread_mutex_lock(&lock);
}
