/* SPDX-License-Identifier: MIT */
/* What a host thread does that waits for another without sleeping. */
#ifndef RINGSIDE_KE_SPIN_H
#define RINGSIDE_KE_SPIN_H

#include "ke/bugcheck.h"
#include <sched.h>

struct ke_spin {
	unsigned rounds;
};

/* One round of it: first on the CPU, for what is held for a few instructions, then
 * giving the CPU to others. When the kernel has crashed, the holder may never come
 * back: the thread leaves. */
static inline void ke_spin(struct ke_spin *spin)
{
	if (++spin->rounds < 128) {
		__builtin_ia32_pause();
		return;
	}
	sched_yield();
	if (ke_crashed())
		ke_leave();
}

#endif
