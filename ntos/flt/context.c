/* SPDX-License-Identifier: MIT */
/*
 * The life of a context: from FltAllocateContext to the last reference.
 *
 * A context is pool memory (or the minifilter's own) with a header in front. Every context is
 * in two tables, by its address and, while it is set on something, by where; so a pointer
 * that is none, or no longer, is told from a real one without looking behind it. Being set
 * is a reference. Each context refers to its filter, which keeps FltUnregisterFilter
 * waiting for those that are leaked. The last reference takes it out of the tables; then
 * its cleanup routine is called, and the memory freed, with no lock held, above APC_LEVEL
 * later.
 *
 * Pages: FltAllocateContext, FltReleaseContext, "Managing contexts"; bug check 0xF5 (0x6D,
 * 0x6E).
 */
#include "flt/context.h"
#include "ex/pool.h"
#include "ex/workitem.h"
#include "ke/bugcheck.h"
#include "ke/callout.h"
#include <stdatomic.h>
#include <string.h>

#define BUCKETS 256
#define MAX_SIZE 0xFFFF

static LIST_ENTRY by_address[BUCKETS], by_home[BUCKETS]; /* flt_lock */
static atomic_uint set_count; /* contexts that are set on something; flt_lock */

static LIST_ENTRY *bucket(LIST_ENTRY *table, const void *key)
{
	LIST_ENTRY *head = &table[((uintptr_t)key >> 4) * 0x9E3779B1u >> 8 & (BUCKETS - 1)];
	if (!head->Flink)
		list_init(head);
	return head;
}

/* ---- The tables, under flt_lock ------------------------------------------------------------- */

struct flt_context *flt_live_context(PFLT_CONTEXT body)
{
	LIST_ENTRY *head = bucket(by_address, body);
	for (LIST_ENTRY *link = head->Flink; link != head; link = link->Flink) {
		struct flt_context *context = LIST_OWNER(link, struct flt_context, by_address);
		if (flt_body_of(context) == body)
			return context;
	}
	return NULL;
}

static bool is_home(const struct flt_context *context, const struct flt_home *home)
{
	return context->home.on == home->on && context->home.of == home->of &&
	       context->home.type == home->type;
}

struct flt_context *flt_find_context(const struct flt_home *home)
{
	LIST_ENTRY *head = bucket(by_home, home->on);
	for (LIST_ENTRY *link = head->Flink; link != head; link = link->Flink) {
		struct flt_context *context = LIST_OWNER(link, struct flt_context, by_home);
		if (is_home(context, home))
			return context;
	}
	return NULL;
}

void flt_link_context(struct flt_context *context, const struct flt_home *home)
{
	context->home = *home;
	atomic_fetch_add_explicit(&set_count, 1, memory_order_relaxed);
	list_add_last(bucket(by_home, home->on), &context->by_home);
}

void flt_unlink_context(struct flt_context *context)
{
	context->home.on = NULL;
	atomic_fetch_sub_explicit(&set_count, 1, memory_order_relaxed);
	list_remove(&context->by_home);
}

/* ---- Making ------------------------------------------------------------------------------------ */

/* The first that was registered for the type and has room, as the page orders them. */
static const FLT_CONTEXT_REGISTRATION *choose(PFLT_FILTER filter, USHORT type, SIZE_T size)
{
	const FLT_CONTEXT_REGISTRATION *larger = NULL, *variable = NULL;
	for (unsigned i = 0; i < filter->context_count; i++) {
		const FLT_CONTEXT_REGISTRATION *one = &filter->contexts[i];
		if (one->ContextType != type)
			continue;
		if (one->ContextAllocateCallback || one->Size == size)
			return one;
		if (one->Size == FLT_VARIABLE_SIZED_CONTEXTS)
			variable = one;
		else if (one->Size > size && !larger)
			larger = one;
	}
	return variable ? variable : larger;
}

static NTSTATUS check(USHORT type, SIZE_T size, int pool)
{
	bool one_type = type && !(type & (type - 1)) && type <= FLT_SECTION_CONTEXT;
	if (size > MAX_SIZE)
		return STATUS_INVALID_BUFFER_SIZE;
	if (!one_type || !size)
		return STATUS_INVALID_PARAMETER;
	if (type == FLT_VOLUME_CONTEXT && pool & 1) /* the pool types of odd value are paged */
		return STATUS_FLT_MUST_BE_NONPAGED_POOL;
	return STATUS_SUCCESS;
}

static struct flt_context *allocate(const void *caller, const FLT_CONTEXT_REGISTRATION *registered,
				    SIZE_T size, int pool)
{
	FLT_CONTEXT_ALLOCATE_CALLBACK *own = registered->ContextAllocateCallback;
	SIZE_T all = sizeof(struct flt_context) + size;
	PVOID memory = NULL;
	if (own)
		FLT_CALL(own, "ContextAllocateCallback",
			 memory = own(pool, all, registered->ContextType));
	else
		memory = ex_allocate_pool(caller, (POOL_TYPE)pool, all, registered->PoolTag);
	if (memory)
		memset(memory, 0,
		       registered->Size == FLT_VARIABLE_SIZED_CONTEXTS
			       ? all
			       : sizeof(struct flt_context));
	return memory;
}

static void enlist(struct flt_context *context)
{
	pthread_mutex_lock(&flt_lock);
	list_add_last(bucket(by_address, flt_body_of(context)), &context->by_address);
	list_add_last(&context->filter->all_contexts, &context->of_filter);
	pthread_mutex_unlock(&flt_lock);
}

NTSTATUS NTAPI FltAllocateContext(PFLT_FILTER Filter, USHORT ContextType, SIZE_T ContextSize,
				  int PoolType, PFLT_CONTEXT *ReturnedContext)
{
	NTSTATUS status = check(ContextType, ContextSize, PoolType);
	if (!NT_SUCCESS(status))
		return status;
	if (Filter->leaving || !flt_reference(&Filter->object))
		return STATUS_FLT_DELETING_OBJECT;
	const FLT_CONTEXT_REGISTRATION *registered = choose(Filter, ContextType, ContextSize);
	struct flt_context *made = NULL;
	if (registered)
		made = allocate(__builtin_return_address(0), registered, ContextSize, PoolType);
	if (!made) {
		flt_dereference(&Filter->object);
		return registered ? STATUS_INSUFFICIENT_RESOURCES
				  : STATUS_FLT_CONTEXT_ALLOCATION_NOT_FOUND;
	}
	made->filter = Filter;
	made->registered = registered;
	made->type = ContextType;
	made->nonpaged = !(PoolType & 1);
	made->references = 1;
	enlist(made);
	*ReturnedContext = flt_body_of(made);
	return STATUS_SUCCESS;
}

/* ---- Freeing ---------------------------------------------------------------------------------------- */

static void free_memory(struct flt_context *context)
{
	FLT_CONTEXT_FREE_CALLBACK *own = context->registered->ContextFreeCallback;
	USHORT type = context->type;
	if (own)
		FLT_CALL(own, "ContextFreeCallback", own(context, type));
	else
		ex_free_pool((const void *)FltReleaseContext, context);
}

static VOID NTAPI end(PVOID parameter)
{
	struct flt_context *context = parameter;
	PFLT_FILTER filter = context->filter;
	FLT_CONTEXT_CLEANUP_CALLBACK *cleanup = context->registered->ContextCleanupCallback;
	if (cleanup)
		FLT_CALL(cleanup, "ContextCleanupCallback",
			 cleanup(flt_body_of(context), context->type));
	free_memory(context);
	flt_dereference(&filter->object);
}

static void end_when_possible(struct flt_context *context)
{
	PWORK_QUEUE_ITEM item = (PWORK_QUEUE_ITEM)(void *)context->work;
	_Static_assert(sizeof(context->work) >= sizeof(*item), "room for the item");
	if (KeGetCurrentIrql() <= APC_LEVEL) {
		end(context);
		return;
	}
	item->List.Flink = NULL;
	item->WorkerRoutine = end;
	item->Parameter = context;
	ex_queue_work(item, "FltReleaseContext");
}

/* Under flt_lock; true: it is the caller's to end. */
static bool drop(struct flt_context *context)
{
	if (--context->references)
		return false;
	list_remove(&context->by_address);
	list_remove(&context->of_filter);
	return true;
}

void flt_release_context(struct flt_context *context)
{
	pthread_mutex_lock(&flt_lock);
	bool last = drop(context);
	pthread_mutex_unlock(&flt_lock);
	if (last)
		end_when_possible(context);
}

_Noreturn static void stale(PFLT_CONTEXT body, const char *caller)
{
	KE_BUG_CHECK(KE_FLTMGR_FILE_SYSTEM, 0x6E, (uintptr_t)body, 0, 0,
		     "%s was given a context that is freed", caller);
}

VOID NTAPI FltReleaseContext(PFLT_CONTEXT Context)
{
	KIRQL irql = KeGetCurrentIrql();
	pthread_mutex_lock(&flt_lock);
	struct flt_context *context = flt_live_context(Context);
	bool paged = context && irql > APC_LEVEL && !context->nonpaged;
	/* Being set is a reference that is not the driver's to give back. */
	bool too_many = context && context->home.on && context->references == 1;
	bool last = context && !paged && !too_many && drop(context);
	pthread_mutex_unlock(&flt_lock);
	if (!context)
		stale(Context, "FltReleaseContext");
	if (paged)
		KE_BUG_CHECK(KE_IRQL_NOT_LESS_OR_EQUAL, (uintptr_t)Context, irql, 1, 0,
			     "FltReleaseContext at DISPATCH_LEVEL was given a context in paged "
			     "pool");
	if (too_many)
		KE_BUG_CHECK(KE_FLTMGR_FILE_SYSTEM, 0x6D, (uintptr_t)Context, (uintptr_t)context, 0,
			     "FltReleaseContext took away the reference of a context that is "
			     "still set");
	if (last)
		end_when_possible(context);
}

VOID NTAPI FltReferenceContext(PFLT_CONTEXT Context)
{
	pthread_mutex_lock(&flt_lock);
	struct flt_context *context = flt_live_context(Context);
	if (context)
		context->references++;
	pthread_mutex_unlock(&flt_lock);
	if (!context)
		stale(Context, "FltReferenceContext");
}

VOID NTAPI FltReleaseContexts(PFLT_RELATED_CONTEXTS Contexts)
{
	PFLT_CONTEXT *each = &Contexts->VolumeContext;
	for (unsigned i = 0; i < sizeof(*Contexts) / sizeof(*each); i++) {
		if (each[i])
			FltReleaseContext(each[i]);
		each[i] = NULL;
	}
}

VOID NTAPI FltDeleteContext(PFLT_CONTEXT Context)
{
	pthread_mutex_lock(&flt_lock);
	struct flt_context *context = flt_live_context(Context);
	bool set = context && context->home.on;
	if (set)
		flt_unlink_context(context);
	pthread_mutex_unlock(&flt_lock);
	if (!context)
		stale(Context, "FltDeleteContext");
	if (set)
		flt_release_context(context);
}

/* ---- When what they hang on goes ------------------------------------------------------------------- */

/* Under flt_lock: takes one that `which` holds for off its home; it comes with the
 * home's reference. */
static struct flt_context *
take(PFLT_FILTER filter, bool (*which)(const struct flt_context *, const void *), const void *of)
{
	LIST_ENTRY *head = &filter->all_contexts;
	for (LIST_ENTRY *link = head->Flink; link != head; link = link->Flink) {
		struct flt_context *context = LIST_OWNER(link, struct flt_context, of_filter);
		if (!context->home.on || !which(context, of))
			continue;
		flt_unlink_context(context);
		return context;
	}
	return NULL;
}

static void delete_all(PFLT_FILTER filter, bool (*which)(const struct flt_context *, const void *),
		       const void *of)
{
	for (;;) {
		pthread_mutex_lock(&flt_lock);
		struct flt_context *context = take(filter, which, of);
		pthread_mutex_unlock(&flt_lock);
		if (!context)
			return;
		flt_release_context(context);
	}
}

static bool is_of(const struct flt_context *context, const void *of)
{
	return context->home.of == of;
}

void flt_delete_contexts_of(PFLT_INSTANCE instance)
{
	delete_all(instance->filter, is_of, instance);
}

void flt_delete_volume_contexts(PFLT_FILTER filter)
{
	delete_all(filter, is_of, filter);
}

void flt_delete_contexts_on(const void *file_or_stream)
{
	/* For every file that goes: whoever has set one on it has done so before. */
	while (atomic_load_explicit(&set_count, memory_order_relaxed)) {
		struct flt_context *found = NULL;
		pthread_mutex_lock(&flt_lock);
		LIST_ENTRY *head = bucket(by_home, file_or_stream);
		for (LIST_ENTRY *link = head->Flink; link != head && !found; link = link->Flink) {
			found = LIST_OWNER(link, struct flt_context, by_home);
			if (found->home.on != file_or_stream)
				found = NULL;
		}
		if (found)
			flt_unlink_context(found);
		pthread_mutex_unlock(&flt_lock);
		if (!found)
			return;
		flt_release_context(found);
	}
}

void flt_free_contexts(void)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		LIST_ENTRY *head = &by_address[i];
		while (head->Flink && !list_empty(head)) {
			struct flt_context *context = LIST_OWNER(head->Flink, struct flt_context,
								 by_address);
			list_remove(&context->by_address);
			/* A minifilter's own memory is its own business; pool goes with the pool. */
		}
		list_init(&by_home[i]);
	}
	atomic_store_explicit(&set_count, 0, memory_order_relaxed);
}
