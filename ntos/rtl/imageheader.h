/* SPDX-License-Identifier: MIT */
/* The headers of images in memory, mapped or as a file lies there. */
#ifndef RINGSIDE_RTL_IMAGEHEADER_H
#define RINGSIDE_RTL_IMAGEHEADER_H

#include <ringside/nt.h>

#define RTL_IMAGE_NT_HEADER_EX_FLAG_NO_RANGE_CHECK 0x1

/* NULL when there is none; memory that is not there included. */
PVOID NTAPI RtlImageNtHeader(PVOID Base);
NTSTATUS NTAPI RtlImageNtHeaderEx(ULONG Flags, PVOID Base, ULONG64 Size, PVOID *OutHeaders);
/* Bit 0 of Base set: as a file, whatever MappedAsImage says. NULL when it is absent. */
PVOID NTAPI RtlImageDirectoryEntryToData(PVOID Base, BOOLEAN MappedAsImage, USHORT DirectoryEntry,
					 PULONG Size);

#endif
