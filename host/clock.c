/* SPDX-License-Identifier: MIT */
#include "clock.h"
#include <time.h>

/* Seconds from 1601-01-01, where NT's time begins, to 1970-01-01. */
#define NT_EPOCH_OFFSET 11644473600ull

static uint64_t read_clock(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t host_wall_clock(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t host_clock(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t host_boot_clock(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

uint64_t host_nt_time(void)
{
	return host_wall_clock() / 100 + NT_EPOCH_OFFSET * 10000000;
}
