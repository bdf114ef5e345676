/* SPDX-License-Identifier: MIT */
/*
 * The requests to files of the volume (io/filter.h), shown to the minifilters.
 *
 * A request that somebody watches becomes an operation: its parameters are copied from the
 * stack location and the IRP, and what the minifilters have changed is copied back before the
 * volume gets it. The buffers of the IRP are put right again afterwards, since they are the
 * I/O manager's to give back. What nobody watches costs one look.
 *
 * Page: FLT_PARAMETERS and those of its members.
 */
#include "flt/request.h"
#include "flt/operation.h"
#include "io/filter.h"
#include "ke/bugcheck.h"
#include "memory.h"

struct request {
	struct flt_io io;
	PVOID user_buffer, mdl, system_buffer; /* what the IRP came with */
};

/* ---- Parameters ------------------------------------------------------------------------- */

static void show_create(FLT_PARAMETERS *to, const IO_STACK_LOCATION *from, const IRP *irp)
{
	to->Create.SecurityContext = from->Parameters.Create.SecurityContext;
	to->Create.Options = from->Parameters.Create.Options;
	to->Create.FileAttributes = from->Parameters.Create.FileAttributes;
	to->Create.ShareAccess = from->Parameters.Create.ShareAccess;
	to->Create.EaLength = from->Parameters.Create.EaLength;
	to->Create.EaBuffer = irp->AssociatedIrp.SystemBuffer;
}

static void show_transfer(FLT_PARAMETERS *to, const IO_STACK_LOCATION *from, const IRP *irp)
{
	to->Read.Length = from->Parameters.Read.Length;
	to->Read.Key = from->Parameters.Read.Key;
	to->Read.ByteOffset = from->Parameters.Read.ByteOffset;
	to->Read.Buffer = irp->UserBuffer;
	to->Read.MdlAddress = irp->MdlAddress;
}

static void show_set(FLT_PARAMETERS *to, const IO_STACK_LOCATION *from, const IRP *irp)
{
	to->SetFileInformation.Length = from->Parameters.SetFile.Length;
	to->SetFileInformation.FileInformationClass = from->Parameters.SetFile.FileInformationClass;
	to->SetFileInformation.ParentOfTarget = from->Parameters.SetFile.FileObject;
	to->SetFileInformation.DeleteHandle = from->Parameters.SetFile.Others;
	to->SetFileInformation.InfoBuffer = irp->AssociatedIrp.SystemBuffer;
}

static void show_query(FLT_PARAMETERS *to, const IO_STACK_LOCATION *from, const IRP *irp)
{
	to->QueryFileInformation.Length = from->Parameters.QueryFile.Length;
	to->QueryFileInformation.FileInformationClass =
		from->Parameters.QueryFile.FileInformationClass;
	to->QueryFileInformation.InfoBuffer = irp->AssociatedIrp.SystemBuffer;
}

static void show_directory(FLT_PARAMETERS *to, const IO_STACK_LOCATION *from, const IRP *irp)
{
	to->QueryDirectory.Length = from->Parameters.QueryDirectory.Length;
	to->QueryDirectory.FileName = from->Parameters.QueryDirectory.FileName;
	to->QueryDirectory.FileInformationClass =
		from->Parameters.QueryDirectory.FileInformationClass;
	to->QueryDirectory.FileIndex = from->Parameters.QueryDirectory.FileIndex;
	to->QueryDirectory.DirectoryBuffer = irp->UserBuffer;
	to->QueryDirectory.MdlAddress = irp->MdlAddress;
}

static void show(struct flt_io *io, const IO_STACK_LOCATION *from, const IRP *irp)
{
	FLT_PARAMETERS *to = &io->iopb.Parameters;
	io->iopb.IrpFlags = irp->Flags;
	io->iopb.MinorFunction = from->MinorFunction;
	io->iopb.OperationFlags = from->Flags;
	switch (from->MajorFunction) {
	case IRP_MJ_CREATE:
		show_create(to, from, irp);
		break;
	case IRP_MJ_READ:
	case IRP_MJ_WRITE:
		show_transfer(to, from, irp);
		break;
	case IRP_MJ_SET_INFORMATION:
		show_set(to, from, irp);
		break;
	case IRP_MJ_QUERY_INFORMATION:
	case IRP_MJ_QUERY_VOLUME_INFORMATION:
		show_query(to, from, irp);
		break;
	case IRP_MJ_DIRECTORY_CONTROL:
		show_directory(to, from, irp);
		break;
	default:
		break;
	}
}

/* ---- What they have changed ---------------------------------------------------------------- */

static void apply_transfer(const FLT_PARAMETERS *from, PIO_STACK_LOCATION to, PIRP irp)
{
	to->Parameters.Read.Length = from->Read.Length;
	to->Parameters.Read.Key = from->Read.Key;
	to->Parameters.Read.ByteOffset = from->Read.ByteOffset;
	irp->UserBuffer = from->Read.Buffer;
	irp->MdlAddress = from->Read.MdlAddress;
}

static void apply_create(const FLT_PARAMETERS *from, PIO_STACK_LOCATION to)
{
	to->Parameters.Create.Options = from->Create.Options;
	to->Parameters.Create.FileAttributes = from->Create.FileAttributes;
	to->Parameters.Create.ShareAccess = from->Create.ShareAccess;
}

static void apply_information(const FLT_PARAMETERS *from, PIO_STACK_LOCATION to, PIRP irp)
{
	to->Parameters.SetFile.Length = from->SetFileInformation.Length;
	to->Parameters.SetFile.FileInformationClass = from->SetFileInformation.FileInformationClass;
	irp->AssociatedIrp.SystemBuffer = from->SetFileInformation.InfoBuffer;
}

static void apply(const struct flt_io *io, PIO_STACK_LOCATION to, PIRP irp)
{
	switch (to->MajorFunction) {
	case IRP_MJ_CREATE:
		apply_create(&io->iopb.Parameters, to);
		break;
	case IRP_MJ_READ:
	case IRP_MJ_WRITE:
		apply_transfer(&io->iopb.Parameters, to, irp);
		break;
	case IRP_MJ_SET_INFORMATION:
		apply_information(&io->iopb.Parameters, to, irp);
		break;
	default:
		break;
	}
}

/* ---- The two calls ---------------------------------------------------------------------------- */

static void answer(const struct request *request, struct io_operation *operation)
{
	PIRP irp = operation->irp;
	irp->UserBuffer = request->user_buffer;
	irp->MdlAddress = request->mdl;
	irp->AssociatedIrp.SystemBuffer = request->system_buffer;
	operation->status = request->io.data.IoStatus.Status;
	operation->information = request->io.data.IoStatus.Information;
}

static struct request *begin(const struct io_operation *operation)
{
	PFLT_VOLUME volume = flt_volume_at(0);
	struct request *request = volume ? host_alloc(sizeof(*request)) : NULL;
	const IRP *irp = operation->irp;
	if (!request) {
		if (volume)
			flt_dereference(&volume->object);
		return NULL;
	}
	request->user_buffer = irp->UserBuffer;
	request->mdl = irp->MdlAddress;
	request->system_buffer = irp->AssociatedIrp.SystemBuffer;
	flt_begin(&request->io, volume, operation->file, operation->location->MajorFunction,
		  irp->RequestorMode);
	show(&request->io, operation->location, irp);
	return request;
}

static bool before(struct io_operation *operation, void **context)
{
	*context = NULL;
	if (!operation->file || !flt_watches(operation->location->MajorFunction))
		return true;
	struct request *request = begin(operation);
	if (!request) {
		operation->status = STATUS_INSUFFICIENT_RESOURCES;
		return false;
	}
	if (flt_pre_operation(&request->io)) {
		apply(&request->io, operation->location, operation->irp);
		*context = request;
		return true;
	}
	flt_post_operation(&request->io);
	answer(request, operation);
	host_free(request);
	return false;
}

static void after(struct io_operation *operation, void *context)
{
	struct request *request = context;
	if (!request)
		return;
	request->io.data.IoStatus.Status = operation->status;
	request->io.data.IoStatus.Information = operation->information;
	flt_post_operation(&request->io);
	answer(request, operation);
	host_free(request);
}

static const struct io_filter filter = {before, after};

void flt_watch_volume(bool watch)
{
	io_set_filter(watch ? &filter : NULL);
}
