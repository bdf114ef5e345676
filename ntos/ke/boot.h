/* SPDX-License-Identifier: MIT */
#ifndef RINGSIDE_KE_BOOT_H
#define RINGSIDE_KE_BOOT_H

/* Gives the host threads that are already known their threads, fills in the shared data
 * page and catches traps. After ps_boot. 0 or -errno. */
int ke_boot(void);

/* Undoes it, before ps_shutdown. No other host thread is in the kernel. */
void ke_shutdown(void);

#endif
