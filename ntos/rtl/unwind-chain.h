/* SPDX-License-Identifier: MIT */
/* Return addresses of the current stack. */
#ifndef RINGSIDE_RTL_UNWIND_CHAIN_H
#define RINGSIDE_RTL_UNWIND_CHAIN_H

#include <ringside/nt.h>

/* The driver frames of the current stack, the caller's first; how many were written.
 * Flags: bit 0 asks for user frames, of which there are none; bits 8 to 15 are frames to
 * leave out. Any IRQL. */
ULONG NTAPI RtlWalkFrameChain(PVOID *Callers, ULONG Count, ULONG Flags);

/* The same; *BackTraceHash (NULL: not wanted) becomes the sum of what was written. */
USHORT NTAPI RtlCaptureStackBackTrace(ULONG FramesToSkip, ULONG FramesToCapture, PVOID *BackTrace,
				      PULONG BackTraceHash);

#endif
