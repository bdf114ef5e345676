/* SPDX-License-Identifier: MIT */
/* How drivers look for routines that they do not import. */
#ifndef RINGSIDE_LDR_ROUTINE_H
#define RINGSIDE_LDR_ROUTINE_H

#include <ringside/nt.h>

PVOID NTAPI MmGetSystemRoutineAddress(PUNICODE_STRING SystemRoutineName);
PVOID NTAPI RtlFindExportedRoutineByName(PVOID ImageBase, PCSTR RoutineName);

#endif
