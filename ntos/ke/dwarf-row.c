/* SPDX-License-Identifier: MIT */
/*
 * Reading call frame information: from a code address to the row that holds there.
 *
 * The dynamic linker finds the information of an address without a lock
 * (_dl_find_object), so this works in a signal handler. A sorted table leads to the
 * description of a function, whose instructions are run until they are past the address.
 * The information is our own program's and is trusted. Nothing is kept.
 *
 * Reference: DWARF 5, section 6.4; the Linux Standard Base on .eh_frame.
 */
#include "ke/dwarf-row.h"
#include <dlfcn.h>

#define MAX_REMEMBERED 4

struct description {
	uint64_t begin, end; /* of the function */
	uint64_t code_factor;
	int64_t data_factor;
	uint8_t pointers;               /* how addresses are written */
	struct dwarf_block common, own; /* instructions */
	struct dwarf_row row, initial, remembered[MAX_REMEMBERED];
	unsigned depth;
};

enum { FORM = 0x0F, SDATA4 = 0x0B, RELATIVE = 0x10 };

/* An address; compilers for x86-64 write it in two forms. False for any other. */
static bool encoded(const uint8_t **at, uint8_t encoding, uint64_t *value)
{
	const uint8_t *start = *at;
	switch (encoding & FORM) {
	case 0x00:
	case 0x04:
	case 0x0C:
		*value = dwarf_fixed(at, 8);
		break;
	case 0x03:
		*value = dwarf_fixed(at, 4);
		break;
	case SDATA4:
		*value = (uint64_t)(int64_t)(int32_t)dwarf_fixed(at, 4);
		break;
	default:
		return false;
	}
	if ((encoding & 0x70) == RELATIVE)
		*value += (uintptr_t)start;
	return (encoding & 0x70) == RELATIVE || !(encoding & 0x70);
}

static struct dwarf_block block_at(const uint8_t **at)
{
	struct dwarf_block block = {.size = dwarf_unsigned(at)};
	block.at = *at;
	*at += block.size;
	return block;
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
	uint64_t length = dwarf_fixed(&end, 4);
	at = end;
	end += length;
	if (length == UINT32_MAX || dwarf_fixed(&at, 4) != 0)
		return false;
	uint8_t version = *at++;
	const char *augmentation = (const char *)at;
	at += strlen(augmentation) + 1;
	d->code_factor = dwarf_unsigned(&at);
	d->data_factor = dwarf_signed(&at);
	if ((version == 1 ? dwarf_fixed(&at, 1) : dwarf_unsigned(&at)) != DWARF_RA)
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
	d->common = (struct dwarf_block){*augmented ? at : data,
					 (size_t)(end - (*augmented ? at : data))};
	return true;
}

static bool read_description(const uint8_t *at, uint64_t pc, struct description *d)
{
	const uint8_t *end = at;
	bool augmented;
	uint64_t length = dwarf_fixed(&end, 4);
	at = end;
	end += length;
	if (!length || length == UINT32_MAX)
		return false;
	const uint8_t *common = at;
	common -= dwarf_fixed(&at, 4);
	if (!read_common(common, d, &augmented) || !encoded(&at, d->pointers, &d->begin) ||
	    !encoded(&at, d->pointers & FORM, &d->end))
		return false;
	d->end += d->begin;
	if (augmented)
		block_at(&at);
	d->own = (struct dwarf_block){at, (size_t)(end - at)};
	return pc >= d->begin && pc < d->end;
}

/* ---- Instructions ----------------------------------------------------------------- */

static void set_rule(struct description *d, uint64_t reg, struct dwarf_rule rule)
{
	if (reg < DWARF_REGISTERS) /* others are kept by no function */
		d->row.reg[reg] = rule;
}

static void set_offset(struct description *d, uint64_t reg, int64_t offset,
		       enum dwarf_rule_kind kind)
{
	set_rule(d, reg, (struct dwarf_rule){.kind = kind, .value = offset * d->data_factor});
}

static void set_expression(struct description *d, const uint8_t **at, enum dwarf_rule_kind kind)
{
	uint64_t reg = dwarf_unsigned(at);
	set_rule(d, reg, (struct dwarf_rule){.kind = kind, .expression = block_at(at)});
}

static void set_cfa(struct description *d, uint64_t reg, int64_t offset)
{
	d->row.cfa = (struct dwarf_rule){.kind = DWARF_IN_REGISTER, .value = (int64_t)reg};
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
		*place += dwarf_fixed(at, 1) * d->code_factor;
		return true;
	case 0x03:
		*place += dwarf_fixed(at, 2) * d->code_factor;
		return true;
	case 0x04:
		*place += dwarf_fixed(at, 4) * d->code_factor;
		return true;
	case 0x05: /* offset_extended */
		reg = dwarf_unsigned(at);
		set_offset(d, reg, (int64_t)dwarf_unsigned(at), DWARF_AT_OFFSET);
		return true;
	case 0x06: /* restore_extended */
		reg = dwarf_unsigned(at);
		restore_initial(d, reg);
		return true;
	case 0x07: /* undefined */
		set_rule(d, dwarf_unsigned(at), (struct dwarf_rule){.kind = DWARF_UNDEFINED});
		return true;
	case 0x08: /* same_value */
		set_rule(d, dwarf_unsigned(at), (struct dwarf_rule){.kind = DWARF_SAME});
		return true;
	case 0x09: /* register */
		reg = dwarf_unsigned(at);
		set_rule(d, reg,
			 (struct dwarf_rule){.kind = DWARF_IN_REGISTER,
					     .value = (int64_t)dwarf_unsigned(at)});
		return true;
	case 0x0A:
		return remember(d);
	case 0x0B:
		return recall(d);
	case 0x0C: /* def_cfa */
		reg = dwarf_unsigned(at);
		set_cfa(d, reg, (int64_t)dwarf_unsigned(at));
		return true;
	case 0x0D: /* def_cfa_register */
		set_cfa(d, dwarf_unsigned(at), d->row.cfa_offset);
		return true;
	case 0x0E: /* def_cfa_offset */
		d->row.cfa_offset = (int64_t)dwarf_unsigned(at);
		return true;
	case 0x0F: /* def_cfa_expression */
		d->row.cfa = (struct dwarf_rule){.kind = DWARF_IS_EXPRESSION,
						 .expression = block_at(at)};
		return true;
	case 0x10: /* expression */
		set_expression(d, at, DWARF_AT_EXPRESSION);
		return true;
	case 0x11: /* offset_extended_sf */
		reg = dwarf_unsigned(at);
		set_offset(d, reg, dwarf_signed(at), DWARF_AT_OFFSET);
		return true;
	case 0x12: /* def_cfa_sf */
		reg = dwarf_unsigned(at);
		set_cfa(d, reg, dwarf_signed(at) * d->data_factor);
		return true;
	case 0x13: /* def_cfa_offset_sf */
		d->row.cfa_offset = dwarf_signed(at) * d->data_factor;
		return true;
	case 0x14: /* val_offset */
		reg = dwarf_unsigned(at);
		set_offset(d, reg, (int64_t)dwarf_unsigned(at), DWARF_IS_OFFSET);
		return true;
	case 0x15: /* val_offset_sf */
		reg = dwarf_unsigned(at);
		set_offset(d, reg, dwarf_signed(at), DWARF_IS_OFFSET);
		return true;
	case 0x16: /* val_expression */
		set_expression(d, at, DWARF_IS_EXPRESSION);
		return true;
	case 0x2E: /* GNU_args_size */
		dwarf_unsigned(at);
		return true;
	default:
		return false;
	}
}

/* Until the description of `pc` is complete. */
static bool run(struct description *d, struct dwarf_block code, uint64_t pc)
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
			set_offset(d, argument, (int64_t)dwarf_unsigned(&at), DWARF_AT_OFFSET);
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

bool dwarf_find_row(uint64_t pc, struct dwarf_row *row)
{
	struct dl_find_object object;
	struct description d;
	if (_dl_find_object((void *)pc, &object) || !object.dlfo_eh_frame)
		return false;
	const uint8_t *at = search(object.dlfo_eh_frame, pc);
	if (!at || !read_description(at, pc, &d))
		return false;
	memset(&d.row, 0, sizeof(d.row));
	d.depth = 0;
	d.initial = d.row;
	if (!run(&d, d.common, UINT64_MAX))
		return false;
	d.initial = d.row;
	if (!run(&d, d.own, pc))
		return false;
	*row = d.row;
	return true;
}
