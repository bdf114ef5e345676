/* SPDX-License-Identifier: MIT */
/*
 * What belongs to creates alone: taking an open back that the file system has granted, and
 * the parameters beyond the usual, of which no create here has any.
 *
 * Pages: FltCancelFileOpen, FltGetEcpListFromCallbackData; bug check 0xF5 (0x6A).
 */
#include "flt/cancel.h"
#include "flt/operation.h"
#include "io/file.h"
#include "io/irp.h"
#include "ke/bugcheck.h"

#define FO_FILE_OPEN_CANCELLED 0x200000

/* As the I/O manager would; the volume refuses neither. */
static void send(PFILE_OBJECT file, UCHAR major)
{
	IO_STATUS_BLOCK ignored;
	PIRP irp = io_build(file->DeviceObject, major, KernelMode);
	if (!irp)
		return; /* what it still has goes with the file object */
	irp->Flags |= IRP_SYNCHRONOUS_API | IRP_CLOSE_OPERATION;
	irp->Tail.OriginalFileObject = io_next_location(irp)->FileObject = file;
	io_send_and_wait(file->DeviceObject, irp, &ignored);
}

VOID NTAPI FltCancelFileOpen(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject)
{
	if (FileObject->Flags & FO_HANDLE_CREATED)
		KE_BUG_CHECK(KE_FLTMGR_FILE_SYSTEM, 0x6A, (uintptr_t)FileObject, 0, 0,
			     "FltCancelFileOpen was called for a file that has a handle");
	PFLT_INSTANCE before = flt_begin_below(Instance);
	send(FileObject, IRP_MJ_CLEANUP);
	FileObject->Flags |= FO_CLEANUP_COMPLETE | FO_FILE_OPEN_CANCELLED;
	send(FileObject, IRP_MJ_CLOSE);
	flt_begin_below(before);
}

NTSTATUS NTAPI FltGetEcpListFromCallbackData(PFLT_FILTER Filter, PFLT_CALLBACK_DATA CallbackData,
					     PVOID *EcpList)
{
	(void)Filter;
	if (CallbackData->Iopb->MajorFunction != IRP_MJ_CREATE)
		return STATUS_INVALID_PARAMETER;
	*EcpList = NULL;
	return STATUS_SUCCESS;
}
