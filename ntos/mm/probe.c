/* SPDX-License-Identifier: MIT */
/*
 * Checks of pointers that come from users.
 *
 * A probe only says on which side of the line an address is; whether memory is there
 * shows when it is used, inside the caller's __try. Nothing is kept and no lock taken.
 *
 * Pages: ProbeForRead, ProbeForWrite, MmIsAddressValid.
 */
#include "mm/probe.h"
#include "ke/raise.h"
#include "faultcopy.h"

#define PAGE_SIZE 4096u

ULONG64 MmUserProbeAddress = MM_KERNEL_BEGIN;
PVOID MmHighestUserAddress = (PVOID)(MM_KERNEL_BEGIN - 1);
PVOID MmSystemRangeStart = (PVOID)MM_KERNEL_BEGIN;

static void check_range(ULONG64 first, SIZE_T length, ULONG alignment, const char *who)
{
	if (first & (alignment - 1))
		ke_raise_status(STATUS_DATATYPE_MISALIGNMENT, who);
	if (first + length < first || first + length > MM_KERNEL_BEGIN)
		ke_raise_status(STATUS_ACCESS_VIOLATION, who);
}

VOID NTAPI ProbeForRead(const volatile void *Address, SIZE_T Length, ULONG Alignment)
{
	if (Length)
		check_range((uintptr_t)Address, Length, Alignment,
			    "ProbeForRead refused its address");
}

VOID NTAPI ProbeForWrite(volatile void *Address, SIZE_T Length, ULONG Alignment)
{
	ULONG64 first = (uintptr_t)Address;
	if (!Length)
		return;
	check_range(first, Length, Alignment, "ProbeForWrite refused its address");
	for (ULONG64 at = first; at < first + Length; at = (at | (PAGE_SIZE - 1)) + 1) {
		volatile UCHAR *byte = (volatile UCHAR *)at;
		*byte = *byte;
	}
}

BOOLEAN NTAPI MmIsAddressValid(PVOID VirtualAddress)
{
	char byte;
	return host_copy(&byte, VirtualAddress, 1) == 1;
}
