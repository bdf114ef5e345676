/* SPDX-License-Identifier: MIT */
/* What the kernel asks about a live process: its memory, its times, its user. */
#ifndef RINGSIDE_LIVE_HOSTOPS_H
#define RINGSIDE_LIVE_HOSTOPS_H

#include "ps/host.h"

extern const struct ps_host_ops live_host_ops;

#endif
