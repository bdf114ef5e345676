/* SPDX-License-Identifier: MIT */
/* Run-down protection: keeps an object from going while it is in use. */
#ifndef RINGSIDE_EX_RUNDOWN_H
#define RINGSIDE_EX_RUNDOWN_H

#include <ringside/nt.h>

typedef struct _EX_RUNDOWN_REF {
	_Atomic ULONG64 Count;
} EX_RUNDOWN_REF, *PEX_RUNDOWN_REF;
_Static_assert(sizeof(EX_RUNDOWN_REF) == 8, "AB-19");

VOID NTAPI ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef);
VOID NTAPI ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef);
BOOLEAN NTAPI ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef);
BOOLEAN NTAPI ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count);
VOID NTAPI ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef);
VOID NTAPI ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count);
/* Up to APC_LEVEL; returns when the last user has released it. */
VOID NTAPI ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef);
VOID NTAPI ExRundownCompleted(PEX_RUNDOWN_REF RunRef);

#endif
