/* SPDX-License-Identifier: MIT */
/* Where user memory ends, and checks of pointers that come from users. */
#ifndef RINGSIDE_MM_PROBE_H
#define RINGSIDE_MM_PROBE_H

#include <ringside/nt.h>

/* User addresses are below, kernel addresses from here on. */
#define MM_KERNEL_BEGIN 0x500000000000ull

/* Raise STATUS_ACCESS_VIOLATION when [Address, Address + Length) is not below
 * MmUserProbeAddress, STATUS_DATATYPE_MISALIGNMENT when Address is not a multiple of
 * Alignment (1, 2, 4, 8 or 16). No length, no check. ProbeForWrite also writes a byte
 * of each page. IRQL <= APC_LEVEL. */
VOID NTAPI ProbeForRead(const volatile void *Address, SIZE_T Length, ULONG Alignment);
VOID NTAPI ProbeForWrite(volatile void *Address, SIZE_T Length, ULONG Alignment);

/* Whether reading a byte at the address would not fault. */
BOOLEAN NTAPI MmIsAddressValid(PVOID VirtualAddress);

#endif
