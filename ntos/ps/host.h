/* SPDX-License-Identifier: MIT */
/*
 * What the kernel of NT would know about a process and only its source knows here.
 *
 * A process that runs outside of this program has one of these tables in
 * EPROCESS.host_ops; a simulated one, which lives in this program's memory and uses
 * its time, has none. The functions take the process's host_id, are called on any host
 * thread with no lock held, and touch no object of the kernel. They return negative
 * errno on failure.
 *
 * USER ADDRESSES: Linux places programs above PS_USER_END, where a driver takes
 * everything for kernel memory. What the source tells is therefore shown
 * PS_USER_SHIFT lower; the places in between are unused by Linux's layout.
 */
#ifndef RINGSIDE_PS_HOST_H
#define RINGSIDE_PS_HOST_H

#include "maps.h"
#include <ringside/nt.h>
#include <stddef.h>
#include <sys/types.h>

#define PS_USER_END 0x500000000000ull
#define PS_USER_SHIFT 0x300000000000ull

/* Times in 100 ns, sizes in bytes. */
struct ps_host_usage {
	ULONG64 user_time, kernel_time;
	ULONG64 virtual_size, peak_virtual_size, working_set, peak_working_set, private_size;
	ULONG64 page_faults;
};

struct ps_host_user {
	ULONG uid, gid;
	ULONG64 capabilities; /* effective, as Linux numbers them */
};

struct ps_host_ops {
	/* How many bytes were copied; less than `size` when the memory ends there. */
	size_t (*read)(ULONG64 host_id, ULONG64 address, void *to, size_t size);
	size_t (*write)(ULONG64 host_id, ULONG64 address, const void *from, size_t size);
	int (*terminate)(ULONG64 host_id, NTSTATUS status);
	int (*suspend)(ULONG64 host_id);
	int (*resume)(ULONG64 host_id);
	int (*usage)(ULONG64 host_id, struct ps_host_usage *usage);
	int (*thread_usage)(ULONG64 host_id, ULONG64 thread, struct ps_host_usage *usage);
	int (*user)(ULONG64 host_id, struct ps_host_user *user);
	/* The stretch that `address` lies in. */
	int (*region)(ULONG64 host_id, ULONG64 address, struct host_region *region);
	/* Where its program is mapped. */
	int (*image_base)(ULONG64 host_id, ULONG64 *base);
};

static inline ULONG64 ps_shown_address(ULONG64 host)
{
	return host >= PS_USER_END ? host - PS_USER_SHIFT : host;
}

static inline ULONG64 ps_host_address(ULONG64 shown)
{
	return shown >= PS_USER_END - PS_USER_SHIFT ? shown + PS_USER_SHIFT : shown;
}

#endif
