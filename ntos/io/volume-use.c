/* SPDX-License-Identifier: MIT */
/*
 * Opens that nobody asked for with a create, and sections of files.
 *
 * A file object that an image routine showed (ps/file.c) is opened when it is first used, for
 * reading; it counts for nobody's sharing. Of two threads that use it first, one open stays.
 *
 * A file remembers how many sections it has: as long as there are any its end does not move
 * towards its beginning, and an image is not deleted. The counts are under the volume's lock.
 */
#include "io/volume-node.h"
#include "memory.h"

static struct volume_open *open_late(PFILE_OBJECT file, NTSTATUS *status)
{
	struct volume_found *found = host_alloc(sizeof(*found));
	struct volume_open *open = NULL;
	*status = found ? volume_find(&file->FileName, found) : STATUS_INSUFFICIENT_RESOURCES;
	if (NT_SUCCESS(*status) && found->fd < 0)
		*status = STATUS_FILE_DELETED;
	if (NT_SUCCESS(*status)) {
		open = volume_make_open(found);
		*status = open ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
		if (!open)
			host_close(found->fd);
	}
	host_free(found);
	return open;
}

struct volume_open *volume_open_of(PFILE_OBJECT file, NTSTATUS *status)
{
	struct volume_open *open = __atomic_load_n(&file->FsContext2, __ATOMIC_ACQUIRE), *made;
	PVOID none = NULL;
	*status = STATUS_SUCCESS;
	if (open || !(made = open_late(file, status)))
		return open;
	/* Of two that open it at once the first stays. */
	if (!__atomic_compare_exchange_n(&file->FsContext2, &none, made, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE)) {
		volume_free_open(made);
		return none;
	}
	file->FsContext = made->node;
	file->SectionObjectPointer = made->node->section;
	return made;
}

/* ---- Sections ---------------------------------------------------------------------- */

static void count_section(struct volume_node *node, bool write, bool image, unsigned by)
{
	volume_lock();
	node->sections += by;
	node->image_sections += image ? by : 0;
	node->writable_sections += write ? by : 0;
	volume_unlock();
}

NTSTATUS io_file_for_section(PFILE_OBJECT file, bool write, bool image, int *fd)
{
	NTSTATUS status = STATUS_INVALID_FILE_FOR_SECTION;
	struct volume_open *open = volume.device && file->DeviceObject == volume.device
					   ? volume_open_of(file, &status)
					   : NULL;
	if (!open || open->is_volume || open->node->folder)
		return STATUS_INVALID_FILE_FOR_SECTION;
	status = write ? volume_check_writable(file) : STATUS_SUCCESS;
	if (!NT_SUCCESS(status))
		return status;
	int found = write ? host_open_for_both(open->fd, open->node->kind)
			  : host_open_found(open->fd, open->node->kind, false);
	if (found < 0)
		return volume_status(found);
	*fd = found;
	count_section(open->node, write, image, 1);
	return STATUS_SUCCESS;
}

void io_section_is_gone(PFILE_OBJECT file, bool write, bool image)
{
	const struct volume_open *open = file->FsContext2;
	if (open)
		count_section(open->node, write, image, -1u);
}

NTSTATUS volume_check_cut(const struct volume_node *node)
{
	volume_lock();
	bool mapped = node->sections != 0;
	volume_unlock();
	return mapped ? STATUS_USER_MAPPED_FILE : STATUS_SUCCESS;
}
