/* SPDX-License-Identifier: MIT */
/*
 * The entries of caller.h. Each puts its first argument into r10 and the function
 * into rax; the common tail makes a struct ke_frame of the caller: what the
 * registers that a function must preserve held when the driver called.
 */
#include "ldr/caller.h"

/* The instructions below have these numbers in them. */
_Static_assert(offsetof(struct ke_frame, pc) == 0 && offsetof(struct ke_frame, reg) == 8 &&
		       offsetof(struct ke_frame, known) == 136 && sizeof(struct ke_frame) <= 144,
	       "the layout that collect writes");

__asm__("	.text\n"
	"	.globl	ldr_irql_entry\n"
	"	.hidden	ldr_irql_entry\n"
	"	.type	ldr_irql_entry, @function\n"
	"ldr_irql_entry:\n"
	"	pop	%r10\n"
	"	lea	ldr_irql_violation(%rip), %rax\n"
	"	jmp	ldr_collect\n"
	"	.size	ldr_irql_entry, . - ldr_irql_entry\n"

	"	.globl	ldr_missing_entry\n"
	"	.hidden	ldr_missing_entry\n"
	"	.type	ldr_missing_entry, @function\n"
	"ldr_missing_entry:\n"
	"	lea	ldr_missing_called(%rip), %rax\n"
	"	.size	ldr_missing_entry, . - ldr_missing_entry\n"

	"	.type	ldr_collect, @function\n"
	"ldr_collect:\n"
	"	mov	%rsp, %r11\n"
	"	sub	$144, %rsp\n"
	"	and	$-16, %rsp\n"
	"	mov	(%r11), %rcx\n"
	"	mov	%rcx, 0(%rsp)\n" /* pc: the return address */
	"	mov	%rbx, 32(%rsp)\n"
	"	lea	8(%r11), %rcx\n"
	"	mov	%rcx, 40(%rsp)\n" /* rsp as it will be after the return */
	"	mov	%rbp, 48(%rsp)\n"
	"	mov	%rsi, 56(%rsp)\n"
	"	mov	%rdi, 64(%rsp)\n"
	"	mov	%r12, 104(%rsp)\n"
	"	mov	%r13, 112(%rsp)\n"
	"	mov	%r14, 120(%rsp)\n"
	"	mov	%r15, 128(%rsp)\n"
	"	movl	$0xF0F8, 136(%rsp)\n" /* known: the nine above */
	"	mov	%r10, %rdi\n"
	"	mov	%rsp, %rsi\n"
	"	call	*%rax\n"
	"	ud2\n"
	"	.size	ldr_collect, . - ldr_collect\n");
