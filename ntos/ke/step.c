/* SPDX-License-Identifier: MIT */
/*
 * One instruction on a copy of the shared data page.
 *
 * Instead of interpreting whatever reads the page (cmp, imul, cvtsi2sd, rep movs,
 * AVX loads, ...) the processor does it: the register through which the instruction
 * addresses the page is moved to a copy, and the instruction runs in a scratch page,
 * where an undefined instruction follows it. The trap at that one puts the register
 * back and goes on behind the original. (The processor's own single-step flag would do
 * as well, but its SIGTRAP is a debugger's, and repeated string instructions
 * stop at every round.)
 *
 * Copy and scratch page belong to the host thread's processor block, and so does the
 * state: there is one step at a time on a thread, from the fault to the next trap.
 *
 * It does not work where the register is also a value that the instruction reads, which
 * is code that computes with the page's address, nor for jumps through the page. No
 * compiler emits either.
 */
#include "ke/emulate.h"
#include "ke/instruction.h"
#include "ke/shared.h"
#include "ke/thread.h"
#include "memory.h"
#include <string.h>

/* String instructions advance their register, which must keep that. */
static bool advances(const ZydisDecodedOperand *operand)
{
	return operand->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
	       (operand->reg.value == ZYDIS_REGISTER_RSI ||
		operand->reg.value == ZYDIS_REGISTER_RDI);
}

/* The operand that reads the page. */
static const ZydisDecodedOperand *find_operand(const struct host_trap *trap,
					       const struct ke_instruction *instruction)
{
	for (unsigned i = 0; i < instruction->decoded.operand_count; i++) {
		const ZydisDecodedOperand *operand = &instruction->operand[i];
		if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    operand->actions & ZYDIS_OPERAND_ACTION_MASK_READ &&
		    ke_operand_address(trap, instruction, operand) == trap->address)
			return operand;
	}
	return NULL;
}

/* The register that can be moved without changing anything else, or -1. */
static int movable_register(const ZydisDecodedOperand *memory)
{
	int base = ke_register_number(memory->mem.base);
	int index = ke_register_number(memory->mem.index);
	if (base >= 0 && base != index)
		return base;
	return base < 0 && memory->mem.scale == 1 ? index : -1;
}

/* Whether the register does nothing but address the page; whether it is a result. */
static bool check_other_uses(const struct ke_instruction *instruction,
			     const ZydisDecodedOperand *memory, struct ke_step *step)
{
	step->overwrites = false;
	for (unsigned i = 0; i < instruction->decoded.operand_count; i++) {
		const ZydisDecodedOperand *operand = &instruction->operand[i];
		if (operand == memory)
			continue;
		if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    (ke_register_number(operand->mem.base) == (int)step->reg ||
		     ke_register_number(operand->mem.index) == (int)step->reg))
			return false;
		if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER ||
		    ke_register_number(operand->reg.value) != (int)step->reg || advances(operand))
			continue;
		/* Of a narrow result the rest of the register would be the copy's address. */
		if (operand->actions & ZYDIS_OPERAND_ACTION_MASK_READ || operand->size < 32)
			return false;
		step->overwrites = true;
	}
	return true;
}

static bool write_scratch(struct ke_processor *self, const struct ke_instruction *instruction)
{
	static const uint8_t undefined[] = {0x0F, 0x0B};
	uint8_t wanted[ZYDIS_MAX_INSTRUCTION_LENGTH + sizeof(undefined)];
	size_t length = instruction->decoded.length, size = length + sizeof(undefined);
	memcpy(wanted, instruction->code, length);
	memcpy(wanted + length, undefined, sizeof(undefined));
	if (!memcmp(self->scratch_page, wanted, size))
		return true; /* the same as last time, and executable */
	if (host_protect(self->scratch_page, KE_SHARED_DATA_SIZE, HOST_READ | HOST_WRITE))
		return false;
	memcpy(self->scratch_page, wanted, size);
	return !host_protect(self->scratch_page, KE_SHARED_DATA_SIZE, HOST_READ | HOST_EXECUTE);
}

bool ke_begin_step(struct host_trap *trap, const struct ke_instruction *instruction)
{
	struct ke_processor *self = ke_processor();
	struct ke_step *step = &self->step;
	const ZydisDecodedOperand *memory = find_operand(trap, instruction);
	int reg = memory ? movable_register(memory) : -1;

	if (!self->alternate_stack || reg < 0 ||
	    instruction->decoded.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE)
		return false;
	step->reg = (unsigned)reg;
	if (!check_other_uses(instruction, memory, step) || !write_scratch(self, instruction))
		return false;
	ke_copy_shared_data(self->shared_page);
	step->active = true;
	step->rip = trap->rip;
	step->length = instruction->decoded.length;
	step->distance = (uintptr_t)self->shared_page - KE_SHARED_DATA;
	trap->reg[reg] += step->distance;
	trap->rip = (uintptr_t)self->scratch_page;
	return true;
}

bool ke_end_step(struct host_trap *trap)
{
	struct ke_step *step = ke_self ? &ke_self->step : NULL;
	if (!step || !step->active)
		return false;
	step->active = false;
	bool done = trap->rip == (uintptr_t)ke_self->scratch_page + step->length;
	trap->rip = done ? step->rip + step->length : step->rip;
	if (!done || !step->overwrites)
		trap->reg[step->reg] -= step->distance;
	return done;
}
