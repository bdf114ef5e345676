/* SPDX-License-Identifier: MIT */
/*
 * An arena of size classes.
 *
 * A class has runs of pages that it cuts into pieces of one size, each run with a guard
 * page behind it, and a stack of the pieces that are free. The stack is an array in this
 * program's own memory: a piece that was freed holds no pointer that whoever uses it after
 * all could destroy. Pages stay with their class for good. What is larger than the largest
 * class is mapped for itself.
 *
 * Pieces are multiples of what they are aligned to, and runs begin at pages; a piece of
 * less than a page that would cross into the next page begins there instead.
 *
 * A class's lock guards its stack and its run, and is a leaf.
 *
 * Sanitizers know only of the memory that the C library gave: under them it gives this.
 */
#include "arena.h"
#include "plan.h"
#include "sanitizer.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGE_SIZE 4096u

/* Small ones in steps of 16 bytes; then four to each doubling. */
#define STEP 16u
#define SMALL 1024u
#define SMALL_CLASSES (SMALL / STEP)
#define DOUBLINGS 10u
#define LARGE (SMALL << DOUBLINGS)
#define CLASSES (SMALL_CLASSES + 4 * DOUBLINGS)

/* A run holds at least four pieces. */
#define SMALLEST_RUN (256u << 10)

static struct size_class {
	pthread_mutex_t lock;
	void **free;            /* the pieces that are */
	size_t count, capacity; /* of them; there is room for every piece ever cut */
	size_t pieces;
	char *next, *end; /* what is not cut yet of the run */
} classes[CLASSES] = {[0 ... CLASSES - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER}};

static size_t round_up(size_t size, size_t step)
{
	return (size + step - 1) & ~(step - 1);
}

/* The smallest that is not below `size`, which is at most LARGE, and its size. */
static struct size_class *class_of(size_t size, size_t *piece)
{
	if (size <= SMALL) {
		size_t index = (size - 1) / STEP;
		*piece = (index + 1) * STEP;
		return &classes[index];
	}
	unsigned doubling = 0;
	while (SMALL << (doubling + 1) < size)
		doubling++;
	size_t base = SMALL << doubling, step = base / 4, quarter = (size - base - 1) / step;
	*piece = base + (quarter + 1) * step;
	return &classes[SMALL_CLASSES + 4 * doubling + quarter];
}

static void *map(size_t size)
{
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return pages == MAP_FAILED ? NULL : pages;
}

/* Pages, with one behind them that nothing may touch. */
static void *map_guarded(size_t size)
{
	char *pages = map(size + PAGE_SIZE);
	if (pages)
		mprotect(pages + size, PAGE_SIZE, PROT_NONE);
	return pages;
}

static bool make_room(struct size_class *class)
{
	if (class->pieces < class->capacity)
		return true;
	size_t capacity = class->capacity ? 2 * class->capacity : 64;
	void **free = realloc(class->free, capacity * sizeof(*free));
	if (!free)
		return false;
	class->free = free;
	class->capacity = capacity;
	return true;
}

static bool crosses_page(const char *at, size_t piece)
{
	return piece <= PAGE_SIZE && (uintptr_t)at % PAGE_SIZE + piece > PAGE_SIZE;
}

static void *cut(struct size_class *class, size_t piece)
{
	if (!make_room(class))
		return NULL;
	char *at = class->next;
	if (at && crosses_page(at, piece))
		at = (char *)round_up((uintptr_t)at, PAGE_SIZE);
	if (!at || (size_t)(class->end - at) < piece) {
		size_t run = 4 * piece < SMALLEST_RUN ? SMALLEST_RUN : 4 * piece;
		at = map_guarded(run);
		if (!at)
			return NULL;
		class->end = at + run;
	}
	class->next = at + piece;
	class->pieces++;
	return at;
}

static void *take(size_t size)
{
	size_t piece;
	struct size_class *class = class_of(size, &piece);
	pthread_mutex_lock(&class->lock);
	void *memory = class->count ? class->free[--class->count] : cut(class, piece);
	pthread_mutex_unlock(&class->lock);
	return memory;
}

static void put_back(void *memory, size_t size)
{
	size_t piece;
	struct size_class *class = class_of(size, &piece);
	pthread_mutex_lock(&class->lock);
	class->free[class->count++] = memory;
	pthread_mutex_unlock(&class->lock);
}

static size_t size_with(size_t size, size_t alignment)
{
	return round_up(size ? size : 1, alignment);
}

void *host_arena_alloc_at(size_t size, size_t alignment, const char *site)
{
	size_t whole = size_with(size, alignment);
	if (HOST_SANITIZED)
		return host_alloc_aligned_at(size, alignment, site);
	if (host_shall_fail(site))
		return NULL;
	void *memory = whole <= LARGE ? take(whole) : map_guarded(round_up(whole, PAGE_SIZE));
	if (memory)
		host_count(1);
	return memory;
}

void host_arena_free(void *memory, size_t size, size_t alignment)
{
	size_t whole = size_with(size, alignment);
	if (HOST_SANITIZED) {
		host_free(memory);
		return;
	}
	host_count(-1);
	if (whole <= LARGE)
		put_back(memory, whole);
	else
		munmap(memory, round_up(whole, PAGE_SIZE) + PAGE_SIZE);
}
