/* SPDX-License-Identifier: MIT */
/*
 * The calls around a registry operation.
 *
 * The list of filters is walked once, from the highest altitude down, for the pre calls;
 * each filter is held (ex_hold) from before its pre call until after its post call, so
 * that unregistration waits across the gap. A pre routine that fails ends the walk: the
 * operation is not done, with STATUS_CALLBACK_BYPASS it succeeds and otherwise it has
 * that status. Post calls go to those whose pre call succeeded, in the opposite order,
 * also when a lower filter has blocked the operation; one that returns
 * STATUS_CALLBACK_BYPASS puts its ReturnStatus in the place of the outcome.
 *
 * A registry operation that a routine begins itself does not start at the top again: the
 * filters below that routine's are told, and no other. What a thread is inside of is
 * a chain of frames on its stack.
 *
 * No lock is held during a call. Nothing faults while filters are held: an exception that
 * the driver handles would drop these frames, and whoever unregisters would wait for ever.
 * What an operation reads of the driver's has therefore been read through before
 * (cm_read_through, or a copy), and answers are written with a status (mm_answer).
 *
 * Pages: "Filtering Registry Calls", "Handling Notifications", "Supporting Layered Registry
 * Filtering Drivers", "Specifying Context Information", REG_POST_OPERATION_INFORMATION.
 */
#include "cm/filter.h"
#include "clock.h"
#include "ex/event.h"
#include "ex/restraint.h"
#include "ke/bugcheck.h"
#include "ke/callout.h"
#include "ldr/module.h"
#include "memory.h"
#include "ps/process.h"
#include <string.h>

/* Enough for every machine seen in the field without an allocation. */
#define HELD_ON_STACK 8

struct held {
	struct ex_hold hold;
	struct cm_filter *filter;
	PVOID call_context;
	bool owed; /* its post call */
};

struct walk {
	const struct cm_operation *operation;
	struct cm_key *key;
	void *information;
	struct held *held;
	unsigned count, capacity;
};

/* ---- One call --------------------------------------------------------------------- */

struct frame {
	const struct frame *outer;
	const struct cm_filter *filter;
};
static _Thread_local const struct frame *innermost;

bool cm_is_inside(const struct cm_filter *filter)
{
	for (const struct frame *frame = innermost; frame; frame = frame->outer)
		if (frame->filter == filter)
			return true;
	return ex_inside(&filter->callback);
}

static void tell_returned(const void *routine, ULONG64 began, NTSTATUS status)
{
	struct ldr_module *module = ldr_module_of(routine);
	struct rs_event event = {.type = RS_CALLBACK_RETURNED};
	event.callback.kind = RS_REGISTRY;
	event.callback.module = module ? &module->entry : NULL;
	event.callback.routine = routine;
	event.callback.duration = host_clock() - began;
	event.callback.status_after = status;
	event.callback.process_id = PsGetCurrentProcess()->id;
	ex_tell(&event);
}

NTSTATUS cm_call_filter(struct cm_filter *filter, REG_NOTIFY_CLASS class, void *information)
{
	const void *routine = filter->callback.routine;
	const struct frame frame = {innermost, filter};
	ULONG64 began = ex_heard() ? host_clock() : 0;
	struct ke_callout callout;
	innermost = &frame;
	ke_call_begin(&callout, "CmRegisterCallback routine", routine, PASSIVE_LEVEL);
	NTSTATUS status = filter->routine(filter->context, (PVOID)(uintptr_t) class, information);
	ke_call_end(&callout, PASSIVE_LEVEL);
	innermost = frame.outer;
	if (began)
		tell_returned(routine, began, status);
	return status;
}

/* ---- Pre ----------------------------------------------------------------------------- */

/* CallContext, with the object's context behind it. */
static PVOID *contexts_of(const struct walk *walk)
{
	return (PVOID *)(void *)((char *)walk->information + walk->operation->contexts);
}

static NTSTATUS call_pre(const struct walk *walk, struct held *held)
{
	PVOID *contexts = contexts_of(walk);
	contexts[0] = NULL;
	contexts[1] = cm_context_of(walk->key, held->filter);
	NTSTATUS status = cm_call_filter(held->filter, walk->operation->pre, walk->information);
	held->call_context = contexts[0];
	held->owed = NT_SUCCESS(status);
	return status;
}

/* Room for one more; false without memory. */
static bool make_room(struct walk *walk)
{
	if (walk->count < walk->capacity)
		return true;
	struct held *more = host_alloc(2 * walk->capacity * sizeof(*more));
	if (!more)
		return false;
	memcpy(more, walk->held, walk->count * sizeof(*more));
	if (walk->capacity > HELD_ON_STACK)
		host_free(walk->held);
	walk->held = more;
	walk->capacity *= 2;
	return true;
}

static struct held *hold(struct walk *walk, struct ex_walk *place, struct cm_filter *filter)
{
	if (!make_room(walk))
		return NULL;
	struct held *held = &walk->held[walk->count];
	if (!ex_hold(place, &held->hold))
		return NULL;
	held->filter = filter;
	walk->count++;
	return held;
}

static bool is_below(const struct cm_filter *filter, const struct frame *frame)
{
	return !frame || cm_compare_filters(&frame->filter->callback, &filter->callback) < 0;
}

static NTSTATUS call_all_pre(struct walk *walk)
{
	struct ex_walk place;
	struct ex_callback *callback;
	NTSTATUS status = STATUS_SUCCESS;
	ex_walk_begin(&place, &cm_filters);
	while (NT_SUCCESS(status) && (callback = ex_walk_next(&place))) {
		struct cm_filter *filter = (struct cm_filter *)callback;
		if (!is_below(filter, innermost))
			continue;
		struct held *held = hold(walk, &place, filter);
		status = held ? call_pre(walk, held) : STATUS_INSUFFICIENT_RESOURCES;
	}
	ex_walk_end(&place);
	return status;
}

/* ---- Post ------------------------------------------------------------------------------ */

/* The key that the operation was about, or that it gave; NULL for one that failed to. */
static PVOID object_of(const struct walk *walk, NTSTATUS status)
{
	if (!walk->operation->result)
		return walk->key;
	return NT_SUCCESS(status) ? *walk->operation->result(walk->information) : NULL;
}

static NTSTATUS call_post(const struct walk *walk, const struct held *held, NTSTATUS status)
{
	PVOID *contexts = contexts_of(walk);
	REG_POST_OPERATION_INFORMATION information = {
		.Object = object_of(walk, status),
		.Status = status,
		.PreInformation = walk->information,
		.ReturnStatus = status,
		.CallContext = held->call_context,
		.ObjectContext = cm_context_of(walk->key, held->filter),
	};
	contexts[0] = information.CallContext;
	contexts[1] = information.ObjectContext;
	NTSTATUS result = cm_call_filter(held->filter, walk->operation->post, &information);
	return result == STATUS_CALLBACK_BYPASS ? information.ReturnStatus : status;
}

static NTSTATUS call_all_post(struct walk *walk, NTSTATUS status)
{
	while (walk->count) {
		struct held *held = &walk->held[--walk->count];
		if (held->owed)
			status = call_post(walk, held, status);
		ex_release(&held->hold);
	}
	return status;
}

/* ---- Around ------------------------------------------------------------------------------ */

NTSTATUS cm_carry_out(const struct cm_operation *operation, struct cm_key *key, void *information)
{
	char arguments[CM_MAX_INFORMATION] __attribute__((aligned(16)));
	struct held on_stack[HELD_ON_STACK];
	struct walk walk = {operation, key, information, on_stack, 0, HELD_ON_STACK};
	ex_restrain("calls the registry");
	if (!cm_filtered())
		return operation->carry_out(information);
	KE_ASSERT(operation->size <= sizeof(arguments));
	memcpy(arguments, information, operation->size);
	NTSTATUS status = call_all_pre(&walk);
	if (NT_SUCCESS(status))
		status = operation->carry_out(arguments);
	else if (status == STATUS_CALLBACK_BYPASS)
		status = STATUS_SUCCESS;
	status = call_all_post(&walk, status);
	if (walk.held != on_stack)
		host_free(walk.held);
	return status;
}

/* ---- The end of a key object ------------------------------------------------------------- */

static NTSTATUS carry_out_close(const void *information)
{
	const REG_KEY_HANDLE_CLOSE_INFORMATION *asked = information;
	cm_clean_key(asked->Object);
	return STATUS_SUCCESS;
}

void cm_tell_close(struct cm_key *key)
{
	static const struct cm_operation close = {
		RegNtPreKeyHandleClose,
		RegNtPostKeyHandleClose,
		sizeof(REG_KEY_HANDLE_CLOSE_INFORMATION),
		offsetof(REG_KEY_HANDLE_CLOSE_INFORMATION, CallContext),
		NULL,
		carry_out_close,
	};
	REG_KEY_HANDLE_CLOSE_INFORMATION information = {.Object = key};
	if (!cm_filtered())
		return;
	cm_carry_out(&close, key, &information);
	cm_clean_key(key); /* a routine that failed has kept nothing alive */
}
