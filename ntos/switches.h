/* SPDX-License-Identifier: MIT */
/*
 * The points where documentation and measured Windows differ, or where evidence
 * is thin: contract, Appendix C. Set at boot, read-only afterwards.
 */
#ifndef RINGSIDE_SWITCHES_H
#define RINGSIDE_SWITCHES_H

#include <stdbool.h>

/* X(number, field, value in the documented profile, in the observed one, text) */
#define RINGSIDE_SWITCH_LIST(X)                                                                    \
	X(1, duplicate_routine_accepted, 0, 1, "a process routine may be registered twice")        \
	X(2, ex2_unknown_type_not_supported, 0, 1, "Ex2 of an unknown type: NOT_SUPPORTED")        \
	X(3, parent_always_told, 0, 1, "the parent id is told without handle inheritance too")     \
	X(4, threadless_exit_silent, 0, 1, "no exit call for a process that never had a thread")   \
	X(5, vetoed_exit_silent, 0, 0, "no exit call for a vetoed process")                        \
	X(6, ob_version_high_byte, 0, 0, "ObRegisterCallbacks tests only the high Version byte")   \
	X(7, altitude_system_wide, 0, 0, "altitudes collide across object types")                  \
	X(8, altitude_must_be_numeric, 0, 0, "an altitude that is no number is refused")           \
	X(9, failed_post_has_parameters, 0, 1, "post Parameters are valid after a failure too")    \
	X(10, thread_events_at_apc_level, 0, 1, "thread-creation events run at APC_LEVEL")         \
	X(11, only_listed_rights_removable, 0, 0, "a pre routine removes only the listed rights")

struct ke_switches {
#define RINGSIDE_SWITCH_FIELD(number, field, documented, observed, text) bool field;
	RINGSIDE_SWITCH_LIST(RINGSIDE_SWITCH_FIELD)
#undef RINGSIDE_SWITCH_FIELD
};

extern struct ke_switches ke_switches;

#endif
