/* SPDX-License-Identifier: MIT */
/* The format of unwind information, for those who read it (unwind.c, unwind-epilogue.c). */
#ifndef RINGSIDE_RTL_UNWIND_INFO_H
#define RINGSIDE_RTL_UNWIND_INFO_H

#include "rtl/unwind.h"

enum rtl_unwind_operation {
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

struct rtl_unwind_info {
	uint8_t version : 3, flags : 5;
	uint8_t prologue_size, count, frame;
	struct {
		uint8_t offset, operation;
	} code[256];
};

static inline unsigned rtl_operation(const struct rtl_unwind_info *info, unsigned i)
{
	return info->code[i].operation & 15;
}

static inline unsigned rtl_argument(const struct rtl_unwind_info *info, unsigned i)
{
	return info->code[i].operation >> 4;
}

bool rtl_read_image(const struct rtl_image *image, ULONG rva, void *to, size_t size);
bool rtl_read_stack(ULONG64 address, ULONG64 *value);
bool rtl_restore_register(struct rtl_unwinding *unwinding, unsigned reg, ULONG64 from);

/* When `rva` is in an epilogue, does the rest of it and returns true; otherwise nothing
 * is changed. */
bool rtl_unwind_epilogue(struct rtl_unwinding *unwinding, const RUNTIME_FUNCTION *function,
			 const struct rtl_unwind_info *info, ULONG rva);

#endif
