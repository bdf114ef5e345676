/* SPDX-License-Identifier: MIT */
/*
 * Reading, writing and flushing files of the volume.
 *
 * Linux copies straight from or to the caller's buffer and says where that ends, so a bad
 * one is a status; a bad kernel address is the bug check that NT has for it. The volume has
 * neither buffered nor direct I/O, as NT's file systems: the buffer is the caller's own
 * address, or what an MDL describes.
 *
 * Pages: ZwReadFile, ZwWriteFile, IRP_MJ_READ, IRP_MJ_WRITE.
 */
#include "io/file.h"
#include "io/volume.h"
#include "ke/bugcheck.h"
#include "mm/mdl.h"

#define TO_END_OF_FILE (-1)

struct transfer {
	PFILE_OBJECT file;
	struct volume_open *open;
	char *buffer;
	ULONG length;
	LONGLONG offset;
};

static NTSTATUS check_buffer(const struct transfer *t, PIRP irp, bool write)
{
	if (!irp->MdlAddress && !mm_may_access(t->buffer, t->length, write, irp->RequestorMode))
		return STATUS_ACCESS_VIOLATION;
	if (t->file->Flags & FO_NO_INTERMEDIATE_BUFFERING &&
	    (t->offset | t->length) & (volume.device->SectorSize - 1))
		return STATUS_INVALID_PARAMETER;
	return STATUS_SUCCESS;
}

static NTSTATUS begin(struct transfer *t, PIRP irp, const IO_STACK_LOCATION *location)
{
	NTSTATUS status;
	t->file = location->FileObject;
	t->open = volume_open_of(t->file, &status);
	if (!t->open)
		return status;
	if (t->open->is_volume || t->open->node->folder)
		return STATUS_INVALID_DEVICE_REQUEST;
	if (t->file->Flags & FO_CLEANUP_COMPLETE && !(irp->Flags & IRP_PAGING_IO))
		return STATUS_FILE_CLOSED;
	t->length = location->Parameters.Read.Length;
	t->offset = location->Parameters.Read.ByteOffset.QuadPart;
	t->buffer = irp->UserBuffer;
	if (irp->MdlAddress)
		t->buffer = MmMapLockedPagesSpecifyCache(irp->MdlAddress, KernelMode, 1, NULL,
							 FALSE, 16);
	return t->buffer || !t->length ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS end(const struct transfer *t, int64_t moved, ULONG_PTR *information)
{
	if (moved < 0) {
		NTSTATUS status = volume_status((int)moved);
		if (status == STATUS_ACCESS_VIOLATION && !mm_is_user(t->buffer))
			KE_BUG_CHECK(KE_PAGE_FAULT_IN_NONPAGED_AREA, (uintptr_t)t->buffer, 0, 0, 0,
				     "a file was to be read or written with %u bytes at %p, where "
				     "nothing is",
				     t->length, (void *)t->buffer);
		return status;
	}
	*information = (ULONG_PTR)moved;
	if (t->file->Flags & FO_SYNCHRONOUS_IO)
		t->file->CurrentByteOffset.QuadPart = t->offset + moved;
	return STATUS_SUCCESS;
}

NTSTATUS volume_read(PIRP irp, PIO_STACK_LOCATION location, ULONG_PTR *information)
{
	struct transfer t = {0};
	NTSTATUS status = begin(&t, irp, location);
	if (NT_SUCCESS(status))
		status = check_buffer(&t, irp, true);
	if (!NT_SUCCESS(status) || !t.length)
		return status;
	int fd = volume_contents(t.open, false);
	int64_t got = fd < 0 ? fd : host_read_file(fd, t.buffer, t.length, (uint64_t)t.offset);
	return got ? end(&t, got, information) : STATUS_END_OF_FILE;
}

/* Where the end is now, for a write that goes there. */
static int find_end(struct transfer *t, const IO_STACK_LOCATION *location)
{
	struct host_file_info info;
	bool append = t->open->appends ||
		      location->Parameters.Write.ByteOffset.QuadPart == TO_END_OF_FILE;
	if (!append)
		return 0;
	int error = host_file_info(t->open->fd, &info);
	if (!error)
		t->offset = (LONGLONG)info.size;
	return error;
}

NTSTATUS volume_write(PIRP irp, PIO_STACK_LOCATION location, ULONG_PTR *information)
{
	struct transfer t = {0};
	NTSTATUS status = begin(&t, irp, location);
	if (NT_SUCCESS(status))
		status = volume_check_writable(t.file);
	if (NT_SUCCESS(status))
		status = volume_status(find_end(&t, location));
	if (NT_SUCCESS(status))
		status = check_buffer(&t, irp, false);
	if (!NT_SUCCESS(status) || !t.length)
		return status;
	int fd = volume_contents(t.open, true);
	int64_t put = fd < 0 ? fd : host_write_file(fd, t.buffer, t.length, (uint64_t)t.offset);
	if (put > 0)
		t.file->Flags |= FO_FILE_MODIFIED;
	return end(&t, put, information);
}

NTSTATUS volume_flush(PIRP irp, PIO_STACK_LOCATION location, ULONG_PTR *information)
{
	(void)irp;
	(void)information;
	NTSTATUS status;
	struct volume_open *open = volume_open_of(location->FileObject, &status);
	if (!open)
		return status;
	if (open->is_volume || open->node->folder || !volume.writable)
		return STATUS_SUCCESS; /* nothing of ours is on its way */
	int fd = volume_contents(open, true);
	return volume_status(fd < 0 ? fd : host_flush(fd));
}
