/* SPDX-License-Identifier: MIT */
/* What drivers ask about the whole system. */
#ifndef RINGSIDE_EX_SYSTEM_INFORMATION_H
#define RINGSIDE_EX_SYSTEM_INFORMATION_H

#include <ringside/nt.h>
#include <stdbool.h>
#include <stddef.h>

enum system_information_class {
	SystemBasicInformation = 0,
	SystemProcessorInformation = 1,
	SystemTimeOfDayInformation = 3,
	SystemProcessInformation = 5,
	SystemModuleInformation = 11,
	SystemHandleInformation = 16,
	SystemKernelDebuggerInformation = 35,
	SystemExtendedHandleInformation = 64,
	SystemProcessIdInformation = 88,
	SystemCodeIntegrityInformation = 103,
	SystemSecureBootInformation = 145,
};

/* ---- Answers of any length ------------------------------------------------------------ */

/* Grows as it is written; what was written before may move. */
struct ex_answer {
	char *memory;
	size_t used, capacity;
	bool failed; /* without memory: all that follows is dropped */
};

/* Room for `size` more zeroed bytes at an 8-byte boundary, or NULL. */
void *ex_append(struct ex_answer *answer, size_t size);

/* The three that are long. */
void ex_list_processes(struct ex_answer *answer);
/* Its names lie behind its entries; where that is, once the answer's place is known. */
void ex_place_process_names(struct ex_answer *answer, ULONG_PTR address);
void ex_list_modules(struct ex_answer *answer);
void ex_list_handles(struct ex_answer *answer, bool extended);

/* ---- Exports --------------------------------------------------------------------------- */

/* INVALID_INFO_CLASS, INFO_LENGTH_MISMATCH (ReturnLength says how much it takes now). */
NTSTATUS NTAPI ZwQuerySystemInformation(ULONG SystemInformationClass, PVOID SystemInformation,
					ULONG SystemInformationLength, PULONG ReturnLength);
NTSTATUS NTAPI NtQuerySystemInformation(ULONG SystemInformationClass, PVOID SystemInformation,
					ULONG SystemInformationLength, PULONG ReturnLength);

#endif
