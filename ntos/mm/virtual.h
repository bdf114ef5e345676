/* SPDX-License-Identifier: MIT */
/* Allocating, freeing, protecting and querying user memory. */
#ifndef RINGSIDE_MM_VIRTUAL_H
#define RINGSIDE_MM_VIRTUAL_H

#include <ringside/nt.h>
#include <stddef.h>

#define PAGE_NOACCESS 0x01
#define PAGE_READONLY 0x02
#define PAGE_READWRITE 0x04
#define PAGE_WRITECOPY 0x08
#define PAGE_EXECUTE 0x10
#define PAGE_EXECUTE_READ 0x20
#define PAGE_EXECUTE_READWRITE 0x40
#define PAGE_EXECUTE_WRITECOPY 0x80

#define MEM_COMMIT 0x1000
#define MEM_RESERVE 0x2000
#define MEM_DECOMMIT 0x4000
#define MEM_RELEASE 0x8000
#define MEM_FREE 0x10000
#define MEM_PRIVATE 0x20000
#define MEM_MAPPED 0x40000
#define MEM_TOP_DOWN 0x100000
#define MEM_IMAGE 0x1000000

typedef struct _MEMORY_BASIC_INFORMATION {
	PVOID BaseAddress, AllocationBase;
	ULONG AllocationProtect;
	USHORT PartitionId;
	SIZE_T RegionSize;
	ULONG State, Protect, Type;
} MEMORY_BASIC_INFORMATION;
_Static_assert(sizeof(MEMORY_BASIC_INFORMATION) == 48, "ntifs.h");
_Static_assert(offsetof(MEMORY_BASIC_INFORMATION, RegionSize) == 0x18, "ntifs.h");

enum memory_information_class { MemoryBasicInformation = 0, MemoryMappedFilenameInformation = 2 };

/* A process is deleted: what it still has allocated goes. */
void mm_forget_process(PEPROCESS process);

/*
 * Exports. Memory of simulated processes is allocated among the user addresses of this
 * program; that of a live process can be queried, and changing it is NOT_SUPPORTED. The
 * Nt forms check a user-mode caller's handle rights (PROCESS_VM_OPERATION,
 * PROCESS_QUERY_INFORMATION).
 */
NTSTATUS NTAPI ZwAllocateVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, ULONG_PTR ZeroBits,
				       PSIZE_T RegionSize, ULONG AllocationType, ULONG Protect);
NTSTATUS NTAPI NtAllocateVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, ULONG_PTR ZeroBits,
				       PSIZE_T RegionSize, ULONG AllocationType, ULONG Protect);
NTSTATUS NTAPI ZwFreeVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
				   ULONG FreeType);
NTSTATUS NTAPI NtFreeVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
				   ULONG FreeType);
NTSTATUS NTAPI ZwProtectVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
				      ULONG NewProtect, PULONG OldProtect);
NTSTATUS NTAPI ZwQueryVirtualMemory(HANDLE ProcessHandle, PVOID BaseAddress,
				    ULONG MemoryInformationClass, PVOID MemoryInformation,
				    SIZE_T MemoryInformationLength, PSIZE_T ReturnLength);
NTSTATUS NTAPI NtQueryVirtualMemory(HANDLE ProcessHandle, PVOID BaseAddress,
				    ULONG MemoryInformationClass, PVOID MemoryInformation,
				    SIZE_T MemoryInformationLength, PSIZE_T ReturnLength);

#endif
