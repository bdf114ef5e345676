/* SPDX-License-Identifier: MIT */
/*
 * Setting, getting and deleting contexts, for each kind of home.
 *
 * A stream is known by its FsContext, which all open files of it share; a file that has
 * none is its own stream. Tables and locks: context.c. What a driver's pointers point to
 * is written after the lock is given back.
 *
 * Pages: FltSetStreamContext and its relatives.
 */
#include "flt/context.h"
#include "io/file.h"
#include "ke/bugcheck.h"

/* ---- Homes --------------------------------------------------------------------------------- */

static const void *stream_of(const FILE_OBJECT *file)
{
	return file->FsContext ? file->FsContext : (const void *)file;
}

static struct flt_home on_stream(PFLT_INSTANCE instance, const FILE_OBJECT *file, USHORT type)
{
	return (struct flt_home){stream_of(file), instance, type};
}

static struct flt_home on_handle(PFLT_INSTANCE instance, const FILE_OBJECT *file)
{
	return (struct flt_home){file, instance, FLT_STREAMHANDLE_CONTEXT};
}

static struct flt_home on_instance(PFLT_INSTANCE instance)
{
	return (struct flt_home){instance, instance, FLT_INSTANCE_CONTEXT};
}

static struct flt_home on_volume(PFLT_FILTER filter, PFLT_VOLUME volume)
{
	return (struct flt_home){volume, filter, FLT_VOLUME_CONTEXT};
}

/* A file that is only about to be opened cannot carry any, and has no FsContext yet; one of
 * a device that is no volume's neither. */
static bool can_carry(const FILE_OBJECT *file)
{
	if (file->DeviceObject && !file->FsContext)
		return false;
	PFLT_VOLUME volume = flt_volume_of_file(file);
	if (!volume)
		return false;
	flt_dereference(&volume->object);
	return true;
}

BOOLEAN NTAPI FltSupportsStreamHandleContexts(PFILE_OBJECT FileObject)
{
	return can_carry(FileObject);
}

BOOLEAN NTAPI FltSupportsStreamContexts(PFILE_OBJECT FileObject)
{
	return can_carry(FileObject);
}

BOOLEAN NTAPI FltSupportsFileContexts(PFILE_OBJECT FileObject)
{
	return can_carry(FileObject);
}

/* ---- Setting ---------------------------------------------------------------------------------- */

struct change {
	struct flt_home home;
	int operation;
	const struct _FLT_INSTANCE *instance; /* that has to be there; or NULL */
	struct flt_context *made, *old;       /* old: referenced for the caller */
};

/* Under flt_lock. */
static NTSTATUS set_locked(struct change *change)
{
	struct flt_context *made = change->made;
	if (made->filter->leaving || (change->instance && change->instance->leaving))
		return STATUS_FLT_DELETING_OBJECT;
	if (made->home.on)
		return STATUS_FLT_CONTEXT_ALREADY_LINKED;
	change->old = flt_find_context(&change->home);
	if (change->old && change->operation == FLT_SET_CONTEXT_KEEP_IF_EXISTS) {
		change->old->references++;
		return STATUS_FLT_CONTEXT_ALREADY_DEFINED;
	}
	if (change->old) /* its home's reference becomes the caller's */
		flt_unlink_context(change->old);
	made->references++;
	flt_link_context(made, &change->home);
	return STATUS_SUCCESS;
}

static void hand_out(struct flt_context *context, PFLT_CONTEXT *to)
{
	if (to)
		*to = context ? flt_body_of(context) : NULL;
	else if (context)
		flt_release_context(context);
}

static NTSTATUS set(const struct flt_home *home, int operation, PFLT_INSTANCE instance,
		    PFLT_CONTEXT body, PFLT_CONTEXT *old)
{
	struct change change = {.home = *home, .operation = operation, .instance = instance};
	NTSTATUS status = STATUS_INVALID_PARAMETER;
	if (operation != FLT_SET_CONTEXT_REPLACE_IF_EXISTS &&
	    operation != FLT_SET_CONTEXT_KEEP_IF_EXISTS)
		return status;
	pthread_mutex_lock(&flt_lock);
	change.made = flt_live_context(body);
	if (change.made && change.made->type == home->type)
		status = set_locked(&change);
	pthread_mutex_unlock(&flt_lock);
	hand_out(change.old, old);
	return status;
}

/* ---- Getting and deleting ------------------------------------------------------------------------ */

static NTSTATUS get(const struct flt_home *home, PFLT_CONTEXT *body)
{
	pthread_mutex_lock(&flt_lock);
	struct flt_context *found = flt_find_context(home);
	if (found)
		found->references++;
	pthread_mutex_unlock(&flt_lock);
	*body = found ? flt_body_of(found) : NULL;
	return found ? STATUS_SUCCESS : STATUS_NOT_FOUND;
}

static NTSTATUS delete (const struct flt_home *home, PFLT_CONTEXT *old)
{
	pthread_mutex_lock(&flt_lock);
	struct flt_context *found = flt_find_context(home);
	if (found)
		flt_unlink_context(found);
	pthread_mutex_unlock(&flt_lock);
	hand_out(found, old);
	return found ? STATUS_SUCCESS : STATUS_NOT_FOUND;
}

/* ---- Volumes and instances --------------------------------------------------------------------------- */

static PFLT_FILTER filter_of_context(PFLT_CONTEXT body)
{
	pthread_mutex_lock(&flt_lock);
	struct flt_context *context = flt_live_context(body);
	PFLT_FILTER filter = context ? context->filter : NULL;
	pthread_mutex_unlock(&flt_lock);
	return filter;
}

NTSTATUS NTAPI FltSetVolumeContext(PFLT_VOLUME Volume, int Operation, PFLT_CONTEXT NewContext,
				   PFLT_CONTEXT *OldContext)
{
	struct flt_home home = on_volume(filter_of_context(NewContext), Volume);
	return set(&home, Operation, NULL, NewContext, OldContext);
}

NTSTATUS NTAPI FltGetVolumeContext(PFLT_FILTER Filter, PFLT_VOLUME Volume, PFLT_CONTEXT *Context)
{
	struct flt_home home = on_volume(Filter, Volume);
	return get(&home, Context);
}

NTSTATUS NTAPI FltDeleteVolumeContext(PFLT_FILTER Filter, PFLT_VOLUME Volume,
				      PFLT_CONTEXT *OldContext)
{
	struct flt_home home = on_volume(Filter, Volume);
	return delete (&home, OldContext);
}

NTSTATUS NTAPI FltSetInstanceContext(PFLT_INSTANCE Instance, int Operation, PFLT_CONTEXT NewContext,
				     PFLT_CONTEXT *OldContext)
{
	struct flt_home home = on_instance(Instance);
	return set(&home, Operation, Instance, NewContext, OldContext);
}

NTSTATUS NTAPI FltGetInstanceContext(PFLT_INSTANCE Instance, PFLT_CONTEXT *Context)
{
	struct flt_home home = on_instance(Instance);
	return get(&home, Context);
}

NTSTATUS NTAPI FltDeleteInstanceContext(PFLT_INSTANCE Instance, PFLT_CONTEXT *OldContext)
{
	struct flt_home home = on_instance(Instance);
	return delete (&home, OldContext);
}

/* ---- Files, streams, and open files ------------------------------------------------------------------- */

static NTSTATUS set_on_file(const struct flt_home *home, const FILE_OBJECT *file, int operation,
			    PFLT_CONTEXT body, PFLT_CONTEXT *old)
{
	PFLT_INSTANCE instance = (PFLT_INSTANCE)(uintptr_t)home->of;
	if (!can_carry(file)) {
		if (old)
			*old = NULL;
		return STATUS_NOT_SUPPORTED;
	}
	return set(home, operation, instance, body, old);
}

static NTSTATUS get_on_file(const struct flt_home *home, const FILE_OBJECT *file,
			    PFLT_CONTEXT *body)
{
	if (can_carry(file))
		return get(home, body);
	*body = NULL;
	return STATUS_NOT_SUPPORTED;
}

static NTSTATUS delete_on_file(const struct flt_home *home, const FILE_OBJECT *file,
			       PFLT_CONTEXT *old)
{
	return can_carry(file) ? delete (home, old) : STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI FltSetFileContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, int Operation,
				 PFLT_CONTEXT NewContext, PFLT_CONTEXT *OldContext)
{
	struct flt_home home = on_stream(Instance, FileObject, FLT_FILE_CONTEXT);
	return set_on_file(&home, FileObject, Operation, NewContext, OldContext);
}

NTSTATUS NTAPI FltGetFileContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
				 PFLT_CONTEXT *Context)
{
	struct flt_home home = on_stream(Instance, FileObject, FLT_FILE_CONTEXT);
	return get_on_file(&home, FileObject, Context);
}

NTSTATUS NTAPI FltDeleteFileContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
				    PFLT_CONTEXT *OldContext)
{
	struct flt_home home = on_stream(Instance, FileObject, FLT_FILE_CONTEXT);
	return delete_on_file(&home, FileObject, OldContext);
}

NTSTATUS NTAPI FltSetStreamContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, int Operation,
				   PFLT_CONTEXT NewContext, PFLT_CONTEXT *OldContext)
{
	struct flt_home home = on_stream(Instance, FileObject, FLT_STREAM_CONTEXT);
	return set_on_file(&home, FileObject, Operation, NewContext, OldContext);
}

NTSTATUS NTAPI FltGetStreamContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
				   PFLT_CONTEXT *Context)
{
	struct flt_home home = on_stream(Instance, FileObject, FLT_STREAM_CONTEXT);
	return get_on_file(&home, FileObject, Context);
}

NTSTATUS NTAPI FltDeleteStreamContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
				      PFLT_CONTEXT *OldContext)
{
	struct flt_home home = on_stream(Instance, FileObject, FLT_STREAM_CONTEXT);
	return delete_on_file(&home, FileObject, OldContext);
}

NTSTATUS NTAPI FltSetStreamHandleContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
					 int Operation, PFLT_CONTEXT NewContext,
					 PFLT_CONTEXT *OldContext)
{
	struct flt_home home = on_handle(Instance, FileObject);
	return set_on_file(&home, FileObject, Operation, NewContext, OldContext);
}

NTSTATUS NTAPI FltGetStreamHandleContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
					 PFLT_CONTEXT *Context)
{
	struct flt_home home = on_handle(Instance, FileObject);
	return get_on_file(&home, FileObject, Context);
}

NTSTATUS NTAPI FltDeleteStreamHandleContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
					    PFLT_CONTEXT *OldContext)
{
	struct flt_home home = on_handle(Instance, FileObject);
	return delete_on_file(&home, FileObject, OldContext);
}

/* ---- Several at once -------------------------------------------------------------------------------- */

static void get_of_file(PCFLT_RELATED_OBJECTS objects, USHORT wanted,
			PFLT_RELATED_CONTEXTS contexts)
{
	if (wanted & FLT_FILE_CONTEXT)
		FltGetFileContext(objects->Instance, objects->FileObject, &contexts->FileContext);
	if (wanted & FLT_STREAM_CONTEXT)
		FltGetStreamContext(objects->Instance, objects->FileObject,
				    &contexts->StreamContext);
	if (wanted & FLT_STREAMHANDLE_CONTEXT)
		FltGetStreamHandleContext(objects->Instance, objects->FileObject,
					  &contexts->StreamHandleContext);
}

VOID NTAPI FltGetContexts(PCFLT_RELATED_OBJECTS FltObjects, USHORT DesiredContexts,
			  PFLT_RELATED_CONTEXTS Contexts)
{
	FLT_RELATED_CONTEXTS found = {0};
	if (DesiredContexts & FLT_VOLUME_CONTEXT && FltObjects->Volume)
		FltGetVolumeContext(FltObjects->Filter, FltObjects->Volume, &found.VolumeContext);
	if (DesiredContexts & FLT_INSTANCE_CONTEXT && FltObjects->Instance)
		FltGetInstanceContext(FltObjects->Instance, &found.InstanceContext);
	if (FltObjects->Instance && FltObjects->FileObject)
		get_of_file(FltObjects, DesiredContexts, &found);
	*Contexts = found;
}
