/* SPDX-License-Identifier: MIT */
/*
 * Stubs for imports that do not exist here.
 *
 * Each is a few instructions that load the address of its own record and jump to
 * ldr_missing_entry (caller.c), which calls ldr_missing_called with that record and
 * the driver's registers. The stubs of a module lie in one mapping that
 * belongs to the module; nothing is shared, so nothing is locked.
 */
#include "ldr/bind.h"
#include "ldr/caller.h"
#include "ke/bugcheck.h"
#include "memory.h"
#include <stdio.h>
#include <string.h>

#define STUB_SIZE 32

struct ldr_trap {
	char *name; /* "ntoskrnl.exe!ExFoo" */
	const struct ldr_module *importer;
};

struct ldr_traps {
	uint8_t *stub; /* capacity * STUB_SIZE bytes */
	size_t mapped_size;
	unsigned count, capacity;
	struct ldr_trap trap[];
};

_Noreturn void ldr_missing_called(const struct ldr_trap *trap, const struct ke_frame *caller)
{
	/* After a tail call the return address is not in the driver. */
	bool known = ldr_module_of((void *)caller->pc) == trap->importer;
	struct ke_bug_check what = {
		.code = (ULONG)KE_MISSING_EXPORT_CALLED,
		.parameter = {caller->pc},
		.address = known ? (void *)caller->pc : trap->importer->entry.EntryPoint,
		.from = caller,
	};
	ke_bug_check(&what, "%s called %s, which does not exist here", trap->importer->name,
		     trap->name);
}

struct ldr_traps *ldr_new_traps(unsigned count)
{
	struct ldr_traps *traps = host_alloc(sizeof(*traps) + count * sizeof(struct ldr_trap));
	size_t size = (size_t)count * STUB_SIZE;
	if (!traps)
		return NULL;
	traps->capacity = count;
	traps->mapped_size = size;
	traps->stub = host_map(size);
	if (!traps->stub) {
		host_free(traps);
		return NULL;
	}
	return traps;
}

static char *full_name(const char *dll, const char *name, unsigned ordinal)
{
	size_t size = strlen(dll) + (name ? strlen(name) : 8) + 2;
	char *text = host_alloc(size);
	if (!text)
		return NULL;
	if (name)
		snprintf(text, size, "%s!%s", dll, name);
	else
		snprintf(text, size, "%s!#%u", dll, ordinal);
	pe_make_printable(text);
	return text;
}

static void write_stub(uint8_t *at, const struct ldr_trap *trap)
{
	/* mov r10, trap; mov r11, ldr_missing_entry; jmp r11 */
	uint8_t code[] = {0x49, 0xBA, 0, 0, 0, 0, 0, 0, 0,    0,    0x49, 0xBB,
			  0,    0,    0, 0, 0, 0, 0, 0, 0x41, 0xFF, 0xE3};
	void *target = (void *)ldr_missing_entry;
	memcpy(code + 2, &trap, sizeof(trap));
	memcpy(code + 12, &target, sizeof(target));
	memcpy(at, code, sizeof(code));
}

void *ldr_add_trap(struct ldr_traps *traps, const struct ldr_module *importer, const char *dll,
		   const char *name, unsigned ordinal)
{
	KE_ASSERT(traps->count < traps->capacity);
	struct ldr_trap *trap = &traps->trap[traps->count];
	uint8_t *stub = traps->stub + (size_t)traps->count * STUB_SIZE;
	trap->name = full_name(dll, name, ordinal);
	if (!trap->name)
		return NULL;
	trap->importer = importer;
	traps->count++;
	write_stub(stub, trap);
	return stub;
}

int ldr_seal_traps(struct ldr_traps *traps)
{
	return host_protect(traps->stub, traps->mapped_size, HOST_EXECUTE);
}

void ldr_free_traps(struct ldr_traps *traps)
{
	if (!traps)
		return;
	for (unsigned i = 0; i < traps->count; i++)
		host_free(traps->trap[i].name);
	host_unmap(traps->stub, traps->mapped_size);
	host_free(traps);
}
