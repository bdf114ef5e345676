# SPDX-License-Identifier: MIT
#
# Functions whose registers exceptions must keep. All save what a call must keep, and say
# so with unwind information.

# count_lost_registers(function, argument): how many of the registers that a call keeps
# are others after function(argument).
	.text
	.globl	count_lost_registers
	.def	count_lost_registers
	.scl	2
	.type	32
	.endef
	.seh_proc	count_lost_registers
count_lost_registers:
	pushq	%rbx
	.seh_pushreg	%rbx
	pushq	%rbp
	.seh_pushreg	%rbp
	pushq	%rsi
	.seh_pushreg	%rsi
	pushq	%rdi
	.seh_pushreg	%rdi
	pushq	%r12
	.seh_pushreg	%r12
	pushq	%r13
	.seh_pushreg	%r13
	pushq	%r14
	.seh_pushreg	%r14
	pushq	%r15
	.seh_pushreg	%r15
	subq	$0xC8, %rsp
	.seh_stackalloc	0xC8
	movaps	%xmm6, 0x20(%rsp)
	.seh_savexmm	%xmm6, 0x20
	movaps	%xmm7, 0x30(%rsp)
	.seh_savexmm	%xmm7, 0x30
	movaps	%xmm8, 0x40(%rsp)
	.seh_savexmm	%xmm8, 0x40
	movaps	%xmm9, 0x50(%rsp)
	.seh_savexmm	%xmm9, 0x50
	movaps	%xmm10, 0x60(%rsp)
	.seh_savexmm	%xmm10, 0x60
	movaps	%xmm11, 0x70(%rsp)
	.seh_savexmm	%xmm11, 0x70
	movaps	%xmm12, 0x80(%rsp)
	.seh_savexmm	%xmm12, 0x80
	movaps	%xmm13, 0x90(%rsp)
	.seh_savexmm	%xmm13, 0x90
	movaps	%xmm14, 0xA0(%rsp)
	.seh_savexmm	%xmm14, 0xA0
	movaps	%xmm15, 0xB0(%rsp)
	.seh_savexmm	%xmm15, 0xB0
	.seh_endprologue
	movl	$0, 0xC0(%rsp)
	movq	%rcx, %rax
	movq	%rdx, %rcx
	movabsq	$0x1122334455667700, %rbx
	movabsq	$0x1122334455667701, %rbp
	movabsq	$0x1122334455667702, %rsi
	movabsq	$0x1122334455667703, %rdi
	movabsq	$0x1122334455667704, %r12
	movabsq	$0x1122334455667705, %r13
	movabsq	$0x1122334455667706, %r14
	movabsq	$0x1122334455667707, %r15
	movabsq	$0x2233445566778806, %r11
	movq	%r11, %xmm6
	punpcklqdq	%xmm6, %xmm6
	movabsq	$0x2233445566778807, %r11
	movq	%r11, %xmm7
	punpcklqdq	%xmm7, %xmm7
	movabsq	$0x2233445566778808, %r11
	movq	%r11, %xmm8
	punpcklqdq	%xmm8, %xmm8
	movabsq	$0x2233445566778809, %r11
	movq	%r11, %xmm9
	punpcklqdq	%xmm9, %xmm9
	movabsq	$0x223344556677880A, %r11
	movq	%r11, %xmm10
	punpcklqdq	%xmm10, %xmm10
	movabsq	$0x223344556677880B, %r11
	movq	%r11, %xmm11
	punpcklqdq	%xmm11, %xmm11
	movabsq	$0x223344556677880C, %r11
	movq	%r11, %xmm12
	punpcklqdq	%xmm12, %xmm12
	movabsq	$0x223344556677880D, %r11
	movq	%r11, %xmm13
	punpcklqdq	%xmm13, %xmm13
	movabsq	$0x223344556677880E, %r11
	movq	%r11, %xmm14
	punpcklqdq	%xmm14, %xmm14
	movabsq	$0x223344556677880F, %r11
	movq	%r11, %xmm15
	punpcklqdq	%xmm15, %xmm15
	callq	*%rax
	movabsq	$0x1122334455667700, %r11
	cmpq	%r11, %rbx
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x1122334455667701, %r11
	cmpq	%r11, %rbp
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x1122334455667702, %r11
	cmpq	%r11, %rsi
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x1122334455667703, %r11
	cmpq	%r11, %rdi
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x1122334455667704, %r11
	cmpq	%r11, %r12
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x1122334455667705, %r11
	cmpq	%r11, %r13
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x1122334455667706, %r11
	cmpq	%r11, %r14
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x1122334455667707, %r11
	cmpq	%r11, %r15
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x2233445566778806, %r11
	movq	%xmm6, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm6
	movq	%xmm6, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x2233445566778807, %r11
	movq	%xmm7, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm7
	movq	%xmm7, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x2233445566778808, %r11
	movq	%xmm8, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm8
	movq	%xmm8, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x2233445566778809, %r11
	movq	%xmm9, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm9
	movq	%xmm9, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x223344556677880A, %r11
	movq	%xmm10, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm10
	movq	%xmm10, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x223344556677880B, %r11
	movq	%xmm11, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm11
	movq	%xmm11, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x223344556677880C, %r11
	movq	%xmm12, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm12
	movq	%xmm12, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x223344556677880D, %r11
	movq	%xmm13, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm13
	movq	%xmm13, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x223344556677880E, %r11
	movq	%xmm14, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm14
	movq	%xmm14, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x223344556677880F, %r11
	movq	%xmm15, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm15
	movq	%xmm15, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movl	0xC0(%rsp), %eax
	movaps	0x20(%rsp), %xmm6
	movaps	0x30(%rsp), %xmm7
	movaps	0x40(%rsp), %xmm8
	movaps	0x50(%rsp), %xmm9
	movaps	0x60(%rsp), %xmm10
	movaps	0x70(%rsp), %xmm11
	movaps	0x80(%rsp), %xmm12
	movaps	0x90(%rsp), %xmm13
	movaps	0xA0(%rsp), %xmm14
	movaps	0xB0(%rsp), %xmm15
	addq	$0xC8, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rdi
	popq	%rsi
	popq	%rbp
	popq	%rbx
	retq
	.seh_endproc

# change_registers_and_call(function, argument): with other values in all of them.
	.text
	.globl	change_registers_and_call
	.def	change_registers_and_call
	.scl	2
	.type	32
	.endef
	.seh_proc	change_registers_and_call
change_registers_and_call:
	pushq	%rbx
	.seh_pushreg	%rbx
	pushq	%rbp
	.seh_pushreg	%rbp
	pushq	%rsi
	.seh_pushreg	%rsi
	pushq	%rdi
	.seh_pushreg	%rdi
	pushq	%r12
	.seh_pushreg	%r12
	pushq	%r13
	.seh_pushreg	%r13
	pushq	%r14
	.seh_pushreg	%r14
	pushq	%r15
	.seh_pushreg	%r15
	subq	$0xC8, %rsp
	.seh_stackalloc	0xC8
	movaps	%xmm6, 0x20(%rsp)
	.seh_savexmm	%xmm6, 0x20
	movaps	%xmm7, 0x30(%rsp)
	.seh_savexmm	%xmm7, 0x30
	movaps	%xmm8, 0x40(%rsp)
	.seh_savexmm	%xmm8, 0x40
	movaps	%xmm9, 0x50(%rsp)
	.seh_savexmm	%xmm9, 0x50
	movaps	%xmm10, 0x60(%rsp)
	.seh_savexmm	%xmm10, 0x60
	movaps	%xmm11, 0x70(%rsp)
	.seh_savexmm	%xmm11, 0x70
	movaps	%xmm12, 0x80(%rsp)
	.seh_savexmm	%xmm12, 0x80
	movaps	%xmm13, 0x90(%rsp)
	.seh_savexmm	%xmm13, 0x90
	movaps	%xmm14, 0xA0(%rsp)
	.seh_savexmm	%xmm14, 0xA0
	movaps	%xmm15, 0xB0(%rsp)
	.seh_savexmm	%xmm15, 0xB0
	.seh_endprologue
	movq	%rcx, %rax
	movq	%rdx, %rcx
	movq	$-1, %rbx
	movq	$-1, %rbp
	movq	$-1, %rsi
	movq	$-1, %rdi
	movq	$-1, %r12
	movq	$-1, %r13
	movq	$-1, %r14
	movq	$-1, %r15
	pcmpeqd	%xmm6, %xmm6
	pcmpeqd	%xmm7, %xmm7
	pcmpeqd	%xmm8, %xmm8
	pcmpeqd	%xmm9, %xmm9
	pcmpeqd	%xmm10, %xmm10
	pcmpeqd	%xmm11, %xmm11
	pcmpeqd	%xmm12, %xmm12
	pcmpeqd	%xmm13, %xmm13
	pcmpeqd	%xmm14, %xmm14
	pcmpeqd	%xmm15, %xmm15
	callq	*%rax
	nop
	movaps	0x20(%rsp), %xmm6
	movaps	0x30(%rsp), %xmm7
	movaps	0x40(%rsp), %xmm8
	movaps	0x50(%rsp), %xmm9
	movaps	0x60(%rsp), %xmm10
	movaps	0x70(%rsp), %xmm11
	movaps	0x80(%rsp), %xmm12
	movaps	0x90(%rsp), %xmm13
	movaps	0xA0(%rsp), %xmm14
	movaps	0xB0(%rsp), %xmm15
	addq	$0xC8, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rdi
	popq	%rsi
	popq	%rbp
	popq	%rbx
	retq
	.seh_endproc

# count_changed_over_breakpoint(): how many registers of all are others after an int3 that
# a filter has skipped.
	.text
	.globl	count_changed_over_breakpoint
	.def	count_changed_over_breakpoint
	.scl	2
	.type	32
	.endef
	.seh_proc	count_changed_over_breakpoint
count_changed_over_breakpoint:
	pushq	%rbx
	.seh_pushreg	%rbx
	pushq	%rbp
	.seh_pushreg	%rbp
	pushq	%rsi
	.seh_pushreg	%rsi
	pushq	%rdi
	.seh_pushreg	%rdi
	pushq	%r12
	.seh_pushreg	%r12
	pushq	%r13
	.seh_pushreg	%r13
	pushq	%r14
	.seh_pushreg	%r14
	pushq	%r15
	.seh_pushreg	%r15
	subq	$0xC8, %rsp
	.seh_stackalloc	0xC8
	movaps	%xmm6, 0x20(%rsp)
	.seh_savexmm	%xmm6, 0x20
	movaps	%xmm7, 0x30(%rsp)
	.seh_savexmm	%xmm7, 0x30
	movaps	%xmm8, 0x40(%rsp)
	.seh_savexmm	%xmm8, 0x40
	movaps	%xmm9, 0x50(%rsp)
	.seh_savexmm	%xmm9, 0x50
	movaps	%xmm10, 0x60(%rsp)
	.seh_savexmm	%xmm10, 0x60
	movaps	%xmm11, 0x70(%rsp)
	.seh_savexmm	%xmm11, 0x70
	movaps	%xmm12, 0x80(%rsp)
	.seh_savexmm	%xmm12, 0x80
	movaps	%xmm13, 0x90(%rsp)
	.seh_savexmm	%xmm13, 0x90
	movaps	%xmm14, 0xA0(%rsp)
	.seh_savexmm	%xmm14, 0xA0
	movaps	%xmm15, 0xB0(%rsp)
	.seh_savexmm	%xmm15, 0xB0
	.seh_endprologue
	movl	$0, 0xC0(%rsp)
	movabsq	$0x4455667788990000, %r11
	movq	%r11, %xmm0
	punpcklqdq	%xmm0, %xmm0
	movabsq	$0x4455667788990001, %r11
	movq	%r11, %xmm1
	punpcklqdq	%xmm1, %xmm1
	movabsq	$0x4455667788990002, %r11
	movq	%r11, %xmm2
	punpcklqdq	%xmm2, %xmm2
	movabsq	$0x4455667788990003, %r11
	movq	%r11, %xmm3
	punpcklqdq	%xmm3, %xmm3
	movabsq	$0x4455667788990004, %r11
	movq	%r11, %xmm4
	punpcklqdq	%xmm4, %xmm4
	movabsq	$0x4455667788990005, %r11
	movq	%r11, %xmm5
	punpcklqdq	%xmm5, %xmm5
	movabsq	$0x4455667788990006, %r11
	movq	%r11, %xmm6
	punpcklqdq	%xmm6, %xmm6
	movabsq	$0x4455667788990007, %r11
	movq	%r11, %xmm7
	punpcklqdq	%xmm7, %xmm7
	movabsq	$0x4455667788990008, %r11
	movq	%r11, %xmm8
	punpcklqdq	%xmm8, %xmm8
	movabsq	$0x4455667788990009, %r11
	movq	%r11, %xmm9
	punpcklqdq	%xmm9, %xmm9
	movabsq	$0x445566778899000A, %r11
	movq	%r11, %xmm10
	punpcklqdq	%xmm10, %xmm10
	movabsq	$0x445566778899000B, %r11
	movq	%r11, %xmm11
	punpcklqdq	%xmm11, %xmm11
	movabsq	$0x445566778899000C, %r11
	movq	%r11, %xmm12
	punpcklqdq	%xmm12, %xmm12
	movabsq	$0x445566778899000D, %r11
	movq	%r11, %xmm13
	punpcklqdq	%xmm13, %xmm13
	movabsq	$0x445566778899000E, %r11
	movq	%r11, %xmm14
	punpcklqdq	%xmm14, %xmm14
	movabsq	$0x445566778899000F, %r11
	movq	%r11, %xmm15
	punpcklqdq	%xmm15, %xmm15
	movabsq	$0x1122334455667700, %rbx
	movabsq	$0x1122334455667701, %rbp
	movabsq	$0x1122334455667702, %rsi
	movabsq	$0x1122334455667703, %rdi
	movabsq	$0x1122334455667704, %r12
	movabsq	$0x1122334455667705, %r13
	movabsq	$0x1122334455667706, %r14
	movabsq	$0x1122334455667707, %r15
	movabsq	$0x3344556677889900, %rax
	movabsq	$0x3344556677889901, %rcx
	movabsq	$0x3344556677889902, %rdx
	movabsq	$0x3344556677889903, %r8
	movabsq	$0x3344556677889904, %r9
	movabsq	$0x3344556677889905, %r10
	movabsq	$0x3344556677889906, %r11
	int3
	movq	%r11, 0x18(%rsp)
	movabsq	$0x3344556677889900, %r11
	cmpq	%r11, %rax
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x3344556677889901, %r11
	cmpq	%r11, %rcx
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x3344556677889902, %r11
	cmpq	%r11, %rdx
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x3344556677889903, %r11
	cmpq	%r11, %r8
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x3344556677889904, %r11
	cmpq	%r11, %r9
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x3344556677889905, %r11
	cmpq	%r11, %r10
	je	1f
	incl	0xC0(%rsp)
1:
	movq	0x18(%rsp), %r10
	movabsq	$0x3344556677889906, %r11
	cmpq	%r11, %r10
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x1122334455667700, %r11
	cmpq	%r11, %rbx
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x1122334455667701, %r11
	cmpq	%r11, %rbp
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x1122334455667702, %r11
	cmpq	%r11, %rsi
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x1122334455667703, %r11
	cmpq	%r11, %rdi
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x1122334455667704, %r11
	cmpq	%r11, %r12
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x1122334455667705, %r11
	cmpq	%r11, %r13
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x1122334455667706, %r11
	cmpq	%r11, %r14
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x1122334455667707, %r11
	cmpq	%r11, %r15
	je	1f
	incl	0xC0(%rsp)
1:
	movabsq	$0x4455667788990000, %r11
	movq	%xmm0, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm0
	movq	%xmm0, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x4455667788990001, %r11
	movq	%xmm1, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm1
	movq	%xmm1, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x4455667788990002, %r11
	movq	%xmm2, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm2
	movq	%xmm2, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x4455667788990003, %r11
	movq	%xmm3, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm3
	movq	%xmm3, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x4455667788990004, %r11
	movq	%xmm4, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm4
	movq	%xmm4, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x4455667788990005, %r11
	movq	%xmm5, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm5
	movq	%xmm5, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x4455667788990006, %r11
	movq	%xmm6, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm6
	movq	%xmm6, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x4455667788990007, %r11
	movq	%xmm7, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm7
	movq	%xmm7, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x4455667788990008, %r11
	movq	%xmm8, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm8
	movq	%xmm8, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x4455667788990009, %r11
	movq	%xmm9, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm9
	movq	%xmm9, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x445566778899000A, %r11
	movq	%xmm10, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm10
	movq	%xmm10, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x445566778899000B, %r11
	movq	%xmm11, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm11
	movq	%xmm11, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x445566778899000C, %r11
	movq	%xmm12, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm12
	movq	%xmm12, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x445566778899000D, %r11
	movq	%xmm13, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm13
	movq	%xmm13, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x445566778899000E, %r11
	movq	%xmm14, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm14
	movq	%xmm14, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movabsq	$0x445566778899000F, %r11
	movq	%xmm15, %r10
	cmpq	%r11, %r10
	jne	1f
	psrldq	$8, %xmm15
	movq	%xmm15, %r10
	cmpq	%r11, %r10
	je	2f
1:	incl	0xC0(%rsp)
2:
	movl	0xC0(%rsp), %eax
	movaps	0x20(%rsp), %xmm6
	movaps	0x30(%rsp), %xmm7
	movaps	0x40(%rsp), %xmm8
	movaps	0x50(%rsp), %xmm9
	movaps	0x60(%rsp), %xmm10
	movaps	0x70(%rsp), %xmm11
	movaps	0x80(%rsp), %xmm12
	movaps	0x90(%rsp), %xmm13
	movaps	0xA0(%rsp), %xmm14
	movaps	0xB0(%rsp), %xmm15
	addq	$0xC8, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rdi
	popq	%rsi
	popq	%rbp
	popq	%rbx
	retq
	.seh_endproc

