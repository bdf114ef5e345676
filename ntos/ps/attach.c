/* SPDX-License-Identifier: MIT */
/*
 * Attaching to a process: ke_thread.attached says whose address space and handle table
 * the thread uses, NULL for its own process's.
 *
 * Only the thread itself, while it is current, attaches and detaches: there is no lock.
 * No reference is taken; as on NT the caller keeps the process alive. The caller's
 * KAPC_STATE remembers what to go back to, and for the check of the nesting also what was
 * attached and by which thread.
 *
 * Simulated user memory is the same in all processes, so nothing is switched for it. A live
 * process's memory does not appear at its addresses: MmCopyVirtualMemory reaches it.
 *
 * Pages: KeStackAttachProcess, KeUnstackDetachProcess, bug checks 0x5 and 0x6.
 */
#include "ps/attach.h"
#include "ke/bugcheck.h"
#include "ob/object.h"
#include "ps/process.h"

#define NOTHING_TO_DO ((PEPROCESS)1)

static void check_process(PEPROCESS process, const char *caller)
{
	if (!process || ob_header_of(process)->type != PsProcessType)
		KE_BUG_CHECK(KE_INVALID_PROCESS_ATTACH_ATTEMPT, (uintptr_t)process,
			     (uintptr_t)PsGetCurrentProcess(), 0, 0,
			     "%s was given %p, which is no process", caller, (void *)process);
}

static void attach(struct ke_thread *thread, PEPROCESS process)
{
	thread->attached = process == thread->process ? NULL : process;
}

VOID NTAPI KeStackAttachProcess(PEPROCESS PROCESS, PKAPC_STATE ApcState)
{
	struct ke_thread *thread = ke_thread_of(ke_current_thread());
	check_process(PROCESS, "KeStackAttachProcess");
	ApcState->ApcListHead[0].Flink = (LIST_ENTRY *)(void *)PROCESS;
	ApcState->ApcListHead[0].Blink = (LIST_ENTRY *)(void *)thread;
	if (PsGetCurrentProcess() == PROCESS) {
		ApcState->Process = NOTHING_TO_DO;
		return;
	}
	ApcState->Process = thread->attached;
	attach(thread, PROCESS);
}

VOID NTAPI KeUnstackDetachProcess(PKAPC_STATE ApcState)
{
	struct ke_thread *thread = ke_thread_of(ke_current_thread());
	PEPROCESS attached = (PEPROCESS)(void *)ApcState->ApcListHead[0].Flink;
	bool ours = (void *)ApcState->ApcListHead[0].Blink == (void *)thread;
	if (!ours || attached != PsGetCurrentProcess())
		KE_BUG_CHECK(KE_INVALID_PROCESS_DETACH_ATTEMPT, 0, 0, 0, 0,
			     "KeUnstackDetachProcess does not match the innermost "
			     "KeStackAttachProcess of this thread");
	if (ApcState->Process != NOTHING_TO_DO)
		thread->attached = ApcState->Process;
	ApcState->ApcListHead[0].Blink = NULL; /* a second time is a mistake too */
}

VOID NTAPI KeAttachProcess(PEPROCESS Process)
{
	struct ke_thread *thread = ke_thread_of(ke_current_thread());
	check_process(Process, "KeAttachProcess");
	if (PsGetCurrentProcess() == Process)
		return;
	if (thread->attached)
		KE_BUG_CHECK(KE_INVALID_PROCESS_ATTACH_ATTEMPT, (uintptr_t)Process,
			     (uintptr_t)thread->attached, 1, 0,
			     "KeAttachProcess on a thread that is attached to another process");
	attach(thread, Process);
}

VOID NTAPI KeDetachProcess(void)
{
	ke_thread_of(ke_current_thread())->attached = NULL;
}

BOOLEAN NTAPI KeIsAttachedProcess(void)
{
	return ke_thread_of(ke_current_thread())->attached != NULL;
}
