/* SPDX-License-Identifier: MIT */
/*
 * Names of addresses.
 *
 * Code of a driver is module and offset; code in a kernel image is the export at or
 * before it, from the image's export directory. An export's thunk jumps to a function of
 * this program without leaving a frame, so a frame of ours is named by the call that
 * led to it: the call instruction before the caller's return address names an import
 * slot, the slot names a thunk, and the export directory names the thunk.
 *
 * All of it is other people's memory and is read with host_read.
 */
#include "ke/symbol.h"
#include "ke/stackwalk.h"
#include "ldr/pe_format.h"
#include "trap.h"
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct export
{
	char name[96];
	uint32_t rva;
};

static bool read_image(const struct ldr_module *module, uint64_t rva, void *to, size_t size)
{
	return rva < module->entry.SizeOfImage && size <= module->entry.SizeOfImage - rva &&
	       host_read(to, (char *)module->entry.DllBase + rva, size) == size;
}

static bool read_export_directory(const struct ldr_module *module,
				  struct pe_export_directory *directory)
{
	struct pe_dos_header dos;
	struct {
		struct pe_nt_headers nt;
		struct pe_directory exports;
	} __attribute__((packed)) headers;

	return read_image(module, 0, &dos, sizeof(dos)) && dos.magic == PE_DOS_MAGIC &&
	       read_image(module, dos.nt_offset, &headers, sizeof(headers)) &&
	       headers.nt.signature == PE_SIGNATURE && headers.nt.optional.directory_count > 0 &&
	       read_image(module, headers.exports.rva, directory, sizeof(*directory));
}

static void read_name(const struct ldr_module *module, uint32_t rva, char *name, size_t size)
{
	size_t length = 0;
	while (length + 1 < size && read_image(module, rva + length, &name[length], 1) &&
	       name[length])
		length++;
	name[length] = '\0';
}

/* The named export nearest before or at `rva`. */
static bool find_export(const struct ldr_module *module, uint32_t rva, struct export *found)
{
	struct pe_export_directory directory;
	uint32_t best_name = 0;

	found->rva = 0;
	if (!read_export_directory(module, &directory))
		return false;
	for (uint32_t i = 0; i < directory.name_count; i++) {
		uint16_t ordinal;
		uint32_t function, name;
		if (!read_image(module, directory.ordinals + i * 2ull, &ordinal, 2) ||
		    !read_image(module, directory.functions + ordinal * 4ull, &function, 4) ||
		    !read_image(module, directory.names + i * 4ull, &name, 4))
			return false;
		if (function > rva || function < found->rva)
			continue;
		found->rva = function;
		best_name = name;
	}
	if (!best_name)
		return false;
	read_name(module, best_name, found->name, sizeof(found->name));
	return true;
}

/* The thunk that the call before `caller` went to, or 0: call [slot], as Microsoft's
 * compiler does it, or a call of a stub that is jmp [slot], as linkers make them. */
static uint64_t called_thunk(const char *caller)
{
	struct __attribute__((packed)) {
		uint8_t code[2];
		int32_t offset;
	} call, jump;
	uint64_t slot = 0, target;

	if (host_read(&call, caller - sizeof(call), sizeof(call)) != sizeof(call))
		return 0;
	if (call.code[0] == 0xFF && call.code[1] == 0x15) {
		slot = (uintptr_t)caller + (uint64_t)(int64_t)call.offset;
	} else if (call.code[1] == 0xE8) {
		const char *stub = caller + call.offset;
		if (host_read(&jump, stub, sizeof(jump)) == sizeof(jump) && jump.code[0] == 0xFF &&
		    jump.code[1] == 0x25)
			slot = (uintptr_t)stub + sizeof(jump) + (uint64_t)(int64_t)jump.offset;
	}
	return slot && host_read(&target, (const void *)slot, 8) == 8 ? target : 0;
}

static bool name_export(char *text, size_t size, uint64_t address)
{
	const struct ldr_module *module = ldr_module_of((const void *)address);
	struct export export;
	if (!module || ke_is_driver(module))
		return false;
	uint32_t rva = (uint32_t)(address - (uintptr_t)module->entry.DllBase);
	if (!find_export(module, rva, &export))
		return false;
	if (rva == export.rva)
		snprintf(text, size, "%s!%s", module->name, export.name);
	else
		snprintf(text, size, "%s!%s+0x%x", module->name, export.name, rva - export.rva);
	return true;
}

static void name_own_code(char *text, size_t size, const void *address)
{
	Dl_info info;
	if (!dladdr(address, &info) || !info.dli_fname) {
		snprintf(text, size, "%p", address);
		return;
	}
	uintptr_t offset = (uintptr_t)address - (uintptr_t)info.dli_fbase;
	const char *file = strrchr(info.dli_fname, '/');
	snprintf(text, size, "(%s+0x%" PRIxPTR ")", file ? file + 1 : info.dli_fname, offset);
}

void ke_name_address(char *text, size_t size, const void *address, const void *caller)
{
	const struct ldr_module *module = ldr_module_of(address);
	if (module && ke_is_driver(module))
		snprintf(text, size, "%s+0x%" PRIxPTR, module->name,
			 (uintptr_t)address - (uintptr_t)module->entry.DllBase);
	else if (!name_export(text, size, (uintptr_t)address) &&
		 !(ke_is_driver(ldr_module_of(caller)) &&
		   name_export(text, size, called_thunk(caller))))
		name_own_code(text, size, address);
}

/* ---- Symbols of drivers --------------------------------------------------------------------- */

/* Less than other threads wait for a bug check to be told. */
#define PATIENCE_MS 4000

bool ke_uses_symbols;

static void look_at(struct ldr_place *place, const void *address, bool behind_call)
{
	const struct ldr_module *module = address ? ldr_module_of(address) : NULL;
	if (!module || !module->path || !module->pe)
		return;
	place->path = module->path;
	place->pe = module->pe;
	place->rva = (uint32_t)((uintptr_t)address - (uintptr_t)module->entry.DllBase);
	place->behind_call = behind_call;
}

void ke_find_symbols(struct ke_symbols *symbols, const struct rs_stack *stack, const void *address,
		     bool at_once)
{
	memset(symbols, 0, sizeof(*symbols));
	if (!ke_uses_symbols)
		return;
	for (unsigned i = 0; i < stack->count; i++)
		look_at(&symbols->place[i], stack->frame[i],
			i > 0 || ke_follows_call(stack->frame[i]));
	look_at(&symbols->place[KE_ADDRESS], address, address && ke_follows_call(address));
	ldr_find_symbols(symbols->place, KE_ADDRESS + 1, at_once ? 0 : PATIENCE_MS, symbols->note,
			 sizeof(symbols->note));
}

/* Of a path of Linux or Windows. */
static const char *base_name(const char *path)
{
	const char *base = path;
	for (; *path; path++) {
		if (*path == '/' || *path == '\\')
			base = path + 1;
	}
	return base;
}

void ke_name_place(char *text, size_t size, const void *address, const void *caller,
		   const struct ldr_place *place)
{
	const char *file = base_name(place->source);
	ke_name_address(text, size, address, caller);
	size_t length = strlen(text);
	snprintf(text + length, size - length, "%s%s%s%s", place->function[0] ? " " : "",
		 place->function, *file ? " at " : "", file);
}
