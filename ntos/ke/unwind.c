/* SPDX-License-Identifier: MIT */
/*
 * One frame outwards for a stack walk: what rtl/unwind.c knows of a module's functions,
 * with the registers that a walk has. Nothing is kept here.
 */
#include "ke/stackwalk.h"
#include "rtl/unwind.h"
#include <string.h>

bool ke_unwind_frame(const struct ldr_module *module, struct ke_frame *frame, bool innermost)
{
	ULONG rva = (ULONG)(frame->pc - (uintptr_t)module->entry.DllBase);
	struct rtl_image image = rtl_image_of(module);
	CONTEXT context = {.Rip = frame->pc};
	struct rtl_unwinding u = {.image = &image, .context = &context, .known = frame->known};
	RUNTIME_FUNCTION function;

	memcpy(&context.Rax, frame->reg, sizeof(frame->reg));
	/* A return address can lie behind its function's last byte. */
	if (rtl_find_function(&image, rva - !innermost, &function)) {
		if (!rtl_unwind_function(&u, &function, rva, UNW_FLAG_NHANDLER))
			return false;
	} else if (!innermost || !image.table || !rtl_unwind_leaf(&u)) {
		return false; /* only a leaf may go without, and a leaf calls nothing */
	}
	if (context.Rsp < frame->reg[KE_RSP])
		return false;
	frame->pc = context.Rip;
	frame->known = u.known;
	memcpy(frame->reg, &context.Rax, sizeof(frame->reg));
	return true;
}
