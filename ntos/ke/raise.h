/* SPDX-License-Identifier: MIT */
/* Exceptions that the kernel raises for a driver's mistake. */
#ifndef RINGSIDE_KE_RAISE_H
#define RINGSIDE_KE_RAISE_H

#include <ringside/nt.h>

/* Raises an exception that a driver's __except around its call of ours can handle, and
 * that ends in a bug check otherwise. `what` says in a sentence what happened. Our frames
 * up to the driver are left without a trace: no lock may be held. */
_Noreturn void ke_raise_status(NTSTATUS status, const char *what);

#endif
