/* SPDX-License-Identifier: MIT */
/*
 * The stack on which the kernel and its drivers run, apart from that of the program
 * around them: what a driver writes behind its own frames ends at a guard page, and the
 * frame that takes over after the bug check (bugcheck.c) is still whole.
 */
#ifndef RINGSIDE_KE_KERNELSTACK_H
#define RINGSIDE_KE_KERNELSTACK_H

#include <stdint.h>

struct ke_processor;

/* Gives this host thread its kernel stack, if there is memory, and takes it away. */
void ke_make_kernel_stack(struct ke_processor *self);
void ke_free_kernel_stack(struct ke_processor *self);

/* Calls fn(argument) on the kernel stack; without one, or when it is on it already, on the
 * stack that it is on. A longjmp out of fn has to be followed by ke_return_to_stack. */
void ke_call_on_kernel_stack(struct ke_processor *self, void (*fn)(void *), void *argument);

/* What the stack limits were, and are again. */
struct ke_stack_limits {
	uintptr_t low, high; /* high: the first address behind it */
};
void ke_return_to_stack(struct ke_processor *self, const struct ke_stack_limits *limits);

#endif
