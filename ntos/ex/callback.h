/* SPDX-License-Identifier: MIT */
/*
 * The callback mechanism: lists of registrations that are walked without locks
 * and removed without a call in flight. Process, thread, image, object and registry
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

/* What a walk sees: NULL after the last. Entries only ever change from a
 * registration to EX_REMOVED. */
struct ex_callback_array {
	struct ex_callback_array *older; /* superseded, but perhaps still walked */
	_Atomic(struct ex_callback *) entry[];
};

#define EX_REMOVED ((struct ex_callback *)1)

extern struct ex_callback_array ex_empty_array;

struct ex_callback_list {
	struct ex_callback_array *_Atomic array;
	pthread_mutex_t lock; /* adding and removing */
};

#define EX_CALLBACK_LIST_INIT                                                                      \
	{                                                                                          \
		.array = &ex_empty_array, .lock = PTHREAD_MUTEX_INITIALIZER                        \
	}

/* Lives in registers: nothing below takes its address on the common path. */
struct ex_walk {
	_Atomic(const void *) *mark;          /* ours */
	_Atomic(struct ex_callback *) *entry; /* the next */
};

/* The mark of a walk between two registrations: it may be about to enter any. */
#define EX_ANY ((const void *)1)

/* The first mark that is not in use, for a walk inside another. A driver that
 * opens handles from its own callbacks without end runs out of them, and ends in
 * the report of a kernel stack overflow. */
_Atomic(const void *) *ex_next_mark(struct ex_marks *marks);

static inline void ex_walk_begin(struct ex_walk *walk, struct ex_callback_list *list)
{
	struct ex_marks *marks = &ke_processor()->marks;
	walk->mark = &marks->mark[0];
	if (__builtin_expect(atomic_load_explicit(walk->mark, memory_order_relaxed) != NULL, 0))
		walk->mark = ex_next_mark(marks);
	atomic_store_explicit(walk->mark, EX_ANY, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	walk->entry = atomic_load_explicit(&list->array, memory_order_acquire)->entry;
}

/* The next registration, which cannot be freed until the following step, or NULL
 * at the end. */
static inline struct ex_callback *ex_walk_next(struct ex_walk *walk)
{
	struct ex_callback *callback;
	atomic_store_explicit(walk->mark, EX_ANY, memory_order_release);
	/* Compiler order only; the remover's membarrier makes it CPU order. */
	atomic_signal_fence(memory_order_seq_cst);
	do {
		callback = atomic_load_explicit(walk->entry++, memory_order_acquire);
		if (!callback)
			return NULL;
	} while (__builtin_expect(callback == EX_REMOVED, 0));
	atomic_store_explicit(walk->mark, callback, memory_order_relaxed);
	return callback;
}

static inline void ex_walk_end(struct ex_walk *walk)
{
	atomic_store_explicit(walk->mark, NULL, memory_order_release);
}

/* A registration that the thread stays inside of after the walk went on. */
struct ex_hold {
	_Atomic(const void *) *mark;
};

/* Keeps the registration that ex_walk_next just returned beyond the next step and
 * beyond the walk's end. Holds are released last taken, first released, after the
 * walk has ended. False when the thread has no mark left: nothing is held then. */
bool ex_hold(struct ex_walk *walk, struct ex_hold *hold);
void ex_release(struct ex_hold *hold);

/* The registrations of a list, one after the other, for its owner: *place starts at 0.
 * NULL at the end. The caller holds list->lock. */
struct ex_callback *ex_each(struct ex_callback_list *list, uint32_t *place);

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
 * lock held. Does not return when the kernel has crashed and a thread was left inside. */
void ex_drain(const struct ex_callback *callback);

/* Whether this host thread is inside `callback` (VF-20). */
bool ex_inside(const struct ex_callback *callback);

/* Frees a list's arrays when nothing walks it any more. Does not free entries. */
void ex_free_list(struct ex_callback_list *list);

/* Prepares membarrier(2). 0, or -ENOSYS when the Linux kernel lacks it. */
int ex_boot_callbacks(void);

#endif
