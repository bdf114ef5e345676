/* SPDX-License-Identifier: MIT */
/* The instruction that trapped. */
#ifndef RINGSIDE_KE_INSTRUCTION_H
#define RINGSIDE_KE_INSTRUCTION_H

#include "trap.h"
#include <Zydis/Zydis.h>

struct ke_instruction {
	ZydisDecodedInstruction decoded;
	ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT]; /* hidden ones included */
	uint8_t code[ZYDIS_MAX_INSTRUCTION_LENGTH];
};

/* Decodes what is at trap->rip. false when it cannot be read or is no instruction. */
bool ke_decode(const struct host_trap *trap, struct ke_instruction *instruction);

/* The number of the general register that `reg` is or is part of, or -1. */
int ke_register_number(ZydisRegister reg);

/* Where a memory operand points with the registers of the trap. */
uint64_t ke_operand_address(const struct host_trap *trap, const struct ke_instruction *instruction,
			    const ZydisDecodedOperand *operand);

/* The instruction in Intel's notation, or its first bytes. */
void ke_format_instruction(const struct host_trap *trap, char *text, size_t size);

#endif
