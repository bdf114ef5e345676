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
	struct pe_error ignored = {0};
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

struct answer {
	uint32_t slot;
	void *address;
};

struct binding {
	struct ldr_module *module;
	const char *dll; /* of the import before */
	unsigned dlls, imports;
	struct answer *answer; /* one for each import, in their order */
	unsigned answers;
};

static bool count_import(void *context, const struct pe_import *import)
{
	struct binding *b = context;
	b->dlls += b->dll != import->dll;
	b->dll = import->dll;
	b->imports++;
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

static bool answer_import(void *context, const struct pe_import *import)
{
	struct binding *b = context;
	struct ldr_module *module = b->module;
	struct ldr_module *from = ldr_find_module(import->dll, strlen(import->dll), false);
	void *address = from ? find_export(from, import->name, import->ordinal, 0) : NULL;
	if (address) {
		hold(module->entry.LoadedImports, from);
	} else {
		address = ldr_add_trap(module->traps, module, import->dll, import->name,
				       import->ordinal);
		module->missing++;
	}
	b->answer[b->answers++] = (struct answer){import->slot, address};
	return address != NULL;
}

/* All answers first, then the slots: in a damaged image a slot may lie over a table
 * that has yet to be read. So both walks see the same imports. */
static bool answer_all(struct binding *b)
{
	struct ldr_module *module = b->module;
	struct pe_error ignored = {0};
	module->entry.LoadedImports = host_alloc(sizeof(struct ldr_load_imports) +
						 b->dlls * sizeof(struct ldr_module *));
	module->traps = ldr_new_traps(b->imports);
	b->answer = host_alloc(b->imports * sizeof(*b->answer));
	if (!module->entry.LoadedImports || !module->traps || !b->answer ||
	    !pe_visit_imports(module->pe, module->entry.DllBase, answer_import, b, &ignored))
		return false;
	for (unsigned i = 0; i < b->answers; i++)
		memcpy((char *)module->entry.DllBase + b->answer[i].slot, &b->answer[i].address,
		       sizeof(void *));
	return true;
}

bool ldr_bind(struct ldr_module *module, struct pe_error *error)
{
	struct binding b = {.module = module};
	/* They were checked before, but relocations may lie over the tables. */
	if (!pe_visit_imports(module->pe, module->entry.DllBase, count_import, &b, error))
		return false;
	module->imports = b.imports;
	if (b.imports == 0)
		return true;
	bool bound = answer_all(&b) && ldr_seal_traps(module->traps) == 0;
	host_free(b.answer);
	return bound || pe_fail(error, 0, "no memory to bind %u imports", b.imports);
}
