/* SPDX-License-Identifier: MIT */
/*
 * One frame outwards in code that Linux's compilers made.
 *
 * An exception of a driver can pass through our frames: an export that met the driver's
 * bad pointer, or one that raises. The driver's function goes on in its handler with the
 * registers that its convention keeps, rdi, rsi and xmm6 to xmm15 among them, and only
 * the call frame information of our functions says where each frame has saved them. The
 * unwinder of the compiler's run-time library forgets the xmm registers, hence this one.
 *
 * The stack may be damaged, and is read with host_read. Nothing is kept.
 */
#include "ke/dwarf.h"
#include "ke/dwarf-row.h"
#include "trap.h"

/* Of the general ones, as instructions number them. */
static const uint8_t general[16] = {0, 2, 1, 3, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15};

static bool read_word(uint64_t address, uint64_t *value)
{
	return host_read(value, (const void *)address, sizeof(*value)) == sizeof(*value);
}

/* ---- Values ----------------------------------------------------------------------- */

static uint64_t value_of(const CONTEXT *context, uint64_t reg)
{
	CONTEXT *from = (CONTEXT *)(uintptr_t)context;
	return reg < 16 ? *ke_context_register(from, general[reg]) : context->Rip;
}

/* Of the stack machine's operations those that describe realigned frames and the linker's
 * own stubs. */
#define MAX_DEPTH 8

static bool evaluate(const CONTEXT *context, struct dwarf_block code, const uint64_t *start,
		     uint64_t *result)
{
	uint64_t stack[MAX_DEPTH + 2] = {start ? *start : 0};
	unsigned depth = start ? 1 : 0;
	const uint8_t *at = code.at, *end = at + code.size;
	while (at < end) {
		uint8_t operation = *at++;
		bool binary = operation == 0x1A || operation == 0x1C || operation == 0x22 ||
			      operation == 0x24 || operation == 0x2A;
		if (depth >= MAX_DEPTH || depth < (binary ? 2u : 0u))
			return false;
		uint64_t *top = &stack[depth ? depth - 1 : 0], *under = top - binary;
		if (operation >= 0x30 && operation <= 0x4F) { /* lit0 .. lit31 */
			stack[depth++] = operation - 0x30u;
		} else if (operation >= 0x70 && operation <= 0x80) { /* breg0 .. */
			stack[depth] = value_of(context, operation - 0x70u);
			stack[depth++] += (uint64_t)dwarf_signed(&at);
		} else if (operation == 0x08) { /* const1u, const1s */
			stack[depth++] = dwarf_fixed(&at, 1);
		} else if (operation == 0x09) {
			stack[depth++] = (uint64_t)(int64_t)(int8_t)dwarf_fixed(&at, 1);
		} else if (operation == 0x11) { /* consts */
			stack[depth++] = (uint64_t)dwarf_signed(&at);
		} else if (operation == 0x06) { /* deref */
			if (!depth || !read_word(*top, top))
				return false;
		} else if (operation == 0x23) { /* plus_uconst */
			*top += dwarf_unsigned(&at);
		} else if (binary) {
			uint64_t b = *top;
			*under = operation == 0x1A   ? *under & b
				 : operation == 0x1C ? *under - b
				 : operation == 0x22 ? *under + b
				 : operation == 0x24 ? *under << (b & 63)
						     : (uint64_t)((int64_t)*under >= (int64_t)b);
			depth--;
		} else {
			return false;
		}
	}
	if (!depth)
		return false;
	*result = stack[depth - 1];
	return true;
}

/* Where the register was saved, or what it was (`is`). False: neither is known. */
static bool locate(const CONTEXT *context, const struct dwarf_rule *rule, uint64_t cfa,
		   uint64_t *value, bool *is)
{
	*is = rule->kind == DWARF_IS_OFFSET || rule->kind == DWARF_IN_REGISTER ||
	      rule->kind == DWARF_IS_EXPRESSION;
	switch (rule->kind) {
	case DWARF_AT_OFFSET:
	case DWARF_IS_OFFSET:
		*value = cfa + (uint64_t)rule->value;
		return true;
	case DWARF_IN_REGISTER:
		*value = value_of(context, (uint64_t)rule->value);
		return true;
	case DWARF_AT_EXPRESSION:
	case DWARF_IS_EXPRESSION:
		return evaluate(context, rule->expression, &cfa, value);
	default:
		return false;
	}
}

static bool restore_general(const CONTEXT *from, const struct dwarf_row *row, uint64_t cfa,
			    unsigned reg, ULONG64 *to)
{
	const struct dwarf_rule *rule = &row->reg[reg];
	uint64_t value;
	bool is;
	if (rule->kind == DWARF_SAME || rule->kind == DWARF_UNDEFINED)
		return reg != DWARF_RA; /* an undefined return address is the stack's end */
	if (!locate(from, rule, cfa, &value, &is))
		return false;
	if (!is)
		return read_word(value, to);
	*to = value;
	return true;
}

static bool restore_xmm(const CONTEXT *from, const struct dwarf_row *row, uint64_t cfa,
			unsigned number, M128A *to)
{
	const struct dwarf_rule *rule = &row->reg[DWARF_XMM + number];
	uint64_t at;
	bool is;
	if (rule->kind == DWARF_SAME || rule->kind == DWARF_UNDEFINED)
		return true;
	return locate(from, rule, cfa, &at, &is) && !is &&
	       host_read(to, (const void *)at, sizeof(*to)) == sizeof(*to);
}

static bool find_cfa(const CONTEXT *context, const struct dwarf_row *row, uint64_t *cfa)
{
	if (row->cfa.kind == DWARF_IS_EXPRESSION)
		return evaluate(context, row->cfa.expression, NULL, cfa);
	*cfa = value_of(context, (uint64_t)row->cfa.value) + (uint64_t)row->cfa_offset;
	return row->cfa.kind == DWARF_IN_REGISTER;
}

static bool apply(const struct dwarf_row *row, CONTEXT *context)
{
	CONTEXT caller = *context;
	uint64_t cfa;
	if (!find_cfa(context, row, &cfa) || cfa <= context->Rsp)
		return false;
	caller.Rsp = cfa;
	for (unsigned i = 0; i < 16; i++) {
		if (i != DWARF_RSP && !restore_general(context, row, cfa, i,
						       ke_context_register(&caller, general[i])))
			return false;
		if (!restore_xmm(context, row, cfa, i, &caller.FltSave.XmmRegisters[i]))
			return false;
	}
	if (!restore_general(context, row, cfa, DWARF_RA, &caller.Rip))
		return false;
	*context = caller;
	return true;
}

bool ke_unwind_elf(CONTEXT *context, bool fault)
{
	struct dwarf_row row;
	/* A call can be a function's last instruction. */
	return dwarf_find_row(context->Rip - !fault, &row) && apply(&row, context);
}
