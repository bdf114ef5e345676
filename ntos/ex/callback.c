/* SPDX-License-Identifier: MIT */
/*
 * Lists of callbacks: walked without locks, removed without a call in flight.
 *
 * THEORY
 *
 * A list is an array of pointers to registrations in calling order, published
 * through list->array. Every host thread has a small stack of marks
 * (ke_processor()->marks) in which it says where it is. A walk does, for each
 * entry e of the array:
 *
 *	W1	p = e			which registration is it
 *	W2	mark = p		say: I am inside p
 *	W3	e == p ?		is it still there
 *	W4	if so, call p
 *
 * and at its end W5, mark = NULL. All plain loads and stores: no atomic
 * read-modify-write, no lock, no fence. The remover of p does
 *
 *	R1	e = NULL		in the current and all superseded arrays
 *	R2	membarrier		a full fence on every running thread
 *	R3	wait while any thread's mark is p
 *	R4	p may be freed
 *
 * WHY NO CALL BEGINS AFTER R3, AND NONE IS IN FLIGHT
 *
 * Take a walk that passes W3, that is, reads p at W3. R2 happens at some point of
 * that thread's program order (an expedited membarrier interrupts every CPU that
 * runs the process; a thread that is not running passes a full fence when it is
 * switched in). If R2 comes before W3 in it, W3 would see R1's NULL, a
 * contradiction. So W3, and with it the earlier W2, precede R2; therefore mark = p
 * is visible to R3 and stays so until the walk overwrites it, which it does after
 * the call: R3 waits for it. In the ordering between W2 and W3 only the compiler
 * could interfere; the signal fence stops it, and the CPU's store buffer is what R2
 * is for. The release store that ends the stay (W2 of the next step, or W5) pairs
 * with R3's acquire load: what the call did happened before R4.
 *
 * W1 reads p from an array, never dereferences it before W3 succeeded, and p
 * cannot be freed and reallocated under the same address into that entry, because
 * entries only ever change to NULL.
 *
 * WHY THE ARRAY IS STILL THERE
 *
 * Before it loads list->array a walk stores a non-NULL mark (the list's address), and
 * its mark stays non-NULL to its end.
 *
 * An addition builds a new array (dropping empty entries), publishes it, and keeps
 * the old one in new->older. Superseded arrays are freed when, after a membarrier,
 * every thread has been seen with no mark at all: by the argument above a walk
 * that began before would show one, and a walk that begins later loads the new
 * array. That is tried at each addition and not waited for, because a walk can last
 * as long as a driver likes; what is not freed then is freed later.
 *
 * Nested walks (a callback that opens a handle) use the next mark. When all
 * EX_MARKS are in use a walk counts itself in list->counted instead, with a
 * sequentially consistent increment before it loads the array; removers wait until
 * the count is 0. It is coarser, and no thread nests so deep in practice.
 *
 * LOCKS: list->lock serialises additions and removals and protects the arrays'
 * `older` chain. It is not held during R3. The processor lock is taken inside it.
 */
#include "ex/callback.h"
#include "ke/bugcheck.h"
#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int ex_boot_callbacks(void)
{
	return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) ? -ENOSYS
											 : 0;
}

/* R2. Registration survives fork; a program that never booted has none. */
static void fence_every_thread(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0)
		return;
	KE_ASSERT(ex_boot_callbacks() == 0);
	KE_ASSERT(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0);
}

/* ---- Walks without a free mark ------------------------------------------- */

static void count_in(struct ex_marks *marks, struct ex_callback_list *list,
		     struct ex_counted *counted)
{
	atomic_fetch_add_explicit(&list->counted, 1, memory_order_seq_cst);
	counted->outer = marks->counted;
	marks->counted = counted;
}

static void count_out(struct ex_marks *marks, struct ex_callback_list *list,
		      struct ex_counted *counted)
{
	KE_ASSERT(marks->counted == counted);
	marks->counted = counted->outer;
	atomic_fetch_sub_explicit(&list->counted, 1, memory_order_release);
}

void ex_walk_begin_counted(struct ex_walk *walk)
{
	walk->slot = EX_MARKS;
	walk->counted.callback = NULL;
	count_in(walk->marks, walk->list, &walk->counted);
}

void ex_walk_end_counted(struct ex_walk *walk)
{
	count_out(walk->marks, walk->list, &walk->counted);
}

/* ---- Holds -------------------------------------------------------------- */

/* The walk's own mark becomes the hold's, and the walk goes on with a new one:
 * so there is no moment without a mark on `callback`. */
void ex_hold(struct ex_walk *walk, struct ex_callback *callback, struct ex_hold *hold)
{
	struct ex_marks *marks = walk->marks;
	hold->list = walk->list;
	if (walk->slot < EX_MARKS && marks->depth < EX_MARKS) {
		hold->slot = walk->slot;
		walk->slot = marks->depth++;
		atomic_store_explicit(&marks->mark[walk->slot], walk->list, memory_order_relaxed);
		return;
	}
	hold->slot = EX_MARKS;
	hold->counted.callback = callback;
	if (walk->slot < EX_MARKS) {
		count_in(marks, walk->list, &hold->counted);
		return;
	}
	/* The walk is counted too and ends first: the hold goes below it in the chain. */
	atomic_fetch_add_explicit(&walk->list->counted, 1, memory_order_seq_cst);
	hold->counted.outer = walk->counted.outer;
	walk->counted.outer = &hold->counted;
}

void ex_release(struct ex_hold *hold)
{
	struct ex_marks *marks = &ke_processor()->marks;
	if (hold->slot == EX_MARKS) {
		count_out(marks, hold->list, &hold->counted);
		return;
	}
	KE_ASSERT(marks->depth == hold->slot + 1);
	atomic_store_explicit(&marks->mark[hold->slot], NULL, memory_order_release);
	marks->depth = hold->slot;
}

/* ---- Additions and removals ------------------------------------------------ */

/* Whether the thread has been seen without a mark. The outermost one is set
 * throughout a walk and throughout a hold, so one look at it is enough; a busy
 * thread is looked at more than once, since its walks are short. */
static bool is_quiet(struct ke_processor *processor, void *unused)
{
	(void)unused;
	for (unsigned tries = 0; tries < 1000; tries++)
		if (!atomic_load_explicit(&processor->marks.mark[0], memory_order_acquire))
			return true;
	return false;
}

/* Frees what the current array supersedes, unless somebody may still walk it. */
static void free_superseded(struct ex_callback_list *list, struct ex_callback_array *current)
{
	if (!current->older)
		return;
	fence_every_thread();
	if (atomic_load_explicit(&list->counted, memory_order_seq_cst) ||
	    !ke_visit_processors(is_quiet, NULL))
		return;
	struct ex_callback_array *old = current->older;
	current->older = NULL;
	while (old) {
		struct ex_callback_array *older = old->older;
		host_free(old);
		old = older;
	}
}

static uint32_t live_entries(struct ex_callback_array *array)
{
	uint32_t live = 0;
	for (uint32_t i = 0; array && i < array->count; i++)
		live += atomic_load_explicit(&array->entry[i], memory_order_relaxed) != NULL;
	return live;
}

/* The array with `callback` at its place among the live entries of `old`; NULL
 * with *result set when it cannot be. */
static struct ex_callback_array *extended(struct ex_callback_array *old,
					  struct ex_callback *callback, ex_order *order,
					  enum ex_add_result *result)
{
	uint32_t count = live_entries(old) + 1;
	struct ex_callback_array *array =
		host_alloc(sizeof *array + count * sizeof array->entry[0]);
	*result = EX_NO_MEMORY;
	if (!array)
		return NULL;
	bool placed = false;
	for (uint32_t i = 0; old && i < old->count; i++) {
		struct ex_callback *other =
			atomic_load_explicit(&old->entry[i], memory_order_relaxed);
		if (!other)
			continue;
		int compared = order(callback, other);
		if (compared == 0) {
			*result = EX_COLLISION;
			host_free(array);
			return NULL;
		}
		if (compared < 0 && !placed) {
			atomic_init(&array->entry[array->count++], callback);
			placed = true;
		}
		atomic_init(&array->entry[array->count++], other);
	}
	if (!placed)
		atomic_init(&array->entry[array->count++], callback);
	*result = EX_ADDED;
	return array;
}

enum ex_add_result ex_add(struct ex_callback_list *list, struct ex_callback *callback,
			  ex_order *order)
{
	enum ex_add_result result;
	struct ex_callback_array *old = atomic_load_explicit(&list->array, memory_order_relaxed);
	struct ex_callback_array *array = extended(old, callback, order, &result);
	if (!array)
		return result;
	array->older = old;
	atomic_store_explicit(&list->array, array, memory_order_release);
	free_superseded(list, array);
	return EX_ADDED;
}

bool ex_unpublish(struct ex_callback_list *list, struct ex_callback *callback)
{
	bool found = false;
	struct ex_callback_array *array = atomic_load_explicit(&list->array, memory_order_relaxed);
	for (; array; array = array->older)
		for (uint32_t i = 0; i < array->count; i++)
			if (atomic_load_explicit(&array->entry[i], memory_order_relaxed) ==
			    callback) {
				atomic_store_explicit(&array->entry[i], NULL,
						      memory_order_release);
				found = true;
			}
	return found;
}

/* ---- Waiting --------------------------------------------------------------- */

static bool is_outside(struct ke_processor *processor, void *callback)
{
	for (unsigned i = 0; i < EX_MARKS; i++)
		if (atomic_load_explicit(&processor->marks.mark[i], memory_order_acquire) ==
		    callback)
			return false;
	return true;
}

/* First hoping that it is a matter of a moment, then sleeping: a driver's routine
 * may take as long as it likes, and walks do not tell when they leave. */
static void pause_before_try(unsigned tries)
{
	if (tries < 64) {
		sched_yield();
		return;
	}
	struct timespec nap = {.tv_nsec = tries < 1000 ? 50000 : 1000000};
	nanosleep(&nap, NULL);
}

void ex_drain(struct ex_callback_list *list, const struct ex_callback *callback)
{
	fence_every_thread();
	for (unsigned tries = 0;; tries++) {
		if (!atomic_load_explicit(&list->counted, memory_order_seq_cst) &&
		    ke_visit_processors(is_outside, (void *)(uintptr_t)callback))
			return;
		pause_before_try(tries);
	}
}

bool ex_inside(const struct ex_callback *callback)
{
	struct ke_processor *self = ke_processor();
	if (!is_outside(self, (void *)(uintptr_t)callback))
		return true;
	for (struct ex_counted *c = self->marks.counted; c; c = c->outer)
		if (c->callback == callback)
			return true;
	return false;
}

void ex_free_list(struct ex_callback_list *list)
{
	struct ex_callback_array *array = atomic_load_explicit(&list->array, memory_order_relaxed);
	atomic_store_explicit(&list->array, NULL, memory_order_relaxed);
	while (array) {
		struct ex_callback_array *older = array->older;
		host_free(array);
		array = older;
	}
}
