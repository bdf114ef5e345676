/* SPDX-License-Identifier: MIT */
/*
 * Processor exceptions of this process, handed to one function.
 *
 * Linux tells of them with signals; here they are numbered as the processor does,
 * with the registers in the order in which instructions encode them.
 */
#ifndef RINGSIDE_HOST_TRAP_H
#define RINGSIDE_HOST_TRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum host_trap_number {
	HOST_TRAP_DIVIDE = 0,
	HOST_TRAP_STEP = 1,
	HOST_TRAP_BREAKPOINT = 3, /* rip is behind the int3 */
	HOST_TRAP_OPCODE = 6,
	HOST_TRAP_STACK = 12,
	HOST_TRAP_PROTECTION = 13, /* no address: privileged or non-canonical */
	HOST_TRAP_PAGE = 14,
	HOST_TRAP_X87 = 16,
	HOST_TRAP_ALIGNMENT = 17,
	HOST_TRAP_SIMD = 19,
};

struct host_trap {
	enum host_trap_number number;
	uint64_t address;    /* HOST_TRAP_PAGE: the data or code address */
	bool write, execute; /* HOST_TRAP_PAGE: what was tried; neither: a read */
	bool in_file;        /* HOST_TRAP_PAGE: beyond the end of a mapped file */

	/* Written back when the function returns true. */
	uint64_t reg[16]; /* rax rcx rdx rbx rsp rbp rsi rdi r8 .. r15 */
	uint64_t rip, rflags;

	const void *floats; /* the 512 bytes of fxsave, or NULL */
};

/*
 * Called on the alternate signal stack, if the thread has one. true: go on with the
 * registers as they are now. false: not ours; what was installed before gets
 * it, ending in the default action. May leave with siglongjmp.
 */
typedef bool host_trap_function(struct host_trap *trap);

/* Catches traps from now on. 0, or -errno. */
int host_catch_traps(host_trap_function *function);

/* Puts back what was there before, if it is still ours to put back. */
void host_release_traps(void);

/* Copies up to `size` bytes from memory that may not be there; how many could be
 * read. Any thread, any time, signal handlers included. */
size_t host_read(void *to, const void *from, size_t size);

#endif
