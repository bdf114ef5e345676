/* SPDX-License-Identifier: MIT */
/*
 * From a file to a module in the list: read, map, bind, protect, list, tell.
 *
 * Nothing in the image is called. The list's lock is held from binding to
 * listing, so that two loads cannot claim one name and nothing that the image was
 * bound to can go away; the image routines are told after it is released, since
 * they are driver code. Every failure gives back all that was made.
 * Clauses: PS-16, PS-79.
 */
#include "clock.h"
#include "ex/event.h"
#include "ke/thread.h"
#include "ldr/bind.h"
#include "ldr/file.h"
#include "ldr/image.h"
#include "memory.h"
#include "ps/process.h"
#include <string.h>

/* Where drivers are found on NT; FullDllName and image routines show it. */
#define FOLDER "\\SystemRoot\\System32\\drivers\\"

/* ---- Making the module ---------------------------------------------------------------- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static void fill_entry(struct ldr_module *module)
{
	KLDR_DATA_TABLE_ENTRY *entry = &module->entry;
	const struct pe *pe = module->pe;
	struct pe_directory exceptions = pe->directory[PE_EXCEPTIONS];
	if (exceptions.rva) {
		entry->ExceptionTable = (char *)entry->DllBase + exceptions.rva;
		entry->ExceptionTableSize = exceptions.size;
	}
	if (pe->entry_point)
		entry->EntryPoint = (char *)entry->DllBase + pe->entry_point;
	entry->SizeOfImage = entry->SizeOfImageNotRounded = pe->image_size;
	entry->CheckSum = pe->checksum;
	entry->TimeDateStamp = pe->time_stamp;
	entry->Flags = LDR_ENTRY_PROCESSED;
	if (pe->dll_characteristics & PE_DLL_FORCE_INTEGRITY)
		entry->Flags |= LDRP_IMAGE_INTEGRITY_FORCED;
}

static struct ldr_module *make_module(const struct ldr_file *file, struct ldr_error *error)
{
	struct ldr_module *module = ldr_new_module(FOLDER, base_name(file->path));
	struct pe_error why = {0};
	if (!module)
		goto no_memory;
	module->path = host_alloc(strlen(file->path) + 1);
	module->pe = host_alloc(sizeof(*module->pe));
	if (!module->path || !module->pe)
		goto no_memory;
	strcpy(module->path, file->path);
	if (!ldr_map_image(file->bytes, file->size, module->pe, &module->entry.DllBase, &why)) {
		ldr_free_module(module);
		ldr_fail_at(error, file->path, &why);
		return NULL;
	}
	module->mapped_size = module->pe->image_size;
	fill_entry(module);
	return module;
no_memory:
	ldr_free_module(module);
	ldr_fail(error, file->path, "no memory for a module");
	return NULL;
}

/* A program for Windows is not damaged, and would "load" with every import missing. */
static bool is_driver(const struct ldr_module *module, struct ldr_error *error)
{
	const struct pe *pe = module->pe;
	if (pe->subsystem == PE_SUBSYSTEM_NATIVE || module->missing == 0 ||
	    module->missing < module->imports)
		return true;
	struct pe_error why = {0};
	pe_fail(&why, pe->nt_offset + offsetof(struct pe_nt_headers, optional.subsystem),
		"a program of subsystem %u that imports nothing from the kernel, expected a driver "
		"(subsystem 1)",
		pe->subsystem);
	return ldr_fail_at(error, module->path, &why);
}

static bool has_all(const struct ldr_module *module, struct ldr_error *error)
{
	char names[256];
	if (module->missing == 0)
		return true;
	ldr_name_missing(module->traps, names, sizeof(names));
	return ldr_fail(error, module->path, "%u of its %u imports are missing here: %s",
			module->missing, module->imports, names);
}

/* Under the list's lock. */
static bool join_list(struct ldr_module *module, struct ldr_error *error)
{
	struct pe_error why = {0};
	if (ldr_find_module(module->name, strlen(module->name), false))
		return ldr_fail(error, module->path, "a module named %s is already loaded",
				module->name);
	if (!ldr_bind(module, &why))
		return ldr_fail_at(error, module->path, &why);
	if (!is_driver(module, error) || (ldr_refuses_missing() && !has_all(module, error)))
		return false;
	int failed = ldr_protect_image(module->pe, module->entry.DllBase);
	if (failed)
		return ldr_fail(error, module->path, "cannot protect its sections: %s",
				strerror(-failed));
	if (ldr_list_module(module))
		return ldr_fail(error, module->path, "no memory for the module list");
	return true;
}

static void tell_loaded(struct ldr_module *module, uint64_t began)
{
	struct rs_event event = {.type = RS_DRIVER_LOADED};
	event.driver.module = &module->entry;
	event.driver.imports = module->imports;
	event.driver.missing = module->missing;
	event.driver.duration = host_clock() - began;
	ex_tell(&event);
}

/* The image routines hear of it on a thread of the System process. */
static void notify(struct ldr_module *module)
{
	PKTHREAD before = ke_switch_thread(NULL);
	ps_load_image(&(struct ps_image){.name = &module->entry.FullDllName,
					 .base = module->entry.DllBase,
					 .size = module->entry.SizeOfImage});
	ke_switch_thread(before);
}

struct ldr_module *ldr_load(const char *path, struct ldr_error *error)
{
	uint64_t began = host_clock();
	struct ldr_file file = {.path = path};
	if (!ldr_read_file(&file, error))
		return NULL;
	struct ldr_module *module = make_module(&file, error);
	host_free(file.bytes);
	if (!module)
		return NULL;
	ldr_lock_for_change();
	bool joined = join_list(module, error);
	if (!joined)
		ldr_free_module(module);
	ldr_unlock_after_change();
	if (!joined)
		return NULL;
	tell_loaded(module, began);
	notify(module);
	return module;
}
