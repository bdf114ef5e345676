/* SPDX-License-Identifier: MIT */
/*
 * ZwQuerySystemInformation: the classes that have an honest answer here. No state.
 *
 * Long answers are put together in memory of ours first, so that their length is known and
 * no lock is held while the caller's buffer is written; an answer that does not fit is
 * INFO_LENGTH_MISMATCH and its length, which callers then ask again with.
 *
 * Pages: ZwQuerySystemInformation; classes that it leaves out are as phnt describes them.
 */
#include "ex/system-information.h"
#include "clock.h"
#include "ke/processor.h"
#include "memory.h"
#include "mm/copy.h"
#include "ps/information.h"
#include "ps/process.h"
#include "ex/time.h"
#include <string.h>
#include <unistd.h>

#define PAGE_BYTES 4096
#define GRANULARITY 0x10000
#define TIMER_RESOLUTION 156250 /* 100 ns: NT's usual clock */
#define AMD64 9
#define CODE_INTEGRITY_ENABLED 0x1

void *ex_append(struct ex_answer *answer, size_t size)
{
	size_t begin = (answer->used + 7) & ~(size_t)7, end = begin + size;
	if (!answer->failed && end > answer->capacity) {
		size_t capacity = end * 2;
		char *memory = host_alloc(capacity);
		if (memory && answer->used)
			memcpy(memory, answer->memory, answer->used);
		if (memory) {
			host_free(answer->memory);
			answer->memory = memory;
			answer->capacity = capacity;
		}
		answer->failed = !memory;
	}
	if (answer->failed)
		return NULL;
	answer->used = end;
	return answer->memory + begin;
}

/* ---- Of fixed size ------------------------------------------------------------------------ */

struct basic_information {
	ULONG Reserved, TimerResolution, PageSize;
	ULONG NumberOfPhysicalPages, LowestPhysicalPageNumber, HighestPhysicalPageNumber;
	ULONG AllocationGranularity;
	ULONG_PTR MinimumUserModeAddress, MaximumUserModeAddress, ActiveProcessorsAffinityMask;
	UCHAR NumberOfProcessors;
};
_Static_assert(sizeof(struct basic_information) == 64, "phnt");

static void fill_basic(void *answer)
{
	ULONG pages = (ULONG)sysconf(_SC_PHYS_PAGES);
	*(struct basic_information *)answer = (struct basic_information){
		.TimerResolution = TIMER_RESOLUTION,
		.PageSize = PAGE_BYTES,
		.NumberOfPhysicalPages = pages,
		.LowestPhysicalPageNumber = 1,
		.HighestPhysicalPageNumber = pages,
		.AllocationGranularity = GRANULARITY,
		.MinimumUserModeAddress = GRANULARITY,
		.MaximumUserModeAddress = MM_USER_END - GRANULARITY - 1,
		.ActiveProcessorsAffinityMask = KeQueryActiveProcessors(),
		.NumberOfProcessors = (UCHAR)ke_count_processors(),
	};
}

struct processor_information {
	USHORT ProcessorArchitecture, ProcessorLevel, ProcessorRevision, MaximumProcessors;
	ULONG ProcessorFeatureBits;
};
_Static_assert(sizeof(struct processor_information) == 12, "phnt");

static void fill_processor(void *answer)
{
	*(struct processor_information *)answer = (struct processor_information){
		.ProcessorArchitecture = AMD64,
		.ProcessorLevel = 6,
		.MaximumProcessors = (USHORT)ke_count_processors(),
	};
}

struct time_of_day_information {
	LARGE_INTEGER BootTime, CurrentTime, TimeZoneBias;
	ULONG TimeZoneId, Reserved;
	ULONG64 BootTimeBias, SleepTimeBias;
};
_Static_assert(sizeof(struct time_of_day_information) == 48, "phnt");

static void fill_time_of_day(void *answer)
{
	struct time_of_day_information *time = answer;
	time->CurrentTime.QuadPart = (LONGLONG)host_nt_time();
	time->BootTime.QuadPart = time->CurrentTime.QuadPart - (LONGLONG)(host_boot_clock() / 100);
	time->TimeZoneBias.QuadPart = ex_time_zone_bias(time->CurrentTime.QuadPart);
}

static void fill_debugger(void *answer)
{
	UCHAR *debugger = answer; /* enabled, not present */
	debugger[0] = 0;
	debugger[1] = 1;
}

/* The integrity test of Ps and Ob is what there is of code integrity, and it is always
 * on. Length comes from the caller, who has to set it. */
static void fill_code_integrity(void *answer)
{
	ULONG *integrity = answer;
	integrity[0] = 8;
	integrity[1] = CODE_INTEGRITY_ENABLED;
}

static void fill_secure_boot(void *answer)
{
	memset(answer, 0, 2); /* not enabled, not capable */
}

static const struct {
	ULONG number, size;
	void (*fill)(void *answer);
} fixed[] = {
	{SystemBasicInformation, sizeof(struct basic_information), fill_basic},
	{SystemProcessorInformation, sizeof(struct processor_information), fill_processor},
	{SystemTimeOfDayInformation, sizeof(struct time_of_day_information), fill_time_of_day},
	{SystemKernelDebuggerInformation, 2, fill_debugger},
	{SystemCodeIntegrityInformation, 8, fill_code_integrity},
	{SystemSecureBootInformation, 2, fill_secure_boot},
};

static NTSTATUS answer_fixed(ULONG number, struct ps_caller *caller)
{
	_Alignas(16) char answer[sizeof(struct basic_information)] = {0};
	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
		if (fixed[i].number != number)
			continue;
		/* The time of day is given as far as the caller has room for it. */
		ULONG size = fixed[i].size;
		if (number == SystemTimeOfDayInformation && caller->length < size)
			size = (ULONG)caller->length;
		else if (caller->length != size) {
			ps_tell_length(caller, size);
			return STATUS_INFO_LENGTH_MISMATCH;
		}
		fixed[i].fill(answer);
		return ps_answer(caller, answer, size);
	}
	return STATUS_INVALID_INFO_CLASS;
}

/* ---- Of a process by its id --------------------------------------------------------------- */

struct process_id_information {
	HANDLE ProcessId;
	UNICODE_STRING ImageName; /* in: MaximumLength and Buffer */
};
_Static_assert(sizeof(struct process_id_information) == 24, "phnt");

static NTSTATUS answer_image_name(PEPROCESS process, struct process_id_information *question)
{
	static const UNICODE_STRING none;
	const UNICODE_STRING *name = process->system ? &none : &process->native_image;
	USHORT room = question->ImageName.MaximumLength;
	question->ImageName.Length = name->Length;
	if (room < name->Length + sizeof(WCHAR)) {
		question->ImageName.MaximumLength = name->Length + sizeof(WCHAR);
		return STATUS_INFO_LENGTH_MISMATCH;
	}
	NTSTATUS status = mm_answer(question->ImageName.Buffer, name->Buffer, name->Length);
	if (NT_SUCCESS(status))
		status = mm_answer(question->ImageName.Buffer + name->Length / sizeof(WCHAR), u"",
				   sizeof(WCHAR));
	return status;
}

static NTSTATUS answer_process_id(struct ps_caller *caller)
{
	struct process_id_information question;
	if (caller->length != sizeof question) {
		ps_tell_length(caller, sizeof question);
		return STATUS_INFO_LENGTH_MISMATCH;
	}
	if (mm_read(PsGetCurrentProcess(), caller->buffer, &question, sizeof question) !=
	    sizeof question)
		return STATUS_ACCESS_VIOLATION;
	PEPROCESS process = ps_find_process((ULONG64)question.ProcessId);
	if (!process)
		return STATUS_INVALID_CID;
	NTSTATUS status = answer_image_name(process, &question);
	ob_dereference(process);
	if (!NT_SUCCESS(status) && status != STATUS_INFO_LENGTH_MISMATCH)
		return status;
	NTSTATUS written = ps_answer(caller, &question, sizeof question);
	return NT_SUCCESS(written) ? status : written;
}

/* ---- All together ---------------------------------------------------------------------------- */

static NTSTATUS answer_list(ULONG number, struct ps_caller *caller)
{
	struct ex_answer answer = {0};
	switch (number) {
	case SystemProcessInformation:
		ex_list_processes(&answer);
		break;
	case SystemModuleInformation:
		ex_list_modules(&answer);
		break;
	default:
		ex_list_handles(&answer, number == SystemExtendedHandleInformation);
	}
	if (number == SystemProcessInformation && !answer.failed)
		ex_place_process_names(&answer, (ULONG_PTR)caller->buffer);
	NTSTATUS status = answer.failed ? STATUS_INSUFFICIENT_RESOURCES
					: ps_answer(caller, answer.memory, answer.used);
	host_free(answer.memory);
	return status;
}

static NTSTATUS query(ULONG number, struct ps_caller caller)
{
	switch (number) {
	case SystemProcessInformation:
	case SystemModuleInformation:
	case SystemHandleInformation:
	case SystemExtendedHandleInformation:
		return answer_list(number, &caller);
	case SystemProcessIdInformation:
		return answer_process_id(&caller);
	default:
		return answer_fixed(number, &caller);
	}
}

NTSTATUS NTAPI ZwQuerySystemInformation(ULONG SystemInformationClass, PVOID SystemInformation,
					ULONG SystemInformationLength, PULONG ReturnLength)
{
	return query(
		SystemInformationClass,
		(struct ps_caller){SystemInformation, SystemInformationLength, ReturnLength, NULL});
}

NTSTATUS NTAPI NtQuerySystemInformation(ULONG SystemInformationClass, PVOID SystemInformation,
					ULONG SystemInformationLength, PULONG ReturnLength)
{
	return ZwQuerySystemInformation(SystemInformationClass, SystemInformation,
					SystemInformationLength, ReturnLength);
}
