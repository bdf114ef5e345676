/* SPDX-License-Identifier: MIT */
/* Where functions begin. */
#ifndef RINGSIDE_LDR_FUNCTION_H
#define RINGSIDE_LDR_FUNCTION_H

#include "ldr/bytes.h"
#include "ldr/pe.h"

/* The RVA at which the function around `rva` begins, by the exception directory of the
 * file. False for what that does not list: a function that calls nothing. */
bool ldr_function_begin(const struct ldr_bytes *file, const struct pe *pe, uint32_t rva,
			uint32_t *begin);

#endif
