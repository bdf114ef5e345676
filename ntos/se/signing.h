/* SPDX-License-Identifier: MIT */
/* Signing levels of files. */
#ifndef RINGSIDE_SE_SIGNING_H
#define RINGSIDE_SE_SIGNING_H

#include <ringside/nt.h>

/* NOT_FOUND for every file. */
NTSTATUS NTAPI SeGetCachedSigningLevel(struct _FILE_OBJECT *FileObject, PULONG Flags,
				       PUCHAR SigningLevel, PUCHAR Thumbprint,
				       PULONG ThumbprintSize, PULONG ThumbprintAlgorithm);

#endif
