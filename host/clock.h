/* SPDX-License-Identifier: MIT */
/* Time, from Linux. Nanoseconds throughout. */
#ifndef RINGSIDE_HOST_CLOCK_H
#define RINGSIDE_HOST_CLOCK_H

#include <stdint.h>

/* CLOCK_REALTIME: what a person reads. */
uint64_t host_wall_clock(void);

/* CLOCK_MONOTONIC: what durations are measured with. */
uint64_t host_clock(void);

/* CLOCK_BOOTTIME: NT's interrupt time, which also counts while asleep. */
uint64_t host_boot_clock(void);

/* The same instant of CLOCK_REALTIME as NT counts it: 100 ns units since 1601. */
uint64_t host_nt_time(void);

#endif
