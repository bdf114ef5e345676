/* SPDX-License-Identifier: MIT */
/*
 * <wdm.h> as a current WDK has it, for drivers compiled with mingw.
 *
 * mingw's DDK headers are those of about Windows 8. The headers in this folder
 * stand in front of theirs on the include path: each includes the real one and adds
 * what is missing, so that a driver's source is the one that the WDK compiles,
 * with nothing for our sake in it. A WDK build never sees this folder.
 *
 * What the WDK's kernel headers lack too (PROCESS_TERMINATE, for instance) is not
 * here either: a driver has to define it.
 */
#ifndef RINGSIDE_DDK_WDM_H
#define RINGSIDE_DDK_WDM_H

/*
 * mingw's wdm.h defines two routines that its intrin.h has defined already, differently:
 * C++ refuses that, and in C every object file would carry them. intrin.h's are used.
 */
#include <intrin.h>
#define InterlockedBitTestAndSet MingwInterlockedBitTestAndSet
#define InterlockedBitTestAndReset MingwInterlockedBitTestAndReset
#include_next <wdm.h>
#undef InterlockedBitTestAndSet
#undef InterlockedBitTestAndReset

#include "annotations.h"

#ifdef __cplusplus
extern "C" {
#endif

/* mingw stops before the right that resuming alone needs. */
#ifndef THREAD_RESUME
#define THREAD_RESUME 0x1000
#endif

/*
 * The WDK's POBJECT_TYPE *PsProcessType is the import slot itself, which holds the
 * address of the kernel's variable. mingw says dllimport besides, so its compiler looks
 * into the slot once more and gives the variable's value. These are the slots.
 */
extern POBJECT_TYPE *__imp_CmKeyObjectType;
extern POBJECT_TYPE *__imp_ExDesktopObjectType;
extern POBJECT_TYPE *__imp_ExEventObjectType;
extern POBJECT_TYPE *__imp_ExSemaphoreObjectType;
extern POBJECT_TYPE *__imp_IoFileObjectType;
extern POBJECT_TYPE *__imp_PsProcessType;
extern POBJECT_TYPE *__imp_PsThreadType;
extern POBJECT_TYPE *__imp_SeTokenObjectType;
#define CmKeyObjectType __imp_CmKeyObjectType
#define ExDesktopObjectType __imp_ExDesktopObjectType
#define ExEventObjectType __imp_ExEventObjectType
#define ExSemaphoreObjectType __imp_ExSemaphoreObjectType
#define IoFileObjectType __imp_IoFileObjectType
#define PsProcessType __imp_PsProcessType
#define PsThreadType __imp_PsThreadType
#define SeTokenObjectType __imp_SeTokenObjectType

/* Windows 8. */
NTKERNELAPI VOID NTAPI KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime);

/* ---- The registry ------------------------------------------------------------ */

NTKERNELAPI NTSTATUS NTAPI CmCallbackGetKeyObjectIDEx(PLARGE_INTEGER Cookie, PVOID Object,
						      PULONG_PTR ObjectID,
						      PCUNICODE_STRING *ObjectName, ULONG Flags);
NTKERNELAPI VOID NTAPI CmCallbackReleaseKeyObjectIDEx(PCUNICODE_STRING ObjectName);

/* ---- Pool ------------------------------------------------------------------ */

#define POOL_ZERO_ALLOCATION 1024

typedef ULONG64 POOL_FLAGS;

#define POOL_FLAG_REQUIRED_START 0x0000000000000001ull
#define POOL_FLAG_USE_QUOTA 0x0000000000000001ull
#define POOL_FLAG_UNINITIALIZED 0x0000000000000002ull
#define POOL_FLAG_SESSION 0x0000000000000004ull
#define POOL_FLAG_CACHE_ALIGNED 0x0000000000000008ull
#define POOL_FLAG_RESERVED1 0x0000000000000010ull
#define POOL_FLAG_RAISE_ON_FAILURE 0x0000000000000020ull
#define POOL_FLAG_NON_PAGED 0x0000000000000040ull
#define POOL_FLAG_NON_PAGED_EXECUTE 0x0000000000000080ull
#define POOL_FLAG_PAGED 0x0000000000000100ull
#define POOL_FLAG_RESERVED2 0x0000000000000200ull
#define POOL_FLAG_RESERVED3 0x0000000000000400ull
#define POOL_FLAG_REQUIRED_END 0x0000000080000000ull
#define POOL_FLAG_OPTIONAL_START 0x0000000100000000ull
#define POOL_FLAG_SPECIAL_POOL 0x0000000100000000ull
#define POOL_FLAG_OPTIONAL_END 0x8000000000000000ull

/* Windows 10 2004. */
NTKERNELAPI PVOID NTAPI ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag);

/* Inlines of the WDK, for every version of Windows. */
FORCEINLINE PVOID ExAllocatePoolUninitialized(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
	return ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag);
}

FORCEINLINE PVOID ExAllocatePoolZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
	PVOID Memory = ExAllocatePoolWithTag((POOL_TYPE)(PoolType | POOL_ZERO_ALLOCATION),
					     NumberOfBytes, Tag);
#ifdef POOL_ZERO_DOWN_LEVEL_SUPPORT
	if (Memory)
		RtlZeroMemory(Memory, NumberOfBytes);
#endif
	return Memory;
}

/* ---- Registry --------------------------------------------------------------- */

#define RTL_QUERY_REGISTRY_TYPECHECK 0x00000100
#define RTL_QUERY_REGISTRY_TYPECHECK_SHIFT 24
#define RTL_QUERY_REGISTRY_TYPECHECK_MASK (0xff << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT)

#ifdef __cplusplus
}
#endif
#endif
