/* SPDX-License-Identifier: MIT */
/* Copying between the memories of processes. */
#ifndef RINGSIDE_MM_COPY_H
#define RINGSIDE_MM_COPY_H

#include <ringside/nt.h>
#include <stdbool.h>
#include <stddef.h>

/* Below is user memory, of whichever process; from here on the kernel's, of all. */
#define MM_USER_END 0x500000000000ull

/* Copies from or to memory as `process` sees it, which may not be there; how many
 * bytes were copied. User memory of a live process is that process's own. */
size_t mm_read(PEPROCESS process, const void *from, void *to, size_t size);
size_t mm_write(PEPROCESS process, void *to, const void *from, size_t size);

/* Puts a system service's answer where its caller wants it: ACCESS_VIOLATION for user
 * memory that cannot be written. A bad kernel address is bug check 0x50. */
NTSTATUS mm_answer(void *to, const void *from, size_t size);

/* Whether a caller of that mode may name [address, address + size): user mode only user
 * memory. */
bool mm_may_name(KPROCESSOR_MODE mode, const void *address, size_t size);

/* Of MmCopyMemory. */
typedef union _MM_COPY_ADDRESS {
	PVOID VirtualAddress;
	LARGE_INTEGER PhysicalAddress;
} MM_COPY_ADDRESS;
_Static_assert(sizeof(MM_COPY_ADDRESS) == 8, "ntddk.h");

#define MM_COPY_MEMORY_PHYSICAL 0x1
#define MM_COPY_MEMORY_VIRTUAL 0x2

/* PARTIAL_COPY when the memory of one side ends; ReturnSize says where. ACCESS_VIOLATION
 * for kernel addresses of a UserMode caller, PROCESS_IS_TERMINATING. */
NTSTATUS NTAPI MmCopyVirtualMemory(PEPROCESS SourceProcess, PVOID SourceAddress,
				   PEPROCESS TargetProcess, PVOID TargetAddress, SIZE_T BufferSize,
				   KPROCESSOR_MODE PreviousMode, PSIZE_T ReturnSize);
NTSTATUS NTAPI MmCopyMemory(PVOID TargetAddress, MM_COPY_ADDRESS SourceAddress,
			    SIZE_T NumberOfBytes, ULONG Flags, PSIZE_T NumberOfBytesTransferred);

#endif
