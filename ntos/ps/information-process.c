/* SPDX-License-Identifier: MIT */
/*
 * ZwQueryInformationProcess: one row and one function a class.
 *
 * Fields of the process that change are read without its lock where a single word is all
 * there is to read. What a live process used comes from its source at the time of the call;
 * a simulated one uses neither time nor memory.
 *
 * Page: ZwQueryInformationProcess; classes that it leaves out are as phnt describes them.
 */
#include "ke/processor.h"
#include "ob/handle.h"
#include "ps/host.h"
#include "ps/information.h"
#include "ps/process.h"
#include "ps/attribute.h"
#include "rtl/string.h"
#include "rtl/utf.h"
#include <string.h>

#define LIMITED PROCESS_QUERY_LIMITED_INFORMATION
#define FULL PROCESS_QUERY_INFORMATION

/* ProcessBasicInformation's Flags */
#define FLAG_PROTECTED 0x1
#define FLAG_WOW64 0x2
#define FLAG_DELETING 0x4

static void fill_basic_part(PEPROCESS process, PROCESS_BASIC_INFORMATION *basic)
{
	*basic = (PROCESS_BASIC_INFORMATION){
		.ExitStatus = PsGetProcessExitStatus(process),
		.PebBaseAddress = PsGetProcessPeb(process),
		.AffinityMask = KeQueryActiveProcessors(),
		.BasePriority = PS_NORMAL_PRIORITY,
		.UniqueProcessId = (HANDLE)process->id,
		.InheritedFromUniqueProcessId = (HANDLE)process->parent_id,
	};
}

static NTSTATUS basic(void *object, void *answer, size_t size)
{
	PEPROCESS process = object;
	PROCESS_EXTENDED_BASIC_INFORMATION *extended = answer;
	if (size == sizeof(PROCESS_BASIC_INFORMATION)) {
		fill_basic_part(process, answer);
		return STATUS_SUCCESS;
	}
	extended->Size = sizeof *extended;
	fill_basic_part(process, &extended->BasicInfo);
	extended->Flags = (process->protection ? FLAG_PROTECTED : 0) |
			  (process->wow64 ? FLAG_WOW64 : 0) |
			  (process->exiting ? FLAG_DELETING : 0);
	return STATUS_SUCCESS;
}

static NTSTATUS times(void *object, void *answer, size_t size)
{
	(void)size;
	PEPROCESS process = object;
	KERNEL_USER_TIMES *times = answer;
	struct ps_host_usage usage;
	ps_usage_of(process, &usage);
	times->CreateTime = process->create_time;
	times->ExitTime = process->exit_time;
	times->KernelTime.QuadPart = (LONGLONG)usage.kernel_time;
	times->UserTime.QuadPart = (LONGLONG)usage.user_time;
	return STATUS_SUCCESS;
}

static NTSTATUS memory(void *object, void *answer, size_t size)
{
	struct ps_host_usage usage;
	ps_usage_of(object, &usage);
	VM_COUNTERS_EX counters = {
		.PeakVirtualSize = usage.peak_virtual_size,
		.VirtualSize = usage.virtual_size,
		.PageFaultCount = (ULONG)usage.page_faults,
		.PeakWorkingSetSize = usage.peak_working_set,
		.WorkingSetSize = usage.working_set,
		.PagefileUsage = usage.private_size,
		.PeakPagefileUsage = usage.private_size,
		.PrivateUsage = usage.private_size,
	};
	memcpy(answer, &counters, size);
	return STATUS_SUCCESS;
}

/* There are no debuggers in this world: no port, no object, and new processes would not
 * be debugged either. */
static NTSTATUS debug_port(void *object, void *answer, size_t size)
{
	(void)size;
	*(PVOID *)answer = PsGetProcessDebugPort(object);
	return STATUS_SUCCESS;
}

static NTSTATUS debug_object(void *object, void *answer, size_t size)
{
	(void)object;
	(void)answer;
	(void)size;
	return STATUS_PORT_NOT_SET;
}

static NTSTATUS debug_flags(void *object, void *answer, size_t size)
{
	(void)object;
	(void)size;
	*(ULONG *)answer = 1; /* 0 would say that a debugger is inherited */
	return STATUS_SUCCESS;
}

static NTSTATUS priority_class(void *object, void *answer, size_t size)
{
	(void)object;
	(void)size;
	((UCHAR *)answer)[1] = 2; /* NORMAL; [0]: in the foreground */
	return STATUS_SUCCESS;
}

static NTSTATUS handle_count(void *object, void *answer, size_t size)
{
	ULONG *count = answer;
	count[0] = ob_count_handles(object);
	if (size > sizeof(ULONG))
		count[1] = count[0]; /* the most there were at once is not kept */
	return STATUS_SUCCESS;
}

static NTSTATUS session(void *object, void *answer, size_t size)
{
	(void)size;
	*(ULONG *)answer = ((PEPROCESS)object)->session;
	return STATUS_SUCCESS;
}

static NTSTATUS wow64(void *object, void *answer, size_t size)
{
	(void)size;
	*(PVOID *)answer = PsGetProcessWow64Process(object);
	return STATUS_SUCCESS;
}

static NTSTATUS critical(void *object, void *answer, size_t size)
{
	(void)size;
	*(ULONG *)answer = ((PEPROCESS)object)->critical;
	return STATUS_SUCCESS;
}

static NTSTATUS protection(void *object, void *answer, size_t size)
{
	(void)size;
	*(UCHAR *)answer = ((PEPROCESS)object)->protection;
	return STATUS_SUCCESS;
}

static NTSTATUS subsystem(void *object, void *answer, size_t size)
{
	(void)size;
	*(ULONG *)answer = ((PEPROCESS)object)->subsystem; /* 1: WSL */
	return STATUS_SUCCESS;
}

/* ---- Text ---------------------------------------------------------------------------- */

static NTSTATUS duplicate(PCUNICODE_STRING from, UNICODE_STRING *to)
{
	if (!from->Length)
		return STATUS_SUCCESS;
	to->Buffer = host_alloc(from->Length);
	if (!to->Buffer)
		return STATUS_INSUFFICIENT_RESOURCES;
	memcpy(to->Buffer, from->Buffer, from->Length);
	to->Length = to->MaximumLength = from->Length;
	return STATUS_SUCCESS;
}

static NTSTATUS native_name(void *object, UNICODE_STRING *text)
{
	PEPROCESS process = object;
	return duplicate(process->system ? &(UNICODE_STRING){0} : &process->native_image, text);
}

/* C:\Windows\x.exe: the name as opened without NT's prefix. */
static NTSTATUS win32_name(void *object, UNICODE_STRING *text)
{
	static const UNICODE_STRING prefix = {8, 10, (PWSTR)(uintptr_t)u"\\??\\"};
	PEPROCESS process = object;
	UNICODE_STRING name = process->system ? (UNICODE_STRING){0} : process->image;
	if (RtlPrefixUnicodeString(&prefix, &name, FALSE)) {
		name.Buffer += prefix.Length / sizeof(WCHAR);
		name.Length -= prefix.Length;
	}
	return duplicate(&name, text);
}

static NTSTATUS command_line(void *object, UNICODE_STRING *text)
{
	PEPROCESS process = object;
	return process->command_line.Buffer ? duplicate(&process->command_line, text)
					    : STATUS_NOT_FOUND;
}

static const struct ps_class classes[] = {
	{ProcessBasicInformation, 48, 64, LIMITED, basic, NULL},
	{ProcessVmCounters, 96, 88, LIMITED, memory, NULL},
	{ProcessTimes, sizeof(KERNEL_USER_TIMES), 0, LIMITED, times, NULL},
	{ProcessDebugPort, sizeof(HANDLE), 0, FULL, debug_port, NULL},
	{ProcessPriorityClass, 2, 0, LIMITED, priority_class, NULL},
	{ProcessHandleCount, 4, 8, LIMITED, handle_count, NULL},
	{ProcessSessionInformation, 4, 0, LIMITED, session, NULL},
	{ProcessWow64Information, sizeof(ULONG_PTR), 0, LIMITED, wow64, NULL},
	{ProcessImageFileName, 0, 0, LIMITED, NULL, native_name},
	{ProcessBreakOnTermination, 4, 0, FULL, critical, NULL},
	{ProcessDebugObjectHandle, sizeof(HANDLE), 0, FULL, debug_object, NULL},
	{ProcessDebugFlags, 4, 0, FULL, debug_flags, NULL},
	{ProcessImageFileNameWin32, 0, 0, LIMITED, NULL, win32_name},
	{ProcessCommandLineInformation, 0, 0, LIMITED, NULL, command_line},
	{ProcessProtectionInformation, 1, 0, LIMITED, protection, NULL},
	{ProcessSubsystemInformation, 4, 0, LIMITED, subsystem, NULL},
	{0},
};

static NTSTATUS query_process(HANDLE handle, ULONG class, KPROCESSOR_MODE mode,
			      struct ps_caller caller)
{
	return ps_query(&(struct ps_query){handle, class, PsProcessType, mode, caller}, classes);
}

NTSTATUS NTAPI ZwQueryInformationProcess(HANDLE ProcessHandle, ULONG ProcessInformationClass,
					 PVOID ProcessInformation, ULONG ProcessInformationLength,
					 PULONG ReturnLength)
{
	return query_process(ProcessHandle, ProcessInformationClass, KernelMode,
			     (struct ps_caller){ProcessInformation, ProcessInformationLength,
						ReturnLength, NULL});
}

NTSTATUS NTAPI NtQueryInformationProcess(HANDLE ProcessHandle, ULONG ProcessInformationClass,
					 PVOID ProcessInformation, ULONG ProcessInformationLength,
					 PULONG ReturnLength)
{
	return query_process(ProcessHandle, ProcessInformationClass, ExGetPreviousMode(),
			     (struct ps_caller){ProcessInformation, ProcessInformationLength,
						ReturnLength, NULL});
}
