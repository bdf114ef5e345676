/* SPDX-License-Identifier: MIT */
/* Exceptions that the kernel raises for a driver's mistake. */
#ifndef RINGSIDE_KE_RAISE_H
#define RINGSIDE_KE_RAISE_H

#include "ke/bugcheck.h"

/* No exception handler can be reached from C code of ours yet, so each ends as one that
 * nobody handles. */
static inline _Noreturn void ke_raise_status(NTSTATUS status, const char *what)
{
	KE_BUG_CHECK(KE_KMODE_EXCEPTION_NOT_HANDLED, (ULONG)status,
		     (uintptr_t)__builtin_return_address(0), 0, 0, "%s (0x%x)", what,
		     (ULONG)status);
}

#endif
