/* SPDX-License-Identifier: MIT */
/*
 * The PE32+ file format, as the "PE Format" page of the Windows documentation
 * lays it out: what pe.c reads, kernel.c writes, and the tests do both with.
 * Every structure is free of padding; none may be read in place from a file,
 * since nothing promises alignment there.
 */
#ifndef RINGSIDE_LDR_PE_FORMAT_H
#define RINGSIDE_LDR_PE_FORMAT_H

#include <stdint.h>

#define PE_DOS_MAGIC 0x5A4D     /* "MZ" */
#define PE_SIGNATURE 0x00004550 /* "PE\0\0" */
#define PE_MAGIC_32_PLUS 0x20B
#define PE_MACHINE_AMD64 0x8664

struct pe_dos_header {
	uint16_t magic;
	uint16_t unused[29];
	uint32_t nt_offset; /* e_lfanew */
};
_Static_assert(sizeof(struct pe_dos_header) == 64, "PE format");

struct pe_file_header {
	uint16_t machine;
	uint16_t section_count;
	uint32_t time_stamp;
	uint32_t symbol_table, symbol_count;
	uint16_t optional_size;
	uint16_t characteristics;
};
_Static_assert(sizeof(struct pe_file_header) == 20, "PE format");

#define PE_FILE_RELOCS_STRIPPED 0x0001
#define PE_FILE_EXECUTABLE 0x0002
#define PE_FILE_LARGE_ADDRESS_AWARE 0x0020
#define PE_FILE_DLL 0x2000

struct pe_directory {
	uint32_t rva, size;
};

enum pe_directory_index {
	PE_EXPORTS = 0,
	PE_IMPORTS = 1,
	PE_EXCEPTIONS = 3,
	PE_RELOCATIONS = 5,
	PE_DEBUG = 6,
	PE_LOAD_CONFIG = 10,
	PE_DIRECTORIES = 16
};

struct pe_optional_header {
	uint16_t magic;
	uint8_t linker_major, linker_minor;
	uint32_t code_size, data_size, bss_size;
	uint32_t entry_point;
	uint32_t code_base;
	uint64_t image_base;
	uint32_t section_alignment, file_alignment;
	uint16_t system_major, system_minor, image_major, image_minor;
	uint16_t subsystem_major, subsystem_minor;
	uint32_t win32_version;
	uint32_t image_size, headers_size;
	uint32_t checksum;
	uint16_t subsystem;
	uint16_t dll_characteristics;
	uint64_t stack_reserve, stack_commit, heap_reserve, heap_commit;
	uint32_t loader_flags;
	uint32_t directory_count;
} __attribute__((packed));
_Static_assert(sizeof(struct pe_optional_header) == 112, "PE format: before the directories");

#define PE_SUBSYSTEM_NATIVE 1

#define PE_DLL_HIGH_ENTROPY_VA 0x0020
#define PE_DLL_DYNAMIC_BASE 0x0040
#define PE_DLL_FORCE_INTEGRITY 0x0080
#define PE_DLL_NX_COMPAT 0x0100
#define PE_DLL_GUARD_CF 0x4000

/* What stands at nt_offset, without the directories. */
struct pe_nt_headers {
	uint32_t signature;
	struct pe_file_header file;
	struct pe_optional_header optional;
} __attribute__((packed));

struct pe_section_header {
	char name[8];
	uint32_t virtual_size, rva;
	uint32_t file_size, file_offset;
	uint32_t relocations, line_numbers;
	uint16_t relocation_count, line_number_count;
	uint32_t characteristics;
};
_Static_assert(sizeof(struct pe_section_header) == 40, "PE format");

#define PE_SECTION_CODE 0x00000020
#define PE_SECTION_DATA 0x00000040
#define PE_SECTION_BSS 0x00000080
#define PE_SECTION_DISCARDABLE 0x02000000
#define PE_SECTION_NOT_PAGED 0x08000000
#define PE_SECTION_EXECUTE 0x20000000
#define PE_SECTION_READ 0x40000000
#define PE_SECTION_WRITE 0x80000000

struct pe_import_descriptor {
	uint32_t lookup_table; /* OriginalFirstThunk, or 0 */
	uint32_t time_stamp, forwarder_chain;
	uint32_t name;
	uint32_t address_table; /* FirstThunk */
};
_Static_assert(sizeof(struct pe_import_descriptor) == 20, "PE format");

#define PE_IMPORT_BY_ORDINAL (1ull << 63)

struct pe_export_directory {
	uint32_t flags, time_stamp;
	uint16_t major, minor;
	uint32_t name;
	uint32_t base; /* the first ordinal */
	uint32_t function_count, name_count;
	uint32_t functions, names, ordinals;
};
_Static_assert(sizeof(struct pe_export_directory) == 40, "PE format");

struct pe_relocation_block {
	uint32_t page;
	uint32_t size; /* with this header */
};

enum pe_relocation_type {
	PE_RELOCATION_ABSOLUTE = 0, /* padding */
	PE_RELOCATION_HIGH = 1,
	PE_RELOCATION_LOW = 2,
	PE_RELOCATION_HIGHLOW = 3,
	PE_RELOCATION_DIR64 = 10
};

/* Where the load configuration keeps the address of the security cookie. */
#define PE_LOAD_CONFIG_COOKIE 0x58

/* A RUNTIME_FUNCTION of the exception directory. */
struct pe_runtime_function {
	uint32_t begin, end, unwind;
};

#endif
