/* SPDX-License-Identifier: MIT */
/*
 * The entries of caller.h. Each makes a struct ke_frame of the caller: what the
 * registers that a function must preserve held when the driver called. The one that
 * returns calls a function of Windows' convention, which preserves them.
 */
#include "ldr/caller.h"

/* The instructions below have these numbers in them. */
_Static_assert(offsetof(struct ke_frame, pc) == 0 && offsetof(struct ke_frame, reg) == 8 &&
		       offsetof(struct ke_frame, known) == 136 && sizeof(struct ke_frame) <= 144,
	       "the layout that collect writes");

__asm__("	.macro	collect\n" /* of the frame whose return address is at rsp; into r11 */
	"	push	%rbp\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset %rbp, 0\n"
	"	mov	%rsp, %rbp\n"
	"	.cfi_def_cfa_register %rbp\n"
	"	sub	$176, %rsp\n" /* and the 32 bytes that belong to a called function */
	"	and	$-16, %rsp\n"
	"	lea	32(%rsp), %r11\n"
	"	mov	8(%rbp), %rax\n"
	"	mov	%rax, 0(%r11)\n" /* pc: the return address */
	"	mov	%rbx, 32(%r11)\n"
	"	lea	16(%rbp), %rax\n"
	"	mov	%rax, 40(%r11)\n" /* rsp as it will be after the return */
	"	mov	(%rbp), %rax\n"
	"	mov	%rax, 48(%r11)\n"
	"	mov	%rsi, 56(%r11)\n"
	"	mov	%rdi, 64(%r11)\n"
	"	mov	%r12, 104(%r11)\n"
	"	mov	%r13, 112(%r11)\n"
	"	mov	%r14, 120(%r11)\n"
	"	mov	%r15, 128(%r11)\n"
	"	movl	$0xF0F8, 136(%r11)\n" /* known: the nine above */
	"	.endm\n"

	"	.text\n"
	"	.globl	ldr_irql_entry\n"
	"	.hidden	ldr_irql_entry\n"
	"	.type	ldr_irql_entry, @function\n"
	"ldr_irql_entry:\n"
	"	.cfi_startproc\n"
	"	pop	%r10\n"
	"	collect\n"
	"	mov	%r10, %rdi\n"
	"	mov	%r11, %rsi\n"
	"	call	ldr_irql_violation\n"
	"	ud2\n"
	"	.cfi_endproc\n"
	"	.size	ldr_irql_entry, . - ldr_irql_entry\n"

	"	.globl	ldr_apc_entry\n"
	"	.hidden	ldr_apc_entry\n"
	"	.type	ldr_apc_entry, @function\n"
	"ldr_apc_entry:\n"
	"	.cfi_startproc\n"
	"	.cfi_def_cfa_offset 16\n"
	"	pop	%r10\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	mov	(%rsp), %rax\n" /* the driver's return address */
	"	push	%rcx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	push	%rdx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	push	%r8\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	push	%r9\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	sub	$40, %rsp\n" /* 32 bytes are the called function's */
	"	.cfi_adjust_cfa_offset 40\n"
	"	mov	%r10, %rcx\n"
	"	mov	%rax, %rdx\n"
	"	call	ldr_special_apcs_off\n"
	"	add	$40, %rsp\n"
	"	.cfi_adjust_cfa_offset -40\n"
	"	pop	%r9\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	pop	%r8\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	pop	%rdx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	pop	%rcx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	jmp	*%rax\n"
	"	.cfi_endproc\n"
	"	.size	ldr_apc_entry, . - ldr_apc_entry\n"

	"	.globl	ldr_missing_entry\n"
	"	.hidden	ldr_missing_entry\n"
	"	.type	ldr_missing_entry, @function\n"
	"ldr_missing_entry:\n"
	"	.cfi_startproc\n"
	"	collect\n"
	"	mov	%r10, %rcx\n"
	"	mov	%r11, %rdx\n"
	"	call	ldr_missing_called\n"
	"	leave\n"
	"	.cfi_def_cfa %rsp, 8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.size	ldr_missing_entry, . - ldr_missing_entry\n");
