/* SPDX-License-Identifier: MIT */
/*
 * Return addresses of the current stack, for drivers that record who called.
 *
 * Frames of ours are walked through but not shown: a driver looks every address up in
 * the module list, and our code is in no module there. A frame that nothing describes
 * ends the walk, as on Windows.
 *
 * Pages: RtlCaptureStackBackTrace; RtlWalkFrameChain.
 */
#include "rtl/unwind-chain.h"
#include "ke/stackwalk.h"
#include "rtl/exception.h"

#define FLAG_USER_FRAMES 1
#define SKIP_SHIFT 8

static ULONG walk(const CONTEXT *here, PVOID *to, ULONG skip, ULONG count)
{
	struct rtl_frame frame = {.context = *here};
	ULONG written = 0;
	while (written < count && rtl_look(&frame, UNW_FLAG_NHANDLER) != RTL_FRAME_END) {
		frame.context = frame.caller;
		frame.fault = frame.caller_fault;
		PVOID pc = (PVOID)frame.context.Rip;
		if (!ke_is_driver(ldr_module_of(pc)))
			continue;
		if (skip)
			skip--;
		else
			to[written++] = pc;
	}
	return written;
}

ULONG NTAPI RtlWalkFrameChain(PVOID *Callers, ULONG Count, ULONG Flags)
{
	CONTEXT here;
	if (Flags & FLAG_USER_FRAMES)
		return 0;
	RtlCaptureContext(&here);
	return walk(&here, Callers, Flags >> SKIP_SHIFT & 0xFF, Count);
}

USHORT NTAPI RtlCaptureStackBackTrace(ULONG FramesToSkip, ULONG FramesToCapture, PVOID *BackTrace,
				      PULONG BackTraceHash)
{
	CONTEXT here;
	RtlCaptureContext(&here);
	ULONG count = walk(&here, BackTrace, FramesToSkip,
			   FramesToCapture < 0xFFFF ? FramesToCapture : 0xFFFF);
	ULONG hash = 0;
	for (ULONG i = 0; i < count; i++)
		hash += (ULONG)(ULONG64)BackTrace[i];
	if (BackTraceHash)
		*BackTraceHash = hash;
	return (USHORT)count;
}
