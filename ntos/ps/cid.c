/* SPDX-License-Identifier: MIT */
/*
 * Client ids are indexes into a three-level table, times four: 2^30 of them, of
 * which only the touched leaves take memory. An entry points to its object without
 * a reference; the object's deletion frees the id, so a look-up either finds the
 * object alive and takes a reference, or finds it dying and leaves it.
 *
 * Ids for nobody in particular come from a cursor that runs through a window
 * growing with the number of live ids, so that they stay small, are not reused at
 * once, and cost constant time on average.
 *
 * LOCK: cid_lock. Leaf lock; nothing is called under it but the allocator.
 *
 * Clauses: PS-39, PS-63, Q-29.
 */
#include "ps/cid.h"
#include "ob/object.h"
#include <pthread.h>

#define LEVEL_BITS 10
#define FAN_OUT (1u << LEVEL_BITS)
#define MAX_INDEX (1u << 3 * LEVEL_BITS)
#define FIRST_INDEX 2u /* 0 is no id, 4 is the System process by tradition */
#define SMALLEST_WINDOW 16384u

struct leaf {
	uint32_t used;
	void *object[FAN_OUT];
};

struct branch {
	struct leaf *leaf[FAN_OUT];
};

static pthread_mutex_t cid_lock = PTHREAD_MUTEX_INITIALIZER;
static struct branch *root[FAN_OUT];
static uint32_t live_ids, cursor = FIRST_INDEX;

static struct leaf **leaf_of(uint32_t index, bool make)
{
	struct branch **branch = &root[index >> 2 * LEVEL_BITS];
	if (!*branch && make)
		*branch = host_alloc(sizeof **branch);
	return *branch ? &(*branch)->leaf[index >> LEVEL_BITS & (FAN_OUT - 1)] : NULL;
}

static void *object_at(uint32_t index)
{
	struct leaf **leaf = leaf_of(index, false);
	return leaf && *leaf ? (*leaf)->object[index & (FAN_OUT - 1)] : NULL;
}

static bool occupy(uint32_t index, void *object)
{
	struct leaf **leaf = leaf_of(index, true);
	if (!leaf)
		return false;
	if (!*leaf)
		*leaf = host_alloc(sizeof **leaf);
	if (!*leaf)
		return false;
	(*leaf)->object[index & (FAN_OUT - 1)] = object;
	(*leaf)->used++;
	live_ids++;
	return true;
}

static uint32_t next_free(void)
{
	uint32_t window = live_ids * 2 > SMALLEST_WINDOW ? live_ids * 2 : SMALLEST_WINDOW;
	do {
		if (cursor >= window || cursor >= MAX_INDEX)
			cursor = FIRST_INDEX;
	} while (object_at(cursor++));
	return cursor - 1;
}

static uint32_t next_free_from(uint32_t index)
{
	while (index < MAX_INDEX && object_at(index))
		index += 2; /* + 8: threads of the same host id keep their own series */
	return index < MAX_INDEX ? index : next_free();
}

ULONG64 ps_take_id(void *object, ULONG64 wish)
{
	pthread_mutex_lock(&cid_lock);
	uint32_t index = wish && wish / 4 < MAX_INDEX ? next_free_from((uint32_t)(wish / 4))
						      : next_free();
	ULONG64 id = occupy(index, object) ? 4ull * index : 0;
	pthread_mutex_unlock(&cid_lock);
	return id;
}

void ps_free_id(ULONG64 id)
{
	uint32_t index = (uint32_t)(id / 4);
	pthread_mutex_lock(&cid_lock);
	struct leaf **leaf = leaf_of(index, false);
	if (leaf && *leaf) { /* not after shutdown */
		(*leaf)->object[index & (FAN_OUT - 1)] = NULL;
		live_ids--;
		if (--(*leaf)->used == 0) {
			host_free(*leaf);
			*leaf = NULL;
		}
	}
	pthread_mutex_unlock(&cid_lock);
}

void *ps_find_id(ULONG64 id, POBJECT_TYPE type)
{
	if (id / 4 >= MAX_INDEX)
		return NULL;
	pthread_mutex_lock(&cid_lock);
	/* The low two bits do not count, as with handles. */
	void *object = object_at((uint32_t)(id / 4));
	if (object && (ob_header_of(object)->type != type || !ob_reference_unless_dead(object)))
		object = NULL;
	pthread_mutex_unlock(&cid_lock);
	return object;
}

void ps_shutdown_ids(void)
{
	for (unsigned i = 0; i < FAN_OUT; i++) {
		for (unsigned j = 0; root[i] && j < FAN_OUT; j++)
			host_free(root[i]->leaf[j]);
		host_free(root[i]);
		root[i] = NULL;
	}
	live_ids = 0;
	cursor = FIRST_INDEX;
}
