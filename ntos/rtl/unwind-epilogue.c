/* SPDX-License-Identifier: MIT */
/*
 * Unwinding from inside an epilogue.
 *
 * The form of an epilogue is fixed: the fixed allocation is given back (add rsp, or lea
 * rsp from the frame register), registers are popped, and it ends with a return or with a
 * jump out of the function. So the code itself says whether the rest of a function from
 * some place on is one. Version 2 says in the unwind information as well where epilogues
 * are; then only those places count, since other code may look like one.
 *
 * The last instructions are tried on a copy of the context and of the description, so
 * that a sequence that turns out to be something else has changed nothing.
 */
#include "rtl/unwind-info.h"
#include <string.h>

/* The longest of them: lea rsp, [r13 + disp32]; eight pops of two bytes; jmp. */
#define MAX_EPILOGUE 40

struct reader {
	const uint8_t *at, *end;
};

static int32_t number(const uint8_t *at, unsigned size)
{
	int32_t value;
	if (size == 1)
		return (int8_t)*at;
	memcpy(&value, at, sizeof(value));
	return value;
}

static bool has(const struct reader *r, size_t count)
{
	return (size_t)(r->end - r->at) >= count;
}

/* add rsp, imm8 or imm32 */
static bool give_back(struct reader *r, CONTEXT *context)
{
	if (!has(r, 4) || r->at[0] != 0x48 || (r->at[1] != 0x83 && r->at[1] != 0x81) ||
	    r->at[2] != 0xC4)
		return false;
	unsigned size = r->at[1] == 0x83 ? 1 : 4;
	if (!has(r, 3 + size))
		return false;
	context->Rsp += (ULONG64)(LONG64)number(r->at + 3, size);
	r->at += 3 + size;
	return true;
}

/* lea rsp, [frame register + disp8 or disp32] */
static bool load_from_frame(struct reader *r, CONTEXT *context, unsigned frame)
{
	if (!frame || !has(r, 4) || (r->at[0] != 0x48 && r->at[0] != 0x49) || r->at[1] != 0x8D)
		return false;
	unsigned mode = r->at[2] >> 6, to = r->at[2] >> 3 & 7;
	unsigned base = (r->at[2] & 7u) | (r->at[0] & 1u) << 3;
	unsigned size = mode == 1 ? 1 : 4;
	if ((mode != 1 && mode != 2) || to != 4 || base != frame || (base & 7) == 4 ||
	    !has(r, 3 + size))
		return false;
	context->Rsp = *ke_context_register(context, base) +
		       (ULONG64)(LONG64)number(r->at + 3, size);
	r->at += 3 + size;
	return true;
}

static bool pop(struct reader *r, struct rtl_unwinding *u)
{
	unsigned high = has(r, 2) && r->at[0] == 0x41, reg;
	if (!has(r, 1 + high) || (r->at[high] & 0xF8) != 0x58)
		return false;
	reg = (r->at[high] & 7u) | high << 3;
	u->context->Rsp += 8;
	r->at += 1 + high;
	return rtl_restore_register(u, reg, u->context->Rsp - 8);
}

/* A function can be in several parts, each with an entry of its own; a jump from part to
 * part leaves the frame as it is. It goes into an entry's middle, or to one that is
 * described as the continuation of another. */
static bool is_other_function(const struct rtl_image *image, const RUNTIME_FUNCTION *function,
			      ULONG rva)
{
	RUNTIME_FUNCTION target;
	uint8_t first;
	if (rva > function->BeginAddress && rva < function->EndAddress)
		return false;
	if (!rtl_find_function(image, rva, &target))
		return true; /* a leaf, or a stub of an import */
	return target.BeginAddress == rva &&
	       rtl_read_image(image, target.UnwindData, &first, sizeof(first)) &&
	       !(first >> 3 & UNW_FLAG_CHAININFO);
}

/* A return, or a jump to another function. */
static bool leaves(const struct reader *r, const struct rtl_image *image,
		   const RUNTIME_FUNCTION *function, ULONG rva)
{
	const uint8_t *at = r->at;
	if (has(r, 1) && (at[0] == 0xC3 || at[0] == 0xC2))
		return true;
	if (!has(r, 2))
		return false;
	if (at[0] == 0xF3 && at[1] == 0xC3)
		return true;
	if (at[0] == 0xFF && at[1] == 0x25) /* jmp [rip + disp32] */
		return true;
	if ((at[0] & 0xF8) == 0x48 && at[1] == 0xFF && has(r, 3))
		return (at[2] >> 3 & 7) == 4; /* jmp r/m64, which compilers mark with REX.W */
	unsigned size = at[0] == 0xEB ? 1 : at[0] == 0xE9 ? 4 : 0;
	if (!size || !has(r, 1 + size))
		return false;
	return is_other_function(image, function, rva + 1 + size + (ULONG)number(at + 1, size));
}

/* Whether version 2's description has an epilogue at `rva`. The first code gives the size
 * of all of them, and whether one is at the function's end; the others say how far
 * before the end one begins. */
static bool is_described(const RUNTIME_FUNCTION *function, const struct rtl_unwind_info *info,
			 ULONG rva)
{
	if (!info->count || rtl_operation(info, 0) != EPILOGUE)
		return false;
	ULONG size = info->code[0].offset, to_end = function->EndAddress - rva;
	if (rtl_argument(info, 0) & 1 && to_end <= size)
		return true;
	for (unsigned i = 1; i < info->count && rtl_operation(info, i) == EPILOGUE; i++) {
		ULONG before_end = info->code[i].offset | rtl_argument(info, i) << 8;
		if (before_end && to_end <= before_end && before_end - to_end < size)
			return true;
	}
	return false;
}

bool rtl_unwind_epilogue(struct rtl_unwinding *u, const RUNTIME_FUNCTION *function,
			 const struct rtl_unwind_info *info, ULONG rva)
{
	uint8_t code[MAX_EPILOGUE];
	ULONG left = function->EndAddress - rva;
	size_t size = left < sizeof(code) ? left : sizeof(code);
	CONTEXT context = *u->context;
	KNONVOLATILE_CONTEXT_POINTERS pointers = {0};
	struct rtl_unwinding rest = *u;
	struct reader r = {code, code + size};

	if (rva < function->BeginAddress || rva >= function->EndAddress ||
	    (info->version == 2 && !is_described(function, info, rva)) ||
	    !rtl_read_image(u->image, rva, code, size))
		return false;
	rest.context = &context;
	if (u->pointers)
		pointers = *u->pointers;
	rest.pointers = u->pointers ? &pointers : NULL;
	rest.establisher = context.Rsp;
	if (!give_back(&r, &context))
		load_from_frame(&r, &context, info->frame & 15);
	while (pop(&r, &rest))
		;
	if (!leaves(&r, u->image, function, rva + (ULONG)(r.at - code)) || !rtl_unwind_leaf(&rest))
		return false;
	*u->context = context;
	if (u->pointers)
		*u->pointers = pointers;
	u->known = rest.known;
	u->establisher = rest.establisher;
	return true;
}
