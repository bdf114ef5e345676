/* SPDX-License-Identifier: MIT */
/*
 * A resource's state is on the heap, behind a pointer in the driver's 104 bytes: who
 * holds it, how often, and how many wait. Holders are a short array of threads; one
 * with exclusive access is alone in it. Sharers wait behind an exclusive waiter, unless
 * they hold the resource already or ask to starve it.
 *
 * LOCK: state->lock, with one condition variable for all waiters; both are leaf.
 *
 * VF-11: acquiring or releasing with normal kernel APCs enabled ends in 0xC4/0x37 or
 * 0x38; releasing what the thread does not hold in 0xE3.
 */
#include "ex/resource.h"
#include "ke/bugcheck.h"
#include "ke/thread.h"
#include "memory.h"
#include <pthread.h>
#include <string.h>

#define MAGIC 0x4552534F55524345ull

struct holder {
	ERESOURCE_THREAD thread;
	ULONG times;
};

struct ex_resource {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool exclusive;
	ULONG holders, capacity, exclusive_waiters, shared_waiters;
	struct holder *holder;
	struct holder first[4]; /* enough for most, so that these need no memory */
};

enum kind { EXCLUSIVE, SHARED, SHARED_STARVING, SHARED_POLITE };

static ERESOURCE_THREAD self(void)
{
	return (ERESOURCE_THREAD)ke_current_thread();
}

static struct ex_resource *state_of(PERESOURCE resource, const char *what)
{
	if (resource->Magic != MAGIC)
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x3D, (uintptr_t)resource, 0, 0,
			     "a resource that is not initialized, or was deleted, was %s", what);
	return resource->State;
}

static void check_apcs(PERESOURCE resource, ULONG subcode, const char *what)
{
	if (!KeAreApcsDisabled())
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, subcode, KeGetCurrentIrql(),
			     self(), (uintptr_t)resource,
			     "a resource was %s with normal kernel APCs enabled (VF-11)", what);
}

static struct holder *find(struct ex_resource *state, ERESOURCE_THREAD thread)
{
	for (ULONG i = 0; i < state->holders; i++)
		if (state->holder[i].thread == thread)
			return &state->holder[i];
	return NULL;
}

/* Whether it could be had now by a thread that does not hold it. */
static bool available(const struct ex_resource *state, enum kind kind)
{
	if (state->holders == 0)
		return kind != SHARED_POLITE || !state->exclusive_waiters;
	if (state->exclusive || kind == EXCLUSIVE)
		return false;
	return kind == SHARED_STARVING || !state->exclusive_waiters;
}

static bool add_holder(struct ex_resource *state, ERESOURCE_THREAD thread, bool exclusive)
{
	if (state->holders == state->capacity) {
		ULONG capacity = state->capacity * 2;
		struct holder *more = host_alloc(capacity * sizeof *more);
		if (!more)
			return false;
		memcpy(more, state->holder, state->holders * sizeof *more);
		if (state->holder != state->first)
			host_free(state->holder);
		state->holder = more;
		state->capacity = capacity;
	}
	state->holder[state->holders++] = (struct holder){thread, 1};
	state->exclusive = exclusive;
	return true;
}

/* Again by a thread that holds it: exclusive access includes shared, not the other
 * way round. */
static bool again(struct ex_resource *state, struct holder *mine, enum kind kind)
{
	if (kind == EXCLUSIVE && !state->exclusive)
		return false;
	mine->times++;
	return true;
}

/* A wait cannot fail: without memory for one more holder it goes on, as NT's does. */
static void wait_for(struct ex_resource *state, enum kind kind)
{
	ULONG *waiters = kind == EXCLUSIVE ? &state->exclusive_waiters : &state->shared_waiters;
	__atomic_fetch_add(waiters, 1, __ATOMIC_RELAXED); /* read without the lock */
	while (!available(state, kind) || !add_holder(state, self(), kind == EXCLUSIVE))
		pthread_cond_wait(&state->changed, &state->lock);
	__atomic_fetch_sub(waiters, 1, __ATOMIC_RELAXED);
}

static BOOLEAN acquire(PERESOURCE resource, enum kind kind, BOOLEAN wait)
{
	struct ex_resource *state = state_of(resource, "acquired");
	check_apcs(resource, 0x37, "acquired");
	pthread_mutex_lock(&state->lock);
	struct holder *mine = find(state, self());
	bool upgrade = mine && kind == EXCLUSIVE && !state->exclusive;
	bool got = false;
	if (mine)
		got = again(state, mine, kind);
	else if (available(state, kind) && add_holder(state, self(), kind == EXCLUSIVE))
		got = true;
	else if (wait)
		wait_for(state, kind), got = true;
	pthread_mutex_unlock(&state->lock);
	if (upgrade && wait)
		KE_BUG_CHECK(KE_CALLBACK_RULE_VIOLATION, (uintptr_t)resource, self(), 0, 0,
			     "a resource was acquired exclusive by a thread that holds it shared: "
			     "it would wait for itself for ever");
	return got;
}

BOOLEAN NTAPI ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait)
{
	return acquire(Resource, EXCLUSIVE, Wait);
}

BOOLEAN NTAPI ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait)
{
	return acquire(Resource, SHARED, Wait);
}

BOOLEAN NTAPI ExAcquireSharedStarveExclusive(PERESOURCE Resource, BOOLEAN Wait)
{
	return acquire(Resource, SHARED_STARVING, Wait);
}

BOOLEAN NTAPI ExAcquireSharedWaitForExclusive(PERESOURCE Resource, BOOLEAN Wait)
{
	return acquire(Resource, SHARED_POLITE, Wait);
}

static bool drop(struct ex_resource *state, ERESOURCE_THREAD thread)
{
	struct holder *mine = find(state, thread);
	if (!mine)
		return false;
	if (--mine->times == 0) {
		*mine = state->holder[--state->holders];
		if (!state->holders)
			state->exclusive = false;
		pthread_cond_broadcast(&state->changed);
	}
	return true;
}

VOID NTAPI ExReleaseResourceForThreadLite(PERESOURCE Resource, ERESOURCE_THREAD ResourceThreadId)
{
	struct ex_resource *state = state_of(Resource, "released");
	check_apcs(Resource, 0x38, "released");
	pthread_mutex_lock(&state->lock);
	bool held = drop(state, ResourceThreadId);
	pthread_mutex_unlock(&state->lock);
	if (!held)
		KE_BUG_CHECK(KE_RESOURCE_NOT_OWNED, (uintptr_t)Resource, ResourceThreadId, 0, 0,
			     "a resource was released by a thread that does not hold it");
}

VOID NTAPI ExReleaseResourceLite(PERESOURCE Resource)
{
	ExReleaseResourceForThreadLite(Resource, self());
}

VOID NTAPI ExConvertExclusiveToSharedLite(PERESOURCE Resource)
{
	struct ex_resource *state = state_of(Resource, "converted");
	pthread_mutex_lock(&state->lock);
	bool held = state->exclusive && find(state, self());
	if (held) {
		state->exclusive = false;
		pthread_cond_broadcast(&state->changed);
	}
	pthread_mutex_unlock(&state->lock);
	if (!held)
		KE_BUG_CHECK(
			KE_RESOURCE_NOT_OWNED, (uintptr_t)Resource, self(), 0, 1,
			"a resource was converted by a thread that does not hold it exclusive");
}

/* ---- Beginning and end -------------------------------------------------------------------- */

NTSTATUS NTAPI ExInitializeResourceLite(PERESOURCE Resource)
{
	struct ex_resource *state = host_alloc(sizeof *state);
	if (!state)
		return STATUS_INSUFFICIENT_RESOURCES;
	pthread_mutex_init(&state->lock, NULL);
	pthread_cond_init(&state->changed, NULL);
	state->holder = state->first;
	state->capacity = sizeof state->first / sizeof state->first[0];
	memset(Resource, 0, sizeof *Resource);
	Resource->State = state;
	Resource->Magic = MAGIC;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI ExDeleteResourceLite(PERESOURCE Resource)
{
	struct ex_resource *state = state_of(Resource, "deleted");
	if (state->holders || state->exclusive_waiters || state->shared_waiters)
		KE_BUG_CHECK(KE_DRIVER_VERIFIER_DETECTED_VIOLATION, 0x3A, (uintptr_t)Resource,
			     state->holders, 0, "a resource was deleted that %u threads hold",
			     state->holders);
	pthread_mutex_destroy(&state->lock);
	pthread_cond_destroy(&state->changed);
	if (state->holder != state->first)
		host_free(state->holder);
	host_free(state);
	Resource->State = NULL;
	Resource->Magic = 0;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI ExReinitializeResourceLite(PERESOURCE Resource)
{
	ExDeleteResourceLite(Resource);
	return ExInitializeResourceLite(Resource);
}

/* ---- Questions ------------------------------------------------------------------------------ */

static ULONG held_times(PERESOURCE resource, bool exclusive)
{
	struct ex_resource *state = state_of(resource, "asked about");
	pthread_mutex_lock(&state->lock);
	struct holder *mine = find(state, self());
	ULONG times = mine && (!exclusive || state->exclusive) ? mine->times : 0;
	pthread_mutex_unlock(&state->lock);
	return times;
}

BOOLEAN NTAPI ExIsResourceAcquiredExclusiveLite(PERESOURCE Resource)
{
	return held_times(Resource, true) != 0;
}

ULONG NTAPI ExIsResourceAcquiredSharedLite(PERESOURCE Resource)
{
	return held_times(Resource, false);
}

ULONG NTAPI ExGetExclusiveWaiterCount(PERESOURCE Resource)
{
	return __atomic_load_n(&state_of(Resource, "asked about")->exclusive_waiters,
			       __ATOMIC_RELAXED);
}

ULONG NTAPI ExGetSharedWaiterCount(PERESOURCE Resource)
{
	return __atomic_load_n(&state_of(Resource, "asked about")->shared_waiters,
			       __ATOMIC_RELAXED);
}

/* ---- With the critical region -------------------------------------------------------------- */

/* What they return is the Win32 thread, which drivers ignore; here the thread. */
static PVOID enter_and_acquire(PERESOURCE resource, enum kind kind)
{
	KeEnterCriticalRegion();
	acquire(resource, kind, TRUE);
	return ke_current_thread();
}

PVOID NTAPI ExEnterCriticalRegionAndAcquireResourceExclusive(PERESOURCE Resource)
{
	return enter_and_acquire(Resource, EXCLUSIVE);
}

PVOID NTAPI ExEnterCriticalRegionAndAcquireResourceShared(PERESOURCE Resource)
{
	return enter_and_acquire(Resource, SHARED);
}

PVOID NTAPI ExEnterCriticalRegionAndAcquireSharedWaitForExclusive(PERESOURCE Resource)
{
	return enter_and_acquire(Resource, SHARED_POLITE);
}

VOID NTAPI ExReleaseResourceAndLeaveCriticalRegion(PERESOURCE Resource)
{
	ExReleaseResourceLite(Resource);
	KeLeaveCriticalRegion();
}
