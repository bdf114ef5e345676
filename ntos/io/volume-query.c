/* SPDX-License-Identifier: MIT */
/*
 * What a file of the volume is, and what the volume is.
 *
 * Each class is a function that writes its structure. Sizes and times are asked of Linux
 * each time. What the I/O manager knows itself (rights, mode, position, alignment) is
 * its own (io/information.c); in FileAllInformation it has filled that in beforehand.
 *
 * Pages: ZwQueryInformationFile, ZwQueryVolumeInformationFile, and those of the structures.
 */
#include "io/information.h"
#include "io/volume.h"
#include "memory.h"
#include "rtl/utf.h"
#include <string.h>

struct query {
	PFILE_OBJECT file;
	struct volume_open *open;
	struct host_file_info info;
	PVOID buffer;
	ULONG length;
	ULONG_PTR *information;
};

ULONG volume_attributes(const struct host_file_info *info)
{
	ULONG read_only = info->writable ? 0 : FILE_ATTRIBUTE_READONLY;
	switch (info->kind) {
	case HOST_FOLDER:
		return FILE_ATTRIBUTE_DIRECTORY;
	case HOST_FILE:
		return FILE_ATTRIBUTE_ARCHIVE | read_only;
	default:
		return FILE_ATTRIBUTE_DEVICE | read_only;
	}
}

/* ---- Of files ------------------------------------------------------------------------------ */

static FILE_BASIC_INFORMATION basic(const struct query *q)
{
	return (FILE_BASIC_INFORMATION){
		.CreationTime.QuadPart = (LONGLONG)q->info.born,
		.LastAccessTime.QuadPart = (LONGLONG)q->info.accessed,
		.LastWriteTime.QuadPart = (LONGLONG)q->info.written,
		.ChangeTime.QuadPart = (LONGLONG)q->info.changed,
		.FileAttributes = volume_attributes(&q->info),
	};
}

static FILE_STANDARD_INFORMATION standard(const struct query *q)
{
	bool folder = q->info.kind == HOST_FOLDER;
	volume_lock();
	bool pending = q->open->node->delete_pending || q->open->delete_on_close;
	volume_unlock();
	return (FILE_STANDARD_INFORMATION){
		.AllocationSize.QuadPart = folder ? 0 : (LONGLONG)q->info.allocated,
		.EndOfFile.QuadPart = folder ? 0 : (LONGLONG)q->info.size,
		.NumberOfLinks = q->info.links,
		.DeletePending = pending,
		.Directory = folder,
	};
}

static NTSTATUS answer_basic(struct query *q)
{
	FILE_BASIC_INFORMATION answer = basic(q);
	return volume_answer(q->buffer, q->length, &answer, sizeof(answer), q->information);
}

static NTSTATUS answer_standard(struct query *q)
{
	FILE_STANDARD_INFORMATION answer = standard(q);
	return volume_answer(q->buffer, q->length, &answer, sizeof(answer), q->information);
}

static NTSTATUS answer_internal(struct query *q)
{
	ULONG64 answer = q->info.inode;
	return volume_answer(q->buffer, q->length, &answer, sizeof(answer), q->information);
}

static NTSTATUS answer_zero(struct query *q) /* the size of extended attributes */
{
	ULONG answer = 0;
	return volume_answer(q->buffer, q->length, &answer, sizeof(answer), q->information);
}

static NTSTATUS answer_network_open(struct query *q)
{
	FILE_BASIC_INFORMATION times = basic(q);
	FILE_STANDARD_INFORMATION sizes = standard(q);
	FILE_NETWORK_OPEN_INFORMATION answer = {
		times.CreationTime,   times.LastAccessTime, times.LastWriteTime,  times.ChangeTime,
		sizes.AllocationSize, sizes.EndOfFile,      times.FileAttributes,
	};
	return volume_answer(q->buffer, q->length, &answer, sizeof(answer), q->information);
}

static NTSTATUS answer_tag(struct query *q)
{
	FILE_ATTRIBUTE_TAG_INFORMATION answer = {volume_attributes(&q->info), 0};
	return volume_answer(q->buffer, q->length, &answer, sizeof(answer), q->information);
}

static NTSTATUS answer_id(struct query *q)
{
	FILE_ID_INFORMATION answer = {volume.serial, {q->info.inode, q->info.device}};
	return volume_answer(q->buffer, q->length, &answer, sizeof(answer), q->information);
}

static NTSTATUS answer_remote(struct query *q)
{
	BOOLEAN answer = FALSE;
	return volume_answer(q->buffer, q->length, &answer, sizeof(answer), q->information);
}

/* A text behind the `offset` bytes in front of it, whose length lies before it. */
static NTSTATUS answer_text(struct query *q, size_t offset, PCUNICODE_STRING text)
{
	ULONG length = text->Length;
	char *buffer = q->buffer;
	ULONG_PTR put = 0;
	memcpy(buffer + offset - sizeof(ULONG), &length, sizeof(length));
	NTSTATUS status = volume_answer(buffer + offset, q->length - (ULONG)offset, text->Buffer,
					length, &put);
	*q->information = offset + put;
	return status;
}

/* As the folders have it. */
static NTSTATUS answer_real_name(struct query *q, size_t offset)
{
	UNICODE_STRING name;
	volume_lock();
	NTSTATUS status = volume_name(q->open->node->path, &name);
	volume_unlock();
	if (!NT_SUCCESS(status))
		return status;
	status = answer_text(q, offset, &name);
	rtl_free_string(&name);
	return status;
}

/* As it was opened. */
static NTSTATUS answer_opened_name(struct query *q, size_t offset)
{
	volume_lock();
	bool renamed = q->open->node->renamed;
	volume_unlock();
	return renamed ? answer_real_name(q, offset) : answer_text(q, offset, &q->file->FileName);
}

static NTSTATUS answer_name(struct query *q)
{
	return answer_opened_name(q, offsetof(FILE_NAME_INFORMATION, FileName));
}

static NTSTATUS answer_normalized_name(struct query *q)
{
	return answer_real_name(q, offsetof(FILE_NAME_INFORMATION, FileName));
}

static NTSTATUS answer_all(struct query *q)
{
	FILE_ALL_INFORMATION *answer = q->buffer;
	answer->BasicInformation = basic(q);
	answer->StandardInformation = standard(q);
	answer->IndexNumber.QuadPart = (LONGLONG)q->info.inode;
	answer->EaSize = 0;
	return answer_opened_name(q, offsetof(FILE_ALL_INFORMATION, FileName));
}

static NTSTATUS answer_stream(struct query *q)
{
	static const WCHAR name[] = u"::$DATA";
	char answer[sizeof(FILE_STREAM_INFORMATION) + sizeof(name) - 2];
	FILE_STREAM_INFORMATION head = {
		.StreamNameLength = sizeof(name) - 2,
		.StreamSize.QuadPart = (LONGLONG)q->info.size,
		.StreamAllocationSize.QuadPart = (LONGLONG)q->info.allocated,
	};
	if (q->info.kind == HOST_FOLDER)
		return STATUS_SUCCESS; /* a folder has none, and says so with nothing */
	memcpy(answer, &head, sizeof(head));
	memcpy(answer + sizeof(head), name, sizeof(name) - 2);
	return volume_answer(q->buffer, q->length, answer, sizeof(answer), q->information);
}

static const struct {
	ULONG number;
	NTSTATUS (*answer)(struct query *query);
} file_classes[] = {
	{FileBasicInformation, answer_basic},
	{FileStandardInformation, answer_standard},
	{FileInternalInformation, answer_internal},
	{FileEaInformation, answer_zero},
	{FileNameInformation, answer_name},
	{FileAllInformation, answer_all},
	{FileStreamInformation, answer_stream},
	{FileNetworkOpenInformation, answer_network_open},
	{FileAttributeTagInformation, answer_tag},
	{FileNormalizedNameInformation, answer_normalized_name},
	{FileIsRemoteDeviceInformation, answer_remote},
	{FileIdInformation, answer_id},
};

NTSTATUS volume_query_file(PIRP irp, PIO_STACK_LOCATION location, ULONG_PTR *information)
{
	NTSTATUS status;
	struct query q = {.file = location->FileObject,
			  .buffer = irp->AssociatedIrp.SystemBuffer,
			  .length = location->Parameters.QueryFile.Length,
			  .information = information};
	q.open = volume_open_of(q.file, &status);
	if (!q.open)
		return status;
	if (q.open->is_volume)
		return STATUS_INVALID_PARAMETER;
	int error = host_file_info(q.open->fd, &q.info);
	if (error)
		return volume_status(error);
	for (size_t i = 0; i < sizeof(file_classes) / sizeof(file_classes[0]); i++)
		if (file_classes[i].number == location->Parameters.QueryFile.FileInformationClass)
			return file_classes[i].answer(&q);
	return STATUS_INVALID_PARAMETER;
}

/* ---- Of the volume ---------------------------------------------------------------------------- */

#define CASE_PRESERVED_NAMES 0x00000002
#define UNICODE_ON_DISK 0x00000004
#define READ_ONLY_VOLUME 0x00080000
#define SUPPORTS_HARD_LINKS 0x00400000

static NTSTATUS answer_volume(PVOID buffer, ULONG length, ULONG_PTR *information)
{
	FILE_FS_VOLUME_INFORMATION answer = {.VolumeSerialNumber = volume.serial};
	return volume_answer(buffer, length, &answer,
			     offsetof(FILE_FS_VOLUME_INFORMATION, VolumeLabel), information);
}

/* What the driver that looks at it may use is what Linux leaves to everybody. */
static NTSTATUS answer_size(PVOID buffer, ULONG length, ULONG_PTR *information, bool full)
{
	struct host_volume_info info;
	int error = host_volume_info(volume.root, &info);
	if (error)
		return volume_status(error);
	ULONG sector = volume.device->SectorSize, sectors = info.unit_size / sector;
	FILE_FS_SIZE_INFORMATION size = {
		{.QuadPart = (LONGLONG)info.units},
		{.QuadPart = (LONGLONG)info.available_units},
		sectors ? sectors : 1,
		sector,
	};
	FILE_FS_FULL_SIZE_INFORMATION all = {
		size.TotalAllocationUnits,
		size.AvailableAllocationUnits,
		{.QuadPart = (LONGLONG)info.free_units},
		size.SectorsPerAllocationUnit,
		sector,
	};
	return full ? volume_answer(buffer, length, &all, sizeof(all), information)
		    : volume_answer(buffer, length, &size, sizeof(size), information);
}

static NTSTATUS answer_attributes(PVOID buffer, ULONG length, ULONG_PTR *information)
{
	static const WCHAR name[] = u"NTFS"; /* whose manners it has, as drivers ask for them */
	FILE_FS_ATTRIBUTE_INFORMATION head = {
		.FileSystemAttributes = CASE_PRESERVED_NAMES | UNICODE_ON_DISK |
					SUPPORTS_HARD_LINKS |
					(volume.writable ? 0 : READ_ONLY_VOLUME),
		.MaximumComponentNameLength = 255,
		.FileSystemNameLength = sizeof(name) - 2,
	};
	char answer[sizeof(head) + sizeof(name) - 2];
	memcpy(answer, &head, sizeof(head));
	memcpy(answer + sizeof(head), name, sizeof(name) - 2);
	return volume_answer(buffer, length, answer, sizeof(answer), information);
}

NTSTATUS volume_query_volume(PIRP irp, PIO_STACK_LOCATION location, ULONG_PTR *information)
{
	PVOID buffer = irp->AssociatedIrp.SystemBuffer;
	ULONG length = location->Parameters.QueryVolume.Length;
	switch (location->Parameters.QueryVolume.FileInformationClass) {
	case FileFsVolumeInformation:
		return answer_volume(buffer, length, information);
	case FileFsSizeInformation:
		return answer_size(buffer, length, information, false);
	case FileFsFullSizeInformation:
		return answer_size(buffer, length, information, true);
	case FileFsAttributeInformation:
		return answer_attributes(buffer, length, information);
	default:
		return STATUS_INVALID_PARAMETER;
	}
}
