/* SPDX-License-Identifier: MIT */
/*
 * Headers and sections of a PE32+ image.
 *
 * What is demanded of them is what NT's own memory manager demands of a driver
 * (sections in ascending order without gaps, an aligned e_lfanew, ...), so that
 * a file that loads here would load there; and one thing more, that no offset
 * leads out of the file. Errors name the offset of the field that is wrong.
 */
#include "ldr/pe.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The text of one thing in a file is a line; longer is no name but damage. */
#define MAX_TEXT 4096u

struct reader {
	const uint8_t *file;
	size_t size;
	struct pe *pe;
	struct pe_error *error;
};

void pe_make_printable(char *text)
{
	for (; *text; text++)
		*text = *text < ' ' || *text > '~' ? '?' : *text;
}

bool pe_fail(struct pe_error *error, uint64_t offset, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	error->offset = offset;
	vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
	pe_make_printable(error->text);
	return false;
}

static uint64_t align_up(uint64_t value, uint64_t alignment)
{
	return (value + alignment - 1) & ~(alignment - 1);
}

static bool power_of_two(uint32_t value)
{
	return value && !(value & (value - 1));
}

static bool take(const struct reader *r, uint64_t offset, void *out, size_t length,
		 const char *what)
{
	if (offset > r->size || length > r->size - offset)
		return pe_fail(r->error, r->size,
			       "the file ends inside %s, which needs %zu bytes at 0x%llx", what,
			       length, (unsigned long long)offset);
	memcpy(out, r->file + offset, length);
	return true;
}

/* The offset in the file of a field of the NT headers. */
#define NT_FIELD(r, field) ((r)->pe->nt_offset + offsetof(struct pe_nt_headers, field))

static bool find_nt_headers(const struct reader *r)
{
	struct pe_dos_header dos = {0};
	uint16_t magic = 0;
	if (!take(r, 0, &magic, sizeof(magic), "the DOS header"))
		return false;
	if (magic != PE_DOS_MAGIC)
		return pe_fail(r->error, 0, "not a Windows executable: expected \"MZ\"");
	if (!take(r, 0, &dos, sizeof(dos), "the DOS header"))
		return false;
	uint32_t field = offsetof(struct pe_dos_header, nt_offset);
	if (dos.nt_offset & 3)
		return pe_fail(r->error, field, "e_lfanew is 0x%x, expected a multiple of 4",
			       dos.nt_offset);
	if (dos.nt_offset >= r->size)
		return pe_fail(r->error, field,
			       "e_lfanew is 0x%x, expected less than the file's size 0x%zx",
			       dos.nt_offset, r->size);
	r->pe->nt_offset = dos.nt_offset;
	return true;
}

static const char *machine_name(uint16_t machine)
{
	switch (machine) {
	case 0x014C:
		return "32-bit x86";
	case 0x01C4:
		return "32-bit ARM";
	case 0xAA64:
		return "ARM64";
	case 0xA641:
		return "ARM64EC";
	case 0xA64E:
		return "ARM64X";
	case 0x0200:
		return "Itanium";
	default:
		return "an unknown machine";
	}
}

static bool check_machine(const struct reader *r, const struct pe_nt_headers *nt)
{
	if (nt->signature != PE_SIGNATURE)
		return pe_fail(r->error, NT_FIELD(r, signature),
			       "signature 0x%08x, expected \"PE\\0\\0\"", nt->signature);
	if (nt->file.machine != PE_MACHINE_AMD64)
		return pe_fail(r->error, NT_FIELD(r, file.machine),
			       "an image for %s (machine 0x%04x), expected x64 (0x8664)",
			       machine_name(nt->file.machine), nt->file.machine);
	if (!(nt->file.characteristics & PE_FILE_EXECUTABLE))
		return pe_fail(r->error, NT_FIELD(r, file.characteristics),
			       "characteristics 0x%x do not say that the image is executable (0x2)",
			       nt->file.characteristics);
	return true;
}

/* In two parts: what is for another machine shall be told so, not that its optional
 * header is too short. */
static bool read_nt_headers(const struct reader *r, struct pe_nt_headers *nt)
{
	uint32_t at = r->pe->nt_offset;
	if (!take(r, at, nt, offsetof(struct pe_nt_headers, optional), "the NT headers") ||
	    !check_machine(r, nt) || !take(r, at, nt, sizeof(*nt), "the NT headers"))
		return false;
	if (nt->optional.magic != PE_MAGIC_32_PLUS)
		return pe_fail(r->error, NT_FIELD(r, optional.magic),
			       "optional header magic 0x%x, expected 0x20b (PE32+)",
			       nt->optional.magic);
	return true;
}

static bool check_sizes(const struct reader *r, const struct pe_nt_headers *nt)
{
	const struct pe_optional_header *o = &nt->optional;
	if (!power_of_two(o->section_alignment))
		return pe_fail(r->error, NT_FIELD(r, optional.section_alignment),
			       "section alignment 0x%x, expected a power of two",
			       o->section_alignment);
	if (!power_of_two(o->file_alignment) || o->file_alignment > o->section_alignment)
		return pe_fail(
			r->error, NT_FIELD(r, optional.file_alignment),
			"file alignment 0x%x, expected a power of two up to the section alignment",
			o->file_alignment);
	if (o->image_base & 0xFFFF)
		return pe_fail(r->error, NT_FIELD(r, optional.image_base),
			       "image base 0x%llx, expected a multiple of 64 KiB",
			       (unsigned long long)o->image_base);
	if (o->image_size == 0 || o->image_size > PE_MAX_IMAGE_SIZE)
		return pe_fail(r->error, NT_FIELD(r, optional.image_size),
			       "image size 0x%x, expected 1 to 0x%x", o->image_size,
			       PE_MAX_IMAGE_SIZE);
	if (o->headers_size > r->size || o->headers_size > o->image_size)
		return pe_fail(r->error, NT_FIELD(r, optional.headers_size),
			       "headers of 0x%x bytes, expected at most the file's 0x%zx and the "
			       "image's 0x%x",
			       o->headers_size, r->size, o->image_size);
	if (o->entry_point >= o->image_size)
		return pe_fail(r->error, NT_FIELD(r, optional.entry_point),
			       "entry point RVA 0x%x, expected less than the image size 0x%x",
			       o->entry_point, o->image_size);
	return true;
}

static void take_in(struct pe *pe, const struct pe_nt_headers *nt)
{
	const struct pe_optional_header *o = &nt->optional;
	pe->machine = nt->file.machine;
	pe->characteristics = nt->file.characteristics;
	pe->time_stamp = nt->file.time_stamp;
	pe->symbol_table = nt->file.symbol_table;
	pe->symbol_count = nt->file.symbol_count;
	pe->section_count = nt->file.section_count;
	pe->image_base = o->image_base;
	pe->entry_point = o->entry_point;
	pe->section_alignment = o->section_alignment;
	pe->file_alignment = o->file_alignment;
	pe->image_size = (uint32_t)align_up(o->image_size, PE_PAGE);
	pe->headers_size = o->headers_size;
	pe->checksum = o->checksum;
	pe->subsystem = o->subsystem;
	pe->subsystem_major = o->subsystem_major;
	pe->subsystem_minor = o->subsystem_minor;
	pe->dll_characteristics = o->dll_characteristics;
}

static const char *directory_name(unsigned index)
{
	switch (index) {
	case PE_EXPORTS:
		return "export";
	case PE_IMPORTS:
		return "import";
	case PE_EXCEPTIONS:
		return "exception";
	case PE_RELOCATIONS:
		return "relocation";
	case PE_LOAD_CONFIG:
		return "load configuration";
	default:
		return NULL; /* not read here, so it may say what it likes */
	}
}

static bool read_directories(const struct reader *r, const struct pe_nt_headers *nt)
{
	struct pe *pe = r->pe;
	uint32_t count = nt->optional.directory_count;
	if (count > PE_DIRECTORIES)
		count = PE_DIRECTORIES;
	uint32_t needed = sizeof(nt->optional) + count * sizeof(struct pe_directory);
	if (nt->file.optional_size < needed)
		return pe_fail(r->error, NT_FIELD(r, file.optional_size),
			       "optional header of 0x%x bytes, expected 0x%x for %u directories",
			       nt->file.optional_size, needed, count);
	uint64_t at = pe->nt_offset + sizeof(*nt);
	if (!take(r, at, pe->directory, count * sizeof(struct pe_directory), "the directories"))
		return false;
	for (unsigned i = 0; i < count; i++) {
		const struct pe_directory *d = &pe->directory[i];
		if (!directory_name(i) || d->rva == 0)
			continue;
		if ((uint64_t)d->rva + d->size > pe->image_size)
			return pe_fail(r->error, at + i * sizeof(*d),
				       "%s directory at RVA 0x%x with 0x%x bytes, expected inside "
				       "the image of 0x%x",
				       directory_name(i), d->rva, d->size, pe->image_size);
	}
	return true;
}

/* Checks where a section lies in memory; *next is where it has to begin, and then
 * where the next one has to. */
static bool check_place(const struct reader *r, unsigned index, uint64_t *next)
{
	const struct pe *pe = r->pe;
	const struct pe_section *s = &pe->section[index];
	uint64_t field = s->header_offset + offsetof(struct pe_section_header, rva);
	if (s->virtual_size == 0)
		return pe_fail(r->error,
			       s->header_offset + offsetof(struct pe_section_header, virtual_size),
			       "section %u (%s) has no size", index + 1, s->name);
	if (s->rva < *next)
		return pe_fail(r->error, field,
			       "section %u (%s) at RVA 0x%x overlaps what ends at 0x%llx",
			       index + 1, s->name, s->rva, (unsigned long long)*next);
	if (s->rva > *next)
		return pe_fail(r->error, field,
			       "section %u (%s) at RVA 0x%x leaves a gap, expected 0x%llx",
			       index + 1, s->name, s->rva, (unsigned long long)*next);
	uint64_t end = (uint64_t)s->rva + s->virtual_size;
	if (end > pe->image_size)
		return pe_fail(
			r->error, field,
			"section %u (%s) ends at RVA 0x%llx, expected at most the image size 0x%x",
			index + 1, s->name, (unsigned long long)end, pe->image_size);
	*next = align_up(end, pe->section_alignment);
	return true;
}

static bool check_bytes(const struct reader *r, unsigned index)
{
	const struct pe_section *s = &r->pe->section[index];
	uint64_t field = s->header_offset + offsetof(struct pe_section_header, file_offset);
	if (s->file_size == 0)
		return true;
	if ((uint64_t)s->file_offset + s->file_size > r->size)
		return pe_fail(
			r->error, field,
			"section %u (%s) takes 0x%x bytes at 0x%x of the file, which ends at 0x%zx",
			index + 1, s->name, s->file_size, s->file_offset, r->size);
	/* Below page size NT maps the file as it is, in one piece. */
	if (r->pe->section_alignment < PE_PAGE && s->file_offset != s->rva)
		return pe_fail(r->error, field,
			       "section %u (%s) at 0x%x of the file, expected its RVA 0x%x "
			       "(alignment 0x%x)",
			       index + 1, s->name, s->file_offset, s->rva,
			       r->pe->section_alignment);
	return true;
}

static bool read_section(const struct reader *r, unsigned index, uint64_t at)
{
	struct pe_section_header header = {0};
	struct pe_section *s = &r->pe->section[index];
	if (!take(r, at, &header, sizeof(header), "the section table"))
		return false;
	memcpy(s->name, header.name, sizeof(header.name));
	pe_make_printable(s->name);
	s->rva = header.rva;
	s->virtual_size = header.virtual_size ? header.virtual_size : header.file_size;
	s->file_offset = header.file_offset;
	s->file_size = header.file_offset ? header.file_size : 0;
	s->characteristics = header.characteristics;
	s->header_offset = (uint32_t)at;
	return true;
}

static bool read_sections(const struct reader *r, const struct pe_nt_headers *nt)
{
	struct pe *pe = r->pe;
	if (pe->section_count == 0 || pe->section_count > PE_MAX_SECTIONS)
		return pe_fail(r->error, NT_FIELD(r, file.section_count),
			       "%u sections, expected 1 to %u", pe->section_count, PE_MAX_SECTIONS);
	uint64_t table = NT_FIELD(r, optional) + nt->file.optional_size;
	uint64_t end = table + pe->section_count * sizeof(struct pe_section_header);
	if (end > pe->headers_size)
		return pe_fail(r->error, NT_FIELD(r, optional.headers_size),
			       "headers of 0x%x bytes, expected 0x%llx for the section table",
			       pe->headers_size, (unsigned long long)end);
	uint64_t next = align_up(pe->headers_size, pe->section_alignment);
	for (unsigned i = 0; i < pe->section_count; i++) {
		if (!read_section(r, i, table + i * sizeof(struct pe_section_header)) ||
		    !check_place(r, i, &next) || !check_bytes(r, i))
			return false;
	}
	return true;
}

bool pe_parse(const void *file, size_t size, struct pe *pe, struct pe_error *error)
{
	struct reader r = {file, size, pe, error};
	struct pe_nt_headers nt = {0};
	memset(pe, 0, sizeof(*pe));
	if (size > PE_MAX_IMAGE_SIZE)
		return pe_fail(error, 0, "a file of 0x%zx bytes, expected at most 0x%x", size,
			       PE_MAX_IMAGE_SIZE);
	pe->file_size = (uint32_t)size;
	if (!find_nt_headers(&r) || !read_nt_headers(&r, &nt) || !check_sizes(&r, &nt))
		return false;
	take_in(pe, &nt);
	return read_directories(&r, &nt) && read_sections(&r, &nt);
}

/* How many bytes of the file reach memory: a section's tail beyond its last page
 * does not. */
static uint32_t bytes_in_memory(const struct pe *pe, const struct pe_section *s)
{
	uint32_t unit = pe->section_alignment < PE_PAGE ? pe->section_alignment : PE_PAGE;
	uint64_t room = align_up(s->virtual_size, unit);
	return s->file_size < room ? s->file_size : (uint32_t)room;
}

void pe_lay_out(const struct pe *pe, const void *file, void *image)
{
	const uint8_t *from = file;
	uint8_t *to = image;
	memcpy(to, from, pe->headers_size);
	for (unsigned i = 0; i < pe->section_count; i++) {
		const struct pe_section *s = &pe->section[i];
		memcpy(to + s->rva, from + s->file_offset, bytes_in_memory(pe, s));
	}
}

void *pe_at(const struct pe *pe, void *image, uint64_t rva, uint64_t length)
{
	if (rva > pe->image_size || length > pe->image_size - rva)
		return NULL;
	return (uint8_t *)image + rva;
}

const char *pe_text(const struct pe *pe, const void *image, uint32_t rva)
{
	if (rva >= pe->image_size)
		return NULL;
	uint32_t room = pe->image_size - rva;
	const char *text = (const char *)image + rva;
	return memchr(text, 0, room < MAX_TEXT ? room : MAX_TEXT) ? text : NULL;
}

const struct pe_section *pe_section_of(const struct pe *pe, uint32_t rva)
{
	for (unsigned i = 0; i < pe->section_count; i++) {
		const struct pe_section *s = &pe->section[i];
		if (rva >= s->rva && rva - s->rva < s->virtual_size)
			return s;
	}
	return NULL;
}

uint64_t pe_file_offset(const struct pe *pe, uint64_t rva)
{
	const struct pe_section *s = rva < pe->image_size ? pe_section_of(pe, (uint32_t)rva) : NULL;
	if (!s)
		return rva < pe->headers_size ? rva : pe->file_size;
	/* What only memory has is named by the end of the section's bytes. */
	uint64_t within = rva - s->rva;
	return s->file_offset + (within < s->file_size ? within : s->file_size);
}
