/* SPDX-License-Identifier: MIT */
/*
 * The long answers of ZwQuerySystemInformation: all processes with their threads, all
 * modules, all handles.
 *
 * Each list is what it was at some time during the call, process by process; nothing is
 * stopped for it. What is appended may move its predecessors, so entries are found again
 * by their offsets. LOCKS: a process's lock while its threads or handles are looked at;
 * the module list's while modules are. Only the allocator's is taken inside.
 */
#include "ex/system-information.h"
#include "ldr/module.h"
#include "ob/handle.h"
#include "ps/attribute.h"
#include "ps/process.h"
#include "rtl/utf.h"
#include <stdio.h>
#include <string.h>

/* ---- Processes ------------------------------------------------------------------------ */

struct process_entry {
	ULONG NextEntryOffset, NumberOfThreads;
	ULONG64 WorkingSetPrivateSize;
	ULONG HardFaultCount, NumberOfThreadsHighWatermark;
	ULONG64 CycleTime;
	LARGE_INTEGER CreateTime, UserTime, KernelTime;
	UNICODE_STRING ImageName;
	LONG BasePriority;
	HANDLE UniqueProcessId, InheritedFromUniqueProcessId;
	ULONG HandleCount, SessionId;
	ULONG_PTR UniqueProcessKey;
	SIZE_T PeakVirtualSize, VirtualSize;
	ULONG PageFaultCount;
	SIZE_T PeakWorkingSetSize, WorkingSetSize, QuotaPoolUsage[4];
	SIZE_T PagefileUsage, PeakPagefileUsage, PrivatePageCount;
	LONGLONG IoCounters[6];
};
_Static_assert(sizeof(struct process_entry) == 0x100, "phnt");
_Static_assert(offsetof(struct process_entry, UniqueProcessId) == 0x50, "phnt");

struct thread_entry {
	LARGE_INTEGER KernelTime, UserTime, CreateTime;
	ULONG WaitTime;
	PVOID StartAddress;
	CLIENT_ID ClientId;
	LONG Priority, BasePriority;
	ULONG ContextSwitches, ThreadState, WaitReason;
};
_Static_assert(sizeof(struct thread_entry) == 0x50, "phnt");

#define THREAD_STATE_READY 1 /* whether it runs is for Linux to know */

struct process_list {
	struct ex_answer *answer;
	size_t last; /* offset of the last entry; the first is at 0 */
};

static struct process_entry *entry_at(struct process_list *list, size_t offset)
{
	return (struct process_entry *)(void *)(list->answer->memory + offset);
}

/* A new last entry. */
static bool begin_entry(struct process_list *list)
{
	struct ex_answer *answer = list->answer;
	size_t offset = (answer->used + 7) & ~(size_t)7;
	if (!ex_append(answer, sizeof(struct process_entry)))
		return false;
	if (offset)
		entry_at(list, list->last)->NextEntryOffset = (ULONG)(offset - list->last);
	list->last = offset;
	return true;
}

static void append_threads(struct process_list *list, PEPROCESS process)
{
	ULONG count = 0;
	pthread_mutex_lock(&process->lock);
	for (LIST_ENTRY *e = process->threads.Flink; e != &process->threads; e = e->Flink) {
		const struct _ETHREAD *thread = (void *)((char *)e -
							 offsetof(struct _ETHREAD, process_link));
		struct thread_entry *entry = ex_append(list->answer, sizeof *entry);
		if (!entry)
			break;
		count++;
		entry->CreateTime = thread->create_time;
		entry->StartAddress = thread->start_address;
		entry->ClientId = (CLIENT_ID){(HANDLE)process->id, (HANDLE)thread->id};
		entry->Priority = entry->BasePriority = PS_NORMAL_PRIORITY;
		entry->ThreadState = THREAD_STATE_READY;
	}
	pthread_mutex_unlock(&process->lock);
	entry_at(list, list->last)->NumberOfThreads = count;
	entry_at(list, list->last)->NumberOfThreadsHighWatermark = count;
}

/* The last component. Its address is the caller's, so for now it is an offset. */
static void append_name(struct process_list *list, PEPROCESS process)
{
	UNICODE_STRING name = process->image;
	for (USHORT i = 0; i < process->image.Length / 2; i++)
		if (process->image.Buffer[i] == '\\' || process->image.Buffer[i] == '/') {
			name.Buffer = process->image.Buffer + i + 1;
			name.Length = process->image.Length - (USHORT)(2 * (i + 1));
		}
	size_t offset = (list->answer->used + 7) & ~(size_t)7;
	void *text = ex_append(list->answer, name.Length + sizeof(WCHAR));
	if (!text)
		return;
	if (name.Length)
		memcpy(text, name.Buffer, name.Length);
	entry_at(list, list->last)->ImageName = (UNICODE_STRING){
		name.Length, name.Length + sizeof(WCHAR), (PWSTR)offset};
}

static void fill_usage(struct process_entry *entry, PEPROCESS process)
{
	struct ps_host_usage usage;
	ps_usage_of(process, &usage);
	entry->UserTime.QuadPart = (LONGLONG)usage.user_time;
	entry->KernelTime.QuadPart = (LONGLONG)usage.kernel_time;
	entry->PeakVirtualSize = usage.peak_virtual_size;
	entry->VirtualSize = usage.virtual_size;
	entry->PageFaultCount = (ULONG)usage.page_faults;
	entry->PeakWorkingSetSize = usage.peak_working_set;
	entry->WorkingSetSize = usage.working_set;
	entry->PagefileUsage = entry->PeakPagefileUsage = usage.private_size;
	entry->PrivatePageCount = usage.private_size;
	entry->WorkingSetPrivateSize = usage.private_size;
}

static bool append_process(PEPROCESS process, void *context)
{
	struct process_list *list = context;
	if (!begin_entry(list))
		return false;
	struct process_entry *entry = entry_at(list, list->last);
	entry->CreateTime = process->create_time;
	entry->BasePriority = PS_NORMAL_PRIORITY;
	entry->UniqueProcessId = (HANDLE)process->id;
	entry->InheritedFromUniqueProcessId = (HANDLE)process->parent_id;
	entry->HandleCount = ob_count_handles(process);
	entry->SessionId = process->session;
	entry->UniqueProcessKey = (ULONG_PTR)process;
	fill_usage(entry, process);
	append_threads(list, process);
	append_name(list, process);
	return !list->answer->failed;
}

/* NT's list begins with the idle process, which has no name. */
void ex_list_processes(struct ex_answer *answer)
{
	struct process_list list = {.answer = answer};
	if (begin_entry(&list))
		ps_visit_processes(append_process, &list);
}

void ex_place_process_names(struct ex_answer *answer, ULONG_PTR address)
{
	struct process_list list = {.answer = answer};
	size_t offset = 0;
	for (ULONG next = 1; next; offset += next) {
		struct process_entry *entry = entry_at(&list, offset);
		next = entry->NextEntryOffset;
		if (entry->ImageName.MaximumLength)
			entry->ImageName.Buffer = (PWSTR)(address +
							  (ULONG_PTR)entry->ImageName.Buffer);
	}
}

/* ---- Modules ---------------------------------------------------------------------------- */

struct module_entry {
	PVOID Section, MappedBase, ImageBase;
	ULONG ImageSize, Flags;
	USHORT LoadOrderIndex, InitOrderIndex, LoadCount, OffsetToFileName;
	CHAR FullPathName[256];
};
_Static_assert(sizeof(struct module_entry) == 296, "phnt");

static USHORT offset_of_name(const CHAR *path)
{
	const CHAR *last = strrchr(path, '\\');
	return last ? (USHORT)(last + 1 - path) : 0;
}

static void append_module(struct ex_answer *answer, const KLDR_DATA_TABLE_ENTRY *module,
			  USHORT index)
{
	struct module_entry *entry = ex_append(answer, sizeof *entry);
	if (!entry)
		return;
	entry->ImageBase = module->DllBase;
	entry->ImageSize = module->SizeOfImage;
	entry->Flags = module->Flags;
	entry->LoadOrderIndex = entry->InitOrderIndex = index;
	entry->LoadCount = module->LoadCount;
	rtl_to_utf8(entry->FullPathName, sizeof entry->FullPathName, &module->FullDllName);
	entry->OffsetToFileName = offset_of_name(entry->FullPathName);
}

void ex_list_modules(struct ex_answer *answer)
{
	USHORT count = 0;
	ULONG *header = ex_append(answer, 8);
	if (!header)
		return;
	ldr_lock();
	for (LIST_ENTRY *e = PsLoadedModuleList.Flink; e != &PsLoadedModuleList; e = e->Flink)
		append_module(answer, (const KLDR_DATA_TABLE_ENTRY *)(void *)e, count++);
	ldr_unlock();
	*(ULONG *)(void *)answer->memory = count;
}

/* ---- Handles ------------------------------------------------------------------------------ */

struct handle_entry {
	USHORT UniqueProcessId, CreatorBackTraceIndex;
	UCHAR ObjectTypeIndex, HandleAttributes;
	USHORT HandleValue;
	PVOID Object;
	ULONG GrantedAccess;
};
_Static_assert(sizeof(struct handle_entry) == 24, "phnt");

struct extended_handle_entry {
	PVOID Object;
	ULONG_PTR UniqueProcessId, HandleValue;
	ULONG GrantedAccess;
	USHORT CreatorBackTraceIndex, ObjectTypeIndex;
	ULONG HandleAttributes, Reserved;
};
_Static_assert(sizeof(struct extended_handle_entry) == 40, "phnt");

struct handle_list {
	struct ex_answer *answer;
	ULONG64 count, process_id;
	bool extended;
};

/* The old form has 16 bits for an id and a handle. */
static void append_short(struct handle_list *list, const struct ob_handle_row *row)
{
	struct handle_entry *entry = ex_append(list->answer, sizeof *entry);
	if (!entry)
		return;
	*entry = (struct handle_entry){
		.UniqueProcessId = (USHORT)list->process_id,
		.ObjectTypeIndex = ob_header_of(row->object)->type->Index,
		.HandleAttributes = (UCHAR)row->attributes,
		.HandleValue = (USHORT)(ULONG_PTR)row->value,
		.Object = row->object,
		.GrantedAccess = row->granted,
	};
}

static void append_handle(void *context, const struct ob_handle_row *row)
{
	struct handle_list *list = context;
	list->count++;
	if (!list->extended) {
		append_short(list, row);
		return;
	}
	struct extended_handle_entry *entry = ex_append(list->answer, sizeof *entry);
	if (!entry)
		return;
	*entry = (struct extended_handle_entry){
		.Object = row->object,
		.UniqueProcessId = list->process_id,
		.HandleValue = (ULONG_PTR)row->value,
		.GrantedAccess = row->granted,
		.ObjectTypeIndex = ob_header_of(row->object)->type->Index,
		.HandleAttributes = row->attributes,
	};
}

static bool append_handles_of(PEPROCESS process, void *context)
{
	struct handle_list *list = context;
	list->process_id = process->id;
	ob_visit_handles(process, append_handle, list);
	return !list->answer->failed;
}

void ex_list_handles(struct ex_answer *answer, bool extended)
{
	struct handle_list list = {.answer = answer, .extended = extended};
	if (!ex_append(answer, extended ? 16 : 8))
		return;
	ps_visit_processes(append_handles_of, &list);
	if (answer->failed)
		return;
	if (extended)
		*(ULONG64 *)(void *)answer->memory = list.count;
	else
		*(ULONG *)(void *)answer->memory = (ULONG)list.count;
}
