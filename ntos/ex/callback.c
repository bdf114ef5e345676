/* SPDX-License-Identifier: MIT */
/*
 * Lists of callbacks: walked without locks, removed without a call in flight.
 *
 * THEORY
 *
 * A list is an array of pointers to registrations in calling order, published
 * through list->array. Every host thread has a small stack of marks
 * (ke_processor()->marks) in which it says where it is: nowhere (NULL), inside a
 * registration, or between two and perhaps about to enter any (EX_ANY). A walk does,
 * for each entry e of the array:
 *
 *	W1	mark = any		say: I may enter anything
 *	W2	p = e			which registration is it
 *	W3	mark = p		say: I am inside p, and nothing else
 *	W4	call p
 *
 * and at its end W5, mark = NULL. All plain loads and stores: no atomic
 * read-modify-write, no lock, no fence. The remover of p does
 *
 *	R1	e = EX_REMOVED		in the current and all superseded arrays
 *	R2	membarrier		a full fence on every running thread
 *	R3	wait while any thread's mark is p or any
 *	R4	p may be freed
 *
 * WHY NO CALL BEGINS AFTER R3, AND NONE IS IN FLIGHT
 *
 * Take a walk that reads p at W2. R2 happens at some point of that thread's program
 * order (an expedited membarrier interrupts every CPU that runs the process; a thread
 * that is not running passes a full fence when it is switched in). If R2 came before
 * W2 in it, W2 would see what R1 stored, a contradiction. So W2, and with it the
 * earlier W1, precede R2; therefore R3 sees mark = any or something later, and
 * what is later is p (W3) and stays so until the walk overwrites it, which it does
 * after the call: R3 waits for it. In the ordering between W1 and W2 only the
 * compiler could interfere; the signal fence stops it, and the CPU's store buffer is
 * what R2 is for. The release store that ends the stay (W1 of the next step, or W5)
 * pairs with R3's acquire load: what the call did happened before R4.
 *
 * A walk says "any" for the few instructions between W1 and W3 alone, never while a
 * driver's routine runs, so whoever removes p waits for no call of another
 * registration (a routine may itself wait for the remover). A remover that runs inside
 * a walk is at W4 of it: its own mark is not "any". That holds as long as nobody puts code
 * of a driver between the step that returned NULL and the walk's end, where the mark is
 * "any" too; the end of a callout, which delivers APCs, is such code.
 *
 * p cannot be freed and come back under the same address in that entry, because
 * entries only ever change to EX_REMOVED, which is never called.
 *
 * WHY THE ARRAY IS STILL THERE
 *
 * Before it loads list->array a walk stores a non-NULL mark, and its mark stays
 * non-NULL to its end.
 *
 * An addition builds a new array (dropping removed entries), publishes it, and keeps
 * the old one in new->older. Superseded arrays are freed when, after a membarrier,
 * every thread has been seen with no mark at all: by the argument above a walk
 * that began before would show one, and a walk that begins later loads the new
 * array. That is tried at each addition and not waited for, because a walk can last
 * as long as a driver likes; what is not freed then is freed later.
 *
 * Nested walks (a callback that opens a handle) and holds use further marks. Since a
 * thread gives its marks back in the reverse order, those in use are always the first
 * ones, and the one behind a walk's own is free.
 *
 * WALKS THAT NEVER END
 *
 * A thread that ends takes its marks along, as they are part of its processor; of its
 * calls nothing is left then. A bug check drops a thread's frames and leaves its marks: the
 * kernel is dead, and whoever would wait for them in R3 leaves it too.
 *
 * tests/ex/callback.pml is this protocol as a model, checked in every interleaving.
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

struct ex_callback_array ex_empty_array = {.entry = {NULL}}; /* room for its NULL */

_Atomic(const void *) *ex_next_mark(struct ex_marks *marks)
{
	for (unsigned i = 1; i < EX_MARKS; i++)
		if (!atomic_load_explicit(&marks->mark[i], memory_order_relaxed))
			return &marks->mark[i];
	KE_BUG_CHECK(KE_UNEXPECTED_KERNEL_MODE_TRAP, 8, 0, 0, 0,
		     "callbacks are nested more than %u deep: a routine causes the event that it "
		     "is called for, and NT's kernel stack would have overflowed",
		     EX_MARKS);
}

/* ---- Holds -------------------------------------------------------------- */

/* The walk's own mark becomes the hold's, and the walk, which is the innermost thing
 * on its thread, goes on with the next one: so there is no moment without a mark on
 * the registration. */
bool ex_hold(struct ex_walk *walk, struct ex_hold *hold)
{
	struct ex_marks *marks = &ke_processor()->marks;
	if (walk->mark == &marks->mark[EX_MARKS - 1])
		return false;
	hold->mark = walk->mark++;
	/* Still inside the walk, so the arrays stay; but between no two registrations. */
	atomic_store_explicit(walk->mark, walk, memory_order_relaxed);
	return true;
}

void ex_release(struct ex_hold *hold)
{
	atomic_store_explicit(hold->mark, NULL, memory_order_release);
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
static void free_superseded(struct ex_callback_array *current)
{
	if (!current->older)
		return;
	fence_every_thread();
	if (!ke_visit_processors(is_quiet, NULL))
		return;
	struct ex_callback_array *old = current->older;
	current->older = NULL;
	while (old) {
		struct ex_callback_array *older = old->older;
		host_free(old);
		old = older;
	}
}

/* The array as the lock's holder sees it. */
static struct ex_callback_array *current_array(struct ex_callback_list *list)
{
	return atomic_load_explicit(&list->array, memory_order_relaxed);
}

static uint32_t length(struct ex_callback_array *array)
{
	uint32_t count = 0;
	while (atomic_load_explicit(&array->entry[count], memory_order_relaxed))
		count++;
	return count;
}

struct ex_callback *ex_each(struct ex_callback_list *list, uint32_t *place)
{
	struct ex_callback_array *array = current_array(list);
	struct ex_callback *callback;
	do {
		callback = atomic_load_explicit(&array->entry[*place], memory_order_relaxed);
		if (callback)
			++*place;
	} while (callback == EX_REMOVED);
	return callback;
}

/* The list's registrations and `callback` at its place among them, in a new array;
 * NULL with *result set when it cannot be. */
static struct ex_callback_array *extended(struct ex_callback_list *list,
					  struct ex_callback *callback, ex_order *order,
					  enum ex_add_result *result)
{
	size_t entries = length(current_array(list)) + 2; /* the new one and the NULL */
	struct ex_callback_array *array = host_alloc(sizeof *array +
						     entries * sizeof array->entry[0]);
	*result = EX_NO_MEMORY;
	if (!array)
		return NULL;
	struct ex_callback *other;
	uint32_t place = 0, count = 0;
	bool placed = false;
	while ((other = ex_each(list, &place))) {
		int compared = order(callback, other);
		if (compared == 0) {
			*result = EX_COLLISION;
			host_free(array);
			return NULL;
		}
		if (compared < 0 && !placed) {
			atomic_init(&array->entry[count++], callback);
			placed = true;
		}
		atomic_init(&array->entry[count++], other);
	}
	if (!placed)
		atomic_init(&array->entry[count++], callback);
	*result = EX_ADDED;
	return array;
}

enum ex_add_result ex_add(struct ex_callback_list *list, struct ex_callback *callback,
			  ex_order *order)
{
	enum ex_add_result result;
	struct ex_callback_array *old = current_array(list);
	struct ex_callback_array *array = extended(list, callback, order, &result);
	if (!array)
		return result;
	array->older = old == &ex_empty_array ? NULL : old;
	atomic_store_explicit(&list->array, array, memory_order_release);
	free_superseded(array);
	return EX_ADDED;
}

static bool remove_from(struct ex_callback_array *array, const struct ex_callback *callback)
{
	bool found = false;
	struct ex_callback *entry;
	for (uint32_t i = 0; (entry = atomic_load_explicit(&array->entry[i], memory_order_relaxed));
	     i++)
		if (entry == callback) {
			atomic_store_explicit(&array->entry[i], EX_REMOVED, memory_order_release);
			found = true;
		}
	return found;
}

bool ex_unpublish(struct ex_callback_list *list, struct ex_callback *callback)
{
	bool found = false;
	for (struct ex_callback_array *a = current_array(list); a; a = a->older)
		found |= remove_from(a, callback);
	return found;
}

/* ---- Waiting --------------------------------------------------------------- */

/* Where a thread is; a walk between two registrations is looked at more than once,
 * since it will have arrived in a moment. */
static const void *settled(_Atomic(const void *) *mark)
{
	const void *at = EX_ANY;
	for (unsigned tries = 0; at == EX_ANY && tries < 1000; tries++)
		at = atomic_load_explicit(mark, memory_order_acquire);
	return at;
}

static bool is_outside(struct ke_processor *processor, void *callback)
{
	for (unsigned i = 0; i < EX_MARKS; i++) {
		const void *at = settled(&processor->marks.mark[i]);
		if (at == callback || at == EX_ANY)
			return false;
	}
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

void ex_drain(const struct ex_callback *callback)
{
	fence_every_thread();
	for (unsigned tries = 0; !ke_visit_processors(is_outside, (void *)(uintptr_t)callback);
	     tries++) {
		if (ke_crashed())
			ke_leave();
		pause_before_try(tries);
	}
}

bool ex_inside(const struct ex_callback *callback)
{
	return !is_outside(ke_processor(), (void *)(uintptr_t)callback);
}

void ex_free_list(struct ex_callback_list *list)
{
	struct ex_callback_array *array = current_array(list);
	atomic_store_explicit(&list->array, &ex_empty_array, memory_order_relaxed);
	while (array && array != &ex_empty_array) {
		struct ex_callback_array *older = array->older;
		host_free(array);
		array = older;
	}
}
