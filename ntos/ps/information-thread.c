/* SPDX-License-Identifier: MIT */
/*
 * ZwQueryInformationThread: one row and one function a class.
 *
 * Page: ZwQueryInformationThread; classes that it leaves out are as phnt describes them.
 */
#include "ke/processor.h"
#include "ps/attribute.h"
#include "ps/host.h"
#include "ps/information.h"
#include "ps/process.h"
#include "ps/systemthread.h"

#define LIMITED THREAD_QUERY_LIMITED_INFORMATION
#define FULL THREAD_QUERY_INFORMATION

static NTSTATUS basic(void *object, void *answer, size_t size)
{
	(void)size;
	PETHREAD thread = object;
	*(THREAD_BASIC_INFORMATION *)answer = (THREAD_BASIC_INFORMATION){
		.ExitStatus = PsGetThreadExitStatus(thread),
		.TebBaseAddress = PsGetThreadTeb(thread),
		.ClientId = {(HANDLE)thread->process->id, (HANDLE)thread->id},
		.AffinityMask = KeQueryActiveProcessors(),
		.Priority = KeQueryPriorityThread(thread),
		.BasePriority = PS_NORMAL_PRIORITY,
	};
	return STATUS_SUCCESS;
}

static NTSTATUS times(void *object, void *answer, size_t size)
{
	(void)size;
	PETHREAD thread = object;
	KERNEL_USER_TIMES *times = answer;
	struct ps_host_usage usage;
	ps_thread_usage_of(thread, &usage);
	times->CreateTime = thread->create_time;
	times->ExitTime = thread->exit_time;
	times->KernelTime.QuadPart = (LONGLONG)usage.kernel_time;
	times->UserTime.QuadPart = (LONGLONG)usage.user_time;
	return STATUS_SUCCESS;
}

static NTSTATUS start_address(void *object, void *answer, size_t size)
{
	(void)size;
	*(PVOID *)answer = ((PETHREAD)object)->start_address;
	return STATUS_SUCCESS;
}

static NTSTATUS last_thread(void *object, void *answer, size_t size)
{
	(void)size;
	PEPROCESS process = ((PETHREAD)object)->process;
	pthread_mutex_lock(&process->lock);
	*(ULONG *)answer = process->live_threads == 1;
	pthread_mutex_unlock(&process->lock);
	return STATUS_SUCCESS;
}

static NTSTATUS terminated(void *object, void *answer, size_t size)
{
	(void)size;
	*(ULONG *)answer = PsIsThreadTerminating(object);
	return STATUS_SUCCESS;
}

static const struct ps_class classes[] = {
	{ThreadBasicInformation, sizeof(THREAD_BASIC_INFORMATION), 0, LIMITED, basic, NULL},
	{ThreadTimes, sizeof(KERNEL_USER_TIMES), 0, LIMITED, times, NULL},
	{ThreadQuerySetWin32StartAddress, sizeof(PVOID), 0, FULL, start_address, NULL},
	{ThreadAmILastThread, 4, 0, FULL, last_thread, NULL},
	{ThreadIsTerminated, 4, 0, LIMITED, terminated, NULL},
	{0},
};

static NTSTATUS query_thread(HANDLE handle, ULONG class, KPROCESSOR_MODE mode,
			     struct ps_caller caller)
{
	return ps_query(&(struct ps_query){handle, class, PsThreadType, mode, caller}, classes);
}

NTSTATUS NTAPI ZwQueryInformationThread(HANDLE ThreadHandle, ULONG ThreadInformationClass,
					PVOID ThreadInformation, ULONG ThreadInformationLength,
					PULONG ReturnLength)
{
	return query_thread(
		ThreadHandle, ThreadInformationClass, KernelMode,
		(struct ps_caller){ThreadInformation, ThreadInformationLength, ReturnLength, NULL});
}

NTSTATUS NTAPI NtQueryInformationThread(HANDLE ThreadHandle, ULONG ThreadInformationClass,
					PVOID ThreadInformation, ULONG ThreadInformationLength,
					PULONG ReturnLength)
{
	return query_thread(
		ThreadHandle, ThreadInformationClass, ExGetPreviousMode(),
		(struct ps_caller){ThreadInformation, ThreadInformationLength, ReturnLength, NULL});
}
