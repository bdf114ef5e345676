/* SPDX-License-Identifier: MIT */
/*
 * Nodes and opens: who has which file open, and with what in mind.
 *
 * A node is there while an open refers to it; the list finds the node of a file by the
 * file's identity on Linux, so two names of one file share it, as on NT. An open counts
 * in its node from its create to its cleanup: sharing is checked against those numbers, and
 * the last of them takes a file along that is to be deleted.
 */
#include "flt/context.h"
#include "io/fileobject.h"
#include "io/volume.h"
#include "io/volume-node.h"
#include "ke/list.h"
#include "memory.h"
#include "rtl/utf.h"
#include <errno.h>
#include <string.h>

#define NODE_TYPE ((CSHORT)0x0702) /* any; NTFS numbers its structures from 0x0700 */

static LIST_ENTRY nodes = {&nodes, &nodes}; /* struct volume_node.link */

/* ---- Nodes, under the lock ----------------------------------------------------------------- */

static struct volume_node *find_node(ULONG64 device, ULONG64 inode)
{
	for (LIST_ENTRY *link = nodes.Flink; link != &nodes; link = link->Flink) {
		struct volume_node *node = LIST_OWNER(link, struct volume_node, link);
		if (node->device == device && node->inode == inode)
			return node;
	}
	return NULL;
}

static struct volume_node *make_node(const struct host_file_info *info, const char *path)
{
	struct volume_node *node = host_alloc(sizeof(*node));
	char *copy = host_alloc(strlen(path) + 1);
	if (!node || !copy) {
		host_free(node);
		host_free(copy);
		return NULL;
	}
	node->path = strcpy(copy, path);
	node->header.NodeTypeCode = NODE_TYPE;
	node->header.NodeByteSize = sizeof(*node);
	node->device = info->device;
	node->inode = info->inode;
	node->kind = info->kind;
	node->folder = info->kind == HOST_FOLDER;
	list_add_last(&nodes, &node->link);
	return node;
}

/* Whether it was the last: then the node is found no more, and the caller's to free. */
static bool dereference_node(struct volume_node *node)
{
	if (--node->references)
		return false;
	list_remove(&node->link);
	return true;
}

/* Not under the lock: minifilters are told. */
static void free_node(struct volume_node *node)
{
	flt_delete_contexts_on(node);
	host_free(node->path);
	host_free(node);
}

ULONG io_writers_of(const void *section_pointers)
{
	ULONG count = 0;
	volume_lock();
	for (LIST_ENTRY *link = nodes.Flink; link != &nodes; link = link->Flink) {
		const struct volume_node *node = LIST_OWNER(link, struct volume_node, link);
		if (node->section == section_pointers)
			count = node->writers + node->writable_sections;
	}
	volume_unlock();
	return count;
}

bool volume_has_opens_below(const struct volume_node *folder)
{
	size_t length = strlen(folder->path);
	for (LIST_ENTRY *link = nodes.Flink; link != &nodes; link = link->Flink) {
		const struct volume_node *node = LIST_OWNER(link, struct volume_node, link);
		if (!strncmp(node->path, folder->path, length) && node->path[length] == '/')
			return true;
	}
	return false;
}

/* What filters read in the header is the size as it was at the last open. */
static void note_sizes(struct volume_node *node, const struct host_file_info *info)
{
	node->header.AllocationSize.QuadPart = (LONGLONG)info->allocated;
	node->header.FileSize.QuadPart = (LONGLONG)info->size;
	node->header.ValidDataLength.QuadPart = (LONGLONG)info->size;
}

/* ---- Opens ------------------------------------------------------------------------------------ */

struct volume_open *volume_make_open(struct volume_found *found)
{
	struct volume_open *open = host_alloc(sizeof(*open));
	if (!open)
		return NULL;
	volume_lock();
	struct volume_node *node = find_node(found->info.device, found->info.inode);
	if (!node && (node = make_node(&found->info, found->path)))
		node->supplied = found->supplied;
	if (node) {
		node->references++;
		note_sizes(node, &found->info);
	}
	volume_unlock();
	if (!node) {
		host_free(open);
		return NULL;
	}
	open->node = node;
	open->fd = found->fd;
	open->reader = open->writer = -1;
	found->fd = -1;
	return open;
}

void volume_free_open(struct volume_open *open)
{
	volume_lock();
	bool last = dereference_node(open->node);
	volume_unlock();
	if (last)
		free_node(open->node);
	host_close(open->fd);
	if (open->reader >= 0)
		host_close(open->reader);
	if (open->writer >= 0)
		host_close(open->writer);
	volume_free_scan(open->scan);
	host_free(open);
}

int volume_contents(struct volume_open *open, bool write)
{
	int *fd = write ? &open->writer : &open->reader;
	volume_lock();
	if (*fd < 0)
		*fd = host_open_found(open->fd, open->node->kind, write);
	int result = *fd;
	volume_unlock();
	return result;
}

/* ---- Sharing ------------------------------------------------------------------------------------ */

/* Shares with everybody: it asks for nothing that is shared, or need not ask. */
static bool is_apart(PFILE_OBJECT file)
{
	return (!file->ReadAccess && !file->WriteAccess && !file->DeleteAccess) ||
	       IoIsFileObjectIgnoringSharing(file);
}

/* Under the lock. What IoCheckShareAccess checks: nobody wants what another does not share,
 * and nobody withholds what another has. */
static bool may_share(const struct volume_node *node, PFILE_OBJECT file)
{
	if (is_apart(file))
		return true;
	return !((file->ReadAccess && node->shared_read < node->opens) ||
		 (file->WriteAccess && node->shared_write < node->opens) ||
		 (file->DeleteAccess && node->shared_delete < node->opens) ||
		 (!file->SharedRead && node->readers) || (!file->SharedWrite && node->writers) ||
		 (!file->SharedDelete && node->deleters));
}

static void count(struct volume_node *node, PFILE_OBJECT file, unsigned by)
{
	if (is_apart(file))
		return;
	node->opens += by;
	node->readers += file->ReadAccess ? by : 0;
	node->writers += file->WriteAccess ? by : 0;
	node->deleters += file->DeleteAccess ? by : 0;
	node->shared_read += file->SharedRead ? by : 0;
	node->shared_write += file->SharedWrite ? by : 0;
	node->shared_delete += file->SharedDelete ? by : 0;
}

NTSTATUS volume_join(struct volume_open *open, PFILE_OBJECT file)
{
	struct volume_node *node = open->node;
	NTSTATUS status = STATUS_SUCCESS;
	volume_lock();
	if (node->delete_pending)
		status = STATUS_DELETE_PENDING;
	else if (!may_share(node, file))
		status = STATUS_SHARING_VIOLATION;
	if (NT_SUCCESS(status)) {
		count(node, file, 1);
		node->users++;
		open->counted = true;
	}
	volume_unlock();
	return status;
}

/* Unless something else has that name by now. */
static void remove_file(const struct volume_node *node)
{
	struct host_file_info info;
	int fd = host_find(volume.root, node->path);
	if (fd < 0)
		return;
	if (!host_file_info(fd, &info) && info.inode == node->inode && info.device == node->device)
		host_remove(volume.root, node->path, node->folder);
	host_close(fd);
}

void volume_leave(struct volume_open *open, PFILE_OBJECT file)
{
	struct volume_node *node = open->node;
	volume_lock();
	if (open->counted) {
		open->counted = false;
		count(node, file, -1u);
		node->users--;
		if (open->delete_on_close)
			node->delete_pending = true;
		if (node->delete_pending && !node->users)
			remove_file(node);
	}
	volume_unlock();
}
