/* SPDX-License-Identifier: MIT */
/*
 * Contexts that drivers tie to key objects.
 *
 * A context belongs to one key object and one filter and is on a list of each. It ends
 * with whichever of the two goes first, with one RegNtCallbackObjectContextCleanup.
 * Whoever takes it off the lists makes that call, without the lock, and meanwhile keeps
 * the other side: a filter by its `cleaning` count, a key by a reference or, when it has
 * none left to give, by the same kind of count. Each side waits at its end until its
 * count is 0.
 *
 * LOCK: cm_filters.lock protects the lists and the counts.
 *
 * Pages: CmSetCallbackObjectContext, REG_CALLBACK_CONTEXT_CLEANUP_INFORMATION.
 */
#include "cm/filter.h"
#include "ke/list.h"
#include "memory.h"

struct cm_context {
	LIST_ENTRY of_filter, of_key;
	struct cm_filter *filter;
	struct cm_key *key;
	PVOID value;
};

static pthread_cond_t cleaned = PTHREAD_COND_INITIALIZER;

/* ---- Under the lock ----------------------------------------------------------------- */

static struct cm_context *find(struct cm_key *key, const struct cm_filter *filter)
{
	for (LIST_ENTRY *entry = key->contexts.Flink; entry != &key->contexts;
	     entry = entry->Flink) {
		struct cm_context *context = LIST_OWNER(entry, struct cm_context, of_key);
		if (context->filter == filter)
			return context;
	}
	return NULL;
}

static void unlink_context(struct cm_context *context)
{
	list_remove(&context->of_filter);
	list_remove(&context->of_key);
}

static void link_context(struct cm_context *context)
{
	list_add_last(&context->filter->contexts, &context->of_filter);
	list_add_last(&context->key->contexts, &context->of_key);
}

static void stop_cleaning(unsigned *count)
{
	pthread_mutex_lock(&cm_filters.lock);
	--*count;
	pthread_cond_broadcast(&cleaned);
	pthread_mutex_unlock(&cm_filters.lock);
}

/* ---- Setting and showing --------------------------------------------------------------- */

PVOID cm_context_of(struct cm_key *key, const struct cm_filter *filter)
{
	pthread_mutex_lock(&cm_filters.lock);
	struct cm_context *context = find(key, filter);
	PVOID value = context ? context->value : NULL;
	pthread_mutex_unlock(&cm_filters.lock);
	return value;
}

/* Puts `value` in the place of what is there, which comes back in *old. *spare is used up
 * when there is nothing yet, and is the context that has gone when `value` is NULL. */
static NTSTATUS exchange(struct cm_key *key, LONGLONG cookie, PVOID value, PVOID *old,
			 struct cm_context **spare)
{
	struct cm_filter *filter = cm_find_filter(cookie);
	if (!filter)
		return STATUS_INVALID_PARAMETER;
	struct cm_context *context = find(key, filter);
	*old = context ? context->value : NULL;
	if (context && value) {
		context->value = value;
	} else if (context) {
		unlink_context(context);
		*spare = context;
	} else if (value) {
		**spare = (struct cm_context){.filter = filter, .key = key, .value = value};
		link_context(*spare);
		*spare = NULL;
	}
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI CmSetCallbackObjectContext(PVOID Object, LARGE_INTEGER *Cookie, PVOID NewContext,
					  PVOID *OldContext)
{
	PVOID old;
	const LONGLONG cookie = Cookie->QuadPart;
	if (!cm_is_key(Object))
		return STATUS_INVALID_PARAMETER;
	struct cm_context *spare = NewContext ? host_alloc(sizeof(*spare)) : NULL;
	if (NewContext && !spare)
		return STATUS_INSUFFICIENT_RESOURCES;
	pthread_mutex_lock(&cm_filters.lock);
	NTSTATUS status = exchange(Object, cookie, NewContext, &old, &spare);
	pthread_mutex_unlock(&cm_filters.lock);
	host_free(spare);
	if (NT_SUCCESS(status) && OldContext)
		*OldContext = old;
	return status;
}

/* ---- Cleaning up -------------------------------------------------------------------------- */

static void clean_up(struct cm_context *context)
{
	REG_CALLBACK_CONTEXT_CLEANUP_INFORMATION information = {
		.Object = context->key,
		.ObjectContext = context->value,
	};
	cm_call_filter(context->filter, RegNtCallbackObjectContextCleanup, &information);
	host_free(context);
}

void cm_clean_key(struct cm_key *key)
{
	pthread_mutex_lock(&cm_filters.lock);
	while (!list_empty(&key->contexts)) {
		struct cm_context *context = LIST_OWNER(key->contexts.Flink, struct cm_context,
							of_key);
		struct cm_filter *filter = context->filter;
		unlink_context(context);
		filter->cleaning++;
		pthread_mutex_unlock(&cm_filters.lock);
		clean_up(context);
		stop_cleaning(&filter->cleaning);
		pthread_mutex_lock(&cm_filters.lock);
	}
	while (key->cleaning)
		pthread_cond_wait(&cleaned, &cm_filters.lock);
	pthread_mutex_unlock(&cm_filters.lock);
}

void cm_clean_filter(struct cm_filter *filter)
{
	pthread_mutex_lock(&cm_filters.lock);
	while (!list_empty(&filter->contexts)) {
		struct cm_context *context = LIST_OWNER(filter->contexts.Flink, struct cm_context,
							of_filter);
		struct cm_key *key = context->key;
		bool alive = ob_reference_unless_dead(key);
		unlink_context(context);
		key->cleaning += !alive;
		pthread_mutex_unlock(&cm_filters.lock);
		clean_up(context);
		if (alive)
			ob_dereference(key);
		else
			stop_cleaning(&key->cleaning);
		pthread_mutex_lock(&cm_filters.lock);
	}
	while (filter->cleaning)
		pthread_cond_wait(&cleaned, &cm_filters.lock);
	pthread_mutex_unlock(&cm_filters.lock);
}

void cm_forget_contexts(struct cm_filter *filter)
{
	while (!list_empty(&filter->contexts)) {
		struct cm_context *context = LIST_OWNER(filter->contexts.Flink, struct cm_context,
							of_filter);
		unlink_context(context);
		host_free(context);
	}
}
