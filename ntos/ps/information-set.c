/* SPDX-License-Identifier: MIT */
/*
 * ZwSetInformationProcess and ZwSetInformationThread, for the classes whose effect exists
 * here. A critical process's end is bug check 0xEF, as on NT.
 *
 * Pages: ZwSetInformationProcess, ZwSetInformationThread.
 */
#include "mm/copy.h"
#include "ps/information.h"
#include "ps/process.h"
#include "ps/systemthread.h"

struct change {
	HANDLE handle;
	ULONG number;
	PVOID value;
	ULONG length;
	KPROCESSOR_MODE mode;
};

static bool read_value(const struct change *change, void *to, size_t size)
{
	return mm_read(PsGetCurrentProcess(), change->value, to, size) == size;
}

static NTSTATUS set_process(const struct change *change)
{
	void *object;
	ULONG critical;
	if (change->number != ProcessBreakOnTermination)
		return STATUS_INVALID_INFO_CLASS;
	if (change->length != sizeof critical)
		return STATUS_INFO_LENGTH_MISMATCH;
	if (!read_value(change, &critical, sizeof critical))
		return STATUS_ACCESS_VIOLATION;
	if (change->mode != KernelMode) /* it takes the privilege to debug */
		return STATUS_PRIVILEGE_NOT_HELD;
	NTSTATUS status = ps_open_handle(change->handle, PROCESS_SET_INFORMATION, PsProcessType,
					 change->mode, &object);
	if (!NT_SUCCESS(status))
		return status;
	((PEPROCESS)object)->critical = critical != 0;
	ob_dereference(object);
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI ZwSetInformationProcess(HANDLE ProcessHandle, ULONG ProcessInformationClass,
				       PVOID ProcessInformation, ULONG ProcessInformationLength)
{
	return set_process(&(struct change){ProcessHandle, ProcessInformationClass,
					    ProcessInformation, ProcessInformationLength,
					    KernelMode});
}

NTSTATUS NTAPI NtSetInformationProcess(HANDLE ProcessHandle, ULONG ProcessInformationClass,
				       PVOID ProcessInformation, ULONG ProcessInformationLength)
{
	return set_process(&(struct change){ProcessHandle, ProcessInformationClass,
					    ProcessInformation, ProcessInformationLength,
					    ExGetPreviousMode()});
}

/* ---- Threads --------------------------------------------------------------------------- */

static ULONG size_of_class(ULONG number)
{
	return number == ThreadPriority                    ? sizeof(LONG)
	       : number == ThreadQuerySetWin32StartAddress ? sizeof(PVOID)
							   : 0;
}

static NTSTATUS apply(PETHREAD thread, const struct change *change, const void *value)
{
	switch (change->number) {
	case ThreadPriority:
		if (*(const LONG *)value < 1 || *(const LONG *)value > 31)
			return STATUS_INVALID_PARAMETER;
		KeSetPriorityThread(thread, *(const LONG *)value);
		return STATUS_SUCCESS;
	case ThreadQuerySetWin32StartAddress:
		thread->start_address = *(PVOID const *)value;
		return STATUS_SUCCESS;
	default: /* ThreadHideFromDebugger: there is none to hide from */
		return STATUS_SUCCESS;
	}
}

static NTSTATUS set_thread(const struct change *change)
{
	void *object;
	PVOID value = NULL;
	ULONG size = size_of_class(change->number);
	if (!size && change->number != ThreadHideFromDebugger)
		return STATUS_INVALID_INFO_CLASS;
	if (change->length != size)
		return STATUS_INFO_LENGTH_MISMATCH;
	if (!read_value(change, &value, size))
		return STATUS_ACCESS_VIOLATION;
	NTSTATUS status = ps_open_handle(change->handle, THREAD_SET_INFORMATION, PsThreadType,
					 change->mode, &object);
	if (!NT_SUCCESS(status))
		return status;
	status = apply(object, change, &value);
	ob_dereference(object);
	return status;
}

NTSTATUS NTAPI ZwSetInformationThread(HANDLE ThreadHandle, ULONG ThreadInformationClass,
				      PVOID ThreadInformation, ULONG ThreadInformationLength)
{
	return set_thread(&(struct change){ThreadHandle, ThreadInformationClass, ThreadInformation,
					   ThreadInformationLength, KernelMode});
}

NTSTATUS NTAPI NtSetInformationThread(HANDLE ThreadHandle, ULONG ThreadInformationClass,
				      PVOID ThreadInformation, ULONG ThreadInformationLength)
{
	return set_thread(&(struct change){ThreadHandle, ThreadInformationClass, ThreadInformation,
					   ThreadInformationLength, ExGetPreviousMode()});
}
