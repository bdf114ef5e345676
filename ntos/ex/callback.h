/* SPDX-License-Identifier: MIT */
/*
 * The callback mechanism: lists of registrations that are walked without locks
 * and removed without a call in flight. Process, thread, image and object
 * callbacks are all kept in lists of this kind. The theory and the proof are at
 * the top of callback.c.
 *
 * A walk, on any thread:
 *
 *	struct ex_walk walk;
 *	ex_walk_begin(&walk, &list);
 *	while ((callback = ex_walk_next(&walk)))
 *		...call it; it cannot be freed meanwhile...
 *	ex_walk_end(&walk);
 *
 * A caller that must stay inside a registration beyond the next step (the gap
 * between an object pre call and its post call) takes it along with ex_hold and
 * gives it back with ex_release, in reverse order.
 */
#ifndef RINGSIDE_EX_CALLBACK_H
#define RINGSIDE_EX_CALLBACK_H

#include "ke/thread.h"
#include "memory.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* One registration; the first member of the component's own structure. */
struct ex_callback {
	const void *routine; /* for reports */
};

/* What a walk sees. Entries only ever change from a registration to NULL. */
struct ex_callback_array {
	struct ex_callback_array *older; /* superseded, but perhaps still walked */
	uint32_t count;
	_Atomic(struct ex_callback *) entry[];
};

struct ex_callback_list {
	struct ex_callback_array *_Atomic array; /* NULL: empty */
	_Atomic uint32_t counted;		 /* walks and holds that found no mark free */
	pthread_mutex_t lock;			 /* adding and removing */
};

#define EX_CALLBACK_LIST_INIT {.lock = PTHREAD_MUTEX_INITIALIZER}

struct ex_walk {
	struct ex_marks *marks;
	struct ex_callback_list *list;
	struct ex_callback_array *array;
	uint32_t next;
	unsigned slot;		   /* our mark, or EX_MARKS: counted */
	struct ex_counted counted;
};

/* The rare case: no mark is free. */
void ex_walk_begin_counted(struct ex_walk *walk);
void ex_walk_end_counted(struct ex_walk *walk);

static inline void ex_walk_begin(struct ex_walk *walk, struct ex_callback_list *list)
{
	struct ex_marks *marks = &ke_processor()->marks;
	unsigned slot = marks->depth;
	walk->marks = marks;
	walk->list = list;
	walk->next = 0;
	walk->slot = slot;
	if (__builtin_expect(slot < EX_MARKS, 1)) {
		marks->depth = slot + 1;
		/* Any value but NULL keeps arrays alive; the list names itself. */
		atomic_store_explicit(&marks->mark[slot], list, memory_order_relaxed);
		atomic_signal_fence(memory_order_seq_cst);
	} else {
		ex_walk_begin_counted(walk);
	}
	walk->array = atomic_load_explicit(&list->array, memory_order_acquire);
}

/* The next registration, which cannot be freed until the following step, or NULL
 * at the end. */
static inline struct ex_callback *ex_walk_next(struct ex_walk *walk)
{
	struct ex_callback_array *array = walk->array;
	while (array && walk->next < array->count) {
		_Atomic(struct ex_callback *) *entry = &array->entry[walk->next++];
		struct ex_callback *callback = atomic_load_explicit(entry, memory_order_acquire);
		if (__builtin_expect(callback == NULL, 0))
			continue;
		if (__builtin_expect(walk->slot < EX_MARKS, 1))
			atomic_store_explicit(&walk->marks->mark[walk->slot], callback,
					      memory_order_release);
		else
			walk->counted.callback = callback;
		/* Compiler order only; the remover's membarrier makes it CPU order. */
		atomic_signal_fence(memory_order_seq_cst);
		if (__builtin_expect(atomic_load_explicit(entry, memory_order_acquire) == callback,
				     1))
			return callback;
	}
	return NULL;
}

static inline void ex_walk_end(struct ex_walk *walk)
{
	if (__builtin_expect(walk->slot == EX_MARKS, 0)) {
		ex_walk_end_counted(walk);
		return;
	}
	atomic_store_explicit(&walk->marks->mark[walk->slot], NULL, memory_order_release);
	walk->marks->depth = walk->slot;
}

/* A registration that the thread stays inside of after the walk went on. */
struct ex_hold {
	struct ex_callback_list *list;
	unsigned slot; /* its mark, or EX_MARKS: counted */
	struct ex_counted counted;
};

/* Keeps `callback`, which ex_walk_next just returned, beyond the next step and
 * beyond the walk's end. Holds are released last taken, first released, after the
 * walk has ended; `hold` must not move meanwhile. */
void ex_hold(struct ex_walk *walk, struct ex_callback *callback, struct ex_hold *hold);
void ex_release(struct ex_hold *hold);

/* The order that a list keeps: negative when `a` comes before `b`, 0 for a
 * collision, which ex_add refuses. */
typedef int ex_order(const struct ex_callback *a, const struct ex_callback *b);

enum ex_add_result { EX_ADDED, EX_COLLISION, EX_NO_MEMORY };

/*
 * Publishes `callback` at its place. Walks that begin afterwards see it; walks
 * under way may (PS-30). The list does not own it.
 * The caller holds list->lock.
 */
enum ex_add_result ex_add(struct ex_callback_list *list, struct ex_callback *callback,
			  ex_order *order);

/*
 * Takes `callback` out, so that no walk enters it any more; those inside are waited
 * for with ex_drain. False when it is not (or no longer) in the list: of two
 * removers, one gets true (PS-28). Needs no memory. The caller holds list->lock.
 */
bool ex_unpublish(struct ex_callback_list *list, struct ex_callback *callback);

/* Waits until no thread is inside `callback`, which has been unpublished. The
 * calling thread must not be inside itself (ex_inside). PASSIVE or APC_LEVEL, no
 * lock held. */
void ex_drain(struct ex_callback_list *list, const struct ex_callback *callback);

/* Whether this host thread is inside `callback` (VF-20). */
bool ex_inside(const struct ex_callback *callback);

/* Frees a list's arrays when nothing walks it any more. Does not free entries. */
void ex_free_list(struct ex_callback_list *list);

/* Prepares membarrier(2). 0, or -ENOSYS when the Linux kernel lacks it. */
int ex_boot_callbacks(void);

#endif
