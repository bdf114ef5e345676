/* SPDX-License-Identifier: MIT */
/*
 * From generated code into C, with the driver's registers kept for the report.
 *
 * The entries here are jumped to, not called: on top of the stack is the driver's return
 * address.
 */
#ifndef RINGSIDE_LDR_CALLER_H
#define RINGSIDE_LDR_CALLER_H

#include "ke/stackwalk.h"

#define LDR_HIDDEN __attribute__((visibility("hidden")))

/* For a thunk whose IRQL check failed: above the return address lies the index of its
 * row. Goes to ldr_irql_violation, which does not return. */
void ldr_irql_entry(void) LDR_HIDDEN;

/* For the thunk of a Zw call that was made with special kernel APCs off: above the return
 * address lies the index of its row. Goes on to the function after
 * ldr_special_apcs_off. */
void ldr_apc_entry(void) LDR_HIDDEN;

/* For the stub of a missing import: r10 points to its record. Returns to the driver what
 * ldr_missing_called does. */
void ldr_missing_entry(void) LDR_HIDDEN;

struct ldr_trap;
_Noreturn void ldr_irql_violation(uint64_t index, const struct ke_frame *caller) LDR_HIDDEN;
/* Reports it; the function that was called. */
const void *NTAPI ldr_special_apcs_off(uint64_t index, const void *caller) LDR_HIDDEN;
NTSTATUS NTAPI ldr_missing_called(struct ldr_trap *trap, const struct ke_frame *caller) LDR_HIDDEN;

#endif
