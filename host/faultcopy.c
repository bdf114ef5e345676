/* SPDX-License-Identifier: MIT */
/*
 * A copy that may fault is one instruction, whose address the trap handler knows: it
 * continues behind it, and the count register says how much is left. A kernel does the
 * same with its exception table. A system call that copies takes a hundred times as
 * long for the few bytes that most are.
 */
#include "faultcopy.h"

extern const char host_copy_instruction[] __attribute__((visibility("hidden")));
extern const char host_copy_end[] __attribute__((visibility("hidden")));

__asm__(".pushsection .text\n"
	".globl host_copy\n"
	".type host_copy, @function\n"
	"host_copy:\n"
	".cfi_startproc\n"
	"	mov %rdx, %rcx\n"
	".globl host_copy_instruction\n"
	".hidden host_copy_instruction\n"
	"host_copy_instruction:\n"
	"	rep movsb\n"
	".globl host_copy_end\n"
	".hidden host_copy_end\n"
	"host_copy_end:\n"
	"	mov %rdx, %rax\n"
	"	sub %rcx, %rax\n"
	"	ret\n"
	".cfi_endproc\n"
	".size host_copy, . - host_copy\n"
	".popsection\n");

bool host_end_copy(struct host_trap *trap)
{
	if (trap->rip != (uintptr_t)host_copy_instruction)
		return false;
	trap->rip = (uintptr_t)host_copy_end;
	return true;
}
