/* SPDX-License-Identifier: MIT */
/* Unwinding our own frames, and those of the C library. */
#ifndef RINGSIDE_KE_DWARF_H
#define RINGSIDE_KE_DWARF_H

#include "ke/exception.h"

/* One frame outwards, all registers that a function must keep included, by the
 * .eh_frame of whatever ELF object `context->Rip` is in. `fault` says that Rip is an
 * instruction that runs, not a return address. False, with the context unchanged, where
 * nothing describes the code or the stack cannot be read. */
bool ke_unwind_elf(CONTEXT *context, bool fault);

#endif
