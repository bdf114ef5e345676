/* SPDX-License-Identifier: MIT */
/*
 * A file object for an image: drivers read its FileName and ask for names by it.
 * The name lies behind the body in the same allocation.
 */
#include "ps/file.h"
#include "ob/object.h"
#include <string.h>

#define IO_TYPE_FILE 5

/* Where the path begins in \Device\HarddiskVolume1\path; 0 in any other text. */
static USHORT units_of_device(PCUNICODE_STRING name)
{
	unsigned separators = 0;
	for (USHORT i = 0; i < name->Length / 2; i++)
		if (name->Buffer[i] == '\\' && ++separators == 3)
			return i;
	return 0;
}

FILE_OBJECT *ps_create_file_object(PCUNICODE_STRING native)
{
	USHORT skipped = units_of_device(native);
	USHORT length = native->Length - 2 * skipped;
	FILE_OBJECT *file = ob_create(IoFileObjectType, sizeof *file + length);
	if (!file)
		return NULL;
	file->Type = IO_TYPE_FILE;
	file->Size = sizeof *file;
	file->ReadAccess = file->SharedRead = file->SharedDelete = TRUE;
	file->FileName = (UNICODE_STRING){length, length, (PWSTR)(file + 1)};
	memcpy(file + 1, native->Buffer + skipped, length);
	file->IrpList.Flink = file->IrpList.Blink = &file->IrpList;
	return file;
}
