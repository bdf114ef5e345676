/* SPDX-License-Identifier: MIT */
/*
 * Driver code in assembly: functions in a section of their own, which a test declares as
 * the module "asm.sys". Intel syntax; arguments arrive as on Windows, the first in rcx.
 *
 *	DRIVER_BEGIN();
 *	DRIVER_FUNCTION(read_null, "xor eax, eax\nmov eax, [rax]");
 *	DRIVER_END();
 */
#ifndef RINGSIDE_TESTS_ASMDRIVER_H
#define RINGSIDE_TESTS_ASMDRIVER_H

#include <ringside/nt.h>
#include <ringside/ringside.h>

typedef ULONG64 NTAPI driver_function(ULONG64 first, ULONG64 second);

extern char asm_driver_begin[], asm_driver_end[];

#define DRIVER_SECTION(text)                                                                       \
	__asm__(".pushsection .text.driver, \"ax\", @progbits\n" text "\n.popsection\n")

#define DRIVER_BEGIN() DRIVER_SECTION(".balign 4096\nasm_driver_begin:")
#define DRIVER_END() DRIVER_SECTION(".balign 4096\nasm_driver_end:")

#define DRIVER_FUNCTION(name, body)                                                                \
	driver_function name;                                                                      \
	DRIVER_SECTION(".intel_syntax noprefix\n.balign 16\n" #name ":\n" body "\nret\n"           \
		       ".att_syntax")

static inline int declare_asm_driver(void)
{
	return rs_declare_module("asm.sys", asm_driver_begin,
				 (size_t)(asm_driver_end - asm_driver_begin), true);
}

#endif
