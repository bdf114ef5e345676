/* SPDX-License-Identifier: MIT */
/*
 * The map from Linux ids to tasks and processes.
 *
 * The tracer alone adds, renames and forgets; the notifier only looks things up,
 * and what it found stays in memory while it holds a reference. One lock protects
 * all links and the fields marked with it; it is held for a few instructions and
 * never while a driver, a system call that can wait or the kernel in ntos/ runs.
 *
 * References: the map holds one to each task; a task holds one to its process; a
 * process that has never executed anything holds one to the task that forked it.
 * A task or process gives its references to NT objects back when it goes itself.
 */
#include "source/live/task.h"
#include "source/live/kernel.h"
#include "memory.h"
#include "ob/object.h"
#include <signal.h>
#include <string.h>

#define BUCKETS 1024u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct live_task *bucket[BUCKETS];
static struct live_process *processes;
static size_t process_count;

void live_map_lock(void)
{
	pthread_mutex_lock(&lock);
}

void live_map_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

static struct live_task **slot_of(pid_t tid)
{
	struct live_task **slot = &bucket[(unsigned)tid % BUCKETS];
	while (*slot && (*slot)->tid != tid)
		slot = &(*slot)->next;
	return slot;
}

/* ---- Looking up -------------------------------------------------------------------- */

struct live_task *live_find_task(pid_t tid)
{
	live_map_lock();
	struct live_task *task = *slot_of(tid);
	if (task)
		task->references++;
	live_map_unlock();
	return task;
}

/* Any thread's id names its process; the leader's still does when only other
 * threads are left. */
static struct live_process *process_named(pid_t pid)
{
	struct live_task *task = *slot_of(pid);
	if (task && task->process)
		return task->process;
	struct live_process *process = processes;
	while (process && process->pid != pid)
		process = process->next;
	return process;
}

struct live_process *live_find_process(pid_t pid)
{
	live_map_lock();
	struct live_process *process = process_named(pid);
	if (process && !process->tasks)
		process = NULL;
	if (process)
		process->references++;
	live_map_unlock();
	return process;
}

pid_t *live_list_processes(void)
{
	live_map_lock();
	pid_t *list = host_alloc((process_count + 1) * sizeof list[0]);
	size_t n = 0;
	for (struct live_process *p = processes; list && p; p = p->next) {
		if (p->tasks)
			list[n++] = p->pid;
	}
	if (list)
		list[n] = -1;
	live_map_unlock();
	return list;
}

void live_signal_all(int signal, const struct live_process *but)
{
	live_map_lock();
	for (struct live_process *p = processes; p; p = p->next) {
		if (p->tasks && p != but)
			kill(p->pid, signal);
	}
	live_map_unlock();
}

PEPROCESS live_nt_process(struct live_process *process)
{
	live_map_lock();
	PEPROCESS nt = process->nt;
	if (nt)
		ob_reference(nt);
	live_map_unlock();
	return nt;
}

PETHREAD live_nt_thread(struct live_task *task)
{
	live_map_lock();
	PETHREAD nt = task->nt;
	if (nt)
		ob_reference(nt);
	live_map_unlock();
	return nt;
}

struct live_pending *live_take_pending(struct live_task *task)
{
	live_map_lock();
	struct live_pending *pending = task->pending;
	task->pending = NULL;
	live_map_unlock();
	return pending;
}

bool live_has_pending(struct live_task *task)
{
	live_map_lock();
	bool pending = task->pending != NULL;
	live_map_unlock();
	return pending;
}

bool live_exec_is_pending(const struct live_process *process)
{
	bool pending = false;
	live_map_lock();
	for (unsigned i = 0; i < BUCKETS; i++) {
		for (const struct live_task *task = bucket[i]; task; task = task->next)
			pending |= task->process == process && task->pending;
	}
	live_map_unlock();
	return pending;
}

/* ---- Giving back ------------------------------------------------------------------- */

static void unlink_process(struct live_process *process)
{
	struct live_process **link = &processes;
	while (*link != process)
		link = &(*link)->next;
	*link = process->next;
	process_count--;
}

/* Gives a reference to a task back; when it was the last, the process whose
 * reference the task held is the caller's to give back. */
static struct live_process *drop_task(struct live_task *task)
{
	live_map_lock();
	bool last = --task->references == 0;
	live_map_unlock();
	if (!last)
		return NULL;
	struct live_process *process = task->process;
	live_release(task->nt);
	pthread_mutex_destroy(&task->context);
	host_free(task);
	return process;
}

/* A process goes with its last reference, and may take along the task that forked
 * it, and so on up: a loop instead of a recursion, since such chains can be as
 * long as a fork bomb makes them. */
void live_return_process(struct live_process *process)
{
	while (process) {
		struct live_task *creator;
		live_map_lock();
		bool last = --process->references == 0;
		if (last)
			unlink_process(process);
		live_map_unlock();
		if (!last)
			return;
		live_release(process->nt);
		live_release(process->parent);
		creator = process->creator;
		host_free(process);
		process = creator ? drop_task(creator) : NULL;
	}
}

void live_return(struct live_task *task)
{
	live_return_process(drop_task(task));
}

/* ---- Changing, by the tracer ---------------------------------------------------------- */

struct live_task *live_add_task(pid_t tid)
{
	struct live_task *task = host_alloc(sizeof *task);
	if (!task)
		return NULL;
	task->tid = tid;
	task->references = 1;
	task->state = LIVE_HELD;
	pthread_mutex_init(&task->context, NULL);
	live_map_lock();
	struct live_task **slot = &bucket[(unsigned)tid % BUCKETS];
	task->next = *slot;
	*slot = task;
	live_map_unlock();
	return task;
}

bool live_place_task(struct live_task *task, struct live_process *process)
{
	struct live_process *made = NULL;
	if (!process) {
		process = made = host_alloc(sizeof *made);
		if (!made)
			return false;
		made->pid = task->tid;
	}
	live_map_lock();
	if (made) {
		made->next = processes;
		processes = made;
		process_count++;
	}
	process->references++;
	process->tasks++;
	task->process = process;
	live_map_unlock();
	return true;
}

static bool unlink_task(struct live_task *task)
{
	struct live_task **slot = &bucket[(unsigned)task->tid % BUCKETS];
	while (*slot && *slot != task)
		slot = &(*slot)->next;
	if (!*slot)
		return false;
	*slot = task->next;
	return true;
}

void live_rename_task(struct live_task *task, pid_t tid)
{
	struct live_task *other;
	live_map_lock();
	unlink_task(task);
	other = *slot_of(tid);
	if (other)
		unlink_task(other);
	task->tid = tid;
	task->next = bucket[(unsigned)tid % BUCKETS];
	bucket[(unsigned)tid % BUCKETS] = task;
	live_map_unlock();
	if (other)
		live_return(other);
}

void live_forget_task(struct live_task *task)
{
	live_map_lock();
	bool there = unlink_task(task);
	live_map_unlock();
	if (there)
		live_return(task);
}

void live_visit_tasks(void (*visit)(struct live_task *, void *context), void *context)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		live_map_lock();
		struct live_task *task = bucket[i];
		if (task)
			task->references++;
		live_map_unlock();
		while (task) {
			visit(task, context);
			live_map_lock();
			struct live_task *next = task->next;
			if (next)
				next->references++;
			live_map_unlock();
			live_return(task);
			task = next;
		}
	}
}

void live_forget_all(void)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		while (bucket[i])
			live_forget_task(bucket[i]);
	}
}
