/* SPDX-License-Identifier: MIT */
/*
 * Stubs for imports that do not exist here.
 *
 * Each is a few instructions that load the address of its own record and jump to
 * ldr_missing_entry (caller.c), which calls ldr_missing_called with that record and
 * the driver's registers. That ends in a bug check, or tells the call and returns the
 * status that was chosen at boot. The stubs of a module lie in one mapping that
 * belongs to the module.
 *
 * A call is told in full the first time that it comes from its place. A record's places
 * are a list that is only ever added to, at its head by compare and swap, since calls
 * come at any IRQL and on any thread; it goes with the module.
 */
#include "ldr/bind.h"
#include "ldr/caller.h"
#include "ex/event.h"
#include "ke/bugcheck.h"
#include "memory.h"
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define STUB_SIZE 32

struct call_site {
	ULONG64 pc; /* behind the call */
	struct call_site *next;
};

struct ldr_trap {
	char *name; /* "ntoskrnl.exe!ExFoo" */
	const struct ldr_module *importer;
	_Atomic(struct call_site *) sites;
};

struct ldr_traps {
	uint8_t *stub; /* capacity * STUB_SIZE bytes */
	size_t mapped_size;
	unsigned count, capacity;
	struct ldr_trap trap[];
};

/* Set at boot. */
static enum rs_missing policy;
static NTSTATUS answer;

void ldr_set_missing(enum rs_missing what, NTSTATUS status)
{
	policy = what;
	answer = status;
}

bool ldr_refuses_missing(void)
{
	return policy == RS_MISSING_FAIL;
}

/* ---- Called -------------------------------------------------------------------------- */

static _Noreturn void end_system(const struct ldr_trap *trap, const struct ke_frame *caller,
				 bool known)
{
	struct ke_bug_check what = {
		.code = (ULONG)KE_MISSING_EXPORT_CALLED,
		.parameter = {caller->pc},
		.address = known ? (void *)caller->pc : trap->importer->entry.EntryPoint,
		.from = caller,
	};
	ke_bug_check(&what, "%s called %s, which does not exist here", trap->importer->name,
		     trap->name);
}

static bool is_listed(const struct call_site *site, ULONG64 pc)
{
	while (site && site->pc != pc)
		site = site->next;
	return site != NULL;
}

/* Without memory for a place every call from it is the first. */
static bool is_first_from(struct ldr_trap *trap, ULONG64 pc)
{
	struct call_site *head = atomic_load_explicit(&trap->sites, memory_order_acquire);
	if (is_listed(head, pc))
		return false;
	struct call_site *site = host_alloc(sizeof(*site));
	if (!site)
		return true;
	site->pc = pc;
	do {
		site->next = head;
		if (is_listed(head, pc)) {
			host_free(site);
			return false;
		}
	} while (!atomic_compare_exchange_weak_explicit(
		&trap->sites, &head, site, memory_order_release, memory_order_acquire));
	return true;
}

static void tell(struct ldr_trap *trap, const struct ke_frame *caller, bool known)
{
	struct rs_event event = {.type = RS_MISSING_CALLED};
	event.missing.name = trap->name;
	event.missing.module = &trap->importer->entry;
	event.missing.address = known ? (void *)caller->pc : NULL;
	event.missing.status = answer;
	event.missing.first = is_first_from(trap, caller->pc);
	if (event.missing.first)
		ke_walk_stack(caller, &event.missing.stack);
	ex_tell(&event);
}

NTSTATUS NTAPI ldr_missing_called(struct ldr_trap *trap, const struct ke_frame *caller)
{
	/* After a tail call the return address is not in the driver. */
	bool known = ldr_module_of((void *)caller->pc) == trap->importer;
	if (policy != RS_MISSING_STATUS)
		end_system(trap, caller, known);
	if (ex_heard())
		tell(trap, caller, known);
	return answer;
}

/* ---- Made ---------------------------------------------------------------------------- */

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

void ldr_name_missing(const struct ldr_traps *traps, char *text, size_t size)
{
	size_t length = 0;
	for (unsigned i = 0; i < traps->count; i++) {
		const char *name = traps->trap[i].name;
		if (length + strlen(name) + sizeof(", ") + sizeof(", ...") > size) {
			strcpy(text + length, ", ...");
			return;
		}
		length += (size_t)snprintf(text + length, size - length, "%s%s", i ? ", " : "",
					   name);
	}
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

static void free_sites(struct ldr_trap *trap)
{
	struct call_site *site = atomic_load(&trap->sites);
	while (site) {
		struct call_site *next = site->next;
		host_free(site);
		site = next;
	}
}

void ldr_free_traps(struct ldr_traps *traps)
{
	if (!traps)
		return;
	for (unsigned i = 0; i < traps->count; i++) {
		free_sites(&traps->trap[i]);
		host_free(traps->trap[i].name);
	}
	host_unmap(traps->stub, traps->mapped_size);
	host_free(traps);
}
