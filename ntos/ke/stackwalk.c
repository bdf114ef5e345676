/* SPDX-License-Identifier: MIT */
/*
 * Walking a stack on which two worlds alternate.
 *
 * Driver frames are undone with the module's unwind information, which is exact, and
 * our own with theirs. Where a driver has no unwind information (mingw can be told to
 * leave it out) the stack is scanned for the next word that can be a
 * return address into a driver; such frames are marked as guesses. A walk holds no
 * state but the registers it knows, and reads all memory with host_read, because it
 * runs when something has already gone wrong.
 */
#include "ke/stackwalk.h"
#include "ke/dwarf.h"
#include "trap.h"
#include <string.h>

#define MAX_FRAMES (sizeof(((struct rs_stack *)0)->frame) / sizeof(void *))

/* How far a scan looks, and how large a frame of ours can be. */
#define SCAN_SIZE 0x8000u
#define SCAN_CHUNK 64u

#define PAGE_SIZE 4096u

extern char __executable_start, etext; /* the linker's: our own code */

/* The kernel's own images are mapped, but come from no file. */
bool ke_is_driver(const struct ldr_module *module)
{
	return module && (module->path || !module->mapped_size);
}

static bool is_ours(ULONG64 pc)
{
	return pc >= (uintptr_t)&__executable_start && pc < (uintptr_t)&etext;
}

bool ke_follows_call(const void *address)
{
	/* The longest of them is seven bytes: call [reg + reg*n + disp32]. */
	UCHAR code[7];
	if (host_read(code, (const void *)((uintptr_t)address - sizeof(code)), sizeof(code)) !=
	    sizeof(code))
		return false;
	if (code[2] == 0xE8) /* call rel32 */
		return true;
	for (unsigned length = 2; length <= 7; length++) {
		const UCHAR *call = code + sizeof(code) - length;
		if (call[0] == 0xFF && (call[1] >> 3 & 7) == 2) /* call r/m64 */
			return true;
	}
	return false;
}

static bool is_return_into_driver(ULONG64 word)
{
	return ke_is_driver(ldr_module_of((const void *)word)) &&
	       ke_follows_call((const void *)word);
}

/* Looks for a return address into a driver from the stack pointer on, below `end`. */
static bool scan(struct ke_frame *frame, ULONG64 end)
{
	ULONG64 word[SCAN_CHUNK];
	ULONG64 at = (frame->reg[KE_RSP] + 7) & ~7ull;
	while (at < end) {
		size_t wanted = end - at < sizeof(word) ? end - at : sizeof(word);
		size_t count = host_read(word, (const void *)at, wanted) / sizeof(word[0]);
		for (size_t i = 0; i < count; i++) {
			if (!is_return_into_driver(word[i]))
				continue;
			frame->pc = word[i];
			frame->reg[KE_RSP] = at + (i + 1) * sizeof(word[0]);
			return true;
		}
		/* Nothing there: the stack pointer may have run into the guard page. */
		at = count ? at + count * sizeof(word[0]) : (at | (PAGE_SIZE - 1)) + 1;
	}
	return false;
}

static bool has_frame_pointer(const struct ke_frame *frame)
{
	ULONG64 rbp = frame->reg[KE_RBP];
	return (frame->known & 1u << KE_RBP) && rbp % 8 == 0 && rbp >= frame->reg[KE_RSP] &&
	       rbp - frame->reg[KE_RSP] < SCAN_SIZE;
}

static bool follow_frame_pointer(struct ke_frame *frame)
{
	ULONG64 pair[2]; /* the caller's rbp, the return address */
	if (!has_frame_pointer(frame) ||
	    host_read(pair, (const void *)frame->reg[KE_RBP], sizeof(pair)) != sizeof(pair) ||
	    !ke_follows_call((const void *)pair[1]))
		return false;
	frame->reg[KE_RSP] = frame->reg[KE_RBP] + sizeof(pair);
	frame->reg[KE_RBP] = pair[0];
	frame->pc = pair[1];
	frame->known = 1u << KE_RSP | 1u << KE_RBP;
	return true;
}

/* Nothing describes this frame: whatever return address into a driver comes before
 * the frame that rbp points to, if that is one, and that frame otherwise. */
static bool guess(struct ke_frame *frame)
{
	ULONG64 rsp = frame->reg[KE_RSP];
	return scan(frame, has_frame_pointer(frame) ? frame->reg[KE_RBP] : rsp + SCAN_SIZE) ||
	       follow_frame_pointer(frame) || scan(frame, rsp + SCAN_SIZE);
}

/* After a call to where no code is, only the return address has been pushed. */
static bool undo_wild_call(struct ke_frame *frame)
{
	ULONG64 caller;
	char code;
	if (host_read(&code, (const void *)frame->pc, 1) ||
	    host_read(&caller, (const void *)frame->reg[KE_RSP], 8) != 8 ||
	    !ke_follows_call((const void *)caller))
		return false;
	frame->pc = caller;
	frame->reg[KE_RSP] += 8;
	return true;
}

/* Its call frame information describes code that Linux's compilers made, the C library's
 * too. Of the registers those that were known stay so. */
static bool unwind_ours(struct ke_frame *frame, bool innermost)
{
	CONTEXT context = {.Rip = frame->pc};
	if (!(frame->known & 1u << KE_RBP))
		return false;
	memcpy(&context.Rax, frame->reg, sizeof(frame->reg));
	if (!ke_unwind_elf(&context, innermost) || !ke_follows_call((const void *)context.Rip))
		return false;
	frame->pc = context.Rip;
	memcpy(frame->reg, &context.Rax, sizeof(frame->reg));
	return true;
}

static bool step(struct ke_frame *frame, bool innermost, bool *guessed)
{
	const struct ldr_module *module = ldr_module_of((const void *)frame->pc);
	*guessed = false;
	if (module && module->entry.ExceptionTable && ke_unwind_frame(module, frame, innermost))
		return true;
	if (innermost && undo_wild_call(frame))
		return true;
	if (unwind_ours(frame, innermost))
		return true;
	if (!module && is_ours(frame->pc) && follow_frame_pointer(frame))
		return true;
	*guessed = true;
	return guess(frame);
}

void ke_walk_stack(const struct ke_frame *from, struct rs_stack *stack)
{
	struct ke_frame frame = *from;
	bool guessed = false;

	stack->count = 0;
	stack->guessed = 0;
	do {
		stack->guessed |= (ULONG)guessed << stack->count;
		stack->frame[stack->count++] = (const void *)frame.pc;
	} while (stack->count < MAX_FRAMES && step(&frame, stack->count == 1, &guessed));
}
