/* SPDX-License-Identifier: MIT */
/*
 * Which processors there are, and on which of them a thread runs.
 *
 * These are the machine's, not the host threads that ke/thread.h calls processors.
 * The set is what Linux allowed the process when it was first asked for, and never changes.
 * A thread that a driver binds is bound by Linux; the mask in force is the host
 * thread's own.
 *
 * Pages: KeGetCurrentProcessorNumberEx, KeSetSystemAffinityThreadEx, processor groups.
 */
#include "ke/processor.h"
#include "ke/thread.h"
#include <pthread.h>
#include <sched.h>

#define MOST 64 /* of one group */

static struct {
	ULONG count;
	int cpu[MOST]; /* Linux's number of each */
} all;

static _Thread_local KAFFINITY bound; /* 0: to none in particular */

static void find_processors(void)
{
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		for (int cpu = 0; cpu < CPU_SETSIZE && all.count < MOST; cpu++)
			if (CPU_ISSET(cpu, &set))
				all.cpu[all.count++] = cpu;
	if (!all.count)
		all.count = 1;
}

ULONG ke_count_processors(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, find_processors);
	return all.count;
}

static KAFFINITY everywhere(void)
{
	return ~0ull >> (MOST - ke_count_processors());
}

/* What inline code reads of a thread that is bound to one processor. Of any other
 * it is some processor, and stays that: Linux moves threads without a word. */
static void show_number(KAFFINITY mask)
{
	struct ke_processor *self = ke_processor();
	if (mask && !(mask & (mask - 1)))
		self->pcr.number = self->pcr.prcb_number = (ULONG)__builtin_ctzll(mask);
}

/* Bits beyond what exists are ignored; a mask without any other changes nothing. */
static bool bind_to(KAFFINITY mask)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	for (ULONG i = 0; i < ke_count_processors(); i++)
		if (mask >> i & 1)
			CPU_SET(all.cpu[i], &set);
	if (!CPU_COUNT(&set) || sched_setaffinity(0, sizeof(set), &set) != 0)
		return false;
	show_number(mask & everywhere());
	return true;
}

void ke_move_to_processor(ULONG number)
{
	if (number < MOST)
		bind_to(1ull << number);
}

void ke_move_to_any_processor(void)
{
	bind_to(everywhere());
}

/* ---- Counting -------------------------------------------------------------------------- */

ULONG NTAPI KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber)
{
	int cpu = sched_getcpu();
	ULONG number = 0;
	for (ULONG i = 0; i < ke_count_processors(); i++)
		if (all.cpu[i] == cpu)
			number = i;
	if (ProcNumber)
		*ProcNumber = (PROCESSOR_NUMBER){.Number = (UCHAR)number};
	return number;
}

ULONG NTAPI KeGetCurrentProcessorNumber(void)
{
	return KeGetCurrentProcessorNumberEx(NULL);
}

ULONG NTAPI KeQueryActiveProcessorCount(KAFFINITY *ActiveProcessors)
{
	if (ActiveProcessors)
		*ActiveProcessors = everywhere();
	return ke_count_processors();
}

ULONG NTAPI KeQueryActiveProcessorCountEx(USHORT GroupNumber)
{
	return GroupNumber == 0 || GroupNumber == ALL_PROCESSOR_GROUPS ? ke_count_processors() : 0;
}

ULONG NTAPI KeQueryMaximumProcessorCount(void)
{
	return ke_count_processors();
}

ULONG NTAPI KeQueryMaximumProcessorCountEx(USHORT GroupNumber)
{
	return KeQueryActiveProcessorCountEx(GroupNumber);
}

KAFFINITY NTAPI KeQueryActiveProcessors(void)
{
	return everywhere();
}

KAFFINITY NTAPI KeQueryGroupAffinity(USHORT GroupNumber)
{
	return GroupNumber == 0 ? everywhere() : 0;
}

USHORT NTAPI KeQueryActiveGroupCount(void)
{
	return 1;
}

USHORT NTAPI KeQueryMaximumGroupCount(void)
{
	return 1;
}

ULONG NTAPI KeGetProcessorIndexFromNumber(PPROCESSOR_NUMBER ProcNumber)
{
	bool exists = ProcNumber->Group == 0 && !ProcNumber->Reserved &&
		      ProcNumber->Number < ke_count_processors();
	return exists ? ProcNumber->Number : ~0u; /* INVALID_PROCESSOR_INDEX */
}

NTSTATUS NTAPI KeGetProcessorNumberFromIndex(ULONG ProcIndex, PPROCESSOR_NUMBER ProcNumber)
{
	if (ProcIndex >= ke_count_processors())
		return STATUS_INVALID_PARAMETER;
	*ProcNumber = (PROCESSOR_NUMBER){.Number = (UCHAR)ProcIndex};
	return STATUS_SUCCESS;
}

/* ---- Binding ------------------------------------------------------------------------------ */

KAFFINITY NTAPI KeSetSystemAffinityThreadEx(KAFFINITY Affinity)
{
	KAFFINITY before = bound;
	if (bind_to(Affinity))
		bound = Affinity & everywhere();
	return before;
}

VOID NTAPI KeSetSystemAffinityThread(KAFFINITY Affinity)
{
	KeSetSystemAffinityThreadEx(Affinity);
}

/* 0, which the first of nested calls returned, means the thread's own affinity. */
VOID NTAPI KeRevertToUserAffinityThreadEx(KAFFINITY Affinity)
{
	bound = Affinity & everywhere();
	bind_to(bound ? bound : everywhere());
}

VOID NTAPI KeRevertToUserAffinityThread(void)
{
	KeRevertToUserAffinityThreadEx(0);
}

VOID NTAPI KeSetSystemGroupAffinityThread(PGROUP_AFFINITY Affinity,
					  PGROUP_AFFINITY PreviousAffinity)
{
	KAFFINITY before = bound;
	if (Affinity->Group == 0)
		KeSetSystemAffinityThreadEx(Affinity->Mask);
	if (PreviousAffinity)
		*PreviousAffinity = (GROUP_AFFINITY){.Mask = before};
}

VOID NTAPI KeRevertToUserGroupAffinityThread(PGROUP_AFFINITY PreviousAffinity)
{
	KeRevertToUserAffinityThreadEx(PreviousAffinity->Mask);
}

/* ---- Sets ---------------------------------------------------------------------------------- */

VOID NTAPI KeInitializeAffinityEx(PKAFFINITY_EX Affinity)
{
	*Affinity = (KAFFINITY_EX){.Count = 1, .Size = KE_AFFINITY_GROUPS};
}

/* An index that stands for no processor changes nothing. */
VOID NTAPI KeAddProcessorAffinityEx(PKAFFINITY_EX Affinity, ULONG ProcessorIndex)
{
	if (ProcessorIndex < ke_count_processors())
		Affinity->Bitmap[0] |= 1ull << ProcessorIndex;
}
