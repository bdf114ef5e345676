/* SPDX-License-Identifier: MIT */
#include "ke/instruction.h"
#include <stdio.h>
#include <string.h>

#define PAGE_SIZE 4096u

/* The processor has just run into the code at rip, so it can be read there to the end of
 * its page at least; but not after a jump to where there is none. */
static size_t read_code(const struct host_trap *trap, uint8_t *code, size_t size)
{
	size_t in_page = PAGE_SIZE - trap->rip % PAGE_SIZE;
	if (trap->execute || in_page < size)
		return host_read(code, (const void *)trap->rip, size);
	memcpy(code, (const void *)trap->rip, size);
	return size;
}

bool ke_decode(const struct host_trap *trap, struct ke_instruction *instruction)
{
	ZydisDecoder decoder;
	size_t size = read_code(trap, instruction->code, sizeof(instruction->code));
	return size &&
	       ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
					     ZYDIS_STACK_WIDTH_64)) &&
	       ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, instruction->code, size,
						   &instruction->decoded, instruction->operand));
}

int ke_register_number(ZydisRegister reg)
{
	ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
	if (ZydisRegisterGetClass(whole) != ZYDIS_REGCLASS_GPR64)
		return -1;
	return ZydisRegisterGetId(whole);
}

static uint64_t value_of(const struct host_trap *trap, const struct ke_instruction *instruction,
			 ZydisRegister reg)
{
	int number = ke_register_number(reg);
	if (reg == ZYDIS_REGISTER_RIP)
		return trap->rip + instruction->decoded.length;
	return number < 0 ? 0 : trap->reg[number];
}

uint64_t ke_operand_address(const struct host_trap *trap, const struct ke_instruction *instruction,
			    const ZydisDecodedOperand *operand)
{
	uint64_t address = value_of(trap, instruction, operand->mem.base) +
			   value_of(trap, instruction, operand->mem.index) * operand->mem.scale +
			   (uint64_t)operand->mem.disp.value;
	return instruction->decoded.address_width == 32 ? (uint32_t)address : address;
}

static void format_bytes(const struct host_trap *trap, char *text, size_t size)
{
	uint8_t code[4];
	if (host_read(code, (const void *)trap->rip, sizeof(code)) == sizeof(code))
		snprintf(text, size, "bytes %02x %02x %02x %02x", code[0], code[1], code[2],
			 code[3]);
	else
		snprintf(text, size, "no code");
}

void ke_format_instruction(const struct host_trap *trap, char *text, size_t size)
{
	struct ke_instruction instruction;
	ZydisFormatter formatter;
	if (!ke_decode(trap, &instruction) ||
	    !ZYAN_SUCCESS(ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL)) ||
	    !ZYAN_SUCCESS(ZydisFormatterFormatInstruction(
		    &formatter, &instruction.decoded, instruction.operand,
		    instruction.decoded.operand_count_visible, text, size, trap->rip, NULL)))
		format_bytes(trap, text, size);
}
