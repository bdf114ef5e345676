/* SPDX-License-Identifier: MIT */
/*
 * User memory, and the care that it needs.
 *
 * A user's address may be bad, or stop being good while it is used; so it is never
 * touched directly on a caller's behalf but by a copy that says how far it came.
 * Kernel addresses are a driver's own and are touched as they are: a bad one is
 * the bug check that it would be on NT.
 */
#include "mm/mdl.h"
#include "faultcopy.h"
#include "user.h"
#include <string.h>

#define LOWEST_USER_ADDRESS 0x10000ull

void *rs_user_alloc(size_t size)
{
	return host_map_user(size, LOWEST_USER_ADDRESS, MM_KERNEL_BEGIN);
}

void rs_user_free(void *memory, size_t size)
{
	host_unmap(memory, size);
}

bool mm_may_access(const void *address, SIZE_T size, bool write, KPROCESSOR_MODE mode)
{
	uintptr_t begin = (uintptr_t)address;
	if (!size || mode == KernelMode)
		return true;
	if (begin >= MM_KERNEL_BEGIN || size > MM_KERNEL_BEGIN - begin)
		return false;
	return host_can_access(address, size, write);
}

bool mm_copy_from(void *to, const void *from, SIZE_T size)
{
	if (mm_is_user(from))
		return host_copy(to, from, size) == size;
	memcpy(to, from, size);
	return true;
}

bool mm_copy_to(void *to, const void *from, SIZE_T size)
{
	if (mm_is_user(to))
		return host_copy(to, from, size) == size;
	memcpy(to, from, size);
	return true;
}
