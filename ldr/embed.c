/* SPDX-License-Identifier: MIT */
/*
 * The drivers' part of <ringside/ringside.h>: struct rs_driver is struct ldr_module
 * under its public name, and struct rs_error is struct ldr_error.
 */
#include "ke/thread.h"
#include "ldr/driver.h"
#include <errno.h>
#include <link.h>
#include <ringside/ringside.h>
#include <string.h>

_Static_assert(sizeof(struct rs_error) == sizeof(struct ldr_error), "the same line of text");

static struct ldr_module *module_of(struct rs_driver *driver)
{
	return (struct ldr_module *)(void *)driver;
}

struct rs_driver *rs_load(const char *path, struct rs_error *error)
{
	struct ldr_error why;
	struct ldr_module *module = ldr_load(path, &why);
	if (!module && error)
		memcpy(error->text, why.text, sizeof(error->text));
	return (struct rs_driver *)(void *)module;
}

NTSTATUS rs_start(struct rs_driver *driver)
{
	return ldr_start(module_of(driver));
}

NTSTATUS rs_unload(struct rs_driver *driver)
{
	return ldr_unload(module_of(driver));
}

void rs_discard(struct rs_driver *driver)
{
	ldr_discard(module_of(driver));
}

int rs_declare_module(const char *name, const void *base, size_t size, bool integrity)
{
	return ldr_declare_module(name, base, size, integrity) ? 0 : -ENOMEM;
}

struct extent {
	uintptr_t begin, end;
};

/* The first object that is visited is the program. */
static int program_extent(struct dl_phdr_info *info, size_t size, void *context)
{
	struct extent *extent = context;
	(void)size;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		if (header->p_type != PT_LOAD)
			continue;
		uintptr_t begin = info->dlpi_addr + header->p_vaddr;
		uintptr_t end = begin + header->p_memsz;
		extent->begin = begin < extent->begin ? begin : extent->begin;
		extent->end = end > extent->end ? end : extent->end;
	}
	return 1;
}

int rs_declare_program(const char *name, bool integrity)
{
	struct extent extent = {UINTPTR_MAX, 0};
	dl_iterate_phdr(program_extent, &extent);
	return rs_declare_module(name, (const void *)extent.begin, extent.end - extent.begin,
				 integrity);
}

void *rs_find_export(const char *dll, const char *name)
{
	/* What is returned reads the processor's IRQL through GS. */
	ke_processor();
	return ldr_find_export(dll, name);
}
