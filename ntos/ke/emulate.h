/* SPDX-License-Identifier: MIT */
/* Instructions of drivers that work on Windows and trap on Linux. */
#ifndef RINGSIDE_KE_EMULATE_H
#define RINGSIDE_KE_EMULATE_H

#include "trap.h"

/* Carries the instruction out, or prepares that the processor can: true, and the trap's
 * registers are as they must be when it goes on. false: it is a fault on
 * Windows too. `in_driver`: only drivers may use privileged instructions. */
bool ke_emulate(struct host_trap *trap, bool in_driver);

/* Runs one read of the shared data page on a copy (step.c): prepares it; and puts the
 * registers back after it or when it faulted. */
struct ke_instruction;
bool ke_begin_step(struct host_trap *trap, const struct ke_instruction *instruction);

/* Call first at every trap. true when the trap was only the end of a step. */
bool ke_end_step(struct host_trap *trap);

#endif
