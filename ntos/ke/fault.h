/* SPDX-License-Identifier: MIT */
/* What becomes of a processor exception. */
#ifndef RINGSIDE_KE_FAULT_H
#define RINGSIDE_KE_FAULT_H

#include "trap.h"

/* A host_trap_function. true: the instruction was carried out in the driver's stead, or
 * it has become an exception, which is dispatched once the handler has returned. false:
 * it is none of a driver's business. Does not return where Windows stops: that is a
 * bug check. */
bool ke_fault(struct host_trap *trap);

#endif
