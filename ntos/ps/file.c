/* SPDX-License-Identifier: MIT */
/*
 * A file object for an image: drivers read its FileName, ask for names by it, and read the
 * file through it.
 */
#include "ps/file.h"
#include "io/file.h"

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
	USHORT skipped = 2 * units_of_device(native);
	UNICODE_STRING name = {native->Length - skipped, native->Length - skipped,
			       native->Buffer + skipped / 2};
	return io_create_image_file(&name);
}
