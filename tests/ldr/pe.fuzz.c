/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a driver file, taken through everything but the running of its code:
 * parsed, mapped, relocated, searched for uses of its imports and for names, bound,
 * protected, listed, asked for its exports, and its unwind data walked as after a fault.
 *
 * pe_check also runs on a heap copy of the layout, where AddressSanitizer sees one
 * byte too many; in a mapping it would not.
 */
#include "ke/stackwalk.h"
#include "ldr/bind.h"
#include "ldr/image.h"
#include "ldr/reference.h"
#include "ldr/routine.h"
#include "memory.h"
#include <ringside/ringside.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

/* Larger layouts go through the mapping alone. */
#define MAX_HEAP_IMAGE (1u << 20)

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	REQUIRE(rs_boot(NULL) == 0);
	return 0;
}

static void check_on_the_heap(const uint8_t *data, size_t size)
{
	static struct pe pe;
	struct pe_error error;
	if (!pe_parse(data, size, &pe, &error)) {
		REQUIRE(error.text[0]);
		return;
	}
	if (pe.image_size > MAX_HEAP_IMAGE)
		return;
	void *image = calloc(1, pe.image_size);
	REQUIRE(image);
	pe_lay_out(&pe, data, image);
	error.text[0] = 0;
	REQUIRE(pe_check(&pe, image, &error) || error.text[0]);
	free(image);
}

static void look_for_exports(const struct ldr_module *module)
{
	for (unsigned ordinal = 0; ordinal < 16; ordinal++)
		ldr_export_by_ordinal(module, ordinal);
	ldr_export_by_name(module, "Alpha");
	ldr_export_by_name(module, "Beta");
	ldr_export_by_name(module, "zzz");
}

/* As if each place in the first pages had faulted. */
static void unwind(const struct ldr_module *module)
{
	for (ULONG64 at = 0; at < 0x3000 && at < module->entry.SizeOfImage; at += 0x3F1) {
		ULONG64 stack[64] = {0};
		struct ke_frame frame = {.pc = (ULONG64)module->entry.DllBase + at,
					 .known = 0xFFFF};
		frame.reg[KE_RSP] = frame.reg[KE_RBP] = (ULONG64)stack;
		ke_unwind_frame(module, &frame, true);
	}
}

static void bind_and_list(struct ldr_module *module)
{
	struct pe_error error;
	ldr_lock();
	if (!ldr_bind(module, &error)) {
		ldr_free_module(module);
		ldr_unlock();
		return;
	}
	REQUIRE(module->missing <= module->imports);
	REQUIRE(ldr_protect_image(module->pe, module->entry.DllBase) == 0);
	REQUIRE(ldr_list_module(module) == 0);
	look_for_exports(module);
	ldr_unlock();
	REQUIRE(ldr_module_of(module->entry.DllBase) == module);
	RtlFindExportedRoutineByName(module->entry.DllBase, "Gamma");
	unwind(module);
	ldr_lock();
	ldr_release_module(module);
	ldr_unlock();
}

static void see_name(void *unused, uint32_t rva, const char *name)
{
	(void)unused;
	(void)rva;
	REQUIRE(strlen(name) >= PE_MIN_NAME && strlen(name) <= PE_MAX_NAME);
}

struct slots {
	uint32_t at[16];
	size_t count;
};

/* Ascending ones, as the search wants them. */
static bool take_slot(void *context, const struct pe_import *import)
{
	struct slots *slots = context;
	if (slots->count < 16 && (slots->count == 0 || slots->at[slots->count - 1] < import->slot))
		slots->at[slots->count++] = import->slot;
	return true;
}

static void inspect(const struct ldr_module *module)
{
	struct slots slots = {.count = 0};
	struct ldr_references found;
	struct pe_error error;
	/* As a person's patience: the largest images take seconds. */
	if (module->pe->image_size > MAX_HEAP_IMAGE)
		return;
	pe_visit_imports(module->pe, module->entry.DllBase, take_slot, &slots, &error);
	if (ldr_find_references(module->pe, module->entry.DllBase, slots.at, slots.count, &found)) {
		for (size_t i = 0; i < found.count; i++)
			REQUIRE(found.at[i].from < module->pe->image_size);
		host_free(found.at);
	}
	pe_visit_names(module->pe, module->entry.DllBase, see_name, NULL);
}

static void map(const uint8_t *data, size_t size)
{
	struct ldr_module *module = ldr_new_module("", "sample.sys");
	struct pe_error error;
	REQUIRE(module);
	module->pe = host_alloc(sizeof(*module->pe));
	REQUIRE(module->pe);
	if (!ldr_map_image(data, size, module->pe, &module->entry.DllBase, &error)) {
		REQUIRE(error.text[0] && !strchr(error.text, '\n'));
		ldr_free_module(module);
		return;
	}
	inspect(module);
	module->mapped_size = module->entry.SizeOfImage = module->pe->image_size;
	struct pe_directory exceptions = module->pe->directory[PE_EXCEPTIONS];
	module->entry.ExceptionTable = (char *)module->entry.DllBase + exceptions.rva;
	module->entry.ExceptionTableSize = exceptions.rva ? exceptions.size : 0;
	bind_and_list(module);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t before = host_live_allocations();
	check_on_the_heap(data, size);
	map(data, size);
	REQUIRE(host_live_allocations() == before);
	return 0;
}
