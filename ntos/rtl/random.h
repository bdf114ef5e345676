/* SPDX-License-Identifier: MIT */
/* Random numbers, unique ids, and bytes the other way round. */
#ifndef RINGSIDE_RTL_RANDOM_H
#define RINGSIDE_RTL_RANDOM_H

#include <ringside/nt.h>

/* 0 to 2^31 - 2, each seed with its own sequence. */
ULONG NTAPI RtlRandomEx(PULONG Seed);
/* A random UUID (version 4). RETRY never. */
NTSTATUS NTAPI ExUuidCreate(UCHAR Uuid[16]);
USHORT NTAPI RtlUshortByteSwap(USHORT Source);
ULONG NTAPI RtlUlongByteSwap(ULONG Source);
ULONGLONG NTAPI RtlUlonglongByteSwap(ULONGLONG Source);

#endif
