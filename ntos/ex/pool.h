/* SPDX-License-Identifier: MIT */
/*
 * Pool: the memory that drivers allocate and free.
 *
 * The WDK pages of these routines are the reference. What differs, and what is
 * added:
 *
 * - Every block is checked as Driver Verifier would: see pool.c for the rules and
 *   the bug check that each ends in.
 * - Memory that NT leaves uninitialized holds POOL_FRESH_BYTE here, and freed
 *   memory POOL_FREED_BYTE, so that a driver which reads either does not work by
 *   luck.
 * - There is one kind of memory: paged and executable pool are neither. Paged pool
 *   keeps its IRQL rules.
 * - Quota is not charged. A request that must raise an exception on failure ends
 *   in the bug check of the unhandled one.
 */
#ifndef RINGSIDE_EX_POOL_H
#define RINGSIDE_EX_POOL_H

#include <ringside/nt.h>

#define POOL_FRESH_BYTE 0xA5
#define POOL_FREED_BYTE 0xDE

typedef ULONG POOL_TYPE;
#define NonPagedPool 0
#define PagedPool 1
#define NonPagedPoolMustSucceed 2
#define NonPagedPoolCacheAligned 4
#define PagedPoolCacheAligned 5
#define NonPagedPoolNx 512

/* Flags that may be or-ed into a POOL_TYPE. */
#define POOL_QUOTA_FAIL_INSTEAD_OF_RAISE 8
#define POOL_RAISE_IF_ALLOCATION_FAILURE 16
#define POOL_COLD_ALLOCATION 256
#define POOL_ZERO_ALLOCATION 1024

typedef ULONG64 POOL_FLAGS;
#define POOL_FLAG_USE_QUOTA 0x01ull
#define POOL_FLAG_UNINITIALIZED 0x02ull
#define POOL_FLAG_SESSION 0x04ull
#define POOL_FLAG_CACHE_ALIGNED 0x08ull
#define POOL_FLAG_RAISE_ON_FAILURE 0x20ull
#define POOL_FLAG_NON_PAGED 0x40ull
#define POOL_FLAG_NON_PAGED_EXECUTE 0x80ull
#define POOL_FLAG_PAGED 0x100ull
#define POOL_FLAG_SPECIAL_POOL 0x100000000ull

typedef struct _POOL_EXTENDED_PARAMETER {
	ULONG64 Type : 8;
	ULONG64 Optional : 1;
	ULONG64 Reserved : 55;
	union {
		ULONG64 Reserved2;
		PVOID Reserved3;
		LONG Priority;
		PVOID SecurePoolParams;
		ULONG PreferredNode;
	};
} POOL_EXTENDED_PARAMETER;
typedef const POOL_EXTENDED_PARAMETER *PCPOOL_EXTENDED_PARAMETER;

enum {
	PoolExtendedParameterInvalidType,
	PoolExtendedParameterPriority,
	PoolExtendedParameterSecurePool,
	PoolExtendedParameterNumaNode
};

/*
 * For kernel code that allocates on a driver's behalf what the driver will free
 * (strings, for instance): `owner` is the driver's return address, to which a
 * leak or an overrun is ascribed. Uninitialized; NULL without memory.
 * Any IRQL that the pool type allows.
 */
void *ex_allocate_pool(const void *owner, POOL_TYPE type, SIZE_T size, ULONG tag);

/* Frees it; `caller` is blamed if it cannot be freed. */
void ex_free_pool(const void *caller, void *block);

/*
 * Calls `found` for every block allocated by code in [base, base + size). It runs
 * under the lock of a part of the pool, so it must not allocate or free any.
 */
void ex_visit_pool_of(const void *base, SIZE_T size,
		      void (*found)(void *context, ULONG tag, const void *block, SIZE_T size),
		      void *context);

/*
 * What is checked when the driver `name` at [base, base + size) has unloaded: a
 * block of its that was overrun ends in bug check 0x19, a block that it did not
 * free in 0xC4/0x62 (VF-19).
 */
void ex_check_pool_at_unload(const void *base, SIZE_T size, const UNICODE_STRING *name);

/* Frees every block that is left. No thread is inside the pool. */
void ex_shutdown_pool(void);

/* Exports (IRQL limits stand in exports.def; paged pool only up to APC_LEVEL). */
PVOID NTAPI ExAllocatePool(POOL_TYPE PoolType, SIZE_T NumberOfBytes);
PVOID NTAPI ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
PVOID NTAPI ExAllocatePoolWithTagPriority(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag,
					  ULONG Priority);
PVOID NTAPI ExAllocatePoolWithQuota(POOL_TYPE PoolType, SIZE_T NumberOfBytes);
PVOID NTAPI ExAllocatePoolWithQuotaTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
PVOID NTAPI ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag);
PVOID NTAPI ExAllocatePool3(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag,
			    PCPOOL_EXTENDED_PARAMETER ExtendedParameters,
			    ULONG ExtendedParametersCount);
VOID NTAPI ExFreePool(PVOID P);
VOID NTAPI ExFreePoolWithTag(PVOID P, ULONG Tag);
VOID NTAPI ExFreePool2(PVOID P, ULONG Tag, PCPOOL_EXTENDED_PARAMETER ExtendedParameters,
		       ULONG ExtendedParametersCount);

#endif
