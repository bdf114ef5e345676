/* SPDX-License-Identifier: MIT */
/*
 * Binding an image's imports to the exports of the modules in the list.
 *
 * The list's lock is held throughout. Each module that something was found in is
 * held once by the importer (LoadedImports), so that a kernel DLL stays until
 * the last driver that uses it is gone. A DLL or a name that does not exist is
 * no error: drivers import more than they call.
 */
#include "ldr/bind.h"
#include "ldr/pe.h"
#include "memory.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A forwarder may name another forwarder, but not for ever. */
#define MAX_FORWARDERS 8

static void *export_at(const struct ldr_module *module, const struct pe_exports *exports,
		       int64_t index, unsigned depth);

static void *find_export(const struct ldr_module *module, const char *name, unsigned ordinal,
			 unsigned depth)
{
	struct pe_exports exports;
	struct pe_error ignored;
	if (!module->pe || !pe_find_exports(module->pe, module->entry.DllBase, &exports, &ignored))
		return NULL;
	int64_t index = name ? pe_export_index(module->pe, module->entry.DllBase, &exports, name)
			     : pe_export_index_of_ordinal(&exports, ordinal);
	return index < 0 ? NULL : export_at(module, &exports, index, depth);
}

/* "NTOSKRNL.ExAllocatePool", or "NTOSKRNL.#12" for an ordinal. */
static void *follow_forwarder(const char *text, unsigned depth)
{
	const char *dot = text ? strrchr(text, '.') : NULL;
	if (!dot || depth == MAX_FORWARDERS)
		return NULL;
	struct ldr_module *target = ldr_find_module(text, (size_t)(dot - text), true);
	if (!target)
		return NULL;
	if (dot[1] == '#')
		return find_export(target, NULL, (unsigned)strtoul(dot + 2, NULL, 10), depth + 1);
	return find_export(target, dot + 1, 0, depth + 1);
}

static void *export_at(const struct ldr_module *module, const struct pe_exports *exports,
		       int64_t index, unsigned depth)
{
	void *base = module->entry.DllBase;
	uint32_t rva = pe_export_rva(module->pe, base, exports, index);
	if (rva == 0)
		return NULL;
	if (rva >= exports->directory.rva && rva - exports->directory.rva < exports->directory.size)
		return follow_forwarder(pe_text(module->pe, base, rva), depth);
	return (char *)base + rva;
}

void *ldr_export_by_name(const struct ldr_module *module, const char *name)
{
	return find_export(module, name, 0, 0);
}

void *ldr_export_by_ordinal(const struct ldr_module *module, unsigned ordinal)
{
	return find_export(module, NULL, ordinal, 0);
}

/* ---- Import by import ------------------------------------------------------------ */

struct counts {
	const char *dll;
	unsigned dlls, imports;
};

static bool count_import(void *context, const struct pe_import *import)
{
	struct counts *c = context;
	c->dlls += c->dll != import->dll;
	c->dll = import->dll;
	c->imports++;
	return true;
}

static void hold(struct ldr_load_imports *imports, struct ldr_module *module)
{
	for (SIZE_T i = 0; i < imports->count; i++) {
		if (imports->module[i] == module)
			return;
	}
	module->entry.LoadCount++;
	imports->module[imports->count++] = module;
}

static bool bind_import(void *context, const struct pe_import *import)
{
	struct ldr_module *module = context;
	struct ldr_module *from = ldr_find_module(import->dll, strlen(import->dll), false);
	void *address = from ? find_export(from, import->name, import->ordinal, 0) : NULL;
	if (address) {
		hold(module->entry.LoadedImports, from);
	} else {
		address = ldr_add_trap(module->traps, module, import->dll, import->name,
				       import->ordinal);
		module->missing++;
	}
	memcpy((char *)module->entry.DllBase + import->slot, &address, sizeof(address));
	return address != NULL;
}

int ldr_bind(struct ldr_module *module)
{
	struct counts counts = {0};
	struct pe_error ignored; /* the tables were checked when the image was mapped */
	void *base = module->entry.DllBase;
	pe_visit_imports(module->pe, base, count_import, &counts, &ignored);
	module->imports = counts.imports;
	if (counts.imports == 0)
		return 0;
	module->entry.LoadedImports = host_alloc(sizeof(struct ldr_load_imports) +
						 counts.dlls * sizeof(struct ldr_module *));
	module->traps = ldr_new_traps(counts.imports);
	if (!module->entry.LoadedImports || !module->traps ||
	    !pe_visit_imports(module->pe, base, bind_import, module, &ignored))
		return -ENOMEM;
	return ldr_seal_traps(module->traps);
}
