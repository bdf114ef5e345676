/* SPDX-License-Identifier: MIT */
/* Call frame information: where one function keeps its caller's registers. */
#ifndef RINGSIDE_KE_DWARF_ROW_H
#define RINGSIDE_KE_DWARF_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* DWARF's numbers: 16 general registers, the return address, xmm0 to xmm15. */
enum { DWARF_RSP = 7, DWARF_RA = 16, DWARF_XMM = 17, DWARF_REGISTERS = 33 };

enum dwarf_rule_kind {
	DWARF_SAME,
	DWARF_UNDEFINED,
	DWARF_AT_OFFSET,
	DWARF_IS_OFFSET,
	DWARF_IN_REGISTER,
	DWARF_AT_EXPRESSION,
	DWARF_IS_EXPRESSION
};

struct dwarf_block {
	const uint8_t *at;
	size_t size;
};

struct dwarf_rule {
	enum dwarf_rule_kind kind;
	int64_t value; /* an offset from the CFA, or a register */
	struct dwarf_block expression;
};

/* How to find everything at one place of a function. */
struct dwarf_row {
	struct dwarf_rule cfa; /* DWARF_IN_REGISTER: that register + offset; DWARF_IS_EXPRESSION */
	int64_t cfa_offset;
	struct dwarf_rule reg[DWARF_REGISTERS];
};

/* What .eh_frame says about `pc`. False where there is nothing, or it is of a kind that
 * compilers for Linux on x86-64 do not write. Any context, signal handlers included. */
bool dwarf_find_row(uint64_t pc, struct dwarf_row *row);

/* ---- Numbers of variable length ----------------------------------------------------- */

static inline uint64_t dwarf_fixed(const uint8_t **at, unsigned size)
{
	uint64_t value = 0;
	memcpy(&value, *at, size);
	*at += size;
	return value;
}

static inline uint64_t dwarf_unsigned(const uint8_t **at)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;
	do {
		byte = *(*at)++;
		value |= shift < 64 ? (uint64_t)(byte & 0x7F) << shift : 0;
		shift += 7;
	} while (byte & 0x80);
	return value;
}

static inline int64_t dwarf_signed(const uint8_t **at)
{
	const uint8_t *start = *at;
	uint64_t value = dwarf_unsigned(at);
	unsigned bits = (unsigned)(*at - start) * 7;
	if (bits < 64 && value >> (bits - 1) & 1)
		value |= ~0ull << bits;
	return (int64_t)value;
}

#endif
