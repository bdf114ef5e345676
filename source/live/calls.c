/* SPDX-License-Identifier: MIT */
#include "source/live/calls.h"
#include <errno.h>
#include <linux/audit.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>

const struct live_call live_calls[] = {
	{"execve", live_answer_execve, -EACCES},
	{"execveat", live_answer_execveat, -EACCES},
	{"kill", live_answer_kill, -EPERM},
	{"tkill", live_answer_tkill, -EPERM},
	{"tgkill", live_answer_tgkill, -EPERM},
	{"rt_sigqueueinfo", live_answer_sigqueue, -EPERM},
	{"rt_tgsigqueueinfo", live_answer_tgsigqueue, -EPERM},
	{"pidfd_send_signal", live_answer_pidfd_send_signal, -EPERM},

	{"pidfd_open", live_answer_pidfd_open, -EPERM},
	{"pidfd_getfd", live_answer_process_of_descriptor, -EPERM, .access = PROCESS_DUP_HANDLE,
	 .permission = LIVE_INSPECTS, .zero = 2},
	{"kcmp", live_answer_kcmp, -EPERM, .access = PROCESS_DUP_HANDLE | PROCESS_QUERY_INFORMATION,
	 .permission = LIVE_INSPECTS},
	{"process_vm_readv", live_answer_process, -EPERM, .access = PROCESS_VM_READ,
	 .permission = LIVE_INSPECTS, .zero = 5},
	{"process_vm_writev", live_answer_process, -EPERM,
	 .access = PROCESS_VM_WRITE | PROCESS_VM_OPERATION, .permission = LIVE_INSPECTS, .zero = 5},
	{"process_madvise", live_answer_process_of_descriptor, -EPERM,
	 .access = PROCESS_VM_OPERATION, .permission = LIVE_INSPECTS, .zero = 4},
	{"process_mrelease", live_answer_process_of_descriptor, -EPERM,
	 .access = PROCESS_TERMINATE | PROCESS_VM_OPERATION, .permission = LIVE_ANYBODY, .zero = 1},
	{"move_pages", live_answer_move_pages, -EPERM, .own_is_0 = true,
	 .access = PROCESS_VM_OPERATION, .permission = LIVE_INSPECTS},
	{"migrate_pages", live_answer_process, -EPERM, .own_is_0 = true,
	 .access = PROCESS_VM_OPERATION, .permission = LIVE_INSPECTS},
	{"ptrace", live_answer_ptrace, -EPERM, .permission = LIVE_INSPECTS},
	{"prlimit64", live_answer_prlimit, -EPERM, .own_is_0 = true, .permission = LIVE_LIMITS},
	{"setpriority", live_answer_priority, -EPERM, .access = PROCESS_SET_INFORMATION,
	 .permission = LIVE_SCHEDULES},
	{"ioprio_set", live_answer_ioprio, -EPERM, .access = PROCESS_SET_INFORMATION,
	 .permission = LIVE_SCHEDULES_IO},
	{"sched_setscheduler", live_answer_thread, -EPERM, .own_is_0 = true,
	 .access = THREAD_SET_INFORMATION, .permission = LIVE_SCHEDULES},
	{"sched_setparam", live_answer_thread, -EPERM, .own_is_0 = true,
	 .access = THREAD_SET_INFORMATION, .permission = LIVE_SCHEDULES},
	{"sched_setaffinity", live_answer_thread, -EPERM, .own_is_0 = true,
	 .access = THREAD_SET_INFORMATION, .permission = LIVE_SCHEDULES},
	{"sched_setattr", live_answer_thread, -EPERM, .own_is_0 = true,
	 .access = THREAD_SET_INFORMATION, .permission = LIVE_SCHEDULES, .zero = 2},

	{"mmap", live_answer_mmap, .only = LIVE_IF_ALL_IMAGES},
	{"mmap2", live_answer_mmap, .only = LIVE_IF_ALL_IMAGES},

	{"open", live_answer_open, -EACCES, .only = LIVE_IF_PROC_OPENS},
	{"openat", live_answer_openat, -EACCES, .only = LIVE_IF_PROC_OPENS},
	{"openat2", live_answer_openat2, -EACCES, .only = LIVE_IF_PROC_OPENS},

	/* Not judged, but noted: see live_process.estranged. */
	{"setuid", live_answer_estranging},
	{"setgid", live_answer_estranging},
	{"setreuid", live_answer_estranging},
	{"setregid", live_answer_estranging},
	{"setresuid", live_answer_estranging},
	{"setresgid", live_answer_estranging},
	{"setfsuid", live_answer_estranging},
	{"setfsgid", live_answer_estranging},
	{"setgroups", live_answer_estranging},
	{"setuid32", live_answer_estranging},
	{"setgid32", live_answer_estranging},
	{"setreuid32", live_answer_estranging},
	{"setregid32", live_answer_estranging},
	{"setresuid32", live_answer_estranging},
	{"setresgid32", live_answer_estranging},
	{"setfsuid32", live_answer_estranging},
	{"setfsgid32", live_answer_estranging},
	{"setgroups32", live_answer_estranging},
	{"capset", live_answer_estranging},
	{"chroot", live_answer_estranging},
	{"pivot_root", live_answer_estranging},
	{"setns", live_answer_estranging},
	{"unshare", live_answer_estranging},
	{"clone", live_answer_estranging, .if_any = CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID},
};
#define ROWS (sizeof live_calls / sizeof live_calls[0])
const unsigned live_call_count = ROWS;

/* seccomp reports an x32 caller as x86_64 with a bit in the number, as libseccomp
 * does when asked for that architecture. */
static int number_64[ROWS], number_32[ROWS], number_x32[ROWS];

void live_number_calls(void)
{
	for (unsigned i = 0; i < ROWS; i++) {
		const char *name = live_calls[i].name;
		number_64[i] = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, name);
		number_32[i] = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, name);
		number_x32[i] = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X32, name);
	}
}

const struct live_call *live_call_of(uint32_t arch, int number)
{
	for (unsigned i = 0; i < ROWS; i++) {
		if (arch == AUDIT_ARCH_I386 ? number == number_32[i]
					    : number == number_64[i] || number == number_x32[i])
			return &live_calls[i];
	}
	return NULL;
}

struct live_answer live_answer_estranging(const struct live_call *call,
					  const struct live_notice *notice)
{
	(void)call;
	atomic_store(&notice->task->process->estranged, true);
	return LIVE_CONTINUE;
}

bool live_still_waits(const struct live_notice *notice)
{
	uint64_t id = notice->request->id;
	return ioctl(notice->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}
