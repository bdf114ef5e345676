/* SPDX-License-Identifier: MIT */
/* What a driver's routine should not do where it is; see restraint.c. */
#ifndef RINGSIDE_EX_RESTRAINT_H
#define RINGSIDE_EX_RESTRAINT_H

/* VF-15: to be called before what a notify routine or object callback should leave
 * alone: `deed` says it as a verb, "calls the registry". Any IRQL. */
void ex_restrain(const char *deed);

/* VF-9: a driver calls the Zw function `call` from `caller` while special kernel APCs are
 * off. PASSIVE_LEVEL. */
void ex_check_special_apcs(const char *call, const void *caller);

/* VF-3: a registration by `call` is under way. PASSIVE_LEVEL. */
void ex_check_registering(const char *call);

/* Nothing has been told yet. */
void ex_shutdown_restraint(void);

#endif
