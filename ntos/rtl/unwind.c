/* SPDX-License-Identifier: MIT */
/*
 * One frame outwards, as a compiler for Windows x64 describes it.
 *
 * A module's exception table (.pdata) holds a sorted RUNTIME_FUNCTION for every
 * function that touches the stack; its unwind codes, undone in order, give the
 * caller's registers. Versions 1 and 2 are read. An epilogue has undone part of the
 * frame already; from inside one, its remaining instructions say what is left
 * (unwind-epilogue.c).
 *
 * All of it is the driver's memory and may be damaged or gone by now, so everything
 * is read with host_read and checked against the image's size. Nothing is kept here.
 *
 * Reference: "x64 exception handling" and RtlVirtualUnwind.
 */
#include "rtl/unwind.h"
#include "rtl/unwind-info.h"
#include "trap.h"

#define MAX_CHAIN 32

enum { RSP = 4 };

bool rtl_read_image(const struct rtl_image *image, ULONG rva, void *to, size_t size)
{
	return rva < image->size && size <= image->size - rva &&
	       host_read(to, (const void *)(image->base + rva), size) == size;
}

bool rtl_read_stack(ULONG64 address, ULONG64 *value)
{
	return host_read(value, (const void *)address, sizeof(*value)) == sizeof(*value);
}

/* ---- Functions -------------------------------------------------------------------- */

struct rtl_image rtl_image_of(const struct ldr_module *module)
{
	struct rtl_image image = {.base = (uintptr_t)module->entry.DllBase,
				  .size = module->entry.SizeOfImage};
	ULONG64 table = (uintptr_t)module->entry.ExceptionTable - image.base;
	if (module->entry.ExceptionTable && table < image.size) {
		image.table = table;
		image.functions = module->entry.ExceptionTableSize / sizeof(RUNTIME_FUNCTION);
	}
	return image;
}

/* An entry can stand for another one, which describes the rest of the same function. */
static ULONG64 follow_indirection(const struct rtl_image *image, ULONG64 at,
				  RUNTIME_FUNCTION *found)
{
	if (!(found->UnwindData & 1))
		return at;
	ULONG rva = found->UnwindData & ~1u;
	return rtl_read_image(image, rva, found, sizeof(*found)) ? image->base + rva : 0;
}

ULONG64 rtl_find_function(const struct rtl_image *image, ULONG rva, RUNTIME_FUNCTION *found)
{
	ULONG low = 0, high = image->functions;
	while (low < high) {
		ULONG middle = low + (high - low) / 2;
		ULONG64 at = image->table + middle * sizeof(*found);
		if (!rtl_read_image(image, (ULONG)at, found, sizeof(*found)))
			return 0;
		if (rva < found->BeginAddress)
			high = middle;
		else if (rva >= found->EndAddress)
			low = middle + 1;
		else
			return follow_indirection(image, image->base + at, found);
	}
	return 0;
}

/* ---- Unwind codes ----------------------------------------------------------------- */

static bool read_info(const struct rtl_image *image, ULONG rva, struct rtl_unwind_info *info)
{
	if (!rtl_read_image(image, rva, info, offsetof(struct rtl_unwind_info, code)) ||
	    !rtl_read_image(image, rva + offsetof(struct rtl_unwind_info, code), info->code,
			    info->count * sizeof(info->code[0])))
		return false;
	unsigned version = info->version;
	return version == 1 || version == 2;
}

/* How many slots of info->code the operation at `i` takes; 0 for an unknown one. */
static unsigned slots(const struct rtl_unwind_info *info, unsigned i)
{
	static const uint8_t of[] = {
		[PUSH_REGISTER] = 1,      [ALLOCATE_LARGE] = 2,
		[ALLOCATE_SMALL] = 1,     [SET_FRAME] = 1,
		[SAVE_REGISTER] = 2,      [SAVE_REGISTER_FAR] = 3,
		[EPILOGUE] = 1,           [SPARE] = 3,
		[SAVE_XMM] = 2,           [SAVE_XMM_FAR] = 3,
		[PUSH_MACHINE_FRAME] = 1,
	};
	unsigned operation = rtl_operation(info, i), argument = rtl_argument(info, i);
	if (operation >= sizeof(of) || i + of[operation] > info->count)
		return 0;
	if (operation == ALLOCATE_LARGE && argument)
		return i + 3 <= info->count ? 3 : 0;
	return of[operation];
}

static ULONG operand(const struct rtl_unwind_info *info, unsigned i, bool wide)
{
	ULONG value = info->code[i + 1].offset | (ULONG)info->code[i + 1].operation << 8;
	if (wide)
		value |= (ULONG)info->code[i + 2].offset << 16 | (ULONG)info->code[i + 2].operation
									 << 24;
	return value;
}

bool rtl_restore_register(struct rtl_unwinding *u, unsigned reg, ULONG64 from)
{
	u->known |= 1u << reg;
	if (u->pointers)
		u->pointers->IntegerContext[reg] = (PULONG64)from;
	return rtl_read_stack(from, ke_context_register(u->context, reg));
}

static bool restore_xmm(struct rtl_unwinding *u, unsigned reg, ULONG64 from)
{
	M128A *to = &u->context->FltSave.XmmRegisters[reg];
	if (u->pointers)
		u->pointers->FloatingContext[reg] = (PM128A)from;
	return host_read(to, (const void *)from, sizeof(*to)) == sizeof(*to);
}

/* What an interrupt pushes; drivers have none of their own, but assembly code may. */
static bool undo_machine_frame(struct rtl_unwinding *u, bool error_code)
{
	ULONG64 at = u->context->Rsp + (error_code ? 8 : 0);
	return rtl_read_stack(at, &u->context->Rip) && rtl_read_stack(at + 24, &u->context->Rsp);
}

/* Undoes one operation. `base` is the frame that SAVE_REGISTER counts from. */
static bool undo(struct rtl_unwinding *u, const struct rtl_unwind_info *info, unsigned i,
		 ULONG64 base)
{
	unsigned argument = rtl_argument(info, i);
	ULONG64 *rsp = &u->context->Rsp;

	switch (rtl_operation(info, i)) {
	case PUSH_REGISTER:
		*rsp += 8;
		return rtl_restore_register(u, argument, *rsp - 8);
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
		return rtl_restore_register(u, argument, base + operand(info, i, false) * 8u);
	case SAVE_REGISTER_FAR:
		return rtl_restore_register(u, argument, base + operand(info, i, true));
	case SAVE_XMM:
		return restore_xmm(u, argument, base + operand(info, i, false) * 16u);
	case SAVE_XMM_FAR:
		return restore_xmm(u, argument, base + operand(info, i, true));
	default:
		return true; /* what version 2 adds describes epilogues */
	}
}

/* Where the function's fixed frame lies: its frame register says it once the prologue
 * has set it. */
static bool frame_base(const struct rtl_unwinding *u, const struct rtl_unwind_info *info,
		       ULONG offset, ULONG64 *base)
{
	unsigned reg = info->frame & 15, scaled = info->frame >> 4;
	*base = u->context->Rsp;
	if (!reg)
		return true;
	for (unsigned i = 0, n; i < info->count && (n = slots(info, i)); i += n) {
		if (rtl_operation(info, i) != SET_FRAME || info->code[i].offset > offset)
			continue;
		*base = *ke_context_register(u->context, reg) - scaled * 16u;
		return u->known & 1u << reg;
	}
	return true;
}

static bool undo_prologue(struct rtl_unwinding *u, const struct rtl_unwind_info *info, ULONG offset,
			  bool *machine_frame)
{
	ULONG64 base;
	unsigned n;

	if (!frame_base(u, info, offset, &base))
		return false;
	if (!u->establisher)
		u->establisher = base;
	for (unsigned i = 0; i < info->count; i += n) {
		n = slots(info, i);
		if (!n)
			return false;
		unsigned operation = rtl_operation(info, i);
		if (operation == EPILOGUE || info->code[i].offset > offset)
			continue;
		if (operation == PUSH_MACHINE_FRAME) {
			*machine_frame = true;
			return undo_machine_frame(u, rtl_argument(info, i));
		}
		if (!undo(u, info, i, base))
			return false;
	}
	return true;
}

/* ---- A whole frame ---------------------------------------------------------------- */

bool rtl_unwind_leaf(struct rtl_unwinding *u)
{
	ULONG64 *rsp = &u->context->Rsp;
	if (!u->establisher)
		u->establisher = *rsp;
	if (!rtl_read_stack(*rsp, &u->context->Rip))
		return false;
	*rsp += 8;
	return true;
}

/* The handler stands behind the codes; what it is told about the function follows. */
static bool find_handler(struct rtl_unwinding *u, ULONG after, unsigned flags, ULONG wanted)
{
	if (!(flags & wanted))
		return true;
	u->handler_data = after + sizeof(u->handler);
	return rtl_read_image(u->image, after, &u->handler, sizeof(u->handler)) &&
	       u->handler < u->image->size;
}

bool rtl_unwind_function(struct rtl_unwinding *u, const RUNTIME_FUNCTION *from, ULONG rva,
			 ULONG wanted)
{
	RUNTIME_FUNCTION function = *from;
	ULONG64 rsp = u->context->Rsp;
	ULONG offset = rva - function.BeginAddress;
	bool machine_frame = false;

	u->establisher = 0;
	u->handler = u->handler_data = 0;
	for (unsigned i = 0; i < MAX_CHAIN; i++) {
		struct rtl_unwind_info info;
		if (!read_info(u->image, function.UnwindData, &info))
			return false;
		if (i == 0 && rtl_unwind_epilogue(u, &function, &info, rva))
			return u->context->Rsp > rsp;
		if (i == 0 && offset < info.prologue_size)
			wanted = 0; /* the handler's frame is not there yet */
		if (!undo_prologue(u, &info, offset, &machine_frame))
			return false;
		ULONG after = function.UnwindData + offsetof(struct rtl_unwind_info, code) +
			      (info.count + (info.count & 1u)) * (ULONG)sizeof(info.code[0]);
		if (!(info.flags & UNW_FLAG_CHAININFO))
			return find_handler(u, after, info.flags, wanted) &&
			       (machine_frame || rtl_unwind_leaf(u)) && u->context->Rsp > rsp;
		if (!rtl_read_image(u->image, after, &function, sizeof(function)))
			return false;
		offset = UINT32_MAX; /* the function chained to is through its prologue */
	}
	return false;
}

/* ---- Exports ---------------------------------------------------------------------- */

PVOID NTAPI RtlPcToFileHeader(PVOID PcValue, PVOID *BaseOfImage)
{
	const struct ldr_module *module = ldr_module_of(PcValue);
	*BaseOfImage = module ? module->entry.DllBase : NULL;
	return *BaseOfImage;
}

PRUNTIME_FUNCTION NTAPI RtlLookupFunctionEntry(ULONG64 ControlPc, PULONG64 ImageBase,
					       PVOID HistoryTable)
{
	(void)HistoryTable; /* a cache of the caller's, which may stay empty */
	const struct ldr_module *module = ldr_module_of((const void *)ControlPc);
	RUNTIME_FUNCTION found;
	if (!module)
		return NULL;
	struct rtl_image image = rtl_image_of(module);
	*ImageBase = image.base;
	return (PRUNTIME_FUNCTION)rtl_find_function(&image, (ULONG)(ControlPc - image.base),
						    &found);
}

PEXCEPTION_ROUTINE NTAPI RtlVirtualUnwind(ULONG HandlerType, ULONG64 ImageBase, ULONG64 ControlPc,
					  PRUNTIME_FUNCTION FunctionEntry, PCONTEXT ContextRecord,
					  PVOID *HandlerData, PULONG64 EstablisherFrame,
					  PKNONVOLATILE_CONTEXT_POINTERS ContextPointers)
{
	const struct ldr_module *module = ldr_module_of((const void *)ImageBase);
	struct rtl_image image = {.base = ImageBase, .size = UINT32_MAX};
	CONTEXT context = *ContextRecord;
	struct rtl_unwinding u = {
		.image = &image, .context = &context, .known = 0xFFFF, .pointers = ContextPointers};

	if (module)
		image = rtl_image_of(module);
	bool unwound = FunctionEntry
			       ? rtl_unwind_function(&u, FunctionEntry,
						     (ULONG)(ControlPc - ImageBase), HandlerType)
			       : rtl_unwind_leaf(&u);
	if (!unwound)
		context.Rip = 0; /* what ends every walk */
	*ContextRecord = context;
	*EstablisherFrame = u.establisher;
	if (!u.handler)
		return NULL;
	*HandlerData = (PVOID)(ImageBase + u.handler_data);
	return (PEXCEPTION_ROUTINE)(ImageBase + u.handler);
}
