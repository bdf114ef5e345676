/* SPDX-License-Identifier: MIT */
/*
 * A small valid x64 driver image, made in memory, for tests to damage.
 *
 * It has everything that the loader reads: imports by name (code, data, one that does
 * not exist, an unknown DLL) and by ordinal, exports with a forwarder and a gap,
 * relocations, a load configuration with a security cookie, a row of unwind data, a
 * section that is longer in memory than in the file. Where each thing lies is named
 * below, by RVA; sample_offset gives the place in the file. The code is a DriverEntry that
 * returns STATUS_SUCCESS.
 */
#ifndef RINGSIDE_TEST_LDR_SAMPLE_H
#define RINGSIDE_TEST_LDR_SAMPLE_H

#include "ldr/pe_format.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SAMPLE_SIZE 0x1000u /* of the file */
#define SAMPLE_BASE 0x140000000ull
#define SAMPLE_DEFAULT_COOKIE 0x00002B992DDFA232ull

struct sample {
	uint8_t bytes[SAMPLE_SIZE];
	size_t size;
};

enum sample_rva {
	SAMPLE_TEXT = 0x1000,
	SAMPLE_ENTRY = SAMPLE_TEXT,
	SAMPLE_ALPHA = 0x1010, /* an exported function */
	SAMPLE_RDATA = 0x2000,
	SAMPLE_DESCRIPTORS = SAMPLE_RDATA,
	SAMPLE_LOOKUP_NTOS = 0x2040,
	SAMPLE_LOOKUP_CNG = 0x2070,
	SAMPLE_IAT_NTOS = 0x2080, /* DbgPrint, PsProcessType, NotThereAtAll, #1 */
	SAMPLE_IAT_CNG = 0x20B0,  /* BCryptFoo */
	SAMPLE_NAMES = 0x20C0,    /* of 0x10 bytes each, in the order above */
	SAMPLE_DLL_NTOS = 0x2100,
	SAMPLE_DLL_CNG = 0x2110,
	SAMPLE_UNWIND = 0x2180,
	SAMPLE_EXPORTS = 0x2200,
	SAMPLE_FUNCTIONS = 0x2228, /* Alpha, a gap, Beta (a forwarder), Gamma */
	SAMPLE_EXPORT_NAMES = 0x2238,
	SAMPLE_ORDINALS = 0x2244,
	SAMPLE_EXPORT_TEXT = 0x2250,
	SAMPLE_EXPORTS_END = 0x2300,
	SAMPLE_LOAD_CONFIG = 0x2300,
	SAMPLE_DATA = 0x3000,
	SAMPLE_COOKIE = 0x3000,
	SAMPLE_POINTER = 0x3008,  /* to SAMPLE_ALPHA: DIR64 */
	SAMPLE_LOW_HALF = 0x3010, /* the same, its low 32 bits: HIGHLOW */
	SAMPLE_BSS = 0x4000,      /* no bytes in the file */
	SAMPLE_PDATA = 0x5000,
	SAMPLE_RELOC = 0x6000,
	SAMPLE_END = 0x7000
};

enum sample_section {
	SAMPLE_S_TEXT,
	SAMPLE_S_RDATA,
	SAMPLE_S_DATA,
	SAMPLE_S_PDATA,
	SAMPLE_S_RELOC
};
#define SAMPLE_SECTIONS 5

/* Offsets in the file of header fields. */
#define SAMPLE_NT 0x80u
#define SAMPLE_FIELD(field) (SAMPLE_NT + (uint32_t)offsetof(struct pe_nt_headers, field))
#define SAMPLE_DIRECTORY(index)                                                                    \
	(SAMPLE_NT +                                                                               \
	 (uint32_t)(sizeof(struct pe_nt_headers) + (index) * sizeof(struct pe_directory)))
#define SAMPLE_SECTION(index, field)                                                               \
	(SAMPLE_DIRECTORY(PE_DIRECTORIES) +                                                        \
	 (uint32_t)((index) * sizeof(struct pe_section_header) +                                   \
		    offsetof(struct pe_section_header, field)))

struct sample_section_row {
	const char *name;
	uint32_t rva, virtual_size, file_offset, file_size, flags;
};

static const struct sample_section_row sample_sections[SAMPLE_SECTIONS] = {
	{".text", SAMPLE_TEXT, 0x20, 0x400, 0x200,
	 PE_SECTION_CODE | PE_SECTION_EXECUTE | PE_SECTION_READ},
	{".rdata", SAMPLE_RDATA, 0x400, 0x600, 0x400, PE_SECTION_DATA | PE_SECTION_READ},
	{".data", SAMPLE_DATA, 0x1800, 0xA00, 0x200,
	 PE_SECTION_DATA | PE_SECTION_READ | PE_SECTION_WRITE},
	{".pdata", SAMPLE_PDATA, 12, 0xC00, 0x200, PE_SECTION_DATA | PE_SECTION_READ},
	{".reloc", SAMPLE_RELOC, 0x18, 0xE00, 0x200,
	 PE_SECTION_DATA | PE_SECTION_READ | PE_SECTION_DISCARDABLE},
};

/* The place in the file of an RVA. */
static inline uint32_t sample_offset(uint32_t rva)
{
	for (int i = SAMPLE_SECTIONS - 1; i >= 0; i--) {
		if (rva >= sample_sections[i].rva)
			return rva - sample_sections[i].rva + sample_sections[i].file_offset;
	}
	return rva;
}

static inline void sample_put(struct sample *s, uint32_t rva, const void *data, size_t size)
{
	memcpy(s->bytes + sample_offset(rva), data, size);
}

static inline void sample_put_text(struct sample *s, uint32_t rva, const char *text)
{
	sample_put(s, rva, text, strlen(text) + 1);
}

/* Overwrites `width` bytes at an offset of the file. */
static inline void sample_poke(struct sample *s, uint32_t offset, uint64_t value, size_t width)
{
	memcpy(s->bytes + offset, &value, width);
}

static inline void sample_headers(struct sample *s)
{
	struct pe_dos_header dos = {.magic = PE_DOS_MAGIC, .nt_offset = SAMPLE_NT};
	struct pe_nt_headers nt = {
		.signature = PE_SIGNATURE,
		.file = {.machine = PE_MACHINE_AMD64,
			 .section_count = SAMPLE_SECTIONS,
			 .time_stamp = 0x65000000,
			 .optional_size = sizeof(struct pe_optional_header) +
					  PE_DIRECTORIES * sizeof(struct pe_directory),
			 .characteristics = PE_FILE_EXECUTABLE | PE_FILE_LARGE_ADDRESS_AWARE},
		.optional = {.magic = PE_MAGIC_32_PLUS,
			     .entry_point = SAMPLE_ENTRY,
			     .code_base = SAMPLE_TEXT,
			     .image_base = SAMPLE_BASE,
			     .section_alignment = 0x1000,
			     .file_alignment = 0x200,
			     .subsystem_major = 10,
			     .image_size = SAMPLE_END,
			     .headers_size = 0x400,
			     .subsystem = PE_SUBSYSTEM_NATIVE,
			     .dll_characteristics = PE_DLL_DYNAMIC_BASE | PE_DLL_NX_COMPAT |
						    PE_DLL_FORCE_INTEGRITY,
			     .directory_count = PE_DIRECTORIES},
	};
	struct pe_directory directory[PE_DIRECTORIES] = {
		[PE_EXPORTS] = {SAMPLE_EXPORTS, SAMPLE_EXPORTS_END - SAMPLE_EXPORTS},
		[PE_IMPORTS] = {SAMPLE_DESCRIPTORS, 60},
		[PE_EXCEPTIONS] = {SAMPLE_PDATA, 12},
		[PE_RELOCATIONS] = {SAMPLE_RELOC, 0x18},
		[PE_LOAD_CONFIG] = {SAMPLE_LOAD_CONFIG, 0x94},
	};
	memcpy(s->bytes, &dos, sizeof(dos));
	memcpy(s->bytes + SAMPLE_NT, &nt, sizeof(nt));
	memcpy(s->bytes + SAMPLE_DIRECTORY(0), directory, sizeof(directory));
	for (int i = 0; i < SAMPLE_SECTIONS; i++) {
		const struct sample_section_row *row = &sample_sections[i];
		struct pe_section_header header = {
			.virtual_size = row->virtual_size,
			.rva = row->rva,
			.file_size = row->file_size,
			.file_offset = row->file_offset,
			.characteristics = row->flags,
		};
		memcpy(header.name, row->name, strlen(row->name));
		memcpy(s->bytes + SAMPLE_SECTION(i, name), &header, sizeof(header));
	}
}

static inline void sample_imports(struct sample *s)
{
	static const struct pe_import_descriptor descriptors[2] = {
		{.lookup_table = SAMPLE_LOOKUP_NTOS,
		 .name = SAMPLE_DLL_NTOS,
		 .address_table = SAMPLE_IAT_NTOS},
		{.lookup_table = SAMPLE_LOOKUP_CNG,
		 .name = SAMPLE_DLL_CNG,
		 .address_table = SAMPLE_IAT_CNG},
	};
	static const uint64_t ntos[5] = {SAMPLE_NAMES, SAMPLE_NAMES + 0x10, SAMPLE_NAMES + 0x20,
					 PE_IMPORT_BY_ORDINAL | 1, 0};
	static const uint64_t cng[2] = {SAMPLE_NAMES + 0x30, 0};
	sample_put(s, SAMPLE_DESCRIPTORS, descriptors, sizeof(descriptors));
	sample_put(s, SAMPLE_LOOKUP_NTOS, ntos, sizeof(ntos));
	sample_put(s, SAMPLE_IAT_NTOS, ntos, sizeof(ntos));
	sample_put(s, SAMPLE_LOOKUP_CNG, cng, sizeof(cng));
	sample_put(s, SAMPLE_IAT_CNG, cng, sizeof(cng));
	sample_put_text(s, SAMPLE_NAMES + 2, "DbgPrint");
	sample_put_text(s, SAMPLE_NAMES + 0x12, "PsProcessType");
	sample_put_text(s, SAMPLE_NAMES + 0x22, "NotThereAtAll");
	sample_put_text(s, SAMPLE_NAMES + 0x32, "BCryptFoo");
	sample_put_text(s, SAMPLE_DLL_NTOS, "NTOSKRNL.exe");
	sample_put_text(s, SAMPLE_DLL_CNG, "cng.sys");
}

static inline void sample_exports(struct sample *s)
{
	static const struct pe_export_directory directory = {
		.name = SAMPLE_EXPORT_TEXT,
		.base = 5,
		.function_count = 4,
		.name_count = 3,
		.functions = SAMPLE_FUNCTIONS,
		.names = SAMPLE_EXPORT_NAMES,
		.ordinals = SAMPLE_ORDINALS,
	};
	static const uint32_t functions[4] = {SAMPLE_ALPHA, 0, SAMPLE_EXPORT_TEXT + 0x30,
					      SAMPLE_POINTER};
	static const uint32_t names[3] = {SAMPLE_EXPORT_TEXT + 0x10, SAMPLE_EXPORT_TEXT + 0x18,
					  SAMPLE_EXPORT_TEXT + 0x20};
	static const uint16_t ordinals[3] = {0, 2, 3};
	sample_put(s, SAMPLE_EXPORTS, &directory, sizeof(directory));
	sample_put(s, SAMPLE_FUNCTIONS, functions, sizeof(functions));
	sample_put(s, SAMPLE_EXPORT_NAMES, names, sizeof(names));
	sample_put(s, SAMPLE_ORDINALS, ordinals, sizeof(ordinals));
	sample_put_text(s, SAMPLE_EXPORT_TEXT, "sample.sys");
	sample_put_text(s, SAMPLE_EXPORT_TEXT + 0x10, "Alpha");
	sample_put_text(s, SAMPLE_EXPORT_TEXT + 0x18, "Beta");
	sample_put_text(s, SAMPLE_EXPORT_TEXT + 0x20, "Gamma");
	sample_put_text(s, SAMPLE_EXPORT_TEXT + 0x30, "NTOSKRNL.DbgPrint");
}

static inline void sample_tables(struct sample *s)
{
	static const struct {
		struct pe_relocation_block block;
		uint16_t row[2];
		struct pe_relocation_block block2;
		uint16_t row2[2];
	} relocations = {
		{SAMPLE_RDATA, 12},
		{PE_RELOCATION_DIR64 << 12 | (SAMPLE_LOAD_CONFIG + PE_LOAD_CONFIG_COOKIE) % 0x1000,
		 0},
		{SAMPLE_DATA, 12},
		{PE_RELOCATION_DIR64 << 12 | SAMPLE_POINTER % 0x1000,
		 PE_RELOCATION_HIGHLOW << 12 | SAMPLE_LOW_HALF % 0x1000},
	};
	static const struct pe_runtime_function function = {SAMPLE_TEXT, SAMPLE_TEXT + 0x20,
							    SAMPLE_UNWIND};
	static const uint8_t unwind[4] = {1, 0, 0, 0};
	uint32_t load_config_size = 0x94;
	uint64_t cookie = SAMPLE_DEFAULT_COOKIE, cookie_address = SAMPLE_BASE + SAMPLE_COOKIE;
	uint64_t pointer = SAMPLE_BASE + SAMPLE_ALPHA;
	sample_put(s, SAMPLE_RELOC, &relocations, sizeof(relocations));
	sample_put(s, SAMPLE_PDATA, &function, sizeof(function));
	sample_put(s, SAMPLE_UNWIND, unwind, sizeof(unwind));
	sample_put(s, SAMPLE_LOAD_CONFIG, &load_config_size, sizeof(load_config_size));
	sample_put(s, SAMPLE_LOAD_CONFIG + PE_LOAD_CONFIG_COOKIE, &cookie_address, 8);
	sample_put(s, SAMPLE_COOKIE, &cookie, sizeof(cookie));
	sample_put(s, SAMPLE_POINTER, &pointer, sizeof(pointer));
	sample_put(s, SAMPLE_LOW_HALF, &pointer, 4);
}

static inline struct sample sample_make(void)
{
	static const uint8_t return_success[] = {0x31, 0xC0, 0xC3}; /* xor eax, eax; ret */
	struct sample s = {.size = SAMPLE_SIZE};
	sample_headers(&s);
	sample_put(&s, SAMPLE_ENTRY, return_success, sizeof(return_success));
	sample_put(&s, SAMPLE_ALPHA, return_success, sizeof(return_success));
	sample_imports(&s);
	sample_exports(&s);
	sample_tables(&s);
	return s;
}

/* Writes it to a file; false if that fails. */
static inline bool sample_write(const struct sample *s, const char *path)
{
	FILE *file = fopen(path, "wb");
	if (!file)
		return false;
	bool written = fwrite(s->bytes, 1, s->size, file) == s->size;
	return fclose(file) == 0 && written;
}

#endif
