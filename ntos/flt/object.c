/* SPDX-License-Identifier: MIT */
/*
 * References to filters, volumes and instances.
 *
 * A reference keeps the object's memory, nothing more: an instance is torn down while
 * others refer to it. Who tears an object down lets no new reference in and waits for the
 * last one, for ever if need be, as the documentation warns; here the listeners hear what
 * it waits for.
 *
 * Pages: FltObjectReference, FltObjectDereference.
 */
#include "ex/event.h"
#include "flt/flt.h"
#include "ke/bugcheck.h"
#include <stdatomic.h>

pthread_mutex_t flt_lock = PTHREAD_MUTEX_INITIALIZER;

bool flt_reference(struct flt_object *object)
{
	return ExAcquireRundownProtection(&object->references);
}

void flt_dereference(struct flt_object *object)
{
	ExReleaseRundownProtection(&object->references);
}

NTSTATUS flt_check_kind(const void *object, enum flt_kind kind)
{
	const struct flt_object *header = object;
	return header && header->kind == kind ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

void flt_run_down(struct flt_object *object, const char *what, const void *routine)
{
	/* The count is in steps of two (ex/rundown.c). */
	ULONG64 count = atomic_load_explicit(&object->references.Count, memory_order_relaxed) / 2;
	if (count)
		ex_rule_broken("wdk", routine,
			       "%s waits for %llu reference%s that %s not been given back", what,
			       (unsigned long long)count, count == 1 ? "" : "s",
			       count == 1 ? "has" : "have");
	ExWaitForRundownProtectionRelease(&object->references);
}

static void check(const struct flt_object *object, const char *caller)
{
	if (object->kind != FLT_FILTER_KIND && object->kind != FLT_VOLUME_KIND &&
	    object->kind != FLT_INSTANCE_KIND)
		KE_BUG_CHECK(KE_REFERENCE_BY_POINTER, 0, (uintptr_t)object, 0, 0,
			     "%s was given what is no filter, volume or instance", caller);
}

NTSTATUS NTAPI FltObjectReference(PVOID FltObject)
{
	check(FltObject, "FltObjectReference");
	return flt_reference(FltObject) ? STATUS_SUCCESS : STATUS_FLT_DELETING_OBJECT;
}

VOID NTAPI FltObjectDereference(PVOID FltObject)
{
	struct flt_object *object = FltObject;
	check(object, "FltObjectDereference");
	if (atomic_load_explicit(&object->references.Count, memory_order_relaxed) < 2)
		KE_BUG_CHECK(KE_REFERENCE_BY_POINTER, 0, (uintptr_t)object, 0, 0,
			     "FltObjectDereference was called once more than FltObjectReference");
	flt_dereference(object);
}
