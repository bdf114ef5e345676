/* SPDX-License-Identifier: MIT */
/* Contexts: memory that a minifilter hangs on a volume, an instance, a file, a stream or an
 * open file. */
#ifndef RINGSIDE_FLT_CONTEXT_H
#define RINGSIDE_FLT_CONTEXT_H

#include "flt/flt.h"

/* Where one hangs: on what, and whose. A file's contexts of one kind differ by instance, a
 * volume's by filter. */
struct flt_home {
	const void *on;
	const void *of;
	USHORT type;
};

/* Takes away what the filter has set on or through the instance; on all volumes; what hangs
 * on an open file that goes; and, at shutdown, everything. Cleanup routines are called but
 * for the last. */
void flt_delete_contexts_of(PFLT_INSTANCE instance);
void flt_delete_volume_contexts(PFLT_FILTER filter);
void flt_delete_contexts_on(const void *file_or_stream);
void flt_free_contexts(void);

/* Exports. */
NTSTATUS NTAPI FltAllocateContext(PFLT_FILTER Filter, USHORT ContextType, SIZE_T ContextSize,
				  int PoolType, PFLT_CONTEXT *ReturnedContext);
VOID NTAPI FltReferenceContext(PFLT_CONTEXT Context);
VOID NTAPI FltReleaseContext(PFLT_CONTEXT Context);
VOID NTAPI FltGetContexts(PCFLT_RELATED_OBJECTS FltObjects, USHORT DesiredContexts,
			  PFLT_RELATED_CONTEXTS Contexts);
VOID NTAPI FltReleaseContexts(PFLT_RELATED_CONTEXTS Contexts);
VOID NTAPI FltDeleteContext(PFLT_CONTEXT Context);

NTSTATUS NTAPI FltSetVolumeContext(PFLT_VOLUME Volume, int Operation, PFLT_CONTEXT NewContext,
				   PFLT_CONTEXT *OldContext);
NTSTATUS NTAPI FltGetVolumeContext(PFLT_FILTER Filter, PFLT_VOLUME Volume, PFLT_CONTEXT *Context);
NTSTATUS NTAPI FltDeleteVolumeContext(PFLT_FILTER Filter, PFLT_VOLUME Volume,
				      PFLT_CONTEXT *OldContext);
NTSTATUS NTAPI FltSetInstanceContext(PFLT_INSTANCE Instance, int Operation, PFLT_CONTEXT NewContext,
				     PFLT_CONTEXT *OldContext);
NTSTATUS NTAPI FltGetInstanceContext(PFLT_INSTANCE Instance, PFLT_CONTEXT *Context);
NTSTATUS NTAPI FltDeleteInstanceContext(PFLT_INSTANCE Instance, PFLT_CONTEXT *OldContext);

NTSTATUS NTAPI FltSetFileContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, int Operation,
				 PFLT_CONTEXT NewContext, PFLT_CONTEXT *OldContext);
NTSTATUS NTAPI FltGetFileContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
				 PFLT_CONTEXT *Context);
NTSTATUS NTAPI FltDeleteFileContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
				    PFLT_CONTEXT *OldContext);
NTSTATUS NTAPI FltSetStreamContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, int Operation,
				   PFLT_CONTEXT NewContext, PFLT_CONTEXT *OldContext);
NTSTATUS NTAPI FltGetStreamContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
				   PFLT_CONTEXT *Context);
NTSTATUS NTAPI FltDeleteStreamContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
				      PFLT_CONTEXT *OldContext);
NTSTATUS NTAPI FltSetStreamHandleContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
					 int Operation, PFLT_CONTEXT NewContext,
					 PFLT_CONTEXT *OldContext);
NTSTATUS NTAPI FltGetStreamHandleContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
					 PFLT_CONTEXT *Context);
NTSTATUS NTAPI FltDeleteStreamHandleContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
					    PFLT_CONTEXT *OldContext);
BOOLEAN NTAPI FltSupportsFileContexts(PFILE_OBJECT FileObject);
BOOLEAN NTAPI FltSupportsStreamContexts(PFILE_OBJECT FileObject);
BOOLEAN NTAPI FltSupportsStreamHandleContexts(PFILE_OBJECT FileObject);

/* ---- Inside the two files of contexts --------------------------------------------------- */

/* In front of the minifilter's part. */
struct flt_context {
	/* Constant. */
	PFLT_FILTER filter; /* referenced */
	const FLT_CONTEXT_REGISTRATION *registered;
	USHORT type;
	bool nonpaged;
	/* Under flt_lock. */
	LONGLONG references;  /* being set on something is one */
	struct flt_home home; /* on NULL: set on nothing */
	LIST_ENTRY by_address, by_home, of_filter;
	/* Of the one who gave the last reference back: a WORK_QUEUE_ITEM, and room to align. */
	PVOID work[5];
};
_Static_assert(sizeof(struct flt_context) % 16 == 0, "what follows is aligned as pool is");

static inline PFLT_CONTEXT flt_body_of(struct flt_context *context)
{
	return context + 1;
}

/* All under flt_lock. The context that hangs there, or NULL. */
struct flt_context *flt_find_context(const struct flt_home *home);

/* The context of that body if there is one, or NULL. */
struct flt_context *flt_live_context(PFLT_CONTEXT body);

/* Sets one on a home and takes it away again; the reference goes over. */
void flt_link_context(struct flt_context *context, const struct flt_home *home);
void flt_unlink_context(struct flt_context *context);

/* Not under the lock: gives a reference back and frees with the last. */
void flt_release_context(struct flt_context *context);

#endif
