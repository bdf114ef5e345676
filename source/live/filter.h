/* SPDX-License-Identifier: MIT */
/* The seccomp filter of the supervised tree. */
#ifndef RINGSIDE_LIVE_FILTER_H
#define RINGSIDE_LIVE_FILTER_H

#include <linux/filter.h>

/* Compiles the filter from the table of calls, the rows that are optional if
 * their option (enum live_row_option) is in `with`. program->filter is host_alloc'd.
 * 0 or -errno. */
int live_compile_filter(struct sock_fprog *program, unsigned with);

/*
 * Puts the calling thread under the filter and returns the listener, or -errno.
 * Without CAP_SYS_ADMIN it also sets NO_NEW_PRIVS, as the kernel demands. Safe
 * between fork and exec. -EINVAL: the kernel has no
 * SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (Linux 5.19); -EBUSY: the thread is
 * under such a filter with a listener already.
 */
int live_install_filter(const struct sock_fprog *program);

#endif
