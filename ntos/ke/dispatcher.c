/* SPDX-License-Identifier: MIT */
/*
 * Dispatcher objects: who waits for what, and who gets it.
 *
 * One lock protects the state of all of them: SignalState, the wait lists, and the
 * waiter of each thread. A thread waits with a block in the list of each object;
 * whoever signals an object gives it, still under the lock, to the first waiters
 * that it satisfies, takes their blocks out of all lists and wakes them. So no woken
 * thread finds that another was faster, an object is never signalled while
 * somebody waits who could have it, and first come is first served.
 *
 * `state` is a futex: stored (release) last by whoever wakes, read (acquire) first by
 * the woken thread, so that no wake-up is lost. The thread takes the lock once more before
 * it returns, because the object may lie in its own stack frame and whoever signalled it
 * still looks at it.
 *
 * A fault in a damaged wait list is a bug check with the lock held. Whoever crashes
 * gives it back; the lists are not to be trusted then, but nobody uses them any more
 * except to leave. The sleepers are a list of their own, with a lock of its own, so
 * that they can be told even so.
 *
 * After fork() the child has one thread; whoever else waited is gone, and the lists
 * still show it. A child of a program that embeds the kernel has to live with that.
 *
 * Clauses: AB-17. Pages: KeSetEvent and those that it refers to.
 */
#include "ke/dispatcher.h"
#include "ke/bugcheck.h"
#include "ke/list.h"
#include "ke/mutex.h"
#include "ke/thread.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic pthread_t holder; /* so that who crashes with it can give it back */

static struct {
	pthread_mutex_t lock;
	LIST_ENTRY list;
	bool crashed, shutting_down;
} sleepers = {.lock = PTHREAD_MUTEX_INITIALIZER, .list = {&sleepers.list, &sleepers.list}};

/* Not before the first use: most programs that fork never wait here. */
static void protect_against_fork(void)
{
	pthread_atfork(ke_lock_dispatcher, ke_unlock_dispatcher, ke_unlock_dispatcher);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

void ke_lock_dispatcher(void)
{
	pthread_mutex_lock(&lock);
	atomic_store_explicit(&holder, pthread_self(), memory_order_relaxed);
}

void ke_unlock_dispatcher(void)
{
	atomic_store_explicit(&holder, 0, memory_order_relaxed);
	pthread_mutex_unlock(&lock);
}

void ke_drop_dispatcher(void)
{
	if (atomic_load_explicit(&holder, memory_order_relaxed) == pthread_self())
		ke_unlock_dispatcher();
}

void ke_wait_in_dispatcher(pthread_cond_t *changed, const struct timespec *at)
{
	atomic_store_explicit(&holder, 0, memory_order_relaxed);
	if (at)
		pthread_cond_clockwait(changed, &lock, CLOCK_MONOTONIC, at);
	else
		pthread_cond_wait(changed, &lock);
	atomic_store_explicit(&holder, pthread_self(), memory_order_relaxed);
}

static bool is_object(const DISPATCHER_HEADER *header)
{
	const unsigned known = 1u << KE_NOTIFICATION_EVENT | 1u << KE_SYNCHRONIZATION_EVENT |
			       1u << KE_MUTANT | 1u << KE_PROCESS | 1u << KE_SEMAPHORE |
			       1u << KE_THREAD | 1u << KE_NOTIFICATION_TIMER |
			       1u << KE_SYNCHRONIZATION_TIMER;
	return header->Type < 32 && (known >> header->Type & 1) && header->WaitListHead.Flink;
}

void ke_enter_dispatcher(DISPATCHER_HEADER *object, const char *caller)
{
	pthread_once(&once, protect_against_fork);
	(void)*(volatile UCHAR *)&object->Size; /* a bad pointer faults here */
	ke_lock_dispatcher();
	if (is_object(object))
		return;
	UCHAR type = object->Type;
	ke_unlock_dispatcher();
	KE_BUG_CHECK(KE_CALLBACK_RULE_VIOLATION, object, type, 0, 0,
		     "%s was given memory that is no initialized dispatcher object (type 0x%x)",
		     caller, type);
}

/* ---- Giving ------------------------------------------------------------------------ */

static bool is_available(const DISPATCHER_HEADER *object, const struct ke_thread *thread)
{
	return object->SignalState > 0 ||
	       (object->Type == KE_MUTANT && ke_mutant_of(object)->OwnerThread == thread);
}

static void take(DISPATCHER_HEADER *object, struct ke_waiter *waiter)
{
	switch (object->Type) {
	case KE_SYNCHRONIZATION_EVENT:
	case KE_SYNCHRONIZATION_TIMER:
		object->SignalState = 0;
		break;
	case KE_SEMAPHORE:
		object->SignalState--;
		break;
	case KE_MUTANT:
		waiter->critical_regions += ke_take_mutant(ke_mutant_of(object), waiter->thread);
		break;
	default: /* stays signalled for everybody */
		break;
	}
}

static bool satisfy_all(struct ke_waiter *waiter)
{
	for (ULONG i = 0; i < waiter->count; i++)
		if (!is_available(waiter->block[i].object, waiter->thread))
			return false;
	for (ULONG i = 0; i < waiter->count; i++)
		take(waiter->block[i].object, waiter);
	waiter->status = STATUS_SUCCESS;
	return true;
}

bool ke_satisfy(struct ke_waiter *waiter)
{
	if (waiter->all && waiter->count)
		return satisfy_all(waiter);
	for (ULONG i = 0; i < waiter->count; i++) {
		if (!is_available(waiter->block[i].object, waiter->thread))
			continue;
		take(waiter->block[i].object, waiter);
		waiter->status = (NTSTATUS)i; /* STATUS_WAIT_0 + i */
		return true;
	}
	return false;
}

void ke_enlist(struct ke_waiter *waiter)
{
	for (ULONG i = 0; i < waiter->count; i++) {
		struct ke_wait_block *block = &waiter->block[i];
		block->waiter = waiter;
		list_add_last(&block->object->WaitListHead, &block->link);
	}
	waiter->thread->waiter = waiter;
}

static void delist(struct ke_waiter *waiter)
{
	if (waiter->thread->waiter != waiter)
		return;
	for (ULONG i = 0; i < waiter->count; i++)
		list_remove(&waiter->block[i].link);
	waiter->thread->waiter = NULL;
}

static void end_sleep(struct ke_waiter *waiter, int state)
{
	_Atomic int *word = &waiter->state;
	atomic_store_explicit(word, state, memory_order_release);
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void ke_wake(struct ke_waiter *waiter, NTSTATUS status)
{
	delist(waiter);
	waiter->status = status;
	end_sleep(waiter, KE_WOKEN);
}

void ke_signal(DISPATCHER_HEADER *object)
{
	LIST_ENTRY *head = &object->WaitListHead, *entry = head->Flink;
	while (object->SignalState > 0 && entry != head) {
		struct ke_waiter *waiter = LIST_OWNER(entry, struct ke_wait_block, link)->waiter;
		entry = entry->Flink;
		if (!ke_satisfy(waiter))
			continue;
		ke_wake(waiter, waiter->status);
		entry = head->Flink; /* it may have waited for this object twice */
	}
}

void ke_signal_end(DISPATCHER_HEADER *object)
{
	ke_lock_dispatcher();
	object->SignalState = 1;
	ke_signal(object);
	ke_unlock_dispatcher();
}

/* ---- Ends of the world --------------------------------------------------------------- */

bool ke_sleeper_begins(struct ke_waiter *waiter)
{
	pthread_mutex_lock(&sleepers.lock);
	bool over = sleepers.crashed || (sleepers.shutting_down && waiter->helper);
	if (!over)
		list_add_last(&sleepers.list, &waiter->sleeper);
	pthread_mutex_unlock(&sleepers.lock);
	return !over;
}

void ke_sleeper_ends(struct ke_waiter *waiter)
{
	pthread_mutex_lock(&sleepers.lock);
	list_remove(&waiter->sleeper);
	pthread_mutex_unlock(&sleepers.lock);
}

void ke_end_sleepers(bool only_helpers)
{
	pthread_mutex_lock(&sleepers.lock);
	sleepers.crashed |= !only_helpers;
	sleepers.shutting_down = only_helpers;
	for (LIST_ENTRY *entry = sleepers.list.Flink; entry != &sleepers.list;
	     entry = entry->Flink) {
		struct ke_waiter *waiter = LIST_OWNER(entry, struct ke_waiter, sleeper);
		if (waiter->helper || !only_helpers)
			end_sleep(waiter, KE_ENDED);
	}
	pthread_mutex_unlock(&sleepers.lock);
}

void ke_let_sleep(void)
{
	pthread_mutex_lock(&sleepers.lock);
	sleepers.shutting_down = false;
	pthread_mutex_unlock(&sleepers.lock);
}

_Noreturn void ke_abandon_wait(struct ke_waiter *waiter)
{
	ke_lock_dispatcher();
	delist(waiter);
	ke_unlock_dispatcher();
	ke_leave();
}
