/* SPDX-License-Identifier: MIT */
/*
 * Ending, stopping and continuing processes from outside.
 *
 * A live process is Linux's: its source asks Linux, and the end comes back as an event like
 * any other. A simulated process ends in the call. It cannot end itself, because its
 * thread is the one that is running the driver and would have to die under it; nor can it
 * be stopped, since whoever embeds the kernel decides when it runs.
 *
 * Pages: ZwTerminateProcess.
 */
#include "ke/callout.h"
#include "ps/attribute.h"
#include "ps/information.h"
#include "ps/process.h"
#include <errno.h>

static NTSTATUS from_host(int error)
{
	return error == 0        ? STATUS_SUCCESS
	       : error == -ESRCH ? STATUS_PROCESS_IS_TERMINATING
	       : error == -EPERM ? STATUS_ACCESS_DENIED
				 : STATUS_UNSUCCESSFUL;
}

NTSTATUS ps_terminate(PEPROCESS process, NTSTATUS status)
{
	if (process->system)
		return STATUS_ACCESS_DENIED;
	if (PsGetProcessExitProcessCalled(process))
		return STATUS_PROCESS_IS_TERMINATING;
	if (process->host_ops)
		return from_host(process->host_ops->terminate(process->host_id, status));
	if (ke_current_thread()->process == process)
		return STATUS_NOT_SUPPORTED;
	ps_exit_process(process, status, 0);
	return STATUS_SUCCESS;
}

static NTSTATUS terminate(HANDLE handle, NTSTATUS status, KPROCESSOR_MODE mode)
{
	void *process;
	NTSTATUS result = ps_open_handle(handle, PROCESS_TERMINATE, PsProcessType, mode, &process);
	if (!NT_SUCCESS(result))
		return result;
	result = ps_terminate(process, status);
	ob_dereference(process);
	return result;
}

NTSTATUS NTAPI ZwTerminateProcess(HANDLE ProcessHandle, NTSTATUS ExitStatus)
{
	return terminate(ProcessHandle, ExitStatus, KernelMode);
}

NTSTATUS NTAPI NtTerminateProcess(HANDLE ProcessHandle, NTSTATUS ExitStatus)
{
	return terminate(ProcessHandle, ExitStatus, ExGetPreviousMode());
}

NTSTATUS NTAPI PsSuspendProcess(PEPROCESS Process)
{
	if (!Process->host_ops)
		return STATUS_NOT_SUPPORTED;
	return from_host(Process->host_ops->suspend(Process->host_id));
}

NTSTATUS NTAPI PsResumeProcess(PEPROCESS Process)
{
	if (!Process->host_ops)
		return STATUS_NOT_SUPPORTED;
	return from_host(Process->host_ops->resume(Process->host_id));
}
