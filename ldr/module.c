/* SPDX-License-Identifier: MIT */
/*
 * The loaded-module list.
 *
 * It is kept twice. PsLoadedModuleList links the entries as NT does, for drivers
 * that walk it and for look-ups by name; `list_lock` protects it, which is held
 * while an image is bound (so that what it was bound to cannot go away) and never
 * while a driver's code runs. Beside it stands a table of address ranges for
 * ldr_module_of, which must work at any IRQL and inside a fault handler that
 * interrupted a holder of the lock.
 *
 * A row of that table is guarded by its own sequence number, odd while the row
 * changes. Writers hold the lock. A reader that meets an odd number, or another
 * one after reading than before, takes the row for empty: the change is under way
 * on another thread (or on its own, below the signal handler), so both answers
 * are true. The acquire loads keep a reader's second look at the number behind
 * its look at the range, the release stores keep a writer's odd number ahead of
 * its changes; the row itself stays mapped until the kernel shuts down. What is
 * returned lives as long as the module does, which is the caller's business: its
 * code is running, or is registered.
 *
 * LoadCount counts the holders of a module: its loader and each image bound to it.
 *
 * Clauses: AB-14, PS-15, PS-16, PS-17.
 */
#include "ldr/module.h"
#include "ke/bugcheck.h"
#include "io/driver.h"
#include "ldr/bind.h"
#include "ldr/kernel.h"
#include "ldr/pe.h"
#include "memory.h"
#include "rtl/string.h"
#include "rtl/utf.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ROWS 64

struct range {
	_Atomic unsigned sequence;
	_Atomic uintptr_t begin, end;
	_Atomic(struct ldr_module *) module;
};

struct range_block {
	struct range row[ROWS];
	_Atomic(struct range_block *) next;
};

LIST_ENTRY PsLoadedModuleList = {&PsLoadedModuleList, &PsLoadedModuleList};
ERESOURCE PsLoadedModuleResource;

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct range_block first_block; /* the usual case needs no second */

void ldr_lock(void)
{
	pthread_mutex_lock(&list_lock);
}

void ldr_unlock(void)
{
	pthread_mutex_unlock(&list_lock);
}

/* Drivers that walk the list hold the resource. They look names up meanwhile, which takes
 * the lock: so the resource comes first. A dead kernel's is held for ever. */
void ldr_lock_for_change(void)
{
	if (!ke_crashed())
		ExEnterCriticalRegionAndAcquireResourceExclusive(&PsLoadedModuleResource);
	ldr_lock();
}

void ldr_unlock_after_change(void)
{
	ldr_unlock();
	if (!ke_crashed())
		ExReleaseResourceAndLeaveCriticalRegion(&PsLoadedModuleResource);
}

/* ---- Address ranges --------------------------------------------------------- */

static struct ldr_module *module_if_inside(struct range *row, uintptr_t address)
{
	unsigned sequence = atomic_load_explicit(&row->sequence, memory_order_acquire);
	uintptr_t begin = atomic_load_explicit(&row->begin, memory_order_acquire);
	uintptr_t end = atomic_load_explicit(&row->end, memory_order_acquire);
	struct ldr_module *module = atomic_load_explicit(&row->module, memory_order_acquire);
	if (sequence & 1 || atomic_load_explicit(&row->sequence, memory_order_relaxed) != sequence)
		return NULL;
	return address >= begin && address < end ? module : NULL;
}

struct ldr_module *ldr_module_of(const void *address)
{
	struct range_block *block = &first_block;
	for (; block; block = atomic_load_explicit(&block->next, memory_order_acquire)) {
		for (unsigned i = 0; i < ROWS; i++) {
			struct ldr_module *module = module_if_inside(&block->row[i],
								     (uintptr_t)address);
			if (module)
				return module;
		}
	}
	return NULL;
}

static void set_range(struct range *row, uintptr_t begin, size_t size, struct ldr_module *module)
{
	unsigned sequence = atomic_load_explicit(&row->sequence, memory_order_relaxed);
	atomic_store_explicit(&row->sequence, sequence + 1, memory_order_relaxed);
	atomic_store_explicit(&row->begin, begin, memory_order_release);
	atomic_store_explicit(&row->end, begin + size, memory_order_release);
	atomic_store_explicit(&row->module, module, memory_order_release);
	atomic_store_explicit(&row->sequence, sequence + 2, memory_order_release);
}

/* The row of `module`, or with NULL a free one; NULL without memory for a block. */
static struct range *find_range(struct ldr_module *module)
{
	struct range_block *block = &first_block;
	for (;;) {
		for (unsigned i = 0; i < ROWS; i++) {
			if (atomic_load_explicit(&block->row[i].module, memory_order_relaxed) ==
			    module)
				return &block->row[i];
		}
		struct range_block *next = atomic_load_explicit(&block->next, memory_order_relaxed);
		if (!next) {
			next = module ? NULL : host_alloc(sizeof(*next));
			if (!next)
				return NULL;
			atomic_store_explicit(&block->next, next, memory_order_release);
		}
		block = next;
	}
}

bool ldr_integrity_forced(const void *address)
{
	struct ldr_module *module = ldr_module_of(address);
	return module && module->entry.Flags & LDRP_IMAGE_INTEGRITY_FORCED;
}

/* ---- Entries ------------------------------------------------------------------ */

static char *copy_text(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = host_alloc(size);
	return copy ? memcpy(copy, text, size) : NULL;
}

struct ldr_module *ldr_new_module(const char *folder, const char *name)
{
	struct ldr_module *module = host_alloc(sizeof(*module));
	size_t size = strlen(folder) + strlen(name) + 1;
	char *full = host_alloc(size);
	if (!module || !full)
		goto fail;
	snprintf(full, size, "%s%s", folder, name);
	module->name = copy_text(name);
	if (!module->name || rtl_from_utf8(name, &module->entry.BaseDllName) ||
	    rtl_from_utf8(full, &module->entry.FullDllName))
		goto fail;
	module->entry.LoadCount = 1;
	host_free(full);
	return module;
fail:
	host_free(full);
	ldr_free_module(module);
	return NULL;
}

void ldr_free_module(struct ldr_module *module)
{
	if (!module)
		return;
	struct ldr_load_imports *imports = module->entry.LoadedImports;
	for (SIZE_T i = 0; imports && i < imports->count; i++)
		ldr_release_module(imports->module[i]);
	ldr_free_traps(module->traps);
	if (module->mapped_size)
		host_unmap(module->entry.DllBase, module->mapped_size);
	rtl_free_string(&module->entry.BaseDllName);
	rtl_free_string(&module->entry.FullDllName);
	host_free(module->entry.LoadedImports);
	host_free(module->pe);
	host_free(module->path);
	host_free(module->name);
	host_free(module);
}

int ldr_list_module(struct ldr_module *module)
{
	KLDR_DATA_TABLE_ENTRY *entry = &module->entry;
	LIST_ENTRY *last = PsLoadedModuleList.Blink;
	struct range *row = find_range(NULL);
	if (!row)
		return -ENOMEM;
	entry->InLoadOrderLinks.Flink = &PsLoadedModuleList;
	entry->InLoadOrderLinks.Blink = last;
	last->Flink = PsLoadedModuleList.Blink = &entry->InLoadOrderLinks;
	set_range(row, (uintptr_t)entry->DllBase, entry->SizeOfImage, module);
	return 0;
}

void ldr_unlist_module(struct ldr_module *module)
{
	LIST_ENTRY *link = &module->entry.InLoadOrderLinks;
	set_range(find_range(module), 0, 0, NULL);
	link->Flink->Blink = link->Blink;
	link->Blink->Flink = link->Flink;
}

static bool is_named(const struct ldr_module *module, const char *name, size_t length, bool stem)
{
	const char *dot = stem ? strrchr(module->name, '.') : NULL;
	size_t own = dot ? (size_t)(dot - module->name) : strlen(module->name);
	return own == length && strncasecmp(module->name, name, length) == 0;
}

struct ldr_module *ldr_find_module(const char *name, size_t length, bool stem)
{
	LIST_ENTRY *link = PsLoadedModuleList.Flink;
	for (; link != &PsLoadedModuleList; link = link->Flink) {
		struct ldr_module *module = (struct ldr_module *)link;
		if (is_named(module, name, length, stem))
			return module;
	}
	return NULL;
}

bool ldr_find_file(PCUNICODE_STRING name, char *path, size_t size)
{
	static const UNICODE_STRING prefix = {sizeof(u"\\SystemRoot") - 2, 0,
					      (PWSTR)(uintptr_t)u"\\SystemRoot"};
	bool found = false;
	ldr_lock();
	for (LIST_ENTRY *link = PsLoadedModuleList.Flink; link != &PsLoadedModuleList && !found;
	     link = link->Flink) {
		const struct ldr_module *module = (struct ldr_module *)link;
		UNICODE_STRING full = module->entry.FullDllName;
		if (!module->path || !RtlPrefixUnicodeString(&prefix, &full, TRUE))
			continue;
		full.Buffer += prefix.Length / 2;
		full.Length -= prefix.Length;
		found = RtlEqualUnicodeString(&full, name, TRUE) &&
			(size_t)snprintf(path, size, "%s", module->path) < size;
	}
	ldr_unlock();
	return found;
}

void ldr_release_module(struct ldr_module *module)
{
	if (--module->entry.LoadCount)
		return;
	ldr_unlist_module(module);
	ldr_free_module(module);
}

struct ldr_module *ldr_declare_module(const char *name, const void *base, size_t size,
				      bool integrity)
{
	struct ldr_module *module = ldr_new_module("", name);
	if (!module)
		return NULL;
	module->entry.DllBase = (PVOID)(uintptr_t)base;
	module->entry.SizeOfImage = (ULONG)size;
	module->entry.Flags = integrity ? LDRP_IMAGE_INTEGRITY_FORCED : 0;
	ldr_lock_for_change();
	int error = ldr_list_module(module);
	ldr_unlock_after_change();
	if (error) {
		ldr_free_module(module);
		return NULL;
	}
	return module;
}

void ldr_forget_module(struct ldr_module *module)
{
	ldr_lock_for_change();
	ldr_unlist_module(module);
	ldr_unlock_after_change();
	ldr_free_module(module);
}

void *ldr_find_export(const char *dll, const char *name)
{
	ldr_lock();
	struct ldr_module *module = ldr_find_module(dll, strlen(dll), false);
	void *found = module ? ldr_export_by_name(module, name) : NULL;
	ldr_unlock();
	return found;
}

/* ---- Boot --------------------------------------------------------------------- */

int ldr_boot(void)
{
	if (!NT_SUCCESS(ExInitializeResourceLite(&PsLoadedModuleResource)))
		return -ENOMEM;
	int error = ldr_boot_kernel_images();
	if (error)
		ldr_shutdown();
	return error;
}

void ldr_shutdown(void)
{
	while (PsLoadedModuleList.Blink != &PsLoadedModuleList) {
		struct ldr_module *module = (struct ldr_module *)PsLoadedModuleList.Blink;
		ldr_unlist_module(module);
		if (module->driver)
			io_delete_driver(module->driver);
		ldr_free_module(module);
	}
	ExDeleteResourceLite(&PsLoadedModuleResource);
	struct range_block *block = atomic_exchange_explicit(&first_block.next, NULL,
							     memory_order_acq_rel);
	while (block) {
		struct range_block *next = atomic_load_explicit(&block->next, memory_order_relaxed);
		host_free(block);
		block = next;
	}
}
