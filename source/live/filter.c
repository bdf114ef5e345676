/* SPDX-License-Identifier: MIT */
/*
 * The filter: notify the calls of the table, let everything else pass.
 *
 * Two more rules keep the tree from escaping. clone with CLONE_UNTRACED stops at
 * the tracer, which clears the flag. clone3 keeps its flags in memory, where a
 * filter cannot see them, so it does not exist here: callers fall back to clone,
 * as they must on Linux before 5.3.
 */
#include "source/live/filter.h"
#include "source/live/calls.h"
#include "memory.h"
#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A rule for each bit, of which none may apply together with the one for
 * CLONE_UNTRACED: which of two actions wins is not ours to say. */
static int add_conditional_row(scmp_filter_ctx filter, int number, uint64_t bits)
{
	int error = 0;
	for (; bits && !error; bits &= bits - 1) {
		uint64_t bit = bits & -bits;
		error = seccomp_rule_add(filter, SCMP_ACT_NOTIFY, number, 1,
					 SCMP_A0(SCMP_CMP_MASKED_EQ, bit | CLONE_UNTRACED, bit));
	}
	return error;
}

/* The old mmap of 32-bit programs keeps its arguments in memory; its registers say
 * nothing then, and neither does that of a tracer that looks later. */
static int add_mapping_row(scmp_filter_ctx filter, int number)
{
	return seccomp_rule_add(filter, SCMP_ACT_NOTIFY, number, 2,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC),
				SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0));
}

static int add_row(scmp_filter_ctx filter, const struct live_call *call)
{
	int number = seccomp_syscall_resolve_name(call->name);
	if (call->only == LIVE_IF_ALL_IMAGES)
		return add_mapping_row(filter, number);
	if (call->if_any)
		return add_conditional_row(filter, number, call->if_any);
	if (call->own_is_0)
		return seccomp_rule_add(filter, SCMP_ACT_NOTIFY, number, 1,
					SCMP_A0(SCMP_CMP_NE, 0));
	return seccomp_rule_add(filter, SCMP_ACT_NOTIFY, number, 0);
}

static int add_rules(scmp_filter_ctx filter, unsigned with)
{
	int error = 0;
	for (unsigned i = 0; i < live_call_count && !error; i++) {
		const struct live_call *call = &live_calls[i];
		if (call->only == LIVE_ALWAYS || call->only & with)
			error = add_row(filter, call);
	}
	if (!error)
		error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (!error)
		error = seccomp_rule_add(
			filter, SCMP_ACT_TRACE(0), SCMP_SYS(clone), 1,
			SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_UNTRACED, CLONE_UNTRACED));
	return error;
}

static int export(scmp_filter_ctx filter, struct sock_fprog *program)
{
	struct stat file;
	int fd = memfd_create("filter", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	int error = seccomp_export_bpf(filter, fd);
	if (!error && fstat(fd, &file))
		error = -errno;
	if (!error) {
		program->len = (unsigned short)((size_t)file.st_size / sizeof(struct sock_filter));
		program->filter = host_alloc((size_t)file.st_size);
		if (!program->filter)
			error = -ENOMEM;
		else if (pread(fd, program->filter, (size_t)file.st_size, 0) != file.st_size)
			error = -EIO;
	}
	close(fd);
	return error;
}

int live_compile_filter(struct sock_fprog *program, unsigned with)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	program->filter = NULL;
	if (!filter)
		return -ENOMEM;
	int error = seccomp_arch_add(filter, SCMP_ARCH_X86);
	if (!error)
		error = seccomp_arch_add(filter, SCMP_ARCH_X32);
	if (!error)
		error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);
	if (!error)
		error = add_rules(filter, with);
	if (!error)
		error = export(filter, program);
	seccomp_release(filter);
	if (error) {
		host_free(program->filter);
		program->filter = NULL;
	}
	return error;
}

static int set_filter(const struct sock_fprog *program)
{
	unsigned flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
}

int live_install_filter(const struct sock_fprog *program)
{
	int listener = set_filter(program);
	if (listener < 0 && errno == EACCES) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
			return -errno;
		listener = set_filter(program);
	}
	return listener < 0 ? -errno : listener;
}
