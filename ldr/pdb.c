/* SPDX-License-Identifier: MIT */
/*
 * An image's debug directory has a CodeView entry with a GUID, an age and a path. The PDB
 * beside it has the GUID in its stream 1 and the age in its stream 3; both must be the
 * same, or its symbols would be those of another build.
 *
 * A PDB is a file of blocks. The first says where a list of blocks is that hold the
 * directory; the directory is the number of streams, their sizes, and then the blocks of
 * each. It is read word by word, where it lies, with every number checked by being read
 * through: what leads out of the file cannot be read. Formats: "PE Format" of the Windows
 * documentation, and "The PDB File Format" of LLVM's. Nothing is kept.
 */
#include "ldr/pdb.h"
#include <string.h>

/* ---- The image ------------------------------------------------------------------------------ */

struct debug_entry {
	uint32_t characteristics, time_stamp;
	uint16_t major, minor;
	uint32_t type, size, rva, offset;
};
_Static_assert(sizeof(struct debug_entry) == 28, "PE format");

enum { DEBUG_CODEVIEW = 2, MOST_ENTRIES = 64 };

struct codeview {
	uint32_t signature;
	struct pdb_id id;
};
_Static_assert(sizeof(struct codeview) == 24, "as linkers write it; the path follows");

#define RSDS 0x53445352

/* The linker's path can be one of Windows. */
static const char *base_name(const char *path)
{
	const char *base = path;
	for (; *path; path++) {
		if (*path == '/' || *path == '\\')
			base = path + 1;
	}
	return base;
}

static bool read_codeview(const struct ldr_bytes *file, uint64_t offset, struct pdb_id *id,
			  char *name, size_t size)
{
	struct codeview codeview;
	char path[512];
	if (!ldr_read_bytes(file, offset, &codeview, sizeof(codeview)) ||
	    codeview.signature != RSDS ||
	    !ldr_read_text(file, offset + sizeof(codeview), path, sizeof(path)))
		return false;
	const char *base = base_name(path);
	if (!*base || strlen(base) >= size)
		return false;
	*id = codeview.id;
	strcpy(name, base);
	return true;
}

bool pdb_of_image(const struct ldr_bytes *file, const struct pe *pe, struct pdb_id *id, char *name,
		  size_t size)
{
	struct pe_directory directory = pe->directory[PE_DEBUG];
	uint64_t at = pe_file_offset(pe, directory.rva);
	for (unsigned i = 0; directory.rva && i < MOST_ENTRIES; i++) {
		struct debug_entry entry;
		uint64_t offset = i * sizeof(entry);
		if (offset + sizeof(entry) > directory.size ||
		    !ldr_read_bytes(file, at + offset, &entry, sizeof(entry)))
			return false;
		if (entry.type == DEBUG_CODEVIEW &&
		    read_codeview(file, entry.offset, id, name, size))
			return true;
	}
	return false;
}

/* ---- The PDB -------------------------------------------------------------------------------- */

static const char magic[32] = "Microsoft C/C++ MSF 7.00\r\n\x1A"
			      "DS\0\0";

struct super_block {
	char magic[32];
	uint32_t block_size, free_map, block_count, directory_size, unknown, directory_map;
};

struct msf {
	const struct ldr_bytes *file;
	struct super_block super;
};

/* Real ones have some hundreds. */
#define MOST_STREAMS 65536u

#define NO_STREAM UINT32_MAX

/* A size that is no power of two would let words lie across blocks. */
static bool open_msf(struct msf *msf, const struct ldr_bytes *file)
{
	const struct super_block *super = &msf->super;
	msf->file = file;
	return ldr_read_bytes(file, 0, &msf->super, sizeof(msf->super)) &&
	       memcmp(super->magic, magic, sizeof(magic)) == 0 && super->block_size >= 512 &&
	       super->block_size <= 65536 && (super->block_size & (super->block_size - 1)) == 0;
}

static bool read_block(const struct msf *msf, uint32_t block, uint32_t offset, void *to,
		       size_t size)
{
	return ldr_read_bytes(msf->file, (uint64_t)block * msf->super.block_size + offset, to,
			      size);
}

static bool directory_word(const struct msf *msf, uint64_t index, uint32_t *word)
{
	uint64_t offset = index * sizeof(*word);
	uint32_t block_size = msf->super.block_size, block;
	uint64_t entry = offset / block_size * sizeof(block);
	return offset < msf->super.directory_size &&
	       ldr_read_bytes(msf->file, (uint64_t)msf->super.directory_map * block_size + entry,
			      &block, sizeof(block)) &&
	       read_block(msf, block, (uint32_t)(offset % block_size), word, sizeof(*word));
}

/* The beginning of a stream: at most what its first block holds. */
static bool read_stream(const struct msf *msf, uint32_t stream, void *to, size_t size)
{
	uint32_t streams, length = 0, block;
	uint64_t before = 0; /* blocks of the streams before it */
	if (!directory_word(msf, 0, &streams) || stream >= streams || streams > MOST_STREAMS)
		return false;
	for (uint32_t i = 0; i <= stream; i++) {
		before += (length + (uint64_t)msf->super.block_size - 1) / msf->super.block_size;
		if (!directory_word(msf, 1 + i, &length))
			return false;
		if (length == NO_STREAM)
			length = 0;
	}
	return size <= length && directory_word(msf, 1 + streams + before, &block) &&
	       read_block(msf, block, 0, to, size);
}

bool pdb_read_id(const struct ldr_bytes *pdb, struct pdb_id *id)
{
	struct {
		uint32_t version, time_stamp, age;
		uint8_t guid[16];
	} info;
	struct {
		uint32_t signature, version, age;
	} modules;
	struct msf msf;
	if (!open_msf(&msf, pdb) || !read_stream(&msf, 1, &info, sizeof(info)))
		return false;
	memcpy(id->guid, info.guid, sizeof(id->guid));
	/* Tools that add streams later raise the age of the PDB alone. */
	id->age = read_stream(&msf, 3, &modules, sizeof(modules)) ? modules.age : info.age;
	return true;
}
