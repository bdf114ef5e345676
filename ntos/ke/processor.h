/* SPDX-License-Identifier: MIT */
/*
 * Processors as drivers count them: those of the machine on which this process may
 * run, numbered from 0 in Linux's order, in one group.
 */
#ifndef RINGSIDE_KE_PROCESSOR_H
#define RINGSIDE_KE_PROCESSOR_H

#include <ringside/nt.h>
#include <stdbool.h>

typedef ULONG64 KAFFINITY;

typedef struct _PROCESSOR_NUMBER {
	USHORT Group;
	UCHAR Number;
	UCHAR Reserved;
} PROCESSOR_NUMBER, *PPROCESSOR_NUMBER;
_Static_assert(sizeof(PROCESSOR_NUMBER) == 4, "wdm.h");

typedef struct _GROUP_AFFINITY {
	KAFFINITY Mask;
	USHORT Group;
	USHORT Reserved[3];
} GROUP_AFFINITY, *PGROUP_AFFINITY;
_Static_assert(sizeof(GROUP_AFFINITY) == 16, "wdm.h");

/* A set of processors of all groups, as Windows 10 sizes it. */
#define KE_AFFINITY_GROUPS 20
typedef struct _KAFFINITY_EX {
	USHORT Count; /* of groups that have a bit set, counted from 0 */
	USHORT Size;
	ULONG Reserved;
	KAFFINITY Bitmap[KE_AFFINITY_GROUPS];
} KAFFINITY_EX, *PKAFFINITY_EX;

#define ALL_PROCESSOR_GROUPS 0xFFFF

/* How many there are, at most 64. */
ULONG ke_count_processors(void);

/* Moves this host thread to one of them, or lets it run on all. */
void ke_move_to_processor(ULONG number);
void ke_move_to_any_processor(void);

ULONG NTAPI KeGetCurrentProcessorNumber(void);
ULONG NTAPI KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber);
ULONG NTAPI KeQueryActiveProcessorCount(KAFFINITY *ActiveProcessors);
ULONG NTAPI KeQueryActiveProcessorCountEx(USHORT GroupNumber);
ULONG NTAPI KeQueryMaximumProcessorCount(void);
ULONG NTAPI KeQueryMaximumProcessorCountEx(USHORT GroupNumber);
KAFFINITY NTAPI KeQueryActiveProcessors(void);
KAFFINITY NTAPI KeQueryGroupAffinity(USHORT GroupNumber);
USHORT NTAPI KeQueryActiveGroupCount(void);
USHORT NTAPI KeQueryMaximumGroupCount(void);
ULONG NTAPI KeGetProcessorIndexFromNumber(PPROCESSOR_NUMBER ProcNumber);
NTSTATUS NTAPI KeGetProcessorNumberFromIndex(ULONG ProcIndex, PPROCESSOR_NUMBER ProcNumber);

/* The current thread's processors; the Ex forms return what was set before. */
VOID NTAPI KeSetSystemAffinityThread(KAFFINITY Affinity);
KAFFINITY NTAPI KeSetSystemAffinityThreadEx(KAFFINITY Affinity);
VOID NTAPI KeRevertToUserAffinityThread(void);
VOID NTAPI KeRevertToUserAffinityThreadEx(KAFFINITY Affinity);
VOID NTAPI KeSetSystemGroupAffinityThread(PGROUP_AFFINITY Affinity,
					  PGROUP_AFFINITY PreviousAffinity);
VOID NTAPI KeRevertToUserGroupAffinityThread(PGROUP_AFFINITY PreviousAffinity);

VOID NTAPI KeInitializeAffinityEx(PKAFFINITY_EX Affinity);
VOID NTAPI KeAddProcessorAffinityEx(PKAFFINITY_EX Affinity, ULONG ProcessorIndex);

#endif
