/* SPDX-License-Identifier: MIT */
/* A driver that crashed may have damaged this program's memory before it did. */
#ifndef RINGSIDE_CLI_DAMAGE_H
#define RINGSIDE_CLI_DAMAGE_H

/* From now on a crash of this program after a bug check ends it with the status of the bug
 * check, which has been reported by then. Before the kernel is booted. */
void cli_expect_damage(void);

#endif
