/* SPDX-License-Identifier: MIT */
/*
 * Operations of files: how whoever carries them out lets the minifilters see them.
 *
 *	struct flt_io io;
 *	if (flt_watches(IRP_MJ_READ)) {
 *		flt_begin(&io, volume, file, IRP_MJ_READ, mode);
 *		io.iopb.Parameters.Read.Length = ...;
 *		if (flt_pre_operation(&io))
 *			io.data.IoStatus = what became of it, with what io.iopb says now;
 *		flt_post_operation(&io);
 *		the result is io.data.IoStatus
 *	}
 *
 * The pre routines are called from the highest altitude down until one completes the
 * operation, the post routines of those that asked for them back up. An instance that is
 * being torn down is passed by; one that has an operation in hand is waited for. Nothing
 * is locked while a routine runs, and routines may begin operations of their own.
 * PASSIVE_LEVEL, in the thread of the request.
 */
#ifndef RINGSIDE_FLT_OPERATION_H
#define RINGSIDE_FLT_OPERATION_H

#include "flt/flt.h"
#include "ke/event.h"

struct flt_called {
	PFLT_INSTANCE instance; /* its operations are held; NULL: it wants no more of this one */
	bool post;              /* its post routine is to be called */
	PVOID context;
	FLT_IO_PARAMETER_BLOCK seen; /* the parameters as its pre routine left them */
	/* FltRequestOperationStatusCallback: */
	FLT_GET_OPERATION_STATUS_CALLBACK *tell_status;
	PVOID requester;
	FLT_IO_PARAMETER_BLOCK snapshot;
};

#define FLT_CALLED_ON_STACK 8

struct flt_io {
	FLT_CALLBACK_DATA data; /* first: what the routines are shown */
	FLT_IO_PARAMETER_BLOCK iopb;
	PFLT_VOLUME volume;
	struct flt_called *called; /* from the highest altitude down */
	unsigned count, passed;    /* instances; those whose pre routine has been called */
	struct flt_called on_stack[FLT_CALLED_ON_STACK];
	/* For a routine that keeps the operation (FltCompletePended...). */
	KEVENT resumed;
	FLT_PREOP_CALLBACK_STATUS status;
	PVOID context;
};

/* Whether any filter has a routine for it: else nothing here has to be called. */
bool flt_watches(UCHAR major);

/* `volume` is referenced until flt_post_operation. */
void flt_begin(struct flt_io *io, PFLT_VOLUME volume, PFILE_OBJECT file, UCHAR major,
	       KPROCESSOR_MODE mode);

/* False: it goes no further, and io->data.IoStatus is its result. */
bool flt_pre_operation(struct flt_io *io);

/* Exactly once after each flt_pre_operation, whatever that returned. */
void flt_post_operation(struct flt_io *io);

/* Operations that the current thread begins are seen only by instances below this one;
 * NULL: by all. Returns what was set before. */
PFLT_INSTANCE flt_begin_below(PFLT_INSTANCE instance);

/* A filter has come or gone: what is watched may have changed. Under flt_lock. */
void flt_watch(PFLT_FILTER filter, int difference);

/* Exports. */
VOID NTAPI FltSetCallbackDataDirty(PFLT_CALLBACK_DATA Data);
VOID NTAPI FltClearCallbackDataDirty(PFLT_CALLBACK_DATA Data);
BOOLEAN NTAPI FltIsCallbackDataDirty(PFLT_CALLBACK_DATA Data);
VOID NTAPI FltCompletePendedPreOperation(PFLT_CALLBACK_DATA CallbackData, int CallbackStatus,
					 PVOID Context);
VOID NTAPI FltCompletePendedPostOperation(PFLT_CALLBACK_DATA CallbackData);
NTSTATUS NTAPI FltRequestOperationStatusCallback(PFLT_CALLBACK_DATA Data,
						 FLT_GET_OPERATION_STATUS_CALLBACK *CallbackRoutine,
						 PVOID RequesterContext);
BOOLEAN NTAPI FltDoCompletionProcessingWhenSafe(PFLT_CALLBACK_DATA Data,
						PCFLT_RELATED_OBJECTS FltObjects,
						PVOID CompletionContext, ULONG Flags,
						FLT_POST_OPERATION_CALLBACK *SafePostCallback,
						int *RetPostOperationStatus);
PEPROCESS NTAPI FltGetRequestorProcess(PFLT_CALLBACK_DATA CallbackData);
ULONG NTAPI FltGetRequestorProcessId(PFLT_CALLBACK_DATA CallbackData);
HANDLE NTAPI FltGetRequestorProcessIdEx(PFLT_CALLBACK_DATA CallbackData);
NTSTATUS NTAPI FltGetRequestorSessionId(PFLT_CALLBACK_DATA CallbackData, PULONG SessionId);
PCHAR NTAPI FltGetIrpName(UCHAR IrpMajorCode);

#endif
