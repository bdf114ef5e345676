/* SPDX-License-Identifier: MIT */
/*
 * Sections of images: the file read once, its sections laid out in memory that every view
 * is a private copy of, as NT shares an image's pages until they are written. And those of
 * known DLLs, which NT makes as it starts; here one is made when it is first asked
 * for, if the user's root has such a file.
 */
#include "io/file.h"
#include "io/volume.h"
#include "memory.h"
#include "mm/section.h"
#include "mm/virtual.h"
#include "ob/directory.h"
#include "rtl/string.h"
#include "rtl/utf.h"
#include <string.h>

/* ---- Laying out ------------------------------------------------------------------------- */

static NTSTATUS read_file(int fd, char **bytes, size_t *size)
{
	struct host_file_info info;
	int error = host_file_info(fd, &info);
	if (error)
		return volume_status(error);
	if (info.size > PE_MAX_IMAGE_SIZE)
		return STATUS_INVALID_IMAGE_FORMAT;
	*bytes = host_alloc(info.size);
	if (!*bytes)
		return STATUS_INSUFFICIENT_RESOURCES;
	int64_t got = host_read_file(fd, *bytes, info.size, 0);
	*size = got < 0 ? 0 : (size_t)got;
	return got < 0 ? volume_status((int)got) : STATUS_SUCCESS;
}

static NTSTATUS lay_out(const char *bytes, size_t size, struct mm_section *section)
{
	struct pe_error error;
	if (size < 2 || memcmp(bytes, "MZ", 2) != 0)
		return STATUS_INVALID_IMAGE_NOT_MZ;
	if (!pe_parse(bytes, size, section->image, &error))
		return STATUS_INVALID_IMAGE_FORMAT;
	section->size = section->image->image_size;
	section->memory = host_open_memory(section->size);
	if (section->memory < 0)
		return STATUS_COMMITMENT_LIMIT;
	void *image = host_map_file(NULL, section->size, section->memory, 0, true);
	if (!image)
		return STATUS_INSUFFICIENT_RESOURCES;
	pe_lay_out(section->image, bytes, image);
	bool sound = pe_visit_relocations(section->image, image, NULL, NULL, &error);
	host_unmap(image, section->size);
	return sound ? STATUS_SUCCESS : STATUS_INVALID_IMAGE_FORMAT;
}

NTSTATUS mm_lay_out_image(int fd, struct mm_section *section)
{
	char *bytes = NULL;
	size_t size = 0;
	section->image = host_alloc(sizeof(*section->image));
	if (!section->image)
		return STATUS_INSUFFICIENT_RESOURCES;
	NTSTATUS status = read_file(fd, &bytes, &size);
	if (NT_SUCCESS(status))
		status = lay_out(bytes, size, section);
	host_free(bytes);
	return status;
}

/* ---- Known DLLs ------------------------------------------------------------------------------ */

#define KNOWN u"\\KnownDlls\\"
#define FOLDER u"\\SystemRoot\\System32\\"

static bool open_file(const UNICODE_STRING *name, PFILE_OBJECT *file)
{
	char text[sizeof(FOLDER) + 512];
	size_t folder = sizeof(FOLDER) - 2;
	IO_STATUS_BLOCK ignored;
	if (name->Length > 512)
		return false;
	memcpy(text, FOLDER, folder);
	memcpy(text + folder, name->Buffer, name->Length);
	UNICODE_STRING path = {(USHORT)(folder + name->Length), 0, (PWSTR)(void *)text};
	struct io_open open = {.name = &path,
			       .access = FILE_READ_DATA | FILE_EXECUTE,
			       .share = FILE_SHARE_READ | FILE_SHARE_DELETE,
			       .disposition = FILE_OPEN,
			       .options = FILE_NON_DIRECTORY_FILE,
			       .mode = KernelMode};
	return NT_SUCCESS(io_open_device(&open, file, &ignored));
}

bool mm_know_dll(POBJECT_ATTRIBUTES attributes)
{
	UNICODE_STRING known = {sizeof(KNOWN) - 2, 0, (PWSTR)(uintptr_t)KNOWN};
	UNICODE_STRING name = *attributes->ObjectName;
	PFILE_OBJECT file;
	struct mm_section *section;
	if (attributes->RootDirectory || !RtlPrefixUnicodeString(&known, &name, TRUE))
		return false;
	name.Buffer += known.Length / 2;
	name.Length -= known.Length;
	if (!open_file(&name, &file))
		return false;
	NTSTATUS status = mm_create_section(&(struct mm_section_wish){.protect = PAGE_EXECUTE,
								      .attributes = SEC_IMAGE,
								      .file = file},
					    &section);
	ob_dereference(file);
	if (!NT_SUCCESS(status))
		return false;
	status = ob_insert(section, NULL, attributes->ObjectName, true);
	ob_dereference(section);
	return NT_SUCCESS(status) || status == STATUS_OBJECT_NAME_COLLISION;
}
