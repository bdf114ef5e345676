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
	_Atomic bool live;	/* false from the moment removal begins */
	_Atomic uint32_t counted; /* calls inside it that found no mark free */
	const void *routine;	/* for reports */
};

/* What a walk sees: immutable once published. */
struct ex_callback_array {
	struct ex_callback_array *retired; /* next of those that await their readers */
	uint32_t count;
	struct ex_callback *entry[];
};

struct ex_callback_list {
	struct ex_callback_array *_Atomic array; /* NULL: empty */
	pthread_mutex_t lock;			 /* adding and removing */
};

#define EX_CALLBACK_LIST_INIT {.lock = PTHREAD_MUTEX_INITIALIZER}

struct ex_walk {
	struct ex_marks *marks;
	const struct ex_callback_array *array;
	uint32_t next;
	unsigned slot;		     /* our mark; EX_MARKS when none was free */
	struct ex_callback *counted; /* entered without a mark */
};

/* Without a free mark: count instead. Out of line, since it is rare. */
struct ex_callback *ex_walk_next_counted(struct ex_walk *walk);
void ex_walk_end_counted(struct ex_walk *walk);

static inline void ex_walk_begin(struct ex_walk *walk, struct ex_callback_list *list)
{
	struct ex_marks *marks = &ke_processor()->marks;
	unsigned slot = marks->depth;
	walk->marks = marks;
	walk->slot = slot;
	walk->next = 0;
	walk->counted = NULL;
	if (__builtin_expect(slot < EX_MARKS, 1)) {
		marks->depth = slot + 1;
		/* Any value but NULL keeps arrays alive; the list names itself. */
		atomic_store_explicit(&marks->mark[slot], list, memory_order_relaxed);
	}
	atomic_signal_fence(memory_order_seq_cst); /* the remover's membarrier pairs with this */
	walk->array = atomic_load_explicit(&list->array, memory_order_acquire);
}

static inline struct ex_callback *ex_walk_next(struct ex_walk *walk)
{
	const struct ex_callback_array *array = walk->array;
	if (__builtin_expect(walk->slot == EX_MARKS, 0))
		return ex_walk_next_counted(walk);
	while (array && walk->next < array->count) {
		struct ex_callback *callback = array->entry[walk->next++];
		atomic_store_explicit(&walk->marks->mark[walk->slot], callback,
				      memory_order_release);
		atomic_signal_fence(memory_order_seq_cst);
		if (__builtin_expect(
			    atomic_load_explicit(&callback->live, memory_order_acquire), 1))
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
	struct ex_callback *callback;
	unsigned slot; /* its mark, or EX_MARKS when it is counted */
};

/* Keeps the registration that ex_walk_next just returned. Holds taken during a
 * walk outlive it; release them last taken, first released. */
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
 * Takes `callback` out, under list->lock, and after that lock is released waits
 * (ex_drain) until no thread is inside it. ex_unpublish returns false when it is
 * not (or no longer) in the list: of two removers, one gets true (PS-28).
 * ex_unpublish never fails for want of memory.
 */
bool ex_unpublish(struct ex_callback_list *list, struct ex_callback *callback);

/* Waits until no other thread is inside `callback`. Returns false at once, having
 * waited for nothing, when this thread itself is (VF-20). PASSIVE or APC_LEVEL,
 * no lock held. */
bool ex_drain(struct ex_callback *callback);

/* Whether this host thread is inside `callback`. */
bool ex_inside(const struct ex_callback *callback);

/* Frees the arrays that await readers; when nothing walks any more. */
void ex_shutdown_callbacks(void);

#endif
