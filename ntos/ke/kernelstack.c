/* SPDX-License-Identifier: MIT */
/*
 * Kernel stacks.
 *
 * A host thread has one, from its arrival in the kernel to its end: its processor owns
 * it and nobody else touches it. It lies between two guard pages. Below it is the usual
 * one, for a stack that is used up. The one above is for the opposite mistake: a driver
 * that copies too much into an array of its own writes upwards, over the frames that
 * called it, and without that page over those of this program too.
 *
 * Much of a megabyte is never touched, and Linux gives no memory for that. It is more
 * than NT has, because listeners and the rest of this program run on it as well.
 */
#include "ke/kernelstack.h"
#include "ke/thread.h"
#include "memory.h"
#include "sanitizer.h"
#include <stdbool.h>

#define PAGE_SIZE 4096u
#define STACK_SIZE (1u << 20)
#define WHOLE_SIZE (PAGE_SIZE + STACK_SIZE + PAGE_SIZE)

/* The caller's frame stays describable: a stack walk goes on behind it. */
void ke_call_on(void (*fn)(void *), void *argument, void *top);
__asm__("	.text\n"
	"	.globl ke_call_on\n"
	"	.hidden ke_call_on\n"
	"	.type ke_call_on, @function\n"
	"ke_call_on:\n"
	"	.cfi_startproc\n"
	"	push %rbp\n"
	"	.cfi_def_cfa_offset 16\n"
	"	.cfi_offset %rbp, -16\n"
	"	mov %rsp, %rbp\n"
	"	.cfi_def_cfa_register %rbp\n"
	"	mov %rdx, %rsp\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	call *%rax\n"
	"	mov %rbp, %rsp\n"
	"	pop %rbp\n"
	"	.cfi_def_cfa %rsp, 8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.size ke_call_on, . - ke_call_on\n");

void ke_make_kernel_stack(struct ke_processor *self)
{
	char *pages = HOST_SANITIZED ? NULL : host_map(WHOLE_SIZE);
	if (!pages)
		return; /* then what runs under a guard is on the stack of its caller */
	host_protect(pages, PAGE_SIZE, HOST_NONE);
	host_protect(pages + PAGE_SIZE + STACK_SIZE, PAGE_SIZE, HOST_NONE);
	self->kernel_stack = pages + PAGE_SIZE;
}

void ke_free_kernel_stack(struct ke_processor *self)
{
	if (self->kernel_stack)
		host_unmap((char *)self->kernel_stack - PAGE_SIZE, WHOLE_SIZE);
	self->kernel_stack = NULL;
}

void ke_return_to_stack(struct ke_processor *self, const struct ke_stack_limits *limits)
{
	self->stack = *limits;
}

void ke_call_on_kernel_stack(struct ke_processor *self, void (*fn)(void *), void *argument)
{
	uintptr_t low = (uintptr_t)self->kernel_stack;
	struct ke_stack_limits before = self->stack;
	if (!low || before.low == low) {
		fn(argument);
		return;
	}
	self->stack = (struct ke_stack_limits){low, low + STACK_SIZE};
	ke_call_on(fn, argument, (char *)self->kernel_stack + STACK_SIZE);
	self->stack = before;
}
