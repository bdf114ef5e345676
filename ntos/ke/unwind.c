/* SPDX-License-Identifier: MIT */
/*
 * One frame outwards, as a compiler for Windows x64 describes it.
 *
 * A module's exception table (.pdata) holds a sorted RUNTIME_FUNCTION for every
 * function that touches the stack; its unwind codes, undone in order, give the
 * caller's registers. Versions 1 and 2 are read; what version 2 adds describes
 * epilogues, where neither a call nor, in practice, a fault is.
 *
 * All of it is the driver's memory and may be damaged or gone by now, so everything
 * is read with host_read and checked against the image's size.
 */
#include "ke/stackwalk.h"
#include "trap.h"

#define CHAINED 0x4 /* flag: the description goes on in another function's */
#define MAX_CHAIN 32

enum unwind_operation {
	PUSH_REGISTER,
	ALLOCATE_LARGE,
	ALLOCATE_SMALL,
	SET_FRAME,
	SAVE_REGISTER,
	SAVE_REGISTER_FAR,
	EPILOGUE,
	SPARE,
	SAVE_XMM,
	SAVE_XMM_FAR,
	PUSH_MACHINE_FRAME,
};

struct function {
	uint32_t begin, end, info; /* RVAs */
};

struct unwind_info {
	uint8_t version_flags, prologue_size, count, frame;
	struct {
		uint8_t offset, operation;
	} code[256];
};

static bool read_image(const struct ldr_module *module, uint32_t rva, void *to, size_t size)
{
	return rva < module->entry.SizeOfImage && size <= module->entry.SizeOfImage - rva &&
	       host_read(to, (char *)module->entry.DllBase + rva, size) == size;
}

static bool read_stack(ULONG64 address, ULONG64 *value)
{
	return host_read(value, (const void *)address, sizeof(*value)) == sizeof(*value);
}

static bool find_function(const struct ldr_module *module, uint32_t rva, struct function *found)
{
	ULONG64 table = (uintptr_t)module->entry.ExceptionTable - (uintptr_t)module->entry.DllBase;
	uint32_t low = 0, high = module->entry.ExceptionTableSize / sizeof(*found);

	if (!module->entry.ExceptionTable || table >= module->entry.SizeOfImage)
		return false;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (!read_image(module, (uint32_t)(table + middle * sizeof(*found)), found,
				sizeof(*found)))
			return false;
		if (rva < found->begin)
			high = middle;
		else if (rva >= found->end)
			low = middle + 1;
		else
			return true;
	}
	return false;
}

static bool read_info(const struct ldr_module *module, uint32_t rva, struct unwind_info *info)
{
	if (!read_image(module, rva, info, offsetof(struct unwind_info, code)) ||
	    !read_image(module, rva + offsetof(struct unwind_info, code), info->code,
			info->count * sizeof(info->code[0])))
		return false;
	unsigned version = info->version_flags & 7;
	return version == 1 || version == 2;
}

/* How many slots of info->code the operation at `i` takes; 0 for an unknown one. */
static unsigned slots(const struct unwind_info *info, unsigned i)
{
	static const uint8_t of[] = {
		[PUSH_REGISTER] = 1,      [ALLOCATE_LARGE] = 2,
		[ALLOCATE_SMALL] = 1,     [SET_FRAME] = 1,
		[SAVE_REGISTER] = 2,      [SAVE_REGISTER_FAR] = 3,
		[EPILOGUE] = 1,           [SPARE] = 3,
		[SAVE_XMM] = 2,           [SAVE_XMM_FAR] = 3,
		[PUSH_MACHINE_FRAME] = 1,
	};
	unsigned operation = info->code[i].operation & 15, argument = info->code[i].operation >> 4;
	if (operation >= sizeof(of) || i + of[operation] > info->count)
		return 0;
	if (operation == ALLOCATE_LARGE && argument)
		return i + 3 <= info->count ? 3 : 0;
	return of[operation];
}

static uint32_t operand(const struct unwind_info *info, unsigned i, bool wide)
{
	uint32_t value = info->code[i + 1].offset | (uint32_t)info->code[i + 1].operation << 8;
	if (wide)
		value |= (uint32_t)info->code[i + 2].offset << 16 |
			 (uint32_t)info->code[i + 2].operation << 24;
	return value;
}

static bool restore(struct ke_frame *frame, unsigned reg, ULONG64 from)
{
	frame->known |= 1u << reg;
	return read_stack(from, &frame->reg[reg]);
}

/* Undoes one operation. `base` is the frame that SAVE_REGISTER counts from. */
static bool undo(struct ke_frame *frame, const struct unwind_info *info, unsigned i, ULONG64 base)
{
	unsigned argument = info->code[i].operation >> 4;
	ULONG64 *rsp = &frame->reg[KE_RSP];

	switch (info->code[i].operation & 15) {
	case PUSH_REGISTER:
		*rsp += 8;
		return restore(frame, argument, *rsp - 8);
	case ALLOCATE_LARGE:
		*rsp += argument ? operand(info, i, true) : operand(info, i, false) * 8u;
		return true;
	case ALLOCATE_SMALL:
		*rsp += argument * 8u + 8;
		return true;
	case SET_FRAME:
		*rsp = base;
		return true;
	case SAVE_REGISTER:
		return restore(frame, argument, base + operand(info, i, false) * 8u);
	case SAVE_REGISTER_FAR:
		return restore(frame, argument, base + operand(info, i, true));
	case PUSH_MACHINE_FRAME:
		return false; /* an interrupt frame: drivers have none */
	default:
		return true; /* epilogues and xmm registers do not move the stack */
	}
}

/* Where the function's fixed frame lies, once its prologue is through. */
static bool frame_base(const struct ke_frame *frame, const struct unwind_info *info,
		       uint32_t offset, ULONG64 *base)
{
	unsigned reg = info->frame & 15, scaled = info->frame >> 4;
	*base = frame->reg[KE_RSP];
	if (!reg)
		return true;
	for (unsigned i = 0, n; i < info->count && (n = slots(info, i)); i += n) {
		if ((info->code[i].operation & 15) != SET_FRAME || info->code[i].offset > offset)
			continue;
		*base = frame->reg[reg] - scaled * 16u;
		return frame->known & 1u << reg;
	}
	return true;
}

static bool undo_prologue(struct ke_frame *frame, const struct unwind_info *info, uint32_t offset)
{
	ULONG64 base;
	unsigned n;

	if (!frame_base(frame, info, offset, &base))
		return false;
	for (unsigned i = 0; i < info->count; i += n) {
		n = slots(info, i);
		if (!n)
			return false;
		bool epilogue = (info->code[i].operation & 15) == EPILOGUE;
		if (!epilogue && info->code[i].offset <= offset && !undo(frame, info, i, base))
			return false;
	}
	return true;
}

static bool undo_function(const struct ldr_module *module, struct function function, uint32_t rva,
			  struct ke_frame *frame)
{
	uint32_t offset = rva - function.begin;
	for (unsigned i = 0; i < MAX_CHAIN; i++) {
		struct unwind_info info;
		if (!read_info(module, function.info, &info) ||
		    !undo_prologue(frame, &info, offset))
			return false;
		if (!(info.version_flags >> 3 & CHAINED))
			return true;
		uint32_t after = function.info + offsetof(struct unwind_info, code) +
				 (info.count + (info.count & 1)) * (uint32_t)sizeof(info.code[0]);
		if (!read_image(module, after, &function, sizeof(function)))
			return false;
		offset = UINT32_MAX; /* the function chained to is through its prologue */
	}
	return false;
}

bool ke_unwind_frame(const struct ldr_module *module, struct ke_frame *frame, bool innermost)
{
	/* A return address can lie behind its function's last byte. */
	uint32_t rva = (uint32_t)(frame->pc - (uintptr_t)module->entry.DllBase) - !innermost;
	struct function function;
	struct ke_frame caller = *frame;

	if (find_function(module, rva, &function)) {
		if (!undo_function(module, function, rva, &caller))
			return false;
	} else if (!innermost || !module->entry.ExceptionTable) {
		return false; /* only a leaf may go without, and a leaf calls nothing */
	}
	if (!read_stack(caller.reg[KE_RSP], &caller.pc) || caller.reg[KE_RSP] < frame->reg[KE_RSP])
		return false;
	caller.reg[KE_RSP] += 8;
	*frame = caller;
	return true;
}
