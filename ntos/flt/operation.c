/* SPDX-License-Identifier: MIT */
/*
 * The calls around an operation of a file: pre, the operation, post.
 *
 * At the beginning the instances of the volume that have a routine for the operation are
 * collected, highest altitude first, and each held by its `operations`, on which its
 * teardown waits; so a post routine is always still there when it is due. Each pre routine
 * sees what those above it have made of the parameters; changes that are not marked dirty
 * are undone. Its post routine sees the parameters as it had left them.
 *
 * A routine that keeps an operation (FLT_PREOP_PENDING, MORE_PROCESSING_REQUIRED) makes
 * the thread of the request wait: here every request is synchronous in its thread, so that
 * costs nobody else anything.
 *
 * Pages: PFLT_PRE_OPERATION_CALLBACK, PFLT_POST_OPERATION_CALLBACK, FLT_CALLBACK_DATA; bug
 * check 0xF5 (0x66).
 */
#include "flt/operation.h"
#include "clock.h"
#include "ex/event.h"
#include "ke/bugcheck.h"
#include "ke/callout.h"
#include "ke/wait.h"
#include "ldr/module.h"
#include "memory.h"
#include "ps/process.h"
#include <ringside/io.h>
#include <stdatomic.h>
#include <string.h>

static _Atomic int watching[IRP_MJ_MAXIMUM_FUNCTION + 1]; /* how many filters; flt_lock */
static _Thread_local PFLT_INSTANCE below;

bool flt_watches(UCHAR major)
{
	return major <= IRP_MJ_MAXIMUM_FUNCTION &&
	       atomic_load_explicit(&watching[major], memory_order_relaxed) > 0;
}

void flt_watch(PFLT_FILTER filter, int difference)
{
	for (int i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
		if (filter->routines[i].pre || filter->routines[i].post)
			atomic_fetch_add_explicit(&watching[i], difference, memory_order_relaxed);
}

PFLT_INSTANCE flt_begin_below(PFLT_INSTANCE instance)
{
	PFLT_INSTANCE before = below;
	below = instance;
	return before;
}

/* ---- Who sees it ------------------------------------------------------------------------------- */

static const struct flt_routines *routines_of(const struct flt_io *io, PFLT_INSTANCE instance)
{
	return &instance->filter->routines[io->iopb.MajorFunction];
}

/* Under flt_lock: collects up to `room`, and says how many there are. */
static unsigned collect(struct flt_io *io, unsigned room)
{
	unsigned count = 0;
	bool seen = below == NULL;
	LIST_ENTRY *head = &io->volume->instances;
	for (LIST_ENTRY *link = head->Flink; link != head; link = link->Flink) {
		PFLT_INSTANCE instance = LIST_OWNER(link, struct _FLT_INSTANCE, of_volume);
		const struct flt_routines *routines = routines_of(io, instance);
		bool wanted = seen && instance->attached && (routines->pre || routines->post);
		seen = seen || instance == below;
		if (!wanted)
			continue;
		if (count < room && ExAcquireRundownProtection(&instance->operations))
			io->called[count] = (struct flt_called){.instance = instance};
		count++;
	}
	return count;
}

static void release(struct flt_called *called)
{
	ExReleaseRundownProtection(&called->instance->operations);
}

/* Without memory for very many the operation fails. */
static NTSTATUS find_instances(struct flt_io *io)
{
	unsigned room = FLT_CALLED_ON_STACK, found;
	io->called = io->on_stack;
	for (;;) {
		pthread_mutex_lock(&flt_lock);
		found = collect(io, room);
		pthread_mutex_unlock(&flt_lock);
		if (found <= room)
			break;
		while (room--)
			release(&io->called[room]);
		if (io->called != io->on_stack)
			host_free(io->called);
		room = found;
		io->called = host_alloc(room * sizeof(*io->called));
		if (!io->called)
			return STATUS_INSUFFICIENT_RESOURCES;
	}
	io->count = found;
	return STATUS_SUCCESS;
}

void flt_begin(struct flt_io *io, PFLT_VOLUME volume, PFILE_OBJECT file, UCHAR major,
	       KPROCESSOR_MODE mode)
{
	memset(io, 0, offsetof(struct flt_io, on_stack));
	io->volume = volume;
	io->iopb.MajorFunction = major;
	io->iopb.TargetFileObject = file;
	io->data.Flags = FLTFL_CALLBACK_DATA_IRP_OPERATION |
			 (below ? FLTFL_CALLBACK_DATA_GENERATED_IO : 0);
	io->data.Thread = ke_current_thread();
	io->data.Iopb = &io->iopb;
	io->data.RequestorMode = mode;
	KeInitializeEvent(&io->resumed, SynchronizationEvent, FALSE);
}

/* ---- Before -------------------------------------------------------------------------------------- */

static void wait_for_driver(struct flt_io *io)
{
	KeWaitForSingleObject(&io->resumed, 0, KernelMode, FALSE, NULL);
}

/* `status`: with which a pre routine has completed the operation. */
static void tell(enum rs_callback_kind kind, const void *routine, ULONG64 began,
		 const FLT_CALLBACK_DATA *data, NTSTATUS status)
{
	struct ldr_module *module = ldr_module_of(routine);
	struct rs_event event = {.type = RS_CALLBACK_RETURNED};
	event.callback.kind = kind;
	event.callback.module = module ? &module->entry : NULL;
	event.callback.routine = routine;
	event.callback.duration = host_clock() - began;
	event.callback.status_after = status;
	event.callback.process_id = data->Thread ? ke_thread_of(data->Thread)->process->id : 0;
	ex_tell(&event);
}

static FLT_PREOP_CALLBACK_STATUS call_pre(struct flt_io *io, struct flt_called *called)
{
	FLT_PRE_OPERATION_CALLBACK *pre = routines_of(io, called->instance)->pre;
	FLT_RELATED_OBJECTS related = flt_related(called->instance, io->iopb.TargetFileObject);
	FLT_PREOP_CALLBACK_STATUS status = FLT_PREOP_SUCCESS_WITH_CALLBACK;
	ULONG64 began = pre && ex_heard() ? host_clock() : 0;
	if (pre)
		FLT_CALL(pre, "minifilter's pre-operation routine",
			 status = pre(&io->data, &related, &called->context));
	if (began)
		tell(RS_FILE_PRE, (const void *)pre, began, &io->data,
		     status == FLT_PREOP_COMPLETE ? io->data.IoStatus.Status : STATUS_SUCCESS);
	if (status != FLT_PREOP_PENDING)
		return status;
	wait_for_driver(io);
	called->context = io->context;
	return io->status;
}

static bool wants_post(struct flt_io *io, struct flt_called *called,
		       FLT_PREOP_CALLBACK_STATUS status)
{
	const struct flt_routines *routines = routines_of(io, called->instance);
	if (status != FLT_PREOP_SUCCESS_WITH_CALLBACK && status != FLT_PREOP_SYNCHRONIZE)
		return false;
	if (!routines->post) {
		struct ke_bug_check what = {.code = (ULONG)KE_FLTMGR_FILE_SYSTEM,
					    .parameter = {0x66, (uintptr_t)&io->data},
					    .address = (const void *)routines->pre};
		ke_bug_check(&what,
			     "a pre-operation routine for %s asked for a post-operation "
			     "routine that is not registered",
			     FltGetIrpName(io->iopb.MajorFunction));
	}
	return true;
}

/* Only what is marked dirty counts as changed; TargetInstance never does. */
static void settle_changes(struct flt_io *io, struct flt_called *called,
			   const FLT_IO_PARAMETER_BLOCK *before)
{
	if (!(io->data.Flags & FLTFL_CALLBACK_DATA_DIRTY))
		io->iopb = *before;
	io->data.Flags &= ~(ULONG)FLTFL_CALLBACK_DATA_DIRTY;
	io->data.Iopb = &io->iopb;
	io->iopb.TargetInstance = called->instance;
	called->seen = io->iopb;
}

/* Whether the operation goes on. */
static bool pass(struct flt_io *io, struct flt_called *called)
{
	FLT_IO_PARAMETER_BLOCK before = io->iopb;
	io->iopb.TargetInstance = called->instance;
	before.TargetInstance = called->instance;
	FLT_PREOP_CALLBACK_STATUS status = call_pre(io, called);
	settle_changes(io, called, &before);
	bool goes_on = status != FLT_PREOP_COMPLETE && status != FLT_PREOP_DISALLOW_FASTIO;
	called->post = wants_post(io, called, status);
	if (!called->post && !(goes_on && called->tell_status)) {
		release(called);
		called->instance = NULL;
	}
	if (status == FLT_PREOP_DISALLOW_FASTIO)
		io->data.IoStatus = (IO_STATUS_BLOCK){.Status = STATUS_INVALID_DEVICE_REQUEST};
	return goes_on;
}

bool flt_pre_operation(struct flt_io *io)
{
	NTSTATUS status = find_instances(io);
	PFLT_INSTANCE limit = flt_begin_below(NULL);
	bool goes_on = NT_SUCCESS(status);
	if (!goes_on)
		io->data.IoStatus = (IO_STATUS_BLOCK){.Status = status};
	while (goes_on && io->passed < io->count)
		goes_on = pass(io, &io->called[io->passed++]);
	while (io->count > io->passed) /* those below one that completed it */
		release(&io->called[--io->count]);
	flt_begin_below(limit);
	return goes_on;
}

/* ---- After ------------------------------------------------------------------------------------------ */

static void call_post(struct flt_io *io, struct flt_called *called)
{
	FLT_POST_OPERATION_CALLBACK *post = routines_of(io, called->instance)->post;
	FLT_RELATED_OBJECTS related = flt_related(called->instance, io->iopb.TargetFileObject);
	FLT_POSTOP_CALLBACK_STATUS status;
	ULONG64 began = ex_heard() ? host_clock() : 0;
	io->iopb = called->seen;
	FLT_CALL(post, "minifilter's post-operation routine",
		 status = post(&io->data, &related, called->context, 0));
	if (began)
		tell(RS_FILE_POST, (const void *)post, began, &io->data, STATUS_SUCCESS);
	if (status == FLT_POSTOP_MORE_PROCESSING_REQUIRED)
		wait_for_driver(io);
}

/* On NT the request has returned to who sent it by now, all its completion behind it. */
static void call_status(struct flt_io *io, struct flt_called *called)
{
	FLT_RELATED_OBJECTS related = flt_related(called->instance, io->iopb.TargetFileObject);
	FLT_CALL(called->tell_status, "minifilter's operation status routine",
		 called->tell_status(&related, &called->snapshot, io->data.IoStatus.Status,
				     called->requester));
}

void flt_post_operation(struct flt_io *io)
{
	PFLT_INSTANCE limit = flt_begin_below(NULL);
	io->data.Flags |= FLTFL_CALLBACK_DATA_POST_OPERATION;
	for (unsigned i = io->passed; i--;)
		if (io->called[i].instance && io->called[i].post)
			call_post(io, &io->called[i]);
	for (unsigned i = 0; i < io->passed; i++) {
		struct flt_called *called = &io->called[i];
		if (called->instance && called->tell_status)
			call_status(io, called);
		if (called->instance)
			release(called);
	}
	flt_begin_below(limit);
	if (io->called && io->called != io->on_stack)
		host_free(io->called);
	flt_dereference(&io->volume->object);
}

/* ---- What keeps one --------------------------------------------------------------------------------- */

static struct flt_io *io_of(PFLT_CALLBACK_DATA data)
{
	return (struct flt_io *)(void *)data;
}

VOID NTAPI FltCompletePendedPreOperation(PFLT_CALLBACK_DATA CallbackData, int CallbackStatus,
					 PVOID Context)
{
	struct flt_io *io = io_of(CallbackData);
	io->status = (FLT_PREOP_CALLBACK_STATUS)CallbackStatus;
	io->context = Context;
	KeSetEvent(&io->resumed, 0, FALSE);
}

VOID NTAPI FltCompletePendedPostOperation(PFLT_CALLBACK_DATA CallbackData)
{
	KeSetEvent(&io_of(CallbackData)->resumed, 0, FALSE);
}

NTSTATUS NTAPI FltRequestOperationStatusCallback(PFLT_CALLBACK_DATA Data,
						 FLT_GET_OPERATION_STATUS_CALLBACK *CallbackRoutine,
						 PVOID RequesterContext)
{
	struct flt_io *io = io_of(Data);
	if (!io->passed || Data->Flags & FLTFL_CALLBACK_DATA_POST_OPERATION ||
	    io->iopb.MajorFunction == IRP_MJ_CLOSE)
		return STATUS_INVALID_PARAMETER;
	struct flt_called *called = &io->called[io->passed - 1];
	called->tell_status = CallbackRoutine;
	called->requester = RequesterContext;
	called->snapshot = io->iopb;
	return STATUS_SUCCESS;
}

/* Post-operation routines run at PASSIVE_LEVEL here, so it is always safe. */
BOOLEAN NTAPI FltDoCompletionProcessingWhenSafe(PFLT_CALLBACK_DATA Data,
						PCFLT_RELATED_OBJECTS FltObjects,
						PVOID CompletionContext, ULONG Flags,
						FLT_POST_OPERATION_CALLBACK *SafePostCallback,
						int *RetPostOperationStatus)
{
	int status = FLT_POSTOP_FINISHED_PROCESSING;
	bool safe = KeGetCurrentIrql() <= APC_LEVEL;
	if (safe)
		FLT_CALL(
			SafePostCallback, "SafePostCallback",
			status = (int)SafePostCallback(Data, FltObjects, CompletionContext, Flags));
	*RetPostOperationStatus = status;
	return safe;
}
