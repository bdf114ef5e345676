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
 * The dynamic linker finds the information of a code address without a lock
 * (_dl_find_object), so all this works in a signal handler. The information is ours and
 * is trusted; the stack is not, and is read with host_read. Nothing is kept.
 *
 * Reference: DWARF 5, section 6.4; the Linux Standard Base on .eh_frame.
 */
#include "ke/dwarf.h"
#include "trap.h"
#include <dlfcn.h>
#include <string.h>

/* DWARF's numbers: 16 general registers, the return address, xmm0 to xmm15. */
enum { DWARF_RSP = 7, DWARF_RA = 16, DWARF_XMM = 17, DWARF_REGISTERS = 33 };

/* Of the general ones, as instructions number them. */
static const uint8_t general[16] = {0, 2, 1, 3, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15};

enum rule_kind { SAME, UNDEFINED, AT_OFFSET, IS_OFFSET, IN_REGISTER, AT_EXPRESSION, IS_EXPRESSION };

struct block {
	const uint8_t *at;
	size_t size;
};

struct rule {
	enum rule_kind kind;
	int64_t value; /* an offset from the CFA, or a register */
	struct block expression;
};

/* How to find everything at one place of a function. */
struct row {
	struct rule cfa; /* IN_REGISTER: that register + offset; IS_EXPRESSION */
	int64_t cfa_offset;
	struct rule reg[DWARF_REGISTERS];
};

#define MAX_REMEMBERED 4

struct description {
	uint64_t begin, end; /* of the function */
	uint64_t code_factor;
	int64_t data_factor;
	uint8_t pointers;         /* how addresses are written */
	struct block common, own; /* instructions */
	struct row row, initial, remembered[MAX_REMEMBERED];
	unsigned depth;
};

/* ---- Reading ---------------------------------------------------------------------- */

static uint64_t fixed(const uint8_t **at, unsigned size)
{
	uint64_t value = 0;
	memcpy(&value, *at, size);
	*at += size;
	return value;
}

static uint64_t unsigned_leb(const uint8_t **at)
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

static int64_t signed_leb(const uint8_t **at)
{
	const uint8_t *start = *at;
	uint64_t value = unsigned_leb(at);
	unsigned bits = (unsigned)(*at - start) * 7;
	if (bits < 64 && value >> (bits - 1) & 1)
		value |= ~0ull << bits;
	return (int64_t)value;
}

enum { FORM = 0x0F, SDATA4 = 0x0B, RELATIVE = 0x10 };

/* An address; compilers for x86-64 write it in two forms. False for any other. */
static bool encoded(const uint8_t **at, uint8_t encoding, uint64_t *value)
{
	const uint8_t *start = *at;
	switch (encoding & FORM) {
	case 0x00:
	case 0x04:
	case 0x0C:
		*value = fixed(at, 8);
		break;
	case 0x03:
		*value = fixed(at, 4);
		break;
	case SDATA4:
		*value = (uint64_t)(int64_t)(int32_t)fixed(at, 4);
		break;
	default:
		return false;
	}
	if ((encoding & 0x70) == RELATIVE)
		*value += (uintptr_t)start;
	return (encoding & 0x70) == RELATIVE || !(encoding & 0x70);
}

static struct block block_at(const uint8_t **at)
{
	struct block block = {.size = unsigned_leb(at)};
	block.at = *at;
	*at += block.size;
	return block;
}

static bool read_word(uint64_t address, uint64_t *value)
{
	return host_read(value, (const void *)address, sizeof(*value)) == sizeof(*value);
}

/* ---- Finding the description ------------------------------------------------------ */

/* The table behind .eh_frame_hdr: sorted pairs of a function and its description, each
 * relative to the header. */
static const uint8_t *search(const uint8_t *header, uint64_t pc)
{
	const uint8_t *at = header + 4;
	uint64_t frames, count;
	if (header[0] != 1 || header[3] != 0x3B || !encoded(&at, header[1], &frames) ||
	    !encoded(&at, header[2], &count) || !count)
		return NULL;
	const struct {
		int32_t function, description;
	} *row = (const void *)at;
	int64_t wanted = (int64_t)(pc - (uintptr_t)header);
	uint64_t low = 0, high = count;
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;
		if (wanted < row[middle].function)
			high = middle;
		else
			low = middle;
	}
	return wanted < row[low].function ? NULL : header + row[low].description;
}

/* What many functions have in common; `augmented`: blocks say their size. */
static bool read_common(const uint8_t *at, struct description *d, bool *augmented)
{
	const uint8_t *end = at;
	uint64_t length = fixed(&end, 4);
	at = end;
	end += length;
	if (length == UINT32_MAX || fixed(&at, 4) != 0)
		return false;
	uint8_t version = *at++;
	const char *augmentation = (const char *)at;
	at += strlen(augmentation) + 1;
	d->code_factor = unsigned_leb(&at);
	d->data_factor = signed_leb(&at);
	if ((version == 1 ? fixed(&at, 1) : unsigned_leb(&at)) != DWARF_RA)
		return false;
	d->pointers = 0;
	*augmented = augmentation[0] == 'z';
	const uint8_t *data = *augmented ? block_at(&at).at : at;
	for (const char *letter = augmentation; *letter; letter++) {
		uint64_t ignored;
		if (*letter == 'R')
			d->pointers = *data++;
		else if (*letter == 'L')
			data++;
		else if (*letter == 'P') {
			uint8_t encoding = *data++;
			if (!encoded(&data, encoding, &ignored))
				return false;
		} else if (*letter == 'S') {
			return false; /* a signal's frame: what is beyond was interrupted */
		}
	}
	/* After an augmentation block `at` is behind it. */
	d->common = (struct block){*augmented ? at : data,
				   (size_t)(end - (*augmented ? at : data))};
	return true;
}

static bool read_description(const uint8_t *at, uint64_t pc, struct description *d)
{
	const uint8_t *end = at;
	bool augmented;
	uint64_t length = fixed(&end, 4);
	at = end;
	end += length;
	if (!length || length == UINT32_MAX)
		return false;
	const uint8_t *common = at;
	common -= fixed(&at, 4);
	if (!read_common(common, d, &augmented) || !encoded(&at, d->pointers, &d->begin) ||
	    !encoded(&at, d->pointers & FORM, &d->end))
		return false;
	d->end += d->begin;
	if (augmented)
		block_at(&at);
	d->own = (struct block){at, (size_t)(end - at)};
	return pc >= d->begin && pc < d->end;
}

/* ---- Instructions ----------------------------------------------------------------- */

static void set_rule(struct description *d, uint64_t reg, struct rule rule)
{
	if (reg < DWARF_REGISTERS) /* others are kept by no function */
		d->row.reg[reg] = rule;
}

static void set_offset(struct description *d, uint64_t reg, int64_t offset, enum rule_kind kind)
{
	set_rule(d, reg, (struct rule){.kind = kind, .value = offset * d->data_factor});
}

static void set_expression(struct description *d, const uint8_t **at, enum rule_kind kind)
{
	uint64_t reg = unsigned_leb(at);
	set_rule(d, reg, (struct rule){.kind = kind, .expression = block_at(at)});
}

static void set_cfa(struct description *d, uint64_t reg, int64_t offset)
{
	d->row.cfa = (struct rule){.kind = IN_REGISTER, .value = (int64_t)reg};
	d->row.cfa_offset = offset;
}

static void restore_initial(struct description *d, uint64_t reg)
{
	if (reg < DWARF_REGISTERS)
		d->row.reg[reg] = d->initial.reg[reg];
}

static bool remember(struct description *d)
{
	if (d->depth == MAX_REMEMBERED)
		return false;
	d->remembered[d->depth++] = d->row;
	return true;
}

static bool recall(struct description *d)
{
	if (!d->depth)
		return false;
	d->row = d->remembered[--d->depth];
	return true;
}

/* Those whose two highest bits are clear. */
static bool run_extended(struct description *d, uint8_t operation, const uint8_t **at,
			 uint64_t *place)
{
	uint64_t reg;
	switch (operation) {
	case 0x00: /* nop */
		return true;
	case 0x01: /* set_loc */
		return encoded(at, d->pointers, place);
	case 0x02: /* advance_loc1, 2, 4 */
		*place += fixed(at, 1) * d->code_factor;
		return true;
	case 0x03:
		*place += fixed(at, 2) * d->code_factor;
		return true;
	case 0x04:
		*place += fixed(at, 4) * d->code_factor;
		return true;
	case 0x05: /* offset_extended */
		reg = unsigned_leb(at);
		set_offset(d, reg, (int64_t)unsigned_leb(at), AT_OFFSET);
		return true;
	case 0x06: /* restore_extended */
		reg = unsigned_leb(at);
		restore_initial(d, reg);
		return true;
	case 0x07: /* undefined */
		set_rule(d, unsigned_leb(at), (struct rule){.kind = UNDEFINED});
		return true;
	case 0x08: /* same_value */
		set_rule(d, unsigned_leb(at), (struct rule){.kind = SAME});
		return true;
	case 0x09: /* register */
		reg = unsigned_leb(at);
		set_rule(d, reg,
			 (struct rule){.kind = IN_REGISTER, .value = (int64_t)unsigned_leb(at)});
		return true;
	case 0x0A:
		return remember(d);
	case 0x0B:
		return recall(d);
	case 0x0C: /* def_cfa */
		reg = unsigned_leb(at);
		set_cfa(d, reg, (int64_t)unsigned_leb(at));
		return true;
	case 0x0D: /* def_cfa_register */
		set_cfa(d, unsigned_leb(at), d->row.cfa_offset);
		return true;
	case 0x0E: /* def_cfa_offset */
		d->row.cfa_offset = (int64_t)unsigned_leb(at);
		return true;
	case 0x0F: /* def_cfa_expression */
		d->row.cfa = (struct rule){.kind = IS_EXPRESSION, .expression = block_at(at)};
		return true;
	case 0x10: /* expression */
		set_expression(d, at, AT_EXPRESSION);
		return true;
	case 0x11: /* offset_extended_sf */
		reg = unsigned_leb(at);
		set_offset(d, reg, signed_leb(at), AT_OFFSET);
		return true;
	case 0x12: /* def_cfa_sf */
		reg = unsigned_leb(at);
		set_cfa(d, reg, signed_leb(at) * d->data_factor);
		return true;
	case 0x13: /* def_cfa_offset_sf */
		d->row.cfa_offset = signed_leb(at) * d->data_factor;
		return true;
	case 0x14: /* val_offset */
		reg = unsigned_leb(at);
		set_offset(d, reg, (int64_t)unsigned_leb(at), IS_OFFSET);
		return true;
	case 0x15: /* val_offset_sf */
		reg = unsigned_leb(at);
		set_offset(d, reg, signed_leb(at), IS_OFFSET);
		return true;
	case 0x16: /* val_expression */
		set_expression(d, at, IS_EXPRESSION);
		return true;
	case 0x2E: /* GNU_args_size */
		unsigned_leb(at);
		return true;
	default:
		return false;
	}
}

/* Until the description of `pc` is complete. */
static bool run(struct description *d, struct block code, uint64_t pc)
{
	const uint8_t *at = code.at, *end = at + code.size;
	uint64_t place = d->begin;
	while (at < end) {
		uint8_t operation = *at++, argument = operation & 0x3F;
		switch (operation >> 6) {
		case 1: /* advance_loc */
			place += argument * d->code_factor;
			break;
		case 2: /* offset */
			set_offset(d, argument, (int64_t)unsigned_leb(&at), AT_OFFSET);
			break;
		case 3: /* restore */
			restore_initial(d, argument);
			break;
		default:
			if (!run_extended(d, operation, &at, &place))
				return false;
		}
		if (place > pc)
			return true;
	}
	return true;
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

static bool evaluate(const CONTEXT *context, struct block code, const uint64_t *start,
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
			stack[depth++] += (uint64_t)signed_leb(&at);
		} else if (operation == 0x08) { /* const1u, const1s */
			stack[depth++] = fixed(&at, 1);
		} else if (operation == 0x09) {
			stack[depth++] = (uint64_t)(int64_t)(int8_t)fixed(&at, 1);
		} else if (operation == 0x11) { /* consts */
			stack[depth++] = (uint64_t)signed_leb(&at);
		} else if (operation == 0x06) { /* deref */
			if (!depth || !read_word(*top, top))
				return false;
		} else if (operation == 0x23) { /* plus_uconst */
			*top += unsigned_leb(&at);
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
static bool locate(const CONTEXT *context, const struct rule *rule, uint64_t cfa, uint64_t *value,
		   bool *is)
{
	*is = rule->kind == IS_OFFSET || rule->kind == IN_REGISTER || rule->kind == IS_EXPRESSION;
	switch (rule->kind) {
	case AT_OFFSET:
	case IS_OFFSET:
		*value = cfa + (uint64_t)rule->value;
		return true;
	case IN_REGISTER:
		*value = value_of(context, (uint64_t)rule->value);
		return true;
	case AT_EXPRESSION:
	case IS_EXPRESSION:
		return evaluate(context, rule->expression, &cfa, value);
	default:
		return false;
	}
}

static bool restore_general(const CONTEXT *from, const struct row *row, uint64_t cfa, unsigned reg,
			    ULONG64 *to)
{
	const struct rule *rule = &row->reg[reg];
	uint64_t value;
	bool is;
	if (rule->kind == SAME || rule->kind == UNDEFINED)
		return reg != DWARF_RA; /* an undefined return address is the stack's end */
	if (!locate(from, rule, cfa, &value, &is))
		return false;
	if (!is)
		return read_word(value, to);
	*to = value;
	return true;
}

static bool restore_xmm(const CONTEXT *from, const struct row *row, uint64_t cfa, unsigned number,
			M128A *to)
{
	const struct rule *rule = &row->reg[DWARF_XMM + number];
	uint64_t at;
	bool is;
	if (rule->kind == SAME || rule->kind == UNDEFINED)
		return true;
	return locate(from, rule, cfa, &at, &is) && !is &&
	       host_read(to, (const void *)at, sizeof(*to)) == sizeof(*to);
}

static bool find_cfa(const CONTEXT *context, const struct row *row, uint64_t *cfa)
{
	if (row->cfa.kind == IS_EXPRESSION)
		return evaluate(context, row->cfa.expression, NULL, cfa);
	*cfa = value_of(context, (uint64_t)row->cfa.value) + (uint64_t)row->cfa_offset;
	return row->cfa.kind == IN_REGISTER;
}

static bool apply(const struct row *row, CONTEXT *context)
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
	uint64_t pc = context->Rip - !fault; /* a call can be a function's last instruction */
	struct dl_find_object object;
	struct description d;
	const uint8_t *at;

	if (_dl_find_object((void *)pc, &object) || !object.dlfo_eh_frame)
		return false;
	at = search(object.dlfo_eh_frame, pc);
	if (!at || !read_description(at, pc, &d))
		return false;
	memset(&d.row, 0, sizeof(d.row));
	d.depth = 0;
	d.initial = d.row;
	if (!run(&d, d.common, UINT64_MAX))
		return false;
	d.initial = d.row;
	return run(&d, d.own, pc) && apply(&d.row, context);
}
