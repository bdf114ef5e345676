/* SPDX-License-Identifier: MIT */
/*
 * IRQL in CR8, and the shared data page.
 *
 * A driver built with mingw reads and writes IRQL as CR8 (AB-3), which user space may
 * not. Reads of the shared data page (AB-4) fault because no page can be there. Plain
 * loads, which is what compilers make of nearly all of them, are carried out here;
 * any other instruction that reads the page is run by the processor on a copy
 * (step.c). Writing to the page is a fault on Windows as well.
 *
 * Loads of the page by our own code are carried out too: a driver may pass a pointer
 * into it to any export.
 */
#include "ke/emulate.h"
#include "ke/instruction.h"
#include "ke/shared.h"
#include "ke/thread.h"
#include <string.h>

static bool move_cr8(struct host_trap *trap, const struct ke_instruction *instruction)
{
	const ZydisDecodedOperand *to = &instruction->operand[0], *from = &instruction->operand[1];
	if (instruction->decoded.mnemonic != ZYDIS_MNEMONIC_MOV ||
	    to->type != ZYDIS_OPERAND_TYPE_REGISTER || from->type != ZYDIS_OPERAND_TYPE_REGISTER)
		return false;
	if (from->reg.value == ZYDIS_REGISTER_CR8) {
		trap->reg[ke_register_number(to->reg.value)] = KeGetCurrentIrql();
	} else if (to->reg.value == ZYDIS_REGISTER_CR8) {
		uint64_t irql = trap->reg[ke_register_number(from->reg.value)];
		if (irql > HIGH_LEVEL)
			return false; /* reserved bits: a general protection fault */
		ke_set_irql((KIRQL)irql);
	} else {
		return false;
	}
	trap->rip += instruction->decoded.length;
	return true;
}

static void set_register(struct host_trap *trap, ZydisRegister reg, unsigned bits, uint64_t value)
{
	uint64_t *whole = &trap->reg[ke_register_number(reg)];
	bool high = reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH;
	if (bits == 64 || bits == 32) /* 32 bits clear the upper half */
		*whole = bits == 32 ? (uint32_t)value : value;
	else if (bits == 16)
		*whole = (*whole & ~0xFFFFull) | (uint16_t)value;
	else if (high)
		*whole = (*whole & ~0xFF00ull) | (uint64_t)(uint8_t)value << 8;
	else
		*whole = (*whole & ~0xFFull) | (uint8_t)value;
}

static uint64_t sign_extend(uint64_t value, unsigned bits)
{
	return (uint64_t)((int64_t)(value << (64 - bits)) >> (64 - bits));
}

/* mov, movzx, movsx, movsxd from the page into a general register. */
static bool load(struct host_trap *trap, const struct ke_instruction *instruction)
{
	const ZydisDecodedOperand *to = &instruction->operand[0], *from = &instruction->operand[1];
	ZydisMnemonic mnemonic = instruction->decoded.mnemonic;
	uint8_t page[KE_SHARED_DATA_SIZE];
	uint64_t value = 0, offset = trap->address - KE_SHARED_DATA;

	bool extends = mnemonic == ZYDIS_MNEMONIC_MOVSX || mnemonic == ZYDIS_MNEMONIC_MOVSXD;
	if (!extends && mnemonic != ZYDIS_MNEMONIC_MOV && mnemonic != ZYDIS_MNEMONIC_MOVZX)
		return false;
	if (to->type != ZYDIS_OPERAND_TYPE_REGISTER || from->type != ZYDIS_OPERAND_TYPE_MEMORY ||
	    ke_register_number(to->reg.value) < 0 || from->size / 8 > sizeof(page) - offset)
		return false;
	ke_copy_shared_data(page);
	memcpy(&value, page + offset, from->size / 8);
	if (extends)
		value = sign_extend(value, from->size);
	set_register(trap, to->reg.value, to->size, value);
	trap->rip += instruction->decoded.length;
	return true;
}

static bool is_shared_read(const struct host_trap *trap)
{
	return trap->number == HOST_TRAP_PAGE && !trap->write && !trap->execute &&
	       trap->address - KE_SHARED_DATA < KE_SHARED_DATA_SIZE;
}

bool ke_emulate(struct host_trap *trap, bool in_driver)
{
	struct ke_instruction instruction;
	if (is_shared_read(trap))
		return ke_decode(trap, &instruction) &&
		       (load(trap, &instruction) || ke_begin_step(trap, &instruction));
	return in_driver && trap->number == HOST_TRAP_PROTECTION && ke_decode(trap, &instruction) &&
	       move_cr8(trap, &instruction);
}
