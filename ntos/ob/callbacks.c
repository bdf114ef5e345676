/* SPDX-License-Identifier: MIT */
/*
 * The calls around a handle operation: pre, the operation, post.
 *
 * The type's callback list is walked once, from the highest altitude down, for
 * the pre calls. An entry with a post routine is held (ex_hold) from before its
 * pre call until after its post call, so that unregistration waits across the gap
 * (OB-62), and post calls are made for exactly the held entries, in the opposite
 * order: what was registered in between gets none (OB-38). What has to be remembered
 * per held entry lies on the stack, or in an allocation when there are many; without
 * memory for it the operation fails, and the post calls owed so far are told.
 *
 * No lock is held during a call; calls may nest, since a callback that opens a
 * handle comes back here (OB-31).
 *
 * Clauses: OB-30 to OB-60, C-9, C-10, C-11, VF-23 to VF-25.
 */
#include "ob/callbacks.h"
#include "clock.h"
#include "ex/event.h"
#include "ke/callout.h"
#include "ldr/module.h"
#include "ps/process.h"
#include "switches.h"
#include <string.h>

/* Enough for every machine seen in the field without an allocation. */
#define HELD_ON_STACK 16

struct held {
	struct ex_hold hold;
	struct ob_entry *entry;
	PVOID call_context;
};

struct operation {
	const struct ob_handle_request *request;
	POBJECT_TYPE type;
	bool kernel_handle;
	KIRQL irql;
	ULONG64 process_id;
	ACCESS_MASK original, desired;
	const KLDR_DATA_TABLE_ENTRY *stripped_by;
	struct held *held;
	unsigned held_count, held_capacity;
	/* What the routines are shown: filled once, and put right after a routine that
	 * wrote where it must not. */
	OB_PRE_OPERATION_PARAMETERS pre_parameters;
	OB_PRE_OPERATION_INFORMATION pre;
	OB_POST_OPERATION_PARAMETERS post_parameters;
	OB_POST_OPERATION_INFORMATION post;
};

/* ---- What the documentation lets a pre routine take away (OB-55, OB-57) -------- */

#define LISTED_PROCESS_RIGHTS 0xBEBu
#define LISTED_THREAD_RIGHTS 0x7B3u

static ACCESS_MASK removable(POBJECT_TYPE type)
{
	if (!ke_switches.only_listed_rights_removable)
		return ~0u;
	return type == PsProcessType  ? LISTED_PROCESS_RIGHTS
	       : type == PsThreadType ? LISTED_THREAD_RIGHTS
				      : ~0u;
}

/* OB-52: nothing beyond what was asked for, nothing less than what is retained. */
static ACCESS_MASK granted(const struct operation *op)
{
	ACCESS_MASK keep = op->type->RetainAccess | ~removable(op->type);
	return (op->desired | keep) & op->original;
}

/* ---- Telling --------------------------------------------------------------------- */

static void tell_returned(const struct operation *op, enum rs_callback_kind kind,
			  const void *routine, ULONG64 began, ACCESS_MASK before)
{
	struct ldr_module *module = ldr_module_of(routine);
	struct rs_event event = {.type = RS_CALLBACK_RETURNED};
	event.callback.kind = kind;
	event.callback.module = module ? &module->entry : NULL;
	event.callback.routine = routine;
	event.callback.duration = host_clock() - began;
	event.callback.access_before = before;
	event.callback.access_after = op->desired;
	event.callback.process_id = op->process_id;
	ex_tell(&event);
}

/* ---- Pre --------------------------------------------------------------------------- */

static void fill_pre(struct operation *op)
{
	OB_PRE_DUPLICATE_HANDLE_INFORMATION *p = &op->pre_parameters.DuplicateHandleInformation;
	p->OriginalDesiredAccess = op->original;
	p->SourceProcess = op->request->source;
	p->TargetProcess = op->request->target;
	op->pre.Operation = op->request->operation;
	op->pre.Flags = op->kernel_handle;
	op->pre.Object = op->request->object;
	op->pre.ObjectType = op->type;
	op->pre.Parameters = &op->pre_parameters;
}

/* VF-23: a routine may write DesiredAccess and CallContext, nothing else. */
static bool pre_was_altered(const struct operation *op)
{
	const OB_PRE_DUPLICATE_HANDLE_INFORMATION *p =
		&op->pre_parameters.DuplicateHandleInformation;
	return op->pre.Operation != op->request->operation || op->pre.Flags != op->kernel_handle ||
	       op->pre.Object != op->request->object || op->pre.ObjectType != op->type ||
	       op->pre.Parameters != &op->pre_parameters ||
	       p->OriginalDesiredAccess != op->original ||
	       p->SourceProcess != op->request->source || p->TargetProcess != op->request->target;
}

/* VF-23 to VF-25: rules that Windows lets pass are told, not enforced. */
static void check_pre(struct operation *op, const void *routine, OB_PREOP_CALLBACK_STATUS result,
		      ACCESS_MASK left)
{
	if (result != OB_PREOP_SUCCESS)
		ex_rule_broken("VF-25", routine,
			       "a pre routine returned %#x instead of OB_PREOP_SUCCESS", result);
	if (left & ~op->original)
		ex_rule_broken("VF-24", routine,
			       "DesiredAccess was left with %#x, which was not asked for",
			       left & ~op->original);
	if (pre_was_altered(op)) {
		ex_rule_broken("VF-23", routine,
			       "a pre routine wrote more than DesiredAccess and CallContext");
		fill_pre(op);
	}
}

static void call_pre(struct operation *op, struct ob_entry *entry, PVOID *call_context)
{
	ACCESS_MASK *desired = &op->pre_parameters.CreateHandleInformation.DesiredAccess;
	const void *routine = (const void *)entry->pre;
	ACCESS_MASK before = op->desired;
	ULONG64 began = ex_heard() ? host_clock() : 0;
	*desired = before;
	op->pre.CallContext = NULL;

	struct ke_callout callout;
	ke_callout_begin(&callout, "ObRegisterCallbacks pre routine", routine, op->irql);
	OB_PREOP_CALLBACK_STATUS result = entry->pre(entry->registration->context, &op->pre);
	ke_callout_end(&callout, op->irql);

	*call_context = op->pre.CallContext;
	op->desired = *desired & op->original;
	check_pre(op, routine, result, *desired);
	if (__builtin_expect(before & ~op->desired, 0) && !op->stripped_by) {
		struct ldr_module *module = ldr_module_of(routine);
		op->stripped_by = module ? &module->entry : NULL;
	}
	if (began)
		tell_returned(op, RS_OBJECT_PRE, routine, began, before);
}

/* Room for one more held entry; false without memory. */
static bool make_room(struct operation *op)
{
	if (op->held_count < op->held_capacity)
		return true;
	struct held *more = host_alloc(2 * op->held_capacity * sizeof *more);
	if (!more)
		return false;
	memcpy(more, op->held, op->held_count * sizeof *more);
	if (op->held_capacity > HELD_ON_STACK)
		host_free(op->held);
	op->held = more;
	op->held_capacity *= 2;
	return true;
}

/* Remembers that the entry's post routine is owed a call. */
static struct held *hold(struct operation *op, struct ex_walk *walk, struct ob_entry *entry)
{
	if (!make_room(op))
		return NULL;
	struct held *held = &op->held[op->held_count];
	if (!ex_hold(walk, &held->hold))
		return NULL;
	held->entry = entry;
	held->call_context = NULL;
	op->held_count++;
	return held;
}

static NTSTATUS call_all_pre(struct operation *op)
{
	struct ex_walk walk;
	struct ob_entry *entry;
	NTSTATUS status = STATUS_SUCCESS;
	ex_walk_begin(&walk, &op->type->callbacks);
	while ((entry = (struct ob_entry *)ex_walk_next(&walk))) {
		if (!(entry->operations & op->request->operation))
			continue;
		PVOID dropped, *call_context = &dropped;
		if (entry->post) {
			struct held *held = hold(op, &walk, entry);
			if (!held) {
				status = STATUS_INSUFFICIENT_RESOURCES;
				break;
			}
			call_context = &held->call_context;
		}
		if (entry->pre)
			call_pre(op, entry, call_context);
	}
	ex_walk_end(&walk);
	return status;
}

/* ---- Post -------------------------------------------------------------------------- */

static POB_POST_OPERATION_PARAMETERS told_parameters(struct operation *op, NTSTATUS status)
{
	bool told = NT_SUCCESS(status) || ke_switches.failed_post_has_parameters; /* C-9 */
	return told ? &op->post_parameters : NULL;
}

static void fill_post(struct operation *op, NTSTATUS status, ACCESS_MASK access)
{
	op->post_parameters.CreateHandleInformation.GrantedAccess = access;
	op->post.Operation = op->request->operation;
	op->post.Flags = op->kernel_handle;
	op->post.Object = op->request->object;
	op->post.ObjectType = op->type;
	op->post.ReturnStatus = status;
	op->post.Parameters = told_parameters(op, status);
}

/* VF-23: a post routine may write nothing at all (OB-42). */
static bool post_was_altered(struct operation *op, PVOID call_context, NTSTATUS status,
			     ACCESS_MASK access)
{
	return op->post.Operation != op->request->operation ||
	       op->post.Flags != op->kernel_handle || op->post.Object != op->request->object ||
	       op->post.ObjectType != op->type || op->post.CallContext != call_context ||
	       op->post.ReturnStatus != status ||
	       op->post.Parameters != told_parameters(op, status) ||
	       op->post_parameters.CreateHandleInformation.GrantedAccess != access;
}

static void call_post(struct operation *op, struct held *held, NTSTATUS status, ACCESS_MASK access)
{
	const void *routine = (const void *)held->entry->post;
	ULONG64 began = ex_heard() ? host_clock() : 0;
	op->post.CallContext = held->call_context;

	struct ke_callout callout;
	ke_callout_begin(&callout, "ObRegisterCallbacks post routine", routine, op->irql);
	held->entry->post(held->entry->registration->context, &op->post);
	ke_callout_end(&callout, op->irql);

	if (__builtin_expect(post_was_altered(op, held->call_context, status, access), 0)) {
		ex_rule_broken("VF-23", routine, "a post routine wrote to its information");
		fill_post(op, status, access);
	}
	if (began)
		tell_returned(op, RS_OBJECT_POST, routine, began, op->desired);
}

static void call_all_post(struct operation *op, NTSTATUS status, ACCESS_MASK access)
{
	if (!NT_SUCCESS(status))
		access = 0;
	if (op->held_count)
		fill_post(op, status, access);
	while (op->held_count) {
		struct held *held = &op->held[--op->held_count];
		call_post(op, held, status, access);
		ex_release(&held->hold);
	}
}

/* ---- Around -------------------------------------------------------------------------- */

static ULONG64 process_id_of(POBJECT_TYPE type, void *object)
{
	if (type == PsProcessType)
		return ((PEPROCESS)object)->id;
	return type == PsThreadType ? ((PETHREAD)object)->process->id : 0;
}

NTSTATUS ob_call_around(const struct ob_handle_request *request, ACCESS_MASK access,
			NTSTATUS (*insert)(void *context, ACCESS_MASK granted), void *context,
			const KLDR_DATA_TABLE_ENTRY **stripped_by)
{
	struct held on_stack[HELD_ON_STACK];
	struct operation op; /* the routines' information is filled when it is needed */
	op.request = request;
	op.type = ob_header_of(request->object)->type;
	op.kernel_handle = (request->attributes & OBJ_KERNEL_HANDLE) != 0;
	op.irql = KeGetCurrentIrql();
	op.process_id = process_id_of(op.type, request->object);
	op.original = op.desired = access;
	op.stripped_by = NULL;
	op.held = on_stack;
	op.held_count = 0;
	op.held_capacity = HELD_ON_STACK;
	fill_pre(&op);
	NTSTATUS status = call_all_pre(&op);
	ACCESS_MASK left = granted(&op);
	if (NT_SUCCESS(status))
		status = insert(context, left);
	call_all_post(&op, status, left);
	if (op.held != on_stack)
		host_free(op.held);
	*stripped_by = op.stripped_by;
	return status;
}
