/* SPDX-License-Identifier: MIT */
/* What the I/O manager knows of the current thread, and small questions about files. */
#ifndef RINGSIDE_IO_THREAD_H
#define RINGSIDE_IO_THREAD_H

#include <ringside/io.h>

PIRP NTAPI IoGetTopLevelIrp(void);
VOID NTAPI IoSetTopLevelIrp(PIRP Irp);
VOID NTAPI IoGetStackLimits(PULONG_PTR LowLimit, PULONG_PTR HighLimit);
ULONG_PTR NTAPI IoGetInitialStack(void);
PGENERIC_MAPPING NTAPI IoGetFileObjectGenericMapping(void);

/* The answer is pool that the caller frees. */
NTSTATUS NTAPI IoQueryFileDosDeviceName(PFILE_OBJECT FileObject, PVOID *ObjectNameInformation);

#endif
