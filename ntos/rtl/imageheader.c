/* SPDX-License-Identifier: MIT */
/*
 * Finding one's way in an image. No state.
 *
 * Headers are copied out before they are looked at, so that a base that is no image, or
 * no memory, is answered with NULL and not with a fault.
 *
 * RtlImageNtHeader and its relatives have no pages; drivers call them as phnt declares
 * them.
 */
#include "rtl/imageheader.h"
#include "ldr/pe_format.h"
#include "trap.h"
#include <stdbool.h>
#include <stddef.h>

#define DOS_MAGIC 0x5A4D
#define NT_SIGNATURE 0x4550
#define MAGIC_32 0x10B
#define MAGIC_64 0x20B
#define FARTHEST_HEADER 0x10000000u
#define DIRECTORIES 16
#define BEFORE_DIRECTORIES_32 96

static bool fetch(void *to, const void *from, size_t size)
{
	return host_read(to, from, size) == size;
}

NTSTATUS NTAPI RtlImageNtHeaderEx(ULONG Flags, PVOID Base, ULONG64 Size, PVOID *OutHeaders)
{
	struct pe_dos_header dos;
	uint32_t signature;
	bool bounded = !(Flags & RTL_IMAGE_NT_HEADER_EX_FLAG_NO_RANGE_CHECK);
	if (!OutHeaders)
		return STATUS_INVALID_PARAMETER;
	*OutHeaders = NULL;
	if ((Flags & ~(ULONG)RTL_IMAGE_NT_HEADER_EX_FLAG_NO_RANGE_CHECK) || !Base ||
	    Base == (PVOID)-1)
		return STATUS_INVALID_PARAMETER;
	if ((bounded && Size < sizeof dos) || !fetch(&dos, Base, sizeof dos) ||
	    dos.magic != DOS_MAGIC || dos.nt_offset >= FARTHEST_HEADER)
		return STATUS_INVALID_IMAGE_FORMAT;
	size_t end = dos.nt_offset + sizeof signature + sizeof(struct pe_file_header);
	const char *header = (const char *)Base + dos.nt_offset;
	if ((bounded && end > Size) || !fetch(&signature, header, sizeof signature) ||
	    signature != NT_SIGNATURE)
		return STATUS_INVALID_IMAGE_FORMAT;
	*OutHeaders = (PVOID)(uintptr_t)header;
	return STATUS_SUCCESS;
}

PVOID NTAPI RtlImageNtHeader(PVOID Base)
{
	PVOID header = NULL;
	RtlImageNtHeaderEx(RTL_IMAGE_NT_HEADER_EX_FLAG_NO_RANGE_CHECK, Base, 0, &header);
	return header;
}

/* The directory of an image with 32-bit or 64-bit headers. */
static bool find_directory(const char *header, USHORT index, struct pe_directory *directory,
			   const char **sections)
{
	struct pe_nt_headers nt;
	uint32_t count;
	if (index >= DIRECTORIES || !fetch(&nt, header, sizeof nt))
		return false;
	const char *optional = header + offsetof(struct pe_nt_headers, optional);
	size_t before = nt.optional.magic == MAGIC_64   ? sizeof nt.optional
			: nt.optional.magic == MAGIC_32 ? BEFORE_DIRECTORIES_32
							: 0;
	*sections = optional + nt.file.optional_size;
	return before && fetch(&count, optional + before - sizeof count, sizeof count) &&
	       index < count &&
	       fetch(directory, optional + before + index * sizeof *directory, sizeof *directory) &&
	       directory->rva;
}

/* Where a file has what is at `rva` once it is mapped; NULL for what no section has. */
static char *in_file(char *base, const char *header, const char *sections, uint32_t rva)
{
	struct pe_nt_headers nt;
	struct pe_section_header section;
	if (!fetch(&nt, header, sizeof nt))
		return NULL;
	if (rva < nt.optional.headers_size) /* the same place in both kinds of header */
		return base + rva;
	for (unsigned i = 0; i < nt.file.section_count; i++) {
		if (!fetch(&section, sections + i * sizeof section, sizeof section))
			return NULL;
		if (rva >= section.rva && rva - section.rva < section.file_size)
			return base + section.file_offset + (rva - section.rva);
	}
	return NULL;
}

PVOID NTAPI RtlImageDirectoryEntryToData(PVOID Base, BOOLEAN MappedAsImage, USHORT DirectoryEntry,
					 PULONG Size)
{
	struct pe_directory directory;
	const char *sections;
	bool as_file = !MappedAsImage || ((uintptr_t)Base & 1);
	char *base = (char *)((uintptr_t)Base & ~(uintptr_t)3);
	const char *header = RtlImageNtHeader(base);
	if (!header || !find_directory(header, DirectoryEntry, &directory, &sections))
		return NULL;
	char *data = as_file ? in_file(base, header, sections, directory.rva)
			     : base + directory.rva;
	if (data)
		*Size = directory.size;
	return data;
}
