/* SPDX-License-Identifier: MIT */
/*
 * Views of sections: where in this program's memory which section is mapped.
 *
 * A view belongs to a process, whose user addresses it takes, or to the system, and then
 * lies above the line; it holds its section. `lock`, a leaf, protects the list. A view
 * of an image is a private copy of the section's memory, at the image's own base if that
 * is free, otherwise moved there. Stores to any other view reach the section's memory,
 * unless its protection is one of copying. A page of a file that has become shorter is an
 * in-page error when it is touched, as on NT.
 *
 * A live process has a memory of its own, into which nothing can be mapped from here. But what
 * a driver maps to read it, in the process that it happens to run in, need only be
 * seen by the driver: such a view is made, in this program's memory, and the process does not
 * see it. Whatever is meant for the process itself is NOT_SUPPORTED.
 */
#include "io/file.h"
#include "ke/list.h"
#include "ldr/image.h"
#include "memory.h"
#include "mm/allocation.h"
#include "mm/copy.h"
#include "mm/section.h"
#include "mm/virtual.h"
#include "ps/process.h"
#include "user.h"
#include <pthread.h>

#define GRANULARITY ((uintptr_t)0x10000)

/* 256 GiB: above what a program at a fixed address and its heap take, below where others are
 * shown (ps/host.h); so a view here is at no address that a live process has too. */
#define PREFERRED ((uintptr_t)1 << 38)

struct view {
	LIST_ENTRY link;
	PEPROCESS process; /* not referenced: it takes its views along; NULL: the system's */
	uintptr_t base;
	SIZE_T size;
	ULONG protect;
	struct mm_section *section; /* referenced */
};

static struct {
	pthread_mutex_t lock;
	LIST_ENTRY list;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER, .list = {&all.list, &all.list}};

/* ---- Protections --------------------------------------------------------------------------- */

/* What Linux calls it; -1: it is none. */
static int host_protection(ULONG protect)
{
	switch (protect) {
	case PAGE_NOACCESS:
		return HOST_NONE;
	case PAGE_READONLY:
		return HOST_READ;
	case PAGE_READWRITE:
	case PAGE_WRITECOPY:
		return HOST_READ | HOST_WRITE;
	case PAGE_EXECUTE:
	case PAGE_EXECUTE_READ:
		return HOST_READ | HOST_EXECUTE;
	case PAGE_EXECUTE_READWRITE:
	case PAGE_EXECUTE_WRITECOPY:
		return HOST_READ | HOST_WRITE | HOST_EXECUTE;
	default:
		return -1;
	}
}

static bool copies(ULONG protect)
{
	return protect == PAGE_WRITECOPY || protect == PAGE_EXECUTE_WRITECOPY;
}

/* Whether a section made with `section` has views with `view`: each needs what the
 * section's pages may be used for, and a copy needs no right to write. */
static bool is_compatible(ULONG section, ULONG view)
{
	int allowed = host_protection(section & 0xFF), wanted = host_protection(view);
	if (copies(section))
		allowed &= ~HOST_WRITE;
	if (copies(view))
		wanted &= ~HOST_WRITE;
	return !(wanted & ~allowed);
}

static NTSTATUS check(const struct mm_section *section, struct mm_view_wish *view)
{
	if (view->process && view->process->host_ops &&
	    !(view->protect == PAGE_READONLY && view->process == PsGetCurrentProcess()))
		return STATUS_NOT_SUPPORTED;
	if (host_protection(view->protect) < 0)
		return STATUS_INVALID_PAGE_PROTECTION;
	if (!section->image && !is_compatible(section->protect, view->protect))
		return STATUS_SECTION_PROTECTION;
	if (section->image && view->offset)
		return STATUS_NOT_SUPPORTED;
	if (view->offset >= section->size)
		return STATUS_INVALID_VIEW_SIZE;
	SIZE_T rest = section->size - view->offset;
	if (view->size > ((rest + MM_PAGE - 1) & ~(MM_PAGE - 1)))
		return STATUS_INVALID_VIEW_SIZE;
	if (!view->size || section->image)
		view->size = rest;
	view->size = (view->size + MM_PAGE - 1) & ~(MM_PAGE - 1);
	return STATUS_SUCCESS;
}

/* ---- Mapping ------------------------------------------------------------------------------------ */

static bool is_user_range(uintptr_t base, SIZE_T size)
{
	return base >= GRANULARITY && base < MM_USER_END && size <= MM_USER_END - base;
}

static void *map_pages(const struct mm_section *section, const struct mm_view_wish *view)
{
	bool shared = !section->image && !copies(view->protect);
	uintptr_t own = section->image ? section->image->image_base : 0;
	void *pages = NULL;
	if (!view->process)
		return host_map_file(NULL, view->size, section->memory, view->offset, shared);
	if (view->base)
		return host_map_file(view->base, view->size, section->memory, view->offset, shared);
	if (is_user_range(own, view->size))
		pages = host_map_file((void *)own, view->size, section->memory, 0, false);
	if (!pages)
		pages = host_map_user_file(view->size, PREFERRED, MM_USER_END, section->memory,
					   view->offset, shared);
	return pages ? pages
		     : host_map_user_file(view->size, GRANULARITY, MM_USER_END, section->memory,
					  view->offset, shared);
}

/* To where it lies now, and as its headers say. */
static NTSTATUS settle_image(const struct mm_section *section, const struct mm_view_wish *view)
{
	struct pe_error error;
	bool moved = (uintptr_t)view->base != section->image->image_base;
	if (moved && !ldr_relocate_image(section->image, view->base, &error))
		return STATUS_CONFLICTING_ADDRESSES;
	if (ldr_protect_image(section->image, view->base))
		return STATUS_INSUFFICIENT_RESOURCES;
	return moved && view->process ? STATUS_IMAGE_NOT_AT_BASE : STATUS_SUCCESS;
}

static NTSTATUS settle(const struct mm_section *section, const struct mm_view_wish *view)
{
	if (section->image)
		return settle_image(section, view);
	return host_protect(view->base, view->size, (unsigned)host_protection(view->protect))
		       ? STATUS_ACCESS_DENIED /* no execution from that file system */
		       : STATUS_SUCCESS;
}

static void list_view(struct view *v, struct mm_section *section, const struct mm_view_wish *view)
{
	v->process = view->process;
	v->base = (uintptr_t)view->base;
	v->size = view->size;
	v->protect = section->image ? PAGE_EXECUTE_WRITECOPY : view->protect;
	v->section = section;
	ob_reference(section);
	pthread_mutex_lock(&all.lock);
	list_add_last(&all.list, &v->link);
	pthread_mutex_unlock(&all.lock);
}

NTSTATUS mm_map_view(struct mm_section *section, struct mm_view_wish *view)
{
	struct mm_view_wish made = *view;
	NTSTATUS status = check(section, &made);
	if (!NT_SUCCESS(status))
		return status;
	if (made.base && !is_user_range((uintptr_t)made.base, made.size))
		return STATUS_INVALID_PARAMETER_3;
	struct view *v = host_alloc(sizeof(*v));
	if (!v)
		return STATUS_INSUFFICIENT_RESOURCES;
	void *pages = map_pages(section, &made);
	status = made.base ? STATUS_CONFLICTING_ADDRESSES : STATUS_NO_MEMORY;
	made.base = pages;
	if (pages)
		status = settle(section, &made);
	if (!NT_SUCCESS(status)) {
		host_unmap(pages, made.size);
		host_free(v);
		return status;
	}
	list_view(v, section, &made);
	*view = made;
	return status;
}

/* ---- Unmapping -------------------------------------------------------------------------------------- */

/* Under the lock. */
static struct view *find(PEPROCESS process, uintptr_t address)
{
	for (LIST_ENTRY *e = all.list.Flink; e != &all.list; e = e->Flink) {
		struct view *v = LIST_OWNER(e, struct view, link);
		if (v->process == process && address >= v->base && address - v->base < v->size)
			return v;
	}
	return NULL;
}

static void unmap(struct view *v)
{
	host_unmap((void *)v->base, v->size);
	ob_dereference(v->section);
	host_free(v);
}

NTSTATUS mm_unmap_view(PEPROCESS process, const void *address)
{
	pthread_mutex_lock(&all.lock);
	struct view *v = find(process, (uintptr_t)address);
	if (v)
		list_remove(&v->link);
	pthread_mutex_unlock(&all.lock);
	if (!v) /* one of the process's own is not for us to unmap */
		return process && process->host_ops ? STATUS_NOT_SUPPORTED : STATUS_NOT_MAPPED_VIEW;
	unmap(v);
	return STATUS_SUCCESS;
}

/* The next one that is of `process`, or any, taken off the list. */
static struct view *take(PEPROCESS process, bool any)
{
	struct view *taken = NULL;
	pthread_mutex_lock(&all.lock);
	for (LIST_ENTRY *e = all.list.Flink; e != &all.list && !taken; e = e->Flink)
		if (any || LIST_OWNER(e, struct view, link)->process == process)
			taken = LIST_OWNER(e, struct view, link);
	if (taken)
		list_remove(&taken->link);
	pthread_mutex_unlock(&all.lock);
	return taken;
}

void mm_forget_views(PEPROCESS process)
{
	struct view *v;
	while ((v = take(process, false)))
		unmap(v);
}

void mm_forget_all_views(void)
{
	struct view *v;
	while ((v = take(NULL, true)))
		unmap(v);
}

bool mm_find_view(PEPROCESS process, uintptr_t address, struct mm_view_shown *shown)
{
	pthread_mutex_lock(&all.lock);
	const struct view *v = find(process, address);
	if (v)
		*shown = (struct mm_view_shown){v->base, v->size, v->protect,
						v->section->image != NULL};
	pthread_mutex_unlock(&all.lock);
	return v != NULL;
}

NTSTATUS mm_view_name(PEPROCESS process, uintptr_t address, UNICODE_STRING *name)
{
	struct mm_section *section = NULL;
	pthread_mutex_lock(&all.lock);
	const struct view *v = find(process, address);
	if (v)
		ob_reference(section = v->section);
	pthread_mutex_unlock(&all.lock);
	if (!section)
		return STATUS_NOT_MAPPED_VIEW;
	NTSTATUS status = section->file ? io_file_name(section->file, name) : STATUS_FILE_INVALID;
	ob_dereference(section);
	return status;
}

ULONG mm_count_writing_views(const void *section_pointers)
{
	ULONG count = 0;
	pthread_mutex_lock(&all.lock);
	for (LIST_ENTRY *e = all.list.Flink; e != &all.list; e = e->Flink) {
		const struct view *v = LIST_OWNER(e, struct view, link);
		count += v->section->file &&
			 v->section->file->SectionObjectPointer == section_pointers &&
			 (v->protect == PAGE_READWRITE || v->protect == PAGE_EXECUTE_READWRITE);
	}
	pthread_mutex_unlock(&all.lock);
	return count;
}
