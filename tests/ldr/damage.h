/* SPDX-License-Identifier: MIT */
/* Every way to damage the sample image with one write, and what is said about it. */
#ifndef RINGSIDE_TEST_LDR_DAMAGE_H
#define RINGSIDE_TEST_LDR_DAMAGE_H

#include "ldr/sample.h"

struct sample_damage {
	const char *name;
	uint32_t offset, width; /* of the file */
	uint64_t value;
	uint32_t reported; /* the offset that the error names */
	const char *text;  /* what it contains */
};

#define FIELD(name, field, width, value, text)                                                     \
	{                                                                                          \
		name, SAMPLE_FIELD(field), width, value, SAMPLE_FIELD(field), text                 \
	}
#define SECTION(name, index, field, value, text)                                                   \
	{                                                                                          \
		name, SAMPLE_SECTION(index, field), 4, value, SAMPLE_SECTION(index, field), text   \
	}
/* Offsets of things in .rdata, .data and so on, which the file has 1:1. */
#define RDATA(rva) ((rva)-SAMPLE_RDATA + 0x600u)
#define PDATA(rva) ((rva)-SAMPLE_PDATA + 0xC00u)
#define RELOC(rva) ((rva)-SAMPLE_RELOC + 0xE00u)
#define DESCRIPTOR(index, field)                                                                   \
	(RDATA(SAMPLE_DESCRIPTORS) + (index)*20u +                                                 \
	 (uint32_t)offsetof(struct pe_import_descriptor, field))
#define EXPORT(field)                                                                              \
	(RDATA(SAMPLE_EXPORTS) + (uint32_t)offsetof(struct pe_export_directory, field))

static const struct sample_damage sample_damages[] = {
	{"dos-magic", 0, 2, 0x5858, 0, "expected \"MZ\""},
	{"nt-offset-odd", 0x3C, 4, 0x82, 0x3C, "expected a multiple of 4"},
	{"nt-offset-outside", 0x3C, 4, 0x10000000, 0x3C,
	 "expected less than the file's size 0x1000"},
	{"nt-offset-at-end", 0x3C, 4, 0xFF8, 0x1000, "the file ends inside the NT headers"},
	FIELD("signature", signature, 4, 0x454E, "expected \"PE\\0\\0\""),
	FIELD("machine-x86", file.machine, 2, 0x14C, "32-bit x86 (machine 0x014c), expected x64"),
	FIELD("machine-arm64", file.machine, 2, 0xAA64, "ARM64 (machine 0xaa64), expected x64"),
	FIELD("machine-unknown", file.machine, 2, 0x1234, "an unknown machine"),
	FIELD("not-executable", file.characteristics, 2, 0x20,
	      "do not say that the image is executable"),
	FIELD("relocations-stripped", file.characteristics, 2, 0x23, "relocations are stripped"),
	FIELD("pe32", optional.magic, 2, 0x10B, "expected 0x20b (PE32+)"),
	FIELD("section-alignment", optional.section_alignment, 4, 0x1800,
	      "expected a power of two"),
	FIELD("section-alignment-zero", optional.section_alignment, 4, 0,
	      "expected a power of two"),
	FIELD("file-alignment", optional.file_alignment, 4, 0x300, "expected a power of two"),
	FIELD("file-alignment-large", optional.file_alignment, 4, 0x2000,
	      "up to the section alignment"),
	FIELD("image-base", optional.image_base, 8, 0x140001000, "expected a multiple of 64 KiB"),
	FIELD("image-size-zero", optional.image_size, 4, 0, "image size 0x0"),
	FIELD("image-size-absurd", optional.image_size, 4, 0xFFFFF000, "expected 1 to 0x40000000"),
	FIELD("headers-size-large", optional.headers_size, 4, 0x1001,
	      "expected at most the file's 0x1000"),
	FIELD("headers-size-small", optional.headers_size, 4, 0x100, "for the section table"),
	FIELD("entry-point-outside", optional.entry_point, 4, 0x7000,
	      "expected less than the image size"),
	FIELD("optional-size", file.optional_size, 2, 0xE8, "expected 0xf0 for 16 directories"),
	FIELD("no-sections", file.section_count, 2, 0, "0 sections, expected 1 to 96"),
	FIELD("many-sections", file.section_count, 2, 97, "97 sections, expected 1 to 96"),
	{"sections-beyond-headers", SAMPLE_FIELD(file.section_count), 2, 90,
	 SAMPLE_FIELD(optional.headers_size), "expected 0xf98 for the section table"},
	{"exports-outside", SAMPLE_DIRECTORY(PE_EXPORTS), 4, 0xFFFFF000,
	 SAMPLE_DIRECTORY(PE_EXPORTS), "export directory at RVA 0xfffff000"},
	{"imports-outside", SAMPLE_DIRECTORY(PE_IMPORTS), 4, 0x6FFF, SAMPLE_DIRECTORY(PE_IMPORTS),
	 "import directory at RVA 0x6fff"},
	{"relocations-outside", SAMPLE_DIRECTORY(PE_RELOCATIONS) + 4, 4, 0xFFFFFFFF,
	 SAMPLE_DIRECTORY(PE_RELOCATIONS), "relocation directory at RVA 0x6000"},
	{"load-config-outside", SAMPLE_DIRECTORY(PE_LOAD_CONFIG), 4, 0x7001,
	 SAMPLE_DIRECTORY(PE_LOAD_CONFIG), "load configuration directory at RVA 0x7001"},
	{"exceptions-outside", SAMPLE_DIRECTORY(PE_EXCEPTIONS) + 4, 4, 0x10000,
	 SAMPLE_DIRECTORY(PE_EXCEPTIONS), "exception directory at RVA 0x5000"},

	SECTION("sections-overlap", SAMPLE_S_RDATA, rva, 0x1000,
		"section 2 (.rdata) at RVA 0x1000 overlaps"),
	SECTION("section-over-headers", SAMPLE_S_TEXT, rva, 0,
		"section 1 (.text) at RVA 0x0 overlaps"),
	SECTION("section-gap", SAMPLE_S_RDATA, rva, 0x3000, "leaves a gap, expected 0x2000"),
	SECTION("section-unaligned", SAMPLE_S_RDATA, rva, 0x2010, "leaves a gap, expected 0x2000"),
	{"section-too-long", SAMPLE_SECTION(SAMPLE_S_RELOC, virtual_size), 4, 0x1001,
	 SAMPLE_SECTION(SAMPLE_S_RELOC, rva), "ends at RVA 0x7001"},
	{"section-wraps", SAMPLE_SECTION(SAMPLE_S_RELOC, virtual_size), 4, 0xFFFFFFFF,
	 SAMPLE_SECTION(SAMPLE_S_RELOC, rva), "ends at RVA 0x100005fff"},
	{"section-bytes-outside", SAMPLE_SECTION(SAMPLE_S_RELOC, file_size), 4, 0x201,
	 SAMPLE_SECTION(SAMPLE_S_RELOC, file_offset), "which ends at 0x1000"},
	SECTION("section-bytes-wrap", SAMPLE_S_RELOC, file_offset, 0xFFFFFFFF,
		"takes 0x200 bytes at 0xffffffff"),

	/* The directory's end: no room for a descriptor of zeros. */
	{"imports-endless", SAMPLE_DIRECTORY(PE_IMPORTS), 8, 0x0000001000006FF0ull, 0x1000,
	 "descriptor 0 leaves the image"},
	{"import-dll-name", DESCRIPTOR(1, name), 4, 0x7000, DESCRIPTOR(1, name),
	 "import descriptor 1: DLL name at RVA 0x7000"},
	{"import-lookup-endless", DESCRIPTOR(0, lookup_table), 4, 0x6FFC, 0x1000,
	 "the import table of NTOSKRNL.exe has no end"},
	{"import-name-outside", RDATA(SAMPLE_LOOKUP_NTOS), 8, 0x6FFE, RDATA(SAMPLE_LOOKUP_NTOS),
	 "import 0 of NTOSKRNL.exe: name at RVA 0x6ffe"},
	{"import-name-absurd", RDATA(SAMPLE_LOOKUP_NTOS) + 8, 8, 0x7FFFFFFFFFFFFFFF,
	 RDATA(SAMPLE_LOOKUP_NTOS) + 8, "import 1 of NTOSKRNL.exe: name at RVA 0x7fffffffffffffff"},
	{"import-slots-outside", DESCRIPTOR(1, address_table), 4, 0x6FFC, 0x1000,
	 "the address table of cng.sys leaves the image"},
	{"import-slots-over-headers", DESCRIPTOR(0, address_table), 4, 0x3F8,
	 DESCRIPTOR(0, address_table), "lies over the headers"},
	{"import-slots-over-directory", DESCRIPTOR(0, address_table), 4, SAMPLE_DESCRIPTORS,
	 DESCRIPTOR(0, address_table), "lies over the import directory"},
	{"import-slots-over-lookup", DESCRIPTOR(0, address_table), 4, SAMPLE_LOOKUP_NTOS + 8,
	 DESCRIPTOR(0, address_table), "lies over its lookup table"},
	{"import-slots-shared", DESCRIPTOR(1, address_table), 4, SAMPLE_IAT_NTOS + 8,
	 DESCRIPTOR(1, address_table), "lies over that of descriptor 0"},

	{"exports-cut", SAMPLE_DIRECTORY(PE_EXPORTS), 8, 0x0000001000006FF0ull, 0x1000,
	 "the export directory at RVA 0x6ff0 leaves the image"},
	{"exports-many", EXPORT(function_count), 4, 0x10001, EXPORT(flags), "65537 exports"},
	{"export-names-many", EXPORT(name_count), 4, 0xFFFFFFFF, EXPORT(flags), "4294967295 names"},
	{"export-functions-outside", EXPORT(functions), 4, 0x6FFC, EXPORT(functions),
	 "export address table at RVA 0x6ffc with 4 rows"},
	{"export-names-outside", EXPORT(names), 4, 0xFFFFFFFC, EXPORT(names), "export name table"},
	{"export-ordinals-outside", EXPORT(ordinals), 4, 0x7000, EXPORT(ordinals),
	 "export ordinal table"},
	{"export-row-outside", RDATA(SAMPLE_FUNCTIONS), 4, 0x7000, RDATA(SAMPLE_FUNCTIONS),
	 "export row 0 is RVA 0x7000"},
	{"export-name-outside", RDATA(SAMPLE_EXPORT_NAMES) + 4, 4, 0x80000000,
	 RDATA(SAMPLE_EXPORT_NAMES) + 4, "export name 1 at RVA 0x80000000"},
	{"export-ordinal-absurd", RDATA(SAMPLE_ORDINALS) + 4, 2, 4, RDATA(SAMPLE_ORDINALS) + 4,
	 "export name 2 is for row 4 of 4"},

	{"relocation-block-small", RELOC(SAMPLE_RELOC) + 4, 4, 4, RELOC(SAMPLE_RELOC) + 4,
	 "relocation block of 0x4 bytes"},
	{"relocation-block-odd", RELOC(SAMPLE_RELOC) + 4, 4, 11, RELOC(SAMPLE_RELOC) + 4,
	 "relocation block of 0xb bytes"},
	{"relocation-block-long", RELOC(SAMPLE_RELOC) + 4, 4, 0xFFFFFFF0, RELOC(SAMPLE_RELOC) + 4,
	 "expected 8 to 0x18"},
	{"relocation-type", RELOC(SAMPLE_RELOC) + 8, 2, 0x5000, RELOC(SAMPLE_RELOC) + 8,
	 "relocation of type 5, which x64 does not have"},
	{"relocation-outside", RELOC(SAMPLE_RELOC), 4, 0x6FFF, RELOC(SAMPLE_RELOC) + 8,
	 "relocation at RVA 0x7357"},
	{"relocation-wraps", RELOC(SAMPLE_RELOC), 4, 0xFFFFFFF8, RELOC(SAMPLE_RELOC) + 8,
	 "relocation at RVA 0x100000350"},

	{"load-config-long", RDATA(SAMPLE_LOAD_CONFIG), 4, 0xFFFFFFF0, RDATA(SAMPLE_LOAD_CONFIG),
	 "a load configuration of 0xfffffff0 bytes"},
	{"load-config-cut", SAMPLE_DIRECTORY(PE_LOAD_CONFIG), 8, 0x0000000200006FFEull, 0x1000,
	 "the load configuration at RVA 0x6ffe leaves the image"},
	{"cookie-outside", RDATA(SAMPLE_LOAD_CONFIG) + PE_LOAD_CONFIG_COOKIE, 8,
	 SAMPLE_BASE + 0x6FFC, RDATA(SAMPLE_LOAD_CONFIG) + PE_LOAD_CONFIG_COOKIE,
	 "security cookie at 0x140006ffc"},
	{"cookie-in-headers", RDATA(SAMPLE_LOAD_CONFIG) + PE_LOAD_CONFIG_COOKIE, 8,
	 SAMPLE_BASE + 0x88, RDATA(SAMPLE_LOAD_CONFIG) + PE_LOAD_CONFIG_COOKIE,
	 "security cookie at 0x140000088"},

	{"exception-row-reversed", PDATA(SAMPLE_PDATA) + 4, 4, 0x800, PDATA(SAMPLE_PDATA),
	 "exception row 0 covers RVA 0x1000 to 0x800"},
	{"exception-row-outside", PDATA(SAMPLE_PDATA) + 4, 4, 0x7001, PDATA(SAMPLE_PDATA),
	 "exception row 0 covers RVA 0x1000 to 0x7001"},
	{"exception-unwind-outside", PDATA(SAMPLE_PDATA) + 8, 4, 0x7000, PDATA(SAMPLE_PDATA),
	 "unwind data at 0x7000"},
};

#define SAMPLE_DAMAGES (sizeof(sample_damages) / sizeof(*sample_damages))

#undef FIELD
#undef SECTION
#undef RDATA
#undef PDATA
#undef RELOC
#undef DESCRIPTOR
#undef EXPORT

static inline struct sample sample_damaged(const struct sample_damage *damage)
{
	struct sample s = sample_make();
	sample_poke(&s, damage->offset, damage->value, damage->width);
	return s;
}

#endif
