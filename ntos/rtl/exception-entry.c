/* SPDX-License-Identifier: MIT */
/*
 * Between the registers and a CONTEXT.
 *
 * Each entry of the first group puts a struct ke_exception on the stack, with the
 * registers as its caller will have them after the return, and calls a C function that
 * gets it and does not return. A walk over the stack that comes to a return address
 * between rtl_entries and rtl_entries_end finds that struct where the stack pointer is
 * (exception-frame.c). Faults arrive at rtl_exception_entry, with the struct made by
 * the signal handler.
 *
 * rtl_restore ends in iretq, the one instruction that sets all registers at once without
 * writing to the stack that it goes back to: our own leaf functions have a red zone
 * there.
 */
#include "rtl/exception.h"

_Static_assert(sizeof(struct ke_exception) == 0x670, "the size that SAVE has in it");

#define ENTRY(name)                                                                                \
	"	.globl	" #name "\n"                                                               \
	"	.type	" #name ", @function\n" #name ":\n"

/* All registers into the CONTEXT at rax, which uses rcx; rax and the flags have been pushed
 * after the return address. */
#define SAVE                                                                                       \
	"	mov	%rcx, 0x80(%rax)\n"                                                                  \
	"	mov	%rdx, 0x88(%rax)\n"                                                                  \
	"	mov	%rbx, 0x90(%rax)\n"                                                                  \
	"	lea	24(%rsp), %rcx\n"                                                                    \
	"	mov	%rcx, 0x98(%rax)\n"                                                                  \
	"	mov	%rbp, 0xA0(%rax)\n"                                                                  \
	"	mov	%rsi, 0xA8(%rax)\n"                                                                  \
	"	mov	%rdi, 0xB0(%rax)\n"                                                                  \
	"	mov	%r8, 0xB8(%rax)\n"                                                                   \
	"	mov	%r9, 0xC0(%rax)\n"                                                                   \
	"	mov	%r10, 0xC8(%rax)\n"                                                                  \
	"	mov	%r11, 0xD0(%rax)\n"                                                                  \
	"	mov	%r12, 0xD8(%rax)\n"                                                                  \
	"	mov	%r13, 0xE0(%rax)\n"                                                                  \
	"	mov	%r14, 0xE8(%rax)\n"                                                                  \
	"	mov	%r15, 0xF0(%rax)\n"                                                                  \
	"	mov	(%rsp), %rcx\n"                                                                      \
	"	mov	%rcx, 0x78(%rax)\n"                                                                  \
	"	mov	8(%rsp), %rcx\n"                                                                     \
	"	mov	%ecx, 0x44(%rax)\n"                                                                  \
	"	mov	16(%rsp), %rcx\n"                                                                    \
	"	mov	%rcx, 0xF8(%rax)\n"                                                                  \
	"	fxsave64 0x100(%rax)\n"                                                                  \
	"	mov	0x118(%rax), %ecx\n"                                                                 \
	"	mov	%ecx, 0x34(%rax)\n"                                                                  \
	"	movl	$0x10000B, 0x30(%rax)\n"   /* CONTEXT_FULL */                              \
	"	movl	$0x002B0010, 0x38(%rax)\n" /* the selectors of Windows' kernel */          \
	"	movl	$0x0053002B, 0x3C(%rax)\n"                                                          \
	"	movl	$0x0018002B, 0x40(%rax)\n"

#define RAISE(name, function)                                                                      \
	ENTRY(name)                                                                                \
	"	pushfq\n"                                                                                \
	"	push	%rax\n"                                                                             \
	"	lea	-0x670(%rsp), %rax\n"                                                                \
	"	and	$-16, %rax\n" SAVE "	mov	%rax, %rsp\n"                                     \
	"	mov	%rax, %rdi\n"                                                                        \
	"	cld\n"                                                                                   \
	"	call	" #function "\n"                                                           \
	"	ud2\n"

#define CALL_HANDLER(name)                                                                         \
	ENTRY(name)                                                                                \
	"	.cfi_startproc\n"                                                                        \
	"	push	%rbp\n"                                                                             \
	"	.cfi_def_cfa_offset 16\n"                                                                \
	"	.cfi_offset 6, -16\n"                                                                    \
	"	mov	%rsp, %rbp\n"                                                                        \
	"	.cfi_def_cfa_register 6\n"                                                               \
	"	sub	$48, %rsp\n"                                                                         \
	"	mov	%rcx, 40(%rsp)\n" /* where walks find the dispatcher context */            \
	"	mov	%rcx, %r9\n"                                                                         \
	"	mov	%r8, %rax\n"                                                                         \
	"	mov	%rdx, %r8\n"                                                                         \
	"	mov	%rsi, %rdx\n"                                                                        \
	"	mov	%rdi, %rcx\n"                                                                        \
	"	call	*%rax\n"                                                                            \
	"	.globl	" #name "_return\n" #name "_return:\n"                                     \
	"	leave\n"                                                                                 \
	"	.cfi_def_cfa 7, 8\n"                                                                     \
	"	ret\n"                                                                                   \
	"	.cfi_endproc\n"

__asm__("	.text\n"
	"	.globl	rtl_entries, rtl_entries_end, rtl_exception_entry\n"
	"rtl_entries:\n"
	"rtl_exception_entry:\n"
	"	ldmxcsr	rtl_mxcsr(%rip)\n"
	"	mov	%rsp, %rdi\n"
	"	call	rtl_dispatch_exception\n"
	"	ud2\n"

	RAISE(RtlRaiseException, rtl_raise_record) RAISE(RtlRaiseStatus, rtl_raise_rtl_status)
		RAISE(ExRaiseStatus, rtl_raise_ex_status) RAISE(ExRaiseAccessViolation,
								rtl_raise_access_violation)
			RAISE(ExRaiseDatatypeMisalignment, rtl_raise_misalignment)
				RAISE(ke_raise_status, rtl_raise_for_kernel) RAISE(RtlUnwindEx,
										   rtl_unwind_ex)
					RAISE(_local_unwind, rtl_unwind_local) "rtl_entries_end:\n"

	ENTRY(RtlCaptureContext) "	pushfq\n"
				 "	push	%rax\n"
				 "	mov	%rcx, %rax\n" SAVE "	mov	%rax, %rcx\n"
				 "	pop	%rax\n"
				 "	popfq\n"
				 "	ret\n"

	ENTRY(rtl_restore) "	testb	$8, 0x30(%rdi)\n" /* CONTEXT_FLOATING_POINT */
			   "	jz	1f\n"
			   "	fxrstor64 0x100(%rdi)\n"
			   "	ldmxcsr	0x34(%rdi)\n"
			   "1:	and	$-16, %rsp\n"
			   "	sub	$48, %rsp\n"
			   "	mov	0xF8(%rdi), %rax\n"
			   "	mov	%rax, 0(%rsp)\n"
			   "	xor	%eax, %eax\n"
			   "	mov	%cs, %eax\n"
			   "	mov	%rax, 8(%rsp)\n"
			   "	mov	0x44(%rdi), %eax\n"
			   "	mov	%rax, 16(%rsp)\n"
			   "	mov	0x98(%rdi), %rax\n"
			   "	mov	%rax, 24(%rsp)\n"
			   "	mov	%ss, %eax\n"
			   "	mov	%rax, 32(%rsp)\n"
			   "	mov	0x78(%rdi), %rax\n"
			   "	mov	0x80(%rdi), %rcx\n"
			   "	mov	0x88(%rdi), %rdx\n"
			   "	mov	0x90(%rdi), %rbx\n"
			   "	mov	0xA0(%rdi), %rbp\n"
			   "	mov	0xA8(%rdi), %rsi\n"
			   "	mov	0xB8(%rdi), %r8\n"
			   "	mov	0xC0(%rdi), %r9\n"
			   "	mov	0xC8(%rdi), %r10\n"
			   "	mov	0xD0(%rdi), %r11\n"
			   "	mov	0xD8(%rdi), %r12\n"
			   "	mov	0xE0(%rdi), %r13\n"
			   "	mov	0xE8(%rdi), %r14\n"
			   "	mov	0xF0(%rdi), %r15\n"
			   "	mov	0xB0(%rdi), %rdi\n"
			   "	iretq\n"

	CALL_HANDLER(rtl_call_exception_handler) CALL_HANDLER(rtl_call_unwind_handler)

		"	.section .rodata\n"
		"	.balign	4\n"
		"rtl_mxcsr:\n"
		"	.long	0x1F80\n"
		"	.text\n");
