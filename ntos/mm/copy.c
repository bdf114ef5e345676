/* SPDX-License-Identifier: MIT */
/*
 * Copying between processes. No state.
 *
 * Whose memory an address means: from MM_USER_END on it is the kernel's, the same in
 * every process; below, a live process's own, reached through its source, and of every
 * other process the simulated user memory of this program. Nothing here faults: each copy
 * stops where the memory does.
 *
 * Pages: MmCopyMemory; MmCopyVirtualMemory is described with NtReadVirtualMemory.
 */
#include "mm/copy.h"
#include "faultcopy.h"
#include "ke/bugcheck.h"
#include "mm/probe.h"
#include "mm/section.h"
#include "ps/host.h"
#include "ps/process.h"

#define PIECE ((size_t)16384)

/* A view that a driver made in a live process lies in this program's memory. */
static bool is_foreign(PEPROCESS process, const void *address)
{
	struct mm_view_shown view;
	return process->host_ops && (uintptr_t)address < MM_USER_END &&
	       !mm_find_view(process, (uintptr_t)address, &view);
}

/* As much of [address, address + size) as lies on the same side of the line. */
static size_t within_side(const void *address, size_t size)
{
	uintptr_t begin = (uintptr_t)address;
	uintptr_t limit = begin < MM_USER_END ? MM_USER_END : UINTPTR_MAX;
	return size < limit - begin ? size : limit - begin;
}

size_t mm_read(PEPROCESS process, const void *from, void *to, size_t size)
{
	size = within_side(from, size);
	if (!is_foreign(process, from))
		return host_copy(to, from, size);
	return process->host_ops->read(process->host_id, ps_host_address((uintptr_t)from), to,
				       size);
}

size_t mm_write(PEPROCESS process, void *to, const void *from, size_t size)
{
	size = within_side(to, size);
	if (!is_foreign(process, to))
		return host_copy(to, from, size);
	return process->host_ops->write(process->host_id, ps_host_address((uintptr_t)to), from,
					size);
}

NTSTATUS mm_answer(void *to, const void *from, size_t size)
{
	if (host_copy(to, from, size) == size)
		return STATUS_SUCCESS;
	if ((uintptr_t)to >= MM_USER_END)
		KE_BUG_CHECK(KE_PAGE_FAULT_IN_NONPAGED_AREA, (uintptr_t)to, 1, 0, 0,
			     "an answer of %zu bytes was wanted at %p, where nothing is", size, to);
	return STATUS_ACCESS_VIOLATION;
}

bool mm_may_name(KPROCESSOR_MODE mode, const void *address, size_t size)
{
	uintptr_t begin = (uintptr_t)address;
	return mode == KernelMode || (begin < MM_USER_END && size <= MM_USER_END - begin);
}

/* One piece; how much of it arrived. */
static size_t copy_piece(PEPROCESS source, const char *from, PEPROCESS target, char *to,
			 size_t size)
{
	char piece[PIECE];
	size_t got = mm_read(source, from, piece, size);
	return got ? mm_write(target, to, piece, got) : 0;
}

NTSTATUS NTAPI MmCopyVirtualMemory(PEPROCESS SourceProcess, PVOID SourceAddress,
				   PEPROCESS TargetProcess, PVOID TargetAddress, SIZE_T BufferSize,
				   KPROCESSOR_MODE PreviousMode, PSIZE_T ReturnSize)
{
	size_t done = 0;
	*ReturnSize = 0;
	if (!mm_may_name(PreviousMode, SourceAddress, BufferSize) ||
	    !mm_may_name(PreviousMode, TargetAddress, BufferSize))
		return STATUS_ACCESS_VIOLATION;
	if (SourceProcess->exit_notified || TargetProcess->exit_notified)
		return STATUS_PROCESS_IS_TERMINATING;
	while (done < BufferSize) {
		size_t wanted = BufferSize - done < PIECE ? BufferSize - done : PIECE;
		size_t copied = copy_piece(SourceProcess, (char *)SourceAddress + done,
					   TargetProcess, (char *)TargetAddress + done, wanted);
		done += copied;
		if (copied < wanted)
			break;
	}
	*ReturnSize = done;
	return done == BufferSize ? STATUS_SUCCESS : STATUS_PARTIAL_COPY;
}

NTSTATUS NTAPI MmCopyMemory(PVOID TargetAddress, MM_COPY_ADDRESS SourceAddress,
			    SIZE_T NumberOfBytes, ULONG Flags, PSIZE_T NumberOfBytesTransferred)
{
	*NumberOfBytesTransferred = 0;
	if (Flags != MM_COPY_MEMORY_PHYSICAL && Flags != MM_COPY_MEMORY_VIRTUAL)
		return STATUS_INVALID_PARAMETER;
	/* Physical addresses are those of this process (physical.h); the rest is no RAM. */
	const bool physical = Flags == MM_COPY_MEMORY_PHYSICAL;
	if (physical && !MmIsAddressValid(SourceAddress.VirtualAddress))
		return STATUS_INVALID_ADDRESS;
	size_t done = mm_read(physical ? PsInitialSystemProcess : PsGetCurrentProcess(),
			      SourceAddress.VirtualAddress, TargetAddress, NumberOfBytes);
	*NumberOfBytesTransferred = done;
	return done == NumberOfBytes ? STATUS_SUCCESS : STATUS_PARTIAL_COPY;
}
