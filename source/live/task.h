/* SPDX-License-Identifier: MIT */
/* The supervised tasks and processes, and what NT calls each of them. */
#ifndef RINGSIDE_LIVE_TASK_H
#define RINGSIDE_LIVE_TASK_H

#include "source/live/image.h"
#include <pthread.h>
#include <stdatomic.h>
#include <ringside/nt.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A Linux process (a thread group). Lives until its last task is forgotten. */
struct live_process {
	pid_t pid;
	struct live_process *next; /* of all of them; map lock */

	/* Map lock. */
	unsigned tasks;            /* that have not ended */
	unsigned references;       /* one for each task, and borrowed ones */
	PEPROCESS nt;              /* referenced; NULL when it could not be made */
	PEPROCESS parent;          /* referenced; whose clone it is, until its first exec */
	struct live_task *creator; /* the task that forked it, until its first exec */
	bool announced;            /* its creation was told, so it is more than a clone */

	/* Whether it may have another user, root folder or pid namespace than we have:
	 * it, or whom it comes from, made a call that could change one of them. Looking
	 * that up costs more than everything else, and nearly nobody does it. */
	atomic_bool estranged;
};

/* A creation that was told before the exec that makes it true. */
struct live_pending {
	PEPROCESS process; /* referenced */
	PETHREAD thread;   /* referenced */
	struct live_file image;
	bool shared;        /* others could write the caller's memory meanwhile */
	uint64_t arguments; /* their hash (live_hash_arguments) */
};

enum live_state {
	LIVE_EXPECTED, /* its creator's event came; its first stop has not */
	LIVE_HELD,     /* it stopped first and waits for its creator's event */
	LIVE_RUNNING,
	LIVE_ENDED, /* its end was told; only references keep it */
};

/* Whose process ids a task uses in its calls. */
enum live_numbering { LIVE_NUMBERING_UNKNOWN, LIVE_NUMBERING_OURS, LIVE_NUMBERING_OTHER };

/* A birth, an end, a death, and one to spare. */
#define LIVE_MOST_WAITING 4

/* A Linux thread. */
struct live_task {
	pid_t tid;              /* changes when a thread that is not the leader execs */
	struct live_task *next; /* in its bucket; map lock */

	/* Map lock. */
	unsigned references;
	enum live_state state;        /* written by the tracer alone, which reads it freely */
	struct live_process *process; /* NULL while held */
	PETHREAD nt;                  /* referenced; NULL when it could not be made */
	struct live_pending *pending;
	int end_status; /* as waitpid gives it, once it has ended */

	/* How often the tracer has seen it stop, but for its end. */
	atomic_uint stops;

	/* A debugger of the tree has it, and ptrace tells us nothing (handover.c). Written by
	 * the tracer alone, with the other two. */
	atomic_bool foreign;
	pid_t debugger;        /* its process, when it is foreign */
	struct call *handover; /* the debugger's call that waits for us to let it go */

	enum live_numbering numbering; /* the notifier's own */

	/* The tracer's own (deputy.h). */
	int first_stop; /* signal of its first stop */
	bool held;      /* somebody is busy with it: its reports wait */
	bool mapping;   /* its mmap of an executable file was let go on: it stops after it */
	unsigned waiting;
	int report[LIVE_MOST_WAITING];

	/* Held while `nt` is the current thread of some host thread. */
	pthread_mutex_t context;
};

/*
 * LOCK ORDER: a task's context, then the map lock. Neither the map lock nor more
 * than one context is held by a host thread, and no driver runs under the map
 * lock. "Borrowed" results are given back with live_return or
 * live_return_process.
 */
void live_map_lock(void);
void live_map_unlock(void);

/* The task with that id, borrowed, or NULL. */
struct live_task *live_find_task(pid_t tid);

/* The process of which `pid` is a thread, borrowed, or NULL. Ended ones are
 * not found. */
struct live_process *live_find_process(pid_t pid);

/* The id of every process that has not ended, in a host_alloc'd array; -1 at its
 * end. NULL without memory. */
pid_t *live_list_processes(void);

/* Sends a signal to every process that has not ended, but for one. */
void live_signal_all(int signal, const struct live_process *but);

void live_return(struct live_task *task);
void live_return_process(struct live_process *process);

/* Adds a task in the state LIVE_HELD, without a process. NULL without memory. Its
 * reference belongs to the map. */
struct live_task *live_add_task(pid_t tid);

/* Makes `task` a thread of `process`, or the first of a new process when
 * that is NULL. False without memory. */
bool live_place_task(struct live_task *task, struct live_process *process);

/* Under another id from now on; whatever had that id is forgotten. */
void live_rename_task(struct live_task *task, pid_t tid);

/* Takes it out of the map. */
void live_forget_task(struct live_task *task);

/* Calls `visit` for every task of the map, borrowed during the call. */
void live_visit_tasks(void (*visit)(struct live_task *, void *context), void *context);

/* Takes the task's pending creation, which then is the caller's, or NULL. */
struct live_pending *live_take_pending(struct live_task *task);

bool live_has_pending(struct live_task *task);

/* Whether any task of the process has one. */
bool live_exec_is_pending(const struct live_process *process);

/* The NT objects now, referenced (release with live_release), or NULL. */
PEPROCESS live_nt_process(struct live_process *process);
PETHREAD live_nt_thread(struct live_task *task);

/* Forgets everything, when nothing is supervised any more. */
void live_forget_all(void);

#endif
