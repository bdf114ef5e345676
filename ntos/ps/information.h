/* SPDX-License-Identifier: MIT */
/*
 * What drivers ask about processes and threads, and change of them.
 *
 * A class of information is a row of a table: its number, its size, the right that a
 * user-mode caller's handle needs, and the function that fills it in.
 */
#ifndef RINGSIDE_PS_INFORMATION_H
#define RINGSIDE_PS_INFORMATION_H

#include <ringside/nt.h>
#include <stdbool.h>
#include <stddef.h>

/* ---- For query functions of all kinds ------------------------------------------------ */

/* Where the caller wants the answer. Of the two places for its length at most one is
 * given, according to the service. */
struct ps_caller {
	PVOID buffer;
	SIZE_T length;
	PULONG returned;
	PSIZE_T returned_size;
};

/* Tells the caller how long the answer is. */
void ps_tell_length(const struct ps_caller *caller, size_t size);

/* Gives an answer that fits; INFO_LENGTH_MISMATCH for one that does not. In both cases its
 * length is told. */
NTSTATUS ps_answer(const struct ps_caller *caller, const void *answer, size_t size);

/* A UNICODE_STRING with its text behind it, terminated. */
NTSTATUS ps_answer_text(const struct ps_caller *caller, PCUNICODE_STRING text);

/* The object of a handle, referenced, with rights checked for UserMode.
 * INVALID_HANDLE, OBJECT_TYPE_MISMATCH, ACCESS_DENIED. */
NTSTATUS ps_open_handle(HANDLE handle, ACCESS_MASK access, POBJECT_TYPE type, KPROCESSOR_MODE mode,
			void **object);

#define PS_LARGEST_CLASS 128

struct ps_class {
	ULONG number;
	ULONG size, other_size; /* exactly one of them; other_size 0: none */
	ACCESS_MASK access;
	/* Into `answer`, which is zeroed; `size` is the one that was asked for. */
	NTSTATUS (*fill)(void *object, void *answer, size_t size);
	/* Or text, without a size; given back with rtl_free_string. */
	NTSTATUS (*text)(void *object, UNICODE_STRING *text);
};

struct ps_query {
	HANDLE handle;
	ULONG number;
	POBJECT_TYPE type;
	KPROCESSOR_MODE mode;
	struct ps_caller caller;
};

/* Answers from a table that ends with a row without functions. INVALID_INFO_CLASS,
 * INFO_LENGTH_MISMATCH, what ps_open_handle and the row's function say. */
NTSTATUS ps_query(const struct ps_query *query, const struct ps_class *table);

/* ---- Numbers, as phnt and the WDK have them -------------------------------------------- */

enum process_information_class {
	ProcessBasicInformation = 0,
	ProcessVmCounters = 3,
	ProcessTimes = 4,
	ProcessDebugPort = 7,
	ProcessAccessToken = 9,
	ProcessPriorityClass = 18,
	ProcessHandleCount = 20,
	ProcessSessionInformation = 24,
	ProcessWow64Information = 26,
	ProcessImageFileName = 27,
	ProcessBreakOnTermination = 29,
	ProcessDebugObjectHandle = 30,
	ProcessDebugFlags = 31,
	ProcessImageFileNameWin32 = 43,
	ProcessCommandLineInformation = 60,
	ProcessProtectionInformation = 61,
	ProcessSubsystemInformation = 75,
};

enum thread_information_class {
	ThreadBasicInformation = 0,
	ThreadTimes = 1,
	ThreadPriority = 2,
	ThreadQuerySetWin32StartAddress = 9,
	ThreadAmILastThread = 12,
	ThreadHideFromDebugger = 17,
	ThreadBreakOnTermination = 18,
	ThreadIsTerminated = 20,
};

typedef struct _PROCESS_BASIC_INFORMATION {
	NTSTATUS ExitStatus;
	PVOID PebBaseAddress;
	ULONG_PTR AffinityMask;
	LONG BasePriority;
	HANDLE UniqueProcessId, InheritedFromUniqueProcessId;
} PROCESS_BASIC_INFORMATION;
_Static_assert(sizeof(PROCESS_BASIC_INFORMATION) == 48, "ntddk.h");

typedef struct _PROCESS_EXTENDED_BASIC_INFORMATION {
	SIZE_T Size;
	PROCESS_BASIC_INFORMATION BasicInfo;
	ULONG Flags;
} PROCESS_EXTENDED_BASIC_INFORMATION;
_Static_assert(sizeof(PROCESS_EXTENDED_BASIC_INFORMATION) == 64, "ntddk.h");

typedef struct _KERNEL_USER_TIMES {
	LARGE_INTEGER CreateTime, ExitTime, KernelTime, UserTime;
} KERNEL_USER_TIMES;

typedef struct _VM_COUNTERS {
	SIZE_T PeakVirtualSize, VirtualSize;
	ULONG PageFaultCount;
	SIZE_T PeakWorkingSetSize, WorkingSetSize;
	SIZE_T QuotaPeakPagedPoolUsage, QuotaPagedPoolUsage;
	SIZE_T QuotaPeakNonPagedPoolUsage, QuotaNonPagedPoolUsage;
	SIZE_T PagefileUsage, PeakPagefileUsage;
	SIZE_T PrivateUsage; /* VM_COUNTERS_EX */
} VM_COUNTERS_EX;
_Static_assert(sizeof(VM_COUNTERS_EX) == 96, "ntddk.h");

typedef struct _THREAD_BASIC_INFORMATION {
	NTSTATUS ExitStatus;
	PVOID TebBaseAddress;
	CLIENT_ID ClientId;
	ULONG_PTR AffinityMask;
	LONG Priority, BasePriority;
} THREAD_BASIC_INFORMATION;
_Static_assert(sizeof(THREAD_BASIC_INFORMATION) == 48, "ntddk.h");

/* ---- Exports ------------------------------------------------------------------------------ */

NTSTATUS NTAPI ZwQueryInformationProcess(HANDLE ProcessHandle, ULONG ProcessInformationClass,
					 PVOID ProcessInformation, ULONG ProcessInformationLength,
					 PULONG ReturnLength);
NTSTATUS NTAPI NtQueryInformationProcess(HANDLE ProcessHandle, ULONG ProcessInformationClass,
					 PVOID ProcessInformation, ULONG ProcessInformationLength,
					 PULONG ReturnLength);
NTSTATUS NTAPI ZwQueryInformationThread(HANDLE ThreadHandle, ULONG ThreadInformationClass,
					PVOID ThreadInformation, ULONG ThreadInformationLength,
					PULONG ReturnLength);
NTSTATUS NTAPI NtQueryInformationThread(HANDLE ThreadHandle, ULONG ThreadInformationClass,
					PVOID ThreadInformation, ULONG ThreadInformationLength,
					PULONG ReturnLength);
NTSTATUS NTAPI ZwSetInformationProcess(HANDLE ProcessHandle, ULONG ProcessInformationClass,
				       PVOID ProcessInformation, ULONG ProcessInformationLength);
NTSTATUS NTAPI NtSetInformationProcess(HANDLE ProcessHandle, ULONG ProcessInformationClass,
				       PVOID ProcessInformation, ULONG ProcessInformationLength);
NTSTATUS NTAPI ZwSetInformationThread(HANDLE ThreadHandle, ULONG ThreadInformationClass,
				      PVOID ThreadInformation, ULONG ThreadInformationLength);
NTSTATUS NTAPI NtSetInformationThread(HANDLE ThreadHandle, ULONG ThreadInformationClass,
				      PVOID ThreadInformation, ULONG ThreadInformationLength);

#endif
