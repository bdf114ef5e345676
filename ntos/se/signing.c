/* SPDX-License-Identifier: MIT */
/* Signing levels of files. Linux programs carry no signature of Windows' kind, and nothing
 * is kept of what was checked: no file has a cached level. */
#include "se/signing.h"

NTSTATUS NTAPI SeGetCachedSigningLevel(struct _FILE_OBJECT *FileObject, PULONG Flags,
				       PUCHAR SigningLevel, PUCHAR Thumbprint,
				       PULONG ThumbprintSize, PULONG ThumbprintAlgorithm)
{
	(void)FileObject;
	(void)Flags;
	(void)SigningLevel;
	(void)Thumbprint;
	(void)ThumbprintSize;
	(void)ThumbprintAlgorithm;
	return STATUS_NOT_FOUND;
}
