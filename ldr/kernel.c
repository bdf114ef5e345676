/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own images, made at boot from the export table.
 *
 * Drivers find ntoskrnl.exe in the module list and walk its export directory
 * themselves, so it is an image in memory like any other: headers, a .text
 * section with one thunk for every function, an .edata section with the export
 * directory. A thunk compares the IRQL in the KPCR (gs:[50h]) with the highest
 * that the row allows and jumps to the C function; it touches no register that
 * carries an argument, and not the stack. Exported data are the C variables
 * themselves. An export directory says where things are in 32 bits from the
 * image's base, so each image is placed below the variables, near enough for
 * that (and for the 32-bit jumps), and their RVAs lead beyond its end. An image that
 * passes another one's rows on has a forwarder for each instead of a thunk.
 *
 * The images are written before they are listed and constant afterwards.
 */
#include "ldr/kernel.h"
#include "ke/bugcheck.h"
#include "ke/thread.h"
#include "ldr/caller.h"
#include "ldr/image.h"
#include "memory.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define THUNK_SIZE 64
#define REACH 0x7FFF0000u /* some drivers take an RVA for a signed number */
#define INT3 0xCC

/* Windows gives its exports other ordinals in every build, and a driver that imports by
 * one means a particular build: ours are higher than any of those, so that such an
 * import is missing instead of wrong. */
#define FIRST_ORDINAL 0x8000

struct kernel_image {
	enum export_dll dll;
	const struct export_row **row; /* sorted by name */
	uint32_t count;
	uint8_t *base;
	uint32_t text_size, edata_size, size; /* whole pages */
};

#define TEXT_RVA PE_PAGE

static struct ldr_module *kernel_module[EXPORT_DLLS];

static const char *const folder[EXPORT_DLLS] = {
	[EXPORT_NTOS] = "\\SystemRoot\\system32\\",
	[EXPORT_HAL] = "\\SystemRoot\\system32\\",
	[EXPORT_FLTMGR] = "\\SystemRoot\\System32\\drivers\\",
	[EXPORT_CNG] = "\\SystemRoot\\System32\\Drivers\\",
	[EXPORT_KSECDD] = "\\SystemRoot\\System32\\Drivers\\",
};

static uint32_t whole_pages(size_t size)
{
	return (uint32_t)((size + PE_PAGE - 1) / PE_PAGE * PE_PAGE);
}

static int by_name(const void *a, const void *b)
{
	const struct export_row *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

static bool forwards(const struct kernel_image *image)
{
	return export_source(image->dll) != image->dll;
}

/* "cng.", as forwarders begin. Returns its end. */
static char *write_stem(char *at, enum export_dll dll)
{
	const char *name = export_dll_name(dll), *dot = strchr(name, '.');
	size_t length = (size_t)(dot + 1 - name);
	memcpy(at, name, length);
	return at + length;
}

static int collect_rows(struct kernel_image *image)
{
	const enum export_dll source = export_source(image->dll);
	size_t names = strlen(export_dll_name(image->dll)) + 1, forwarders = 0;
	image->row = host_alloc(export_count * sizeof(*image->row));
	if (!image->row)
		return -ENOMEM;
	for (size_t i = 0; i < export_count; i++) {
		if (export_table[i].dll != source)
			continue;
		image->row[image->count++] = &export_table[i];
		names += strlen(export_table[i].name) + 1;
		forwarders += strlen(export_dll_name(source)) + strlen(export_table[i].name) + 1;
	}
	qsort(image->row, image->count, sizeof(*image->row), by_name);
	image->text_size = whole_pages((size_t)image->count * THUNK_SIZE + 1);
	/* Rows of the address, name and ordinal tables: 4, 4 and 2 bytes. */
	image->edata_size = whole_pages(sizeof(struct pe_export_directory) + image->count * 10 +
					names + (forwards(image) ? forwarders : 0));
	image->size = TEXT_RVA + image->text_size + image->edata_size;
	return 0;
}

/* Below everything that the image exports, within reach of all of it. */
static int place(struct kernel_image *image)
{
	uintptr_t low = (uintptr_t)export_table[0].address, high = low;
	for (uint32_t i = 0; i < image->count; i++) {
		uintptr_t address = (uintptr_t)image->row[i]->address;
		low = address < low ? address : low;
		high = address > high ? address : high;
	}
	if (high - low >= REACH)
		return -ENOTSUP;
	image->base = host_map_below((void *)low, image->size, REACH - (high - low));
	return image->base ? 0 : -ENOTSUP;
}

/* ---- Code ------------------------------------------------------------------------ */

static uint8_t *emit(uint8_t *at, const void *bytes, size_t count)
{
	memcpy(at, bytes, count);
	return at + count;
}

static uint8_t *emit_jump(uint8_t *at, const void *target)
{
	int64_t distance = (const uint8_t *)target - (at + 5);
	int32_t relative = (int32_t)distance;
	KE_ASSERT(relative == distance);
	*at = 0xE9;
	return emit(at + 1, &relative, sizeof(relative));
}

/* To `entry` with the row's index on the stack. */
static uint8_t *emit_report(uint8_t *at, uint32_t index, const void *entry)
{
	*at++ = 0x68; /* push index */
	at = emit(at, &index, sizeof(index));
	return emit_jump(at, entry);
}

#define REPORT_SIZE 10
#define JUMP_SIZE 5

/* VF-9, for Zw calls alone: they wait for I/O, which ends with a special kernel APC. */
static uint8_t *emit_apc_check(uint8_t *at)
{
	static const uint8_t check[] = {
		0x65,
		0x48,
		0x8B,
		0x04,
		0x25,
		0x88,
		1,
		0,
		0, /* mov rax, gs:[188h] */
		0x83,
		0x78,
		offsetof(struct ke_thread, special_apc_disable),
		0, /* cmp [rax+...], 0 */
		0x75,
		JUMP_SIZE + REPORT_SIZE, /* jne */
	};
	return emit(at, check, sizeof(check));
}

static void write_thunk(uint8_t *at, const struct export_row *row)
{
	uint32_t index = (uint32_t)(row - export_table);
	bool is_zw = strncmp(row->name, "Zw", 2) == 0;
	if (row->irql == HIGH_LEVEL) {
		emit_jump(at, row->address);
		return;
	}
	/* cmp byte ptr gs:[50h], irql; ja to the report */
	const uint8_t skipped = is_zw ? 15 + JUMP_SIZE : JUMP_SIZE;
	const uint8_t check[] = {0x65, 0x80, 0x3C, 0x25, 0x50, 0, 0, 0, row->irql, 0x77, skipped};
	at = emit(at, check, sizeof(check));
	if (is_zw)
		at = emit_apc_check(at);
	at = emit_jump(at, row->address);
	at = emit_report(at, index, (const void *)ldr_irql_entry);
	if (is_zw)
		emit_report(at, index, (const void *)ldr_apc_entry);
}

static uint32_t row_rva(const struct kernel_image *image, uint32_t index)
{
	const struct export_row *row = image->row[index];
	if (row->is_data)
		return (uint32_t)((uint8_t *)row->address - image->base);
	return TEXT_RVA + index * THUNK_SIZE;
}

static void write_text(const struct kernel_image *image)
{
	uint8_t *text = image->base + TEXT_RVA;
	memset(text, INT3, image->text_size);
	for (uint32_t i = 0; i < image->count; i++) {
		if (!image->row[i]->is_data && !forwards(image))
			write_thunk(text + (size_t)i * THUNK_SIZE, image->row[i]);
	}
}

/* ---- Headers and directory --------------------------------------------------------- */

static void write_export_directory(const struct kernel_image *image)
{
	uint32_t start = TEXT_RVA + image->text_size;
	uint32_t functions = start + (uint32_t)sizeof(struct pe_export_directory);
	uint32_t names = functions + image->count * 4, ordinals = names + image->count * 4;
	uint32_t text = ordinals + image->count * 2;
	struct pe_export_directory directory = {
		.name = text,
		.base = FIRST_ORDINAL,
		.function_count = image->count,
		.name_count = image->count,
		.functions = functions,
		.names = names,
		.ordinals = ordinals,
	};
	memcpy(image->base + start, &directory, sizeof(directory));
	text += (uint32_t)(stpcpy((char *)image->base + text, export_dll_name(image->dll)) + 1 -
			   ((char *)image->base + text));
	for (uint32_t i = 0; i < image->count; i++) {
		uint32_t rva = forwards(image) ? text : row_rva(image, i);
		uint16_t index = (uint16_t)i;
		if (forwards(image)) {
			char *at = write_stem((char *)image->base + text,
					      export_source(image->dll));
			at = stpcpy(at, image->row[i]->name) + 1;
			text = (uint32_t)(at - (char *)image->base);
		}
		memcpy(image->base + functions + i * 4, &rva, sizeof(rva));
		memcpy(image->base + names + i * 4, &text, sizeof(text));
		memcpy(image->base + ordinals + i * 2, &index, sizeof(index));
		size_t size = strlen(image->row[i]->name) + 1;
		memcpy(image->base + text, image->row[i]->name, size);
		text += (uint32_t)size;
	}
}

static struct pe_nt_headers nt_headers(const struct kernel_image *image)
{
	return (struct pe_nt_headers){
		.signature = PE_SIGNATURE,
		.file = {.machine = PE_MACHINE_AMD64,
			 .section_count = 2,
			 .optional_size = sizeof(struct pe_optional_header) +
					  PE_DIRECTORIES * sizeof(struct pe_directory),
			 .characteristics = PE_FILE_EXECUTABLE | PE_FILE_LARGE_ADDRESS_AWARE},
		.optional = {.magic = PE_MAGIC_32_PLUS,
			     .code_size = image->text_size,
			     .data_size = image->edata_size,
			     .code_base = TEXT_RVA,
			     .image_base = (uintptr_t)image->base,
			     .section_alignment = PE_PAGE,
			     .file_alignment = PE_PAGE,
			     .system_major = 10,
			     .image_major = 10,
			     .subsystem_major = 10,
			     .image_size = image->size,
			     .headers_size = PE_PAGE,
			     .subsystem = PE_SUBSYSTEM_NATIVE,
			     .dll_characteristics = PE_DLL_HIGH_ENTROPY_VA | PE_DLL_DYNAMIC_BASE |
						    PE_DLL_FORCE_INTEGRITY | PE_DLL_NX_COMPAT,
			     .directory_count = PE_DIRECTORIES},
	};
}

static void write_headers(const struct kernel_image *image)
{
	uint32_t edata = TEXT_RVA + image->text_size;
	struct pe_dos_header dos = {.magic = PE_DOS_MAGIC, .nt_offset = sizeof(dos)};
	struct pe_nt_headers nt = nt_headers(image);
	struct pe_directory directory[PE_DIRECTORIES] = {
		[PE_EXPORTS] = {edata, image->edata_size},
	};
	struct pe_section_header section[] = {
		{.name = ".text",
		 .virtual_size = image->text_size,
		 .rva = TEXT_RVA,
		 .file_size = image->text_size,
		 .file_offset = TEXT_RVA,
		 .characteristics = PE_SECTION_CODE | PE_SECTION_EXECUTE | PE_SECTION_READ},
		{.name = ".edata",
		 .virtual_size = image->edata_size,
		 .rva = edata,
		 .file_size = image->edata_size,
		 .file_offset = edata,
		 .characteristics = PE_SECTION_DATA | PE_SECTION_READ},
	};
	uint8_t *at = emit(image->base, &dos, sizeof(dos));
	at = emit(at, &nt, sizeof(nt));
	at = emit(at, directory, sizeof(directory));
	emit(at, section, sizeof(section));
}

/* ---- The module ----------------------------------------------------------------------- */

static int list_image(const struct kernel_image *image, struct ldr_module *module)
{
	struct pe_error error = {0};
	module->pe = host_alloc(sizeof(*module->pe));
	if (!module->pe)
		return -ENOMEM;
	KE_ASSERT(pe_parse(image->base, image->size, module->pe, &error));
	int failed = ldr_protect_image(module->pe, image->base);
	if (failed)
		return failed;
	module->entry.SizeOfImage = module->entry.SizeOfImageNotRounded = image->size;
	module->entry.Flags = LDR_ENTRY_PROCESSED | LDRP_IMAGE_INTEGRITY_FORCED;
	return ldr_list_module(module);
}

static int make_module(struct kernel_image *image)
{
	struct ldr_module *module = ldr_new_module(folder[image->dll], export_dll_name(image->dll));
	if (!module) {
		host_unmap(image->base, image->size);
		return -ENOMEM;
	}
	module->entry.DllBase = image->base;
	module->mapped_size = image->size;
	int error = list_image(image, module);
	if (error) {
		ldr_free_module(module);
		return error;
	}
	kernel_module[image->dll] = module;
	return 0;
}

static int make_image(enum export_dll dll)
{
	struct kernel_image image = {.dll = dll};
	int error = collect_rows(&image);
	if (!error)
		error = place(&image);
	if (!error) {
		write_headers(&image);
		write_text(&image);
		write_export_directory(&image);
		error = make_module(&image);
	}
	host_free(image.row);
	return error;
}

int ldr_boot_kernel_images(void)
{
	int error = 0;
	memset(kernel_module, 0, sizeof(kernel_module));
	for (int dll = 0; dll < EXPORT_DLLS && !error; dll++)
		error = make_image((enum export_dll)dll);
	return error;
}

struct ldr_module *ldr_kernel_image(enum export_dll dll)
{
	return kernel_module[dll];
}
