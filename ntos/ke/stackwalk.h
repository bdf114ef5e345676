/* SPDX-License-Identifier: MIT */
/* Who called whom: return addresses of this host thread's stack. */
#ifndef RINGSIDE_KE_STACKWALK_H
#define RINGSIDE_KE_STACKWALK_H

#include "ldr/module.h"
#include <ringside/event.h>

/* Where a walk is. Registers are numbered as instructions encode them. */
struct ke_frame {
	ULONG64 pc;
	ULONG64 reg[16];
	unsigned known; /* bit n: reg[n] is what the frame at pc has in it */
};

enum { KE_RBX = 3, KE_RSP = 4, KE_RBP = 5 };

/* Fills in `stack` from `frame` outwards. Any IRQL; any state of the stack, since
 * memory is read so that bad pointers do no harm. */
void ke_walk_stack(const struct ke_frame *frame, struct rs_stack *stack);

/* One frame outwards by the module's unwind information; false when it has none for
 * this place or it makes no sense. `leaf` says that the frame is the innermost, where a
 * function without information is a leaf. */
bool ke_unwind_frame(const struct ldr_module *module, struct ke_frame *frame, bool innermost);

/* Whether `module` is code that drivers are made of, not one of the kernel's own
 * images. */
bool ke_is_driver(const struct ldr_module *module);

/* Whether the bytes before `address` are a call: it can be a return address. */
bool ke_follows_call(const void *address);

#endif
