# SPDX-License-Identifier: MIT
#
# Functions whose unwind information compilers here do not write: version 2, with
# epilogue codes, and a handler of the driver's own in front of __C_specific_handler.

	.text
	.globl	call_through_version_2
call_through_version_2:
	pushq	%rbx
	subq	$0x20, %rsp
	movl	$1, %ebx
	testq	%rcx, %rcx
	jz	1f
	callq	*%rcx
	nop
	addq	$0x20, %rsp
	popq	%rbx
	retq
	# What looks like an epilogue, and is none: version 2 does not describe it.
1:	popq	%rbx
	pushq	%rbx
	addq	$0x20, %rsp
	popq	%rbx
	retq
version_2_end:

	.section .xdata, "dr"
	.p2align 2
version_2_info:
	.byte	2, 5, 4, 0
	.byte	2, 0x16			# epilogues of two bytes; one is at the end
	.byte	12, 0x06		# the other begins 12 before it
	.byte	5, 0x32			# 0x20 bytes
	.byte	1, 0x30			# rbx

	.section .pdata, "dr"
	.p2align 2
	.rva	call_through_version_2
	.rva	version_2_end
	.rva	version_2_info

# The last words of a function that has found its cookie damaged.
	.text
	.globl	gs_check_fails
gs_check_fails:
	movl	$2, %ecx
	int	$0x29

# try_with_own_handler(function): 1 when function() has raised.
	.globl	try_with_own_handler
	.def	try_with_own_handler
	.scl	2
	.type	32
	.endef
	.seh_proc try_with_own_handler
try_with_own_handler:
	subq	$0x28, %rsp
	.seh_stackalloc 0x28
	.seh_handler own_handler, @unwind, @except
	.seh_endprologue
own_begin:
	callq	*%rcx
	nop
own_end:
	xorl	%eax, %eax
	jmp	2f
own_target:
	movl	$1, %eax
2:	addq	$0x28, %rsp
	retq
	.seh_handlerdata
	.long	1
	.rva	own_begin, own_end
	.long	1
	.rva	own_target
	.text
	.seh_endproc
